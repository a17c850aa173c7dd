"""Kubernetes quantities (``500m``, ``1.5Gi``): their value and the one way the server writes them back."""

from __future__ import annotations

import re
from fractions import Fraction
from functools import cache

_BINARY = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "Pi": 2**50, "Ei": 2**60}
_DECIMAL = {
    "n": Fraction(1, 10**9),
    "u": Fraction(1, 10**6),
    "m": Fraction(1, 1000),
    "": Fraction(1),
    "k": Fraction(10**3),
    "M": Fraction(10**6),
    "G": Fraction(10**9),
    "T": Fraction(10**12),
    "P": Fraction(10**15),
    "E": Fraction(10**18),
}
_FORM = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(Ki|Mi|Gi|Ti|Pi|Ei|[numkMGTPE]|[eE][+-]?\d+)?")


@cache
def value_of(text: str) -> Fraction:
    """Return the exact value in the unit itself (cores, bytes); raises ValueError."""
    found = _FORM.fullmatch(text)
    if found is None:
        raise ValueError(f"not a quantity: {text!r}")
    number, suffix = Fraction(found[1]), found[2] or ""
    if suffix in _BINARY:
        return number * _BINARY[suffix]
    if suffix in _DECIMAL:
        return number * _DECIMAL[suffix]
    return number * Fraction(10) ** int(suffix[1:])


@cache
def canonical(text: str) -> str:
    """Return the quantity with the largest suffix that needs no fraction, as resource.Quantity's String() does.

    The family of suffixes (binary, decimal, exponent) stays. Raises ValueError.
    """
    value = value_of(text)
    if re.search(r"[eE][+-]?\d+$", text):
        return text
    if text.endswith("i") and value.denominator == 1:
        units = [*reversed(_BINARY.items()), ("", 1)]
        return next(f"{int(value / unit)}{suffix}" for suffix, unit in units if (value / unit).denominator == 1)
    if value == 0:
        return "0"
    for suffix, scale in reversed(_DECIMAL.items()):
        if (value / scale).denominator == 1:
            return f"{int(value / scale)}{suffix}"
    return f"{-(-value * 10**9 // 1)}n"  # finer than a billionth is rounded up
