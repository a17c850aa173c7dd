"""An action's life: edges that lead to one ending, and the ledger of a single process that keeps to them."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest
from rigs.kept import action, record
from rigs.process_ledger import MemoryLedger

from bot.core.errors import Stale, Unavailable
from bot.core.ledger import BEGINNINGS, ActionRecord, Record, State, leads
from bot.core.message import Message


def test_every_state_is_reached_and_has_a_way_to_an_ending() -> None:
    def after(states: frozenset[State]) -> frozenset[State]:
        further = states | {to for here in states for to in State if leads(here, to)}
        return states if further == states else after(further)

    assert after(BEGINNINGS) == set(State)
    for state in State:
        assert any(end.final for end in after(frozenset({state})))


def test_an_ending_leads_nowhere_and_nobody_holds_it() -> None:
    endings = [state for state in State if state.final]

    assert len(endings) == 7
    assert not any(leads(end, to) for end in endings for to in State)
    assert not any(end.held for end in endings)


async def test_of_many_that_move_it_at_once_in_one_process_one_succeeds() -> None:
    ledger = MemoryLedger()
    waiting = await ledger.begin(action(state=State.WAITING))

    results = await asyncio.gather(
        *(ledger.advance(waiting, State.EXECUTING, record()) for _ in range(32)), return_exceptions=True
    )

    assert sum(isinstance(result, ActionRecord) for result in results) == 1
    assert sum(isinstance(result, Stale) for result in results) == 31
    assert len(await ledger.records()) == 1


async def test_who_saw_an_older_state_does_not_move_it() -> None:
    ledger = MemoryLedger()
    executing = await ledger.begin(action())
    await ledger.advance(executing, State.FOLLOWING)

    with pytest.raises(Stale, match="already following"):  # though an edge leads from there to DONE, too
        await ledger.advance(executing, State.DONE, record("DONE"))

    assert await ledger.action("a1") == replace(executing, state=State.FOLLOWING)


class FullDisk(MemoryLedger):
    """Its records cannot be written."""

    async def note(self, record: Record, request: str = "", messages: Sequence[Message] = ()) -> None:
        raise Unavailable("The disk is full.")


async def test_without_its_record_an_action_neither_begins_nor_moves() -> None:
    ledger = FullDisk()
    waiting = await ledger.begin(action(state=State.WAITING))

    with pytest.raises(Unavailable):
        await ledger.advance(waiting, State.EXECUTING, record())
    with pytest.raises(Unavailable):
        await ledger.begin(action("a2"), record())

    assert (await ledger.action("a1")).state is State.WAITING
