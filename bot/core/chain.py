"""The audit's hash chain: each record is sealed with the one before it, so that none is changed, lost or put in unseen.

Pure. Whoever may write to the database can also make a whole new chain; what stops that is a checkpoint, signed and
kept elsewhere (`checkpoint`). `verify` has the walk that says what was found and how far the proof goes.
"""

import hashlib
from dataclasses import fields
from typing import Final

from bot.core.codec import dumps, encode
from bot.core.ledger import Record

GENESIS: Final = "0" * 64
"""What the first record is linked to."""
ALTERED: Final = "ALTERED"
"""The kind of the record that stands for a row which Steersman cannot have written; no other record has it."""


def link(previous: str, seq: int, record: Record) -> str:
    """The hash (SHA-256, hex) that seals a record at its place behind the one whose hash is `previous`.

    A field that holds its default is left out: a later version may give records more fields, and old hashes still hold.
    """
    said = {f.name: encode(value) for f in fields(record) if (value := getattr(record, f.name)) != f.default}
    return hashlib.sha256(dumps([seq, previous, said]).encode()).hexdigest()
