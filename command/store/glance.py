"""The database read from beside a service that may be running: never written, never checkpointed."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec
import sqlalchemy as sa
from sqlalchemy import event

from command.board import Board
from command.events import Event
from command.incidents import Incident
from command.store import schema

_BUSY_MS: Final = 5_000


class Glance:
    """One consistent moment of a data folder's database.

    Args:
        connection: In a transaction, so that all that is read belongs to one moment.
    """

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def board(self) -> Board:
        """Return the picture after the last event."""
        boards, events = schema.boards, schema.events
        stored = self._connection.execute(
            sa.select(boards.c.board).order_by(boards.c.seq.desc()).limit(1)
        ).scalar()
        board = Board("") if stored is None else Board.load(stored)
        later = sa.select(events).where(events.c.seq > board.seq).order_by(events.c.seq)
        for row in self._connection.execution_options(yield_per=1_000).execute(later):
            board.apply(Event(row.seq, row.at, row.type, msgspec.json.decode(row.data)))
        return board

    def incidents(self, since: str | None = None, until: str | None = None) -> Iterator[Incident]:
        """Yield the incidents reported between two moments, see `incidents_between`."""
        return incidents_between(self._connection, since, until)


@contextlib.contextmanager
def glance(path: Path) -> Iterator[Glance]:
    """Open a database for reading alone.

    Args:
        path: The database file.

    Raises:
        FileNotFoundError: There is none.
    """
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist: there is no data yet")
    engine = sa.create_engine(
        f"sqlite+pysqlite:///file:{path}?mode=ro&uri=true", poolclass=sa.pool.StaticPool
    )
    event.listen(engine, "connect", _pragmas)
    try:
        with engine.connect() as connection, connection.begin():
            yield Glance(connection)
    finally:
        engine.dispose()


def incidents_between(
    connection: sa.Connection,
    since: str | None = None,
    until: str | None = None,
    *where: sa.ColumnElement[bool],
    backwards: bool = False,
) -> Iterator[Incident]:
    """Yield incidents by id.

    Args:
        connection: To the database.
        since: Reported at or after, RFC 3339 in UTC; None: from the first.
        until: Reported before; None: to the last.
        where: Further conditions.
        backwards: The last id first.
    """
    table = schema.incidents
    query = sa.select(table.c.entity).where(*where)
    query = query.order_by(table.c.id.desc() if backwards else table.c.id)
    if since is not None:
        query = query.where(table.c.reported_at >= since)
    if until is not None:
        query = query.where(table.c.reported_at < until)
    for row in connection.execution_options(yield_per=500).execute(query):
        yield msgspec.json.decode(row.entity, type=Incident)


def _pragmas(connection: sqlite3.Connection, _record: object) -> None:
    connection.execute(f"PRAGMA busy_timeout={_BUSY_MS}")
    connection.execute("PRAGMA query_only=ON")
