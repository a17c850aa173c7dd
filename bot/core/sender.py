"""The one who takes messages from the outbox to a door, in order, until each is posted: at least once."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final, Protocol

from bot.core.clock import Clock, sleep_or_wake
from bot.core.errors import SteersmanError, StoreUnavailable, TooManyRequests
from bot.core.message import Outbox, Outgoing

_IDLE: Final = 0.5
_AWAY: Final = 1.0
_TRY_AGAIN: Final = 2.0  # seconds, where the door does not say how long
_AT_ONCE: Final = 20
_LAST_POSTS: Final = 5.0  # seconds for the posts that are under way when it is stopped


class Poster(Protocol):
    """A door, as far as a sender needs it."""

    async def post(self, outgoing: Outgoing) -> str:
        """Post a message, or edit what was posted as `outgoing.handle`; returns the handle.

        Raises TooManyRequests where it must wait, another SteersmanError where it could not.
        """
        ...


class Sender:
    """Posts until it is cancelled. `report` is told of what the door could not do for another reason than its rate.

    `lease` is that of the outbox: what was taken longer ago than that is another's by now, and is not posted.
    """

    def __init__(
        self,
        outbox: Outbox,
        door: Poster,
        clock: Clock,
        report: Callable[[str, Exception], None],
        *,
        lease: timedelta,
    ) -> None:
        self._outbox = outbox
        self._door = door
        self._clock = clock
        self._report = report
        self._lease = lease
        self._called = asyncio.Event()

    def call(self) -> None:
        """There is something in the outbox."""
        self._called.set()

    async def run(self) -> None:
        while True:
            self._called.clear()
            taken = self._clock.now()
            try:
                due = await self._outbox.due(_AT_ONCE)
                await self._post_all(due, taken)
            except StoreUnavailable:
                await self._clock.sleep(_AWAY)
                continue
            except Exception as bug:  # noqa: BLE001 - whoever posts must not stop over one bad look
                self._report("sender", bug)
                await self._clock.sleep(_AWAY)
                continue
            if not due:
                await sleep_or_wake(self._clock, _IDLE, self._called)

    async def _post_all(self, due: Sequence[Outgoing], taken: datetime) -> None:
        """Raises StoreUnavailable where one of them could not be noted as posted; it is posted again then."""
        posting = asyncio.gather(*(self._post(outgoing, taken) for outgoing in due), return_exceptions=True)
        try:
            results = await asyncio.shield(posting)
        except asyncio.CancelledError:
            # What is posted and not noted would be posted as a new message at the next start.
            with suppress(TimeoutError):
                await asyncio.wait_for(posting, _LAST_POSTS)
            raise
        for result in results:
            if isinstance(result, BaseException):
                raise result

    async def _post(self, outgoing: Outgoing, taken: datetime) -> None:
        if self._clock.now() - taken >= self._lease:
            return
        try:
            handle = await self._door.post(outgoing)
        except TooManyRequests as error:
            await self._outbox.failed(outgoing, error.retry_after)
        except Exception as error:  # noqa: BLE001 - one message that cannot be posted holds up no other
            if not isinstance(error, SteersmanError):
                self._report(outgoing.message.key, error)
            await self._outbox.failed(outgoing, _TRY_AGAIN)
        else:
            await self._outbox.posted(outgoing, handle)
