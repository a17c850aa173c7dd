"""The auditor's desk: the audit proved against its checkpoints, and written out. Reads only, also while a bot runs."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Final

from bot import seal
from bot.app import SystemClock, new_uid
from bot.core.checkpoint import Checkpoint, Trusts, from_lines
from bot.core.codec import dumps
from bot.core.errors import UsageError
from bot.core.ledger import Entry
from bot.core.period import moment
from bot.core.verify import Walk, words
from bot.store.audit import Audit
from bot.store.engine import open_store

_FOUND: Final = 1
_PAGE: Final = 1000


def run_verify(
    url: str, checkpoints: Sequence[Path], public_keys: Sequence[Path], emit: Callable[[str], object]
) -> int:
    """Say whether the audit at an address is whole, and how far that is proved. Returns 0, or 1 for findings.

    Raises UsageError for keys and checkpoints that cannot be used, StoreUnavailable where the audit cannot be read.
    """
    seals = [one for path in checkpoints for one in _checkpoints(path)]
    trusts = seal.trusting(public_keys) if public_keys else None
    if trusts and seals and not any(trusts(one.statement, one.signature) for one in seals):
        raise UsageError(
            f"None of the {len(seals)} checkpoints is signed by this key.",
            hint="`steersman audit key FILE` prints the public half of the key that STEERSMAN_CHECKPOINT_KEY names.",
        )
    return asyncio.run(_verify(url, seals, trusts, emit))


def run_export(url: str, since: str, until: str, emit: Callable[[str], object]) -> int:
    """Write the records of a time out, each a line of JSON with its place in the chain; "" = open at that end.

    Returns how many there were. Raises UsageError, StoreUnavailable.
    """
    now = SystemClock().now()
    bounds = []
    for option, text in (("--since", since), ("--until", until)):
        try:
            bounds.append(moment(text, now) if text else None)
        except ValueError as error:
            raise UsageError(f"{option} cannot be `{text}`: it {error}.") from error
    begin, end = bounds

    def within(entry: Entry) -> bool:
        return (begin is None or entry.record.at >= begin) and (end is None or entry.record.at < end)

    return asyncio.run(_export(url, within, emit))


def key(path: Path, *, new: bool) -> str:
    """The public half of the key in a file, PEM; with `new` the key is made first. Raises UsageError."""
    return seal.new_key(path) if new else seal.public_key(path)


async def _verify(url: str, seals: Sequence[Checkpoint], trusts: Trusts | None, emit: Callable[[str], object]) -> int:
    async with _opened(url) as audit:
        walk = Walk(seals, trusts, await audit.head())
        async for entry in _entries(audit):
            walk.take(entry)
    findings = walk.end()
    for sentence in words(findings):
        emit(sentence)
    return _FOUND if findings.total else 0


async def _export(url: str, within: Callable[[Entry], bool], emit: Callable[[str], object]) -> int:
    count = 0
    async with _opened(url) as audit:
        async for entry in _entries(audit):
            if within(entry):
                emit(dumps({"seq": entry.seq, "hash": entry.hash, "record": entry.record}))
                count += 1
    return count


async def _entries(audit: Audit) -> AsyncIterator[Entry]:
    after: int | None = None  # a record may have been put in with any number
    while page := await audit.entries(after, _PAGE):
        for entry in page:
            yield entry
        after = page[-1].seq


@asynccontextmanager
async def _opened(url: str) -> AsyncIterator[Audit]:
    clock, owner = SystemClock(), new_uid()
    async with open_store(url, owner=owner, lease=timedelta(), outbox=False, clock=clock, readonly=True) as store:
        yield store.audit


def _checkpoints(path: Path) -> list[Checkpoint]:
    try:
        with path.open(errors="replace") as lines:
            found = list(from_lines(lines))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise UsageError(f"{path}: {error}") from error
    if not found:
        raise UsageError(f"{path} holds no checkpoint.", hint="They are lines of the bot's standard output.")
    return found
