"""The inbox: what a door received, from before it says so until it is answered."""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.codec import dumps
from bot.core.errors import StoreUnavailable, Superseded
from bot.core.request import Request
from bot.store.database import Database
from bot.store.tables import inbox

_WAITING: Final = "waiting"
_WORKING: Final = "working"
_DONE: Final = "done"


@dataclass(slots=True)
class _Envelope:
    """What one caller brought, and what became of it: those that are new, or why nothing was accepted."""

    requests: Sequence[Request]
    outcome: tuple[Request, ...] | Exception | None = None


class SqlInbox:
    """`bot.core.request.Inbox` on a database.

    Whoever comes while a commit is under way waits for it, and the first of those carries all of them in the next one:
    a burst costs a few commits instead of one each.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._arrived: list[_Envelope] = []
        self._committing = asyncio.Lock()

    async def accept(self, requests: Sequence[Request]) -> tuple[Request, ...]:
        if not requests:
            return ()
        mine = _Envelope(requests)
        self._arrived.append(mine)
        async with self._committing:
            if mine.outcome is None:
                await self._carry_all(mine)
        match mine.outcome:
            case StoreUnavailable() as failure:  # several raise it: each its own
                raise StoreUnavailable(failure.message, hint=failure.hint) from failure
            case Exception() as failure:
                raise failure
            case new:
                return new or ()

    async def _carry_all(self, mine: _Envelope) -> None:
        batch, self._arrived = self._arrived, []
        # Of one delivery that came twice at once, the first is new.
        first: dict[str, tuple[_Envelope, Request]] = {}
        for envelope in batch:
            for request in envelope.requests:
                first.setdefault(request.id, (envelope, request))
        try:
            new = await self._insert([request for _, request in first.values()])
        except Exception as failure:  # noqa: BLE001 - each of the callers raises it
            for envelope in batch:
                envelope.outcome = failure
            return
        except asyncio.CancelledError:  # this caller's alone: the next one carries the others
            self._arrived = [envelope for envelope in batch if envelope is not mine] + self._arrived
            raise
        for envelope in batch:
            envelope.outcome = tuple(
                request for bringer, request in first.values() if bringer is envelope and request.id in new
            )

    async def _insert(self, requests: Sequence[Request]) -> frozenset[str]:
        rows = [{"id": request.id, "content": dumps(request)} for request in requests]
        new = self._database.insert(inbox).values(state=_WAITING, owner="", lease_until=0)
        added = new.on_conflict_do_nothing().returning(inbox.c.id)
        async with self._database.write() as transaction:
            return frozenset((await transaction.execute(added, rows)).scalars())

    async def claim(self, limit: int) -> tuple[Request, ...]:
        database = self._database
        left = and_(inbox.c.state == _WORKING, inbox.c.lease_until <= database.now)
        free = or_(inbox.c.state == _WAITING, left)
        async with database.write() as transaction:
            rows = await database.take(transaction, inbox, free, inbox.c.seq, limit, {"state": _WORKING})
        rows.sort(key=lambda row: int(row.seq))
        return tuple(request for _, request in database.readable(Request, rows))

    async def hold(self, requests: Collection[str]) -> None:
        if requests:
            async with self._database.write() as transaction:
                renewed = update(inbox).where(inbox.c.id.in_(requests), _ours(self._database))
                await transaction.execute(renewed.values(lease_until=self._database.until))

    async def finish(self, request_id: str) -> None:
        await self._let_go(request_id, _DONE)

    async def give_back(self, request_id: str) -> None:
        await self._let_go(request_id, _WAITING)

    async def _let_go(self, request_id: str, state: str) -> None:
        async with self._database.write() as transaction:
            row = update(inbox).where(inbox.c.id == request_id, _ours(self._database))
            await transaction.execute(row.values(state=state, owner="", lease_until=0))


async def answer(database: Database, transaction: AsyncConnection, request_id: str) -> None:
    """An action takes a request over: it is answered when the transaction is. Raises Superseded where it is another's.

    A request that never came through an inbox (the console's) is nobody's.
    """
    ours = update(inbox).where(inbox.c.id == request_id, _ours(database))
    answered = await transaction.execute(ours.values(state=_DONE))
    if not answered.rowcount:
        known = await transaction.execute(select(inbox.c.seq).where(inbox.c.id == request_id))
        if known.first() is not None:
            raise Superseded("Another process has taken this request over.")


async def owner(transaction: AsyncConnection, request_id: str) -> str | None:
    """Who works on a request, or had an action take it over; "" for nobody, None where it never came through an inbox.

    The answer holds until the transaction ends.
    """
    row = select(inbox.c.owner).where(inbox.c.id == request_id)
    return (await transaction.execute(row.with_for_update(read=True))).scalar()


def _ours(database: Database) -> ColumnElement[bool]:
    return and_(inbox.c.state == _WORKING, inbox.c.owner == database.owner)
