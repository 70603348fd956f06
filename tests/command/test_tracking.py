from __future__ import annotations

from pathlib import Path

import pytest

from command.clock import ManualClock
from command.district import District, load_district
from command.store.database import Database
from command.store.migrate import upgrade
from command.store.tracks import SqlTracks
from command.telemetry.state import Report, Verdict
from command.tracking import Tracking
from tests.command.world import START, World
from tests.fixtures import G1, middle


class Lane:
    """Tracking over a world, following its events."""

    def __init__(self, folder: Path, district: District) -> None:
        self.world = World()
        self.database = Database(folder / "test.db")
        upgrade(self.database)
        self.clock = ManualClock(START)
        self.tracks = SqlTracks(self.database)
        self.tracking = Tracking(
            self.world.board, district, self.tracks, folder / "tracks", self.clock, 86_400.0
        )

    def follow(self) -> None:
        for event in self.world.events:
            self.tracking.apply(event)

    def report(self, unit: int, lon: float, lat: float) -> Verdict:
        now = self.tracking.now()
        verdict = self.tracking.positions.report(unit, Report(lon, lat, now), now)
        self.tracking.positions.settle()
        return verdict


@pytest.fixture
def lane(tmp_path: Path, district: District) -> Lane:
    return Lane(tmp_path, district)


def test_the_roster_is_followed_from_the_start(lane: Lane) -> None:
    lon, lat = middle(G1)
    assert lane.report(1, lon, lat) == Verdict.ACCEPTED
    assert lane.report(99, lon, lat) == Verdict.UNKNOWN_UNIT
    lane.clock.advance(12)
    fix = lane.tracking.fixes()[1]
    assert [fix.lon, fix.lat, fix.age_s] == pytest.approx([lon, lat, 12.0])
    assert set(lane.tracking.fixes()) == {1}
    assert len(lane.tracking.fixes()) == 1
    with pytest.raises(KeyError):
        lane.tracking.fixes()[2]
    lane.database.close()


def test_off_duty_ends_it_at_once_and_a_new_shift_begins_anew(lane: Lane) -> None:
    lane.report(1, *middle(G1))
    lane.world.shift("r1", on_duty=False)
    lane.follow()
    assert 1 not in lane.tracking.fixes()
    assert lane.report(1, *middle(G1)) == Verdict.OFF_DUTY
    lane.clock.advance(60)
    lane.world.clock.advance(60)
    lane.world.shift("r1", on_duty=True)
    lane.follow()
    assert 1 not in lane.tracking.fixes(), "the last shift's place is not this one's"
    assert lane.report(1, *middle(G1)) == Verdict.ACCEPTED
    lane.database.close()


def test_a_report_of_the_second_in_which_the_shift_began_belongs_to_it(lane: Lane) -> None:
    lane.world.shift("r1", on_duty=False)
    lane.world.clock.advance(10.7)
    lane.clock.advance(10.7)
    lane.world.shift("r1", on_duty=True)
    lane.follow()
    lon, lat = middle(G1)
    whole_second = float(int(lane.tracking.now()))
    verdict = lane.tracking.positions.report(1, Report(lon, lat, whole_second), lane.tracking.now())
    assert verdict == Verdict.ACCEPTED
    lane.database.close()


def test_a_ghost_in_the_future_has_no_negative_age(lane: Lane) -> None:
    lane.report(1, *middle(G1))
    lane.clock.set_wall(START.replace(hour=1))
    assert lane.tracking.fixes()[1].age_s == 0.0
    lane.database.close()


def test_without_areas_there_is_no_fence_but_there_are_positions(tmp_path: Path) -> None:
    lane = Lane(tmp_path, load_district(tmp_path))
    assert lane.report(1, 116.8, 33.9) == Verdict.ACCEPTED
    lane.tracking.flush()
    lane.database.close()


def test_a_refused_blob_is_counted_and_breaks_nothing(lane: Lane) -> None:
    lane.database.write_now(lambda c: c.exec_driver_sql("DROP TABLE track_ticks"))
    lane.tracks.append_tick(1.0, b"x")
    lane.database.submit(lambda _connection: None).result()
    assert lane.tracks.lost == 1
    lane.database.close()


def test_blobs_are_read_back_by_time_and_dropped(lane: Lane) -> None:
    assert lane.tracks.oldest_tick() is None
    for at in (1.0, 2.0, 3.0):
        lane.tracks.append_tick(at, str(at).encode())
    lane.database.submit(lambda _connection: None).result()
    assert list(lane.tracks.read_ticks(1.0, 3.0)) == [(1.0, b"1.0"), (2.0, b"2.0")]
    lane.tracks.drop_ticks(0.0, 2.5)
    assert lane.tracks.oldest_tick() == 3.0
    lane.database.close()
