"""The work queue that runs the controllers: every change becomes keys, every key is looked at once, timers wake.

As in client-go: a key that is queued twice is worked once, a controller that fails is asked again later, and nobody
polls. The loop works in two ways: ``run`` lives with the event loop, ``settle`` lives through a stretch of time at once
(a seed's past), with the clock turned by hand.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Protocol

from bot.demo.status import ApiError
from bot.demo.store import Event, Store

log = logging.getLogger(__name__)

Key = tuple[str, str]  # namespace, name

_AT_ONCE = 20  # keys worked before others get their turn on the event loop: some ten milliseconds


class Controller(Protocol):
    """One noun's reconciler; it keeps no truth of its own."""

    def concerns(self, event: Event) -> Iterable[Key]:
        """Return the keys that must be looked at because of this change."""

    def reconcile(self, key: Key) -> float | None:
        """Do the next step for the key; return the seconds after which to look again without being told to."""


class Loop:
    """Runs the controllers of one store; ``failures`` counts what was raised that nobody foresaw."""

    def __init__(self, store: Store, controllers: Sequence[Controller], *, retry: float) -> None:
        self._store = store
        self._controllers = tuple(controllers)
        self._retry = retry
        self._changes = store.subscribe()
        self._queued: dict[tuple[int, Key], None] = {}  # a set that keeps its order
        self._due: dict[tuple[int, Key], datetime] = {}
        self._timers: list[tuple[datetime, tuple[int, Key]]] = []
        self.failures = 0

    async def run(self) -> None:
        """Work until cancelled."""
        try:
            while True:
                self._wake()
                if self._queued:
                    self._work(_AT_ONCE)
                    await asyncio.sleep(0)
                    continue
                try:
                    async with asyncio.timeout(self._pause()):
                        self._absorb(await anext(self._changes))
                except TimeoutError:
                    continue
        finally:
            self._changes.close()

    def settle(self, until: datetime, turn: Callable[[datetime], None]) -> None:
        """Live through the time until ``until`` at once; ``turn`` sets the clock that the store reads."""
        while True:
            self._wake()
            if self._queued:
                self._work(None)
                continue
            due = self._next()
            if due is None or due > until:
                break
            turn(max(due, self._store.now))
        turn(until)

    def _wake(self) -> None:
        for event in self._changes.drain():
            self._absorb(event)
        now = self._store.now
        while (due := self._next()) is not None and due <= now:
            _, item = heapq.heappop(self._timers)
            del self._due[item]
            self._queued[item] = None

    def _absorb(self, event: Event) -> None:
        for index, controller in enumerate(self._controllers):
            with self._recovering(index, event.resource):
                for key in controller.concerns(event):
                    self._queued[index, key] = None

    def _work(self, most: int | None) -> None:
        for item in list(self._queued)[:most]:
            del self._queued[item]
            self._due.pop(item, None)
            seconds = self._reconcile(item)
            if seconds is not None:
                due = self._store.now + timedelta(seconds=seconds)
                self._due[item] = due
                heapq.heappush(self._timers, (due, item))

    def _reconcile(self, item: tuple[int, Key]) -> float | None:
        index, key = item
        with self._recovering(index, key):
            try:
                return self._controllers[index].reconcile(key)
            except ApiError as refusal:
                log.debug("%s %s will be tried again: %s", type(self._controllers[index]).__name__, key, refusal)
        return self._retry

    @contextmanager
    def _recovering(self, index: int, what: object) -> Iterator[None]:
        """Go on after a failure: one strange object must not stop the cluster; the real controllers recover as well."""
        try:
            yield
        except Exception:
            self.failures += 1
            log.exception("%s failed on %s", type(self._controllers[index]).__name__, what)

    def _next(self) -> datetime | None:
        """Return when the next timer is due, forgetting those that were replaced."""
        while self._timers and self._due.get(self._timers[0][1]) != self._timers[0][0]:
            heapq.heappop(self._timers)
        return self._timers[0][0] if self._timers else None

    def _pause(self) -> float | None:
        due = self._next()
        return None if due is None else max(0.0, (due - self._store.now).total_seconds())
