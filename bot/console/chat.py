"""The chat at a terminal: a prompt with history and completion, messages edited in place, and the guided tour."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from typing import assert_never

from prompt_toolkit import PromptSession
from prompt_toolkit.application.current import get_app
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.filters import Condition
from prompt_toolkit.formatted_text import FormattedText
from prompt_toolkit.history import InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.keys import Keys
from prompt_toolkit.patch_stdout import patch_stdout
from rich.console import RenderableType
from rich.live import Live
from rich.text import Text as Line

from bot.console.session import Become, Leave, Press, Say, Session
from bot.console.terminal import forget_typed, interruptible, silent
from bot.console.tour import Stop
from bot.core.readable import readable


@dataclass(slots=True)
class Chat:
    """The loop. `confirms`: what waits for its requester is asked about at the prompt at once."""

    session: Session
    header: str
    stops: Sequence[Stop] = ()
    farewell: str = ""
    confirms: bool = False
    _at: int = 0
    _left: set[asyncio.Task[None]] = field(default_factory=set)
    _prompt: "PromptSession[str]" = field(init=False)

    def __post_init__(self) -> None:
        self._prompt = PromptSession(
            history=InMemoryHistory(),
            completer=_Words(self.session),
            complete_while_typing=False,
            key_bindings=self._keys(),
        )

    async def run(self) -> None:
        """Until `quit`, Ctrl-D or the end of the input."""
        board = self.session.board
        board.note(self.header, "dim")
        self._go_to(0)
        self._explain()
        with silent():
            await self._talk()
        for task in self._left:
            board.note(f"Not followed any further: {task.get_name()}")

    async def _talk(self) -> None:
        going = True
        while going:
            try:
                with patch_stdout(raw=True):
                    typed = await self._prompt.prompt_async(self._message, placeholder=self._ghost)
            except KeyboardInterrupt:
                self.session.board.note("`quit` or Ctrl-D leaves.", "dim")
                continue
            except EOFError:
                return
            # A paste may hold several lines; each is a command.
            for line in filter(str.strip, typed.splitlines()):
                going = going and await self._perform(line)

    async def _perform(self, line: str) -> bool:
        """Do what a line says. Returns False when the chat is to end."""
        wish = self.session.read(line)
        match wish:
            case Leave():
                return False
            case Become(person):
                self.session.speaker = person
            case Say() | Press():
                stop = self._stop()
                if isinstance(wish, Say) or await self._sure(wish):
                    await self._watch(wish)
                if stop is not None and wish == self.session.read(f"@{stop.by} {stop.line}"):
                    self._go_to(self._at + 1)
                self._explain()
            case _:
                assert_never(wish)
        return True

    async def _watch(self, wish: Say | Press) -> None:
        """Send a wish and watch its message in place until it is settled; Ctrl-C leaves it to itself."""
        board, key = self.session.board, self.session.new_key()
        task = asyncio.create_task(self._carry(wish, key))
        live = Live(Line("…", "dim"), console=board.console, auto_refresh=False, transient=True)
        with live, interruptible() as interrupted:

            def redraw(shown: RenderableType) -> None:
                live.update(shown, refresh=True)

            board.redraw, board.live = redraw, key
            try:
                await asyncio.wait({task, interrupted}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                board.redraw, board.live = None, ""
        board.settle(key)
        if not task.done():
            board.note("Left to itself: how it ends is told here.", "dim")
            self._leave(task, key)
            return
        await task
        if self.confirms and (button := self.session.waits(board.last(key))) is not None:
            yes = await self._asks("Apply? [y/N] ")
            await self._watch(Press(wish.by, button.label if yes else "Cancel"))

    async def _carry(self, wish: Say | Press, key: str) -> None:
        await self.session.send(wish, key)
        await self.session.settled(key)

    def _leave(self, task: asyncio.Task[None], key: str) -> None:
        board = self.session.board
        task.set_name(board.about(key))
        self._left.add(task)

        def come_back(done: asyncio.Task[None]) -> None:
            self._left.discard(done)
            board.settle(key)

        task.add_done_callback(come_back)

    async def _sure(self, press: Press) -> bool:
        button = self.session.board.button(press.word)
        return button is None or not button.ask or await self._asks(f"{button.ask} Sure? [y/N] ")

    async def _asks(self, question: str) -> bool:
        prompt = PromptSession[str]()
        forget_typed(prompt.input)
        try:
            with patch_stdout(raw=True):
                answer = await prompt.prompt_async(question)
        except (KeyboardInterrupt, EOFError):
            return False
        return answer.strip().casefold() in {"y", "yes"}

    def _stop(self) -> Stop | None:
        return self.stops[self._at] if self._at < len(self.stops) else None

    def _go_to(self, at: int) -> None:
        """Go to a step and give its person the floor; behind the last one, say goodbye."""
        self._at = at
        if (stop := self._stop()) is not None:
            self.session.speaker = stop.by
        elif self.stops:
            self.session.board.note(f"\n{self.farewell}", "dim")

    def _explain(self) -> None:
        """Say what the next step shows."""
        stop = self._stop()
        self.session.board.note(f"\n{stop.why}" if stop is not None else "", "italic")

    def _message(self) -> FormattedText:
        """Who speaks; and, as long as nothing is typed, that Enter runs the tour's next step."""
        if len(self.session.speaking.people) == 1:
            return FormattedText([("bold", "▸ ")])
        stop, speaker = self._stop(), f"@{self.session.speaker}"
        if stop is not None and stop.by == self.session.speaker and not self._prompt.default_buffer.text:
            return FormattedText([("bold", speaker), ("", " · Press Enter to run ▸ ")])
        return FormattedText([("bold", f"{speaker} ▸ ")])

    def _ghost(self) -> FormattedText:
        """What Enter would run."""
        stop = self._stop()
        if stop is None:
            return FormattedText([])
        other = "" if stop.by == self.session.speaker else f"Enter, as @{stop.by}: "
        return FormattedText([("ansibrightblack", f"{other}{stop.line}")])

    def _keys(self) -> KeyBindings:
        keys = KeyBindings()
        people = self.session.speaking.people
        empty = Condition(lambda: not get_app().current_buffer.text)

        @keys.add("tab", filter=empty & Condition(lambda: len(people) > 1))
        def _(event: KeyPressEvent) -> None:
            at = people.index(self.session.speaker) if self.session.speaker in people else -1
            self.session.speaker = people[(at + 1) % len(people)]
            event.app.invalidate()

        @keys.add(Keys.BracketedPaste)
        def _(event: KeyPressEvent) -> None:
            event.current_buffer.insert_text(readable(event.data).strip("\n"))

        @keys.add("enter", filter=empty & Condition(lambda: self._stop() is not None))
        def _(event: KeyPressEvent) -> None:
            if (stop := self._stop()) is not None:
                self.session.speaker = stop.by
                event.current_buffer.text = stop.line
                event.current_buffer.validate_and_handle()

        return keys


class _Words(Completer):
    """Completes the last word: people, commands, options, and the names of apps."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> list[Completion]:
        return []

    async def get_completions_async(
        self, document: Document, complete_event: CompleteEvent
    ) -> AsyncGenerator[Completion, None]:
        typed = document.text_before_cursor
        people = self._session.speaking.people
        if typed.startswith("@") and " " not in typed and len(people) > 1:
            for person in people:
                if person.startswith(typed[1:]):
                    yield Completion(f"{person} ", start_position=1 - len(typed))
            return
        wish = self._session.read(typed)
        if not isinstance(wish, Say):
            return
        ends = typed[-1:].isspace()
        last = "" if ends or not wish.text else wish.text.split()[-1]
        for word in await self._session.complete(wish.by, f"{wish.text} " if ends and wish.text else wish.text):
            yield Completion(word, start_position=-len(last))
