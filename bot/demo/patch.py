"""The three patches that need no ownership: JSON merge (RFC 7386), JSON (RFC 6902) and strategic merge.

Strategic merge follows k8s.io/apimachinery/pkg/util/strategicpatch: lists merge by the key that their type names, and
the directives ``$patch``, ``$retainKeys``, ``$setElementOrder/x`` and ``$deleteFromPrimitiveList/x`` are obeyed.
All return a new value and leave their arguments alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bot.demo.objects import Json, copied
from bot.demo.schema import ANY, ListOf, Shape, Struct, member
from bot.demo.status import BadRequest, Invalid

_ORDER = "$setElementOrder/"
_DELETE = "$deleteFromPrimitiveList/"


def merge(original: Any, patch: Any) -> Any:
    """Apply a JSON merge patch: maps merge, null deletes, everything else replaces."""
    if not isinstance(patch, dict):
        return copied(patch)
    merged = copied(original) if isinstance(original, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge(merged.get(key), value)
    return merged


# -- JSON patch ------------------------------------------------------------------------------------------------------


class _CannotApply(Exception):
    """A path that leads nowhere or a test that failed: the server says the same sentence for both."""


def json_patch(original: Json, operations: object) -> Json:
    """Apply RFC 6902 operations; raises BadRequest for a malformed one, Invalid (422) when it cannot be done."""
    if not isinstance(operations, list) or not all(isinstance(operation, dict) for operation in operations):
        raise BadRequest("error decoding patch: json: cannot unmarshal object into Go value of type jsonpatch.Patch")
    document: Any = copied(original)
    try:
        for operation in operations:
            document = _operate(document, operation)
    except _CannotApply:
        raise Invalid("the server rejected our request due to an error in our request") from None
    if not isinstance(document, dict):
        raise BadRequest("the patched document is not an object")
    return document


def _operate(document: Any, operation: Json) -> Any:
    path = _pointer(operation.get("path"))
    match operation.get("op"):
        case "test":
            if _read(document, path, missing=None) != operation.get("value"):
                raise _CannotApply
            return document
        case "add":
            return _write(document, path, copied(operation.get("value")), insert=True)
        case "replace":
            _read(document, path)
            return _write(document, path, copied(operation.get("value")), insert=False)
        case "remove":
            return _remove(document, path)
        case "move":
            source = _pointer(operation.get("from"))
            value = _read(document, source)
            return _write(_remove(document, source), path, value, insert=True)
        case "copy":
            return _write(document, path, copied(_read(document, _pointer(operation.get("from")))), insert=True)
        case other:
            raise BadRequest(f"Unexpected kind: {other}")


def _pointer(text: object) -> list[str]:
    if not isinstance(text, str) or (text and not text.startswith("/")):
        raise BadRequest(f"error decoding patch: invalid path {text!r}")
    return [step.replace("~1", "/").replace("~0", "~") for step in text.split("/")[1:]]


_REQUIRED = object()


def _read(document: Any, path: Sequence[str], *, missing: object = _REQUIRED) -> Any:
    for step in path:
        if isinstance(document, dict) and step in document:
            document = document[step]
        elif isinstance(document, list) and step.isdecimal() and int(step) < len(document):
            document = document[int(step)]
        elif missing is _REQUIRED:
            raise _CannotApply
        else:
            return missing
    return document


def _write(document: Any, path: Sequence[str], value: Any, *, insert: bool) -> Any:
    if not path:
        return value
    parent, last = _read(document, path[:-1]), path[-1]
    if isinstance(parent, dict):
        parent[last] = value
    elif isinstance(parent, list) and last == "-":
        parent.append(value)
    elif isinstance(parent, list) and last.isdecimal() and int(last) <= len(parent):
        parent[int(last) : int(last) + (0 if insert else 1)] = [value]
    else:
        raise _CannotApply
    return document


def _remove(document: Any, path: Sequence[str]) -> Any:
    _read(document, path)
    parent, last = _read(document, path[:-1]), path[-1]
    if isinstance(parent, dict):
        del parent[last]
    else:
        del parent[int(last)]
    return document


# -- strategic merge -------------------------------------------------------------------------------------------------


def strategic(kind: str, original: Json, patch: Json) -> Json:
    """Apply a strategic merge patch to an object of a kind; raises BadRequest for a directive that makes no sense."""
    return _merge_map(Struct(kind), original, patch)


def _merge_map(shape: Shape, original: Json, patch: Json) -> Json:
    merged: Json
    match patch.get("$patch"):
        case "replace":
            return {key: copied(value) for key, value in patch.items() if key != "$patch"}
        case "delete":
            return {}
        case None | "merge":
            pass
        case other:
            raise BadRequest(f"Unknown patch type: {other}")
    merged = copied(original)
    if (kept := patch.get("$retainKeys")) is not None:
        merged = {key: value for key, value in merged.items() if key in kept}
    for key, value in patch.items():
        if key.startswith(_DELETE):
            target = key.removeprefix(_DELETE)
            merged[target] = [item for item in merged.get(target) or () if item not in value]
        elif value is None:
            merged.pop(key, None)
        elif not key.startswith("$"):
            order = patch.get(_ORDER + key)
            merged[key] = _merge_value(member(shape, key) or ANY, merged.get(key), value, order)
    for key, order in patch.items():
        name = key.removeprefix(_ORDER)
        if key.startswith(_ORDER) and name not in patch and isinstance(merged.get(name), list):
            merged[name] = _merge_value(member(shape, name) or ANY, merged[name], [], order)
    return merged


def _merge_value(shape: Shape, original: Any, patch: Any, order: list[Any] | None) -> Any:
    if isinstance(patch, dict):
        return _merge_map(shape, original if isinstance(original, dict) else {}, patch)
    if isinstance(patch, list) and isinstance(shape, ListOf) and shape.merge_key is not None:
        return _merge_list(shape, shape.merge_key, original if isinstance(original, list) else [], patch, order)
    return copied(patch)


def _merge_list(shape: ListOf, key: str, original: list[Any], patch: list[Any], order: list[Any] | None) -> list[Any]:
    if any(isinstance(item, dict) and item.get("$patch") == "replace" for item in patch):
        return [copied(item) for item in patch if not (isinstance(item, dict) and item.get("$patch") == "replace")]
    merged = copied(original)
    for item in patch:
        found = _position(merged, item, key)
        if isinstance(item, dict) and item.get("$patch") == "delete":
            merged = [other for other in merged if not _equal(other, item, key)]
        elif found is None:
            merged.append(_merge_map(shape.item, {}, item) if isinstance(item, dict) else item)
        elif isinstance(item, dict):
            merged[found] = _merge_map(shape.item, merged[found], item)
    return _ordered(merged, [item for item in patch if _is_plain(item)] if order is None else order, original, key)


def _is_plain(item: Any) -> bool:
    return not (isinstance(item, dict) and "$patch" in item)


def _ordered(merged: list[Any], wanted: list[Any], server: list[Any], key: str) -> list[Any]:
    """Put the items that the patch knows into its order, with the server's own woven between them in theirs."""
    ours = sorted(
        (item for item in merged if _position(wanted, item, key) is not None),
        key=lambda item: _position(wanted, item, key) or 0,
    )
    theirs = [item for item in merged if _position(wanted, item, key) is None]
    woven: list[Any] = []
    while ours and theirs:
        left, right = _position(server, theirs[0], key), _position(server, ours[0], key)
        # An item that the patch brings anew has no place in the server's order: it goes before what is there.
        theirs_first = left is not None and right is not None and left < right
        woven.append(theirs.pop(0) if theirs_first else ours.pop(0))
    return [*woven, *ours, *theirs]


def _position(items: list[Any], wanted: Any, key: str) -> int | None:
    return next((index for index, item in enumerate(items) if _equal(item, wanted, key)), None)


def _equal(left: Any, right: Any, key: str) -> bool:
    if key and isinstance(left, dict) and isinstance(right, dict):
        if key not in right:
            raise BadRequest(f"map: {right} does not contain declared merge key: {key}")
        return bool(left.get(key) == right[key])
    return bool(left == right)
