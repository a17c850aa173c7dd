"""Values as JSON and back, by their annotations: what the ledger keeps of our frozen dataclasses, and nothing else.

A dataclass is an object of its fields; where a union has several, its class's name stands under "$". An enum is its
value, a datetime ISO 8601 in UTC, a timedelta whole microseconds, a tuple or frozenset a list. A field that an older
program did not write takes its default; a field that this one does not know is refused.
"""

import dataclasses
import json
import math
import re
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import cache
from typing import Final, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from bot.core.plan import Json, JsonValue

T = TypeVar("T")

_TAG: Final = "$"
_SCALARS: Final = (bool, int, float, str, types.NoneType)
_MICROSECOND: Final = timedelta(microseconds=1)
# Half a character: no UTF-8 can hold it, so it is written as JSON's own escape.
_LONE: Final = re.compile("[\ud800-\udfff]")


def encode(value: object) -> JsonValue:
    """What JSON can say of a value. Raises ValueError for one of another kind than the module's sentence names."""
    return _coder(type(value)).encode(value)


def decode(kind: type[T], value: JsonValue) -> T:
    """The value of this type that was encoded. Raises ValueError where it does not fit, so also for a later shape."""
    return cast(T, _coder(kind).decode(value))


def dumps(value: object) -> str:
    """The one JSON text of a value: sorted keys, no spaces."""
    text = json.dumps(encode(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return _LONE.sub(lambda half: f"\\u{ord(half[0]):04x}", text)


def loads(kind: type[T], text: str) -> T:
    """The value of this type that `dumps` wrote. Raises ValueError."""
    return decode(kind, json.loads(text))


@dataclass(frozen=True, slots=True)
class _Coder:
    """Both ways of one annotation. `decode` raises ValueError for what does not fit, exactly."""

    encode: Callable[[object], JsonValue]
    decode: Callable[[JsonValue], object]


def _coder(annotation: object) -> _Coder:
    if annotation in (Json, JsonValue, object):
        return _AS_IS
    return _made(annotation)


@cache
def _made(annotation: object) -> _Coder:
    origin = get_origin(annotation)
    if origin in (Union, types.UnionType):
        return _union(get_args(annotation))
    if isinstance(annotation, type) and origin is None:
        return _of_class(annotation)
    arguments = get_args(annotation)
    if not isinstance(origin, type):
        raise _unknown(annotation)
    if issubclass(origin, tuple) and arguments[-1:] != (...,):
        return _fixed(arguments)
    if issubclass(origin, frozenset):
        return _many(arguments[0], frozenset)
    if issubclass(origin, Mapping):
        return _mapping(*arguments)
    if issubclass(origin, Sequence):
        return _many(arguments[0], tuple)
    raise _unknown(annotation)


def _of_class(kind: type) -> _Coder:
    if dataclasses.is_dataclass(kind):
        return _dataclass(kind)
    if issubclass(kind, Enum):
        return _Coder(lambda value: _same_kind(kind, value).value, kind)
    if issubclass(kind, datetime):
        return _Coder(
            lambda value: _zoned(_same_kind(datetime, value)).isoformat(),
            lambda value: _zoned(datetime.fromisoformat(_exactly(str, value))),
        )
    if issubclass(kind, timedelta):
        return _Coder(
            lambda value: _same_kind(timedelta, value) // _MICROSECOND,
            lambda value: _exactly(int, value) * _MICROSECOND,
        )
    if kind is float:
        return _Coder(_number, _number)
    if kind in _SCALARS:
        # A member of a StrEnum is a str, too, and is kept as one where a str is meant.
        return _Coder(
            lambda value: cast(JsonValue, _exactly(kind, value.value if isinstance(value, Enum) else value)),
            lambda value: _exactly(kind, value),
        )
    if issubclass(
        kind, Mapping | Sequence | frozenset
    ):  # without what it holds: JSON already, or values by their own types
        return _AS_IS
    raise _unknown(kind)


def _dataclass(kind: type) -> _Coder:
    hints = {field.name: field.type for field in dataclasses.fields(kind)}
    if any(isinstance(hint, str) for hint in hints.values()):
        hints = get_type_hints(kind)
    needed = {f.name for f in dataclasses.fields(kind) if f.default is MISSING and f.default_factory is MISSING}
    # Found at the first use, so that a class may hold others of its own kind.
    coders: dict[str, _Coder] = {}

    def fields() -> dict[str, _Coder]:
        if not coders:
            coders.update({name: _coder(hint) for name, hint in hints.items()})
        return coders

    def encode(value: object) -> JsonValue:
        value = _same_kind(kind, value)
        return {name: coder.encode(getattr(value, name)) for name, coder in fields().items()}

    def decode(value: JsonValue) -> object:
        given = _exactly(dict, value)
        if not needed <= given.keys() <= hints.keys():
            raise ValueError(f"a {kind.__name__} of another shape: {', '.join(sorted(given.keys() ^ hints.keys()))}")
        return kind(**{name: fields()[name].decode(one) for name, one in given.items()})

    return _Coder(encode, decode)


def _union(members: Sequence[object]) -> _Coder:
    classes = {one.__name__: one for one in members if isinstance(one, type) and dataclasses.is_dataclass(one)}
    tagged = classes if len(classes) > 1 else {}
    plain = [one for one in members if one not in tagged.values()]

    def encode(value: object) -> JsonValue:
        name = type(value).__name__
        if tagged.get(name) is type(value):
            return {_TAG: name, **cast(Json, _made(type(value)).encode(value))}
        return _first(plain, lambda one: _coder(one).encode(value))

    def decode(value: JsonValue) -> object:
        if tagged and isinstance(value, dict):
            rest = dict(value)
            kind = tagged.get(str(rest.pop(_TAG, "")))
            if kind is None:
                raise ValueError(f"none of {', '.join(tagged)}")
            return _made(kind).decode(rest)
        return _first(plain, lambda one: _coder(one).decode(value))

    return _Coder(encode, decode)


def _first(members: Sequence[object], attempt: Callable[[object], T]) -> T:
    refusal = ValueError("of another shape")
    for member in members:
        try:
            return attempt(member)
        except ValueError as no:
            refusal = no
    raise refusal


def _many(member: object, container: type[tuple[object, ...]] | type[frozenset[object]]) -> _Coder:
    coder = _coder(member)

    def encode(value: object) -> JsonValue:
        # A string is a sequence of strings, and never meant as one.
        if not isinstance(value, Sequence | frozenset) or isinstance(value, str):
            raise _unfit(value, "a sequence")
        encoded = [coder.encode(one) for one in value]
        return sorted(encoded, key=dumps) if isinstance(value, frozenset) else encoded

    return _Coder(encode, lambda value: container(coder.decode(one) for one in _exactly(list, value)))


def _fixed(members: Sequence[object]) -> _Coder:
    coders = [_coder(one) for one in members]

    def encode(value: object) -> JsonValue:
        return [coder.encode(one) for coder, one in zip(coders, _same_kind(tuple, value), strict=True)]

    def decode(value: JsonValue) -> object:
        return tuple(coder.decode(one) for coder, one in zip(coders, _exactly(list, value), strict=True))

    return _Coder(encode, decode)


def _mapping(key: object, member: object) -> _Coder:
    keys, members = _coder(key), _coder(member)

    def encode(value: object) -> JsonValue:
        if not isinstance(value, Mapping):
            raise _unfit(value, "a mapping")
        return {_exactly(str, keys.encode(name)): members.encode(one) for name, one in value.items()}

    def decode(value: JsonValue) -> object:
        pairs = _exactly(dict, value).items()
        return types.MappingProxyType({keys.decode(name): members.decode(one) for name, one in pairs})

    return _Coder(encode, decode)


def _json(value: object) -> JsonValue:
    match value:
        case Enum() | datetime() | timedelta():
            return encode(value)
        case None | bool() | int() | str():
            return value
        case float():
            return _number(value)
        case Mapping():
            return {_exactly(str, _json(name)): _json(one) for name, one in value.items()}
        case frozenset():
            return sorted((_json(one) for one in value), key=dumps)
        case Sequence() if not isinstance(value, bytes | bytearray):
            return [_json(one) for one in value]
        case _ if dataclasses.is_dataclass(value):
            return encode(value)
    raise _unknown(type(value))


_AS_IS: Final = _Coder(_json, lambda value: value)


def _zoned(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a time without its zone")
    return moment.astimezone(UTC)


def _number(value: object) -> float:
    """A float; JSON may have written it as a whole number."""
    number = float(value) if isinstance(value, int) and not isinstance(value, bool) else _exactly(float, value)
    if not math.isfinite(number):
        raise ValueError(f"{number} is no number in JSON")
    return number


def _exactly(kind: type[T], value: object) -> T:
    """The value, if it is of this very type: a bool is no int here."""
    if type(value) is not kind:
        raise _unfit(value, kind.__name__)
    return value


def _same_kind(kind: type[T], value: object) -> T:
    if not isinstance(value, kind):
        raise _unfit(value, kind.__name__)
    return value


def _unfit(value: object, wanted: str) -> ValueError:
    return ValueError(f"{type(value).__name__} instead of {wanted}")


def _unknown(annotation: object) -> ValueError:
    return ValueError(f"{annotation} cannot be kept as JSON")
