"""Reading JSON of unknown shape: every accessor answers with its own type, whatever stands there."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from bot.core.plan import Json, JsonValue, pick

_MOST = 30


def mapping(value: JsonValue, path: str = "") -> Json:
    """The object at a path (as `pick` reads it); an empty one where there is none."""
    found = pick(value, path)
    return found if isinstance(found, Mapping) else {}


def items(value: JsonValue, path: str = "") -> tuple[Json, ...]:
    """The objects of the list at a path; others are left out."""
    found = pick(value, path)
    if not isinstance(found, Sequence) or isinstance(found, str):
        return ()
    return tuple(item for item in found if isinstance(item, Mapping))


def words(value: JsonValue, path: str = "") -> tuple[str, ...]:
    """The scalars of the list at a path, as text."""
    found = pick(value, path)
    if not isinstance(found, Sequence) or isinstance(found, str):
        return ()
    return tuple(text(item) for item in found if not isinstance(item, Mapping))


def text(value: JsonValue, path: str = "") -> str:
    """The scalar at a path as Kubernetes writes it (`true`, `8080`, `http`); empty for nothing and for containers."""
    match pick(value, path):
        case bool() as flag:
            return "true" if flag else "false"
        case str() | int() | float() as scalar:
            return str(scalar)
        case _:
            return ""


def number(value: JsonValue, path: str = "") -> int:
    """The whole number at a path; 0 where there is none: the API leaves zero counters out."""
    found = pick(value, path)
    return found if isinstance(found, int) else 0


def time(value: JsonValue, path: str = "") -> datetime | None:
    """The timestamp at a path (RFC 3339, always with a zone in this API)."""
    try:
        return datetime.fromisoformat(text(value, path))
    except ValueError:
        return None


def flat(value: Json, prefix: str = "") -> str:
    """Every scalar of an object in one line: `runAsUser 1000 · capabilities.drop ALL`."""
    return " · ".join(_flat(value, prefix))


def _flat(value: Json, prefix: str) -> Iterable[str]:
    for key, item in value.items():
        if isinstance(item, Mapping):
            yield from _flat(item, f"{prefix}{key}.")
        elif isinstance(item, Sequence) and not isinstance(item, str):
            yield f"{prefix}{key} {', '.join(words(item) or (f'{len(item)} items',))}"
        else:
            yield f"{prefix}{key} {text(item)}"


def listed(lines: Iterable[str]) -> str:
    """One text of many lines; what is beyond `_MOST` is counted."""
    found = list(lines)
    return "\n".join(found if len(found) <= _MOST else [*found[:_MOST], f"… and {len(found) - _MOST} more"])


def pairs(value: Json) -> str:
    """A map of strings, a line each: `key=value`."""
    return listed(f"{key}={text(item)}" for key, item in value.items())


def selector(value: Json) -> str:
    """A label selector object as kubectl writes it: `app=web,tier in (a, b),!legacy`. Empty for one without terms."""
    labels = [f"{key}={text(item)}" for key, item in mapping(value, "matchLabels").items()]
    return ",".join([*labels, *(expression(item) for item in items(value, "matchExpressions"))])


def expression(item: Json) -> str:
    """One requirement of a label or node selector: `app in (web)`, `disk`, `!disk`, `cores Gt 4`."""
    key, values = text(item, "key"), ", ".join(words(item, "values"))
    match text(item, "operator"):
        case "Exists":
            return key
        case "DoesNotExist":
            return f"!{key}"
        case "In":
            return f"{key} in ({values})"
        case "NotIn":
            return f"{key} not in ({values})"
        case operator:
            return f"{key} {operator} {values}"


def seconds(value: JsonValue, path: str) -> str:
    """A number of seconds with its unit, empty where there is none."""
    found = text(value, path)
    return f"{found} s" if found else ""
