"""Checkpoints: the bot says now and then, signed and where its database cannot reach, how its audit stood.

A checkpoint is one line of the standard output, `{"checkpoint":{…}}`; whoever keeps that log can prove later that no
record up to it was changed. Signing and checking signatures are passed in: the keys are `bot.seal`'s.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeAlias

from bot.core.plan import JsonValue

_MARK: Final = '{"checkpoint":'
_SPOKEN: Final = "steersman audit checkpoint"


@dataclass(frozen=True, slots=True)
class Head:
    """Where a chain ends: the number of its last record and that record's hash. `seq` 0 is the empty chain."""

    seq: int
    hash: str


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How the chain stood at a time. `signature` is hex, over `statement`."""

    seq: int
    hash: str
    at: datetime
    signature: str = ""

    @property
    def statement(self) -> bytes:
        """What is signed."""
        return f"{_SPOKEN}\n{self.seq}\n{self.hash}\n{self.at.isoformat()}\n".encode()


Sign: TypeAlias = Callable[[bytes], str]
"""A statement in, its signature (hex) out."""
Trusts: TypeAlias = Callable[[bytes, str], bool]
"""Whether a signature (hex, or anything else that stood there) is that of a statement by a key that one trusts."""


def to_line(checkpoint: Checkpoint) -> str:
    """The line of a log, without its end."""
    said = {
        "seq": checkpoint.seq,
        "hash": checkpoint.hash,
        "at": checkpoint.at.isoformat(),
        "signature": checkpoint.signature,
    }
    return json.dumps({"checkpoint": said}, separators=(",", ":"))


def from_lines(lines: Iterable[str]) -> Iterator[Checkpoint]:
    """The checkpoints of a log, in its order. Other lines are passed over, and so is what a log puts before a line.

    Raises ValueError, with a sentence, for a line that is a checkpoint and cannot be read.
    """
    for number, line in enumerate(lines, start=1):
        _, mark, rest = line.partition(_MARK)
        if mark:
            yield _read(number, rest)


def _read(number: int, text: str) -> Checkpoint:
    try:
        said: JsonValue = json.JSONDecoder().raw_decode(text.lstrip())[0]
        match said:
            case {"seq": int(seq), "hash": str(sealed), "at": str(at), "signature": str(signature)} if seq > 0:
                return Checkpoint(seq, sealed, datetime.fromisoformat(at), signature)
            case _:
                pass
    except ValueError:
        pass
    raise ValueError(f"Line {number} is a checkpoint that cannot be read.")
