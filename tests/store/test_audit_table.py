"""The audit in the database: one chain whoever writes, append-only, and what was changed behind our back shows."""

import asyncio

import pytest
from rigs.kept import NOW, action, message, record
from rigs.stores import SqlStores, opened
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from bot.core.chain import GENESIS, link
from bot.core.checkpoint import Head
from bot.core.ledger import Entry
from bot.store.audit import Audit


def audit_of(stores: SqlStores) -> Audit:
    return Audit(stores.database)


async def test_many_writers_make_one_chain(sql: SqlStores) -> None:
    writers = [sql.of(f"p{n}").ledger for n in range(4)]
    await asyncio.gather(*(writers[n % 4].note(record(f"K{n}")) for n in range(64)))

    entries = await audit_of(sql).entries()

    assert sorted(entry.record.kind for entry in entries) == sorted(f"K{n}" for n in range(64))
    previous = GENESIS
    for seq, entry in enumerate(entries, start=1):
        assert entry == Entry(seq, entry.record, link(previous, seq, entry.record))
        previous = entry.hash
    assert await audit_of(sql).head() == Head(64, previous)


async def test_an_empty_chain_ends_at_its_beginning(sql: SqlStores) -> None:
    assert await audit_of(sql).head() == Head(0, GENESIS)
    assert await audit_of(sql).entries() == ()


async def test_the_chain_is_read_page_by_page(sql: SqlStores) -> None:
    for number in range(7):
        await sql.of("me").ledger.note(record(f"K{number}"))

    pages, after = [], 0
    while page := await audit_of(sql).entries(after, 3):
        pages.append([entry.seq for entry in page])
        after = page[-1].seq

    assert pages == [[1, 2, 3], [4, 5, 6], [7]]


@pytest.mark.parametrize(
    "statement",
    ["UPDATE audit SET actor = 'bob'", "UPDATE audit SET content = content", "DELETE FROM audit WHERE seq = 1"],
)
async def test_the_database_itself_refuses_to_change_a_record(sql: SqlStores, statement: str) -> None:
    await sql.of("me").ledger.note(record())

    with pytest.raises(DBAPIError, match="the audit is append-only"):
        async with sql.database.write() as transaction:
            await transaction.execute(text(statement))

    [entry] = await audit_of(sql).entries()
    assert entry.record == record()


@pytest.mark.postgres
async def test_nor_can_it_be_emptied(postgres_url: str) -> None:
    async with opened(postgres_url) as store:
        await store.ledger.note(record())
        with pytest.raises(DBAPIError, match="the audit is append-only"):
            async with store.audit.database.write() as transaction:
                await transaction.execute(text("TRUNCATE audit"))


# Each is what somebody does who may write to the database and hopes that nobody looks.
CHANGES = (
    "actor = 'bob'",
    "cluster = 'elsewhere'",
    "namespace = ''",
    "at = at - 1000000",
    "content = replace(content, 'alice', 'mallory')",
    "content = content || ' '",
    "content = 'not json'",
    "content = '[]'",
    "content = replace(content, 'STARTED', 'DENIED')",
    "hash = '0'",
)


async def test_a_record_that_was_changed_is_not_sealed_by_its_hash(sql: SqlStores) -> None:
    await unlocked(sql)
    for change in CHANGES:
        before = await audit_of(sql).head()
        await sql.of("me").ledger.note(record())
        async with sql.database.write() as transaction:
            await transaction.execute(text(f"UPDATE audit SET {change} WHERE seq = {before.seq + 1}"))  # noqa: S608 - ours

        [entry] = await audit_of(sql).entries(before.seq)

        assert link(before.hash, entry.seq, entry.record) != entry.hash, change


async def unlocked(stores: SqlStores) -> None:
    """Take the triggers away, as an intruder would."""
    sqlite = ["DROP TRIGGER audit_no_update", "DROP TRIGGER audit_no_delete"]
    postgres = ["ALTER TABLE audit DISABLE TRIGGER USER"]
    async with stores.database.write() as transaction:
        for statement in sqlite if stores.database.engine.dialect.name == "sqlite" else postgres:
            await transaction.execute(text(statement))


async def test_a_console_keeps_its_records_and_no_messages(url: str) -> None:
    async with opened(url, outbox=False) as store:
        await store.ledger.begin(action(), record(), [message()])

        assert await store.outbox.due(9) == ()
        assert [line.at for line in await store.ledger.records()] == [NOW]
