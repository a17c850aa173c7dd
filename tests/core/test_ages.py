"""Ages in words."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.core.ages import age, ago, span

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (timedelta(0), "0 s"),
        (timedelta(seconds=5.9), "5 s"),
        (timedelta(seconds=89), "89 s"),
        (timedelta(seconds=90), "1 m"),
        (timedelta(minutes=4, seconds=59), "4 m"),
        (timedelta(minutes=89), "89 m"),
        (timedelta(minutes=90), "1 h"),
        (timedelta(hours=47), "47 h"),
        (timedelta(days=2), "2 d"),
        (timedelta(days=400), "400 d"),
        (timedelta(days=800), "2 y"),
    ],
)
def test_a_duration_is_said_in_one_unit(length: timedelta, words: str) -> None:
    assert span(length) == words


def test_a_time_in_the_future_is_no_negative_age() -> None:
    assert age(NOW + timedelta(seconds=30), NOW) == "0 s"


def test_a_sentence_says_ago_except_for_this_very_moment() -> None:
    assert ago(NOW, NOW) == "just now"
    assert ago(NOW - timedelta(days=6), NOW) == "6 d ago"
