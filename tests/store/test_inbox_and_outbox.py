"""What every inbox and outbox does, on every store: nothing lost, nothing twice, in order, under leases."""

import asyncio

import pytest
from rigs.kept import message, request
from rigs.stores import MORE_THAN_A_LEASE, MOST_OF_A_LEASE, Stores, View

from bot.core.errors import Superseded
from bot.core.message import Outgoing


@pytest.fixture
def me(stores: Stores) -> View:
    return stores.of("me")


@pytest.fixture
def you(stores: Stores) -> View:
    return stores.of("you")


async def test_a_delivery_that_comes_again_is_known(me: View, you: View) -> None:
    assert await me.inbox.accept([request("r1"), request("r2")]) == (request("r1"), request("r2"))

    assert await you.inbox.accept([request("r2"), request("r3")]) == (request("r3"),)
    assert await me.inbox.accept([]) == ()

    assert await me.inbox.claim(9) == (request("r1"), request("r2"), request("r3"))


async def test_a_delivery_that_comes_many_times_at_once_is_new_once(stores: Stores) -> None:
    doors = [stores.of(f"door{n}") for n in range(4)]

    brought = await asyncio.gather(*(doors[n % 4].inbox.accept([request(f"r{n % 8}")]) for n in range(64)))

    assert sorted(one.id for new in brought for one in new) == [f"r{n}" for n in range(8)]


async def test_a_delivery_twice_in_one_batch_is_new_once(me: View) -> None:
    assert await me.inbox.accept([request("r1"), request("r1")]) == (request("r1"),)


async def test_a_burst_is_accepted_whole_and_claimed_in_order(me: View) -> None:
    brought = await asyncio.gather(*(me.inbox.accept([request(f"r{n}")]) for n in range(200)))

    assert [one.id for new in brought for one in new] == [f"r{n}" for n in range(200)]
    assert [one.id for one in await me.inbox.claim(500)] == [f"r{n}" for n in range(200)]


async def test_a_caller_that_gives_up_takes_nobody_elses_request_along(me: View) -> None:
    callers = [asyncio.create_task(me.inbox.accept([request(f"r{n:02}")])) for n in range(30)]
    await callers[0]
    await asyncio.sleep(0)  # the second now carries the requests of all
    for caller in callers[1::3]:
        caller.cancel()
    results = await asyncio.gather(*callers, return_exceptions=True)

    assert not [result for n, result in enumerate(results) if n % 3 != 1 and isinstance(result, BaseException)]
    waited = {f"r{n:02}" for n in range(30) if n % 3 != 1}
    assert waited <= {one.id for one in await me.inbox.claim(99)}


async def test_each_request_is_claimed_by_one(stores: Stores, me: View) -> None:
    await me.inbox.accept([request(f"r{n:02}") for n in range(20)])

    claimed = await asyncio.gather(*(stores.of(f"p{n}").inbox.claim(3) for n in range(16)))

    ids = [one.id for some in claimed for one in some]
    assert len(ids) == len(set(ids))
    assert len(ids) + len(await me.inbox.claim(99)) == 20


async def test_who_dies_leaves_its_requests_to_others(stores: Stores, me: View, you: View) -> None:
    await me.inbox.accept([request("r1"), request("r2"), request("r3")])
    await me.inbox.claim(2)

    await stores.pass_time(MOST_OF_A_LEASE)
    await me.inbox.hold(["r1", "r9"])
    await stores.pass_time(MOST_OF_A_LEASE)

    assert await you.inbox.claim(9) == (request("r2"), request("r3"))
    await me.inbox.finish("r2")  # not its own any more
    await me.inbox.give_back("r3")
    await stores.pass_time(MORE_THAN_A_LEASE)
    assert await me.inbox.claim(9) == (request("r1"), request("r2"), request("r3"))


async def test_what_is_finished_never_comes_back_and_what_is_given_back_comes_first(
    stores: Stores, me: View, you: View
) -> None:
    await me.inbox.accept([request("r1"), request("r2"), request("r3")])
    await me.inbox.claim(2)

    await me.inbox.finish("r1")
    await me.inbox.give_back("r2")

    assert await you.inbox.claim(9) == (request("r2"), request("r3"))
    await stores.pass_time(MORE_THAN_A_LEASE)
    assert await me.inbox.claim(9) == (request("r2"), request("r3"))
    assert await me.inbox.accept([request("r1")]) == ()


async def test_who_answers_a_request_that_another_has_taken_over_is_not_heard(
    stores: Stores, me: View, you: View
) -> None:
    await me.inbox.accept([request("r1")])
    await me.inbox.claim(1)
    await me.outbox.post(message("Looking."))
    await stores.pass_time(MORE_THAN_A_LEASE)
    await you.inbox.claim(1)

    with pytest.raises(Superseded):
        await me.outbox.post(message("Mine."))
    await you.outbox.post(message("Yours."))

    assert [out.message for out in await me.outbox.due(9)] == [message("Yours.")]


