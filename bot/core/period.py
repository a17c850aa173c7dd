"""A time in the past as people say it: `24h`, `yesterday`, `2026-11-01`, `2026-11-01..2026-11-08`. Days are UTC."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

import durationpy

HOW: Final = "24h, 7d, today, yesterday, 2026-11-01 or 2026-11-01..2026-11-08"
"""For help and errors."""

_DAY: Final = timedelta(days=1)
_BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Period:
    """From `since` (included) to `until` (not), both UTC; None = open at that end, as where it would end after now."""

    since: datetime | None
    until: datetime | None

    def words(self) -> str:
        """For the end of a sentence: "since 2026-11-23 10:02 UTC", "from 2026-11-01 00:00 to 2026-11-09 00:00 UTC"."""
        if self.since is None:
            return f"before {_told(self.until)}" if self.until else "ever"
        if self.until is None:
            return f"since {_told(self.since)}"
        return f"from {self.since:%Y-%m-%d %H:%M} to {_told(self.until)}"


def period(text: str, now: datetime) -> Period:
    """What a person means. Raises ValueError, finishing a sentence that begins with "it"."""
    first, dots, last = text.partition("..")
    if dots:
        since, until = (_begin(first, now) if first else None), (_end(last, now) if last else None)
    else:
        since, until = _begin(text, now), (_end(text, now) if _day(text, now) else None)
    if since and since >= now:
        raise ValueError("must begin in the past")
    if since and until and since >= until:
        raise ValueError("must end after it begins")
    return Period(since, until if until and until < now else None)


def moment(text: str, now: datetime) -> datetime:
    """A single moment: so long ago, the beginning of a day, or an ISO time. Raises ValueError as `period` does."""
    return _begin(text, now)


def _begin(text: str, now: datetime) -> datetime:
    day = _day(text, now)
    return _exact(text, now) if day is None else _midnight(day)


def _end(text: str, now: datetime) -> datetime:
    """A day that ends something counts in full."""
    day = _day(text, now)
    return _exact(text, now) if day is None else _midnight(day) + _DAY if day < date.max else now


def _day(text: str, now: datetime) -> date | None:
    today = now.astimezone(UTC).date()
    match text.lower():
        case "today":
            return today
        case "yesterday":
            return today - _DAY
        case _ if len(text) == len("2026-11-01"):
            try:
                return date.fromisoformat(text)
            except ValueError:
                return None
        case _:
            return None


def _exact(text: str, now: datetime) -> datetime:
    try:
        if "T" in text:
            at = datetime.fromisoformat(text)
            return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
        at = now.astimezone(UTC) - durationpy.from_str(text)
        if _BEGINNING <= at < now:
            return at
    except (ValueError, durationpy.DurationError, OverflowError):
        pass
    raise ValueError(f"must be a time such as {HOW}")


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _told(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
