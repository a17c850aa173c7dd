"""ConfigMap (keys, sizes, short contents) and Secret (keys and sizes, never a value) in words."""

import binascii
from base64 import b64decode
from collections.abc import Iterator
from datetime import datetime

from bot.core.describe.metadata import about
from bot.core.describe.tree import mapping, text
from bot.core.masking import MASK, hidden, secretive
from bot.core.plan import Json
from bot.core.reply import Code, Note, Part, Table, Text, fields

_LINES = 20
_CHARACTERS = 800
_ALL_CHARACTERS = 6000


def config_map(manifest: Json, now: datetime) -> tuple[Part, ...]:
    """Keys and sizes, then the contents, long ones cut. What looks like a password is hidden."""
    data = {key: text(value) for key, value in mapping(manifest, "data").items()}
    binary = mapping(manifest, "binaryData")
    rows = (
        *((key, size(len(value.encode())), str(len(value.splitlines()))) for key, value in data.items()),
        *((key, size(_decoded_length(text(value))), "binary") for key, value in binary.items()),
    )
    table = Table(("Key", "Size", "Lines"), rows) if rows else Text("It holds no keys.")
    return (*_unchangeable(manifest), table, *_contents(data), about(manifest, now))


def secret(manifest: Json, now: datetime) -> tuple[Part, ...]:
    """Type, keys and sizes. Annotations are named only: a copy of the applied object holds the values."""
    data = mapping(manifest, "data")
    rows = tuple((key, size(_decoded_length(text(value)))) for key, value in data.items())
    table = Table(("Key", "Size"), rows) if rows else Text("It holds no keys.")
    return (
        fields([("Type", text(manifest, "type"))]),
        *_unchangeable(manifest),
        table,
        Note("Values of Secrets are never shown here."),
        about(manifest, now, annotation_values=False),
    )


def size(count: int) -> str:
    """Bytes in words: `512 B`, `1.5 KiB`."""
    if count < 1024:
        return f"{count} B"
    amount, unit = (count / 1024, "KiB") if count < 1024 * 1024 else (count / (1024 * 1024), "MiB")
    return f"{amount:.1f} {unit}"


def _contents(data: dict[str, str]) -> Iterator[Part]:
    left = _ALL_CHARACTERS
    for key, value in data.items():
        start = value[: min(_CHARACTERS, left)].splitlines()[:_LINES]
        if not start:
            continue
        shown = "\n".join(start)
        left -= len(shown)
        whole = len(shown) >= len(value.rstrip("\n"))
        cut = "" if whole else f"The first {size(len(shown.encode()))} of {size(len(value.encode()))}."
        yield Code(MASK if secretive(key) else hidden(shown), title=key, cut=cut)


def _unchangeable(manifest: Json) -> tuple[Part, ...]:
    return (Note("It is immutable: to change it, make a new one."),) if manifest.get("immutable") is True else ()


def _decoded_length(value: str) -> int:
    try:
        return len(b64decode(value, validate=True))
    except (binascii.Error, ValueError):
        return len(value)
