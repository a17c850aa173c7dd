"""A thousand requests at once into the inbox, each by a caller of its own: how long until a door may acknowledge."""

import asyncio
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from benchmarks.figures import Figure, Unit, percentile, spread
from rigs.postgres import own_server
from rigs.postgres_around_pytest import programs
from rigs.stores import opened

from bot.core.request import Inbox, Request

BURST: Final = 1_000
ROUNDS: Final = 9


async def measure() -> list[Figure]:
    with TemporaryDirectory(prefix="steersman-bench-") as folder:
        sqlite = await _burst("SQLite", f"sqlite:///{folder}/steersman.db")
    if programs() is None:
        what = f"{BURST:,} requests at once into the inbox, PostgreSQL"
        return [sqlite, Figure(what, Unit.MILLISECONDS, None, None, "PostgreSQL is not installed on this machine")]
    with _server() as url:
        return [sqlite, await _burst("PostgreSQL", url)]


@contextmanager
def _server() -> Iterator[str]:
    """A server of its own, that writes through to the disk."""
    with TemporaryDirectory(prefix="steersman-bench-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        with own_server(folder) as server:
            yield server.url()


async def _burst(kind: str, url: str) -> Figure:
    async with opened(url) as store:
        alone = [await _accepted(store.inbox, f"alone-{number}") for number in range(200)]
        rounds = [
            await asyncio.gather(*(_accepted(store.inbox, f"{turn}-{number}") for number in range(BURST)))
            for turn in range(ROUNDS)
        ]
    worst = [percentile(times, 99) for times in rounds]
    single = Unit.MILLISECONDS.show(percentile(alone, 99))
    detail = f"p99 of {ROUNDS} bursts: {spread(worst, Unit.MILLISECONDS)}; one at a time: p99 {single}"
    what = f"{BURST:,} requests at once into the inbox, {kind}, p99 of the commit"
    return Figure(what, Unit.MILLISECONDS, statistics.median(worst), None, detail)


async def _accepted(inbox: Inbox, name: str) -> float:
    began = time.perf_counter()
    await inbox.accept([Request(name, "alice", "C1", "deploy myapp v2")])
    return time.perf_counter() - began
