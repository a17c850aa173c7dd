"""One walk over the audit that finds what was changed, and says how far it is proved that nothing was. Pure.

An edit, a deletion, an insertion and a re-ordering break the chain where they are, unless somebody made the whole
chain anew behind them; that, and a cut-off end, a checkpoint finds. What came after the last checkpoint is vouched for
by the chain alone, and the findings say so.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, TypeAlias, assert_never

from bot.core.chain import ALTERED, GENESIS, link
from bot.core.checkpoint import Checkpoint, Head, Trusts
from bot.core.ledger import Entry
from bot.core.listing import counted

_MOST_TOLD: Final = 20
"""Findings that are listed; a chain that was shuffled has one a record, and the first few tell it."""


@dataclass(frozen=True, slots=True)
class Broken:
    """A record whose hash is not that of itself behind the one before: one of the two was changed, put in or moved."""

    seq: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Missing:
    """Records between two others that are no longer there, both numbers included."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Misplaced:
    """A record where none belongs: its number is below 1, or one that was passed already."""

    seq: int


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A row of the audit that Steersman cannot have written."""

    seq: int


@dataclass(frozen=True, slots=True)
class Rewritten:
    """The record that a checkpoint sealed is another one now: it, or any before it, was changed with all behind it.

    `checkpoint` 0 is the head: what the database itself counted last.
    """

    seq: int
    checkpoint: int


@dataclass(frozen=True, slots=True)
class Cut:
    """The audit ends before what a checkpoint has seen, or (`checkpoint` 0) before the database's own head."""

    last: int
    seen: int
    checkpoint: int


@dataclass(frozen=True, slots=True)
class Untrusted:
    """A checkpoint that is signed by none of the keys; it proves nothing."""

    checkpoint: int


Finding: TypeAlias = Broken | Missing | Misplaced | Unreadable | Rewritten | Cut | Untrusted


@dataclass(frozen=True, slots=True)
class Proof:
    """Up to and with this record all is as it was when the checkpoint was made. `checkpoint` counts from 1."""

    seq: int
    at: datetime
    checkpoint: int


@dataclass(frozen=True, slots=True)
class Findings:
    """What a walk found: the first findings and how many there are, the records seen, and how far the proof goes.

    `checkpoints` is how many were given; `signed` tells whether their signatures were looked at.
    """

    found: tuple[Finding, ...]
    total: int
    records: int
    proof: Proof | None
    checkpoints: int
    signed: bool


class Walk:
    """The state of one walk: `take` each entry in the order of its number, then `end`."""

    def __init__(
        self, checkpoints: Sequence[Checkpoint] = (), trusts: Trusts | None = None, head: Head | None = None
    ) -> None:
        """Without `trusts` every checkpoint counts, whoever wrote it.

        `head` is where the database says that its chain ended just before the walk; records may have come since.
        """
        self._given = len(checkpoints)
        self._signed = trusts is not None
        self._found: list[Finding] = []
        self._total = 0
        self._records = 0
        self._last = 0
        self._hash = GENESIS
        self._proof: Proof | None = None
        # By the record's number: which checkpoints have seen it (0 is the head), and with which hash.
        self._seals: dict[int, list[tuple[int, str]]] = {}
        for number, checkpoint in enumerate(checkpoints, start=1):
            if trusts is None or trusts(checkpoint.statement, checkpoint.signature):
                self._seals.setdefault(checkpoint.seq, []).append((number, checkpoint.hash))
            else:
                self._add(Untrusted(number))
        if head is not None and head.seq:
            self._seals.setdefault(head.seq, []).append((0, head.hash))

    def take(self, entry: Entry) -> None:
        self._records += 1
        if entry.seq <= self._last:
            self._add(Misplaced(entry.seq))
            return
        gap = entry.seq > self._last + 1
        if gap:
            self._add(Missing(self._last + 1, entry.seq - 1))
        self._last = entry.seq
        if entry.record.kind == ALTERED:
            self._add(Unreadable(entry.seq))
        elif (
            not gap and link(self._hash, entry.seq, entry.record) != entry.hash
        ):  # behind a gap nothing can be compared
            self._add(Broken(entry.seq, entry.record.at))
        self._hash = entry.hash
        self._compare(entry.seq, entry.record.at)

    def end(self) -> Findings:
        for seq, seals in sorted(self._seals.items()):
            if seq > self._last:
                self._add(Cut(self._last, seq, seals[0][0]))
        return Findings(tuple(self._found), self._total, self._records, self._proof, self._given, self._signed)

    def _compare(self, seq: int, at: datetime) -> None:
        for number, sealed in self._seals.get(seq, ()):
            if sealed != self._hash:
                self._add(Rewritten(seq, number))
            elif number and not self._tampered:
                self._proof = Proof(seq, at, number)

    @property
    def _tampered(self) -> bool:
        """Whether anything was found up to here; a checkpoint that is not trusted takes nothing from the others."""
        return any(not isinstance(one, Untrusted) for one in self._found)

    def _add(self, finding: Finding) -> None:
        self._total += 1
        if len(self._found) < _MOST_TOLD or not self._tampered:
            self._found.append(finding)


