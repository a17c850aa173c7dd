"""The terminal itself, apart from what is drawn on it: keys typed between two prompts, and Ctrl-C."""

import asyncio
import signal
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from prompt_toolkit.input import Input
from prompt_toolkit.input.typeahead import clear_typeahead

_LOCAL: Final = 3  # the index of the local modes in what tcgetattr returns


@contextmanager
def silent() -> Iterator[None]:
    """Keys typed between two prompts are not echoed into what is drawn there; they wait for the next prompt."""
    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    quiet = termios.tcgetattr(terminal)
    quiet[_LOCAL] &= ~(termios.ECHO | termios.ICANON)
    termios.tcsetattr(terminal, termios.TCSADRAIN, quiet)
    try:
        yield
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)


@contextmanager
def interruptible() -> Iterator[asyncio.Future[None]]:
    """Give a future that Ctrl-C completes, instead of ending the program."""
    loop = asyncio.get_running_loop()
    interrupted: asyncio.Future[None] = loop.create_future()

    def interrupt() -> None:
        if not interrupted.done():
            interrupted.set_result(None)

    loop.add_signal_handler(signal.SIGINT, interrupt)
    try:
        yield interrupted
    finally:
        loop.remove_signal_handler(signal.SIGINT)


def forget_typed(keys: Input) -> None:
    """Drop what was typed before one could see what is asked."""
    termios.tcflush(keys.fileno(), termios.TCIFLUSH)
    clear_typeahead(keys)
