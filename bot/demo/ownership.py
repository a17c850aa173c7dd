"""Who owns which field after a write, and server-side apply built on it (KEP-555)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec

from bot.demo.field_sets import Manager as Manager  # a writer names itself to both functions here
from bot.demo.field_sets import Path, encoded, fields_of, is_leaf, item_step, managers_of, with_managers
from bot.demo.objects import Json, copied
from bot.demo.schema import ANY, ListOf, Scalar, Shape, Struct, is_atomic, member, types
from bot.demo.status import ApiError, BadRequest, Cause, Conflict


def record_update(kind: str, old: Json | None, new: Json, by: Manager) -> Json:
    """Return ``new`` with the fields that differ from ``old`` owned by ``by`` and by nobody else."""
    said = fields_of(kind, new)
    changed = frozenset(path for path in said if old is None or _differs(kind, old, new, path))
    managers = managers_of(new if old is None else old)
    mine = next((manager for manager in managers if manager.is_same(by)), None)
    others = [
        replace(manager, fields=(manager.fields - changed) & said) for manager in managers if not manager.is_same(by)
    ]
    kept = frozenset() if mine is None else mine.fields & said
    time = by.time if mine is None or changed else mine.time
    return with_managers(new, [*others, replace(by, fields=kept | changed, time=time)])


def _differs(kind: str, old: Json, new: Json, path: Path) -> bool:
    before, after = _lookup(kind, old, path), _lookup(kind, new, path)
    is_container = isinstance(after, dict | list) and not is_atomic(_shape_at(kind, path))
    return before is _ABSENT if is_container else before != after


_ABSENT = object()


def _shape_at(kind: str, path: Path) -> Shape:
    shape: Shape = Struct(kind)
    for step in path:
        if step.startswith("f:"):
            shape = member(shape, step[2:]) or ANY
        elif isinstance(shape, ListOf):
            shape = shape.item
    return shape


def _lookup(kind: str, obj: Any, path: Path) -> Any:
    shape: Shape = Struct(kind)
    for step in path:
        if step.startswith("f:"):
            if not isinstance(obj, dict) or step[2:] not in obj:
                return _ABSENT
            obj, shape = obj[step[2:]], member(shape, step[2:]) or ANY
        elif isinstance(shape, ListOf) and isinstance(obj, list):
            found = [item for item in obj if item_step(shape, item) == step]
            if not found:
                return _ABSENT
            obj, shape = found[0], shape.item
        else:
            return _ABSENT
    return obj


def apply(kind: str, resource: str, live: Json | None, config: Json, by: Manager, *, force: bool) -> Json:
    """Return the object after a server-side apply, managedFields included.

    Raises Conflict (409) with a cause for each field that another manager owns with another value, unless ``force``;
    ApiError (500) for a field that the type does not know, as the server does.
    """
    _declared(kind, config, by.api_version)
    wanted = fields_of(kind, config)
    managers = [] if live is None else managers_of(live)
    others = [manager for manager in managers if not manager.is_same(by)]
    base: Json = {"metadata": {}} if live is None else live
    if live is not None:
        contested = [path for path in sorted(wanted) if _differs(kind, live, config, path)]
        clashes = [(manager, path) for manager in others for path in contested if path in manager.fields]
        if clashes and not force:
            raise _conflict(resource, config, clashes)
        others = [replace(manager, fields=manager.fields - frozenset(contested)) for manager in others]
    mine = next((manager for manager in managers if manager.is_same(by)), None)
    dropped = frozenset() if mine is None else mine.fields - wanted
    owned_by_others = frozenset().union(*(manager.fields for manager in others)) if others else frozenset()
    merged = _merge(Struct(kind), base, config)
    held = {path[:length] for path in owned_by_others for length in range(1, len(path) + 1)}
    for path in sorted(dropped - held, key=len):  # an item before its fields: without its key it is not found
        merged = _dropped(Struct(kind), merged, path)
    time = by.time if mine is None or mine.fields != wanted else mine.time
    return with_managers(merged, [*others, replace(by, fields=wanted, time=time)])


def _declared(kind: str, config: Json, api_version: str) -> None:
    unknown = _undeclared(Struct(kind), config, "")
    if unknown:
        meta = config.get("metadata", {})
        name = "/".join(filter(None, (meta.get("namespace", ""), meta.get("name", ""))))
        raise ApiError(
            f"failed to create typed patch object ({name}; {api_version}, Kind={kind}): "
            + (unknown[0] if len(unknown) == 1 else "errors:\n  " + "\n  ".join(unknown))
        )
    if config.get("metadata", {}).get("managedFields"):
        raise BadRequest("metadata.managedFields must be nil")


def _undeclared(shape: Shape, value: Any, path: str) -> list[str]:
    if isinstance(shape, Scalar):
        return []
    if isinstance(value, dict):
        known = types()[shape.name].fields if isinstance(shape, Struct) else None
        found = []
        for key, item in value.items():
            if known is not None and key not in known:
                found.append(f"{path}.{key}: field not declared in schema")
            else:
                found += _undeclared(member(shape, key) or ANY, item, f"{path}.{key}")
        return found
    if isinstance(value, list) and isinstance(shape, ListOf):
        return [
            text
            for index, item in enumerate(value)
            for text in _undeclared(shape.item, item, path + _readable(shape, item, index))
        ]
    return []


def _readable(shape: ListOf, item: Any, index: int) -> str:
    if shape.keys and isinstance(item, dict):
        return "[" + ",".join(f"{key}={encoded(item[key])}" for key in shape.keys if key in item) + "]"
    return f"[{index}]"


def _merge(shape: Shape, live: Any, config: Any) -> Any:
    if is_leaf(shape, config) or type(live) is not type(config):
        return copied(config)
    if isinstance(config, dict):
        merged = dict(live)
        for key, value in config.items():
            merged[key] = _merge(member(shape, key) or ANY, live[key], value) if key in live else copied(value)
        return merged
    if not isinstance(shape, ListOf):
        return copied(config)
    theirs = {item_step(shape, item): item for item in live}
    ours = {item_step(shape, item): item for item in config}
    # Items that live has keep their place; new ones follow in the order in which they were applied.
    order = [*theirs, *(step for step in ours if step not in theirs)]
    return [
        _merge(shape.item, theirs[step], ours[step])
        if step in theirs and step in ours
        else copied(ours.get(step, theirs.get(step)))
        for step in order
    ]


def _dropped(shape: Shape, value: Any, path: Path) -> Any:
    """Return the value without the field at ``path``."""
    step, rest = path[0], path[1:]
    if step.startswith("f:") and isinstance(value, dict) and step[2:] in value:
        key = step[2:]
        if not rest:
            return {name: item for name, item in value.items() if name != key}
        return {**value, key: _dropped(member(shape, key) or ANY, value[key], rest)}
    if isinstance(shape, ListOf) and isinstance(value, list):
        return [
            _dropped(shape.item, item, rest) if rest and item_step(shape, item) == step else item
            for item in value
            if rest or item_step(shape, item) != step
        ]
    return value


def _conflict(resource: str, config: Json, clashes: list[tuple[Manager, Path]]) -> Conflict:
    causes = [Cause(_dotted(path), "FieldManagerConflict", _said(manager)) for manager, path in clashes]
    if len(causes) == 1:
        told = f"conflict {causes[0].message.removeprefix('conflict ')}: {causes[0].field}"
    else:
        by_manager: dict[str, list[str]] = {}
        for cause in causes:
            by_manager.setdefault(cause.message.removeprefix("conflict "), []).append(cause.field)
        told = "conflicts " + "\nconflicts ".join(
            f"{who}:\n" + "\n".join(f"- {where}" for where in fields) for who, fields in by_manager.items()
        )
    count = f"{len(causes)} conflict{'' if len(causes) == 1 else 's'}"
    return Conflict(
        f"Apply failed with {count}: {told}", resource=resource, name=config["metadata"].get("name", ""), causes=causes
    )


def _said(manager: Manager) -> str:
    through = f' with subresource "{manager.subresource}"' if manager.subresource else ""
    using = f" using {manager.api_version}" if manager.operation == "Update" else ""
    return f'conflict with "{manager.name}"{through}{using}'


def _dotted(path: Path) -> str:
    text = ""
    for step in path:
        mark, _, rest = step.partition(":")
        if mark == "f":
            text += f".{rest}"
        elif mark == "k":
            keys = msgspec.json.decode(rest.encode(), type=dict[str, Any])
            text += "[" + ",".join(f"{key}={encoded(value)}" for key, value in keys.items()) + "]"
        else:
            text += f"[={rest}]"
    return text
