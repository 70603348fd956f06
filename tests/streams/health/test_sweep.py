"""The sweep with a clock of its own: an hour passes in a moment, and cameras answer as told."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cv2
import numpy as np
import pytest

from streams.errors import Busy, NotAllowed, StreamError, Unauthorized, Unreachable
from streams.health.files import PictureFolder
from streams.health.messages import HealthConfig, HealthReport
from streams.health.sweep import NoSuchCamera, Sweep
from streams.media import KeyFrame
from streams.source import CameraSpec, Source
from tests.streams.health.scenes import FAULTY, SCENES, coded, written
from tests.streams.pictures import key_frame
from tests.streams.waiting import until

BEGIN = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Alarm:
    """Something that happens when the clock has come so far."""

    def __init__(self, do: Callable[[], object]) -> None:
        self.do: Callable[[], object] = do

    def cancel(self) -> None:
        self.do = lambda: None


class Time:
    """A clock that stands until it is told to go on."""

    def __init__(self) -> None:
        self.s = 1000.0
        self._alarms: list[tuple[float, int, Alarm]] = []
        self._number = 0

    def now_s(self) -> float:
        return self.s

    def utc(self) -> datetime:
        return BEGIN + timedelta(seconds=self.s)

    def after(self, seconds: float, do: Callable[[], object]) -> Alarm:
        self._number += 1
        alarm = Alarm(do)
        heapq.heappush(self._alarms, (self.s + seconds, self._number, alarm))
        return alarm

    async def go(self, seconds: float, settled: Callable[[], bool] = lambda: True) -> None:
        """Let time pass; what an alarm begins has finished before the next one rings."""
        end_s = self.s + seconds
        while True:
            for _ in range(3):
                await until(settled, 30.0, 0.001)
                for _ in range(8):
                    await asyncio.sleep(0)
            if not self._alarms or self._alarms[0][0] > end_s:
                break
            at, _, alarm = heapq.heappop(self._alarms)
            self.s = max(self.s, at)
            alarm.do()
        self.s = end_s


class World:
    """Cameras, each showing a picture or failing as told."""

    def __init__(self, folder: Path) -> None:
        self.time = Time()
        self.folder = folder
        self.shows: dict[str, Callable[[int], np.ndarray] | StreamError | None] = {}
        self.reports: list[HealthReport] = []
        self.grabs: list[tuple[float, str]] = []
        self.open = 0
        self.hung = 0
        self.most_open = 0
        self._frames = 0

    async def grab(self, spec: CameraSpec, within_s: float) -> KeyFrame:
        self.grabs.append((self.time.s, spec.id))
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        try:
            shown = self.shows.get(spec.id, _STREET)
            if shown is None:
                self.hung += 1
                try:
                    await asyncio.Event().wait()
                finally:
                    self.hung -= 1
            if isinstance(shown, StreamError):
                raise shown
            assert shown is not None
            self._frames += 1
            return key_frame(shown(self._frames), self.time.utc())
        finally:
            self.open -= 1

    def of(self, id: str) -> list[HealthReport]:
        return [report for report in self.reports if report.camera_id == id]

    def said(self, id: str) -> list[tuple[str, str | None]]:
        return [(r.status, r.fault) for r in self.of(id) if r.transition]

    @asynccontextmanager
    async def sweep(self, ids: list[str], **changes: object) -> AsyncIterator[Sweep]:
        sweep = Sweep(self.config(ids, **changes), self.grab, self.reports.append, clock=self.time)
        task = asyncio.ensure_future(sweep.run())
        try:
            yield sweep
            assert not task.done()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def config(self, ids: list[str], **changes: object) -> HealthConfig:
        cameras = tuple(
            CameraSpec(id=id, source=Source(protocol="rtsp", host=f"10.0.0.{i}", password="pw"))
            for i, id in enumerate(ids)
        )
        values: dict[str, object] = {"cameras": cameras, "folder": str(self.folder), **changes}
        return HealthConfig(**values)  # type: ignore[arg-type]

    async def go(self, seconds: float, sweep: Sweep) -> None:
        await self.time.go(seconds, lambda: sweep.figures()["running"] <= self.hung)


def _small(pixels: np.ndarray) -> np.ndarray:
    return np.asarray(cv2.resize(pixels, (480, 270), interpolation=cv2.INTER_AREA))


def _street(moving: int) -> np.ndarray:
    return _small(coded(written(SCENES["street"](moving), moving), 85))


_STREETS = {i: _street(i) for i in range(1, 4)}


def _STREET(moving: int) -> np.ndarray:
    noise = np.random.default_rng(moving).integers(0, 4, (270, 480, 1), np.uint8)
    return np.clip(_STREETS[moving % 3 + 1].astype(int) + noise, 0, 255).astype(np.uint8)


def _spoiled(kind: str) -> Callable[[int], np.ndarray]:
    spoil = FAULTY[kind][1]
    picture = _small(coded(written(spoil(SCENES["street"](2)), 2), 85))

    def show(moving: int) -> np.ndarray:
        noise = np.random.default_rng(moving).integers(0, 4, (270, 480, 1), np.uint8)
        return np.clip(picture.astype(int) + noise, 0, 255).astype(np.uint8)

    return show


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "pictures")


async def test_a_camera_goes_live_falls_ill_and_recovers(world: World) -> None:
    async with world.sweep(["a"]) as sweep:
        await world.go(1000, sweep)
        assert world.said("a") == [("live", None)]
        first = world.of("a")[0]
        assert first.light == "day"
        assert first.pictured
        assert first.measures["mean"] > 80
        world.shows["a"] = _spoiled("very blurred")
        ill = len(world.grabs)
        await world.go(330, sweep)
        assert world.said("a") == [("live", None), ("degraded", "blurred")]
        times = [at for at, _ in world.grabs[ill:]]
        assert times[1] - times[0] == pytest.approx(20, abs=1)  # a doubt is looked at again soon
        report = world.of("a")[-1]
        assert report.has_reference
        assert report.measures["acutance_ratio"] < 0.5
        del world.shows["a"]
        await world.go(700, sweep)
        assert world.said("a")[-1] == ("live", None)
        assert len(world.said("a")) == 3


async def test_a_frozen_picture_needs_two_repetitions(world: World) -> None:
    async with world.sweep(["a"]) as sweep:
        await world.go(700, sweep)
        still = _STREETS[1]
        world.shows["a"] = lambda _: still
        await world.go(340, sweep)
        assert world.said("a")[-1] == ("live", None)  # one picture like any other, and one like it
        await world.go(340, sweep)
        assert world.said("a")[-1] == ("degraded", "frozen")


async def test_no_picture_is_offline_after_two_tries(world: World) -> None:
    async with world.sweep(["a"]) as sweep:
        await world.go(400, sweep)
        world.shows["a"] = Unreachable("no answer")
        await world.go(340, sweep)
        assert world.said("a") == [("live", None), ("offline", "signal_lost")]
        report = world.of("a")[-1]
        assert (report.reason, report.detail) == ("unreachable", "no answer")
        assert not report.pictured


async def test_wrong_credentials_are_not_tried_again_until_they_change(world: World) -> None:
    world.shows["a"] = Unauthorized("401")
    async with world.sweep(["a", "b"]) as sweep:
        await world.go(3600, sweep)
        assert sum(id == "a" for _, id in world.grabs) == 1
        assert world.said("a") == [("offline", "unauthorized")]
        config = world.config(["a", "b"])
        sweep.configure(config)
        await world.go(600, sweep)
        assert sum(id == "a" for _, id in world.grabs) == 1
        del world.shows["a"]
        source = Source(protocol="rtsp", host="10.0.0.0", password="the right one")
        cameras = (CameraSpec(id="a", source=source), config.cameras[1])
        sweep.configure(HealthConfig(cameras=cameras, folder=config.folder))
        await world.go(10, sweep)
        assert world.said("a")[-1][0] == "offline"  # one good picture is not yet proof
        await world.go(30, sweep)
        assert world.said("a")[-1] == ("live", None)


async def test_what_is_not_allowed_is_asked_once(world: World) -> None:
    world.shows["a"] = NotAllowed("outside")
    async with world.sweep(["a"]) as sweep:
        await world.go(3600, sweep)
        assert len(world.grabs) == 1
        assert world.said("a") == [("offline", "signal_lost")]
        assert world.of("a")[0].reason == "not_allowed"


async def test_a_full_recorder_makes_a_camera_stale_not_offline(world: World) -> None:
    async with world.sweep(["a"]) as sweep:
        await world.go(310, sweep)
        world.shows["a"] = Busy("453")
        await world.go(1300, sweep)
        assert world.said("a") == [("live", None), ("stale", None)]
        del world.shows["a"]
        await world.go(310, sweep)
        assert world.said("a")[-1] == ("live", None)


async def test_hanging_cameras_delay_nobody(world: World) -> None:
    ids = [f"{i}" for i in range(24)]
    for id in ids[:8]:
        world.shows[id] = None
    async with world.sweep(ids, parallel=6, interval_s=60.0, grab_s=10.0) as sweep:
        await world.go(330, sweep)
        for id in ids[8:]:
            assert len(world.of(id)) >= 4, id
            assert world.said(id) == [("live", None)]
        for id in ids[:8]:
            assert world.said(id) in ([], [("offline", "signal_lost")])
    assert world.most_open <= 6
    assert world.open == 0


async def test_disabled_cameras_are_left_alone(world: World) -> None:
    config = world.config(["a", "b"])
    cameras = (CameraSpec(id="a", source=config.cameras[0].source, enabled=False), config.cameras[1])
    async with world.sweep([], cameras=cameras) as sweep:
        await world.go(900, sweep)
        assert {id for _, id in world.grabs} == {"b"}
        with pytest.raises(NoSuchCamera):
            await sweep.check("a")


async def test_a_check_on_demand_comes_at_once(world: World) -> None:
    async with world.sweep(["a"]) as sweep:
        report = await sweep.check("a")
        assert report.status == "live"
        assert world.reports == [report]
        world.shows["a"] = Unauthorized("401")
        assert (await sweep.check("a")).fault == "unauthorized"


async def test_a_false_alarm_makes_the_present_picture_the_reference(world: World) -> None:
    files = PictureFolder(world.folder)
    async with world.sweep(["a"]) as sweep:
        await world.go(400, sweep)
        before = files.path("a", "reference", "day").read_bytes()
        world.shows["a"] = _spoiled("knocked")
        await world.go(340, sweep)
        assert world.said("a")[-1] == ("degraded", "moved")
        report = await sweep.accept_reference("a")
        assert (report.status, report.fault, report.transition) == ("live", None, True)
        assert files.path("a", "reference", "day").read_bytes() != before
        await world.go(3000, sweep)
        assert world.said("a")[-1] == ("live", None)
        assert len(world.said("a")) == 3
        world.shows["a"] = Unreachable("gone")
        with pytest.raises(Unreachable):
            await sweep.accept_reference("a")


async def test_a_restart_reports_nothing_twice(world: World) -> None:
    world.shows["b"] = Unreachable("gone")
    async with world.sweep(["a", "b"]) as sweep:
        await world.go(700, sweep)
    assert world.said("b") == [("offline", "signal_lost")]
    world.reports.clear()
    async with world.sweep(["a", "b"]) as sweep:
        await world.go(700, sweep)
        assert world.said("a") == world.said("b") == []
        assert world.of("b")[0].status == "offline"
        assert world.of("b")[0].since is not None


async def test_pictures_of_removed_cameras_go_and_those_of_disabled_ones_stay(world: World) -> None:
    async with world.sweep(["a", "b"]) as sweep:
        await world.go(400, sweep)
        files = PictureFolder(world.folder)
        assert files.path("a", "thumbnail").exists()
        config = world.config(["a", "b"])
        off = CameraSpec(id="b", source=config.cameras[1].source, enabled=False)
        sweep.configure(world.config([], cameras=(off,)))
        await world.go(1, sweep)
        await until(lambda: not files.path("a", "thumbnail").exists())
        assert files.path("b", "thumbnail").exists()


async def test_an_old_key_frame_is_no_picture(world: World) -> None:
    frame = key_frame(_STREETS[1], world.time.utc())

    async def grab(spec: CameraSpec, within_s: float) -> KeyFrame:
        return frame

    world.grab = grab  # type: ignore[method-assign]
    async with world.sweep(["a"]) as sweep:
        await world.go(1000, sweep)
        assert world.said("a")[-1] == ("offline", "signal_lost")
        assert world.of("a")[-1].reason == "stalled"


async def test_a_picture_that_cannot_be_kept_is_still_judged(world: World) -> None:
    async with world.sweep(["a"]) as sweep:
        await world.go(310, sweep)
        files = PictureFolder(world.folder)
        folder = files.path("a", "thumbnail").parent
        part = files.path("a", "thumbnail").with_suffix(".jpg.part")
        part.mkdir()
        await world.go(300, sweep)
        assert world.of("a")[-1].status == "live"
        assert not world.of("a")[-1].pictured
        part.rmdir()
        assert folder.exists()
        await world.go(300, sweep)
        assert world.of("a")[-1].pictured


async def test_stills_come_from_a_given_frame_or_a_new_one(world: World) -> None:
    async with world.sweep(["a"]) as sweep:
        given = await sweep.still("a", key_frame(_STREETS[2], BEGIN), 320)
        assert (given.width, given.height, given.taken_at) == (320, 180, BEGIN)
        assert given.jpeg.startswith(b"\xff\xd8")
        grabbed = await sweep.still("a", None, 0)
        assert (grabbed.width, grabbed.height) == (480, 270)
        with pytest.raises(NoSuchCamera):
            await sweep.still("?", None, 0)


async def test_a_picture_that_ended_the_process_is_not_decoded_again(world: World) -> None:
    world.folder.mkdir()
    (world.folder / "decoding").write_bytes(b"a")
    async with world.sweep(["a", "b"]) as sweep:
        await world.go(400, sweep)
        assert world.said("b") == [("live", None)]
        assert world.said("a") == [("offline", "signal_lost")]
        assert world.of("a")[0].reason == "bad_media"


async def test_one_broken_grab_does_not_end_the_sweep(world: World) -> None:
    async def grab(spec: CameraSpec, within_s: float) -> KeyFrame:
        if spec.id == "a":
            raise RuntimeError("a bug")
        return key_frame(_STREET(round(world.time.s)), world.time.utc())

    world.grab = grab  # type: ignore[method-assign]
    async with world.sweep(["a", "b"]) as sweep:
        await world.go(900, sweep)
        assert world.said("b") == [("live", None)]
