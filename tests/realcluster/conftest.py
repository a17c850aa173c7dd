"""What the tests of the real control plane share: the cluster, a namespace of one's own, the bot, and one app."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from rigs.chat import Bot
from rigs.line import Line
from rigs.oracle_manifests import workload
from rigs.real import DEV, LONE, Real, bot_on, real_cluster
from rigs.whole_bot import OpenLedger


@pytest.fixture
async def dev(tmp_path: Path) -> AsyncIterator[Real]:
    async with real_cluster(DEV, tmp_path) as cluster:
        yield cluster


@pytest.fixture
async def space(dev: Real) -> AsyncIterator[str]:
    """A namespace in which the Deployment `web` runs `web:v1` three times."""
    name = await dev.namespace()
    await dev.runs(name, workload("deploy", replicas=3))
    yield name
    await dev.api.delete("namespaces", "", name)


@pytest.fixture
async def lone(tmp_path: Path) -> AsyncIterator[Real]:
    """The cluster whose API server may be killed: only for tests of the group `lone`."""
    async with real_cluster(LONE, tmp_path) as cluster:
        yield cluster


@pytest.fixture
async def lone_space(lone: Real) -> str:
    """As `space`, on `lone`."""
    name = await lone.namespace()
    await lone.runs(name, workload("deploy", replicas=3))
    return name


@pytest.fixture
async def line(lone: Real) -> AsyncIterator[Line]:
    """A line to `lone` that can be held and cut."""
    async with Line(lone.at.url).standing() as standing:
        yield standing


@pytest.fixture
def ledger() -> OpenLedger:
    return OpenLedger()


@pytest.fixture
async def bot(dev: Real, tmp_path: Path, ledger: OpenLedger) -> AsyncIterator[Bot]:
    async with bot_on((dev,), tmp_path, ledger=ledger) as chat:
        yield chat
