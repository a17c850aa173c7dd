"""How Alembic runs the migrations: in the transaction that it was given. It executes this file; nobody imports it."""

from alembic import context

from bot.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
