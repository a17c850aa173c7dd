"""What Slack and phones do to typed text, undone; and text cut into words.

The order matters (research/ecosystem.md §1): Slack's own marks first, then what is invisible, then quotes, then words,
and dashes last, because only the start of an unquoted word is an option's dash.
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

from bot.core.errors import UsageError

LONGEST: Final = 4_000
"""Characters of a line; a longer one is a paste, not a command."""

_SHOWN: Final = 60  # characters of a word that an error repeats

_ENTITY: Final = re.compile(r"<(?P<target>[@#!][^<>|\s]+|[a-z][a-z0-9+.-]*:[^<>|]+)(?:\|(?P<label>[^<>]*))?>", re.I)
_ESCAPED: Final = re.compile(r"&(lt|gt|amp);")
_UNESCAPED: Final = {"lt": "<", "gt": ">", "amp": "&"}

# Written as code points: in a source file they look like the plain ones, which is the very trouble.
_DOUBLE: Final = "\u201c\u201d\u201e\u201f\u00ab\u00bb\u2033\uff02"
_SINGLE: Final = "\u2018\u2019\u201a\u201b\u2032\uff07"
_HYPHENS: Final = "\u2010\u2011\ufe63\uff0d"
_DASHES: Final = "\u2012\u2013\u2014\u2015\u2212\ufe58"
_PLAIN: Final = str.maketrans(
    {"`": None}
    | dict.fromkeys(_DOUBLE, '"')
    | dict.fromkeys(_SINGLE, "'")
    | dict.fromkeys(_HYPHENS, "-")  # a hyphen stays one wherever it stands: my-app copied from a web page
)
# Drawn as nothing, though Unicode files them under letters and marks.
_BLANK: Final = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
_INVISIBLE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
_SPACES: Final = frozenset({"Zs", "Zl", "Zp"})

_APOSTROPHE: Final = re.compile(r"(?<=\w)'(?=\w)")
_HELD: Final = "\x01"  # an apostrophe while words are cut; no control character is left in the text by then
_WORD: Final = re.compile(r"""(?:[^\s"']|"[^"]*"|'[^']*')+""")
_QUOTED: Final = re.compile(r""""([^"]*)"|'([^']*)'""")
_DASHED: Final = re.compile(f"[-{_DASHES}]+(?=[A-Za-z0-9])")
_SHORT: Final = re.compile(r"[0-9]|[A-Za-z](?![A-Za-z0-9])")
_SAFE: Final = re.compile(r"[A-Za-z0-9_/.:][A-Za-z0-9_/.:=+,%@-]*(?<![.,:])", re.ASCII)


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a line. A quoted one is only ever itself: never an option, a preposition or a command."""

    text: str
    quoted: bool = False


def plain(text: str) -> str:
    """The line as it was meant: one line, visible characters, straight quotes, no Slack marks, no backticks.

    Control, zero-width and bidi characters are dropped: what is shown afterwards is exactly what will run.
    """
    text = _ESCAPED.sub(lambda found: _UNESCAPED[found[1]], _ENTITY.sub(_entity, text))
    return visible(text).translate(_PLAIN).strip()


def visible(text: str) -> str:
    """Every kind of space and line break as a space; without characters that nobody can see."""
    if text.isascii() and text.isprintable():
        return text
    return _BLANK.sub("", "".join(map(_seen, text)))


def words(text: str) -> tuple[Word, ...]:
    """A line as typed, cut into words.

    Raises:
        UsageError: an unclosed quote, or a line of more than `LONGEST` characters.

    """
    if len(text) > LONGEST:
        raise UsageError(
            f"This line is too long: {len(text):,} characters, and {LONGEST:,} is the most.",
            hint="A command is one short line; `help` shows them.",
        )
    line = _APOSTROPHE.sub(_HELD, plain(text))
    if _WORD.sub("", line).strip():
        raise UsageError(
            "A quote is opened and never closed.", hint="Close it, or put a text with an apostrophe in double quotes."
        )
    return tuple(_word(found[0]) for found in _WORD.finditer(line))


def quote(value: str) -> str:
    """The value as one word that `words` reads back as it is, but for quotes made straight and backticks dropped."""
    if _SAFE.fullmatch(value):
        return value
    value = value.translate(_PLAIN)
    if plain(value) != value:  # it holds what would be undone once more, such as a literal `&lt;`
        value = value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return "'\"'".join(f'"{piece}"' for piece in value.split('"'))


def short(value: str) -> str:
    """The value as an error names it: cut where nobody would read on."""
    return value if len(value) <= _SHOWN else f"{value[:_SHOWN]}…"


def _entity(found: re.Match[str]) -> str:
    target, label = found["target"], found["label"]
    if target[0] in "@#":
        return target
    if target[0] == "!":
        return label or f"@{target[1:]}"
    return label if label and "://" not in label else target


def _seen(char: str) -> str:
    if char.isspace():
        return " "
    category = unicodedata.category(char)
    return " " if category in _SPACES else "" if category in _INVISIBLE else char


def _word(raw: str) -> Word:
    text = _QUOTED.sub(r"\1\2", raw).replace(_HELD, "'")
    if raw[0] in "\"'":
        return Word(text, quoted=True)
    return Word(_dashes(text))


def _dashes(text: str) -> str:
    """Phones make one long dash of two, and a middling one of one: so what follows tells how many were typed."""
    run = _DASHED.match(text)
    if run is None or run[0].isascii():
        return text
    rest = text[run.end() :]
    return ("-" if _SHORT.match(rest) else "--") + rest
