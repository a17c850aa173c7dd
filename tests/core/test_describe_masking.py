"""What looks like a secret is hidden, and what only speaks of one is not."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.describe.masking import hidden, masked, secretive

PRIVATE = "PRIVATE KEY-----"


@pytest.mark.parametrize(
    "name",
    ["password", "DB_PASSWORD", "dbPassword", "jwt.secret", "JWT_SECRET", "apiKey", "API_KEY", "access-key", "token"],
)
def test_a_name_that_promises_a_secret(name: str) -> None:
    assert secretive(name)


@pytest.mark.parametrize(
    "name",
    ["secretName", "secretRef", "tokenPath", "password_file", "max_tokens", "tokenizer", "keyboard", "monkey", ""],
)
def test_a_name_that_only_speaks_of_one(name: str) -> None:
    assert not secretive(name)


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("db.password = hunter2", "db.password = ***"),
        ('  "apiKey": "hunter2",', '  "apiKey": ***'),  # pragma: allowlist secret
        ("export TOKEN=hunter2", "export TOKEN=***"),
        ("jdbc:postgresql://u:hunter2@db:5432/x", "jdbc:postgresql://u:***@db:5432/x"),  # pragma: allowlist secret
        ("feature.new-ui=true", "feature.new-ui=true"),
        ("see https://example.com:8080/path", "see https://example.com:8080/path"),
        (f"-----BEGIN RSA {PRIVATE}\nhunter2\n-----END RSA {PRIVATE}\nnext", "***\nnext"),
        (f"-----BEGIN {PRIVATE}\nhunter2", "***"),
    ],
)
def test_text_keeps_all_but_the_secret(line: str, shown: str) -> None:
    assert hidden(line) == shown


def test_hiding_takes_no_longer_than_the_text_is_long() -> None:
    started = time.perf_counter()
    for text in ("a" * 500_000, "a." * 250_000, "://" * 150_000, "x://y:" * 80_000, "password=" * 50_000):
        hidden(text)

    assert time.perf_counter() - started < 2


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_hiding_twice_changes_nothing_more(value: object) -> None:
    once = masked(value)  # type: ignore[arg-type]  # any JSON

    assert masked(once) == once
