"""The operator's own audit: a ledger that also appends each record to a local file, before anything is written."""

import asyncio
import json
import os
from dataclasses import asdict
from pathlib import Path

from bot.core.errors import Unavailable
from bot.core.ledger import MemoryLedger, Record


class FiledLedger(MemoryLedger):
    """A MemoryLedger whose records are also JSON lines of a file that only its owner reads, synced one by one."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    async def note(self, record: Record) -> None:
        """Raises Unavailable where the file cannot be written: then nothing is done either."""
        try:
            await asyncio.to_thread(self._append, record)
        except OSError as error:
            raise Unavailable(
                f"The audit file {self._path} cannot be written, so nothing is changed.",
                hint="STEERSMAN_CONSOLE_AUDIT names another one.",
            ) from error
        await super().note(record)

    def _append(self, record: Record) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        line = json.dumps(asdict(record) | {"at": record.at.isoformat()}, ensure_ascii=False)
        descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "ab") as file:
            file.write(f"{line}\n".encode())
            file.flush()
            os.fsync(file.fileno())