async def test_only_the_newest_text_waits(me: View) -> None:
    for text in ("one", "two", "two", "three"):
        await me.outbox.post(message(text))

    [out] = await me.outbox.due(9)

    assert out == Outgoing(message("three"), 3)
    await me.outbox.posted(out, "ts1")
    assert await me.outbox.due(9) == ()


async def test_an_edit_names_what_was_posted(me: View) -> None:
    await me.outbox.post(message("one"))
    [first] = await me.outbox.due(9)
    await me.outbox.posted(first, "ts1")

    await me.outbox.post(message("one"))
    assert await me.outbox.due(9) == ()
    await me.outbox.post(message("two"))

    assert await me.outbox.due(9) == (Outgoing(message("two"), 2, "ts1"),)


async def test_what_is_said_while_a_message_is_posted_is_due_afterwards(me: View) -> None:
    await me.outbox.post(message("one"))
    [first] = await me.outbox.due(9)

    await me.outbox.post(message("two"))
    assert await me.outbox.due(9) == ()  # its first text is still on its way
    await me.outbox.posted(first, "ts1")

    assert await me.outbox.due(9) == (Outgoing(message("two"), 2, "ts1"),)


async def test_a_channel_is_posted_in_order_and_does_not_hold_up_others(me: View, you: View) -> None:
    for key, channel in (("r1", "C1"), ("r2", "C1"), ("r3", "C2"), ("r4", "C1")):
        await me.outbox.post(message("x", key, channel))
    await me.outbox.post(message("y", "r2", "C1"))  # an edit keeps its place

    first, other = await me.outbox.due(9)
    assert (first.message.key, other.message.key) == ("r1", "r3")
    assert await you.outbox.due(9) == ()
    await me.outbox.posted(other, "ts3")
    assert await you.outbox.due(9) == ()

    keys = []
    await me.outbox.posted(first, "ts1")
    while due := await you.outbox.due(9):
        keys += [out.message.key for out in due]
        for out in due:
            await you.outbox.posted(out, f"ts-{out.message.key}")
    assert keys == ["r2", "r4"]


async def test_a_message_that_is_edited_all_the_time_does_not_hold_up_its_channel(me: View) -> None:
    await me.outbox.post(message("0", "busy"))
    await me.outbox.post(message("x", "other"))
    posted = []
    for number in range(1, 4):
        [out] = await me.outbox.due(9)
        await me.outbox.post(message(str(number), "busy"))
        await me.outbox.posted(out, "ts")
        posted.append(out.message.key)

    assert posted == ["busy", "other", "busy"]


async def test_the_longest_waiting_come_first_and_not_more_than_wanted(me: View) -> None:
    for number in range(5):
        await me.outbox.post(message("x", f"r{number}", f"C{number}"))

    assert [out.message.key for out in await me.outbox.due(2)] == ["r0", "r1"]
    assert [out.message.key for out in await me.outbox.due(2)] == ["r2", "r3"]


async def test_what_could_not_be_posted_is_due_again_in_its_time_and_holds_its_channel(
    stores: Stores, me: View, you: View
) -> None:
    await me.outbox.post(message("x", "r1"))
    await me.outbox.post(message("x", "r2"))
    [out] = await me.outbox.due(9)

    await me.outbox.failed(out, retry_in=30)

    assert await you.outbox.due(9) == ()
    await stores.pass_time(31)
    assert await you.outbox.due(9) == (out,)


async def test_who_dies_while_posting_leaves_the_message_to_others(stores: Stores, me: View, you: View) -> None:
    await me.outbox.post(message("x"))
    [out] = await me.outbox.due(9)
    await stores.pass_time(MORE_THAN_A_LEASE)

    assert await you.outbox.due(9) == (out,)
    await me.outbox.posted(out, "late")  # it is the other's now, and so is the name of what was posted
    await me.outbox.failed(out, 0)
    await you.outbox.posted(out, "ts")

    # The late one may have come last, with an older text: the newest is posted once more.
    assert await you.outbox.due(9) == (Outgoing(message("x"), 2, "ts"),)
    await you.outbox.posted(Outgoing(message("x"), 2, "ts"), "ts")
    assert await you.outbox.due(9) == ()


async def test_each_message_is_posted_by_one(stores: Stores, me: View) -> None:
    await asyncio.gather(*(me.outbox.post(message("x", f"r{n}", f"C{n}")) for n in range(20)))

    taken = await asyncio.gather(*(stores.of(f"p{n}").outbox.due(3) for n in range(16)))

    keys = [out.message.key for some in taken for out in some]
    assert len(keys) == len(set(keys))
    assert len(keys) + len(await me.outbox.due(99)) == 20


async def test_who_wakes_up_after_another_has_answered_leaves_the_answer_as_it_is(
    stores: Stores, me: View, you: View
) -> None:
    await me.inbox.accept([request("r1")])
    await me.inbox.claim(1)
    await stores.pass_time(MORE_THAN_A_LEASE)
    await you.inbox.claim(1)
    await you.outbox.post(message("Two pods."))
    await you.inbox.finish("r1")

    with pytest.raises(Superseded):
        await me.outbox.post(message("It took too long."))

    assert [out.message for out in await me.outbox.due(9)] == [message("Two pods.")]
