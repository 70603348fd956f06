"""Alembic's entry point: it always works on the connection that `command.store.migrate` hands over."""

from alembic import context

import command.store.account_tables  # noqa: F401  registers its tables on the metadata
from command.store.schema import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
context.run_migrations()
