"""One open database: its transactions, its deadlines, its hour, and the lease by which a process holds rows.

What differs between SQLite and PostgreSQL is known here and where they are opened, and nowhere else.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, TypeVar

from sqlalchemy import BigInteger, ColumnElement, Row, Table, extract, func, literal, select, update
from sqlalchemy import cast as as_type
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.core.clock import Clock
from bot.core.codec import loads
from bot.store.failures import translated, unavailable
from bot.store.tables import micros

T = TypeVar("T")

READS: Final = "steersman_reads"
"""The execution option of a transaction that only reads: on SQLite it waits for no writer."""


@dataclass(frozen=True, slots=True)
class Database:
    """`name` is for reading, without a password; `owner` is this process, unlike every other."""

    engine: AsyncEngine
    name: str
    owner: str
    lease: timedelta
    within: timedelta
    clock: Clock
    turn: AbstractAsyncContextManager[object]

    @property
    def now(self) -> ColumnElement[int]:
        """The hour of leases: the server's own, so that the clocks of replicas do not matter; SQLite has this one."""
        if self.engine.dialect.name == "postgresql":
            return as_type(extract("epoch", func.clock_timestamp()) * 1_000_000, BigInteger)
        return literal(micros(self.clock.now()), BigInteger)

    @property
    def until(self) -> ColumnElement[int]:
        """When a lease ends that begins now."""
        return self.now + micros(self.lease)

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """One transaction. Raises StoreUnavailable."""
        # SQLite has one writer: waiting in line here is fair, its own waiting is a gamble.
        with translated(self.name):
            async with asyncio.timeout(self.within.total_seconds()), self.turn, self.engine.begin() as transaction:
                yield transaction

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """One transaction that writes nothing. Raises StoreUnavailable."""
        with translated(self.name):
            async with asyncio.timeout(self.within.total_seconds()), self.engine.connect() as connection:
                await connection.execution_options(**{READS: True})
                async with connection.begin():
                    yield connection

    def insert(self, table: Table) -> sqlite.Insert | postgresql.Insert:
        """An INSERT that knows ON CONFLICT, which is each dialect's own."""
        return postgresql.insert(table) if self.engine.dialect.name == "postgresql" else sqlite.insert(table)

    async def take(
        self,
        transaction: AsyncConnection,
        table: Table,
        free: ColumnElement[bool],
        first: ColumnElement[Any],
        limit: int,
        changes: Mapping[str, object],
    ) -> list[Row[Any]]:
        """Put rows that nobody holds under this process's lease; others who take at the same time pass them over."""
        chosen = (
            select(table.c.seq).where(free).order_by(first).limit(limit).with_for_update(skip_locked=True).cte("chosen")
        )
        taken = await transaction.execute(
            update(table)
            .where(table.c.seq.in_(select(chosen.c.seq)))
            .values(owner=self.owner, lease_until=self.until, **changes)
            .returning(table)
        )
        return list(taken)

    def value(self, kind: type[T], content: str) -> T:
        """What a row holds. Raises StoreUnavailable where this program does not understand it."""
        try:
            return loads(kind, content)
        except ValueError as error:
            what = f"holds a {kind.__name__} that this version of Steersman does not understand"
            cure = "A newer version wrote it, or somebody edited it: run the newest version that you have."
            raise unavailable(self.name, what, cure) from error

    def readable(self, kind: type[T], rows: Sequence[Row[Any]]) -> Iterator[tuple[Row[Any], T]]:
        """Rows with what they hold, without those that this program does not understand.

        Those stay with whoever took them until the lease ends, and then a newer program may take them.
        """
        for row in rows:
            with suppress(ValueError):
                yield row, loads(kind, row.content)
