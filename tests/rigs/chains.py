"""Audits for tests: records, the chain over them, checkpoints of it, and the ways in which somebody tampers."""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from bot.core.chain import GENESIS, link
from bot.core.checkpoint import Checkpoint, Head
from bot.core.ledger import Entry, Record
from bot.core.people import Actor
from bot.core.plan import Place

BEGAN: Final = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
KINDS: Final = ("STARTED", "DONE", "DENIED", "FAILED")


def record(number: int, **more: object) -> Record:
    """A record, the `number`th minute's."""
    made = Record(
        at=BEGAN + timedelta(minutes=number),
        kind=KINDS[number % len(KINDS)],
        action=f"a{number // 2}",
        actor=Actor("U1", "alice") if number % 3 else Actor("U2", "bob"),
        identity="alice",
        line=f"deploy myapp v{number} --cluster dev -n shop",
        place=Place("dev", "shop"),
        detail=f"Deploy myapp v{number}",
        audit_ids=(f"audit-{number}",),
        diff=("deployment/myapp", f"- image: myapp:v{number - 1}", f"+ image: myapp:v{number}"),
        policy="demo@1",
    )
    return replace(made, **more)  # type: ignore[arg-type]  # passed on


def chained(records: Sequence[Record]) -> list[Entry]:
    """The entries of a chain that nobody touched."""
    entries: list[Entry] = []
    previous = GENESIS
    for seq, one in enumerate(records, start=1):
        previous = link(previous, seq, one)
        entries.append(Entry(seq, one, previous))
    return entries


def checkpoint(entry: Entry, sign: Callable[[bytes], str] = lambda statement: "") -> Checkpoint:
    """What the bot would have said just after this entry."""
    unsigned = Checkpoint(entry.seq, entry.hash, entry.record.at)
    return replace(unsigned, signature=sign(unsigned.statement))


def head(entries: Sequence[Entry]) -> Head:
    return Head(entries[-1].seq, entries[-1].hash) if entries else Head(0, GENESIS)


def tampering(seed: int) -> random.Random:
    """The luck of one tampering: the same seed tampers in the same way."""
    return random.Random(seed)  # noqa: S311 - chance that can be repeated is what is wanted


def edited(entries: list[Entry], luck: random.Random) -> list[Entry]:
    """One field of one record is another."""
    at = luck.randrange(len(entries))
    old = entries[at].record
    changes: list[dict[str, object]] = [
        {"actor": Actor("U9", old.actor.name)},
        {"detail": f"{old.detail}."},
        {"line": old.line.replace("myapp", "other")},
        {"at": old.at - timedelta(microseconds=1)},
        {"kind": "DONE" if old.kind != "DONE" else "FAILED"},
        {"place": Place("prod", "shop")},
        {"audit_ids": ()},
        {"diff": old.diff[:-1]},
        {"policy": ""},
    ]
    new = replace(old, **luck.choice(changes))  # type: ignore[arg-type]  # passed on
    return [*entries[:at], replace(entries[at], record=new), *entries[at + 1 :]]


def deleted(entries: list[Entry], luck: random.Random) -> list[Entry]:
    """Some records in the middle are gone."""
    first = luck.randrange(len(entries) - 1)
    return entries[:first] + entries[luck.randrange(first + 1, len(entries)) :]


def inserted(entries: list[Entry], luck: random.Random) -> list[Entry]:
    """A record more, with a hash that somebody computed; those behind it count on."""
    at = luck.randrange(len(entries))
    new = record(luck.randrange(1000), detail="I was always here")
    before = entries[at - 1].hash if at else GENESIS
    return renumbered([*entries[:at], Entry(at + 1, new, link(before, at + 1, new)), *entries[at:]])


def reordered(entries: list[Entry], luck: random.Random) -> list[Entry]:
    """Two records have changed places, with or without their hashes."""
    one, other = luck.sample(range(len(entries)), 2)
    moved = list(entries)
    if luck.random() < 0.5:
        moved[one], moved[other] = entries[other], entries[one]
        return renumbered(moved)
    moved[one] = replace(entries[one], record=entries[other].record)
    moved[other] = replace(entries[other], record=entries[one].record)
    return moved


def truncated(entries: list[Entry], luck: random.Random) -> list[Entry]:
    """The end is gone."""
    return entries[: luck.randrange(len(entries))]


def made_anew(tamper: Callable[[list[Entry], random.Random], list[Entry]]) -> Callable[..., list[Entry]]:
    """The same by somebody who knows how the chain is made, and makes all of it again."""
    return lambda entries, luck: chained([entry.record for entry in tamper(entries, luck)])


def renumbered(entries: Sequence[Entry]) -> list[Entry]:
    return [replace(entry, seq=seq) for seq, entry in enumerate(entries, start=1)]


TAMPERINGS: Final = (edited, deleted, inserted, reordered, truncated)
