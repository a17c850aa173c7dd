"""What must be remembered: actions and their life, audit records, stored buttons, and what became of each revision.

The Protocols stand here beside their values. Whoever carries an action out holds it by a lease: when a process dies its
leases run out, and another takes the work up; a process that lost a lease is refused every further step (`Superseded`).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol

from bot.core.message import Message
from bot.core.people import Actor
from bot.core.plan import ObjectRef, Place
from bot.core.reply import Button


class State(StrEnum):
    """Where an action is in its life. The last rows are the endings; each action gets exactly one."""

    WAITING = "waiting"
    EXECUTING = "executing"
    FOLLOWING = "following"

    DONE = "done"
    FAILED = "failed"
    STALE = "stale"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    UNKNOWN = "unknown"

    @property
    def final(self) -> bool:
        return self not in _EDGES

    @property
    def held(self) -> bool:
        """Whether a process works on it now, under a lease."""
        return self in (State.EXECUTING, State.FOLLOWING)


_EDGES: dict[State, frozenset[State]] = {
    State.WAITING: frozenset({State.EXECUTING, State.CANCELLED, State.EXPIRED, State.STALE, State.REFUSED}),
    State.EXECUTING: frozenset({State.FOLLOWING, State.DONE, State.FAILED, State.STALE, State.UNKNOWN, State.REFUSED}),
    State.FOLLOWING: frozenset({State.DONE, State.FAILED, State.UNKNOWN}),
}

BEGINNINGS = frozenset({State.WAITING, State.EXECUTING, State.REFUSED})
"""The states in which an action may enter the ledger."""


def leads(here: State, to: State) -> bool:
    """Whether an action may go from one state to another."""
    return to in _EDGES.get(here, frozenset())


@dataclass(frozen=True, slots=True)
class ActionRecord:
    """One action: who asked for what, where it stands, and the fingerprint of the plan that was shown.

    `request` is the request whose message tells of it (the click's, once it was confirmed by one). `work` is what
    another process needs to take it up again, as `work.py` writes it; `epoch` counts who held it, and fences the
    earlier ones. `began` is when it was first EXECUTING; `sent` has for each write that may have been
    sent since which action's id its object bore just before.
    """

    id: str
    line: str
    command: str
    actor: Actor
    place: Place
    state: State
    created: datetime
    summary: str = ""
    fingerprint: str = ""
    ended: datetime | None = None
    result: str = ""
    targets: tuple[ObjectRef, ...] = ()
    channel: str = ""
    request: str = ""
    work: str = ""
    epoch: int = 0
    began: datetime | None = None
    sent: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Record:
    """One line of the audit: append-only. `kind` is STARTED, DENIED, or the state that an action ended in.

    `audit_ids` are those that the writes of a STARTED action carry, in their order: the clusters' own audit logs have
    the same ones. `diff` are the lines of the change as it was shown (never a Secret's value), `policy` names the
    version of the policy that judged.
    """

    at: datetime
    kind: str
    action: str
    actor: Actor
    identity: str
    line: str
    place: Place
    detail: str = ""
    audit_ids: tuple[str, ...] = ()
    diff: tuple[str, ...] = ()
    policy: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """A record in its chain: `seq` counts from 1 without a gap, `hash` is `chain.link` of the one before and of it."""

    seq: int
    record: Record
    hash: str


@dataclass(frozen=True, slots=True)
class Span:
    """Which records are asked for: from `since` (included) to `until` (not), the newest `limit` of them.

    `places` keeps those of these clusters and namespaces ("" = all of a cluster), `actor` those of one person.
    """

    since: datetime | None = None
    until: datetime | None = None
    places: tuple[Place, ...] = ()
    actor: str = ""
    limit: int = 1000


NEWEST: Final = Span()
"""The newest records of all."""


class Fate(StrEnum):
    """What became of a revision, as far as we saw."""

    HEALTHY_BEFORE = "healthy before"  # observed complete just before a change of ours
    ROLLED_OUT = "rolled out"
    STUCK = "stuck"
    FAILED = "failed"

    @property
    def good(self) -> bool:
        return self in (Fate.HEALTHY_BEFORE, Fate.ROLLED_OUT)


@dataclass(frozen=True, slots=True)
class RevisionFate:
    """The fate of one revision of one workload. `revision` is its stable name (ReplicaSet, ControllerRevision)."""

    uid: str
    revision: str
    fate: Fate
    at: datetime
    actor: Actor | None = None
    action: str = ""


class LedgerReader(Protocol):
    """What commands may read. Raises Unavailable where the store cannot be read."""

    async def fates(self, workload_uid: str) -> tuple[RevisionFate, ...]:
        """Newest last."""
        ...

    async def changes(self, target: ObjectRef) -> tuple[ActionRecord, ...]:
        """The actions that wrote to an object (its subresources count as itself), newest last."""
        ...

    async def records(self, span: Span = NEWEST) -> tuple[Record, ...]:
        """Oldest first."""
        ...


class Ledger(LedgerReader, Protocol):
    """Every method is one transaction, and raises Unavailable where it could not be made."""

    async def begin(
        self, action: ActionRecord, record: Record | None = None, messages: Sequence[Message] = ()
    ) -> ActionRecord:
        """Enter an action in its first state, its audit record and what is said of it: all or nothing.

        The request that it came by counts as answered from here on. Raises Superseded where another process has taken
        that request over.
        """
        ...

    async def action(self, action_id: str) -> ActionRecord:
        """Raises NotFound."""
        ...

    async def advance(
        self, action: ActionRecord, to: State, record: Record | None = None, messages: Sequence[Message] = ()
    ) -> ActionRecord:
        """Move an action along one edge, with its audit record and what is said of it: all or nothing.

        `action` is the new content; its `state` and `epoch` are those expected in the ledger. Raises Stale where
        somebody moved it already, Superseded where another process holds it.
        """
        ...

    async def hold(self, action: ActionRecord) -> None:
        """Make sure, just before a write, that the action is still this process's, and keep its content (`sent`).

        Raises Superseded.
        """
        ...

    async def renew(self, actions: Collection[str]) -> None:
        """Prolong the leases of the actions that this process works on."""
        ...

    async def orphans(self, limit: int) -> tuple[ActionRecord, ...]:
        """Take over actions whose lease has run out: each comes with the new epoch and is this process's now."""
        ...

    async def release(self, action: ActionRecord) -> bool:
        """Let go of an action, so that the next start takes it up at once; False where none ever will."""
        ...

    async def overdue(self, before: datetime, limit: int) -> tuple[ActionRecord, ...]:
        """Actions that were begun before then and still wait."""
        ...

    async def note(self, record: Record, request: str = "", messages: Sequence[Message] = ()) -> None:
        """Append a record of no action, with what is said: all or nothing. `request` counts as answered from here on.

        Raises Superseded where another process has taken that request over.
        """
        ...

    async def fate(self, fate: RevisionFate) -> None: ...

    async def store_button(self, button: Button, key: str) -> Button:
        """Keep the line behind a button of a message; returns it with its id, the same one for the same button."""
        ...

    async def button(self, button_id: str) -> Button:
        """Raises NotFound."""
        ...


def last_fate(fates: Sequence[RevisionFate], revision: str) -> RevisionFate | None:
    """The newest word on one revision."""
    return next((fate for fate in reversed(fates) if fate.revision == revision), None)
