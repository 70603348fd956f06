"""Tracks survive compaction, crashes in its middle, late points and repetition."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from command.telemetry.history import LATE, POOR, TRACK, TrackArchive, TrackWriter, pack, unpack
from command.telemetry.state import Positions, Report

T0 = 1_790_000_400.0


class MemoryTracks:
    """The store's side in memory."""

    def __init__(self) -> None:
        self.ticks: list[tuple[float, bytes]] = []

    def append_tick(self, at: float, blob: bytes) -> None:
        self.ticks.append((at, blob))

    def read_ticks(self, start: float, end: float) -> Iterable[tuple[float, bytes]]:
        return [(at, blob) for at, blob in sorted(self.ticks) if start <= at < end]

    def oldest_tick(self) -> float | None:
        return min((at for at, _ in self.ticks), default=None)

    def drop_ticks(self, start: float, end: float) -> None:
        self.ticks = [(at, blob) for at, blob in self.ticks if not start <= at < end]


points = st.lists(
    st.tuples(
        st.integers(0, 2**32 - 1),
        st.integers(1_789_999_000_000, 1_790_000_000_000),
        st.integers(-1_800_000_000, 1_800_000_000),
        st.integers(-900_000_000, 900_000_000),
        st.integers(0, 255),
        st.integers(0, 255),
        st.integers(0, 3),
    ),
    max_size=20,
)


@given(points)
def test_a_blob_reads_back_as_it_was(rows: list[tuple[int, ...]]) -> None:
    written = np.array(rows, TRACK)
    blob = pack(written)
    assert (unpack(blob) == written).all()
    assert len(blob) == 16 + 19 * len(rows)


def test_damaged_blobs_are_refused() -> None:
    blob = pack(np.zeros(3, TRACK))
    for damaged in (b"", blob[:-1], b"XXXX" + blob[4:]):
        with pytest.raises(ValueError, match="track blob"):
            unpack(damaged)


def record(sink: MemoryTracks, seconds: int, start: float = T0, units: int = 2) -> None:
    positions = Positions()
    writer = TrackWriter(sink)
    for unit in range(1, units + 1):
        positions.set_on_duty(unit, True)
    for i in range(seconds):
        for unit in range(1, units + 1):
            report = Report(105.0 + i * 1e-5, 27.0 + unit, start + i, 36.0, 180.0)
            positions.report(unit, report, start + i)
        writer.add(positions.settle(), start + i)
    writer.flush(start + seconds)


def times(track: NDArray[np.void]) -> list[float]:
    return [int(at) / 1000 for at in track["at_ms"]]


def test_one_blob_a_second_and_the_rest_at_the_end() -> None:
    sink = MemoryTracks()
    positions = Positions()
    positions.set_on_duty(1, True)
    writer = TrackWriter(sink)
    for i in range(10):
        at = T0 + i * 0.2
        positions.report(1, Report(105.0, 27.0, at), at)
        writer.add(positions.settle(), at)
    assert [at for at, _ in sink.ticks] == [T0, T0 + 1.0]
    writer.flush(T0 + 2)
    writer.flush(T0 + 3)
    assert [len(unpack(blob)) for _, blob in sink.ticks] == [1, 5, 4]
    assert writer.points == 10


def test_late_and_poor_points_are_marked() -> None:
    sink = MemoryTracks()
    positions = Positions()
    positions.set_on_duty(1, True)
    writer = TrackWriter(sink)
    for at, accuracy in ((T0 + 10, 5.0), (T0 + 5, 5.0), (T0 + 11, 900.0)):
        positions.report(1, Report(105.0, 27.0, at, accuracy_m=accuracy), T0 + 12)
        writer.add(positions.settle(), T0 + 12)
    writer.flush(T0 + 13)
    flags = [(int(p["at_ms"]) / 1000 - T0, int(p["flags"])) for _, b in sink.ticks for p in unpack(b)]
    assert flags == [(10, 0), (5, LATE), (11, POOR)]


def test_a_track_reads_the_same_before_and_after_compaction(tmp_path: Path) -> None:
    sink = MemoryTracks()
    record(sink, 300)
    archive = TrackArchive(sink, tmp_path / "tracks", segment_s=60)
    before = archive.track(2, T0 + 10, T0 + 250)
    assert len(before) == 240
    assert archive.compact(T0 + 300) == 4
    assert len(list((tmp_path / "tracks").iterdir())) == 4
    after = archive.track(2, T0 + 10, T0 + 250)
    assert (after == before).all()
    assert after[0]["speed"] == 36
    assert after[0]["heading"] == 128
    assert len(archive.track(3, T0, T0 + 300)) == 0
    assert archive.compact(T0 + 300) == 0


def test_a_crash_between_the_file_and_the_deletion_doubles_nothing(tmp_path: Path) -> None:
    sink = MemoryTracks()
    record(sink, 120)
    ticks = list(sink.ticks)
    archive = TrackArchive(sink, tmp_path, segment_s=60)
    archive.compact(T0 + 200)
    sink.ticks = ticks  # the deletion was lost
    expected = [T0 + i for i in range(120)]
    assert times(archive.track(1, T0, T0 + 120)) == expected
    archive.compact(T0 + 200)
    assert times(archive.track(1, T0, T0 + 120)) == expected
    assert len(list(tmp_path.glob("*.parquet"))) == 2


def test_a_point_that_arrived_much_later_is_found_in_the_later_file(tmp_path: Path) -> None:
    sink = MemoryTracks()
    late = np.zeros(1, TRACK)
    late["unit"], late["at_ms"], late["flags"] = 1, round((T0 + 5) * 1000), LATE
    sink.append_tick(T0 + 500, pack(late))
    archive = TrackArchive(sink, tmp_path, segment_s=60)
    assert times(archive.track(1, T0, T0 + 60)) == [T0 + 5]
    assert archive.compact(T0 + 1000) == 1
    assert times(archive.track(1, T0, T0 + 60)) == [T0 + 5]


def test_retention_forgets_whole_files(tmp_path: Path) -> None:
    sink = MemoryTracks()
    record(sink, 240)
    archive = TrackArchive(sink, tmp_path, segment_s=60)
    archive.compact(T0 + 500)
    (tmp_path / "notes.parquet").write_text("not ours")
    assert archive.forget(T0 + 120) == 2
    assert times(archive.track(1, T0, T0 + 240))[0] == T0 + 120


def test_nothing_known_is_an_empty_track(tmp_path: Path) -> None:
    archive = TrackArchive(MemoryTracks(), tmp_path / "none")
    assert len(archive.track(1, T0, T0 + 60)) == 0
    assert archive.compact(T0) == 0
