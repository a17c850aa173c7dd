"""A ledger that lives as long as its process, and loses everything with it."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

from bot.core.errors import NotFound, Stale, SteersmanError
from bot.core.ledger import NEWEST, ActionRecord, Record, RevisionFate, Span, State, leads
from bot.core.message import Message
from bot.core.plan import ObjectRef, Place
from bot.core.reply import Button


class MemoryLedger:
    """One process holds it, so nothing is ever taken over; what is said is not kept."""

    def __init__(self) -> None:
        self._actions: dict[str, ActionRecord] = {}
        self._records: list[Record] = []
        self._fates: list[RevisionFate] = []
        self._buttons: dict[str, Button] = {}
        self._button_ids: dict[tuple[str, str, str], str] = {}

    async def begin(
        self, action: ActionRecord, record: Record | None = None, messages: Sequence[Message] = ()
    ) -> ActionRecord:
        if record is not None:
            await self.note(record)
        self._actions[action.id] = action
        return action

    async def action(self, action_id: str) -> ActionRecord:
        try:
            return self._actions[action_id]
        except KeyError:
            raise NotFound(
                f"There is no action `{action_id}`.",
                hint="It may have been answered, or it expired. Run the command again.",
            ) from None

    async def advance(
        self, action: ActionRecord, to: State, record: Record | None = None, messages: Sequence[Message] = ()
    ) -> ActionRecord:
        stored = self._actions[action.id]
        if stored.state is not action.state or not leads(stored.state, to):
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

    async def hold(self, action: ActionRecord) -> None:
        return None

    async def renew(self, actions: Collection[str]) -> None:
        return None

    async def orphans(self, limit: int) -> tuple[ActionRecord, ...]:
        return ()

    async def release(self, action: ActionRecord) -> bool:
        return False

    async def overdue(self, before: datetime, limit: int) -> tuple[ActionRecord, ...]:
        waiting = (action for action in self._actions.values() if action.state is State.WAITING)
        return tuple(action for action in waiting if action.created < before)[:limit]

    async def note(self, record: Record, request: str = "", messages: Sequence[Message] = ()) -> None:
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

    async def store_button(self, button: Button, key: str) -> Button:
        known = (key, button.label, button.line)
        if known not in self._button_ids:
            self._button_ids[known] = f"{key}.{len(self._button_ids) + 1}"
        stored = replace(button, id=self._button_ids[known])
        self._buttons[stored.id] = stored
        return stored

    async def button(self, button_id: str) -> Button:
        try:
            return self._buttons[button_id]
        except KeyError:
            raise NotFound("This button is no longer known.", hint="Type the command instead.") from None

    async def records(self, span: Span = NEWEST) -> tuple[Record, ...]:
        return tuple(record for record in self._records if _within(record, span))[-span.limit :]


def _within(record: Record, span: Span) -> bool:
    return (
        (span.since is None or record.at >= span.since)
        and (span.until is None or record.at < span.until)
        and (not span.actor or record.actor.id == span.actor)
        and (not span.places or any(_covers(place, record.place) for place in span.places))
    )


def _covers(wanted: Place, place: Place) -> bool:
    return wanted.cluster == place.cluster and wanted.namespace in ("", place.namespace)
