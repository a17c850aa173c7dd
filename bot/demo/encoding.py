"""Bytes of objects: each version of an object is encoded once, however many lists and watches it goes to."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from bot.demo.kinds import Kind
from bot.demo.objects import Json

_KEPT = 20_000  # objects; then the cache starts anew, which is cheaper than to know which of them are gone
_JSON = msgspec.json.Encoder()


def encode(value: object) -> bytes:
    return _JSON.encode(value)


class Encoder:
    """Caches the JSON of stored objects by uid and resourceVersion."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, bytes]] = {}

    def item(self, obj: Json) -> bytes:
        """Return an object as it stands in a list: without kind and apiVersion, which the list says."""
        meta = obj["metadata"]
        uid, version = meta.get("uid", ""), meta.get("resourceVersion", "")
        known = self._known.get(uid)
        if known is not None and known[0] == version and version:
            return known[1]
        text = _JSON.encode({key: value for key, value in obj.items() if key not in {"kind", "apiVersion"}})
        if uid and version:
            if len(self._known) >= _KEPT:
                self._known.clear()
            self._known[uid] = (version, text)
        return text

    def whole(self, kind: Kind, obj: Json) -> bytes:
        rest = self.item(obj)
        return f'{{"kind":"{kind.kind}","apiVersion":"{kind.api_version}",'.encode() + rest[1:]

    def list(self, kind: Kind, objects: Iterable[Json], meta: Json) -> bytes:
        head = f'{{"kind":"{kind.kind}List","apiVersion":"{kind.api_version}","metadata":'.encode()
        return b"".join((head, _JSON.encode(meta), b',"items":[', b",".join(map(self.item, objects)), b"]}"))
