"""The stream of changes of a store: one event a write, and who listens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Literal

from bot.demo.objects import Json

EventType = Literal["ADDED", "MODIFIED", "DELETED"]


@dataclass(frozen=True, slots=True)
class Event:
    """One change; ``previous`` is the object before it (None when ADDED): a watch must tell who left its selector."""

    type: EventType
    resource: str
    object: Json
    previous: Json | None
    version: int


class Subscription:
    """The changes from now on, in order; iterate until ``close()``. Never loses one: it buffers without limit."""

    def __init__(self, source: set[Subscription], resource: str | None) -> None:
        self._source = source
        self._resource = resource
        self._queue: asyncio.Queue[Event | None] = asyncio.Queue()
        source.add(self)

    def offer(self, event: Event) -> None:
        if self._resource is None or self._resource == event.resource:
            self._queue.put_nowait(event)

    def close(self) -> None:
        self._source.discard(self)
        self._queue.put_nowait(None)

    def drain(self) -> Iterator[Event]:
        """Yield what has already happened, without waiting."""
        while not self._queue.empty():
            event = self._queue.get_nowait()
            if event is None:
                self._queue.put_nowait(None)
                return
            yield event

    def __aiter__(self) -> AsyncIterator[Event]:
        return self

    async def __anext__(self) -> Event:
        event = await self._queue.get()
        if event is None:
            self._queue.put_nowait(None)  # whoever asks again hears the end again
            raise StopAsyncIteration
        return event
