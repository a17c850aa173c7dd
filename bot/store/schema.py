"""Which schema a database has, and its way to the newest one. At a usual start there is nothing to do."""

from pathlib import Path
from typing import Final

from sqlalchemy import Connection, inspect, text

from bot.core.errors import StoreUnavailable
from bot.store.database import Database
from bot.store.failures import unavailable

HEAD: Final = "0001"
"""The newest migration. Their names grow with their order."""

# Any number, as long as no other program takes it for its own lock in this database.
_ADVISORY_LOCK: Final = 0x57EE25A4


async def check(database: Database) -> None:
    """Make sure that the schema is the one of this program. Raises StoreUnavailable, also for an older one."""
    async with database.read() as connection:
        version = await connection.run_sync(_version)
    if version == HEAD:
        return
    if version > HEAD:
        raise unavailable(
            database.name,
            "was made by a newer version of Steersman",
            "Run that version, or give this one a database of its own: a newer schema cannot be taken back.",
        )
    raise _Behind(
        f"The database {database.name} has no tables of this version yet.",
        hint="Start Steersman once: it makes them.",
    )


async def migrate(database: Database) -> None:
    """Bring the schema to the newest, all of it or nothing, by one process while the others wait."""
    try:
        await check(database)
    except _Behind:
        async with database.write() as transaction:
            if transaction.dialect.name == "postgresql":
                # Held until the transaction ends, and not for this transaction's usual short deadline.
                await transaction.execute(text("SELECT set_config('statement_timeout', '0', true)"))
                await transaction.execute(text(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})"))
            await transaction.run_sync(_upgrade)
        await check(database)


class _Behind(StoreUnavailable):
    """The schema is older than this program."""


def _version(connection: Connection) -> str:
    """The newest migration that the database has seen; "" for a new one."""
    if not inspect(connection).has_table("alembic_version"):
        return ""
    return connection.execute(text("SELECT max(version_num) FROM alembic_version")).scalar() or ""


def _upgrade(connection: Connection) -> None:
    from alembic import command  # half a second, for the one start that needs it
    from alembic.config import Config

    config = Config()
    # Alembic reads `%` as the start of a variable.
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
