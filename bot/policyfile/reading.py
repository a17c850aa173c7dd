"""YAML as plain values with the line of each, read so that no file can hurt.

Of YAML it takes what a person writes by hand: mappings, lists and scalars. Anchors, aliases, tags, merges and further
documents are refused, so that a small file cannot become a large value (billion laughs); size, depth and count are
bounded while it is read, before anything is built. Only `true`, `false`, `null` and whole numbers are more than text:
`no` is Norway.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

import yaml

from bot.core.plan import JsonValue
from bot.policyfile.problem import BadPolicy, Problem

LARGEST: Final = 256 * 1024
"""Bytes of a file."""
_DEEPEST: Final = 12
_MOST_NODES: Final = 20_000

Path: TypeAlias = tuple[str | int, ...]

_CONSTANTS: Final[Mapping[str, bool | None]] = {"true": True, "false": False, "null": None, "~": None, "": None}
_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,9}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Document:
    """The value of a file, and the line on which each part of it begins, by its path."""

    value: JsonValue
    lines: Mapping[Path, int]

    def line(self, path: Path) -> int:
        """The line of a part, or of the nearest thing around it that the file has."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def read(raw: bytes) -> Document:
    """Read a file. Raises BadPolicy."""
    if len(raw) > LARGEST:
        raise _bad(0, f"the file is larger than {LARGEST // 1024} KiB")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _bad(raw.count(b"\n", 0, error.start) + 1, "this is not UTF-8 text") from error
    builder = _Builder(yaml.parse(text, Loader=yaml.CSafeLoader))
    try:
        value = builder.document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise _bad(mark.line + 1 if mark else 0, f"this is not YAML: {error.problem or error.context}") from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise _bad(line, f"there is a character that YAML does not take (U+{error.character:04X})") from error
    return Document(value, builder.lines)


@dataclass(slots=True)
class _Builder:
    """Values from YAML's events. Each collection is entered at most `_DEEPEST` deep, so recursion is bounded."""

    events: Iterator[yaml.Event]
    lines: dict[Path, int] = field(default_factory=dict)
    _nodes: int = 0

    def document(self) -> JsonValue:
        next(self.events)  # the stream begins
        if isinstance(next(self.events), yaml.StreamEndEvent):
            raise _bad(0, "the file is empty")
        value = self._value(next(self.events), ())
        next(self.events)  # the document ends
        after = next(self.events)
        if not isinstance(after, yaml.StreamEndEvent):
            raise _bad(_line(after), "a second document begins here; one file is one policy")
        return value

    def _value(self, event: yaml.Event, path: Path) -> JsonValue:
        self._bound(event, path)
        self.lines.setdefault(path, _line(event))
        match event:
            case yaml.MappingStartEvent():
                return self._mapping(path)
            case yaml.SequenceStartEvent():
                return self._sequence(path)
            case yaml.ScalarEvent():
                return _scalar(event)
            case _:
                raise _bad(_line(event), "this is not YAML that a policy may hold")

    def _mapping(self, path: Path) -> JsonValue:
        found: dict[str, JsonValue] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            self._bound(event, path)
            if not isinstance(event, yaml.ScalarEvent):
                raise _bad(_line(event), "a key must be a word")
            key = event.value
            if key == "<<":
                raise _bad(_line(event), "`<<` merges are not taken; write it out")
            if key in found:
                raise _bad(_line(event), f"`{_short(key)}` stands here twice; first on line {self.lines[*path, key]}")
            self.lines[*path, key] = _line(event)
            found[key] = self._value(next(self.events), (*path, key))
        return found

    def _sequence(self, path: Path) -> JsonValue:
        found: list[JsonValue] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            found.append(self._value(event, (*path, len(found))))
        return found

    def _bound(self, event: yaml.Event, path: Path) -> None:
        self._nodes += 1
        if self._nodes > _MOST_NODES:
            raise _bad(_line(event), f"the file holds more than {_MOST_NODES} things")
        if len(path) > _DEEPEST:
            raise _bad(_line(event), f"this is nested more than {_DEEPEST} deep")
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise _bad(_line(event), "anchors (&) and aliases (*) are not taken; a `*` of one's own stands in quotes")
        if (tag := getattr(event, "tag", None)) is not None:
            raise _bad(_line(event), f"the tag {_short(tag)} is not taken")


def _scalar(event: yaml.ScalarEvent) -> JsonValue:
    text: str = event.value
    if not event.implicit[0]:  # quoted, or a block
        return text
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    return int(text) if _NUMBER.fullmatch(text) else text


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 0


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:39]}…"


def _bad(line: int, message: str) -> BadPolicy:
    return BadPolicy([Problem(line, message)])
