"""What looks like a secret is hidden, and what only speaks of one is not."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.diff import changes
from bot.core.masking import discloses, hidden, masked, secretive, secrets_in, without
from bot.core.plan import Json

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


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("env DB_PASSWORD=hunter2 is not allowed", "env DB_PASSWORD=*** is not allowed"),
        ('bad: {"apiKey":"hunter2","color":"blue"}', 'bad: {"apiKey":***,"color":"blue"}'),  # pragma: allowlist secret
        ('{"name":"DB_PASSWORD","value":"hunter2"} is odd', '{"name":"DB_PASSWORD","value":***} is odd'),
        ("EnvVar{Name:DB_PASSWORD,Value:hunter2,}", "EnvVar{Name:DB_PASSWORD,Value:***"),
        ("kubectl set env deploy/x TOKEN='hunter 2' --record", "kubectl set env deploy/x TOKEN=*** --record"),
        ('exec ["run","--db-password","hunter2"]', 'exec ["run","--db-password",***]'),
        ("authorization: Bearer abcdefghij0123456789", "authorization: Bearer ***"),
        # What only speaks of secrets is left as it is: these say why a pod does not start.
        ('secret "db-password" not found', 'secret "db-password" not found'),
        ("couldn't find key password in Secret shop/db", "couldn't find key password in Secret shop/db"),
        (
            "failed to fetch anonymous token: unexpected status: 401",
            "failed to fetch anonymous token: unexpected status: 401",
        ),
        ("the flag --token-file=/run/x is fine", "the flag --token-file=/run/x is fine"),
    ],
)
def test_a_sentence_keeps_all_but_the_secret(said: str, shown: str) -> None:
    assert hidden(said) == shown


def test_the_values_of_an_object_are_known() -> None:
    found = secrets_in(
        {
            "env": [{"name": "DB_PASSWORD", "value": "hunter2-x"}, {"name": "COLOR", "value": "turquoise-1"}],
            "args": ["--api-token", "s3cr3t-0", "--verbose"],
            "url": "postgres://bob:pa55-word@db/x",  # pragma: allowlist secret
        },
        {"kind": "Secret", "data": {"pin": "NDcxMS00NzEx"}, "stringData": {"puk": "0815-0815"}},
    )

    assert found == {"hunter2-x", "s3cr3t-0", "pa55-word", "4711-4711", "0815-0815"}


def test_a_plain_word_as_a_password_does_not_take_the_word_out_of_every_sentence() -> None:
    known = secrets_in({"env": [{"name": "PGPASSWORD", "value": "postgres"}, {"name": "TOKEN", "value": "x1"}]})

    assert without("Pulling image postgres:16, x1 of 3", known) == "Pulling image postgres:16, x1 of 3"


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("value hunter2-Ünd-more! is odd", "value *** is odd"),
        ("value HUNTER2-ünd-MORE! is odd", "value *** is odd"),
        ('"hunter2-\\u00dcnd-more!"', '"***"'),
        ("hunter2-%C3%9Cnd-more%21", "***"),
        ("aHVudGVyMi3DnG5kLW1vcmUh", "***"),
        ("hunter2-\n  Ünd-more!", "***"),
        ("cut off: hunter2-Ün…", "cut off: ***…"),
        ("nothing of it", "nothing of it"),
    ],
)
def test_a_known_value_is_found_in_every_form(said: str, shown: str) -> None:
    assert without(said, {"hunter2-Ünd-more!"}) == shown


@given(st.text(max_size=60), st.text(min_size=8, max_size=40), st.text(max_size=60))
def test_without_leaves_no_value_and_loses_nothing_around_it(before: str, secret: str, after: str) -> None:
    known = secrets_in({"password": secret})
    said = without(f"{before}{secret}{after}", known)

    if known:
        assert secret.strip() not in said
    assert without("", known) == ""
    assert without(said, frozenset()) == said


def test_a_long_text_costs_no_more_than_its_length() -> None:
    began = time.perf_counter()

    without("a=b " * 50_000, {"x" * 4_000, "hunter2-hunter2"})
    hidden("DB_PASSWORD=" * 20_000)
    hidden("\\" * 50_000 + "'" * 50_000 + "=" * 1000)

    assert time.perf_counter() - began < 5


def env(name: str, value: str) -> Json:
    return {"spec": {"containers": [{"name": "web", "image": "web:v1", "env": [{"name": name, "value": value}]}]}}


def test_a_change_of_a_secretive_variable_is_told_without_its_values() -> None:
    (change,) = changes(env("DB_PASSWORD", "hunter2"), env("DB_PASSWORD", "hunter3"))

    assert change.path == "spec.containers[name=web].env[name=DB_PASSWORD].value"
    assert (change.before, change.after) == ("*** (before)", "*** (after)")


def test_a_change_of_any_other_variable_is_told_in_full() -> None:
    (change,) = changes(env("COLOR", "blue"), env("COLOR", "red"))

    assert (change.before, change.after) == ("blue", "red")


def test_a_secretive_variable_that_comes_or_goes_is_told_without_its_value() -> None:
    (new,) = changes(env("COLOR", "blue"), {**env("COLOR", "blue"), "password": "hunter2"})
    (gone,) = changes({"data": {"db.password": "hunter2"}}, {"data": {}})

    assert (new.before, new.after) == (None, "***")
    assert (gone.before, gone.after) == ("***", None)


def test_a_whole_container_that_is_new_hides_what_is_in_it() -> None:
    (change,) = changes({}, env("DB_PASSWORD", "hunter2"))

    assert "hunter2" not in str(change)
    assert "DB_PASSWORD" in str(change)


def test_a_body_discloses_what_would_be_hidden_in_it() -> None:
    assert discloses(env("DB_PASSWORD", "hunter2"))
    assert not discloses(env("COLOR", "blue"))
    assert not discloses({"args": ("--color", "blue")})
