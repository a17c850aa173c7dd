"""PostgreSQL is killed and started again under load: what was acknowledged is not lost, and nothing happens twice."""

import asyncio
from random import Random

import pytest
from rigs.postgres import migrate, own_server
from rigs.replica import until
from rigs.replica_books import disagreements, quiet
from rigs.replicas import Fleets
from rigs.wishes import APPS, wishes


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.timeout(240)
async def test_a_database_that_is_killed_under_load_loses_nothing_that_was_acknowledged(fleets: Fleets) -> None:
    wish = wishes(Random(5), APPS)  # noqa: S311 - the same requests at every run
    with own_server() as server:
        await migrate(server.url())
        async with fleets.of(2, server.url(), APPS, seed=5) as fleet:
            for _ in range(2):
                posted = len(fleet.posts)
                for _ in range(12):
                    line, who = next(wish)
                    fleet.ask(line, by=who)
                await until(lambda: len(fleet.posts) > posted + 3)  # noqa: B023 - awaited here
                await asyncio.to_thread(server.kill)
                for _ in range(6):  # nobody can acknowledge these now: they are delivered again
                    line, who = next(wish)
                    fleet.ask(line, by=who)
                assert fleet.asking >= 6
                await asyncio.to_thread(server.start)
                await quiet(fleet)

            assert disagreements(fleet, await quiet(fleet)) == []
