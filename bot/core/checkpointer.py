"""When a checkpoint is due: after so many records or so much time, if something is new, and once more at the stop."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeAlias

from bot.core.checkpoint import Checkpoint, Head, Sign, to_line
from bot.core.clock import Clock
from bot.core.errors import SteersmanError

ReadHead: TypeAlias = Callable[[], Awaitable[Head]]
"""Where the chain ends now. May raise SteersmanError while the store does not answer."""
Emit: TypeAlias = Callable[[str], None]
"""Takes a line to where the database cannot reach: the standard output, flushed."""


@dataclass(frozen=True, slots=True)
class Often:
    """How often: after so many new records, and at the latest after this long where there is any.

    `look` is how often the head is read, `patience` how long that may take.
    """

    records: int = 100
    at_latest: timedelta = timedelta(minutes=10)
    look: timedelta = timedelta(seconds=15)
    patience: timedelta = timedelta(seconds=5)


class Checkpointer:
    """Signs the head of one audit while `at_work`.

    Several processes on one database each sign on their own: two checkpoints of one record agree, or prove a change.
    `report` is told of what broke; the next look tries again.
    """

    def __init__(
        self,
        head: ReadHead,
        sign: Sign,
        emit: Emit,
        clock: Clock,
        report: Callable[[str, Exception], None],
        often: Often = Often(),
    ) -> None:
        self._head = head
        self._sign = sign
        self._emit = emit
        self._clock = clock
        self._report = report
        self._often = often
        self._sealed = Head(0, "")
        self._since: datetime | None = None

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Look again and again while the block runs; at its end sign what is new, however little."""
        task = asyncio.create_task(self._run(), name="checkpoints")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await self._look(at_once=True)

    async def _run(self) -> None:
        while True:
            await self._look(at_once=False)
            await self._clock.sleep(self._often.look.total_seconds())

    async def _look(self, *, at_once: bool) -> None:
        try:
            async with asyncio.timeout(self._often.patience.total_seconds()):
                head = await self._head()
            self._seal(head, at_once=at_once)
        except (SteersmanError, TimeoutError):
            return  # whoever writes the audit says so; the next look may find it again
        except Exception as broken:  # noqa: BLE001 - a log that cannot be written must not end the checkpoints for good
            self._report("checkpoints", broken)

    def _seal(self, head: Head, *, at_once: bool) -> None:
        if head == self._sealed or not head.seq:
            return
        now = self._clock.now()
        self._since = self._since or now
        many = head.seq - self._sealed.seq >= self._often.records
        if at_once or many or now - self._since >= self._often.at_latest:
            unsigned = Checkpoint(head.seq, head.hash, now)
            self._emit(to_line(replace(unsigned, signature=self._sign(unsigned.statement))))
            self._sealed, self._since = head, None
