"""The small pieces that table cells are written from: columns, ages, joined names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.demo.objects import Json, moment


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    type: str = "string"
    priority: int = 0  # 1: shown by ``-o wide`` only


@dataclass(frozen=True, slots=True)
class Printer:
    columns: tuple[Column, ...]
    cells: Callable[[Json, datetime], list[object]]


def columns(*described: str) -> tuple[Column, ...]:
    """Read ``Name``, ``#Count`` (an integer), ``+Wide`` (priority 1), ``+#Both``."""
    return tuple(
        Column(text.lstrip("+#"), "integer" if "#" in text[:2] else "string", 1 if text.startswith("+") else 0)
        for text in described
    )


def since(then: str | None, now: datetime) -> str:
    """Return how long ago a time was; ``<unknown>`` when there is none."""
    return human((now - moment(then)).total_seconds()) if then else "<unknown>"


def age(obj: Json, now: datetime) -> str:
    return since(obj["metadata"].get("creationTimestamp"), now)


def human(seconds: float) -> str:
    """Write a duration as k8s.io/apimachinery/pkg/util/duration.HumanDuration does: two units at most."""
    whole = int(seconds)
    if whole < -1:
        return "<invalid>"
    whole = max(whole, 0)
    minutes, hours, days = whole // 60, whole // 3600, whole // 86400
    if whole < 120:
        return f"{whole}s"
    if minutes < 10:
        return _two(minutes, "m", whole % 60, "s")
    if minutes < 180:
        return f"{minutes}m"
    if hours < 8:
        return _two(hours, "h", minutes % 60, "m")
    if hours < 48:
        return f"{hours}h"
    if days < 8:
        return _two(days, "d", hours % 24, "h")
    if days < 730:
        return f"{days}d"
    return _two(days // 365, "y", days % 365, "d") if days < 8 * 365 else f"{days // 365}y"


def _two(large: int, unit: str, small: int, small_unit: str) -> str:
    return f"{large}{unit}{small}{small_unit}" if small else f"{large}{unit}"


def joined(items: Iterable[object], empty: str = "<none>") -> str:
    return ",".join(str(item) for item in items) or empty


def pairs(labels: Mapping[str, str] | None) -> str:
    return joined(f"{key}={value}" for key, value in sorted((labels or {}).items()))


def selector(said: Json | None) -> str:
    """Write a metav1.LabelSelector on one line (metav1.FormatLabelSelector)."""
    said = said or {}
    parts = [f"{key}={value}" for key, value in sorted((said.get("matchLabels") or {}).items())]
    for term in said.get("matchExpressions") or ():
        values = ",".join(sorted(term.get("values") or ()))
        match term["operator"]:
            case "In":
                parts.append(f"{term['key']} in ({values})")
            case "NotIn":
                parts.append(f"{term['key']} notin ({values})")
            case "Exists":
                parts.append(term["key"])
            case _:
                parts.append(f"!{term['key']}")
    return joined(parts)


def containers(template: Json) -> tuple[str, str]:
    """Return the names and the images of a pod template's containers."""
    known = (template.get("spec") or {}).get("containers") or ()
    return joined(item.get("name", "") for item in known), joined(item.get("image", "") for item in known)
