"""Label and field selectors: what their text and their JSON mean, and whether an object matches."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from bot.demo.objects import Json
from bot.demo.status import BadRequest


class Operator(StrEnum):
    IN = "In"
    NOT_IN = "NotIn"
    EXISTS = "Exists"
    ABSENT = "DoesNotExist"
    GREATER = "Gt"
    LESS = "Lt"


@dataclass(frozen=True, slots=True)
class Requirement:
    key: str
    operator: Operator
    values: frozenset[str] = frozenset()

    def matches(self, labels: Mapping[str, str]) -> bool:
        value = labels.get(self.key)
        match self.operator:
            case Operator.IN:
                return value is not None and value in self.values
            case Operator.NOT_IN:
                return value is None or value not in self.values
            case Operator.EXISTS:
                return value is not None
            case Operator.ABSENT:
                return value is None
            case Operator.GREATER:
                return _whole(value) is not None and all((_whole(value) or 0) > int(bound) for bound in self.values)
            case Operator.LESS:
                return _whole(value) is not None and all((_whole(value) or 0) < int(bound) for bound in self.values)
            case _:
                assert_never(self.operator)


def _whole(value: str | None) -> int | None:
    return int(value) if value is not None and re.fullmatch(r"-?\d+", value) else None


_NAME = r"[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?"
_KEY = re.compile(rf"(?:{_NAME}/)?{_NAME}")
_SET = re.compile(r"(\S+)\s+(in|notin)\s*\(([^)]*)\)")
_EQUAL = re.compile(r"([^\s=!<>]+)\s*(==|=|!=|>|<)\s*([^\s=!<>]*)")
_SPLIT = re.compile(r",(?![^(]*\))")  # a comma outside of parentheses


@dataclass(frozen=True, slots=True)
class LabelSelector:
    """Every requirement must hold; the empty selector matches everything."""

    requirements: tuple[Requirement, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        return all(requirement.matches(labels) for requirement in self.requirements)

    @classmethod
    def parse(cls, text: str) -> LabelSelector:
        """Read ``a=b,c!=d,e in (f,g),h,!i``; raises BadRequest on anything else."""
        parts = [part.strip() for part in _SPLIT.split(text) if part.strip()]
        return cls(tuple(_requirement(part) for part in parts))

    @classmethod
    def from_object(cls, selector: Json | None) -> LabelSelector:
        """Read a metav1.LabelSelector (matchLabels and matchExpressions)."""
        selector = selector or {}
        exact = [
            Requirement(key, Operator.IN, frozenset({value}))
            for key, value in (selector.get("matchLabels") or {}).items()
        ]
        chosen = [
            Requirement(term["key"], Operator(term["operator"]), frozenset(term.get("values") or ()))
            for term in selector.get("matchExpressions") or ()
        ]
        return cls((*exact, *chosen))

    @classmethod
    def from_labels(cls, labels: Mapping[str, str]) -> LabelSelector:
        """Read a plain map, as Services and node selectors have it."""
        return cls(tuple(Requirement(key, Operator.IN, frozenset({value})) for key, value in labels.items()))


_OPERATORS = {"=": Operator.IN, "==": Operator.IN, "!=": Operator.NOT_IN, ">": Operator.GREATER, "<": Operator.LESS}


def _requirement(part: str) -> Requirement:
    if (listed := _SET.fullmatch(part)) is not None:
        values = frozenset(value.strip() for value in listed[3].split(","))
        found = Requirement(listed[1], Operator.IN if listed[2] == "in" else Operator.NOT_IN, values)
    elif (compared := _EQUAL.fullmatch(part)) is not None:
        found = Requirement(compared[1], _OPERATORS[compared[2]], frozenset({compared[3]}))
    elif part.startswith("!"):
        found = Requirement(part[1:].strip(), Operator.ABSENT)
    else:
        found = Requirement(part, Operator.EXISTS)
    if not _KEY.fullmatch(found.key):
        raise BadRequest(f'unable to parse requirement: found {part!r}, expected: !, identifier, or "end of string"')
    if found.operator in {Operator.GREATER, Operator.LESS} and any(_whole(value) is None for value in found.values):
        raise BadRequest(f"unable to parse requirement: {part!r}: for 'Gt', 'Lt' operators, the value must be a number")
    return found


@dataclass(frozen=True, slots=True)
class FieldSelector:
    """Terms ``path = value`` or ``path != value`` over an object's own fields; a missing field counts as ""."""

    terms: tuple[tuple[str, bool, str], ...] = ()  # path, must be equal, value

    def matches(self, obj: Json) -> bool:
        return all((_field(obj, path) == value) is equal for path, equal, value in self.terms)

    @classmethod
    def parse(cls, text: str, allowed: frozenset[str]) -> FieldSelector:
        """Read ``a.b=c,d!=e``; raises BadRequest for a field that the kind cannot be selected by."""
        terms = []
        for part in filter(None, (part.strip() for part in text.split(","))):
            found = re.fullmatch(r"([^=!]+)(==|=|!=)(.*)", part)
            if found is None:
                raise BadRequest(f"invalid selector: '{part}'; can't understand '{part}'")
            path = found[1].strip()
            if path not in allowed and path not in {"metadata.name", "metadata.namespace"}:
                raise BadRequest(f'Unable to find field selector: "{path}" is not a known field selector')
            terms.append((path, found[2] != "!=", found[3].strip()))
        return cls(tuple(terms))


def _field(obj: Json, path: str) -> str:
    value: object = obj
    for step in path.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case _:
            return str(value)
