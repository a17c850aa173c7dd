"""What the bot answers, as values: a `Reply` and its closed set of parts. Renderers (console, Slack) live elsewhere.

All text in here is plain and untrusted: no markup, no mentions. A renderer escapes every string that it shows.
The only marks it may honour are backticks around a word, which mean "code".
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Self, TypeAlias


class Tone(StrEnum):
    """How a reply sounds: chooses the mark before the headline (✓, ✗, …), never the words."""

    PLAIN = "plain"
    GOOD = "good"
    BAD = "bad"
    WARN = "warn"
    WAIT = "wait"


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph; line breaks are kept."""

    text: str


@dataclass(frozen=True, slots=True)
class Note:
    """Something worth knowing beside the point ("an HPA owns the replicas"). `tone` WARN draws attention."""

    text: str
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True, slots=True)
class Fields:
    """Label and value pairs, in order."""

    items: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under headers. `total` is the number of rows that exist where not all are given."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Code:
    """Preformatted text (logs, YAML). `cut` says in words what was left out."""

    text: str
    title: str = ""
    cut: str = ""


class Sign(StrEnum):
    """What a line of a diff is."""

    GONE = "-"
    NEW = "+"
    SAME = " "
    WHERE = "@"


@dataclass(frozen=True, slots=True)
class Diff:
    """The change of one object: `title` names it, each line has its sign."""

    title: str
    lines: tuple[tuple[Sign, str], ...]


@dataclass(frozen=True, slots=True)
class Progress:
    """A rollout under way: `done` of `total` pods, and the sentence beside the bar."""

    done: int
    total: int
    text: str


class Style(StrEnum):
    """How a button looks."""

    PLAIN = "plain"
    PRIMARY = "primary"
    DANGER = "danger"


@dataclass(frozen=True, slots=True)
class Button:
    """A stored command line. `ask` is the sentence of a confirm dialog, empty for none; `only` who may press it.

    `id` is empty until the pipeline has stored the line.
    """

    label: str
    line: str
    style: Style = Style.PLAIN
    ask: str = ""
    only: str = ""
    id: str = ""


@dataclass(frozen=True, slots=True)
class Buttons:
    """A row of buttons."""

    items: tuple[Button, ...]


Part: TypeAlias = Text | Note | Fields | Table | Code | Diff | Progress | Buttons


@dataclass(frozen=True, slots=True)
class Reply:
    """One message. `place` is where it speaks of ("prod/shop"), shown first; `headline` is a complete sentence."""

    headline: str
    tone: Tone = Tone.PLAIN
    parts: tuple[Part, ...] = ()
    place: str = ""

    def plus(self, *parts: Part) -> Self:
        return replace(self, parts=(*self.parts, *parts))

    def buttons(self) -> tuple[Button, ...]:
        return tuple(button for part in self.parts if isinstance(part, Buttons) for button in part.items)


def fields(items: Iterable[tuple[str, str | None]]) -> Fields:
    """Fields without the empty ones."""
    return Fields(tuple((label, value) for label, value in items if value))
