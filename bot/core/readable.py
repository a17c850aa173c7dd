"""Text that was meant for a terminal, made plain: escape sequences and control characters taken out."""

import re
from typing import Final

# ECMA-48: control sequences (colours, cursor), operating system commands (titles, links), other escapes.
_ESCAPES: Final = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[ -/]*[0-~]|\x1b")
_LINE_ENDS: Final = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")


def readable(text: str) -> str:
    """The text without escapes, controls, and invisible or direction-changing characters; lines and tabs are kept."""
    if text.isprintable():  # nearly every cell of every table: nothing in it is to be taken out
        return text
    lines = _LINE_ENDS.sub("\n", _ESCAPES.sub("", text))
    return "".join(c for c in lines if c in "\n\t" or c.isprintable() or c == "\u00a0")


def one_line(text: str, limit: int) -> str:
    """One line of readable words, at most `limit` characters."""
    line = " ".join(readable(text).split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"
