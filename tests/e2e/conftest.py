"""What the end-to-end tests of one worker share: two equal clusters for kubectl as the oracle, and a newcomer's own."""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from rigs.oracle import Twins
from rigs.oracle_embedded import embedded_twins
from rigs.oracle_newcomer import Newcomer, newcomer_at
from rigs.oracle_real import real_twins
from rigs.replica import replica_nursery
from rigs.replicas import Fleets

# A rollout takes seconds on the real control plane: one case in so many runs there, spread over all kinds and verbs.
_ON_REAL = 1 if os.environ.get("STEERSMAN_SOAK") else 3


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    cases = [
        item
        for item in items
        if isinstance(item, pytest.Function) and "twins" in item.fixturenames and item.get_closest_marker("real")
    ]
    left_out = {item for place, item in enumerate(cases) if place % _ON_REAL}
    if left_out:
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=list(left_out))


@pytest_asyncio.fixture(
    scope="session", loop_scope="session", params=["embedded", pytest.param("real", marks=pytest.mark.real)]
)
async def twins(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Twins]:
    folder = tmp_path_factory.mktemp("oracle")
    if request.param == "real":
        async with real_twins(folder) as both:
            yield both
        return
    async with embedded_twins(folder) as worlds:
        yield worlds
        assert [world.failures for world in worlds.worlds] == [0, 0]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def newcomer(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Newcomer]:
    async with newcomer_at(tmp_path_factory.mktemp("newcomer")) as somebody:
        yield somebody
        assert somebody.world.failures == 0


@pytest.fixture(scope="session")
def nursery() -> Iterator[Path]:
    with replica_nursery() as socket:
        yield socket


@pytest.fixture
def fleets(nursery: Path, tmp_path: Path) -> Fleets:
    return Fleets(nursery, tmp_path)
