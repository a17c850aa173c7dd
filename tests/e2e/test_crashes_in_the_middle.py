"""What is under way when a process stops or dies goes on at the next start, in the same message."""

import signal

import pytest
from rigs.replica import until
from rigs.replica_books import disagreements, quiet
from rigs.replica_main import Strike
from rigs.replicas import Fleet, Fleets, Post

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


def told(fleet: Fleet, wish: str) -> list[Post]:
    """The versions of one message as they were posted."""
    return [post for post in fleet.posts if post["key"] == wish]


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
async def test_a_follow_goes_on_in_the_message_that_it_was_told_in(how: signal.Signals, fleets: Fleets) -> None:
    async with fleets.of(1, fleets.sqlite, ["web"]) as fleet:
        wish = fleet.ask("deploy web v-slow")
        await until(lambda: any(post["headline"].startswith("Rolling out") for post in told(fleet, wish)))

        fleet.replicas[0].signal(how)
        await fleet.replicas[0].ends()
        before = told(fleet, wish)
        await fleet.start(0)

        assert disagreements(fleet, await quiet(fleet)) == []
        after = told(fleet, wish)[len(before) :]
        assert after[-1]["headline"].startswith("web v-slow rolled out in")
        assert {post["handle"] for post in (*before, *after)} == {before[0]["handle"]}
        assert {post["pid"] for post in after} == {fleet.replicas[0].pid}


@pytest.mark.parametrize("after", [False, True])
async def test_a_stop_in_the_middle_of_a_write_is_picked_up_where_it_was(after: bool, fleets: Fleets) -> None:
    async with fleets.of(1, fleets.sqlite, ["web"]) as fleet:
        await fleet.replicas[0].arm(Strike("writer.send", after=after, signal=signal.SIGTERM))
        wish = fleet.ask("deploy web v2")
        await fleet.replicas[0].ends()
        await fleet.start(0)

        assert disagreements(fleet, await quiet(fleet)) == []
        assert told(fleet, wish)[-1]["headline"].startswith("web v2 rolled out")
        assert len({post["handle"] for post in told(fleet, wish)}) == 1
