"""Bring a database to the tables of this version, through Alembic's numbered steps."""

from pathlib import Path

import sqlalchemy as sa
from alembic import command as alembic
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from command.store.database import Database


def config() -> Config:
    """Return Alembic's configuration with our folder of steps; no ini file."""
    settings = Config()
    settings.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    settings.set_main_option("path_separator", "os")
    return settings


def upgrade(database: Database) -> tuple[str | None, str]:
    """Run the missing steps on the writing connection.

    Returns:
        The revision found (None: an empty database) and the one reached.
    """

    def work(connection: sa.Connection) -> tuple[str | None, str]:
        before = MigrationContext.configure(connection).get_current_revision()
        head = ScriptDirectory.from_config(config()).get_current_head()
        assert head is not None  # the package carries at least the first step
        if before != head:
            settings = config()
            settings.attributes["connection"] = connection
            alembic.upgrade(settings, "head")
        return before, head

    return database.write_now(work)
