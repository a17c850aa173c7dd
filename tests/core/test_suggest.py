import pytest

from bot.core.suggest import did_you_mean, listed, nearest

_NAMES = ("deploy", "events", "history", "logs", "nodes", "pods", "restart", "scale", "status", "undo", "versions")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("staus", "status"), ("sacle", "scale"), ("dpeloy", "deploy"), ("lgos", "logs"), ("log", "logs"),
        ("node", "nodes"), ("POD", "pods"), ("restrat", "restart"), ("vers", "versions"),
    ],
)  # fmt: skip
def test_a_slip_or_a_piece_finds_the_name(typed: str, meant: str) -> None:
    assert nearest(typed, _NAMES)[0] == meant


def test_a_piece_of_a_longer_name_is_enough() -> None:
    assert nearest("pay", ["checkout", "payments", "shop-payments"]) == ("payments", "shop-payments")


@pytest.mark.parametrize("typed", ["", "x", "zzz", "kubernetes"])
def test_what_resembles_nothing_finds_nothing(typed: str) -> None:
    assert nearest(typed, _NAMES) == ()


def test_what_is_far_behind_the_best_is_left_out() -> None:
    assert nearest("stat", _NAMES) == ("status",)


def test_names_are_read_as_a_sentence() -> None:
    assert did_you_mean(()) == ""
    assert did_you_mean(("a",)) == "Did you mean `a`?"
    assert did_you_mean(("a", "b", "c")) == "Did you mean `a`, `b` or `c`?"
    assert listed(["a", "b"]) == "`a` and `b`"
    assert listed([]) == ""
