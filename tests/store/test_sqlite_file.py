"""The SQLite file: its owner's alone, one process at a time, safe against kill -9, and plain about its troubles."""

import asyncio
import os
import sqlite3
import stat
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from rigs.child import child
from rigs.kept import action, record, request
from rigs.stores import SqlStores, opened, sql_stores
from sqlalchemy import event
from sqlalchemy.engine.interfaces import DBAPIConnection

from bot.core.errors import StoreUnavailable
from bot.store import sqlite

KILLS = 30 if os.environ.get("STEERSMAN_SOAK") else 3


def path_of(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))


async def test_the_file_and_its_folder_are_its_owners_alone(sqlite_url: str) -> None:
    async with opened(sqlite_url) as store:
        await store.ledger.note(record())
        folder = path_of(sqlite_url).parent
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.iterdir())}

    assert modes.pop("state") == 0o700
    assert {"steersman.db", "steersman.db-wal", "steersman.db.lock"} <= modes.keys()
    assert set(modes.values()) == {0o600}


async def test_what_is_confirmed_is_on_the_disk(sqlite_url: str) -> None:
    async with sql_stores(sqlite_url) as stores, stores.database.read() as connection:
        pragmas = [
            (await connection.exec_driver_sql(f"PRAGMA {name}")).scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        ]

    assert pragmas == ["wal", 2, 1, 5000]  # 2: FULL


WRITES_UNTIL_KILLED = """
import asyncio, sys
from rigs.kept import action, record, request
from rigs.stores import opened

async def main(url, life):
    async with opened(url, life) as store:
        async def work(worker):
            number = 0
            while True:
                number += 1
                name = f"{life}-{worker}-{number}"
                await store.inbox.accept([request(name)])
                await store.ledger.begin(action(name), record("STARTED", name))
                print(name, flush=True)
        await asyncio.gather(*(work(worker) for worker in range(4)))

asyncio.run(main(*sys.argv[1:]))
"""


async def test_kill_9_loses_nothing_that_was_confirmed(sqlite_url: str) -> None:
    confirmed: list[str] = []
    for life in range(KILLS):
        async with child(WRITES_UNTIL_KILLED, sqlite_url, str(life)) as writer:
            confirmed += [await writer.line() for _ in range(10 + life % 7)]
            confirmed += await writer.kill()

    async with opened(sqlite_url) as store:
        begun = [line.action for line in await store.ledger.records()]
        assert set(confirmed) <= set(begun)
        assert len(begun) == len(set(begun)) == (await store.audit.head()).seq
        assert set(confirmed) <= {one.id for one in await store.inbox.claim(100_000)}
        assert set(begun) == {one.id for one in await store.ledger.orphans(100_000)}


HOLDS_THE_FILE = """
import asyncio, sys, time
from rigs.stores import opened

async def main():
    async with opened(sys.argv[1], "first"):
        print("open", flush=True)
        time.sleep(60)

asyncio.run(main())
"""


async def test_a_second_process_on_one_file_is_refused_until_the_first_is_dead(sqlite_url: str) -> None:
    async with child(HOLDS_THE_FILE, sqlite_url) as first:
        assert await first.line() == "open"
        with pytest.raises(StoreUnavailable) as refused:
            async with opened(sqlite_url):
                pass
        assert f"Another Steersman (process {first.pid}) is at work on" in refused.value.message
        assert "PostgreSQL" in refused.value.hint

        async with opened(sqlite_url, readonly=True) as reader:
            assert await reader.ledger.records() == ()

    async with opened(sqlite_url):
        pass


async def test_those_who_share_a_file_bear_each_other_and_nobody_else(sqlite_url: str) -> None:
    async with opened(sqlite_url, "one", shared=True) as one, opened(sqlite_url, "two", shared=True) as two:
        held = await one.ledger.begin(action())
        await asyncio.gather(*(store.ledger.note(record()) for store in (one, two) * 10))
        with pytest.raises(StoreUnavailable, match="Another Steersman is at work on"):
            async with opened(sqlite_url):
                pass
        async with opened(sqlite_url, "three", shared=True) as three:
            assert await three.ledger.orphans(9) == ()  # the living keep what they hold
        await one.ledger.hold(held)

    async with opened(sqlite_url):
        with pytest.raises(StoreUnavailable, match=f"process {os.getpid()}"):
            async with opened(sqlite_url, shared=True):
                pass


