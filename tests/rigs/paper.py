"""What a chat prints where nobody can be drawn for, kept to be read: a board whose pipe is a string."""

import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from io import StringIO

from rich.console import Console

from bot.console.board import Board
from bot.console.script import run_script
from bot.console.session import Road, Session, Speaking
from bot.core.reply import Reply


@dataclass
class Paper:
    """A board, as wide as one likes. At a `terminal` it prints only what has come to something."""

    width: int = 100
    terminal: bool = False
    file: StringIO = field(default_factory=StringIO)

    def __post_init__(self) -> None:
        console = Console(file=self.file, width=self.width, no_color=True, force_terminal=False)
        self.board = Board(console, eager=not self.terminal)

    @property
    def text(self) -> str:
        return self.file.getvalue()

    def tear(self) -> str:
        """What was printed since the last time."""
        text = self.text
        self.file.seek(0)
        self.file.truncate()
        return text


async def shown(reply: Reply, width: int = 100) -> str:
    """A reply as a script prints it."""
    paper = Paper(width)
    await paper.board.say("r1", reply)
    return paper.text


def session(road: Road, paper: Paper, *people: str) -> Session:
    ids = itertools.count(1)
    return Session(road, paper.board, Speaking(people or ("alice", "bob"), "shop"), lambda: f"s{next(ids)}")


async def play(chat: Session, script: str, *, confirms: bool = False) -> None:
    """Run a script, a line each."""

    async def lines() -> AsyncIterator[str]:
        for line in script.splitlines(keepends=True):
            yield line

    await run_script(chat, lines(), confirms=confirms)
