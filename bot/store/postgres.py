"""A PostgreSQL server: how it is reached, and the deadlines that it keeps for us."""

from datetime import timedelta

from sqlalchemy import URL, Connection, event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from bot.core.errors import StoreUnavailable


def engine(url: URL, *, readonly: bool, within: timedelta) -> AsyncEngine:
    """Raises StoreUnavailable where the driver is not installed."""
    try:
        import psycopg  # noqa: F401 - SQLAlchemy's driver; it is an extra, so asked for by name
    except ImportError as error:
        raise StoreUnavailable(
            "PostgreSQL needs a driver that is not installed.", hint="pip install 'steersman[postgres]'"
        ) from error
    made = create_async_engine(
        url.set(drivername="postgresql+psycopg"),
        connect_args={
            # Behind PgBouncer a prepared statement may meet a server connection that does not know it.
            "prepare_threshold": None,
            "connect_timeout": max(2, round(within.total_seconds())),
            # A peer that vanished without a word is noticed within seconds, not hours.
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "application_name": "steersman",
        },
        # Said of readers only: a server that only reads is to refuse a writer by itself.
        execution_options={"postgresql_readonly": True} if readonly else {},
        pool_pre_ping=True,
        pool_timeout=within.total_seconds(),
        hide_parameters=True,
    )

    # In the transaction, so that it also holds behind a pooler: who stops in the middle of one (a frozen process, a
    # lost machine) is thrown out by the server, and the others get the locks.
    milliseconds = round(within.total_seconds() * 1000)
    deadlines = ", ".join(
        f"set_config('{name}', '{milliseconds}', true)"
        for name in ("statement_timeout", "idle_in_transaction_session_timeout")
    )

    @event.listens_for(made.sync_engine, "begin")
    def _begun(connection: Connection) -> None:
        connection.exec_driver_sql(f"SELECT {deadlines}")

    return made
