"""Kubernetes quantities ("250m", "1.5Gi", "12e6") as exact numbers (k8s.io/apimachinery/pkg/api/resource)."""

import re
from fractions import Fraction
from typing import Final

_FORM: Final = re.compile(r"([+-]?)(\d+\.?\d*|\.\d+)(?:([eE])([+-]?\d{1,3})|(n|u|m|k|[MGTPE]i?|Ki)?)")
_DECIMAL: Final = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY: Final = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_LONGEST: Final = 64


def quantity(text: str) -> Fraction:
    """The value in base units (cores, bytes). Raises ValueError for what is no quantity."""
    match = _FORM.fullmatch(text) if len(text) <= _LONGEST and text.isascii() else None
    if match is None:
        raise ValueError(f"not a quantity: {text[:_LONGEST]!r}")
    sign, digits, exponential, exponent, suffix = match.groups()
    value = Fraction(digits.removesuffix("."))
    if exponential:
        value *= Fraction(10) ** int(exponent)
    elif (suffix or "") in _DECIMAL:
        value *= Fraction(10) ** _DECIMAL[suffix or ""]
    else:
        value *= 2 ** _BINARY[suffix]
    return -value if sign == "-" else value
