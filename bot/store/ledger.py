"""The ledger: actions and their life, what became of revisions, and the lines behind buttons."""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, and_, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.codec import dumps
from bot.core.errors import NotFound, Stale, Superseded
from bot.core.ledger import BEGINNINGS, NEWEST, ActionRecord, Record, RevisionFate, Span, State, leads
from bot.core.message import Message
from bot.core.plan import ObjectRef
from bot.core.reply import Button
from bot.store import audit, inbox, outbox
from bot.store.database import Database
from bot.store.tables import actions, buttons, fates, micros, targets

_HELD_ROWS: Final = actions.c.state.in_([state.value for state in State if state.held])


class SqlLedger:
    """`bot.core.ledger.Ledger` on a database. `announces` tells whether messages are kept for a door to post.

    In every transaction rows are locked in one order (action, request, message, the audit's head), so that two never
    wait for each other.
    """

    def __init__(self, database: Database, *, announces: bool) -> None:
        self._database = database
        self._announces = announces

    async def begin(
        self, action: ActionRecord, record: Record | None = None, messages: Sequence[Message] = ()
    ) -> ActionRecord:
        if action.state not in BEGINNINGS:
            raise ValueError(f"no action begins as {action.state.value}")
        async with self._database.write() as transaction:
            row = {"id": action.id, "created": micros(action.created), "epoch": action.epoch, **self._columns(action)}
            seq = (await transaction.execute(insert(actions).values(row).returning(actions.c.seq))).scalar_one()
            written = {_key(target) for target in action.targets}
            if written:
                rows = [{"target": target, "action": seq} for target in sorted(written)]
                await transaction.execute(insert(targets), rows)
            if action.request:
                await inbox.answer(self._database, transaction, action.request)
            await self._tell(transaction, record, messages)
        return action

    async def action(self, action_id: str) -> ActionRecord:
        async with self._database.read() as connection:
            row = (await connection.execute(select(actions).where(actions.c.id == action_id))).first()
        if row is None:
            raise _unknown(action_id)
        return self._read(row)

    async def advance(
        self, action: ActionRecord, to: State, record: Record | None = None, messages: Sequence[Message] = ()
    ) -> ActionRecord:
        if not leads(action.state, to):
            raise Stale(f"This action is already {action.state.value}.")
        moved = replace(action, state=to)
        here = actions.c.id == action.id
        async with self._database.write() as transaction:
            stands = select(actions.c.request, actions.c.state, actions.c.epoch).where(here).with_for_update()
            stored = (await transaction.execute(stands)).first()
            if stored is None:
                raise _unknown(action.id)
            if stored.epoch != action.epoch:
                raise Superseded("Another process has taken this action over.")
            if stored.state != action.state:
                raise Stale(f"This action is already {stored.state}.")
            if action.request and action.request != stored.request:
                await inbox.answer(self._database, transaction, action.request)
            await transaction.execute(update(actions).where(here).values(self._columns(moved)))
            await self._tell(transaction, record, messages)
        return moved

    async def hold(self, action: ActionRecord) -> None:
        as_known = (actions.c.id == action.id, actions.c.epoch == action.epoch, actions.c.state == action.state)
        if not await self._lease(*as_known, content=dumps(action)):
            raise Superseded("Another process has taken this action over.")

    async def renew(self, held_by_us: Collection[str]) -> None:
        if held_by_us:
            await self._lease(actions.c.id.in_(held_by_us))

    async def orphans(self, limit: int) -> tuple[ActionRecord, ...]:
        database = self._database
        free = and_(_HELD_ROWS, actions.c.lease_until <= database.now)
        async with database.write() as transaction:
            newer = {"epoch": actions.c.epoch + 1}
            rows = await database.take(transaction, actions, free, actions.c.seq, limit, newer)
        rows.sort(key=lambda row: int(row.seq))
        return tuple(replace(action, epoch=row.epoch) for row, action in database.readable(ActionRecord, rows))

    async def release(self, action: ActionRecord) -> bool:
        mine = (_HELD_ROWS, self._mine, actions.c.id == action.id, actions.c.epoch == action.epoch)
        async with self._database.write() as transaction:
            await transaction.execute(update(actions).where(*mine).values(lease_until=0))
        return True

    async def overdue(self, before: datetime, limit: int) -> tuple[ActionRecord, ...]:
        waiting = select(actions).where(actions.c.state == State.WAITING, actions.c.created < micros(before))
        async with self._database.read() as connection:
            rows = (await connection.execute(waiting.order_by(actions.c.created).limit(limit))).all()
        return tuple(replace(action, epoch=row.epoch) for row, action in self._database.readable(ActionRecord, rows))

    async def note(self, record: Record, request: str = "", messages: Sequence[Message] = ()) -> None:
        async with self._database.write() as transaction:
            if request:
                await inbox.answer(self._database, transaction, request)
            await self._tell(transaction, record, messages)

    async def records(self, span: Span = NEWEST) -> tuple[Record, ...]:
        return await audit.records(self._database, span)

    async def changes(self, target: ObjectRef) -> tuple[ActionRecord, ...]:
        of_target = select(targets.c.action).where(targets.c.target == _key(target))
        async with self._database.read() as connection:
            rows = (
                await connection.execute(select(actions).where(actions.c.seq.in_(of_target)).order_by(actions.c.seq))
            ).all()
        return tuple(self._read(row) for row in rows)

    async def fate(self, fate: RevisionFate) -> None:
        async with self._database.write() as transaction:
            await transaction.execute(insert(fates).values(uid=fate.uid, content=dumps(fate)))

    async def fates(self, workload_uid: str) -> tuple[RevisionFate, ...]:
        of_workload = select(fates.c.content).where(fates.c.uid == workload_uid).order_by(fates.c.seq)
        async with self._database.read() as connection:
            contents = (await connection.execute(of_workload)).scalars().all()
        return tuple(self._database.value(RevisionFate, content) for content in contents)

    async def store_button(self, button: Button, key: str) -> Button:
        # An id made from what it stands for: asked twice, or by two processes, it is the same.
        name = hashlib.sha256(dumps([button.label, button.line]).encode()).hexdigest()[:12]
        stored = replace(button, id=f"{key}.{name}")
        new = self._database.insert(buttons).values(id=stored.id, content=dumps(stored))
        newer = new.on_conflict_do_update(index_elements=[buttons.c.id], set_={"content": new.excluded.content})
        async with self._database.write() as transaction:
            await transaction.execute(newer)
        return stored

    async def button(self, button_id: str) -> Button:
        async with self._database.read() as connection:
            row = (await connection.execute(select(buttons.c.content).where(buttons.c.id == button_id))).first()
        if row is None:
            raise NotFound("This button is no longer known.", hint="Type the command instead.")
        return self._database.value(Button, row.content)

    def _columns(self, action: ActionRecord) -> dict[str, object]:
        """What changes with every step."""
        return {
            "request": action.request,
            "state": action.state.value,
            "owner": self._database.owner,
            "lease_until": self._database.until if action.state.held else 0,
            "content": dumps(action),
        }

    async def _tell(self, transaction: AsyncConnection, record: Record | None, messages: Sequence[Message]) -> None:
        if self._announces:
            await outbox.put(self._database, transaction, messages)
        if record is not None:
            await audit.append(transaction, record)

    async def _lease(self, *which: ColumnElement[bool], **changes: str) -> int:
        """Prolong leases of this process; returns how many it has of them."""
        async with self._database.write() as transaction:
            held = update(actions).where(_HELD_ROWS, self._mine, *which)
            return (await transaction.execute(held.values(lease_until=self._database.until, **changes))).rowcount

    @property
    def _mine(self) -> ColumnElement[bool]:
        return actions.c.owner == self._database.owner

    def _read(self, row: Row[Any]) -> ActionRecord:
        return replace(self._database.value(ActionRecord, row.content), epoch=row.epoch)


def _key(target: ObjectRef) -> str:
    """An object, whatever part of it is written to."""
    return dumps(replace(target, subresource=""))


def _unknown(action_id: str) -> NotFound:
    hint = "It may have been answered, or it expired. Run the command again."
    return NotFound(f"There is no action `{action_id}`.", hint=hint)
