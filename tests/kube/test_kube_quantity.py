"""Quantities are exact, in every notation that Kubernetes writes."""

from contextlib import suppress
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.kube.quantity import quantity

DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", Fraction(0)),
        ("250m", Fraction(1, 4)),
        ("123456n", Fraction(123456, 10**9)),
        ("1.5Gi", Fraction(3 * 2**29)),
        ("12e6", Fraction(12_000_000)),
        ("1E3", Fraction(1000)),
        ("1E", Fraction(10**18)),
        ("1Ei", Fraction(2**60)),
        ("1e-3", Fraction(1, 1000)),
        (".5", Fraction(1, 2)),
        ("5.", Fraction(5)),
        ("-2Ki", Fraction(-2048)),
        ("+1k", Fraction(1000)),
    ],
)
def test_each_notation_has_its_value(text: str, value: Fraction) -> None:
    assert quantity(text) == value


@pytest.mark.parametrize(
    "text", ["", " ", "m", "1 Gi", "1KB", "1ki", "0x10", "1e", "--1", "\u0661", "1.2.3", "9" * 99, "1\n"]
)
def test_what_is_no_quantity_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a quantity"):
        quantity(text)


@given(whole=st.integers(0, 10**12), suffix=st.sampled_from([*DECIMAL, *BINARY]))
def test_a_suffix_multiplies_exactly(whole: int, suffix: str) -> None:
    factor = Fraction(10) ** DECIMAL[suffix] if suffix in DECIMAL else Fraction(2) ** BINARY[suffix]

    assert quantity(f"{whole}{suffix}") == whole * factor


@given(st.text(max_size=20))
def test_any_text_is_a_quantity_or_a_value_error(text: str) -> None:
    with suppress(ValueError):
        assert isinstance(quantity(text), Fraction)
