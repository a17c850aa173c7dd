"""Times in the past, as people say them."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.period import Period, moment, period

NOW = datetime(2026, 11, 24, 10, 2, tzinfo=UTC)


def day(number: int, month: int = 11) -> datetime:
    return datetime(2026, month, number, tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "since", "until"),
    [
        ("24h", NOW - timedelta(days=1), None),
        ("7d", NOW - timedelta(days=7), None),
        ("1h30m", NOW - timedelta(minutes=90), None),
        ("today", day(24), None),
        ("Yesterday", day(23), day(24)),
        ("2026-11-01", day(1), day(2)),
        ("2026-11-01..2026-11-08", day(1), day(9)),
        ("2026-11-01..", day(1), None),
        ("..2026-11-01", None, day(2)),
        ("7d..2d", NOW - timedelta(days=7), NOW - timedelta(days=2)),
        ("yesterday..today", day(23), None),
        ("2026-11-01T10:00..2026-11-01T12:30Z", day(1) + timedelta(hours=10), day(1) + timedelta(hours=12.5)),
        ("2026-11-01T10:00+02:00", day(1) + timedelta(hours=8), None),
        ("..", None, None),
        ("2026-11-01..9999-12-31", day(1), None),
    ],
)
def test_a_time_means(said: str, since: datetime | None, until: datetime | None) -> None:
    assert period(said, NOW) == Period(since, until)


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        ("soon", "must be a time such as 24h"),
        ("7", "must be a time such as"),
        ("-24h", "must be a time such as"),
        ("0s", "must be a time such as"),
        ("", "must be a time such as"),
        ("2026-13-01", "must be a time such as"),
        ("99999999999d", "must be a time such as"),
        ("0001-01-01T00:00+05:00", "must be a time such as"),
        ("2026-11-08..2026-11-01", "must end after it begins"),
        ("2026-11-25", "must begin in the past"),
        ("9999-12-31", "must begin in the past"),
    ],
)
def test_what_is_no_time_is_said(said: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        period(said, NOW)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("24h", "since 2026-11-23 10:02 UTC"),
        ("yesterday", "from 2026-11-23 00:00 to 2026-11-24 00:00 UTC"),
        ("..2026-11-01", "before 2026-11-02 00:00 UTC"),
        ("..", "ever"),
    ],
)
def test_it_is_said_in_words(said: str, words: str) -> None:
    assert period(said, NOW).words() == words


def test_days_are_utc_wherever_the_clock_is() -> None:
    tokyo = NOW.astimezone(datetime.fromisoformat("2026-11-24T00:00:00+09:00").tzinfo)

    assert period("today", tokyo) == period("today", NOW)
    assert moment("2h", tokyo) == NOW - timedelta(hours=2)


@given(st.text("0123456789.-:TZhdwm+y ", max_size=30))
def test_no_text_is_a_bug(said: str) -> None:
    try:
        span = period(said, NOW)
    except ValueError:
        return
    assert span.since is None or span.since < NOW
