"""Coverage by the hour: one row for each area above the grids, and one packed row for all grids.

A grid takes thirteen bytes and its code before compression.
"""

import struct
import zlib
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec
import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from command.store import schema
from command.store.database import Database
from gis.coverage.rollup import Figures

MINUTES: Final = (3, 5, 10)
"""The times for which shares are kept."""
_MAGIC: Final = b"YCG1"
_HEAD: Final = struct.Struct("<4sIII")  # magic, grids, bytes of the codes, people counted
_NOTHING: Final = 65_535
_TEN_THOUSANDTHS: Final = 10_000
_STAFFED, _ON_DUTY, _WATCHED, _BY_ROAD = 1, 2, 4, 8
_GRID: Final = np.dtype(
    [
        ("flags", "u1"),
        ("reach", "<u2", (len(MINUTES),)),
        ("median_s", "<u2"),
        ("p90_s", "<u2"),
        ("seen", "<u2"),
    ]
)


class HourFigures(msgspec.Struct, frozen=True, array_like=True):
    """How one area was covered at one moment. Shares are 0 to 1, None where there is nothing to be covered.

    `reach` and `reached` stand in the order of `MINUTES`; the other fields are those of
    `gis.coverage.rollup.Figures`. ``people``: responders that were counted in the whole district.
    """

    at: str
    by_road: bool
    people: int
    grids: int
    staffed: int
    on_duty: int
    measured: int
    reached: tuple[int, int, int]
    reach: tuple[float | None, float | None, float | None]
    median_s: float | None
    p90_s: float | None
    seen: float | None
    watched: int


def hour_figures(figures: Figures, at: str, *, by_road: bool, people: int) -> HourFigures:
    """Return what is kept of an area's figures, which must hold the times of `MINUTES`."""
    three, five, ten = (60 * minutes for minutes in MINUTES)
    reach, reached = figures.reach, figures.reached
    return HourFigures(
        at=at,
        by_road=by_road,
        people=people,
        grids=figures.grids,
        staffed=figures.staffed,
        on_duty=figures.on_duty,
        measured=figures.measured,
        reached=(reached[three], reached[five], reached[ten]),
        reach=(_short(reach[three]), _short(reach[five]), _short(reach[ten])),
        median_s=figures.median_s,
        p90_s=figures.p90_s,
        seen=_short(figures.seen),
        watched=figures.watched,
    )


def _short(share: float | None) -> float | None:
    return None if share is None else round(share, 4)


def pack(grids: Sequence[Figures], *, by_road: bool, people: int) -> bytes:
    """Write the figures of all grids as one compressed row."""
    rows = np.zeros(len(grids), _GRID)
    for n, grid in enumerate(grids):
        rows["flags"][n] = (
            _STAFFED * (grid.staffed > 0)
            + _ON_DUTY * (grid.on_duty > 0)
            + _WATCHED * (grid.watched > 0)
            + _BY_ROAD * by_road
        )
        rows["reach"][n] = [_part(grid.reach[60 * minutes]) for minutes in MINUTES]
        rows["median_s"][n] = _NOTHING if grid.median_s is None else round(grid.median_s)
        rows["p90_s"][n] = _NOTHING if grid.p90_s is None else round(grid.p90_s)
        rows["seen"][n] = _part(grid.seen)
    codes = "\n".join(grid.code for grid in grids).encode()
    head = _HEAD.pack(_MAGIC, len(grids), len(codes), people)
    columns = b"".join(np.ascontiguousarray(rows[name]).tobytes() for name in _GRID.names or ())
    return zlib.compress(head + codes + columns, 6)


def _part(share: float | None) -> int:
    return _NOTHING if share is None else round(share * _TEN_THOUSANDTHS)


