"""The table of units: one row each, numpy columns, and who is on duty."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from command.telemetry.trust import FIX, NEVER, WINDOW

__all__ = ["Fix", "UnitTable"]


@dataclass(frozen=True, slots=True)
class Fix:
    """Where a unit is believed to be."""

    lon: float
    lat: float
    fix_at: float
    speed_kmh: float | None
    heading_deg: float | None
    accuracy_m: float | None
    battery: float | None
    suspect: bool


class UnitTable:
    """Columns of all units, indexed by row. Rows are given in order of registration and never move.

    Args:
        capacity: Rows to start with; grows by doubling.

    Attributes:
        unit: The unit's number, as in the records on the wire.
        lon: Marker, 1e-7 degrees WGS-84; `lat` alike.
        fix_at: When the marker was fixed, seconds since 1970; -inf without one.
        received_at: When the unit was last heard.
        speed: km/h; `heading` in degrees, `accuracy` in metres, `battery` 0 … 1; NaN unknown.
        grid: Index of the grid the marker lies in, -1 outside of all; kept by the ticker.
        suspect: The last fixes contradict the marker; it is not moved until they agree again.
        gone: Went off duty; maps have yet to be told.
        dirty: The record changed since it was last sent.
    """

    def __init__(self, capacity: int = 1024) -> None:
        self._rows: dict[int, int] = {}
        self._sorted: tuple[NDArray[np.uint32], NDArray[np.intp]] | None = None
        n = max(capacity, 1)
        self.unit = np.zeros(n, np.uint32)
        self.lon = np.zeros(n, np.int32)
        self.lat = np.zeros(n, np.int32)
        self.fix_at = np.full(n, NEVER)
        self.received_at = np.full(n, NEVER)
        self.speed = np.full(n, np.nan, np.float32)
        self.heading = np.full(n, np.nan, np.float32)
        self.accuracy = np.full(n, np.nan, np.float32)
        self.battery = np.full(n, np.nan, np.float32)
        self.grid = np.full(n, -1, np.int32)
        self.on_duty = np.zeros(n, np.bool_)
        self.busy = np.zeros(n, np.bool_)
        self.suspect = np.zeros(n, np.bool_)
        self.gone = np.zeros(n, np.bool_)
        self.dirty = np.zeros(n, np.bool_)
        self._since = np.full(n, NEVER)
        self._calm = np.ones(n, np.bool_)
        self._newest_at = np.full(n, NEVER)
        self._head = np.zeros(n, np.intp)
        self._bad = np.zeros(n, FIX)
        self._bad["at"] = NEVER
        self._window = np.zeros((n, WINDOW), FIX)
        self._window["at"] = NEVER

    def __len__(self) -> int:
        return len(self._rows)

    def register(self, unit: int) -> int:
        """Give a unit its row; the same one when it has one.

        Raises:
            ValueError: `unit` does not fit the 32 bits of a record.
        """
        row = self._rows.get(unit)
        if row is not None:
            return row
        if not 0 <= unit < 1 << 32:
            raise ValueError(f"unit {unit} does not fit in 32 bits")
        row = len(self._rows)
        if row == len(self.unit):
            self._grow()
        self._rows[unit] = row
        self.unit[row] = unit
        self._sorted = None
        return row

    def row(self, unit: int) -> int | None:
        """The row of a unit, None for an unknown one."""
        return self._rows.get(unit)

    def rows(self, units: ArrayLike) -> NDArray[np.intp]:
        """Rows of many units, -1 for unknown ones."""
        wanted = np.asarray(units, np.uint32)
        if not self._rows:
            return np.full(wanted.shape, -1, np.intp)
        if self._sorted is None:
            known = self.unit[: len(self._rows)]
            order = np.argsort(known)
            self._sorted = known[order], order
        known_units, rows = self._sorted
        place = np.minimum(np.searchsorted(known_units, wanted), len(known_units) - 1)
        return np.where(known_units[place] == wanted, rows[place], -1)

    def set_on_duty(self, unit: int, on_duty: bool, since: float | None = None) -> None:
        """Start or end the tracking of a unit.

        Args:
            unit: Registered when new.
            on_duty: False erases everything known about where the unit is; maps are told to remove it.
            since: Seconds since 1970; fixes taken earlier are refused as off duty.
        """
        row = self.register(unit)
        if on_duty:
            self._since[row] = NEVER if since is None else since
        if bool(self.on_duty[row]) == on_duty:
            return
        self.on_duty[row] = on_duty
        if on_duty:
            return  # maps that still show the last shift's marker are told to remove it until there is a new fix
        self.gone[row] |= self.fix_at[row] > NEVER
        self.dirty[row] = self.gone[row]
        self._forget(row)

    def set_busy(self, unit: int, busy: bool) -> None:
        """Mark a unit as having a job; maps colour it by that."""
        row = self.register(unit)
        if bool(self.busy[row]) != busy:
            self.busy[row] = busy
            self.dirty[row] = self.fix_at[row] > NEVER

    def fix(self, unit: int) -> Fix | None:
        """Where a unit is believed to be; None while off duty or never heard."""
        row = self._rows.get(unit)
        if row is None or self.fix_at[row] == NEVER:
            return None
        return Fix(
            float(self.lon[row]) * 1e-7,
            float(self.lat[row]) * 1e-7,
            float(self.fix_at[row]),
            _known(self.speed[row]),
            _known(self.heading[row]),
            _known(self.accuracy[row]),
            _known(self.battery[row]),
            bool(self.suspect[row]),
        )

    def live(self) -> NDArray[np.intp]:
        """Rows of the units on duty that have a position, ascending."""
        n = len(self._rows)
        return np.flatnonzero(self.on_duty[:n] & (self.fix_at[:n] > NEVER))

    def _forget(self, row: int) -> None:
        for column in (self.fix_at, self.received_at, self._newest_at, self._since):
            column[row] = NEVER
        for column in (self.speed, self.heading, self.accuracy, self.battery):
            column[row] = np.nan
        self.lon[row] = self.lat[row] = 0
        self.grid[row] = -1
        self.suspect[row] = False
        self._calm[row] = True
        self._bad[row] = np.zeros((), FIX)
        self._window[row] = np.zeros((), FIX)
        self._bad["at"][row] = NEVER
        self._window["at"][row] = NEVER

    def _grow(self) -> None:
        for name, column in list(vars(self).items()):
            if isinstance(column, np.ndarray) and len(column) == len(self._rows):
                setattr(self, name, np.concatenate([column, _empty_like(name, column)]))


def _empty_like(name: str, column: NDArray[Any]) -> NDArray[Any]:
    empty = np.zeros_like(column)
    if column.dtype == FIX:
        empty["at"] = NEVER
    elif column.dtype == np.float64:
        empty[:] = NEVER
    elif column.dtype == np.float32:
        empty[:] = np.nan
    elif name == "grid":
        empty[:] = -1
    elif name == "_calm":
        empty[:] = True
    return empty


def _known(value: np.float32) -> float | None:
    return None if np.isnan(value) else float(value)
