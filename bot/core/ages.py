"""Ages and durations in words: `5 s`, `4 m`, `6 d`. One unit, as coarse as a person would say it."""

from datetime import datetime, timedelta
from typing import Final

# (seconds a unit holds, its sign, from how many seconds on it is used): `kubectl` too stays with the smaller unit a
# little longer (90 s, 90 m, 47 h), because "1 m" hides half of what it means.
_UNITS: Final = (
    (365 * 86400, "y", 2 * 365 * 86400),
    (86400, "d", 2 * 86400),
    (3600, "h", 90 * 60),
    (60, "m", 90),
)


def span(length: timedelta) -> str:
    """A duration in its largest useful unit, rounded down. A negative one (clocks differ) is `0 s`."""
    seconds = max(0, int(length.total_seconds()))
    for size, sign, least in _UNITS:
        if seconds >= least:
            return f"{seconds // size} {sign}"
    return f"{seconds} s"


def age(since: datetime, now: datetime) -> str:
    """How long ago something was, without "ago": for columns and for "healthy 6 d"."""
    return span(now - since)


def ago(since: datetime, now: datetime) -> str:
    """How long ago something was, for a sentence: `just now`, `4 m ago`."""
    return "just now" if (now - since).total_seconds() < 1 else f"{age(since, now)} ago"