async def test_what_a_dead_process_held_is_free_at_once(sqlite_url: str) -> None:
    async with opened(sqlite_url, "dead") as store:
        await store.ledger.begin(action())
        await store.inbox.accept([request("r1")])
        await store.inbox.claim(1)

    async with opened(sqlite_url, "alive") as store:
        assert [one.id for one in await store.ledger.orphans(9)] == ["a1"]
        assert await store.inbox.claim(9) == (request("r1"),)


async def test_a_file_that_another_program_locks_is_told(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "_BUSY", timedelta(milliseconds=50))
    async with opened(sqlite_url) as store:
        with closing(sqlite3.connect(path_of(sqlite_url))) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreUnavailable, match="locked by another program") as locked:
                await store.inbox.accept([request()])
            other.rollback()
        assert await store.inbox.accept([request()]) == (request(),)

    assert "Close whatever else" in locked.value.hint


async def test_a_file_that_cannot_be_written_is_told(sqlite_url: str) -> None:
    async with sql_stores(sqlite_url) as stores:
        readonly = sqlite.engine(path_of(sqlite_url), readonly=True)
        me = SqlStores(replace(stores.database, engine=readonly)).of("me")
        with pytest.raises(StoreUnavailable, match="it is read-only") as refused:
            await me.ledger.note(record())
        await readonly.dispose()

    assert "rights" in refused.value.hint


@asynccontextmanager
async def room_for(pages: int, stores: SqlStores) -> AsyncIterator[None]:
    """A disk that is full when the file has so many pages."""

    def limited(connection: DBAPIConnection, _: object) -> None:
        connection.cursor().execute(f"PRAGMA max_page_count = {pages}")

    engine = stores.database.engine
    event.listen(engine.sync_engine, "connect", limited)
    await engine.dispose()  # the next connections are limited
    yield
    event.remove(engine.sync_engine, "connect", limited)
    await engine.dispose()


async def test_a_full_disk_is_told_and_nothing_confirmed_is_lost(sqlite_url: str) -> None:
    async with sql_stores(sqlite_url) as stores:
        me = stores.of("me")
        confirmed: list[str] = []

        async def fill() -> None:
            for number in range(1000):
                await me.ledger.begin(action(f"a{number}"), record("STARTED", f"a{number}"))
                confirmed.append(f"a{number}")

        async with room_for(40, stores):
            with pytest.raises(StoreUnavailable, match="the disk is full") as full:
                await fill()
            assert "Make room" in full.value.hint
            assert confirmed
            assert [line.action for line in await me.ledger.records()] == confirmed
        await me.ledger.note(record("AFTER", "after"))

        assert [line.action for line in await me.ledger.records()] == [*confirmed, "after"]
        assert (await me.ledger.action(confirmed[-1])).id == confirmed[-1]


def overwrite(path: Path) -> None:
    path.write_bytes(os.urandom(path.stat().st_size))


def overwrite_all_but_the_head(path: Path) -> None:
    kept = path.read_bytes()
    path.write_bytes(kept[:4096] + os.urandom(len(kept) - 4096))


def cut_off(path: Path) -> None:
    os.truncate(path, 5 * 4096)


@pytest.mark.parametrize("damage", [overwrite, overwrite_all_but_the_head, cut_off])
async def test_a_damaged_file_is_told(sqlite_url: str, damage: Callable[[Path], None]) -> None:
    async with opened(sqlite_url) as store:
        await asyncio.gather(*(store.ledger.note(record(f"K{number}")) for number in range(200)))
    damage(path_of(sqlite_url))

    with pytest.raises(StoreUnavailable, match="is damaged") as damaged:
        await read_all(sqlite_url)

    assert "backup" in damaged.value.hint


async def read_all(url: str) -> None:
    async with opened(url) as store:
        await store.ledger.records()
