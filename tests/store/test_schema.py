"""The schema: made at the first start, by one of many, never again; newer ones are refused, and what they hold."""

import asyncio
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from rigs.child import child
from rigs.kept import action, message, record, request
from rigs.postgres import shared_server
from rigs.stores import MORE_THAN_A_LEASE, SqlStores, opened, sql_stores
from sqlalchemy import Connection, text

from bot.core.errors import StoreUnavailable
from bot.store import schema
from bot.store.tables import metadata

MIGRATIONS = Path(schema.__file__).with_name("migrations")


async def test_what_the_migrations_make_is_what_the_tables_say(sql: SqlStores) -> None:
    def differences(connection: Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection), metadata))

    async with sql.database.read() as connection:
        assert await connection.run_sync(differences) == []


def test_the_newest_migration_is_the_one_that_the_program_looks_for() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    revisions = [one.revision for one in ScriptDirectory.from_config(config).walk_revisions()]

    assert revisions[0] == schema.HEAD
    assert revisions == sorted(revisions, reverse=True)


STARTS = """
import asyncio, sys
from rigs.stores import opened

async def main():
    async with opened(sys.argv[1]):
        print("alembic" in sys.modules)

asyncio.run(main())
"""


async def test_a_usual_start_does_not_even_load_the_migrations(sqlite_url: str) -> None:
    loaded = []
    for _ in range(2):
        async with child(STARTS, sqlite_url) as start:
            loaded.append(await start.line())

    assert loaded == ["True", "False"]


@pytest.mark.postgres
async def test_of_many_that_start_at_once_on_an_empty_server_one_migrates() -> None:
    async def start(owner: str) -> None:
        async with opened(url, owner) as store:
            await store.ledger.note(record(owner))

    async with (await shared_server()).database(migrated=False) as url:
        await asyncio.gather(*(start(f"p{n}") for n in range(6)))

        async with opened(url) as store:
            assert len(await store.ledger.records()) == 6


async def test_of_many_that_share_a_new_file_one_migrates(sqlite_url: str) -> None:
    async def start(owner: str) -> None:
        async with opened(sqlite_url, owner, shared=True) as store:
            await store.ledger.note(record(owner))

    await asyncio.gather(*(start(f"p{n}") for n in range(6)))

    async with opened(sqlite_url) as store:
        assert len(await store.ledger.records()) == 6


async def test_a_migration_that_breaks_off_leaves_nothing_behind(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks_off(connection: Connection) -> None:
        upgrade(connection)
        raise OSError(28, "No space left on device")

    upgrade = schema._upgrade
    with monkeypatch.context() as patch:
        patch.setattr(schema, "_upgrade", breaks_off)
        with pytest.raises(StoreUnavailable, match="disk is full"):
            async with opened(sqlite_url):
                pass

    async with opened(sqlite_url) as store:
        assert await store.ledger.records() == ()


async def test_a_newer_schema_is_refused_by_writers_and_readers(url: str) -> None:
    async with sql_stores(url) as stores, stores.database.write() as transaction:
        await transaction.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    for readonly in (False, True):
        with pytest.raises(StoreUnavailable, match="made by a newer version of Steersman") as refused:
            async with opened(url, readonly=readonly):
                pass
        assert "Run that version" in refused.value.hint


async def test_an_older_schema_is_not_touched_by_a_reader(url: str) -> None:
    async with sql_stores(url) as stores, stores.database.write() as transaction:
        await transaction.execute(text("UPDATE alembic_version SET version_num = '0000'"))

    with pytest.raises(StoreUnavailable, match="has no tables of this version yet"):
        async with opened(url, readonly=True):
            pass


async def test_a_reader_reads_while_the_bot_runs_and_writes_nothing(url: str) -> None:
    async with opened(url) as store, opened(url, readonly=True) as reader:
        await store.ledger.note(record("SEEN"))

        assert [line.kind for line in await reader.ledger.records()] == ["SEEN"]
        with pytest.raises(StoreUnavailable, match="read-only"):
            await reader.ledger.note(record())


async def test_what_a_newer_version_wrote_is_left_to_it(sql: SqlStores) -> None:
    me = sql.of("me")
    await me.ledger.begin(action("a1"))
    await me.ledger.begin(action("a2"))
    await me.inbox.accept([request("r1"), request("r2")])
    await me.outbox.post(message(key="r8", channel="C1"))
    await me.outbox.post(message(key="r9", channel="C2"))
    async with sql.database.write() as transaction:
        for table, row in (("actions", "id = 'a1'"), ("inbox", "id = 'r1'"), ("outbox", "key = 'r8'")):
            newer = f"UPDATE {table} SET content = '{{\"later\":1,' || substr(content, 2) WHERE {row}"  # noqa: S608 - ours
            await transaction.exec_driver_sql(newer)
    await sql.pass_time(MORE_THAN_A_LEASE)

    assert [one.id for one in await me.ledger.orphans(9)] == ["a2"]
    assert [one.id for one in await me.inbox.claim(9)] == ["r2"]
    assert [one.message.key for one in await me.outbox.due(9)] == ["r9"]
    with pytest.raises(StoreUnavailable, match="does not understand") as refused:
        await me.ledger.action("a1")
    assert "newest version" in refused.value.hint
