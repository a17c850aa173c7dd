"""The one who works off the inbox: each request is claimed, answered by the pipeline, and done; many at once.

Also who looks after what a process has in hand: leases are kept, and what other processes left is taken up.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Protocol

from bot.core.clock import Clock, sleep_or_wake
from bot.core.errors import StoreUnavailable, Superseded
from bot.core.ledger import ActionRecord
from bot.core.message import Message, Outbox
from bot.core.reply import Reply
from bot.core.request import Conversation, Inbox, Request

_IDLE: Final = 0.5  # seconds between two looks where nobody calls: another process may have accepted something
_STORE_AWAY: Final = 1.0


class Road(Protocol):
    """The pipeline, as far as a worker needs it."""

    async def handle(self, request: Request, to: Conversation) -> bool: ...

    async def keep(self, to: Callable[[ActionRecord], Conversation]) -> None: ...


@dataclass(frozen=True, slots=True)
class Posting:
    """A Conversation whose messages wait in the outbox for whoever posts them."""

    outbox: Outbox
    channel: str
    actor: str
    said: Callable[[], None]

    async def say(self, key: str, reply: Reply) -> None:
        await self.outbox.post(Message(key, self.channel, self.actor, reply))
        self.said()


class Worker:
    """Works until it is cancelled; `keep_every` is in seconds, and several times shorter than a lease.

    `said` is called when something waits in the outbox. `report` is told of what broke here; nothing that breaks for
    one request stops the others.
    """

    def __init__(
        self,
        inbox: Inbox,
        outbox: Outbox,
        road: Road,
        clock: Clock,
        *,
        at_once: int,
        keep_every: float,
        said: Callable[[], None],
        report: Callable[[str, Exception], None],
    ) -> None:
        self._inbox = inbox
        self._outbox = outbox
        self._road = road
        self._clock = clock
        self._at_once = at_once
        self._keep_every = keep_every
        self._said = said
        self._report = report
        self._called = asyncio.Event()
        self._in_hand: set[str] = set()  # the ids of the requests that are being answered
        self._tasks: set[asyncio.Task[None]] = set()

    def call(self) -> None:
        """There is something in the inbox."""
        self._called.set()

    async def run(self) -> None:
        """Claim and answer, and keep what is in hand, until cancelled; then what is unanswered is given back."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._patiently(self._claim), name="claim")
                group.create_task(self._patiently(self._keep), name="keep")
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _patiently(self, step: Callable[[], Awaitable[None]]) -> None:
        """Repeat a step for ever; a store that is away is waited for."""
        while True:
            try:
                await step()
            except StoreUnavailable:
                await self._clock.sleep(_STORE_AWAY)
            except Exception as bug:  # noqa: BLE001 - whoever works off the inbox must not stop over one bad look
                self._report("worker", bug)
                await self._clock.sleep(_STORE_AWAY)

    async def _claim(self) -> None:
        self._called.clear()
        free = self._at_once - len(self._tasks)
        requests = await self._inbox.claim(free) if free else ()
        for request in requests:
            if request.id in self._in_hand:
                continue  # its lease ran out meanwhile; now it is ours again, and goes on where it is
            self._in_hand.add(request.id)
            task = asyncio.create_task(self._answer(request), name=f"answer {request.id}")
            self._tasks.add(task)
            task.add_done_callback(self._answered)
        if len(requests) < free or not free:
            await sleep_or_wake(self._clock, _IDLE, self._called)

    async def _keep(self) -> None:
        await self._inbox.hold(frozenset(self._in_hand))
        await self._road.keep(lambda record: Posting(self._outbox, record.channel, record.actor.id, self._said))
        await self._clock.sleep(self._keep_every)

    async def _answer(self, request: Request) -> None:
        to = Posting(self._outbox, request.channel, request.actor_id, self._said)
        try:
            # Where this fails, the lease runs out, and the request is answered then: late enough not to go in circles.
            if await self._road.handle(request, to):
                await self._inbox.finish(request.id)
        except asyncio.CancelledError:
            with suppress(StoreUnavailable):
                await self._inbox.give_back(request.id)
            raise
        except (StoreUnavailable, Superseded):
            return
        except Exception as bug:  # noqa: BLE001 - not even the failure could be said
            self._report(request.id, bug)
        finally:
            self._in_hand.discard(request.id)

    def _answered(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        self._called.set()  # there is a free hand
