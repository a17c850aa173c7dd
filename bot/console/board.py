"""The messages of a chat as a terminal shows them: posted once, then only what is new in them; and their buttons."""

import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Self

from rich.console import Console, Group, RenderableType
from rich.text import Text as Line

from bot.console.render import headline, message, parts
from bot.core.readable import one_line, readable
from bot.core.reply import Button, Part, Progress, Reply, Tone

_KEPT: Final = 200
"""Messages whose last version is remembered; older ones are not edited any more."""

_PIPE: Final = (100, 24)  # the size of a terminal where there is none and COLUMNS does not say
_ABOUT: Final = 80
_ELAPSED: Final = re.compile(r" · [^·]*$")


@dataclass(slots=True)
class Message:
    """One message: what it answers, its newest version, and the version that stands on the screen."""

    about: str = ""
    reply: Reply = field(default_factory=lambda: Reply(""))
    printed: Reply | None = None


@dataclass(slots=True)
class Board:
    """A `Conversation` on a terminal.

    While a message is `live` (somebody watches it), `redraw` is called for each version and nothing is printed. Of
    the others an `eager` board prints each version, a terminal's only those that have come to something. What is
    printed of a message is what is new in it.
    """

    console: Console
    eager: bool = False
    redraw: Callable[[RenderableType], None] | None = None
    live: str = ""
    gone: bool = False
    """Nobody reads any more: the other end of the pipe is closed."""
    _messages: dict[str, Message] = field(default_factory=dict)
    _last: str = ""  # the message that a reader thinks of

    @classmethod
    def on_terminal(cls) -> Self:
        return cls(Console())

    @classmethod
    def on_pipe(cls) -> Self:
        """Plain text on standard output, 100 columns wide where nothing else is known."""
        width = shutil.get_terminal_size(_PIPE).columns
        return cls(Console(width=width, no_color=True, force_terminal=False), eager=True)

    def open(self, key: str, about: str) -> None:
        """Begin a message; `about` is the line that it answers, named where an edit would not be understood."""
        self._messages[key] = Message(about)
        self._last = key
        while len(self._messages) > _KEPT:
            self._messages.pop(next(iter(self._messages)))

    async def say(self, key: str, reply: Reply) -> None:
        if key not in self._messages:
            self.open(key, "")
        said = self._messages[key]
        said.reply = reply
        if self.redraw is not None and key == self.live:
            self.redraw(message(reply, self._numbers()))
        elif self.eager or (reply.tone is not Tone.WAIT and not _same_words(said)):
            self._print(key)

    def settle(self, key: str) -> None:
        """Print what is new in a message that was live, or was left to itself."""
        if key in self._messages and self._messages[key].reply.headline:
            self._print(key)

    def last(self, key: str) -> Reply | None:
        return self._messages[key].reply if key in self._messages else None

    def about(self, key: str) -> str:
        return self._messages[key].about if key in self._messages else ""

    def about_button(self, wanted: Button) -> str:
        """The line that the message of a button answers."""
        return next((said.about for said in self._messages.values() if wanted in said.reply.buttons()), "")

    def button(self, word: str) -> Button | None:
        """By its number in the newest message that has buttons, or by its label in the newest that has it."""
        if word.isdecimal():
            numbers = self._numbers()
            return next((button for button in self._buttons() if numbers.get(button.id) == int(word)), None)
        wanted = word.casefold()
        return next((button for button in self._buttons() if button.label.casefold() == wanted), None)

    def choices(self) -> tuple[str, ...]:
        """The buttons that have a number, as they are shown."""
        numbers = self._numbers()
        return tuple(f"[{numbers[one.id]}] {one.label}" for one in self._buttons() if one.id in numbers)

    def note(self, text: str, style: str = "") -> None:
        """Print a line of the chat itself: what was typed, a hint."""
        self._write(Line(readable(text), style))

    def _buttons(self) -> Iterator[Button]:
        """All of them, those of the newest message first."""
        for said in reversed(self._messages.values()):
            yield from said.reply.buttons()

    def _numbers(self) -> Mapping[str, int]:
        """The numbers of buttons by id. One message has them: the newest that has buttons, or still may get some."""
        replies = (said.reply for said in reversed(self._messages.values()))
        newest = next((reply for reply in replies if reply.buttons() or _may_grow(reply)), None)
        return {button.id: number for number, button in enumerate(newest.buttons() if newest else (), 1)}

    def _print(self, key: str) -> None:
        said = self._messages[key]
        before, reply = said.printed, said.reply
        if before is not None and _still(before) == _still(reply):
            return
        said.printed = reply
        shown: list[RenderableType] = []
        if before is None:
            shown.append(message(reply, self._numbers()))
        else:
            if said.about and key != self._last:
                shown.append(Line(f"↑ {one_line(said.about, _ABOUT)}", "dim"))
            if key != self._last or (before.headline, before.tone) != (reply.headline, reply.tone):
                shown.append(headline(reply))
            known = _still(before).parts
            fresh = tuple(part for part in reply.parts if _timeless(part) not in known)
            shown.extend(parts(fresh, self._numbers()))
        self._last = key
        self._write(Group(*shown))

    def _write(self, shown: RenderableType) -> None:
        """Print it; into a file or a pipe without the blanks that fill a terminal's lines."""
        if self.console.is_terminal:
            self.console.print(shown)
            return
        with self.console.capture() as capture:
            self.console.print(shown)
        text = "".join(f"{line.rstrip()}\n" for line in capture.get().splitlines())
        try:
            self.console.file.write(text)
            self.console.file.flush()
        except BrokenPipeError:
            self.gone = True
            # What is still buffered would raise again at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), self.console.file.fileno())


def _may_grow(reply: Reply) -> bool:
    return reply.tone is Tone.WAIT or not reply.headline


def _same_words(said: Message) -> bool:
    """Whether the headline stands on the screen already: details that come and go are not worth interrupting for."""
    return said.printed is not None and said.printed.headline == said.reply.headline


def _still(reply: Reply) -> Reply:
    """The reply without what changes by the mere passing of time."""
    return replace(reply, parts=tuple(_timeless(part) for part in reply.parts))


def _timeless(part: Part) -> Part:
    return replace(part, text=_ELAPSED.sub("", part.text)) if isinstance(part, Progress) else part
