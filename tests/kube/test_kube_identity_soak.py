"""Nobody is ever taken for somebody else: many people in several groups, 200 calls at once, each checked by the server.

2,000 calls here; 100,000 with STEERSMAN_SOAK=1.
"""

import asyncio
import os
import random
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from aiohttp import web
from rigs.wire import Wire

from bot.core.cluster import Reach, Right, Stamp
from bot.core.people import Actor
from bot.core.plan import Absent, ClusterWrite, ObjectRef, PatchType, Verb
from bot.core.policy import ClusterRule, Grant, Mode, Person, Policy, Role
from bot.kube.clusters import KubeClusters

CALLS = 100_000 if os.environ.get("STEERSMAN_SOAK") else 2_000
AT_ONCE = 200
ROLES = tuple(f"guild-{n}" for n in range(6))
PEOPLE = tuple(f"person-{n:02}" for n in range(40))


def roles_of(number: int) -> list[str]:
    """From no role at all to five of them: neighbours share some, so that a mix-up would look almost right."""
    return [ROLES[(number + step) % len(ROLES)] for step in range(number % 6)]


POLICY = Policy(
    "of many guilds",
    (ClusterRule("prod"),),
    tuple(Person(name, name, f"{name}@example.com") for name in PEOPLE),
    tuple(Role(name, ("*",)) for name in ROLES),
    tuple(Grant((name,), role) for number, name in enumerate(PEOPLE) for role in roles_of(number)),
)


def expected(name: str, mode: Mode) -> list[tuple[str, str]]:
    """What must stand in the headers, said without the code that makes them."""
    held = roles_of(PEOPLE.index(name))
    groups = [("impersonate-group", f"steersman:{role}") for role in held]
    if mode is Mode.PERSON:
        return sorted([("impersonate-user", f"{name}@example.com"), *groups])
    user = f"steersman:{max(held, key=ROLES.index)}" if held else "steersman:nobody"
    return sorted([("impersonate-user", user), *groups, ("impersonate-extra-steersman%2fperson", name)])


@dataclass
class Witness:
    """The server: each path ends with the name of who calls, and the headers must be theirs."""

    wire: Wire
    mode: Mode
    chance: random.Random
    wrong: list[str] = field(default_factory=list)
    calls: int = 0
    inside: int = 0
    most: int = 0

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        self.calls, self.inside = self.calls + 1, self.inside + 1
        self.most = max(self.most, self.inside)
        name = request.path.rpartition("/")[2]
        if request.method == "POST":
            name = self.wire.heard[-1].json["spec"]["resourceAttributes"]["name"]
        sent = sorted((key.lower(), value) for key, value in request.headers.items() if key.lower().startswith("imp"))
        if sent != expected(name, self.mode):
            self.wrong.append(f"{request.method} {request.path}: {sent}")
        self.wire.heard.clear()
        await asyncio.sleep(self.chance.random() * 0.3)  # answers overtake one another, and nearly all callers wait
        self.inside -= 1
        return web.json_response({"metadata": {"name": name}, "status": {"allowed": True}})


async def call(clusters: KubeClusters, name: str, mode: Mode, kind: int) -> None:
    """A read, a question about rights, or a write, as one person."""
    identity = replace(POLICY, mode=mode).identity(Actor(name, name), "prod")
    reader = clusters.reader("prod", identity, Reach(("*",)))
    match kind:
        case 0:
            await reader.pods.get("shop", name)
        case 1:
            await reader.can(Right("patch", "apps", "deployments"), "shop", name)
        case _:
            target = ObjectRef("prod", "apps/v1", "Deployment", "deployments", "shop", name)
            body = {"spec": {"paused": True}}
            write = ClusterWrite(target, Verb.PATCH, body, PatchType.MERGE, Absent())
            await clusters.writer("prod", identity).send(
                write, resource_version="7", stamp=Stamp("a1", "audit-1"), dry_run=False
            )


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.timeout(1800)
async def test_many_calls_at_once_never_mix_user_or_groups(mode: Mode, wire: Wire, tmp_path: Path) -> None:
    chance = random.Random(20261124)  # noqa: S311 - a repeatable run, nothing secret
    witness = Witness(wire, mode, chance)
    wire.answer = witness.answer  # type: ignore[method-assign]  # the rig's default answer
    people = [chance.choice(PEOPLE) for _ in range(CALLS // 2)]
    left = iter(enumerate(people))

    # A cluster takes a hundred calls at a time: two doors to one server make them two hundred.
    async with wire.connected(tmp_path) as one, wire.connected(tmp_path) as other:

        async def caller(door: KubeClusters) -> None:
            for number, name in left:
                await call(door, name, mode, number % 3)

        await asyncio.gather(*(caller(door) for door in (one, other) for _ in range(AT_ONCE // 2)))

    assert witness.wrong == []
    assert witness.calls == CALLS // 2  # the other half in the other mode
    assert witness.most > AT_ONCE * 3 / 4
