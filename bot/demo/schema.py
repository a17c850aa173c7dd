"""The types behind the kinds: which fields there are, what they hold, and how their lists merge.

The table is ``schema.txt``, one type a line: a name and its fields as ``name:shape``. A shape is a scalar (``str int
long bool num quantity intstr time microtime bytes any``), a type's name, ``[shape]`` or ``{shape}``, and then marks:
``#a,b`` a list keyed by a and b, ``*`` a set (structured merge: KEP-555), ``@key`` a list that a strategic patch merges
by key (``@`` alone: of plain values), ``~`` retainKeys, ``^`` atomic; then ``=5`` the protobuf number (``=2.5`` inside
an inlined message), ``%`` for a zero that is not written (Go's omitempty without a pointer), ``!`` required.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any, assert_never

from bot.demo.objects import Json, moment
from bot.demo.quantity import canonical
from bot.demo.status import BadRequest


@dataclass(frozen=True, slots=True)
class Scalar:
    kind: str


@dataclass(frozen=True, slots=True)
class Struct:
    name: str
    atomic: bool = False
    retain_keys: bool = False


@dataclass(frozen=True, slots=True)
class MapOf:
    value: Shape
    atomic: bool = False


@dataclass(frozen=True, slots=True)
class ListOf:
    """``keys`` and ``is_set`` rule apply, ``merge_key`` rules strategic patches (None: the list is replaced)."""

    item: Shape
    keys: tuple[str, ...] = ()
    is_set: bool = False
    merge_key: str | None = None
    retain_keys: bool = False


Shape = Scalar | Struct | MapOf | ListOf

_SCALARS = frozenset({"str", "int", "long", "bool", "num", "quantity", "intstr", "time", "microtime", "bytes", "any"})
_SHAPE = re.compile(
    r"(?P<body>\[.*\]|\{.*\}|[\w.]+)(?:#(?P<keys>[\w,]+))?(?P<set>\*)?(?P<retain>~)?(?:@(?P<merge>\w*))?(?P<atomic>\^)?"
)
_FIELD = re.compile(r"(?P<name>[^:]+):(?P<shape>.+?)(?:=(?P<number>[\d.]+)(?P<omits>%)?)?(?P<required>!)?")
ANY = Scalar("any")


@dataclass(frozen=True, slots=True)
class Type:
    fields: dict[str, Shape]
    required: frozenset[str]
    omits_zero: frozenset[str]
    numbers: dict[str, tuple[int, ...]]  # of protobuf
    atomic: bool = False


@cache
def types() -> dict[str, Type]:
    """Return the table (read once, on first use)."""
    text = resources.files("bot.demo").joinpath("schema.txt").read_text(encoding="utf-8")
    found = {}
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        name, *described = line.split(" ")
        fields = [_FIELD.fullmatch(item) for item in described if item]
        known = [field for field in fields if field is not None]
        if len(known) != len(fields):
            raise ValueError(f"schema.txt: cannot read the fields of {name}")
        found[name.lstrip("^")] = Type(
            {field["name"]: _shape(field["shape"]) for field in known},
            frozenset(field["name"] for field in known if field["required"]),
            frozenset(field["name"] for field in known if field["omits"]),
            {field["name"]: tuple(map(int, field["number"].split("."))) for field in known if field["number"]},
            name.startswith("^"),
        )
    return found


@cache
def _shape(text: str) -> Shape:
    found = _SHAPE.fullmatch(text)
    if found is None:
        raise ValueError(f"schema.txt: cannot read the shape {text!r}")
    body, atomic, retain = found["body"], found["atomic"] is not None, found["retain"] is not None
    if body.startswith("["):
        keys = tuple(found["keys"].split(",")) if found["keys"] else ()
        return ListOf(_shape(body[1:-1]), keys, found["set"] is not None, found["merge"], retain)
    if body.startswith("{"):
        return MapOf(_shape(body[1:-1]), atomic)
    return Scalar(body) if body in _SCALARS else Struct(body, atomic, retain)


def member(shape: Shape, key: str) -> Shape | None:
    """Return the shape of a field or map entry; None when the type has no such field."""
    match shape:
        case Struct():
            return types()[shape.name].fields.get(key)
        case MapOf():
            return shape.value
        case Scalar("any"):
            return ANY
        case Scalar() | ListOf():
            return None
        case _:
            assert_never(shape)


def is_atomic(shape: Shape) -> bool:
    """Whether apply owns the value as one piece."""
    match shape:
        case Struct():
            return shape.atomic or types()[shape.name].atomic
        case MapOf():
            return shape.atomic
        case ListOf():
            return not shape.keys and not shape.is_set
        case Scalar():
            return True
        case _:
            assert_never(shape)


# What Go's decoder calls the type that it wanted.
_GO = {"str": "string", "int": "int32", "long": "int64", "bool": "bool", "num": "float64", "bytes": "[]uint8"}
_GO_SEEN = {str: "string", int: "number", float: "number", bool: "bool", list: "array", dict: "object"}


@dataclass(slots=True)
class Conformed:
    """An object reduced to what its type knows; ``unknown`` are the paths of the fields that went."""

    obj: Json
    unknown: list[str] = field(default_factory=list)


def conform(kind: str, obj: Json) -> Conformed:
    """Drop unknown fields and nulls and write quantities canonically, as decoding into the Go type does.

    Raises BadRequest in the words of Go's decoder when a value has the wrong type.
    """
    result = Conformed({})
    decoded = _decode(Struct(kind), obj, "", kind, result.unknown)
    result.obj = decoded
    return result


def _decode(shape: Shape, value: Any, path: str, owner: str, unknown: list[str]) -> Any:
    match shape:
        case Struct():
            _expect(isinstance(value, dict), value, _go(owner, path), "v1." + shape.name)
            known = types()[shape.name]
            fields = known.fields
            kept = {}
            for key, item in value.items():
                if key not in fields:
                    unknown.append(f"{path}{key}")
                elif item is not None:
                    decoded = _decode(fields[key], item, f"{path}{key}.", shape.name, unknown)
                    if not (key in known.omits_zero and _is_zero(fields[key], decoded)):
                        kept[key] = decoded
            return kept
        case MapOf():
            _expect(isinstance(value, dict), value, _go(owner, path), "map[string]string")
            return {
                key: _decode(shape.value, "" if item is None else item, f"{path}{key}.", owner, unknown)
                for key, item in value.items()
            }
        case ListOf():
            _expect(isinstance(value, list), value, _go(owner, path), "[]" + _item_name(shape.item))
            stem = path.rstrip(".")
            return [_decode(shape.item, item, f"{stem}[{index}].", owner, unknown) for index, item in enumerate(value)]
        case Scalar():
            return _scalar(shape.kind, value, _go(owner, path))
        case _:
            assert_never(shape)


def _is_zero(shape: Shape, value: Any) -> bool:
    match shape:
        case Struct():
            return False  # Go never leaves a structure out
        case Scalar("time" | "microtime" | "quantity" | "intstr"):
            return False
        case MapOf() | ListOf() | Scalar():
            return not value
        case _:
            assert_never(shape)


def _item_name(shape: Shape) -> str:
    match shape:
        case Struct():
            return "v1." + shape.name
        case Scalar():
            return _GO.get(shape.kind, shape.kind)
        case MapOf() | ListOf():
            return "interface {}"
        case _:
            assert_never(shape)


def _scalar(kind: str, value: Any, go_path: str) -> Any:
    match kind:
        case "any":
            return value
        case "int" | "long":
            whole = isinstance(value, int) and not isinstance(value, bool)
            whole = whole or (isinstance(value, float) and value.is_integer())
            _expect(whole, value, go_path, _GO[kind])
            bits = 31 if kind == "int" else 63
            if not -(2**bits) <= value < 2**bits:
                raise BadRequest(
                    f"json: cannot unmarshal number {value} into Go struct field {go_path} of type {_GO[kind]}"
                )
            return int(value)
        case "bool":
            _expect(isinstance(value, bool), value, go_path, "bool")
        case "num":
            _expect(isinstance(value, int | float) and not isinstance(value, bool), value, go_path, "float64")
        case "intstr":
            _expect(isinstance(value, int | str) and not isinstance(value, bool), value, go_path, "intstr.IntOrString")
        case "quantity":
            _expect(isinstance(value, int | float | str), value, go_path, "resource.Quantity")
            try:
                return canonical(str(value))
            except ValueError:
                raise BadRequest(
                    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
                ) from None
        case "time" | "microtime":
            if not isinstance(value, str) or not _is_time(value):
                raise BadRequest(f'parsing time "{value}" as "2006-01-02T15:04:05Z07:00": cannot parse it')
        case _:
            _expect(isinstance(value, str), value, go_path, _GO.get(kind, "string"))
    return value


def _is_time(text: str) -> bool:
    try:
        return moment(text).tzinfo is not None
    except ValueError:
        return False


def _expect(holds: bool, value: Any, go_path: str, wanted: str) -> None:
    if not holds:
        seen = _GO_SEEN.get(type(value), "null")
        raise BadRequest(f"json: cannot unmarshal {seen} into Go struct field {go_path} of type {wanted}")


def _go(owner: str, path: str) -> str:
    """Name a field as Go's decoder does: the type that holds it, then the way to it without list positions."""
    way = re.sub(r"\[\d+\]", "", path).rstrip(".")
    return f"{owner}.{way}"


def missing(kind: str, obj: Json) -> list[str]:
    """Return the paths of required fields that are absent or empty strings; the status is not looked at."""
    found: list[str] = []
    _missing(Struct(kind), {key: value for key, value in obj.items() if key != "status"}, "", found)
    return found


def _missing(shape: Shape, value: Any, path: str, found: list[str]) -> None:
    match shape:
        case Struct(name) if isinstance(value, dict):
            known = types()[name]
            found.extend(f"{path}{key}" for key in sorted(known.required) if value.get(key) in (None, ""))
            for key, item in value.items():
                if key in known.fields:
                    _missing(known.fields[key], item, f"{path}{key}.", found)
        case MapOf(inner) if isinstance(value, dict):
            for key, item in value.items():
                _missing(inner, item, f"{path.rstrip('.')}[{key}].", found)
        case ListOf(inner) if isinstance(value, list):
            for index, item in enumerate(value):
                _missing(inner, item, f"{path.rstrip('.')}[{index}].", found)
        case _:
            return
