"""One store as several processes see it, in memory, in a SQLite file or on PostgreSQL, and time passing there."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Final, Protocol

from rigs.memory_ledger import LEASE as LEASE_SECONDS
from rigs.memory_ledger import Memory, MemoryInbox, MemoryLedger, MemoryOutbox
from rigs.postgres import shared_server
from sqlalchemy import update

from bot.app import SystemClock
from bot.core.ledger import Ledger
from bot.core.message import Outbox
from bot.core.request import Inbox
from bot.store.database import Database
from bot.store.engine import Store, open_store, store_on
from bot.store.tables import actions, inbox, micros, outbox

LEASE: Final = timedelta(seconds=LEASE_SECONDS)
MOST_OF_A_LEASE: Final = 0.8 * LEASE_SECONDS
MORE_THAN_A_LEASE: Final = 1.2 * LEASE_SECONDS


@dataclass(frozen=True, slots=True)
class View:
    """The store as one process sees it."""

    ledger: Ledger
    inbox: Inbox
    outbox: Outbox


class Stores(Protocol):
    """One store, seen by as many processes as a test names."""

    def of(self, owner: str) -> View: ...

    async def pass_time(self, seconds: float) -> None:
        """Let that much time pass, for leases and for what is due later."""
        ...


class MemoryStores:
    """The model."""

    def __init__(self) -> None:
        self._memory = Memory()

    def of(self, owner: str) -> View:
        memory = self._memory
        return View(MemoryLedger(memory, owner), MemoryInbox(memory, owner), MemoryOutbox(memory, owner))

    async def pass_time(self, seconds: float) -> None:
        self._memory.now += seconds


class SqlStores:
    """A database. Its time passes by moving what is written there into the past: no test waits for a lease."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def of(self, owner: str) -> View:
        store = store_on(replace(self.database, owner=owner), outbox=True)
        return View(store.ledger, store.inbox, store.outbox)

    async def pass_time(self, seconds: float) -> None:
        ago = micros(timedelta(seconds=seconds))
        async with self.database.write() as transaction:
            for column in (actions.c.lease_until, inbox.c.lease_until, outbox.c.lease_until, outbox.c.due):
                earlier = update(column.table).where(column > 0).values({column: column - ago})
                await transaction.execute(earlier)


@asynccontextmanager
async def fresh(kind: str, folder: Path) -> AsyncIterator[str]:
    """The address of a database that nobody has used."""
    if kind == "sqlite":
        yield f"sqlite:///{folder}/state/steersman.db"
        return
    async with (await shared_server()).database() as url:
        yield url


def opened(
    url: str,
    owner: str = "me",
    *,
    within: float = 60,
    outbox: bool = True,
    readonly: bool = False,
    shared: bool = False,
) -> AbstractAsyncContextManager[Store]:
    """The store at an address, as the bot opens it; `within` in seconds."""
    return open_store(
        url,
        owner=owner,
        lease=LEASE,
        outbox=outbox,
        clock=SystemClock(),
        readonly=readonly,
        shared=shared,
        within=timedelta(seconds=within),
    )


@asynccontextmanager
async def sql_stores(url: str) -> AsyncIterator[SqlStores]:
    """The database at an address, as several processes see it."""
    async with opened(url) as store:
        yield SqlStores(store.audit.database)
