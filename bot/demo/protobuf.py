r"""Bodies in Kubernetes' protobuf, which kubectl sends for objects that it makes itself.

An envelope ``k8s\0`` + runtime.Unknown holds the kind and the message; the schema knows every field's number.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, assert_never

import msgspec

from bot.demo.objects import Json
from bot.demo.schema import ListOf, MapOf, Scalar, Shape, Struct, types
from bot.demo.status import BadRequest

_MAGIC = b"k8s\x00"
_Tree = dict[int, "tuple[str, Shape] | _Tree"]


def decode(body: bytes) -> Json:
    """Return the object in an envelope; raises BadRequest for anything that is none."""
    if not body.startswith(_MAGIC):
        raise BadRequest("provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]")
    try:
        envelope = dict(_fields(memoryview(body)[len(_MAGIC) :]))
        meta = dict(_fields(_bytes(envelope[1])))
        api_version, kind = bytes(_bytes(meta[1])).decode(), bytes(_bytes(meta[2])).decode()
        return {"apiVersion": api_version, "kind": kind, **_struct(kind, _bytes(envelope[2]))}
    except (KeyError, IndexError, UnicodeDecodeError, OverflowError) as wrong:
        raise BadRequest(f"unable to decode the protobuf body: {wrong!r}") from None


def _fields(data: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Yield (number, value) of a message; raises IndexError when it is cut off."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        match key & 7:
            case 0:
                value, at = _varint(data, at)
                yield key >> 3, value
                continue
            case 1:
                size = 8
            case 2:
                size, at = _varint(data, at)
            case 5:
                size = 4
            case other:
                raise IndexError(f"wire type {other}")
        if at + size > len(data):
            raise IndexError("the message is cut off")
        yield key >> 3, data[at : at + size]
        at += size


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return (value - (1 << 64) if value >= 1 << 63 else value), at


def _bytes(value: int | memoryview) -> memoryview:
    if isinstance(value, int):
        raise IndexError("a number where a message belongs")
    return value


@cache
def _tree(name: str) -> _Tree:
    """Return a type's fields by number; an inlined message's below its own number."""
    known, tree = types()[name], _Tree()
    for field, numbers in known.numbers.items():
        node: Any = tree
        for number in numbers[:-1]:
            node = node.setdefault(number, {})
        node[numbers[-1]] = (field, known.fields[field])
    return tree


def _struct(name: str, data: memoryview) -> Json:
    found: Json = {}
    _read(_tree(name), data, found)
    return found


def _read(tree: Mapping[int, Any], data: memoryview, found: Json) -> None:
    for number, value in _fields(data):
        known = tree.get(number)
        if isinstance(known, dict):
            _read(known, _bytes(value), found)
        elif known is not None:
            field, shape = known
            _add(found, field, shape, value)


def _add(found: Json, field: str, shape: Shape, value: int | memoryview) -> None:
    match shape:
        case ListOf():
            found.setdefault(field, []).append(_value(shape.item, value))
        case MapOf():
            entry = dict(_fields(_bytes(value)))
            key = bytes(_bytes(entry.get(1, memoryview(b"")))).decode()
            found.setdefault(field, {})[key] = _value(shape.value, entry.get(2, memoryview(b"")))
        case Struct() | Scalar():
            found[field] = _value(shape, value)
        case _:
            assert_never(shape)


def _value(shape: Shape, value: int | memoryview) -> Any:
    match shape:
        case Struct():
            return _struct(shape.name, _bytes(value))
        case Scalar():
            return value if isinstance(value, int) and shape.kind != "bool" else _scalar(shape.kind, value)
        case ListOf() | MapOf():
            raise IndexError("nested lists have no protobuf form")
        case _:
            assert_never(shape)


def _scalar(kind: str, value: int | memoryview) -> Any:
    if kind == "bool":
        return bool(value)
    data = _bytes(value)
    match kind:
        case "bytes":
            return b64encode(data).decode()
        case "quantity":
            return bytes(_bytes(dict(_fields(data)).get(1, memoryview(b"0")))).decode()
        case "intstr":
            parts = dict(_fields(data))
            return bytes(_bytes(parts[3])).decode() if parts.get(1) else parts.get(2, 0)
        case "time" | "microtime":
            parts = dict(_fields(data))
            seconds = parts.get(1, 0)
            if not isinstance(seconds, int) or not seconds:
                return None
            moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
            return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
        case "any":
            raw = dict(_fields(data)).get(1)
            return None if raw is None else msgspec.json.decode(_bytes(raw))
        case _:
            return bytes(data).decode()
