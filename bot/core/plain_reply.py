"""A reply as a door may have it: every word readable, whatever a cluster or a person put into it."""

from collections.abc import Callable
from dataclasses import replace
from typing import assert_never

from bot.core.readable import readable
from bot.core.reply import Button, Buttons, Code, Diff, Fields, Note, Part, Progress, Reply, Table, Text


def plain_reply(reply: Reply) -> Reply:
    """The reply without escape sequences, controls, and invisible or direction-changing characters."""
    parts = tuple(reworded(part, readable) for part in reply.parts)
    return replace(reply, headline=readable(reply.headline), place=readable(reply.place), parts=parts)


def reworded(part: Part, words: Callable[[str], str]) -> Part:
    """The part with each of its texts as `words` makes it."""
    match part:
        case Text(text) | Note(text):
            return replace(part, text=words(text))
        case Fields(items):
            return Fields(tuple((words(label), words(value)) for label, value in items))
        case Table(columns, rows):
            return replace(part, columns=_all(columns, words), rows=tuple(_all(row, words) for row in rows))
        case Code(text, title, cut):
            return Code(words(text), words(title), words(cut))
        case Diff(title, lines):
            return Diff(words(title), tuple((sign, words(line)) for sign, line in lines))
        case Progress(text=text):
            return replace(part, text=words(text))
        case Buttons(items):
            return Buttons(tuple(_button(button, words) for button in items))
        case _:
            assert_never(part)


def _button(button: Button, words: Callable[[str], str]) -> Button:
    return replace(button, label=words(button.label), line=words(button.line), ask=words(button.ask))


def _all(texts: tuple[str, ...], words: Callable[[str], str]) -> tuple[str, ...]:
    return tuple(words(text) for text in texts)
