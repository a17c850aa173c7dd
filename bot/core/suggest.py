"""The nearest real names to a mistyped one: one rule for commands, options, apps, namespaces and containers."""

from collections.abc import Iterable, Sequence
from typing import Final

from rapidfuzz import fuzz, process

_NEAR: Final = 73.0  # below it, names of five letters that share two begin to be offered
_BEHIND: Final = 12.0  # a name this much worse than the best one is noise beside it


def nearest(word: str, names: Iterable[str], limit: int = 3) -> tuple[str, ...]:
    """Up to `limit` of the names, best first; none where nothing is near.

    A slip of the finger counts, and so does a piece of a name: `pay` finds `payments`.
    """
    found = process.extract(
        word.lower(), sorted(set(names) - {word}), scorer=fuzz.WRatio, score_cutoff=_NEAR, limit=limit
    )
    return tuple(name for name, score, _ in found if score >= found[0][1] - _BEHIND)


def did_you_mean(names: Sequence[str]) -> str:
    """The question to ask with the nearest names; empty without any."""
    return f"Did you mean {listed(names, 'or')}?" if names else ""


def listed(names: Sequence[str], link: str = "and") -> str:
    """Names in words: a, b and c, each in backticks."""
    quoted = [f"`{name}`" for name in names]
    return f" {link} ".join([", ".join(quoted[:-1]), quoted[-1]] if len(quoted) > 1 else quoted)
