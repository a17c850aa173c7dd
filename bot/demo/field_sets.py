"""Sets of fields: FieldsV1 paths, the fields that an object says, and the entries of managedFields.

A field is a path of FieldsV1 elements (``f:spec``, ``k:{"name":"web"}``, ``v:"x"``); a set of fields is a frozenset of
such paths. Which values have parts and which are owned as one piece is told by the schema.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import msgspec

from bot.demo.objects import Json
from bot.demo.schema import ANY, ListOf, Shape, Struct, is_atomic, member

Path = tuple[str, ...]
Fields = frozenset[Path]

# What no manager owns (structuredmerge stripMeta) and what the server itself writes.
_UNOWNED_META = frozenset(
    {"name", "namespace", "uid", "resourceVersion", "creationTimestamp", "generation", "managedFields", "selfLink"}
    | {"deletionTimestamp", "deletionGracePeriodSeconds", "generateName"}
)


@dataclass(frozen=True, slots=True)
class Manager:
    """One entry of managedFields: who, by which operation (Apply or Update), through which subresource."""

    name: str
    operation: str
    api_version: str
    subresource: str = ""
    time: str = ""
    fields: Fields = frozenset()

    def is_same(self, other: Manager) -> bool:
        return (self.name, self.operation, self.api_version, self.subresource) == (
            other.name,
            other.operation,
            other.api_version,
            other.subresource,
        )


def encoded(value: Any) -> str:
    """Write a value as it stands in a path: JSON with sorted keys."""
    return msgspec.json.encode(value, order="sorted").decode()


def item_step(shape: ListOf, item: Any) -> str:
    """Return the path element of a list's item: by its keys, or by its value in a set."""
    if shape.keys:
        # A key with a default (a port's protocol) counts with its default when it is not said.
        keys = {
            key: item.get(key, "TCP" if key == "protocol" else None) for key in shape.keys if isinstance(item, dict)
        }
        return "k:" + encoded({key: value for key, value in keys.items() if value is not None})
    return "v:" + encoded(item)


def _children(shape: Shape, value: Any) -> Iterable[tuple[str, Shape, Any]]:
    """Yield (step, shape, value) of what is inside a value that is not owned as one piece."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield f"f:{key}", member(shape, key) or ANY, item
    elif isinstance(shape, ListOf):
        for item in value:
            yield item_step(shape, item), shape.item, item


def is_leaf(shape: Shape, value: Any) -> bool:
    """Whether a value is owned as one piece."""
    return is_atomic(shape) or not isinstance(value, dict | list)


def fields_of(kind: str, obj: Json) -> Fields:
    """Return every field that an object (or an applied configuration) says."""
    found: set[Path] = set()
    for key, value in obj.items():
        if key in {"apiVersion", "kind"}:
            continue
        said = {name: item for name, item in value.items() if name not in _UNOWNED_META} if key == "metadata" else value
        _collect(member(Struct(kind), key) or ANY, said, (f"f:{key}",), found)
    return frozenset(found)


def _collect(shape: Shape, value: Any, path: Path, found: set[Path]) -> None:
    if is_leaf(shape, value):
        found.add(path)
        return
    if value in ({}, []) and len(path) > 1:
        found.add(path)
    for step, inner, item in _children(shape, value):
        if isinstance(shape, ListOf):
            found.add((*path, step))
        _collect(inner, item, (*path, step), found)


def to_tree(fields: Fields) -> Json:
    """Write a set as FieldsV1: nested maps, ``.`` for a path that is itself owned above others."""
    tree: Json = {}
    for path in sorted(fields):
        node = tree
        for step in path:
            node = node.setdefault(step, {})
        node["."] = {}
    return _without_lonely_dots(tree)


def _without_lonely_dots(tree: Json) -> Json:
    if set(tree) == {"."}:
        return {}
    return {key: value if key == "." else _without_lonely_dots(value) for key, value in tree.items()}


def from_tree(tree: Json) -> Fields:
    found: set[Path] = set()

    def walk(node: Json, path: Path) -> None:
        if path and (not node or "." in node):
            found.add(path)
        for step, inner in node.items():
            if step != ".":
                walk(inner, (*path, step))

    walk(tree, ())
    return frozenset(found)


def managers_of(obj: Json) -> list[Manager]:
    return [
        Manager(
            entry.get("manager", ""),
            entry.get("operation", "Update"),
            entry.get("apiVersion", ""),
            entry.get("subresource", ""),
            entry.get("time", ""),
            from_tree(entry.get("fieldsV1") or {}),
        )
        for entry in obj.get("metadata", {}).get("managedFields") or ()
    ]


def with_managers(obj: Json, managers: Iterable[Manager]) -> Json:
    entries = []
    for manager in managers:
        if not manager.fields:
            continue
        entry: Json = {
            "manager": manager.name,
            "operation": manager.operation,
            "apiVersion": manager.api_version,
            "time": manager.time,
            "fieldsType": "FieldsV1",
            "fieldsV1": to_tree(manager.fields),
        }
        entries.append({**entry, "subresource": manager.subresource} if manager.subresource else entry)
    meta = {key: value for key, value in obj["metadata"].items() if key != "managedFields"}
    return {**obj, "metadata": {**meta, "managedFields": entries} if entries else meta}
