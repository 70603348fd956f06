"""Where every unit is now: numpy columns, one row per unit, fed by reports in any order.

A report passes two doors. `report` and `report_many` check it at once (range, clock, duty) and answer the
sender; `settle`, called by every tick, applies all accepted reports of the last fifth of a second together.
The outcome is a function of the set of reports, see `trust`: whoever sends the same fixes in another order
ends at the same marker.

Only people on duty are tracked: going off duty erases the row, and reports from off duty are refused.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from enum import IntEnum
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from command.telemetry.trust import (
    FIX,
    FIX_FIELDS,
    MAX_ACCURACY_M,
    NEVER,
    WINDOW,
    believe,
    merge,
    newest,
    reachable,
    tie_keys,
)
from command.telemetry.units import UnitTable

__all__ = ["REPORT", "Positions", "Report", "Settled", "Verdict", "code"]

FUTURE_CLAMP_S: Final = 120.0
"""A fix up to this far in the future is a clock that is a little fast; it counts as fixed when received."""
MAX_AGE_S: Final = 7 * 86_400.0
"""Older fixes are refused; a phone that was without network for days still delivers its track."""


class Verdict(IntEnum):
    """What became of a report; `name.lower()` is the reason on the wire."""

    ACCEPTED = 0
    OFF_DUTY = 1
    UNKNOWN_UNIT = 2
    OUT_OF_RANGE = 3
    NOT_FINITE = 4
    FUTURE = 5
    TOO_OLD = 6


def code(verdict: int) -> str:
    """The wire name of a verdict."""
    return Verdict(verdict).name.lower()


REPORT: Final = np.dtype([("row", "i4"), ("unit", "u4"), ("received_at", "f8"), *FIX.descr])
"""An accepted report waiting for `Positions.settle`."""
_PACK: Final = struct.Struct("=iIddiiffff").pack  # one `REPORT`; filling a buffer beats collecting tuples


class Report(NamedTuple):
    """One report as it comes from a tracker; NaN stands for what the tracker does not know."""

    lon: float
    lat: float
    fix_at: float
    """Seconds since 1970 UTC."""
    speed_kmh: float = math.nan
    heading_deg: float = math.nan
    accuracy_m: float = math.nan
    battery: float = math.nan
    """0 … 1."""


class Settled(NamedTuple):
    """What a `Positions.settle` did."""

    reports: NDArray[np.void]
    """The new `REPORT`s, late ones included and repeated ones left out: what belongs in the track."""
    late: NDArray[np.bool_]
    """Per report: it was older than the newest fix known."""
    moved: NDArray[np.intp]
    """Rows whose record changed, ascending."""


class Positions(UnitTable):
    """Latest positions of all units: `UnitTable` columns moved by reports."""

    def __init__(self, capacity: int = 1024) -> None:
        super().__init__(capacity)
        self._waiting = bytearray()
        self._waiting_many: list[NDArray[np.void]] = []
        self.refused: dict[str, int] = {}
        self.repeated = 0

    def report(self, unit: int, report: Report, received_at: float) -> Verdict:
        """Take one report.

        Returns:
            ACCEPTED, or why it is refused. Whether it moves the marker is decided by the next `settle`.
        """
        row = self._rows.get(unit)
        if row is None:
            return self._refuse(Verdict.UNKNOWN_UNIT)
        lon, lat, fix_at, speed, heading, accuracy, battery = report
        if not (math.isfinite(lon) and math.isfinite(lat) and math.isfinite(fix_at)):
            return self._refuse(Verdict.NOT_FINITE)
        if not (-180.0 <= lon <= 180.0 and -90.0 <= lat <= 90.0):
            return self._refuse(Verdict.OUT_OF_RANGE)
        if fix_at > received_at:
            if fix_at > received_at + FUTURE_CLAMP_S:
                return self._refuse(Verdict.FUTURE)
            fix_at = received_at
        elif fix_at < received_at - MAX_AGE_S:
            return self._refuse(Verdict.TOO_OLD)
        if not self.on_duty[row] or fix_at < self._since[row]:
            return self._refuse(Verdict.OFF_DUTY)
        self._waiting += _PACK(
            row,
            unit,
            received_at,
            round(fix_at, 3),
            round(lon * 1e7),
            round(lat * 1e7),
            accuracy if accuracy >= 0 else math.nan,
            speed if speed >= 0 else math.nan,
            heading % 360.0 if -360.0 <= heading <= 720.0 else math.nan,
            battery if 0 <= battery <= 1 else math.nan,
        )
        return Verdict.ACCEPTED

    def report_many(
        self,
        units: ArrayLike,
        lon: ArrayLike,
        lat: ArrayLike,
        fix_at: ArrayLike,
        received_at: float,
        *,
        speed_kmh: ArrayLike = math.nan,
        heading_deg: ArrayLike = math.nan,
        accuracy_m: ArrayLike = math.nan,
        battery: ArrayLike = math.nan,
    ) -> NDArray[np.uint8]:
        """Take many reports, of one unit or of many.

        Args:
            units: (n,) unit numbers.
            lon: (n,) degrees WGS-84.
            lat: (n,) degrees WGS-84.
            fix_at: (n,) seconds since 1970 UTC.
            received_at: Seconds since 1970 UTC.
            speed_kmh: (n,) or one value, NaN unknown; the others alike.
            heading_deg: Clockwise from north.
            accuracy_m: Radius in metres.
            battery: 0 … 1.

        Returns:
            (n,) `Verdict` of each.
        """
        x, y = np.asarray(lon, np.float64), np.asarray(lat, np.float64)
        taken_at: NDArray[np.float64] = np.asarray(fix_at, np.float64)
        rows = self.rows(units)
        verdict = np.zeros(len(rows), np.uint8)
        finite = np.isfinite(x) & np.isfinite(y) & np.isfinite(taken_at)
        early = finite & (taken_at <= received_at + FUTURE_CLAMP_S)
        at = np.round(np.where(early, np.minimum(taken_at, received_at), 0.0), 3)
        verdict[~self.on_duty[rows] | (at < self._since[rows])] = Verdict.OFF_DUTY
        verdict[early & (at < received_at - MAX_AGE_S)] = Verdict.TOO_OLD
        verdict[finite & ~early] = Verdict.FUTURE
        verdict[finite & ~((np.abs(x) <= 180.0) & (np.abs(y) <= 90.0))] = Verdict.OUT_OF_RANGE
        verdict[~finite] = Verdict.NOT_FINITE
        verdict[rows < 0] = Verdict.UNKNOWN_UNIT
        good = verdict == Verdict.ACCEPTED
        everything = good.all()
        taken = np.empty(len(rows) if everything else int(good.sum()), REPORT)
        pick: slice | NDArray[np.bool_] = slice(None) if everything else good

        taken["row"] = rows[pick]
        taken["unit"] = self.unit[taken["row"]]
        taken["received_at"] = received_at
        taken["at"] = at[pick]
        taken["lon"] = np.rint(x[pick] * 1e7)
        taken["lat"] = np.rint(y[pick] * 1e7)
        with np.errstate(invalid="ignore"):
            for name, values, low, high in (
                ("accuracy", accuracy_m, 0.0, np.inf),
                ("speed", speed_kmh, 0.0, np.inf),
                ("heading", heading_deg, -360.0, 720.0),
                ("battery", battery, 0.0, 1.0),
            ):
                column = np.asarray(values, np.float32)
                column = column[pick] if column.ndim else column
                taken[name] = np.where((column >= low) & (column <= high), column, np.nan)
            taken["heading"] %= 360.0
        if len(taken):
            self._waiting_many.append(taken)
        if not everything:
            for value, count in zip(*np.unique(verdict[~good], return_counts=True), strict=True):
                self.refused[code(value)] = self.refused.get(code(value), 0) + int(count)
        return verdict

    def ingest(
        self,
        units: Sequence[int],
        reports: Sequence[Report],
        received_at: float,
    ) -> list[Verdict]:
        """Take reports one by one and settle them: for small programs and tests."""
        verdicts = [self.report(u, r, received_at) for u, r in zip(units, reports, strict=True)]
        self.settle()
        return verdicts

    def settle(self) -> Settled:
        """Apply all waiting reports."""
        reports = self._take_waiting()
        if not len(reports):
            return Settled(reports, np.zeros(0, np.bool_), np.zeros(0, np.intp))
        reports = self._once_each(reports)
        rows = reports["row"]
        late = reports["at"] <= self._newest_at[rows]
        again = self._heard_before(reports, late)
        with np.errstate(invalid="ignore"):
            poor = reports["accuracy"] > MAX_ACCURACY_M
        before = self.lon[rows], self.lat[rows], self.fix_at[rows], self.suspect[rows]
        alone = np.ones(len(rows), np.bool_)
        alone[1:] = rows[1:] != rows[:-1]
        alone[:-1] &= alone[1:]
        fast = alone & self._calm[rows] & ~late & ~poor
        fast &= reachable(
            self.lon[rows], self.lat[rows], self.fix_at[rows], reports["lon"], reports["lat"], reports["at"]
        )
        if fast.all():
            self._advance(reports)
        else:
            self._advance(reports[fast])
            self._rethink(reports[~fast], poor[~fast])
        np.maximum.at(self.received_at, rows, reports["received_at"])
        np.maximum.at(self._newest_at, rows, reports["at"])
        changed = (before[0] != self.lon[rows]) | (before[1] != self.lat[rows])
        changed |= (before[2] != self.fix_at[rows]) | (before[3] != self.suspect[rows])
        moved = np.unique(rows[changed]).astype(np.intp)
        self.dirty[moved] = True
        if again.any():
            self.repeated += int(again.sum())
            reports, late = reports[~again], late[~again]
        return Settled(reports, late, moved)

    def _heard_before(self, reports: NDArray[np.void], late: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Which reports name a moment that is known already, as far back as the window reaches."""
        again = np.zeros(len(reports), np.bool_)
        if late.any():
            rows, at = reports["row"][late], reports["at"][late]
            again[late] = (self._window["at"][rows] == at[:, None]).any(axis=1) | (
                self._bad["at"][rows] == at
            )
        return again

    def _take_waiting(self) -> NDArray[np.void]:
        batches, self._waiting_many = self._waiting_many, []
        if self._waiting:
            batches.append(np.frombuffer(self._waiting, REPORT))
            self._waiting = bytearray()
        if not batches:
            return np.zeros(0, REPORT)
        reports = np.concatenate(batches) if len(batches) > 1 else batches[0]
        still = self.on_duty[reports["row"]]  # somebody may have gone off duty since the report came in
        return reports if still.all() else reports[still]

    def _once_each(self, reports: NDArray[np.void]) -> NDArray[np.void]:
        """Sort by row and time and drop repetitions within the batch."""
        order = np.lexsort((reports["at"], reports["row"]))
        reports = reports[order]
        same = (reports["row"][1:] == reports["row"][:-1]) & (reports["at"][1:] == reports["at"][:-1])
        if not same.any():
            return reports
        # Several fixes of one moment: in the order of the window's own tie rule; exact copies are left out
        # here.
        reports = reports[np.lexsort((*tie_keys(reports), reports["at"], reports["row"]))]
        copy = (reports["row"][1:] == reports["row"][:-1]) & (reports["at"][1:] == reports["at"][:-1])
        for key in tie_keys(reports):
            copy &= key[1:] == key[:-1]
        self.repeated += int(copy.sum())
        kept: NDArray[np.void] = reports[np.append(True, ~copy)]
        return kept

    def _advance(self, reports: NDArray[np.void]) -> None:
        """Move markers of calm units; rows are distinct."""
        rows = reports["row"]
        self._window[rows, self._head[rows]] = reports[FIX_FIELDS]
        self._head[rows] = (self._head[rows] + 1) % WINDOW
        self._show(rows, reports)

    def _rethink(self, reports: NDArray[np.void], poor: NDArray[np.bool_]) -> None:
        """Merge reports into their units' windows and read the markers off again."""
        rows = np.unique(reports["row"])
        if poor.any():
            bad = reports[poor]
            bad = bad[np.append(bad["row"][1:] != bad["row"][:-1], True)]  # sorted: the newest of each unit
            self._bad[bad["row"]] = newest(self._bad[bad["row"]], bad[FIX_FIELDS])
        good = reports[~poor]
        # Of several fixes of one moment the last in the tie order stands, and only the newest few can enter a
        # window.
        stands = np.ones(len(good), np.bool_)
        stands[:-1] = (good["row"][1:] != good["row"][:-1]) | (good["at"][1:] != good["at"][:-1])
        good = good[stands]
        place = np.searchsorted(rows, good["row"])
        from_end = np.searchsorted(good["row"], good["row"], side="right") - 1 - np.arange(len(good))
        enters = from_end < WINDOW
        fresh = np.zeros((len(rows), WINDOW), FIX)
        fresh["at"] = NEVER
        fresh[place[enters], from_end[enters]] = good[enters][FIX_FIELDS]
        window = merge(self._window[rows], fresh)
        belief = believe(window, self._bad["at"][rows])
        self._window[rows] = window
        self._head[rows] = 0
        self._calm[rows] = belief.calm
        self.suspect[rows] = belief.suspect
        known = belief.marker >= 0
        self._show(rows[known], window[known, belief.marker[known]])
        lost = rows[~known]  # nothing but poor fixes yet: better a doubtful place than none
        self._show(lost, self._bad[lost])
        self.suspect[lost] = True

    def _show(self, rows: NDArray[np.intp], fixes: NDArray[np.void]) -> None:
        self.lon[rows] = fixes["lon"]
        self.lat[rows] = fixes["lat"]
        self.fix_at[rows] = fixes["at"]
        self.speed[rows] = fixes["speed"]
        self.heading[rows] = fixes["heading"]
        self.accuracy[rows] = fixes["accuracy"]
        self.battery[rows] = fixes["battery"]
        self.gone[rows] = False

    def _refuse(self, verdict: Verdict) -> Verdict:
        self.refused[code(verdict)] = self.refused.get(code(verdict), 0) + 1
        return verdict
