from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

import command.store.account_tables  # noqa: F401  puts its tables into the metadata
from command.errors import Unavailable
from command.store.database import Database
from command.store.migrate import config, upgrade
from command.store.schema import metadata

HEAD = ScriptDirectory.from_config(config()).get_current_head()


def test_the_steps_lead_exactly_to_the_tables(tmp_path: Path) -> None:
    database = Database(tmp_path / "test.db")
    assert upgrade(database) == (None, HEAD)
    assert upgrade(database) == (HEAD, HEAD)

    def differences(connection: sa.Connection) -> object:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return compare_metadata(context, metadata)

    assert database.write_now(differences) == []
    database.close()


def test_the_audit_record_is_protected_in_a_migrated_database(tmp_path: Path) -> None:
    made, migrated = Database(tmp_path / "made.db"), Database(tmp_path / "migrated.db")
    made.write_now(metadata.create_all)
    upgrade(migrated)

    def triggers(connection: sa.Connection) -> set[str]:
        found = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        return set(found.scalars())

    assert migrated.read_now(triggers) == made.read_now(triggers) != set()
    made.close()
    migrated.close()


def test_the_steps_are_one_line() -> None:
    scripts = ScriptDirectory.from_config(config())
    assert len(scripts.get_heads()) == len(scripts.get_bases()) == 1
    assert all(not script.is_merge_point for script in scripts.walk_revisions())


def test_a_failed_step_leaves_the_database_as_it_was(tmp_path: Path) -> None:
    database = Database(tmp_path / "test.db")
    database.write_now(lambda c: c.exec_driver_sql("CREATE TABLE users (id TEXT)"))
    for _ in range(2):
        with pytest.raises(Unavailable):
            upgrade(database)
        tables = database.read_now(lambda c: sa.inspect(c).get_table_names())
        assert tables == ["users"]
    database.close()
