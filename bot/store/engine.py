"""Opening the database by its address: the one door of this package."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import URL, make_url, update
from sqlalchemy.exc import ArgumentError

from bot.core.clock import Clock
from bot.core.errors import StoreUnavailable
from bot.core.ledger import Ledger
from bot.core.message import Outbox
from bot.core.request import Inbox
from bot.store import postgres, schema, sqlite, tables
from bot.store.audit import Audit
from bot.store.database import Database
from bot.store.failures import translated
from bot.store.inbox import SqlInbox
from bot.store.ledger import SqlLedger
from bot.store.outbox import SqlOutbox

_SHAPES: Final = "It looks like sqlite:////folder/file.db or postgresql://user:[password]@host/name."


@dataclass(frozen=True, slots=True)
class Store:
    """All that is kept, each by the Protocol of its own noun, on one database."""

    ledger: Ledger
    inbox: Inbox
    outbox: Outbox
    audit: Audit


@asynccontextmanager
async def open_store(
    url: str,
    *,
    owner: str,
    lease: timedelta,
    outbox: bool,
    clock: Clock,
    readonly: bool = False,
    shared: bool = False,
    within: timedelta = timedelta(seconds=10),
) -> AsyncIterator[Store]:
    """Open the database at an address, made and brought to the newest schema where it needs to be.

    `owner` names this process and no other, past ones included; `lease` is how long it may be silent before others take
    its work up; without `outbox` (a console) the messages of a step are not kept. `within` is the deadline of each
    transaction. `readonly` is for who only looks: it changes nothing, and needs no turn. `shared` lets several
    processes of one machine use a SQLite file, as they always may a PostgreSQL. Raises StoreUnavailable with the cure.
    """
    address = _parsed(url)
    with ExitStack() as claims:
        match address.get_backend_name():
            case "sqlite":
                path = _path(address)
                name = str(path)
                with translated(name):
                    if readonly:
                        _must_exist(path)
                    else:
                        claims.enter_context(sqlite.claimed(path, shared=shared))
                engine = sqlite.engine(path, readonly=readonly)
            case "postgresql" | "postgres":
                name = f"{address.database or ''} on {address.host or 'this machine'}".strip()
                engine = postgres.engine(address, readonly=readonly, within=within)
            case other:
                raise StoreUnavailable(f"Steersman keeps things in SQLite or PostgreSQL, not in {other}.", hint=_SHAPES)
        try:
            turn = asyncio.Lock() if engine.dialect.name == "sqlite" else nullcontext()
            database = Database(engine, name, owner, lease, within, clock, turn)
            if readonly:
                await schema.check(database)
            else:
                await schema.migrate(database)
                if engine.dialect.name == "sqlite" and not shared:
                    await _free_the_dead(database)
            yield store_on(database, outbox=outbox)
        finally:
            await engine.dispose()


def store_on(database: Database, *, outbox: bool) -> Store:
    """The nouns on an open database."""
    return Store(SqlLedger(database, announces=outbox), SqlInbox(database), SqlOutbox(database), Audit(database))


async def _free_the_dead(database: Database) -> None:
    """End the leases of whoever held the file before: being its one process, we know that they are gone."""
    async with database.write() as transaction:
        for table in (tables.actions, tables.inbox, tables.outbox):
            await transaction.execute(update(table).where(table.c.lease_until > 0).values(lease_until=0))


def _parsed(url: str) -> URL:
    try:
        return make_url(url)
    except (ArgumentError, ValueError):
        # Not even as the cause: its message repeats the address, and a password with it.
        raise StoreUnavailable("The address of the database cannot be read.", hint=_SHAPES) from None


def _path(address: URL) -> Path:
    if not address.database or address.database == ":memory:":
        raise StoreUnavailable("The address of the database names no file.", hint=_SHAPES)
    return Path(address.database).expanduser().absolute()


def _must_exist(path: Path) -> None:
    if not path.exists():
        hint = "Steersman makes it when it first starts. Is STEERSMAN_DATABASE_URL the one that it runs with?"
        raise StoreUnavailable(f"There is no database at {path} yet.", hint=hint)
