"""One chat at a terminal: who speaks, what a typed line means, and carrying it to the pipeline and back."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from bot.console.board import Board
from bot.core.reply import Button, Reply, Text, Tone
from bot.core.request import Conversation, Request

_LEAVING = frozenset({"quit", "exit", "q"})
_CONFIRM = "confirm "
_BLANKS = "\ufeff\u00a0 \t\r\n"  # a script from another system may begin with a byte order mark


class Road(Protocol):
    """The pipeline, as far as a chat needs it."""

    async def handle(self, request: Request, to: Conversation) -> object: ...

    async def settled(self, request_id: str) -> None: ...

    async def complete(self, actor_id: str, channel: str, text: str) -> tuple[str, ...]: ...


@dataclass(frozen=True, slots=True)
class Speaking:
    """Who may speak here. With one speaker `@name` is off: the operator's own console has nobody else."""

    people: tuple[str, ...]
    channel: str
    prefix: str = "/k8s"


@dataclass(frozen=True, slots=True)
class Say:
    """A command line, spoken by somebody."""

    by: str
    text: str


@dataclass(frozen=True, slots=True)
class Press:
    """A button, pressed by somebody; `word` is its number or label."""

    by: str
    word: str


@dataclass(frozen=True, slots=True)
class Become:
    """From now on somebody else speaks."""

    person: str


@dataclass(frozen=True, slots=True)
class Leave:
    """The chat ends."""


Wish = Say | Press | Become | Leave


class Session:
    """Understands lines and sends them. `speaker` is who the next line is from."""

    def __init__(self, road: Road, board: Board, speaking: Speaking, new_id: Callable[[], str]) -> None:
        self.board = board
        self.speaking = speaking
        self.speaker = speaking.people[0]
        self._road = road
        self._new_id = new_id

    def read(self, line: str) -> Wish:
        """What a line means: `@bob`, `@bob /k8s …`, `2`, `click Undo`, `?`, `quit`, or a command, prefixed or not."""
        by, text = self.speaker, line.strip(_BLANKS)
        if text.startswith("@") and len(self.speaking.people) > 1:
            name, _, rest = text[1:].partition(" ")
            if name and name != "steersman":
                by, text = self._person(name), rest.strip(_BLANKS)
                if not text:
                    return Become(by)
        if text.casefold() in _LEAVING:
            return Leave()
        if text.isdecimal():
            return Press(by, text)
        verb, _, word = text.partition(" ")
        if verb.casefold() == "click" and word:
            return Press(by, word.strip(" []"))
        if verb == self.speaking.prefix:
            text = word.strip(_BLANKS)
        return Say(by, "help" if text == "?" else text)

    async def send(self, wish: Say | Press, key: str) -> Reply | None:
        """Send a wish; its answers are said under `key`. Returns the last one so far."""
        channel = self.speaking.channel
        if isinstance(wish, Say):
            self.board.open(key, wish.text)
            await self._road.handle(Request(key, wish.by, channel, wish.text), self.board)
        elif (button := self.board.button(wish.word)) is not None:
            decides = button.line.startswith(_CONFIRM)
            self.board.open(key, self.board.about_button(button) if decides else button.line)
            await self._road.handle(Request(key, wish.by, channel, button=button.id), self.board)
        else:
            await self.board.say(key, self._no_button(wish.word))
        return self.board.last(key)

    async def settled(self, key: str) -> None:
        """Wait until what a wish began is stuck or has ended."""
        await self._road.settled(key)

    async def complete(self, by: str, text: str) -> tuple[str, ...]:
        return await self._road.complete(by, self.speaking.channel, text)

    def new_key(self) -> str:
        return self._new_id()

    def waits(self, reply: Reply | None) -> Button | None:
        """The Confirm button of an answer that waits for its requester."""
        buttons = reply.buttons() if reply else ()
        return next((button for button in buttons if button.line.startswith(_CONFIRM)), None)

    def _person(self, name: str) -> str:
        """The person who is meant; a name that is nobody's stays, for the policy is the one to refuse a stranger."""
        name = name.rstrip(",:") or name
        return next((known for known in self.speaking.people if known.casefold() == name.casefold()), name)

    def _no_button(self, word: str) -> Reply:
        there = "  ".join(self.board.choices())
        hint = f"There are: {there}" if there else "The newest message has no buttons."
        return Reply(f"There is no button `{word}` to press.", Tone.WARN, (Text(hint),))
