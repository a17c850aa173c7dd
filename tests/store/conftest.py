"""The stores that one suite runs on: the memory that is their model, SQLite, PostgreSQL."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from rigs.stores import MemoryStores, SqlStores, Stores, fresh, sql_stores

POSTGRES = pytest.param("postgres", marks=pytest.mark.postgres)


@pytest.fixture
async def postgres_url(tmp_path: Path) -> AsyncIterator[str]:
    """For tests that carry the marker `postgres`."""
    async with fresh("postgres", tmp_path) as url:
        yield url


@pytest.fixture
async def sqlite_url(tmp_path: Path) -> AsyncIterator[str]:
    async with fresh("sqlite", tmp_path) as url:
        yield url


@pytest.fixture(params=["sqlite", POSTGRES])
async def url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """A fresh database of each kind."""
    async with fresh(request.param, tmp_path) as url:
        yield url


@pytest.fixture
async def sql(url: str) -> AsyncIterator[SqlStores]:
    async with sql_stores(url) as stores:
        yield stores


@pytest.fixture(params=["memory", "sqlite", POSTGRES])
async def stores(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stores]:
    """One store that several processes see."""
    if request.param == "memory":
        yield MemoryStores()
        return
    async with fresh(request.param, tmp_path) as url, sql_stores(url) as sql:
        yield sql
