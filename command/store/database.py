"""Connections: one thread and one connection for every write and checkpoint, a few read-only ones beside it.

SQLite before 3.51.3 can corrupt a WAL when two connections write and checkpoint (the standard library here
ships an affected version), so only the writer ever does either and readers are ``query_only``. See
``docs/adr/0002-one-writer.md``.
"""

import asyncio
import fcntl
import sqlite3
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any, Final, TypeVar

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.pool import QueuePool, StaticPool

from command.errors import StorageFull, Unavailable

T = TypeVar("T")

READERS: Final = 3
BUSY_TIMEOUT_MS: Final = 5_000


class DataFolderInUse(Unavailable):
    """Another process holds the data folder's writing connection."""

    code = "data_in_use"


class Database:
    """One SQLite file with a single writer.

    Args:
        path: The database file; its folder must exist. A lock file beside it keeps a second writer out.

    Raises:
        DataFolderInUse: Another process has it open for writing.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = _lock(path.with_suffix(".lock"))
        self._writer_pool = ThreadPoolExecutor(1, thread_name_prefix="writer")
        self._reader_pool = ThreadPoolExecutor(READERS, thread_name_prefix="reader")
        url = f"sqlite+pysqlite:///{path}"
        self.engine = sa.create_engine(
            url, poolclass=StaticPool, connect_args={"check_same_thread": False, "isolation_level": None}
        )
        event.listen(self.engine, "connect", _writer_pragmas)
        event.listen(self.engine, "begin", _begin_immediate)
        self.readers = sa.create_engine(
            url,
            poolclass=QueuePool,
            pool_size=READERS,
            max_overflow=0,
            connect_args={"check_same_thread": False, "isolation_level": None},
        )
        event.listen(self.readers, "connect", _reader_pragmas)
        event.listen(self.readers, "begin", _begin_deferred)
        self._connection: sa.Connection | None = None

    async def write(self, work: Callable[[sa.Connection], T]) -> T:
        """Run ``work`` in one transaction on the writer thread; durable when this returns.

        The work is finished even if the caller is cancelled meanwhile.

        Raises:
            StorageFull: The disk is full; nothing of the work was kept.
            Unavailable: The disk failed; nothing of the work was acknowledged.
        """
        return await asyncio.shield(asyncio.wrap_future(self.submit(work)))

    def submit(self, work: Callable[[sa.Connection], T]) -> "Future[T]":
        """Queue ``work`` for the writer thread and return at once; see `write`."""
        return self._writer_pool.submit(self.write_now, work)

    def write_now(self, work: Callable[[sa.Connection], T]) -> T:
        """Run ``work`` in one transaction in the calling thread: start-up, tools, the writer."""
        try:
            if self._connection is None:
                self._connection = self.engine.connect()
            with self._connection.begin():
                return work(self._connection)
        except sa.exc.OperationalError as error:
            raise translate(error) from error

    async def read(self, work: Callable[[sa.Connection], T]) -> T:
        """Run ``work`` on a read-only connection in a reader thread."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._reader_pool, self.read_now, work)

    def read_now(self, work: Callable[[sa.Connection], T]) -> T:
        """Run ``work`` on a read-only connection in the calling thread."""
        with self.readers.connect() as connection, connection.begin():
            return work(connection)

    def close(self) -> None:
        """Finish waiting writes, close readers first and the writer last, so that only it checkpoints."""
        self._reader_pool.shutdown()
        self.readers.dispose()
        self._writer_pool.shutdown()
        if self._connection is not None:
            self._connection.close()
        self.engine.dispose()
        self._lock.close()


def translate(error: sa.exc.OperationalError) -> Exception:
    """Return our error for a failed statement: the disk is full, or it does not answer."""
    original = error.orig
    name = getattr(original, "sqlite_errorname", "")
    if isinstance(original, sqlite3.OperationalError) and name == "SQLITE_FULL":
        return StorageFull()
    return Unavailable(f"The database refused the operation: {name or original}")


def _lock(path: Path) -> IO[str]:
    handle = path.open("w")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        handle.close()
        raise DataFolderInUse(
            f"{path.parent} is in use by another process; stop the running service first."
        ) from None
    return handle


def _writer_pragmas(connection: Any, _record: object) -> None:
    connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    connection.execute("PRAGMA journal_mode=WAL")
    # FULL costs almost nothing once commits are grouped, and NORMAL may lose the last ones on power loss.
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")


def _reader_pragmas(connection: Any, _record: object) -> None:
    connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    connection.execute("PRAGMA query_only=ON")


def _begin_immediate(connection: sa.Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _begin_deferred(connection: sa.Connection) -> None:
    connection.exec_driver_sql("BEGIN")
