"""What every ledger does, on every store: an action's life, its record and what is said of it, all or nothing."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from rigs.kept import ALICE, BOB, MYAPP, NOW, SHOP, action, message, record, request, scale_of
from rigs.stores import MORE_THAN_A_LEASE, MOST_OF_A_LEASE, Stores, View

from bot.core.errors import NotFound, Stale, SteersmanError, Superseded
from bot.core.ledger import BEGINNINGS, ActionRecord, Fate, RevisionFate, Span, State, last_fate, leads
from bot.core.plan import Place
from bot.core.reply import Button, Style


@pytest.fixture
def me(stores: Stores) -> View:
    return stores.of("me")


@pytest.fixture
def you(stores: Stores) -> View:
    return stores.of("you")


async def test_an_action_is_read_back_whole(me: View) -> None:
    begun = replace(action("a1", State.EXECUTING, MYAPP), work='{"big": true}', summary="Größe \0 und \ud800 halb")

    assert await me.ledger.begin(begun) == begun
    assert await me.ledger.action("a1") == begun


async def test_an_action_moves_with_its_record_and_its_message(me: View) -> None:
    begun = await me.ledger.begin(action(), record("STARTED"), [message("Deploying.")])

    moved = await me.ledger.advance(replace(begun, result="rolled out"), State.DONE, record("DONE"), [message("Done.")])

    assert moved == replace(begun, state=State.DONE, result="rolled out") == await me.ledger.action("a1")
    assert [line.kind for line in await me.ledger.records()] == ["STARTED", "DONE"]
    assert [(out.message, out.version) for out in await me.outbox.due(9)] == [(message("Done."), 2)]


async def test_no_action_begins_in_the_middle_of_its_life(me: View) -> None:
    for state in set(State) - BEGINNINGS:
        with pytest.raises(ValueError, match="no action begins"):
            await me.ledger.begin(action(state=state))


async def test_of_many_that_move_it_at_once_one_succeeds(stores: Stores) -> None:
    waiting = await stores.of("p0").ledger.begin(action(state=State.WAITING))

    results = await asyncio.gather(
        *(
            stores.of(f"p{n % 4}").ledger.advance(waiting, State.EXECUTING, record(), [message(f"by {n}")])
            for n in range(32)
        ),
        return_exceptions=True,
    )

    assert sum(isinstance(result, ActionRecord) for result in results) == 1
    assert sum(isinstance(result, Stale) for result in results) == 31
    assert len(await stores.of("p0").ledger.records()) == 1
    [out] = await stores.of("p0").outbox.due(9)
    assert out.version == 1


async def test_who_saw_an_older_state_does_not_move_it(me: View) -> None:
    executing = await me.ledger.begin(action())
    await me.ledger.advance(executing, State.FOLLOWING)

    with pytest.raises(Stale, match="already following"):  # though an edge leads from there to DONE, too
        await me.ledger.advance(executing, State.DONE, record("DONE"), [message()])

    assert await me.ledger.records() == ()
    assert await me.outbox.due(9) == ()


async def test_an_action_moves_along_its_edges_only(me: View) -> None:
    for state in State:
        brought = await brought_to(me, state)
        for to in State:
            if not leads(state, to):
                with pytest.raises(Stale):
                    await me.ledger.advance(brought, to)
        assert await me.ledger.action(brought.id) == brought


async def brought_to(me: View, state: State) -> ActionRecord:
    """An action in this state."""
    if state in BEGINNINGS:
        return await me.ledger.begin(action(state, state))
    before = next(one for one in BEGINNINGS if leads(one, state))
    return await me.ledger.advance(await me.ledger.begin(action(state, before)), state)


async def test_an_action_that_nobody_knows_is_not_found(me: View) -> None:
    with pytest.raises(NotFound, match="There is no action `zz`"):
        await me.ledger.action("zz")
    with pytest.raises(NotFound, match="There is no action `zz`"):
        await me.ledger.advance(action("zz"), State.DONE)


async def test_whoever_is_silent_for_a_lease_is_taken_over_and_refused_every_further_step(
    stores: Stores, me: View, you: View
) -> None:
    mine = await me.ledger.begin(action(request="r1"), record(), [message("Deploying.")])
    assert await you.ledger.orphans(9) == ()

    await stores.pass_time(MORE_THAN_A_LEASE)
    [theirs] = await you.ledger.orphans(9)

    assert theirs == replace(mine, epoch=1) == await me.ledger.action("a1")
    with pytest.raises(Superseded):
        await me.ledger.hold(mine)
    with pytest.raises(Superseded):
        await me.ledger.advance(mine, State.DONE, record("DONE"), [message("Mine.")])
    with pytest.raises(Superseded):
        await me.outbox.post(message("Mine."))
    await you.ledger.hold(theirs)
    await you.outbox.post(message("Yours."))
    await you.ledger.advance(theirs, State.DONE, record("DONE"), [message("Yours: done.")])
    with pytest.raises(Superseded):  # the last word stays the last
        await me.outbox.post(message("Still mine."))
    assert [line.kind for line in await me.ledger.records()] == ["STARTED", "DONE"]
    assert [out.message for out in await me.outbox.due(9)] == [message("Yours: done.")]


async def test_a_lease_that_is_renewed_or_held_does_not_run_out(stores: Stores, me: View, you: View) -> None:
    renewed, held, left = [await me.ledger.begin(action(name)) for name in ("a1", "a2", "a3")]

    await stores.pass_time(MOST_OF_A_LEASE)
    await me.ledger.renew(["a1", "nobody's"])
    await me.ledger.hold(held)
    await you.ledger.renew(["a3"])  # not theirs to renew
    await stores.pass_time(MOST_OF_A_LEASE)

    assert await you.ledger.orphans(9) == (replace(left, epoch=1),)
    await me.ledger.hold(renewed)


async def test_a_lease_that_ran_out_and_that_nobody_took_is_still_ones_own(stores: Stores, me: View, you: View) -> None:
    mine = await me.ledger.begin(action())
    await stores.pass_time(MORE_THAN_A_LEASE)

    await me.ledger.hold(mine)

    assert await you.ledger.orphans(9) == ()
    await me.ledger.advance(mine, State.DONE)


async def test_what_is_released_is_taken_up_at_once(me: View, you: View) -> None:
    mine = await me.ledger.begin(action())

    assert await me.ledger.release(mine)

    assert await you.ledger.orphans(9) == (replace(mine, epoch=1),)
    assert await me.ledger.release(mine)  # too late, and no harm to whoever has it now
    assert await me.ledger.orphans(9) == ()


async def test_actions_that_wait_or_have_ended_are_nobodys_orphans(stores: Stores, me: View, you: View) -> None:
    await me.ledger.begin(action("a1", State.WAITING))
    await me.ledger.begin(action("a2", State.REFUSED))
    await me.ledger.advance(await me.ledger.begin(action("a3")), State.DONE)
    await stores.pass_time(MORE_THAN_A_LEASE)

    assert await you.ledger.orphans(9) == ()
    for gone in ("a1", "a2", "a3"):
        with pytest.raises(Superseded):
            await me.ledger.hold(await me.ledger.action(gone))


async def test_an_orphan_has_one_new_holder_however_many_look(stores: Stores, me: View) -> None:
    for number in range(20):
        await me.ledger.begin(action(f"a{number}"))
    await stores.pass_time(MORE_THAN_A_LEASE)

    taken = await asyncio.gather(*(stores.of(f"p{n}").ledger.orphans(3) for n in range(16)))

    ids = [one.id for some in taken for one in some]
    assert len(ids) == len(set(ids)) <= 20
    assert all(len(some) <= 3 for some in taken)
    rest = await me.ledger.orphans(20)
    assert len(ids) + len(rest) == 20


async def test_beginning_answers_the_request_once(stores: Stores, me: View, you: View) -> None:
    await me.inbox.accept([request("r1")])
    await me.inbox.claim(9)

    await me.ledger.begin(action("a1", request="r1"))
    await stores.pass_time(MORE_THAN_A_LEASE)

    assert await you.inbox.claim(9) == ()
    with pytest.raises(Superseded):
        await me.ledger.begin(action("a2", request="r1"), record(), [message()])
    with pytest.raises(NotFound):
        await me.ledger.action("a2")
    assert await me.ledger.records() == ()


async def test_a_request_that_another_has_taken_over_begins_nothing(stores: Stores, me: View, you: View) -> None:
    await me.inbox.accept([request("r1")])
    await me.inbox.claim(9)
    await stores.pass_time(MORE_THAN_A_LEASE)
    await you.inbox.claim(9)

    with pytest.raises(Superseded):
        await me.ledger.begin(action("a1", State.EXECUTING, MYAPP, request="r1"), record(), [message()])
    with pytest.raises(Superseded):
        await me.outbox.post(message("Mine."))

    assert await me.ledger.changes(MYAPP) == ()
    await you.ledger.begin(action("a1", request="r1"), record(), [message("Yours.")])
    assert [out.message for out in await you.outbox.due(9)] == [message("Yours.")]


async def test_the_click_that_confirms_an_action_is_answered_by_it(stores: Stores, me: View, you: View) -> None:
    await me.inbox.accept([request("r1"), request("click")])
    await me.inbox.claim(1)
    waiting = await me.ledger.begin(action("a1", State.WAITING, request="r1"))
    await you.inbox.claim(1)

    with pytest.raises(Superseded):  # it is the other's click
        await me.ledger.advance(replace(waiting, request="click"), State.EXECUTING)
    executing = await you.ledger.advance(replace(waiting, request="click"), State.EXECUTING)

    await you.ledger.advance(executing, State.DONE)
    await stores.pass_time(MORE_THAN_A_LEASE)
    assert await me.inbox.claim(9) == ()


async def test_a_record_of_no_action_answers_its_request_and_says_so(stores: Stores, me: View, you: View) -> None:
    await me.inbox.accept([request("r1"), request("r2")])
    await me.inbox.claim(9)

    await me.ledger.note(record("DENIED"), "r1", [message("You may not.")])
    await stores.pass_time(MORE_THAN_A_LEASE)
    assert [one.id for one in await you.inbox.claim(9)] == ["r2"]
    with pytest.raises(Superseded):
        await me.ledger.note(record("DENIED"), "r2", [message("Nor this.", "r2")])

    assert [line.kind for line in await me.ledger.records()] == ["DENIED"]
    assert [out.message for out in await me.outbox.due(9)] == [message("You may not.")]


async def test_actions_that_wait_too_long_are_found_oldest_first(me: View) -> None:
    for name, minutes in (("a1", 20), ("a2", 40), ("a3", 10)):
        await me.ledger.begin(replace(action(name, State.WAITING), created=NOW - timedelta(minutes=minutes)))
    await me.ledger.begin(replace(action("a4"), created=NOW - timedelta(minutes=50)))

    overdue = await me.ledger.overdue(NOW - timedelta(minutes=10), 9)

    assert {one.id for one in overdue} == {"a1", "a2"}
    assert len(await me.ledger.overdue(NOW, 1)) == 1


async def test_the_changes_of_an_object_are_those_that_wrote_to_it_its_scale_included(me: View) -> None:
    await me.ledger.begin(action("a1", State.EXECUTING, MYAPP))
    await me.ledger.begin(action("a2", State.EXECUTING, scale_of(MYAPP), MYAPP))
    await me.ledger.begin(action("a3", State.EXECUTING, replace(MYAPP, name="other")))
    await me.ledger.begin(action("a4", State.EXECUTING, replace(MYAPP, cluster="prod"), scale_of(MYAPP)))

    assert [one.id for one in await me.ledger.changes(MYAPP)] == ["a1", "a2", "a4"]
    assert [one.id for one in await me.ledger.changes(scale_of(MYAPP))] == ["a1", "a2", "a4"]
    assert await me.ledger.changes(replace(MYAPP, namespace="elsewhere")) == ()


async def test_records_are_found_by_time_place_and_person_and_the_newest_come(me: View) -> None:
    for minute in range(6):
        line = replace(record(f"K{minute}"), at=NOW + timedelta(minutes=minute))
        line = replace(line, actor=BOB if minute % 2 else ALICE)
        await me.ledger.note(replace(line, place=Place("prod" if minute > 3 else "dev", f"n{minute % 3}")))

    async def kinds(span: Span) -> str:
        return " ".join(line.kind for line in await me.ledger.records(span))

    def at(minute: int) -> timedelta:
        return timedelta(minutes=minute)

    assert await kinds(Span()) == "K0 K1 K2 K3 K4 K5"
    assert await kinds(Span(limit=2)) == "K4 K5"
    assert await kinds(Span(since=NOW + at(1), until=NOW + at(3))) == "K1 K2"
    assert await kinds(Span(actor="bob")) == "K1 K3 K5"
    assert await kinds(Span(places=(Place("prod", ""), Place("dev", "n0")))) == "K0 K3 K4 K5"
    assert await kinds(Span(places=(SHOP,))) == ""
    assert await kinds(Span(since=NOW + at(1), actor="bob", places=(Place("dev", ""),), limit=1)) == "K3"


async def test_fates_are_told_per_workload_newest_last(me: View) -> None:
    told = [RevisionFate("u1", "rs-1", fate, NOW, ALICE, "a1") for fate in (Fate.HEALTHY_BEFORE, Fate.ROLLED_OUT)]
    for fate in (*told, RevisionFate("u2", "rs-1", Fate.FAILED, NOW)):
        await me.ledger.fate(fate)

    fates = await me.ledger.fates("u1")

    assert fates == tuple(told)
    assert last_fate(fates, "rs-1") == told[-1]
    assert last_fate(fates, "rs-9") is None
    assert await me.ledger.fates("u9") == ()


async def test_the_same_button_of_a_message_keeps_its_id_and_others_get_theirs(me: View, you: View) -> None:
    first = await me.ledger.store_button(Button("Undo", "undo myapp"), "r1")
    again = await you.ledger.store_button(Button("Undo", "undo myapp", Style.DANGER), "r1")
    of_another = await me.ledger.store_button(Button("Undo", "undo myapp"), "r2")
    other_line = await me.ledger.store_button(Button("Undo", "undo search"), "r1")

    assert first.id == again.id
    assert await me.ledger.button(first.id) == again
    assert len({first.id, of_another.id, other_line.id}) == 3


async def test_a_button_that_nobody_stored_is_not_found(me: View) -> None:
    with pytest.raises(NotFound, match="no longer known"):
        await me.ledger.button("r9.1")


async def test_an_action_whose_step_is_refused_is_as_it_was(me: View) -> None:
    begun = await me.ledger.begin(action(state=State.WAITING))

    with pytest.raises(SteersmanError):
        await me.ledger.advance(begun, State.DONE, record("DONE"), [message()])

    assert await me.ledger.action("a1") == begun
    assert await me.ledger.records() == ()
    assert await me.outbox.due(9) == ()


async def test_who_wakes_up_does_not_write_over_the_card_that_another_has_shown(
    stores: Stores, me: View, you: View
) -> None:
    await me.inbox.accept([request("r1")])
    await me.inbox.claim(1)
    await stores.pass_time(MORE_THAN_A_LEASE)
    await you.inbox.claim(1)
    await you.ledger.begin(action("a1", State.WAITING, request="r1"), None, [message("Confirm?")])

    with pytest.raises(Superseded):
        await me.outbox.post(message("It took too long."))

    assert [out.message for out in await you.outbox.due(9)] == [message("Confirm?")]


async def test_what_was_about_to_be_sent_is_known_to_who_takes_over(stores: Stores, me: View, you: View) -> None:
    mine = await me.ledger.begin(action())
    await me.ledger.hold(replace(mine, sent=("a0",)))
    await stores.pass_time(MORE_THAN_A_LEASE)

    [theirs] = await you.ledger.orphans(9)

    assert (theirs.sent, theirs.epoch) == (("a0",), 1)
