"""The audit in the database: records are appended to one chain, and read as that chain or by who, where and when."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, and_, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.chain import ALTERED, link
from bot.core.checkpoint import Head
from bot.core.codec import dumps, loads
from bot.core.ledger import Entry, Record, Span
from bot.core.people import Actor
from bot.core.plan import Place
from bot.store.database import Database
from bot.store.tables import audit, chain_head, micros, plain

_UNTOLD: Final = datetime.min.replace(tzinfo=UTC)


async def append(transaction: AsyncConnection, record: Record) -> None:
    """Put a record at the end of the chain. Nobody else can until the transaction ends, so do it last."""
    head = (await transaction.execute(select(chain_head).with_for_update())).one()
    seq = int(head.seq) + 1
    sealed = link(head.hash, seq, record)
    row = {"seq": seq, "content": dumps(record), "hash": sealed, **_columns(record)}
    await transaction.execute(insert(audit).values(row))
    await transaction.execute(update(chain_head).values(seq=seq, hash=sealed))


@dataclass(frozen=True, slots=True)
class Audit:
    """The chain, for whoever verifies it, exports it or signs its head."""

    database: Database

    async def head(self) -> Head:
        """Where the chain ends, by its own account."""
        async with self.database.read() as connection:
            row = (await connection.execute(select(chain_head))).one()
            return Head(int(row.seq), str(row.hash))

    async def entries(self, after_seq: int | None = None, limit: int = 1000) -> tuple[Entry, ...]:
        """The entries behind this one, in order; without one, from the first row, whatever number somebody gave it.

        A row that Steersman cannot have written comes as a record of the kind ALTERED, which no hash seals.
        """
        rows = select(audit).order_by(audit.c.seq).limit(limit)
        if after_seq is not None:
            rows = rows.where(audit.c.seq > after_seq)
        async with self.database.read() as connection:
            return tuple(
                Entry(int(row.seq), _genuine(row) or _altered(row), str(row.hash))
                for row in await connection.execute(rows)
            )


async def records(database: Database, span: Span) -> tuple[Record, ...]:
    """The newest records of a span, oldest first."""
    newest = select(audit.c.content).where(*_within(span)).order_by(audit.c.seq.desc()).limit(span.limit)
    async with database.read() as connection:
        contents = (await connection.execute(newest)).scalars().all()
    return tuple(database.value(Record, content) for content in reversed(contents))


def _within(span: Span) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if span.since is not None:
        conditions.append(audit.c.at >= micros(span.since))
    if span.until is not None:
        conditions.append(audit.c.at < micros(span.until))
    if span.actor:
        conditions.append(audit.c.actor == span.actor)
    if span.places:
        conditions.append(or_(*(_covers(place) for place in span.places)))
    return conditions


def _covers(place: Place) -> ColumnElement[bool]:
    whole = audit.c.cluster == place.cluster
    return and_(whole, audit.c.namespace == place.namespace) if place.namespace else whole


def _columns(record: Record) -> dict[str, object]:
    """What a query selects by."""
    return {
        "at": micros(record.at),
        "actor": plain(record.actor.id),
        "cluster": plain(record.place.cluster),
        "namespace": plain(record.place.namespace),
    }


def _genuine(row: Row[Any]) -> Record | None:
    """The record of a row, if it says in all its columns what was written for it, to the letter."""
    try:
        record = loads(Record, row.content)
    except (ValueError, TypeError):
        return None
    said = {name: getattr(row, name) for name in _columns(record)}
    return record if dumps(record) == row.content and _columns(record) == said else None


def _altered(row: Row[Any]) -> Record:
    return Record(_UNTOLD, ALTERED, "", Actor("", ""), "", "", Place("", ""), str(row.content))
