"""Reads a database as an auditor would: beside whoever is at work on it."""

from datetime import timedelta
from pathlib import Path

from bot.app import SystemClock
from bot.core.ledger import Record
from bot.store.engine import open_store


async def records(database: Path) -> list[Record]:
    """All records of the audit, oldest first. Raises StoreUnavailable where there is no database."""
    opened = open_store(
        f"sqlite:///{database}",
        owner="auditor",
        lease=timedelta(seconds=1),
        outbox=False,
        clock=SystemClock(),
        readonly=True,
    )
    async with opened as store:
        return list(await store.ledger.records())
