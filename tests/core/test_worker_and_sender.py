"""Who works off the inbox and who posts: what they do when a lease ran out, the store is away, or they are stopped."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from rigs.apiserver import eventually

from bot.core.errors import StoreUnavailable
from bot.core.ledger import ActionRecord
from bot.core.message import Message, Outgoing
from bot.core.reply import Reply
from bot.core.request import Conversation, Request
from bot.core.sender import Sender
from bot.core.worker import Worker

ASKED = Request("r1", "alice", "shop", "pods myapp")
SAID = Outgoing(Message("r1", "shop", "alice", Reply("Two pods.")), 1)


class Quick:
    """The real hour, in which nobody sleeps for long; it can be moved."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(min(seconds, 0.01))


@dataclass
class Box:
    """An inbox and an outbox that give what they are told to, and remember what was done with it."""

    requests: list[tuple[Request, ...]] = field(default_factory=list)
    messages: list[tuple[Outgoing, ...]] = field(default_factory=list)
    happened: list[str] = field(default_factory=list)
    on_due: Callable[[], None] = lambda: None

    async def accept(self, requests: Sequence[Request]) -> tuple[Request, ...]:
        return tuple(requests)

    async def claim(self, limit: int) -> tuple[Request, ...]:
        return self.requests.pop(0) if self.requests else ()

    async def hold(self, requests: Collection[str]) -> None:
        return None

    async def finish(self, request_id: str) -> None:
        self.happened.append(f"finished {request_id}")

    async def give_back(self, request_id: str) -> None:
        self.happened.append(f"gave back {request_id}")

    async def post(self, message: Message) -> None:
        self.happened.append(f"said {message.reply.headline}")

    async def due(self, limit: int) -> tuple[Outgoing, ...]:
        self.on_due()
        return self.messages.pop(0) if self.messages else ()

    async def posted(self, outgoing: Outgoing, handle: str) -> None:
        self.happened.append(f"posted as {handle}")

    async def failed(self, outgoing: Outgoing, retry_in: float) -> None:
        self.happened.append("failed")


@dataclass
class Road:
    """A pipeline that answers when the test says so."""

    open: asyncio.Event = field(default_factory=asyncio.Event)
    trouble: Exception | None = None
    begun: int = 0

    async def handle(self, request: Request, to: Conversation) -> bool:
        self.begun += 1
        await self.open.wait()
        if self.trouble:
            raise self.trouble
        return True

    async def keep(self, to: Callable[[ActionRecord], Conversation]) -> None:
        return None


@dataclass
class Door:
    """A door whose answer may be slow."""

    open: asyncio.Event = field(default_factory=asyncio.Event)
    posts: int = 0

    async def post(self, outgoing: Outgoing) -> str:
        self.posts += 1
        await self.open.wait()
        return "ts"


def fail(what: str, error: Exception) -> None:
    raise AssertionError(what) from error


def worker(box: Box, road: Road) -> "asyncio.Task[None]":
    made = Worker(box, box, road, Quick(), at_once=4, keep_every=1.0, said=lambda: None, report=fail)
    return asyncio.create_task(made.run())


async def stop(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_request_that_comes_again_while_it_is_answered_is_answered_once() -> None:
    box, road = Box(requests=[(ASKED,), (ASKED,), (ASKED,)]), Road()
    running = worker(box, road)
    await eventually(lambda: not box.requests)

    road.open.set()
    await eventually(lambda: bool(box.happened))
    await stop(running)

    assert (road.begun, box.happened) == (1, ["finished r1"])


async def test_a_request_that_the_store_fails_is_left_to_its_lease() -> None:
    box, road = Box(requests=[(ASKED,)]), Road(trouble=StoreUnavailable("The database is away."))
    road.open.set()
    running = worker(box, road)
    await eventually(lambda: road.begun == 1)
    await stop(running)

    assert box.happened == []


async def test_who_is_stopped_gives_back_what_is_not_answered() -> None:
    box, road = Box(requests=[(ASKED,)]), Road()
    running = worker(box, road)
    await eventually(lambda: road.begun == 1)
    await stop(running)

    assert box.happened == ["gave back r1"]


async def test_who_is_stopped_notes_what_is_being_posted() -> None:
    box, door = Box(messages=[(SAID,)]), Door()
    running = asyncio.create_task(Sender(box, door, Quick(), fail, lease=timedelta(seconds=9)).run())
    await eventually(lambda: door.posts == 1)

    running.cancel()
    await asyncio.sleep(0)
    door.open.set()
    await asyncio.gather(running, return_exceptions=True)

    assert box.happened == ["posted as ts"]


async def test_who_slept_for_a_lease_after_taking_a_message_does_not_post_it() -> None:
    clock, door = Quick(), Door()
    door.open.set()
    box = Box(messages=[(SAID,)])

    def sleep_over() -> None:
        clock.ahead += timedelta(seconds=10) if box.messages else timedelta()

    box.on_due = sleep_over
    running = asyncio.create_task(Sender(box, door, clock, fail, lease=timedelta(seconds=9)).run())
    await eventually(lambda: not box.messages)
    box.messages.append(())  # it looks again, so it is through with the first
    await eventually(lambda: not box.messages)
    await stop(running)

    assert door.posts == 0
