"""What must be remembered: actions and their life, audit records, stored buttons, and what became of each revision.

The Protocols stand here beside their values; `MemoryLedger` is the form that forgets with the process.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from bot.core.errors import NotFound, Stale, SteersmanError
from bot.core.people import Actor
from bot.core.plan import ObjectRef, Place
from bot.core.reply import Button


class State(StrEnum):
    """Where an action is in its life. The last row are the endings; each action gets exactly one."""

    PLANNED = "planned"
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


_EDGES: dict[State, frozenset[State]] = {
    State.PLANNED: frozenset({State.WAITING, State.EXECUTING, State.REFUSED, State.FAILED, State.DONE}),
    State.WAITING: frozenset({State.EXECUTING, State.CANCELLED, State.EXPIRED, State.STALE, State.REFUSED}),
    State.EXECUTING: frozenset({State.FOLLOWING, State.DONE, State.FAILED, State.STALE, State.UNKNOWN, State.REFUSED}),
    State.FOLLOWING: frozenset({State.DONE, State.FAILED, State.UNKNOWN}),
}


@dataclass(frozen=True, slots=True)
class ActionRecord:
    """One action: who asked for what, where it stands, and the fingerprint of the plan that was shown."""

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


@dataclass(frozen=True, slots=True)
class Record:
    """One line of the audit: append-only. `kind` is STARTED, DENIED, or the state that an action ended in.

    `audit_ids` are those that the writes of a STARTED action carry, in their order: the clusters' own audit logs have
    the same ones.
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
    """What commands may read."""

    async def fates(self, workload_uid: str) -> tuple[RevisionFate, ...]:
        """Newest last."""
        ...

    async def changes(self, target: ObjectRef) -> tuple[ActionRecord, ...]:
        """The actions that wrote to an object (its subresources count as itself), newest last."""
        ...


class Ledger(LedgerReader, Protocol):
    async def begin(self, action: ActionRecord) -> None: ...

    async def action(self, action_id: str) -> ActionRecord: ...

    async def advance(self, action: ActionRecord, to: State, record: Record | None = None) -> ActionRecord:
        """Move an action along one edge, and write its audit record with it: both or neither.

        `action` is the new content; its `state` is the one expected in the ledger. Raises `Stale` where another
        already moved it.
        """
        ...

    async def note(self, record: Record) -> None: ...

    async def fate(self, fate: RevisionFate) -> None: ...

    async def store_button(self, button: Button, action_id: str) -> Button:
        """Keep the line behind a button; returns it with its id, which the same button of the same action keeps."""
        ...

    async def button(self, button_id: str) -> Button: ...

    async def records(self) -> tuple[Record, ...]: ...


class MemoryLedger:
    """A Ledger that lives as long as the process: the demo and the operator's console."""

    def __init__(self) -> None:
        self._actions: dict[str, ActionRecord] = {}
        self._records: list[Record] = []
        self._fates: list[RevisionFate] = []
        self._buttons: dict[str, Button] = {}
        self._button_ids: dict[tuple[str, str, str], str] = {}

    async def begin(self, action: ActionRecord) -> None:
        self._actions[action.id] = action

    async def action(self, action_id: str) -> ActionRecord:
        try:
            return self._actions[action_id]
        except KeyError:
            raise NotFound(
                f"There is no action `{action_id}`.",
                hint="It may have been answered, or it expired. Run the command again.",
            ) from None

    async def advance(self, action: ActionRecord, to: State, record: Record | None = None) -> ActionRecord:
        stored = self._actions[action.id]
        if stored.state is not action.state or to not in _EDGES.get(stored.state, frozenset()):
            raise Stale(f"This action is already {stored.state.value}.")
        moved = replace(action, state=to)
        self._actions[action.id] = moved  # at once, so that of two at the same time one is refused
        try:
            if record is not None:
                await self.note(record)
        except SteersmanError:
            self._actions[action.id] = stored
            raise
        return moved

    async def note(self, record: Record) -> None:
        self._records.append(record)

    async def fate(self, fate: RevisionFate) -> None:
        self._fates.append(fate)

    async def fates(self, workload_uid: str) -> tuple[RevisionFate, ...]:
        return tuple(fate for fate in self._fates if fate.uid == workload_uid)

    async def changes(self, target: ObjectRef) -> tuple[ActionRecord, ...]:
        wanted = replace(target, subresource="")
        return tuple(
            action
            for action in self._actions.values()
            if any(replace(ref, subresource="") == wanted for ref in action.targets)
        )

    async def store_button(self, button: Button, action_id: str) -> Button:
        key = (action_id, button.label, button.line)
        if key not in self._button_ids:
            self._button_ids[key] = f"{action_id}.{len(self._button_ids) + 1}"
        stored = replace(button, id=self._button_ids[key])
        self._buttons[stored.id] = stored
        return stored

    async def button(self, button_id: str) -> Button:
        try:
            return self._buttons[button_id]
        except KeyError:
            raise NotFound("This button is no longer known.", hint="Type the command instead.") from None

    async def records(self) -> tuple[Record, ...]:
        return tuple(self._records)


def last_fate(fates: Sequence[RevisionFate], revision: str) -> RevisionFate | None:
    """The newest word on one revision."""
    return next((fate for fate in reversed(fates) if fate.revision == revision), None)
