"""Canaries: values that must never be seen again, and the search for them in whatever form they may have taken.

The forms are made here without the code under test. A fragment of eight characters counts as found, so that no value
gets out in pieces either; what is searched is also searched without its blanks and quotes.
"""

import base64
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from string import ascii_letters, digits
from urllib.parse import quote, quote_plus

_FRAGMENT = 8
_MARKS = "&%+/=?#\"'\\<>é "


def canary(chance: Random) -> str:
    """Letters and digits with one of each mark that some encoding changes."""
    letters = [chance.choice(ascii_letters + digits) for _ in range(30)]
    for mark in _MARKS:
        letters.insert(chance.randrange(1, len(letters) - 1), mark)
    return "".join(letters)


def forms(value: str) -> dict[str, str]:
    """The ways in which error texts, logs and dumps repeat a value."""
    raw = value.encode()
    return {
        "raw": value,
        "base64": base64.b64encode(raw).decode(),
        "base64url": base64.urlsafe_b64encode(raw).decode(),
        "hexadecimal": raw.hex(),
        "URL": quote(value, safe=""),
        "form": quote_plus(value),
        "JSON": json.dumps(value)[1:-1],
        "JSON twice": json.dumps(json.dumps(value))[1:-1],
        "broken": f"{value[:17]}\n    {value[17:33]}\n    {value[33:]}",
        "quoted pieces": f'{value[:20]}" +\n  "{value[20:]}',
    }


@dataclass(frozen=True)
class Flock:
    """All canaries of a test by what they are called."""

    values: dict[str, str]

    def found_in(self, text: str) -> list[str]:
        """Which of them stand in a text, and how."""
        whole, tight = text.casefold(), _tight(text)
        return [
            f"{name} ({form})"
            for name, value in self.values.items()
            for form, written in forms(value).items()
            if any(piece in whole for piece in _fragments(written.casefold()))
            or any(piece in tight for piece in _fragments(_tight(written)))
        ]


def _fragments(text: str) -> Iterator[str]:
    return (text[at : at + _FRAGMENT] for at in range(len(text) - _FRAGMENT + 1))


def _tight(text: str) -> str:
    return re.sub(r"\\[nrt]|[\s\"'\\+|>]", "", text).casefold()
