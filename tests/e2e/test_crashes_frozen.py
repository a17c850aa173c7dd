"""A process that stood still for longer than its lease: when it wakes, it writes nothing and says nothing."""

import itertools
import signal
from contextlib import suppress
from typing import Final

import pytest
from rigs.postgres import shared_server
from rigs.replica import until
from rigs.replica_books import disagreements, quiet
from rigs.replica_main import Strike
from rigs.replicas import Fleet, Fleets

# Behind each the process would go on to say or write something that is another's by then.
POINTS: Final = (
    Strike("inbox.claim", after=True, signal=signal.SIGSTOP),
    Strike("ledger.begin", after=True, signal=signal.SIGSTOP),
    Strike("ledger.hold", after=True, signal=signal.SIGSTOP),
    Strike("writer.send", after=False, signal=signal.SIGSTOP),
    Strike("writer.send", after=True, signal=signal.SIGSTOP),
    Strike("outbox.due", after=True, signal=signal.SIGSTOP),
)


async def frozen_over(fleet: Fleet, app: str) -> str:
    """Ask until the first replica froze over it (the other may be quicker); returns the id of that request."""
    for version in itertools.count(2):
        wish = fleet.ask(f"deploy {app} v{version}", first=0)
        with suppress(TimeoutError):
            await until(lambda: fleet.replicas[0].frozen, seconds=2.0)
            return wish
    raise AssertionError("it counts without end")


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.timeout(240)
async def test_who_was_frozen_past_its_lease_writes_nothing_and_says_nothing(fleets: Fleets) -> None:
    apps = tuple(f"app{number}" for number in range(len(POINTS)))
    async with (
        (await shared_server()).database() as url,
        fleets.of(2, url, apps, seed=1) as fleet,
    ):
        zombie = fleet.replicas[0]
        for app, strike in zip(apps, POINTS, strict=True):
            await zombie.arm(strike)
            wish = await frozen_over(fleet, app)
            await quiet(fleet)
            told = [post for post in fleet.posts if post["key"] == wish]
            assert "rolled out" in told[-1]["headline"], strike

            zombie.signal(signal.SIGCONT)
            # It is awake when it answers, and through with what it was at when it has answered once more.
            for _ in range(2):
                look = fleet.ask(f"pods {app}", first=0)
                await quiet(fleet)
                assert any(post["key"] == look for post in fleet.posts)

            assert [post for post in fleet.posts if post["key"] == wish] == told, strike
        assert zombie.alive
        assert disagreements(fleet, await quiet(fleet)) == []