def verify(
    entries: Iterable[Entry],
    checkpoints: Sequence[Checkpoint] = (),
    trusts: Trusts | None = None,
    head: Head | None = None,
) -> Findings:
    """The findings of one walk over all entries, in the order of their numbers."""
    walk = Walk(checkpoints, trusts, head)
    for entry in entries:
        walk.take(entry)
    return walk.end()


def words(findings: Findings) -> tuple[str, ...]:
    """The findings in sentences, the gist first, and where the proof ends last."""
    count = counted(findings.records, "record")
    if not findings.total:
        gist = f"{count}, and each fits the chain." if findings.records else "There is no record yet."
        return (gist, *_how_far(findings))
    rest = findings.total - len(findings.found)
    more = (f"  … and {rest} more.",) if rest else ()
    return (
        f"{counted(findings.total, 'finding')} in {count}:",
        *(f"  {_words(finding)}" for finding in findings.found),
        *more,
        *_how_far(findings),
    )


def _words(finding: Finding) -> str:
    match finding:
        case Broken(seq, at):
            return f"Record {seq} of {_time(at)} does not fit: it or the one before it was changed, put in or moved."
        case Missing(first, last) if first == last:
            return f"Record {first} is missing."
        case Missing(first, last):
            return f"Records {first} to {last} are missing."
        case Misplaced(seq):
            return f"Record {seq} stands where none belongs."
        case Unreadable(seq):
            return f"Record {seq} is none that I could have written: it was overwritten."
        case Rewritten(seq, 0):
            return f"Record {seq} is not the one that the database has counted last: it was made anew."
        case Rewritten(seq, checkpoint):
            return f"Record {seq} is not the one of checkpoint {checkpoint}: the chain up to it was made anew."
        case Cut(last, seen, 0):
            return f"The audit ends at record {last}, and the database has counted {seen}: the end was cut off."
        case Cut(last, seen, checkpoint):
            return f"The audit ends at record {last}, and checkpoint {checkpoint} has seen {seen}: the end was cut off."
        case Untrusted(checkpoint):
            return f"Checkpoint {checkpoint} is not signed by this key, so it proves nothing."
        case other:
            assert_never(other)


def _how_far(findings: Findings) -> tuple[str, ...]:
    """Where the proof ends, and what a proof would take."""
    proof = findings.proof
    if not findings.records:
        return ()
    if not findings.checkpoints:
        return ("No checkpoint was given: the chain vouches for itself, and who may write the database can remake it.",)
    if proof is None:
        return ("No checkpoint proves any of it.",)
    after = 0 if findings.total else findings.records - proof.seq
    end = f"; the {'one' if after == 1 else after} after it only by the chain itself" if after else ""
    told = f"Up to record {proof.seq} of {_time(proof.at)} this is proved by checkpoint {proof.checkpoint}{end}."
    unsigned = "Whoever wrote the checkpoints: their signatures were not looked at, for no key was given."
    return (told,) if findings.signed else (told, unsigned)


def _time(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
