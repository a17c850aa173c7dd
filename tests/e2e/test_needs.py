"""What a command declares in `needs` is what it asks of the API: rights are generated from it, so it must be true."""

from urllib.parse import urlsplit

import pytest
from rigs.chat import Bot

import commands
from bot.core.cluster import Right
from bot.core.command import Query, Registry
from bot.demo.audit import Audit
from bot.demo.world import World

REGISTRY = Registry.of(commands)
# What the bot asks about itself and about what is served: every person may (system:discovery, system:basic-user).
EVERYBODYS = frozenset({"selfsubjectaccessreviews", "selfsubjectrulesreviews", "selfsubjectreviews"})
LINES = (
    "apps",
    "app myapp",
    "deploy myapp v2",
    "deploy cart 1.5.0",
    "deploy myapp",
    "scale myapp 4",
    "undo myapp",
    "rollout undo sts/db in data",
    "rollout restart ds/agent in ops",
    "rollout pause mailer",
    "rollout resume mailer",
    "rollout status myapp",
    "rollout history sts/db in data",
    "rollout history myapp --revision 1",
    "pods",
    "pods myapp",
    "pods -A",
    "logs myapp",
    "events",
    "events myapp",
    "top",
    "top myapp",
    "top nodes",
    "nodes",
    "images",
    "images myapp",
    "versions",
    "versions myapp",
    "why myapp",
    "audit",
    "whoami",
    "can",
    "can deploy to prod",
    "who-can deploy in data",
    "who-can deploy myapp",
    "help",
    "get ingresses",
    "get svc -A",
    "show myapp",
    "show svc/myapp",
)


@pytest.mark.parametrize("line", LINES)
async def test_a_command_asks_for_nothing_that_it_does_not_declare(line: str, bot: Bot, world: World) -> None:
    for cluster in world.clusters.values():
        cluster.audit.clear()
    command = REGISTRY.find(_command(line))
    assert command is not None

    await bot.says(line, by="bob")
    await bot.pipeline.close()

    asked = {right for cluster in world.clusters.values() for entry in cluster.audit if (right := right_of(entry))}
    undeclared = asked - set(command.needs)
    if command.name in ("get", "show"):  # the kind that is asked for is the person's own word
        undeclared = {right for right in undeclared if right.verb not in ("get", "list")}
    assert undeclared == set()


def test_every_command_that_asks_a_cluster_is_tried() -> None:
    tried = {parsed for line in LINES for parsed in [_command(line)]}

    assert {command.name for command in REGISTRY if isinstance(command, Query) or command.needs} <= tried


def _command(line: str) -> str:
    words = line.split()
    two = REGISTRY.find(" ".join(words[:2])) if len(words) > 1 else None
    found = two or REGISTRY.find(words[0])
    assert found is not None
    return found.name


def right_of(entry: Audit) -> Right | None:
    """The right that a request needs; None for discovery and for what everybody may."""
    if not entry.impersonated_user:
        return None
    parts = urlsplit(entry.uri).path.strip("/").split("/")
    group, rest = ("", parts[2:]) if parts[0] == "api" else (parts[1] if len(parts) > 1 else "", parts[3:])
    if rest[:1] == ["namespaces"] and len(rest) > 2:
        rest = rest[2:]
    if not rest or rest[0] in EVERYBODYS:
        return None
    return Right(entry.verb, group, rest[0], rest[2] if len(rest) > 2 else "")
