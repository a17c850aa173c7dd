"""The tables as they are at the newest migration, and how their columns hold what they hold.

Values are kept whole, as `bot.core.codec` writes them, in `content`; what a query selects or a lease needs has a column
of its own beside it. Times are whole microseconds since 1970 in UTC: exact, and the same on both databases.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, MetaData, String, Table, Text, TypeDecorator
from sqlalchemy.engine import Dialect

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def micros(span: datetime | timedelta) -> int:
    """A moment, or a duration, as the columns hold it."""
    return (span - _EPOCH if isinstance(span, datetime) else span) // timedelta(microseconds=1)


def plain(text: str) -> str:
    """Text that a database can hold: PostgreSQL takes no NUL, and neither takes half a character."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()


class Words(TypeDecorator[str]):
    """Text from outside."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return value and plain(value)


# SQLite counts by itself only in a column that is called INTEGER.
_COUNTER: Final = BigInteger().with_variant(Integer, "sqlite")

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)


def _held() -> tuple[Column[str], Column[int]]:
    """Who works on a row, and until when nobody else may."""
    return Column("owner", String, nullable=False), Column("lease_until", BigInteger, nullable=False)


actions = Table(
    "actions",
    metadata,
    Column("seq", _COUNTER, primary_key=True),
    Column("id", Words, nullable=False, unique=True),
    Column("request", Words, nullable=False, index=True),
    Column("state", String, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    *_held(),
    Column("content", Text, nullable=False),
    Index(None, "state", "lease_until"),
)

targets = Table(
    "targets",
    metadata,
    Column("target", Text, primary_key=True),
    Column("action", BigInteger, ForeignKey(actions.c.seq), primary_key=True),
)

audit = Table(
    "audit",
    metadata,
    Column("seq", _COUNTER, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False, index=True),
    Column("actor", Words, nullable=False),
    Column("cluster", Words, nullable=False),
    Column("namespace", Words, nullable=False),
    Column("content", Text, nullable=False),
    Column("hash", String, nullable=False),
)

chain_head = Table(
    "chain_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False),
    Column("hash", String, nullable=False),
)
"""One row: whoever appends to the audit holds it until their commit, so that the chain is one line."""

fates = Table(
    "fates",
    metadata,
    Column("seq", _COUNTER, primary_key=True),
    Column("uid", Words, nullable=False, index=True),
    Column("content", Text, nullable=False),
)

buttons = Table(
    "buttons",
    metadata,
    Column("id", Words, primary_key=True),
    Column("content", Text, nullable=False),
)

inbox = Table(
    "inbox",
    metadata,
    Column("seq", _COUNTER, primary_key=True),
    Column("id", Words, nullable=False, unique=True),
    Column("state", String, nullable=False),
    *_held(),
    Column("content", Text, nullable=False),
    Index(None, "state", "seq"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("seq", _COUNTER, primary_key=True),
    Column("key", Words, nullable=False, unique=True),
    Column("channel", Words, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("handle", Words, nullable=False),
    Column("position", BigInteger, index=True),
    Column("due", BigInteger, nullable=False),
    *_held(),
    Column("content", Text, nullable=False),
    Index(None, "channel", "position"),
)
"""`position` is the place in the queue; none where the newest text is posted."""
