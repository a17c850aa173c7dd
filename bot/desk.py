"""The owner's desk: a policy checked, explained and turned into rights, without a bot that runs or a cluster."""

import asyncio
from dataclasses import replace
from pathlib import Path

import commands
from bot.console.board import Board
from bot.core.args import label
from bot.core.command import Registry
from bot.core.errors import UsageError
from bot.core.grammar import Grammar
from bot.core.listing import counted
from bot.core.policy import Mode, Policy
from bot.core.policy_explain import Asked, explain
from bot.core.suggest import listed
from bot.policyfile import load
from bot.policyfile.problem import BadPolicy, Problem
from bot.rbac.manifests import Account, manifests
from bot.rbac.text import text


def read_policy(path: Path) -> Policy:
    """The policy of a file. Raises BadPolicy with every problem and its line."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise BadPolicy([Problem(0, f"{path} cannot be read: {error.strerror}")]) from error
    return load.load(raw, Registry.of(commands))


def check(path: Path) -> str:
    """A sentence about a policy that is right. Raises BadPolicy for one that is not."""
    policy = read_policy(path)
    people, roles = counted(len(policy.people), "person", "people"), counted(len(policy.roles), "role")
    grants, gates = counted(len(policy.grants), "grant"), counted(len(policy.gates), "gate")
    clusters = listed([rule.name for rule in policy.clusters])
    return f"{path.name} is right: {people}, {roles}, {grants} and {gates} on {clusters}."


def schema() -> str:
    """The JSON schema of `policy.yaml`."""
    return load.schema()


def show_explanation(path: Path, asked: Asked, prefix: str) -> None:
    """Print what the policy says to a line. Raises what `explain` raises."""
    reply = explain(read_policy(path), Grammar(Registry.of(commands), prefix=prefix), asked)
    asyncio.run(Board.on_pipe().say("explained", reply))


def login(account: str) -> Account:
    """The ServiceAccount that `namespace/name` says. Raises UsageError."""
    namespace, _, name = account.partition("/")
    try:
        return Account(label(namespace), label(name))
    except ValueError as error:
        raise UsageError(
            f"`{account}` is no ServiceAccount.", hint="Say its namespace and name: bots/steersman"
        ) from error


def rights(path: Path, cluster: str | None, mode: str | None, account: str, *, constrained: bool) -> str:
    """The manifests of a policy's rights on one cluster, as YAML. Raises BadPolicy, NotFound, UsageError."""
    policy = read_policy(path)
    if mode is not None:
        policy = replace(policy, mode=Mode(mode))
    names = [rule.name for rule in policy.clusters]
    if cluster is None and len(names) > 1:
        raise UsageError(f"The policy has the clusters {listed(names)}.", hint="Each has rights of its own: --cluster.")
    name = cluster or names[0]
    made = manifests(policy, Registry.of(commands), name, login(account), constrained=constrained)
    title = (
        f"Rights on {name} for {policy.name}: as each {policy.mode.value}. Made by `steersman rbac`; edit the policy."
    )
    return text(made, title)
