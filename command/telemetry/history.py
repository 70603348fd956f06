"""Where everybody was: one columnar row per second in the store, compacted to Parquet in the background.

A second of reports becomes one blob, nineteen bytes a position, in the same database and the same writer as
the events; nothing is indexed. Compaction turns old blobs into Parquet files sorted by unit, each with the
span of its fix times in its name, so a track opens only the files it needs. A crash between writing a file
and dropping its blobs leaves both; readers drop repetitions, and the next compaction replaces the file.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from command.telemetry.state import Settled
from command.telemetry.trust import MAX_ACCURACY_M

__all__ = ["LATE", "POOR", "TRACK", "TrackArchive", "TrackSink", "TrackWriter", "pack", "unpack"]

LATE: Final = 1
POOR: Final = 2

_MAGIC: Final = b"YTK1"
_HEAD: Final = struct.Struct("<4sIq")  # magic, count, base time in milliseconds
_COLUMNS: Final = (
    ("unit", "<u4"),
    ("after_ms", "<i4"),
    ("lon", "<i4"),
    ("lat", "<i4"),
    ("speed", "u1"),
    ("heading", "u1"),
    ("flags", "u1"),
)
TRACK: Final = np.dtype(
    [
        ("unit", "u4"),
        ("at_ms", "i8"),
        ("lon", "i4"),
        ("lat", "i4"),
        ("speed", "u1"),  # km/h, 255 unknown
        ("heading", "u1"),  # degrees x 256 / 360; meaningless while standing
        ("flags", "u1"),  # LATE, POOR
    ]
)
"""One point of a track; lon and lat in 1e-7 degrees WGS-84."""


class TrackSink(Protocol):
    """The store's side: blobs by the time they were written. Blocking; called from one thread at a time."""

    def append_tick(self, at: float, blob: bytes) -> None:
        """Queue one blob for the writer; returns at once."""

    def read_ticks(self, start: float, end: float) -> Iterable[tuple[float, bytes]]:
        """Blobs with start <= at < end, ascending."""

    def oldest_tick(self) -> float | None:
        """The time of the oldest blob."""

    def drop_ticks(self, start: float, end: float) -> None:
        """Delete the blobs with start <= at < end in one transaction."""


def pack(points: NDArray[np.void]) -> bytes:
    """Write `TRACK` points as one columnar blob."""
    base = int(points["at_ms"].max()) if len(points) else 0
    columns = {name: points["at_ms"] - base if name == "after_ms" else points[name] for name, _ in _COLUMNS}
    return b"".join(
        (
            _HEAD.pack(_MAGIC, len(points), base),
            *(columns[name].astype(kind).tobytes() for name, kind in _COLUMNS),
        )
    )


def unpack(blob: bytes) -> NDArray[np.void]:
    """Read a blob.

    Raises:
        ValueError: It is not one, or it is cut short.
    """
    if len(blob) < _HEAD.size:
        raise ValueError("track blob is cut short")
    magic, count, base = _HEAD.unpack_from(blob)
    size = sum(np.dtype(kind).itemsize for _, kind in _COLUMNS)
    if magic != _MAGIC or len(blob) != _HEAD.size + count * size:
        raise ValueError("not a track blob")
    points = np.empty(count, TRACK)
    offset = _HEAD.size
    for name, kind in _COLUMNS:
        column = np.frombuffer(blob, kind, count, offset)
        offset += column.nbytes
        if name == "after_ms":
            points["at_ms"] = column.astype(np.int64) + base
        else:
            points[name] = column
    return points


class TrackWriter:
    """Collects settled reports and hands the store one blob per `every_s`.

    Args:
        sink: The store.
        every_s: A crash loses at most this much of the tracks.
    """

    def __init__(self, sink: TrackSink, every_s: float = 1.0) -> None:
        self._sink = sink
        self._every_s = every_s
        self._held: list[NDArray[np.void]] = []
        self._flush_at = -np.inf
        self.points = 0

    def add(self, settled: Settled, now: float) -> None:
        """Take the reports of a tick and write when it is time."""
        reports = settled.reports
        if len(reports):
            points = np.empty(len(reports), TRACK)
            for name in ("unit", "lon", "lat"):
                points[name] = reports[name]
            points["at_ms"] = np.rint(reports["at"] * 1000)
            points["speed"] = np.nan_to_num(np.minimum(reports["speed"], 254), nan=255).astype(np.int32)
            points["heading"] = np.nan_to_num(reports["heading"] * np.float32(256 / 360)).astype(np.int32)
            with np.errstate(invalid="ignore"):
                points["flags"] = settled.late * LATE + (reports["accuracy"] > MAX_ACCURACY_M) * POOR
            self._held.append(points)
        if now >= self._flush_at or now < self._flush_at - self._every_s:
            self.flush(now)

    def flush(self, now: float) -> None:
        """Write what is held; call it once more at shutdown."""
        self._flush_at = now + self._every_s
        if self._held:
            points = np.concatenate(self._held)
            self._held = []
            self.points += len(points)
            self._sink.append_tick(now, pack(points))


