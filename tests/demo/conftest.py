"""An embedded API server for the tests of this folder, without controllers."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest
from rigs.apiserver import Api, Scripted

from bot.demo import admission
from bot.demo.kubeconfig import Entry, write_kubeconfig
from bot.demo.server import EmbeddedCluster


@pytest.fixture
def sources() -> Scripted:
    return Scripted()


@pytest.fixture
async def api(sources: Scripted) -> AsyncIterator[Api]:
    """The cluster's administrator; namespaces ``default`` and ``shop`` exist."""
    numbers = itertools.count(1)
    cluster = EmbeddedCluster(
        "dev",
        clock=lambda: datetime.now(UTC),
        new_uid=lambda: f"00000000-0000-4000-8000-{next(numbers):012d}",
        logs=sources,
        metrics=sources,
    )
    for namespace in ("default", "shop"):
        admission.create(cluster.store, "namespaces", {"metadata": {"name": namespace}})
    async with cluster, aiohttp.ClientSession() as session:
        token = cluster.token("admin", ("system:masters",))
        yield Api(cluster, session, [("Authorization", f"Bearer {token}")])


@pytest.fixture
def kubeconfig(api: Api, tmp_path: Path) -> Callable[[str], Path]:
    """Write a kubeconfig whose only context speaks with the given token."""

    def written(token: str) -> Path:
        path = tmp_path / f"kubeconfig-{token}"
        entry = Entry("dev", api.cluster.url, api.cluster.ca_pem, token, "somebody", "shop")
        write_kubeconfig(path, [entry])
        return path

    return written
