"""A SQLite file: where it lies, whose it is, and that one process alone writes to it."""

import asyncio
import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Final
from urllib.parse import quote

import aiosqlite
from sqlalchemy import AsyncAdaptedQueuePool, Connection, event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from bot.core.errors import StoreUnavailable
from bot.store.database import READS

_BUSY: Final = timedelta(seconds=5)
"""How long a lock of another program is waited for."""


@contextmanager
def claimed(path: Path, *, shared: bool) -> Iterator[None]:
    """Make the file and its folder where they are missing, and be its one process until the end.

    Those who open it `shared` bear each other, and nobody who does not. The kernel lets go of the lock when the process
    dies, whatever way. Raises StoreUnavailable, OSError.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(lock, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.read(lock, 20).decode(errors="replace").strip()
            raise StoreUnavailable(
                f"Another Steersman{f' (process {holder})' if holder else ''} is at work on {path}.",
                hint="Stop that one first; to run several, let them share a PostgreSQL (STEERSMAN_DATABASE_URL).",
            ) from error
        os.ftruncate(lock, 0)
        if not shared:
            os.write(lock, f"{os.getpid()}\n".encode())
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        yield
    finally:
        os.close(lock)


def engine(path: Path, *, readonly: bool) -> AsyncEngine:
    """The engine of a file that is there."""

    async def connect() -> aiosqlite.Connection:
        connection = await aiosqlite.connect(
            f"file:{quote(str(path))}?mode={'ro' if readonly else 'rw'}",
            uri=True,
            # The driver's own transactions begin late and as readers, and then fail to become writers: ours are told.
            isolation_level=None,
            timeout=_BUSY.total_seconds(),
        )
        try:
            if readonly:
                await connection.execute("PRAGMA query_only = ON")
            else:
                await _write_ahead(connection)
            await connection.execute("PRAGMA foreign_keys = ON")
        except BaseException:
            await connection.close()
            raise
        return connection

    made = create_async_engine(
        "sqlite+aiosqlite://", async_creator=connect, poolclass=AsyncAdaptedQueuePool, hide_parameters=True
    )

    @event.listens_for(made.sync_engine, "begin")
    def _begun(connection: Connection) -> None:
        reads = readonly or connection.get_execution_options().get(READS)
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")

    return made


async def _write_ahead(connection: aiosqlite.Connection) -> None:
    """Readers and the writer do not wait for each other, and what is committed is on the disk."""
    async with asyncio.timeout(_BUSY.total_seconds()):
        while True:
            try:
                await connection.execute("PRAGMA journal_mode = WAL")
                break
            except sqlite3.OperationalError as error:
                # Several make a new file so at once: SQLite itself does not wait here.
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                    raise
                await asyncio.sleep(0.02)
    await connection.execute("PRAGMA synchronous = FULL")
