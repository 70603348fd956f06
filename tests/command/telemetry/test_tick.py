"""Every map ends at the true picture of its view, whatever moved, left, came late or stalled."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from numpy.typing import NDArray

from command.framing import BINARY, split_frame
from command.telemetry.records import HEADER, MAGIC, RECORD, SNAPSHOT, Status
from command.telemetry.state import Positions, Report
from command.telemetry.tick import BEHIND_BYTES, Ticker

T0 = 1_790_000_000.0
EXTENT = (105.0, 27.0, 105.4, 27.4)
Held = tuple[float, float, int]


class Screen:
    """A sink and the map behind it, by the rules of docs/telemetry.md."""

    def __init__(self) -> None:
        self.frames: list[bytes] = []
        self.stuck = 0
        self.units: dict[int, Held] = {}
        self.records: dict[int, NDArray[np.void]] = {}
        self.rev = -1
        self.snapshots = 0

    def write(self, frame: bytes) -> None:
        self.frames.append(frame)
        opcode, payload = split_frame(frame)
        magic, version, flags, count, rev, self.as_of = HEADER.unpack_from(payload)
        assert (opcode, magic, version) == (BINARY, MAGIC, 1)
        assert len(payload) == HEADER.size + count * RECORD.itemsize
        assert rev > self.rev
        self.rev = rev
        if flags & SNAPSHOT:
            self.units.clear()
            self.snapshots += 1
        for record in np.frombuffer(payload, RECORD, offset=HEADER.size):
            unit = int(record["unit"])
            self.records[unit] = record
            if record["status"] & Status.GONE:
                self.units.pop(unit, None)
            else:
                self.units[unit] = record["lon"] * 1e-7, record["lat"] * 1e-7, int(record["status"] & 127)

    def buffered(self) -> int:
        return self.stuck

    def close(self, code: int, reason: str = "") -> None:
        raise AssertionError("the tick closes nobody")


def world(*units: int) -> tuple[Positions, Ticker]:
    positions = Positions(2)
    for unit in units:
        positions.set_on_duty(unit, True)
    return positions, Ticker(positions, EXTENT)


def put(positions: Positions, unit: int, lon: float, lat: float, at: float, **more: float) -> None:
    positions.report(unit, Report(lon, lat, at, **more), at)


def test_a_record_says_all_there_is() -> None:
    positions, ticker = world(7)
    positions.set_busy(7, True)
    put(positions, 7, 105.1234567, 27.2, T0, speed_kmh=57.6, heading_deg=270.0)
    screen = Screen()
    ticker.attach(screen)
    ticker.tick(T0 + 9)
    record = screen.records[7]
    assert record.tolist()[:5] == (7, 1_051_234_567, 272_000_000, 192, 58)
    assert record["status"] & 127 == Status.ON_DUTY | Status.BUSY
    assert record["status"] >> 7 == 4  # nine seconds in steps of two
    assert screen.as_of == T0 + 9


def test_unknown_speed_and_heading() -> None:
    positions, ticker = world(7)
    put(positions, 7, 105.1, 27.2, T0)
    screen = Screen()
    ticker.attach(screen)
    ticker.tick(T0)
    assert screen.records[7]["speed"] == 255
    assert screen.records[7]["status"] & 127 == Status.ON_DUTY | Status.NO_HEADING


@pytest.mark.parametrize("heading", [0.0, 359.4, 359.9, -0.1, 720.0])
def test_headings_wrap(heading: float) -> None:
    positions, ticker = world(7)
    put(positions, 7, 105.1, 27.2, T0, heading_deg=heading, speed_kmh=400.0)
    screen = Screen()
    ticker.attach(screen)
    ticker.tick(T0)
    got = int(screen.records[7]["heading"]) * 360 / 256
    assert abs((got - heading + 180) % 360 - 180) <= 0.71
    assert screen.records[7]["speed"] == 254


def test_staleness_is_told_without_a_report() -> None:
    positions, ticker = world(1)
    put(positions, 1, 105.1, 27.1, T0, heading_deg=0.0)
    screen = Screen()
    ticker.attach(screen)
    expected = {0.0: 0, 30.0: 0, 30.1: Status.STALE, 300.1: Status.STALE | Status.OFFLINE, 5000.0: 12}
    for after, flags in expected.items():
        ticker.tick(T0 + after)
        assert screen.units[1][2] == Status.ON_DUTY | flags
    assert len(screen.frames) == 3  # the snapshot and one frame per transition
    assert screen.records[1]["status"] >> 7 == 150
    ticker.look(ticker.attach(late := Screen()), None)
    ticker.tick(T0 + 5000)
    assert late.records[1]["status"] >> 7 == 511


def test_a_quiet_tick_sends_nothing() -> None:
    positions, ticker = world(1)
    put(positions, 1, 105.1, 27.1, T0)
    screens = [Screen(), Screen()]
    ticker.attach(screens[0])
    ticker.attach(screens[1], (105.0, 27.0, 105.2, 27.2))
    for i in range(5):
        ticker.tick(T0 + i)
    assert [len(screen.frames) for screen in screens] == [1, 1]


def test_walls_share_one_frame() -> None:
    positions, ticker = world(1, 2)
    walls = [Screen(), Screen()]
    for wall in walls:
        ticker.attach(wall)
    ticker.tick(T0)
    put(positions, 1, 105.1, 27.1, T0)
    ticker.tick(T0)
    assert walls[0].frames[-1] is walls[1].frames[-1]


def test_off_duty_removes_the_unit_once() -> None:
    positions, ticker = world(1)
    put(positions, 1, 105.1, 27.1, T0)
    screens = [Screen(), Screen()]
    ticker.attach(screens[0])
    ticker.attach(screens[1], (105.05, 27.05, 105.15, 27.15))
    ticker.tick(T0)
    positions.set_on_duty(1, False)
    for i in range(3):
        ticker.tick(T0 + i)
    for screen in screens:
        assert screen.units == {}
        assert screen.records[1].tolist()[1:3] == (0, 0)
        assert len(screen.frames) == 2


def test_no_ghost_stays_where_a_unit_left_the_view() -> None:
    positions, ticker = world(1)
    put(positions, 1, 105.101, 27.101, T0)
    screen = Screen()
    ticker.attach(screen, (105.1, 27.1, 105.11, 27.11))
    ticker.tick(T0)
    put(positions, 1, 105.13, 27.101, T0 + 100)
    ticker.tick(T0 + 100)
    assert screen.units[1][0] == pytest.approx(105.13)  # known to be outside, not frozen at the edge
    put(positions, 1, 105.15, 27.101, T0 + 200)
    ticker.tick(T0 + 200)
    assert len(screen.frames) == 2


def test_a_client_with_a_full_buffer_skips_and_is_healed() -> None:
    positions, ticker = world(1, 2)
    slow, quick = Screen(), Screen()
    ticker.attach(slow)
    ticker.attach(quick)
    put(positions, 1, 105.1, 27.1, T0)
    ticker.tick(T0)
    slow.stuck = BEHIND_BYTES + 1
    for i in range(5):
        put(positions, 1, 105.1 + i * 1e-4, 27.1, T0 + 1 + i)
        ticker.tick(T0 + 1 + i)
    assert (len(slow.frames), len(quick.frames)) == (1, 6)
    assert ticker.skipped_ticks == 5
    slow.stuck = BEHIND_BYTES // 2  # draining, but not drained
    ticker.tick(T0 + 7)
    assert slow.snapshots == 1
    slow.stuck = 0
    positions.set_on_duty(1, False)
    ticker.tick(T0 + 8)
    assert (slow.snapshots, slow.units) == (2, {})


def test_a_followed_unit_comes_between_the_ticks_from_anywhere() -> None:
    positions, ticker = world(1, 2)
    screen = Screen()
    client = ticker.attach(screen, (105.0, 27.0, 105.01, 27.01))
    ticker.tick(T0)
    ticker.follow(client, 1)
    moved: list[int] = []
    ticker.on_tick.append(lambda rows, now: moved.extend(rows.tolist()))
    put(positions, 1, 105.3, 27.3, T0 + 1)
    put(positions, 2, 105.3, 27.3, T0 + 1)
    ticker.half_tick(T0 + 1.1)
    assert list(screen.units) == [1]
    ticker.half_tick(T0 + 1.3)
    assert len(screen.frames) == 2  # nothing new, nothing sent
    ticker.tick(T0 + 1.2)
    assert moved == [0, 1]  # hooks hear of what moved between the ticks
    ticker.follow(client, 99)
    ticker.half_tick(T0 + 1.5)
    ticker.follow(client, None)
    ticker.half_tick(T0 + 1.7)
    assert len(screen.frames) == 2


def test_units_a_viewer_may_not_see_are_never_sent() -> None:
    positions, ticker = world(1, 2)
    screen = Screen()
    client = ticker.attach(screen, None, lambda units: units == 2)
    for i in range(3):
        put(positions, 1, 105.1 + i * 1e-4, 27.1, T0 + i)
        put(positions, 2, 105.1 + i * 1e-4, 27.1, T0 + i)
        ticker.tick(T0 + i)
    ticker.follow(client, 1)
    put(positions, 1, 105.11, 27.1, T0 + 10)
    ticker.half_tick(T0 + 10)
    assert set(screen.records) == {2}


def test_moved_units_are_located_once() -> None:
    positions = Positions()
    asked: list[int] = []

    def locate(
        rows: NDArray[np.intp], lon: NDArray[np.float64], lat: NDArray[np.float64]
    ) -> NDArray[np.int32]:
        asked.extend(rows.tolist())
        return np.where(lon > 105.2, 1, 0).astype(np.int32)

    ticker = Ticker(positions, EXTENT, locate=locate)
    for unit, lon in ((1, 105.1), (2, 105.3)):
        positions.set_on_duty(unit, True)
        put(positions, unit, lon, 27.1, T0)
    ticker.tick(T0)
    ticker.tick(T0 + 1)
    assert asked == [0, 1]
    assert positions.grid[:2].tolist() == [0, 1]


def test_a_detached_client_hears_no_more() -> None:
    positions, ticker = world(1)
    screen = Screen()
    client = ticker.attach(screen)
    ticker.detach(client)
    ticker.detach(client)
    put(positions, 1, 105.1, 27.1, T0)
    ticker.tick(T0)
    assert screen.frames == []
    assert len(ticker) == 0


def test_an_upside_down_view_shows_nothing() -> None:
    positions, ticker = world(1)
    put(positions, 1, 105.1, 27.1, T0)
    screen = Screen()
    ticker.attach(screen, (105.3, 27.3, 105.0, 27.0))
    ticker.tick(T0)
    assert screen.units == {}


LON = st.integers(0, 39).map(lambda i: 105.0 + i * 0.0101)
LAT = st.integers(0, 39).map(lambda i: 27.0 + i * 0.0101)


class Maps(RuleBasedStateMachine):
    """Units move, come and go while maps pan and stall."""

    @initialize()
    def start(self) -> None:
        self.now = T0
        self.positions, self.ticker = world(*range(1, 6))
        self.screens = [Screen(), Screen(), Screen()]
        self.boxes: list[tuple[float, float, float, float] | None] = [
            None,
            EXTENT,
            (105.1, 27.1, 105.2, 27.2),
        ]
        self.clients = [
            self.ticker.attach(screen, box) for screen, box in zip(self.screens, self.boxes, strict=True)
        ]

    @rule(unit=st.integers(1, 5), lon=LON, lat=LAT)
    def move(self, unit: int, lon: float, lat: float) -> None:
        self.now += 2000  # far enough apart for any move to be believed
        put(self.positions, unit, lon, lat, self.now)

    @rule(unit=st.integers(1, 5), on_duty=st.booleans())
    def shift(self, unit: int, on_duty: bool) -> None:
        self.positions.set_on_duty(unit, on_duty)

    @rule(unit=st.integers(1, 5), busy=st.booleans())
    def job(self, unit: int, busy: bool) -> None:
        self.positions.set_busy(unit, busy)

    @rule(i=st.integers(0, 2), stuck=st.booleans())
    def stall(self, i: int, stuck: bool) -> None:
        self.screens[i].stuck = BEHIND_BYTES + 1 if stuck else 0

    @rule(i=st.integers(1, 2), west=LON, south=LAT)
    def pan(self, i: int, west: float, south: float) -> None:
        self.boxes[i] = (west, south, west + 0.05, south + 0.05)
        self.ticker.look(self.clients[i], self.boxes[i])

    @rule()
    def tick(self) -> None:
        self.now += 0.2
        self.ticker.tick(self.now)

    def teardown(self) -> None:
        if not hasattr(self, "positions"):
            return
        for screen in self.screens:
            screen.stuck = 0
        for _ in range(2):
            self.tick()
        truth = {}
        for unit in range(1, 6):
            if (fix := self.positions.fix(unit)) is not None:
                truth[unit] = fix.lon, fix.lat
        for screen, box in zip(self.screens, self.boxes, strict=True):
            west, south, east, north = box or (-180, -90, 180, 90)
            for unit, (lon, lat) in truth.items():
                if west <= lon <= east and south <= lat <= north:
                    assert screen.units[unit][:2] == pytest.approx((lon, lat))
                    busy = bool(screen.units[unit][2] & Status.BUSY)
                    assert busy == self.positions.busy[self.positions.register(unit)]
            for unit, (lon, lat, _) in screen.units.items():
                if west <= lon <= east and south <= lat <= north:
                    assert math.dist(truth[unit], (lon, lat)) < 1e-6


Maps.TestCase.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
test_maps_converge = Maps.TestCase
