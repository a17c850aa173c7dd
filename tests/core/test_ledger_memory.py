"""The ledger in memory: one edge at a time, each with its record, and endings that stay."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.errors import NotFound, Stale, Unavailable
from bot.core.ledger import ActionRecord, Fate, MemoryLedger, Record, RevisionFate, State, last_fate
from bot.core.people import Actor
from bot.core.plan import ObjectRef, Place
from bot.core.reply import Button

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
ALICE = Actor("alice", "alice")
SHOP = Place("dev", "shop")
MYAPP = ObjectRef("dev", "apps/v1", "Deployment", "deployments", "shop", "myapp")


def planned(action_id: str = "a1", *targets: ObjectRef) -> ActionRecord:
    return ActionRecord(action_id, "deploy myapp v2", "deploy", ALICE, SHOP, State.PLANNED, NOW, targets=targets)


def record(kind: str) -> Record:
    return Record(NOW, kind, "a1", ALICE, "alice", "deploy myapp v2", SHOP)


class FullDisk(MemoryLedger):
    """Its records cannot be written."""

    async def note(self, record: Record) -> None:
        raise Unavailable("The disk is full.")


async def test_an_action_moves_with_its_record() -> None:
    ledger = MemoryLedger()
    await ledger.begin(planned())

    moved = await ledger.advance(planned(), State.EXECUTING, record("STARTED"))

    assert moved.state is State.EXECUTING
    assert await ledger.action("a1") == moved
    assert [line.kind for line in await ledger.records()] == ["STARTED"]


async def test_of_many_that_move_it_at_once_one_succeeds() -> None:
    ledger = MemoryLedger()
    await ledger.begin(planned())
    waiting = await ledger.advance(planned(), State.WAITING)

    results = await asyncio.gather(
        *(ledger.advance(waiting, State.EXECUTING, record("STARTED")) for _ in range(32)), return_exceptions=True
    )

    assert sum(isinstance(result, ActionRecord) for result in results) == 1
    assert sum(isinstance(result, Stale) for result in results) == 31
    assert len(await ledger.records()) == 1


async def test_who_saw_an_older_state_does_not_move_it() -> None:
    ledger = MemoryLedger()
    await ledger.begin(planned())
    executing = await ledger.advance(planned(), State.EXECUTING)
    await ledger.advance(executing, State.FOLLOWING)

    with pytest.raises(Stale, match="already following"):  # though an edge leads from there to DONE, too
        await ledger.advance(executing, State.DONE, record("DONE"))

    assert await ledger.records() == ()


async def test_without_its_record_an_action_does_not_move() -> None:
    ledger = FullDisk()
    await ledger.begin(planned())

    with pytest.raises(Unavailable):
        await ledger.advance(planned(), State.EXECUTING, record("STARTED"))

    assert (await ledger.action("a1")).state is State.PLANNED


@given(st.lists(st.sampled_from(State), max_size=8))
def test_whatever_is_tried_an_ending_stays_and_comes_once(tried: list[State]) -> None:
    async def live() -> None:
        ledger = MemoryLedger()
        await ledger.begin(planned())
        ended = 0
        for state in tried:
            now = await ledger.action("a1")
            try:
                moved = await ledger.advance(now, state, record(state.value))
            except Stale:
                assert (await ledger.action("a1")) == now
                continue
            assert not now.state.final
            ended += moved.state.final
        assert ended <= 1
        assert ended == (await ledger.action("a1")).state.final

    asyncio.run(live())


@pytest.mark.parametrize("state", list(State))
def test_every_state_ends_or_has_a_way_to_an_ending(state: State) -> None:
    async def reaches(at: State, seen: frozenset[State]) -> bool:
        if at.final:
            return True
        for to in set(State) - seen:
            ledger = MemoryLedger()
            await ledger.begin(replace(planned(), state=at))
            try:
                await ledger.advance(replace(planned(), state=at), to)
            except Stale:
                continue
            if await reaches(to, seen | {to}):
                return True
        return False

    assert asyncio.run(reaches(state, frozenset({state})))


async def test_an_action_that_nobody_knows_is_not_found() -> None:
    with pytest.raises(NotFound, match="There is no action `zz`"):
        await MemoryLedger().action("zz")


async def test_the_same_button_of_an_action_keeps_its_id_and_others_get_theirs() -> None:
    ledger = MemoryLedger()

    first = await ledger.store_button(Button("Undo", "undo myapp"), "r1")
    again = await ledger.store_button(Button("Undo", "undo myapp"), "r1")
    of_another = await ledger.store_button(Button("Undo", "undo myapp"), "r2")
    other_line = await ledger.store_button(Button("Undo", "undo search"), "r1")

    assert first == again == await ledger.button(first.id)
    assert len({first.id, of_another.id, other_line.id}) == 3


async def test_a_button_that_nobody_stored_is_not_found() -> None:
    with pytest.raises(NotFound, match="no longer known"):
        await MemoryLedger().button("r9.1")


async def test_the_changes_of_an_object_are_those_that_wrote_to_it_its_scale_included() -> None:
    ledger = MemoryLedger()
    scaled = replace(MYAPP, subresource="scale")
    await ledger.begin(planned("a1", MYAPP))
    await ledger.begin(planned("a2", scaled))
    await ledger.begin(planned("a3", replace(MYAPP, name="other")))

    assert [action.id for action in await ledger.changes(MYAPP)] == ["a1", "a2"]
    assert [action.id for action in await ledger.changes(scaled)] == ["a1", "a2"]


async def test_the_newest_word_on_a_revision_counts() -> None:
    ledger = MemoryLedger()
    for fate in (Fate.HEALTHY_BEFORE, Fate.STUCK, Fate.ROLLED_OUT):
        await ledger.fate(RevisionFate("u1", "rs-1", fate, NOW))
    await ledger.fate(RevisionFate("u2", "rs-1", Fate.FAILED, NOW))

    fates = await ledger.fates("u1")
    newest = last_fate(fates, "rs-1")

    assert newest is not None
    assert newest.fate is Fate.ROLLED_OUT
    assert newest.fate.good
    assert last_fate(fates, "rs-9") is None
