"""The outbox: the newest text of each message, in order in its channel, until a door has posted it."""

from collections.abc import Iterable
from datetime import timedelta

from sqlalchemy import ColumnElement, and_, case, exists, func, null, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.codec import dumps
from bot.core.errors import Superseded
from bot.core.message import Message, Outgoing
from bot.store import inbox
from bot.store.database import Database
from bot.store.tables import actions, micros, outbox


class SqlOutbox:
    """`bot.core.message.Outbox` on a database.

    A message waits at a position of its channel; an edit that comes while it waits takes its place, one that comes
    later goes to the end. Who posts holds the message by a lease, and with it all that is behind it in the channel.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def post(self, message: Message) -> None:
        async with self._database.write() as transaction:
            if await self._superseded(transaction, message.key):
                raise Superseded("Another process has taken over what this message tells of.")
            await put(self._database, transaction, [message])

    async def _superseded(self, transaction: AsyncConnection, key: str) -> bool:
        """Whether who held this last is another: also when that one is done, for what it said is the last word."""
        newest = select(actions.c.owner).where(actions.c.request == key).order_by(actions.c.seq.desc()).limit(1)
        owner = (await transaction.execute(newest.with_for_update(read=True))).scalar()
        if owner is None:
            owner = await inbox.owner(transaction, key)
        return owner not in (None, self._database.owner)

    async def due(self, limit: int) -> tuple[Outgoing, ...]:
        database = self._database
        before = outbox.alias("before")
        ahead = exists().where(
            before.c.channel == outbox.c.channel,
            tuple_(before.c.position, before.c.seq) < tuple_(outbox.c.position, outbox.c.seq),
        )
        free = and_(
            outbox.c.position.is_not(null()), outbox.c.lease_until <= database.now, outbox.c.due <= database.now, ~ahead
        )
        async with database.write() as transaction:
            rows = await database.take(transaction, outbox, free, outbox.c.position, limit, {})
        rows.sort(key=lambda row: (int(row.position), int(row.seq)))
        return tuple(
            Outgoing(message, int(row.version), row.handle) for row, message in database.readable(Message, rows)
        )

    async def posted(self, outgoing: Outgoing, handle: str) -> None:
        newest = outbox.c.version == outgoing.version
        async with self._database.write() as transaction:
            row = update(outbox).where(self._mine(outgoing))
            end = case((newest, null()), else_=_end())
            out = await transaction.execute(row.values(handle=handle, position=end, due=0, lease_until=0))
            if not out.rowcount:
                # Another posts it by now, perhaps a newer text, and this one may have come after: once more, then.
                again = update(outbox).where(outbox.c.key == outgoing.message.key)
                place = func.coalesce(outbox.c.position, _end())
                await transaction.execute(again.values(version=outbox.c.version + 1, position=place))

    async def failed(self, outgoing: Outgoing, retry_in: float) -> None:
        due = self._database.now + micros(timedelta(seconds=retry_in))
        async with self._database.write() as transaction:
            await transaction.execute(update(outbox).where(self._mine(outgoing)).values(due=due, lease_until=0))

    def _mine(self, outgoing: Outgoing) -> ColumnElement[bool]:
        return and_(outbox.c.key == outgoing.message.key, outbox.c.owner == self._database.owner)


async def put(database: Database, transaction: AsyncConnection, messages: Iterable[Message]) -> None:
    """Replace the texts of messages; where the text is the same, nothing is to be posted."""
    for message in messages:
        new = database.insert(outbox).values(
            key=message.key,
            channel=message.channel,
            version=1,
            handle="",
            position=_end(),
            due=0,
            owner="",
            lease_until=0,
            content=dumps(message),
        )
        newer = new.on_conflict_do_update(
            index_elements=[outbox.c.key],
            set_={
                "channel": new.excluded.channel,
                "version": outbox.c.version + 1,
                "position": func.coalesce(outbox.c.position, new.excluded.position),
                "content": new.excluded.content,
            },
            where=outbox.c.content != new.excluded.content,
        )
        await transaction.execute(newer)


def _end() -> ColumnElement[int]:
    """The place behind all that wait."""
    waiting = outbox.alias("waiting")
    return select(func.coalesce(func.max(waiting.c.position), 0) + 1).scalar_subquery()
