"""A reply as a door may have it: every word readable, whatever a cluster or a person put into it."""

from dataclasses import replace
from typing import assert_never

from bot.core.readable import readable
from bot.core.reply import Button, Buttons, Code, Diff, Fields, Note, Part, Progress, Reply, Table, Text


def plain_reply(reply: Reply) -> Reply:
    """The reply without escape sequences, controls, and invisible or direction-changing characters."""
    parts = tuple(_part(part) for part in reply.parts)
    return replace(reply, headline=readable(reply.headline), place=readable(reply.place), parts=parts)


def _part(part: Part) -> Part:
    match part:
        case Text(text) | Note(text):
            return replace(part, text=readable(text))
        case Fields(items):
            return Fields(tuple((readable(label), readable(value)) for label, value in items))
        case Table(columns, rows):
            return replace(part, columns=_all(columns), rows=tuple(_all(row) for row in rows))
        case Code(text, title, cut):
            return Code(readable(text), readable(title), readable(cut))
        case Diff(title, lines):
            return Diff(readable(title), tuple((sign, readable(line)) for sign, line in lines))
        case Progress(text=text):
            return replace(part, text=readable(text))
        case Buttons(items):
            return Buttons(tuple(_button(button) for button in items))
        case _:
            assert_never(part)


def _button(button: Button) -> Button:
    return replace(button, label=readable(button.label), line=readable(button.line), ask=readable(button.ask))


def _all(texts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(readable(text) for text in texts)
