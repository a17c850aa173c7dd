"""Whatever people type and press, and whatever the weather: one ending each, and no write without its record.

Sequences of lines and clicks on the embedded clusters; a few here, many with STEERSMAN_SOAK=1.
"""

import asyncio
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from aiohttp import web
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rigs.chat import Answer
from rigs.weather import Fault, Passage, answering, answering_after, changing, cut, cut_after, hang, reading, watching
from rigs.whole_bot import AGENT, Whole, deployment, small_world, whole_bot

from bot.core.actions import CONFIRM_WITHIN
from bot.core.ledger import Record, State
from bot.demo import admission
from bot.demo.audit import Audit

ENDINGS = {state.value.upper() for state in State if state.final} | {"DENIED"}
PEOPLE = st.sampled_from(["alice", "alice", "bob", "carol", "eve", "mallory"])
LINES = st.sampled_from(
    [
        "deploy myapp v2",
        "deploy myapp v3",
        "deploy myapp v-bad",
        "deploy myapp v-crash",
        "deploy myapp v1 to prod",
        "deploy nothing v2",
        "scale myapp 0",
        "scale myapp 2",
        "scale myapp 4 --current 3",
        "undo myapp",
        "rollout undo myapp --to 1",
        "restart myapp",
        "rollout pause myapp",
        "rollout resume myapp",
        "status myapp",
        "apps",
        "confirm a1",
        "cancel a2",
        "scale myapp -1",
        "",
    ]
)


@dataclass(frozen=True)
class Says:
    by: str
    line: str
    waits: bool


@dataclass(frozen=True)
class Presses:
    by: str
    which: int


@dataclass(frozen=True)
class Weathers:
    at: str
    fault: str


@dataclass(frozen=True)
class Passes:
    """Time: enough for a confirmation to expire."""


FAULTS: dict[str, Fault] = {
    "cut": cut,
    "cut after": cut_after,
    "hang": hang,
    "500": answering(500),
    "500 after": answering_after(500),
    "429": answering(429, Retry_After="0"),
}
WHEN = {"reading": reading, "changing": changing, "watching": watching}
STEPS = st.one_of(
    st.builds(Says, PEOPLE, LINES, st.booleans()),
    st.builds(Says, st.just("alice"), LINES, st.booleans()),
    st.builds(Presses, st.sampled_from(["alice", "alice", "bob"]), st.integers(0, 4)),
    st.builds(Weathers, st.sampled_from(sorted(WHEN)), st.sampled_from(sorted(FAULTS))),
    st.just(Passes()),
)


@settings(
    max_examples=300 if os.environ.get("STEERSMAN_SOAK") else 6,
    deadline=None,
    derandomize=not os.environ.get("STEERSMAN_SOAK"),
    suppress_health_check=[HealthCheck.too_slow],
)
@given(steps=st.lists(STEPS, min_size=4, max_size=14))
@pytest.mark.timeout(3600)
def test_every_request_has_one_ending_and_every_write_its_record(
    steps: list[Says | Presses | Weathers | Passes],
) -> None:
    asyncio.run(_lived(steps))


async def _lived(steps: list[Says | Presses | Weathers | Passes]) -> None:
    async with small_world("myapp") as world, whole_bot(world, deadline=0.5, answer=timedelta(seconds=5)) as whole:
        asked: list[asyncio.Task[Answer]] = []
        for step in steps:
            await _take(whole, step, asked)
        await asyncio.gather(*asked)
        for sky in whole.weather.values():
            sky.clear()
        whole.clock.by += CONFIRM_WITHIN + timedelta(seconds=1)
        for action in whole.ledger.actions:
            if action.state is State.WAITING:
                await whole.bot.says(f"confirm {action.id}", by=action.actor.id)
        await whole.pipeline.close()

        assert whole.bugs == []
        assert all(versions for versions in whole.bot.recorder.messages.values())
        assert all(state.final for state in whole.ledger.states), whole.ledger.states
        await assert_one_ending_each(whole)
        await assert_writes_and_records_agree(whole)
        assert world.failures == 0


async def _take(whole: Whole, step: Says | Presses | Weathers | Passes, asked: list[asyncio.Task[Answer]]) -> None:
    match step:
        case Says(by, line, waits):
            task = asyncio.ensure_future(whole.bot.says(line, by=by))
            asked.append(task)
            await asyncio.wait([task], timeout=None if waits else 0)
        case Presses(by, which):
            shown = [button for reply in whole.bot.recorder.said for button in reply.buttons()]
            if shown:
                await whole.bot.presses(shown[-1 - which % len(shown)].id, by=by, settle=False)
        case Weathers(at, fault):
            whole.dev.strike(WHEN[at], FAULTS[fault])
        case Passes():
            whole.clock.by += CONFIRM_WITHIN + timedelta(seconds=1)


async def assert_one_ending_each(whole: Whole) -> None:
    """Each action has one record that ends it, and it is the last one; STARTED comes once, and first."""
    told: dict[str, list[str]] = {action.id: [] for action in whole.ledger.actions}
    for record in await whole.ledger.records():
        if record.action:
            told[record.action].append(record.kind)
    for kinds in told.values():
        counted = Counter(kinds)
        assert sum(counted[kind] for kind in ENDINGS) == 1, told
        assert kinds[-1] in ENDINGS, told
        assert counted["STARTED"] <= 1, told
        assert "STARTED" not in kinds[1:], told


