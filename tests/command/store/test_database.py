from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from command.errors import StorageFull, Unavailable
from command.store.database import Database, DataFolderInUse, translate


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(tmp_path / "test.db")
    opened.write_now(lambda c: c.exec_driver_sql("CREATE TABLE t (n INTEGER PRIMARY KEY)"))
    yield opened
    opened.close()


def numbers(database: Database) -> list[int]:
    return database.read_now(lambda c: list(c.exec_driver_sql("SELECT n FROM t ORDER BY n").scalars()))


def insert(n: int, connection: sa.Connection) -> int:
    connection.exec_driver_sql(f"INSERT INTO t VALUES ({n})")
    return n


async def test_work_is_one_transaction(database: Database) -> None:
    def broken(connection: sa.Connection) -> None:
        insert(1, connection)
        raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError):
        await database.write(broken)
    assert numbers(database) == []
    assert await database.write(lambda c: insert(2, c)) == 2
    assert numbers(database) == [2]


async def test_all_writes_happen_on_one_thread(database: Database) -> None:
    names = await asyncio.gather(
        *(database.write(lambda c: threading.current_thread().name) for _ in range(5))
    )
    assert len(set(names)) == 1


async def test_a_write_is_finished_though_its_caller_went_away(database: Database) -> None:
    go, started = threading.Event(), threading.Event()

    def slow(connection: sa.Connection) -> None:
        started.set()
        go.wait(10)
        insert(7, connection)

    task = asyncio.create_task(database.write(slow))
    await asyncio.to_thread(started.wait, 10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    go.set()
    await database.write(lambda c: None)
    assert numbers(database) == [7]


async def test_readers_cannot_write(database: Database) -> None:
    with pytest.raises(sa.exc.OperationalError, match="readonly"):
        await database.read(lambda c: insert(1, c))
    assert numbers(database) == []


def test_the_settings_that_durability_rests_on(database: Database) -> None:
    def pragma(connection: sa.Connection, name: str) -> object:
        return connection.exec_driver_sql(f"PRAGMA {name}").scalar()

    assert database.write_now(lambda c: pragma(c, "journal_mode")) == "wal"
    assert database.write_now(lambda c: pragma(c, "synchronous")) == 2  # FULL
    assert database.read_now(lambda c: pragma(c, "query_only")) == 1


def test_a_folder_has_one_writer(database: Database) -> None:
    with pytest.raises(DataFolderInUse) as refused:
        Database(database.path)
    assert isinstance(refused.value, Unavailable)
    assert "in use" in refused.value.detail


def test_a_closed_folder_may_be_opened_again(tmp_path: Path) -> None:
    Database(tmp_path / "a.db").close()
    Database(tmp_path / "a.db").close()


def failed(name: str) -> sa.exc.OperationalError:
    original = sqlite3.OperationalError("x")
    original.sqlite_errorname = name
    return sa.exc.OperationalError("INSERT", None, original)


def test_a_full_disk_is_told_apart_from_a_broken_one() -> None:
    assert isinstance(translate(failed("SQLITE_FULL")), StorageFull)
    broken = translate(failed("SQLITE_IOERR_FSYNC"))
    assert isinstance(broken, Unavailable)
    assert "SQLITE_IOERR_FSYNC" in broken.detail


def test_a_limit_on_pages_is_a_full_disk_and_goes_away(database: Database) -> None:
    """SQLite's own limit fails exactly as a full disk does, on the same connection that goes on afterwards."""

    def fill(connection: sa.Connection) -> None:
        connection.exec_driver_sql("CREATE TABLE big (b BLOB)")
        connection.exec_driver_sql("INSERT INTO big VALUES (zeroblob(1000000))")

    pages = database.write_now(lambda c: c.exec_driver_sql("PRAGMA page_count").scalar())
    database.write_now(lambda c: c.exec_driver_sql(f"PRAGMA max_page_count={pages}"))
    for _ in range(3):
        with pytest.raises(StorageFull):
            database.write_now(fill)
    assert numbers(database) == []
    database.write_now(lambda c: c.exec_driver_sql("PRAGMA max_page_count=1000000"))
    database.write_now(lambda c: insert(1, c))
    assert numbers(database) == [1]
