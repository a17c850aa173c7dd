"""WATCH: the changes of a collection as a stream of lines, with bookmarks and the initial list inside (WatchList)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

from bot.demo.calls import Call
from bot.demo.encoding import Encoder, encode
from bot.demo.kinds import Kind
from bot.demo.objects import Json
from bot.demo.reading import Selection, selection
from bot.demo.status import BadRequest, Expired, Invalid
from bot.demo.store import Event, Store
from bot.demo.table import Accepted, metadata_only, table

_BOOKMARKS = 60.0  # seconds between two bookmarks of a quiet watch
_PIECE = 256 * 1024
_LONGEST = 1800.0  # seconds, when the client sets no end (the real server: 30 to 60 minutes)


@dataclass(frozen=True, slots=True)
class Watch:
    """One watch: what it shows, in which form, from which version on (None: from now, with what there is first)."""

    kind: Kind
    chosen: Selection
    wanted: Accepted
    version: int | None
    seconds: float
    bookmarks: bool
    initial_end: bool  # the bookmark that ends the initial list says so


def read(call: Call, wanted: Accepted) -> Watch:
    """Read a watch call; raises BadRequest, Invalid."""
    version = call.number("resourceVersion")
    match, initial = call.query.get("resourceVersionMatch", ""), call.query.get("sendInitialEvents")
    if initial is not None and match != "NotOlderThan":
        raise Invalid(
            'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: sendInitialEvents requires '
            "setting resourceVersionMatch to NotOlderThan"
        )
    if match and initial is None:
        raise Invalid(
            'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden '
            "for watch unless sendInitialEvents is provided"
        )
    if version is not None and version < 0:
        raise BadRequest(f'Invalid value: "{version}": resourceVersion must not be negative')
    is_list = initial is not None and initial.lower() in {"true", "1"}
    from_now = is_list or (not version and initial is None)
    return Watch(
        call.kind,
        selection(call),
        wanted,
        None if from_now else (version or 0),
        float(call.number("timeoutSeconds") or _LONGEST),
        call.flag("allowWatchBookmarks"),
        is_list,
    )


async def stream(store: Store, encoder: Encoder, watch: Watch) -> AsyncIterator[bytes]:
    """Yield the watch's lines, several in one piece where they come together, until its time is over."""
    changes = store.subscribe(watch.kind.resource)
    writer = _Writer(encoder, watch, store)
    loop = asyncio.get_running_loop()
    end = loop.time() + watch.seconds
    try:
        for piece in _pieces(writer.beginning()):
            yield piece
        if writer.is_over:
            return
        while (left := end - loop.time()) > 0:
            try:
                async with asyncio.timeout(min(left, _BOOKMARKS)):
                    first = await anext(changes, None)
            except TimeoutError:
                if watch.bookmarks:
                    yield writer.bookmark()
                continue
            if first is None:
                return
            lines = [writer.change(event) for event in (first, *changes.drain())]
            if text := b"".join(line for line in lines if line is not None):
                yield text
    finally:
        changes.close()


def _pieces(lines: Iterator[bytes]) -> Iterator[bytes]:
    """Join lines to pieces of some size: a write a line is slow, one for ten thousand pods holds the loop."""
    waiting: list[bytes] = []
    size = 0
    for line in lines:
        waiting.append(line)
        size += len(line)
        if size > _PIECE:
            yield b"".join(waiting)
            waiting, size = [], 0
    yield b"".join(waiting)


class _Writer:
    def __init__(self, encoder: Encoder, watch: Watch, store: Store) -> None:
        self._encoder = encoder
        self._watch = watch
        self._store = store
        self._said_columns = False
        self.is_over = False

    def beginning(self) -> Iterator[bytes]:
        """Yield what is there at the start, or what has happened since the version asked for."""
        watch = self._watch
        if watch.version is None:
            # Changes made while this is being sent wait in the subscription, so the end is the version of the list.
            version = self._store.resource_version
            for obj in self._store.list(watch.kind.resource, watch.chosen.namespace):
                if watch.chosen.matches(obj):
                    yield self._line("ADDED", obj)
            if watch.initial_end and watch.bookmarks:
                yield self._bookmark(version, is_initial_end=True)
            return
        try:
            past = self._store.since(watch.version or int(self._store.resource_version))
        except Expired as too_old:
            self.is_over = True
            yield encode({"type": "ERROR", "object": too_old.as_status()}) + b"\n"
            return
        for event in past:
            if event.resource == watch.kind.resource and (line := self.change(event)) is not None:
                yield line

    def change(self, event: Event) -> bytes | None:
        """Return the line of a change as this watch sees it: who enters a selector is added, who leaves is deleted."""
        chosen = self._watch.chosen
        is_in = event.type != "DELETED" and chosen.matches(event.object)
        was_in = event.previous is not None and chosen.matches(event.previous)
        if is_in:
            return self._line("MODIFIED" if was_in else "ADDED", event.object)
        return self._line("DELETED", event.object) if was_in else None

    def bookmark(self) -> bytes:
        """Return the version that a watch with nothing waiting has seen."""
        return self._bookmark(self._store.resource_version, is_initial_end=False)

    def _bookmark(self, version: str, *, is_initial_end: bool) -> bytes:
        kind = self._watch.kind
        meta: Json = {"resourceVersion": version, "creationTimestamp": None}
        if is_initial_end:
            meta["annotations"] = {"k8s.io/initial-events-end": "true"}
        obj: Json = {"kind": kind.kind, "apiVersion": kind.api_version, "metadata": meta}
        if self._watch.wanted.form == "table":
            # A table's bookmark carries one row whose object holds the version (apiserver, tableconvertor).
            obj = table(kind, [], {"resourceVersion": meta["resourceVersion"]}, "None", self._store.now)
            obj["rows"] = [
                {"cells": [None] * len(obj["columnDefinitions"]), "object": metadata_only({"metadata": meta})}
            ]
        return encode({"type": "BOOKMARK", "object": obj}) + b"\n"

    def _line(self, kind: str, obj: Json) -> bytes:
        return b'{"type":"' + kind.encode() + b'","object":' + self._body(obj) + b"}\n"

    def _body(self, obj: Json) -> bytes:
        match self._watch.wanted.form:
            case "object":
                return self._encoder.whole(self._watch.kind, obj)
            case "metadata":
                return encode(metadata_only(obj))
            case "table":
                return encode(self._table(obj))

    def _table(self, obj: Json) -> Json:
        meta = {"resourceVersion": obj["metadata"]["resourceVersion"]}
        rows = table(self._watch.kind, [obj], meta, self._watch.wanted.include, self._store.now)
        if self._said_columns:
            rows["columnDefinitions"] = None  # the first event has said them
        self._said_columns = True
        return rows
