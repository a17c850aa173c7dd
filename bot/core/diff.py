"""What differs between two states of an object, field by field, and how people read it.

Noise (what the server keeps for itself) and the values of Secrets never appear.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from bot.core.masking import MASK, masked, masked_object
from bot.core.plan import FieldChange, Json, JsonValue, ObjectChange, split_path
from bot.core.reply import Diff, Sign

ACTION_ANNOTATION: Final = "steersman.dev/action-id"
"""Rides on every write that can carry an annotation: after a crash the object itself says what happened."""

_NOISE: Final = frozenset(
    {
        "status",
        "metadata.managedFields",
        "metadata.resourceVersion",
        "metadata.generation",
        "metadata.creationTimestamp",
        "metadata.uid",
        "metadata.selfLink",
        f'metadata.annotations."{ACTION_ANNOTATION}"',
        'metadata.annotations."kubectl.kubernetes.io/last-applied-configuration"',
        'metadata.annotations."deployment.kubernetes.io/revision"',
    }
)
# Maps of independent entries, noise among them: walked key by key even where one side has none.
_MAPS: Final = ("metadata", "metadata.annotations", "metadata.labels")
# Strings that YAML reads as strings without quotes: words, images, quantities.
_PLAIN: Final = re.compile(r"[A-Za-z_/][\w./@+-]*(:[\w./@+-]+)*( [\w./@+-]+)*|\d+([numkMGTPE]|[KMGTPE]i|%|s)", re.ASCII)
_SPECIAL: Final = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
# The keys by which the API itself tells the items of its lists apart (patchMergeKey), most telling first.
_LIST_KEYS: Final = ("name", "containerPort", "port", "mountPath", "ip", "type", "key")


def changes(before: Json | None, after: Json | None) -> tuple[FieldChange, ...]:
    """The fields that differ, in the order of their paths. None stands for "does not exist".

    What looks like a secret is hidden in them: they are shown, and kept in the ledger.
    """
    found = _walk("", before or {}, after or {})
    if "Secret" in {(before or {}).get("kind"), (after or {}).get("kind")}:
        return tuple(map(_of_secret, found))
    return tuple(map(_discreet, found))


def lines(change: ObjectChange) -> Diff:
    """An object's change as people read it: `- image: v1` / `+ image: v2`, with where it stands if it is not clear."""
    parents = {_parent(field.path) for field in change.fields}
    shown: list[tuple[Sign, str]] = []
    last = ""
    for field in change.fields:
        parent, key = _parent(field.path), _leaf(field.path)
        if len(parents) > 1 and parent != last:
            shown.append((Sign.WHERE, parent or "object"))
            last = parent
        shown.extend((Sign.GONE, line) for line in _render(key, field.before))
        shown.extend((Sign.NEW, line) for line in _render(key, field.after))
    return Diff(str(change.ref), tuple(shown))


def yaml_lines(value: JsonValue, indent: int = 0) -> Iterator[str]:
    """A JSON value as block YAML. Strings are quoted wherever YAML could read them as something else."""
    pad = "  " * indent
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from _yaml_item(f"{pad}{_scalar(str(key))}:", item, indent + 1)
    elif isinstance(value, Sequence) and not isinstance(value, str) and value:
        for item in value:
            first, *rest = yaml_lines(item, indent + 1)
            yield f"{pad}- {first.lstrip()}"
            yield from rest
    else:
        yield f"{pad}{_scalar(value)}"


def _walk(path: str, before: JsonValue, after: JsonValue) -> Iterator[FieldChange]:
    if path in _NOISE or before == after:
        return
    if path.endswith(_MAPS):
        before, after = before or {}, after or {}
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in dict.fromkeys([*before, *after]):
            yield from _walk(_join(path, key), before.get(key), after.get(key))
        return
    if _keyed(before) and _keyed(after) and (key := _shared_key(before, after)):
        old, new = _by_key(before, key), _by_key(after, key)
        for name in dict.fromkeys([*old, *new]):
            yield from _walk(f"{path}[{key}={name}]", old.get(name), new.get(name))
        return
    # Absent and empty are the same to the API: {} and [] come and go with defaulting.
    if not (_empty(before) and _empty(after)):
        yield FieldChange(path, before, after)


def _keyed(value: JsonValue) -> bool:
    return (
        isinstance(value, Sequence)
        and not isinstance(value, str)
        and bool(value)
        and all(isinstance(item, Mapping) for item in value)
    )


def _shared_key(before: JsonValue, after: JsonValue) -> str:
    items = [item for side in (before, after) if isinstance(side, Sequence) for item in side]
    for key in _LIST_KEYS:
        if all(isinstance(item, Mapping) and key in item for item in items) and all(
            len(_by_key(side, key)) == len(side) for side in (before, after) if isinstance(side, Sequence)
        ):
            return key
    return ""


def _by_key(value: JsonValue, key: str) -> dict[str, JsonValue]:
    items = value if isinstance(value, Sequence) and not isinstance(value, str) else ()
    return {str(item[key]): item for item in items if isinstance(item, Mapping)}


def _empty(value: JsonValue) -> bool:
    return value is None or (isinstance(value, Mapping | Sequence) and not isinstance(value, str) and not value)


def _join(path: str, key: str) -> str:
    step = f'"{key}"' if any(mark in key for mark in '.["/') else key
    return f"{path}.{step}" if path else step


def _split(path: str) -> tuple[str, str]:
    """A path's parent and its last step; dots inside quotes and brackets do not split."""
    quoted = False
    depth = 0
    cut = 0
    for at, char in enumerate(path):
        if char == '"':
            quoted = not quoted
        elif char == "[" and not quoted:
            depth += 1
        elif char == "]" and not quoted:
            depth -= 1
        elif char == "." and not quoted and not depth:
            cut = at
    return (path[:cut], path[cut + 1 :]) if cut else ("", path)


def _parent(path: str) -> str:
    return _split(path)[0]


def _leaf(path: str) -> str:
    return _split(path)[1].replace('"', "")


def _of_secret(change: FieldChange) -> FieldChange:
    return _veiled(change, MASK, MASK) if change.path.startswith(("data", "stringData")) else _discreet(change)


def _discreet(change: FieldChange) -> FieldChange:
    return _veiled(change, _seen(change.path, change.before), _seen(change.path, change.after))


def _veiled(change: FieldChange, before: JsonValue, after: JsonValue) -> FieldChange:
    """The change with these values in the place of its own; two that look the same now are told apart."""
    if before == after and isinstance(before, str):
        before, after = f"{before} (before)", f"{after} (after)"
    return FieldChange(change.path, None if change.before is None else before, None if change.after is None else after)


def _seen(path: str, value: JsonValue) -> JsonValue:
    """A value as it may be seen at a path: `value` under `[name=DB_PASSWORD]` may not."""
    *above, last = split_path(path) or [""]
    if isinstance(last, tuple):
        return masked(value)
    beside = dict([above[-1]]) if above and isinstance(above[-1], tuple) else {}
    return masked_object({**beside, last: value}).get(last, MASK)


def _render(key: str, value: JsonValue) -> Iterator[str]:
    if value is not None:
        yield from _yaml_item(f"{key}:", value, 1)


def _yaml_item(head: str, value: JsonValue, indent: int) -> Iterator[str]:
    if _empty(value) or not isinstance(value, Mapping | Sequence) or isinstance(value, str):
        yield f"{head} {_scalar(value)}"
        return
    yield head
    yield from yaml_lines(value, indent)


def _scalar(value: JsonValue) -> str:
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.lower() not in _SPECIAL:
        return value
    return json.dumps(value, ensure_ascii=False)