async def assert_writes_and_records_agree(whole: Whole) -> None:
    """Every write that a cluster saw from us was begun in the ledger; every action that is done wrote what it began."""
    started = {audit: record for record in await whole.ledger.records() for audit in record.audit_ids}
    seen = {entry.audit_id: entry for entry in entries(whole) if is_write(entry)}
    assert set(seen) <= set(started)
    assert all(entry.impersonated_user == started[audit].actor.id for audit, entry in seen.items())
    carried_out = {audit for audit, entry in seen.items() if entry.code < 300}
    for audit, record in started.items():
        action = await whole.ledger.action(record.action)
        # No mark can ride on a scaling: after a lost answer the wanted number counts, whoever brought it about.
        if action.state is State.DONE and action.command != "scale":
            assert audit in carried_out, record
    assert len(started) == sum(len(record.audit_ids) for record in await whole.ledger.records())


def entries(whole: Whole) -> Iterator[Audit]:
    for cluster in whole.world.clusters.values():
        yield from (entry for entry in cluster.audit if entry.user_agent == AGENT)


def is_write(entry: Audit) -> bool:
    reviews = "authorization.k8s.io" in entry.uri
    return entry.verb in {"create", "patch", "update", "delete"} and not entry.dry_run and not reviews


# -- each by itself ----------------------------------------------------------------------------------------------------


async def test_every_write_is_a_persons_and_known_to_the_ledger_in_the_words_of_the_cluster() -> None:
    async with small_world("myapp") as world, whole_bot(world) as whole:
        for line in ("deploy myapp v2", "scale myapp 4", "restart myapp", "undo myapp", "rollout pause myapp"):
            await whole.bot.says(line)
        await whole.bot.says("deploy myapp v2 to prod", by="bob")

        writes = [entry for entry in entries(whole) if is_write(entry)]
        assert len(writes) == 6
        assert [entry.impersonated_user for entry in writes] == ["alice"] * 5 + ["bob"]
        assert all("steersman:" in "".join(entry.impersonated_groups) for entry in writes)
        await assert_writes_and_records_agree(whole)


async def test_nothing_is_asked_of_a_cluster_without_a_person() -> None:
    async with small_world("myapp") as world, whole_bot(world) as whole:
        for line in (
            "apps",
            "myapp",
            "get pods",
            "show myapp",
            "top",
            "nodes",
            "versions",
            "deploy myapp v2",
            "undo myapp",
        ):
            await whole.bot.says(line)

        assert {entry.impersonated_user for entry in entries(whole)} == {"alice"}


async def test_the_bots_own_token_can_do_nothing_by_itself() -> None:
    async with small_world("myapp") as world, whole_bot(world) as whole:
        paths = (
            "/api/v1/pods",
            "/api/v1/namespaces",
            "/api/v1/namespaces/shop/secrets",
            "/api/v1/nodes",
            "/apis/apps/v1/namespaces/shop/deployments",
            "/apis/apps/v1/namespaces/shop/deployments/myapp",
        )
        asked = [*(("GET", path) for path in paths), ("PATCH", paths[-1]), ("DELETE", paths[-1]), ("POST", paths[-2])]
        for method, path in asked:
            assert await whole.alone(method, path) == 403, (method, path)
        assert await whole.alone("GET", paths[0], as_user="alice", as_groups=("steersman:viewer",)) == 200
        assert await whole.alone("GET", paths[0], as_user="admin") == 403
        assert await whole.alone("GET", paths[0], as_user="alice", as_groups=("system:masters",)) == 403
        assert await whole.alone("GET", paths[0], as_user="system:admin") == 403


async def test_the_record_stands_before_the_write_is_sent() -> None:
    async with small_world("myapp") as world, whole_bot(world) as whole:
        at_the_write: list[Record] = []

        async def look(passage: Passage) -> web.StreamResponse:
            at_the_write.extend(await whole.ledger.records())
            return await passage.onward()

        whole.dev.strike(changing, look)
        await whole.bot.says("deploy myapp v2")

        (started,) = at_the_write
        assert started.kind == "STARTED"
        assert started.identity.startswith("alice")
        assert len(started.audit_ids) == 1


async def test_an_app_of_several_workloads_records_each_of_its_writes() -> None:
    async with small_world("myapp") as world, whole_bot(world) as whole:
        for name in ("shop-web", "shop-worker"):
            made = deployment(name)
            made["metadata"]["labels"] |= {"app.kubernetes.io/part-of": "till"}
            made["spec"]["template"]["spec"]["containers"][0] |= {"name": "till", "image": "till:v1"}
            admission.create(world.clusters["dev"].store, "deployments.apps", made)
        await whole.bot.says("deploy till v2")

        started = next(record for record in await whole.ledger.records() if record.kind == "STARTED")
        assert len(set(started.audit_ids)) == 2
        await assert_writes_and_records_agree(whole)
