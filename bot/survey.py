"""What a cluster grants beside the policy, asked through a kubeconfig as the user that it logs in as."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import commands
from bot.app import context_place, kubeconfig_path, log_to_stderr, open_clusters
from bot.console.board import Board
from bot.core.cluster import Reach, Reader, ServedKind
from bot.core.command import Registry
from bot.core.errors import NotFound
from bot.core.listing import column, counted
from bot.core.people import KubeconfigUser
from bot.core.plan import Json
from bot.core.policy import Policy
from bot.core.reply import Note, Reply, Table, Tone
from bot.desk import login, read_policy
from bot.kube.credentials import Kubeconfig
from bot.rbac.manifests import Account
from bot.rbac.report import Granted, report
from bot.rbac.selfaudit import self_audit
from bot.settings import Settings

_AT_ONCE: Final = 8
_BAD: Final = 2
_RBAC: Final = "rbac.authorization.k8s.io/v1"
_VERBS: Final = ("get", "list")
_CLUSTER_ROLES: Final = ServedKind(_RBAC, "ClusterRole", "clusterroles", "clusterrole", (), False, _VERBS)
_ROLES: Final = ServedKind(_RBAC, "Role", "roles", "role", (), True, _VERBS)
_CLUSTER_BINDINGS: Final = ServedKind(
    _RBAC, "ClusterRoleBinding", "clusterrolebindings", "clusterrolebinding", (), False, _VERBS
)
_BINDINGS: Final = ServedKind(_RBAC, "RoleBinding", "rolebindings", "rolebinding", (), True, _VERBS)


def run_report(settings: Settings, file: Path, account: str, context: str | None) -> int:
    """Print who could do without the bot what the policy lets people do through it. Returns 0. Raises BadPolicy."""
    return asyncio.run(_report(settings, read_policy(file), login(account), context))


def run_audit(settings: Settings, context: str | None) -> int:
    """Print what the login of a context may do that a bot should not. Returns the exit code."""
    return asyncio.run(_audit(settings, context))


async def granted(reader: Reader) -> Granted:
    """All roles and bindings of a cluster. Raises Forbidden where they may not be read."""
    kinds = (_CLUSTER_ROLES, _ROLES, _CLUSTER_BINDINGS, _BINDINGS)
    cluster_roles, roles, cluster_bindings, bindings = [await _all(reader, kind) for kind in kinds]
    return Granted(cluster_roles, roles, cluster_bindings, bindings)


async def _report(settings: Settings, policy: Policy, account: Account, context: str | None) -> int:
    async with _reading(settings, context) as reader:
        found = report(await granted(reader), policy, Registry.of(commands), account)
    note = Note(
        "A group's people only the login knows; an administrator by certificate (system:masters) is in no list."
    )
    if not found:
        told = "Nobody but the bot's groups is bound to change what its commands change."
        await _say(Reply(told, Tone.GOOD, (note,), reader.cluster))
        return 0
    rows = tuple(
        (f"{one.subject} (@{one.person})" if one.person else one.subject, one.where, ", ".join(one.could), one.by)
        for one in found
    )
    subjects = counted(len({one.subject for one in found}), "subject")
    told = f"{subjects} could do it without the bot, and without its approvals."
    table = Table(("Who", "Where", "Could", "By"), rows)
    await _say(Reply(told, Tone.WARN, (table, note), reader.cluster))
    return 0


async def _audit(settings: Settings, context: str | None) -> int:
    async with _reading(settings, context) as reader:
        found = await self_audit(reader)
    if not found:
        await _say(Reply("This login may do nothing that a bot should not.", Tone.GOOD, place=reader.cluster))
        return 0
    rows = tuple((asked.meaning, f"{asked.right} {asked.name}".strip()) for asked in found)
    note = Note("The bot needs to impersonate by exact names and nothing else: `steersman rbac` prints it.")
    told = f"This login may do {counted(len(found), 'thing')} that a bot should not."
    await _say(Reply(told, Tone.BAD, (Table(("It may", "By the right to"), rows), note), reader.cluster))
    return _BAD


async def _all(reader: Reader, kind: ServedKind) -> list[Json]:
    """Every object of a kind; those that go in between are left out."""
    table = await reader.objects.table(kind, None)
    names = [each.name for each in table.columns]
    gate = asyncio.Semaphore(_AT_ONCE)

    async def get(row: tuple[str, ...]) -> Json | None:
        ref = kind.ref(reader.cluster, column(names, row, "Namespace"), column(names, row, "Name"))
        async with gate:
            try:
                return await reader.objects.get(ref)
            except NotFound:
                return None

    return [found for found in await asyncio.gather(*(get(row) for row in table.rows)) if found is not None]


@asynccontextmanager
async def _reading(settings: Settings, context: str | None) -> AsyncIterator[Reader]:
    """A reader on a context of the kubeconfig, as its own user."""
    log_to_stderr(settings)
    path = kubeconfig_path(settings)
    cluster = context_place(path, context).cluster
    clusters = await open_clusters(settings, {cluster: Kubeconfig(path, cluster)})
    try:
        yield clusters.reader(cluster, KubeconfigUser(), Reach(("*",)))
    finally:
        await clusters.close()


async def _say(reply: Reply) -> None:
    await Board.on_pipe().say("survey", reply)
