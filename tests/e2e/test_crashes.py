"""kill -9 at every named point of the road and at random moments, under load: nothing is lost, nothing happens twice.

Three replicas on PostgreSQL, and one on SQLite that is started again. 30 cases here; 500 with STEERSMAN_SOAK=1.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from random import Random
from typing import Final

import pytest
from rigs.postgres import shared_server
from rigs.replica_books import disagreements, quiet
from rigs.replica_main import POINTS, Strike
from rigs.replicas import Fleet, Fleets
from rigs.wishes import APPS, wishes

ROUNDS: Final = range(1, 18 if os.environ.get("STEERSMAN_SOAK") else 2)
"""30 cases each: 24 points and 6 random moments, shared out between the databases by the seed."""

_TRIES: Final = 40


@dataclass(frozen=True)
class Case:
    """One crash: at a point, or so many seconds after the next requests."""

    strike: Strike | None
    seconds: float = 0.0


def cases(seed: int) -> list[Case]:
    """30 in the order of chance: the first half is for PostgreSQL, the other for SQLite. Even seeds swap them."""
    chance = Random(seed)  # noqa: S311 - the same cases at every run
    points = [Case(Strike(point, after=after, nth=chance.randint(1, 3))) for point in POINTS for after in (False, True)]
    moments = [Case(None, chance.uniform(0.0, 1.0)) for _ in range(6)]
    chance.shuffle(points)
    halves = [[*points[:12], *moments[:3]], [*points[12:], *moments[3:]]]
    for half in halves:
        chance.shuffle(half)
    return [case for half in (halves if seed % 2 else reversed(halves)) for case in half]


@asynccontextmanager
async def database(kind: str, fleets: Fleets) -> AsyncIterator[str]:
    if kind == "sqlite":
        yield fleets.sqlite
        return
    async with (await shared_server()).database() as url:
        yield url


async def suffer(fleet: Fleet, place: int, cases: Sequence[Case], wish: Iterator[tuple[str, str]]) -> None:
    """Let the replica of a place die once for each case, under load, and start it again."""
    for case in cases:
        replica = fleet.replicas[place]
        if case.strike is not None:
            await replica.arm(case.strike)
        for _ in range(_TRIES):
            for _ in range(3):
                line, who = next(wish)
                fleet.ask(line, by=who, first=place)
            try:
                await replica.ends(case.seconds or 1.0)
            except TimeoutError:
                if case.strike is None:
                    await replica.kill()
            if not replica.alive:
                break
        assert not replica.alive, f"{case} was never reached"
        await fleet.start(place)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", ROUNDS)
@pytest.mark.parametrize(
    ("kind", "replicas"),
    [pytest.param("postgres", 3, marks=pytest.mark.postgres), pytest.param("sqlite", 1)],
)
async def test_nothing_is_lost_and_nothing_happens_twice_however_it_crashes(
    kind: str, replicas: int, seed: int, fleets: Fleets
) -> None:
    mine = cases(seed)[:15] if kind == "postgres" else cases(seed)[15:]
    wish = wishes(Random(seed), APPS)  # noqa: S311
    async with database(kind, fleets) as url, fleets.of(replicas, url, APPS, seed=seed) as fleet:
        async with asyncio.TaskGroup() as lanes:
            for place in range(replicas):
                lanes.create_task(suffer(fleet, place, mine[place::replicas], wish))

        found = await quiet(fleet)

        assert disagreements(fleet, found) == []