@dataclass(frozen=True, slots=True)
class _Segment:
    path: Path
    start_ms: int
    end_ms: int
    first_fix_ms: int

    @classmethod
    def named(cls, path: Path) -> _Segment | None:
        try:
            start, end, first = (int(part) for part in path.stem.split("-"))
        except ValueError:
            return None
        return cls(path, start, end, first)


class TrackArchive:
    """Reads tracks from the store and from Parquet; compacts one into the other.

    Everything here blocks: call it in a thread.

    Args:
        sink: The store.
        folder: Where the Parquet files live; created when missing.
        segment_s: Time covered by one file.
    """

    def __init__(self, sink: TrackSink, folder: Path, segment_s: float = 600.0) -> None:
        self._sink = sink
        self._folder = folder
        self._segment_s = segment_s

    def compact(self, now: float) -> int:
        """Turn every completed segment that is older than one segment into a Parquet file.

        Returns:
            How many files were written.
        """
        written = 0
        while (oldest := self._sink.oldest_tick()) is not None:
            start = oldest // self._segment_s * self._segment_s
            end = start + self._segment_s
            if end > now - self._segment_s:
                break
            blobs = [unpack(blob) for _, blob in self._sink.read_ticks(start, end)]
            existing = [s for s in self._segments() if s.start_ms == round(start * 1000)]
            blobs += [_read(segment.path) for segment in existing]
            points = _in_order(np.concatenate(blobs))
            first = int(points["at_ms"].min()) if len(points) else round(start * 1000)
            target = self._folder / f"{round(start * 1000)}-{round(end * 1000)}-{first}.parquet"
            self._write(points, target)
            for segment in existing:
                if segment.path != target:
                    segment.path.unlink(missing_ok=True)
            self._sink.drop_ticks(start, end)
            written += 1
        return written

    def track(self, unit: int, start: float, end: float) -> NDArray[np.void]:
        """Where a unit was.

        Args:
            unit: Its number.
            start: Seconds since 1970, included.
            end: Excluded.

        Returns:
            (n,) `TRACK` ascending by time, each moment once; empty when nothing is known.
        """
        start_ms, end_ms = round(start * 1000), round(end * 1000)
        found: list[NDArray[np.void]] = [np.empty(0, TRACK)]
        for segment in self._segments():
            # A fix is never newer than its receipt, and late ones are what the first time in the name is for.
            if segment.end_ms > start_ms and segment.first_fix_ms < end_ms:
                wanted = [("unit", "=", unit), ("at_ms", ">=", start_ms), ("at_ms", "<", end_ms)]
                found.append(_read(segment.path, wanted))
        for _, blob in self._sink.read_ticks(start, np.inf):
            points = unpack(blob)
            mine = (points["unit"] == unit) & (points["at_ms"] >= start_ms) & (points["at_ms"] < end_ms)
            if mine.any():
                found.append(points[mine])
        return _in_order(np.concatenate(found))

    def forget(self, before: float) -> int:
        """Delete files whose whole receipt span lies before a time (retention); returns how many."""
        old = [s for s in self._segments() if s.end_ms <= before * 1000]
        for segment in old:
            segment.path.unlink(missing_ok=True)
        return len(old)

    def _segments(self) -> Sequence[_Segment]:
        if not self._folder.is_dir():
            return []
        found = [_Segment.named(path) for path in sorted(self._folder.glob("*.parquet"))]
        return [segment for segment in found if segment is not None]

    def _write(self, points: NDArray[np.void], target: Path) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        table = pa.table({name: np.ascontiguousarray(points[name]) for name in TRACK.names or ()})
        partial = target.with_suffix(".partial")
        pq.write_table(
            table,
            partial,
            compression="zstd",
            use_dictionary=False,
            column_encoding={name: "DELTA_BINARY_PACKED" for name in ("unit", "at_ms", "lon", "lat")},
            row_group_size=1 << 17,
        )
        with partial.open("rb") as written:
            os.fsync(written.fileno())
        partial.replace(target)
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _read(path: Path, wanted: list[tuple[str, str, int]] | None = None) -> NDArray[np.void]:
    table = pq.read_table(path, filters=wanted)
    points = np.empty(table.num_rows, TRACK)
    for name in TRACK.names or ():
        points[name] = table.column(name).to_numpy()
    return points


def _in_order(points: NDArray[np.void]) -> NDArray[np.void]:
    """Sorted by unit and time, each moment of a unit once."""
    points = points[np.lexsort((points["flags"], points["at_ms"], points["unit"]))]
    first = np.ones(len(points), np.bool_)
    first[1:] = (points["unit"][1:] != points["unit"][:-1]) | (points["at_ms"][1:] != points["at_ms"][:-1])
    return points[first]
