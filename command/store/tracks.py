"""Track blobs in the database, written by the one writer and read by the archive."""

from collections.abc import Iterable
from concurrent.futures import Future
from functools import partial

import sqlalchemy as sa
import structlog

from command.errors import YipingError
from command.store.database import Database
from command.store.schema import track_ticks

log = structlog.get_logger("tracks")


class SqlTracks:
    """The store's side of `command.telemetry.history`.

    Args:
        database: Where blobs go.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self.lost = 0
        """Blobs the database refused (a full disk): tracks have a hole there, the map does not."""

    def append_tick(self, at: float, blob: bytes) -> None:
        """Queue one blob for the writer; returns at once."""
        statement = sa.insert(track_ticks).values(at=at, columns=blob)
        self._database.submit(partial(_execute, statement)).add_done_callback(self._written)

    def _written(self, done: "Future[None]") -> None:
        error = done.exception()
        if error is None:
            return
        self.lost += 1
        if self.lost == 1 or self.lost % 1_000 == 0:
            detail = error.detail if isinstance(error, YipingError) else str(error)
            log.error("track not kept", lost=self.lost, reason=detail)

    def read_ticks(self, start: float, end: float) -> Iterable[tuple[float, bytes]]:
        """Return the blobs written in [start, end), in order."""
        table = track_ticks
        query = (
            sa.select(table.c.at, table.c.columns)
            .where(table.c.at >= start, table.c.at < end)
            .order_by(table.c.at)
        )
        return self._database.read_now(
            lambda connection: [(row.at, row.columns) for row in connection.execute(query)]
        )

    def oldest_tick(self) -> float | None:
        """Return when the oldest blob was written, or None without any."""
        query = sa.select(sa.func.min(track_ticks.c.at))
        return self._database.read_now(lambda connection: connection.execute(query).scalar())

    def drop_ticks(self, start: float, end: float) -> None:
        """Remove the blobs written in [start, end)."""
        statement = sa.delete(track_ticks).where(track_ticks.c.at >= start, track_ticks.c.at < end)
        self._database.submit(partial(_execute, statement)).result()


def _execute(statement: sa.Insert | sa.Delete, connection: sa.Connection) -> None:
    connection.execute(statement)