def unpack(row: bytes, code: str, at: str) -> HourFigures | None:
    """Read the figures of one grid; None where the row has no such grid.

    Raises:
        ValueError: It is no row of ours, or it is cut short.
    """
    try:
        whole = zlib.decompress(row)
        magic, count, length, people = _HEAD.unpack_from(whole)
    except (zlib.error, struct.error) as error:
        raise ValueError(f"not a row of grids: {error}") from error
    if magic != _MAGIC or len(whole) != _HEAD.size + length + count * _GRID.itemsize:
        raise ValueError("not a row of grids")
    codes = whole[_HEAD.size : _HEAD.size + length].decode().split("\n")
    if code not in codes:
        return None
    at_row = codes.index(code)
    offset = _HEAD.size + length
    found: dict[str, NDArray[np.integer]] = {}
    for name in _GRID.names or ():
        kind = _GRID[name]
        found[name] = np.frombuffer(whole, kind, count, offset)[at_row]
        offset += count * kind.itemsize
    flags = int(found["flags"])
    reach = tuple(_share(int(part)) for part in found["reach"])
    three, five, ten = reach
    return HourFigures(
        at=at,
        by_road=bool(flags & _BY_ROAD),
        people=people,
        grids=1,
        staffed=int(bool(flags & _STAFFED)),
        on_duty=int(bool(flags & _ON_DUTY)),
        measured=int(five is not None),
        reached=(_half(three), _half(five), _half(ten)),
        reach=(three, five, ten),
        median_s=_known(int(found["median_s"])),
        p90_s=_known(int(found["p90_s"])),
        seen=_share(int(found["seen"])),
        watched=int(bool(flags & _WATCHED)),
    )


def _share(part: int) -> float | None:
    return None if part == _NOTHING else part / _TEN_THOUSANDTHS


def _half(share: float | None) -> int:
    return int(share is not None and share >= 0.5)


def _known(seconds: int) -> float | None:
    return None if seconds == _NOTHING else float(seconds)


class CoverageHours:
    """The hourly figures in the database.

    Args:
        database: Where they are kept.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def has(self, hour: str) -> bool:
        """Say whether an hour was written already."""
        table = schema.coverage_grids
        query = sa.select(table.c.hour).where(table.c.hour == hour)
        return await self._database.read(lambda connection: connection.execute(query).scalar()) is not None

    async def keep(self, hour: str, at: str, areas: Iterable[tuple[str, HourFigures]], grids: bytes) -> None:
        """Write one hour, all or nothing; one that is there already is replaced.

        Args:
            hour: Its beginning, RFC 3339.
            at: When it was measured.
            areas: (code, figures) of those above the grids.
            grids: From `pack`.
        """
        hours, packed = schema.coverage_hours, schema.coverage_grids
        rows = [
            {"area": code, "hour": hour, "figures": msgspec.json.encode(figures)} for code, figures in areas
        ]

        def work(connection: sa.Connection) -> None:
            connection.execute(sa.delete(hours).where(hours.c.hour == hour))
            connection.execute(sa.delete(packed).where(packed.c.hour == hour))
            if rows:
                connection.execute(sa.insert(hours), rows)
            connection.execute(sa.insert(packed).values(hour=hour, at=at, columns=grids))

        await self._database.write(work)

    async def of_area(self, code: str, start: str, end: str) -> list[tuple[str, HourFigures]]:
        """Return (hour, figures) of an area above the grids, start ≤ hour ≤ end, ascending."""
        table = schema.coverage_hours
        query = (
            sa.select(table.c.hour, table.c.figures)
            .where(table.c.area == code, table.c.hour >= start, table.c.hour <= end)
            .order_by(table.c.hour)
        )

        def work(connection: sa.Connection) -> list[tuple[str, HourFigures]]:
            rows = connection.execute(query)
            return [(row.hour, msgspec.json.decode(row.figures, type=HourFigures)) for row in rows]

        return await self._database.read(work)

    async def of_grid(self, code: str, start: str, end: str) -> list[tuple[str, HourFigures]]:
        """Return (hour, figures) of a grid, start ≤ hour ≤ end, ascending; hours without that grid are left out."""
        table = schema.coverage_grids
        query = sa.select(table).where(table.c.hour >= start, table.c.hour <= end).order_by(table.c.hour)

        def work(connection: sa.Connection) -> list[tuple[str, HourFigures]]:
            rows = connection.execution_options(yield_per=50).execute(query)
            found = ((row.hour, unpack(row.columns, code, row.at)) for row in rows)
            return [(hour, figures) for hour, figures in found if figures is not None]

        return await self._database.read(work)

    async def since(self) -> str | None:
        """Return the oldest hour kept, None without any."""
        query = sa.select(sa.func.min(schema.coverage_grids.c.hour))
        found: str | None = await self._database.read(lambda connection: connection.execute(query).scalar())
        return found

    async def purge(self, before: str) -> int:
        """Forget the hours before a moment; returns how many."""
        hours, packed = schema.coverage_hours, schema.coverage_grids

        def work(connection: sa.Connection) -> int:
            connection.execute(sa.delete(hours).where(hours.c.hour < before))
            return connection.execute(sa.delete(packed).where(packed.c.hour < before)).rowcount

        return await self._database.write(work)
