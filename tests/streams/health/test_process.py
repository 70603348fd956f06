"""The health process's own work over a real link, with cameras that are pulled over RTSP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
import pytest

from streams.errors import Busy, StreamError, Unreachable
from streams.health import process
from streams.health.files import PictureFolder
from streams.health.messages import (
    CheckOrder,
    HealthConfig,
    HealthReport,
    KeyFrameOrder,
    ReferenceOrder,
    Still,
    StillOrder,
)
from streams.link import Link
from streams.media import KeyFrame
from streams.source import CameraSpec, Source
from streams.synthetic.farm import Farm
from tests.streams.health.scenes import SCENES, coded, written
from tests.streams.pictures import key_frame
from tests.streams.test_link import joined
from tests.streams.waiting import until


class Web:
    """The other end: what the web process serves and hears."""

    def __init__(self) -> None:
        self.link = Link()
        self.watched: dict[str, KeyFrame | StreamError] = {}
        self.asked: list[str] = []
        self.reports: list[HealthReport] = []
        self.link.serve("key_frame", KeyFrameOrder, self._key_frame)
        self.link.serve("report", HealthReport, self.reports.append)

    def _key_frame(self, order: KeyFrameOrder) -> KeyFrame | None:
        self.asked.append(order.camera_id)
        found = self.watched.get(order.camera_id)
        if isinstance(found, StreamError):
            raise found
        return found

    async def check(self, camera_id: str) -> HealthReport:
        return await self.link.call("check", CheckOrder(camera_id=camera_id), HealthReport, timeout_s=30)


@asynccontextmanager
async def health() -> AsyncIterator[Web]:
    web, link = Web(), Link()
    async with joined(web.link, link):
        task = asyncio.ensure_future(process.run(link))
        await asyncio.sleep(0)
        try:
            yield web
            assert not task.done()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def config(folder: Path, *cameras: CameraSpec, **changes: object) -> HealthConfig:
    values: dict[str, object] = {"networks": ("127.0.0.0/8",), "grab_s": 15.0}
    return HealthConfig(cameras=cameras, folder=str(folder), **(values | changes))  # type: ignore[arg-type]


def shown(moving: int) -> KeyFrame:
    picture = cv2.resize(coded(written(SCENES["street"](moving), moving)), (640, 360))
    return key_frame(np.asarray(picture), datetime.now(UTC))


async def test_a_camera_nobody_watches_is_opened_and_closed_again(tmp_path: Path) -> None:
    async with Farm(1, light=1.0) as farm, health() as web:
        spec = CameraSpec(id="../a", source=farm.source("cam/1"))
        await web.link.call("configure", config(tmp_path / "p", spec), type(None))
        report = await web.check("../a")
        assert report.status == "live"
        assert report.pictured
        assert report.measures["mean"] > 20
        assert web.asked == ["../a"]
        thumbnail = PictureFolder(tmp_path / "p").path("../a", "thumbnail").read_bytes()
        picture = cv2.imdecode(np.frombuffer(thumbnail, np.uint8), cv2.IMREAD_COLOR)
        assert picture is not None
        assert picture.shape == (180, 320, 3)
        order = StillOrder(camera_id="../a", width=400)
        still = await web.link.call("still", order, Still, timeout_s=30)
        assert (still.width, still.height) == (400, 225)
        assert await until_closed(farm)
        wrong = Source(protocol="rtsp", host="127.0.0.1", port=farm.port, path="cam/1", username="viewer")
        spec = CameraSpec(id="../a", source=wrong)
        await web.link.call("configure", config(tmp_path / "p", spec), type(None))
        assert (await web.check("../a")).fault == "unauthorized"
        figures = await web.link.call("figures", None, dict[str, float])
        assert figures["cameras"] == figures["cameras_offline"] == 1
        assert figures["checks"] >= 2


async def until_closed(farm: Farm) -> bool:
    await until(lambda: farm.sessions("cam/1") == 0)
    return True


async def test_a_watched_camera_is_judged_by_what_is_there_already(tmp_path: Path) -> None:
    async with health() as web:
        unreachable = Source(protocol="rtsp", host="127.0.0.1", port=9)
        cameras = [CameraSpec(id=name, source=unreachable) for name in "ab"]
        await web.link.call("configure", config(tmp_path, *cameras), type(None))
        web.watched["a"] = shown(1)
        assert (await web.check("a")).status == "live"
        report = await web.check("b")
        assert (report.status, report.suspected, report.reason) == ("unknown", "signal_lost", "unreachable")
        order = StillOrder(camera_id="b", frame=shown(2))
        assert (await web.link.call("still", order, Still)).width == 640
        report = await web.link.call("accept_reference", ReferenceOrder(camera_id="a"), HealthReport)
        assert report.has_reference
        with pytest.raises(Unreachable):
            await web.link.call("accept_reference", ReferenceOrder(camera_id="b"), HealthReport, timeout_s=30)
        assert [one.camera_id for one in web.reports] == ["a", "b", "a"]


async def test_a_channel_that_must_be_invited_is_never_opened_here(tmp_path: Path) -> None:
    async with health() as web:
        source = Source(protocol="gb28181", device_id="1" * 20, channel_id="2" * 20)
        camera = CameraSpec(id="g", source=source)
        await web.link.call("configure", config(tmp_path, camera), type(None))
        assert (await web.check("g")).reason == "busy"  # its process is not up: that says nothing about it
        web.watched["g"] = Busy("486")
        assert (await web.check("g")).reason == "busy"
        web.watched["g"] = Unreachable("offline")
        assert (await web.check("g")).suspected == "signal_lost"
        web.watched["g"] = shown(1)
        assert (await web.check("g")).suspected is None


async def test_a_trouble_of_ours_is_not_the_cameras(tmp_path: Path) -> None:
    async with Farm(1, light=1.0) as farm, health() as web:
        web.watched["a"] = StreamError("the process that pulls it is being started")
        spec = CameraSpec(id="a", source=farm.source("cam/1"))
        await web.link.call("configure", config(tmp_path, spec), type(None))
        assert (await web.check("a")).status == "live"


async def test_outside_of_the_allowed_networks_nothing_is_opened(tmp_path: Path) -> None:
    async with health() as web:
        spec = CameraSpec(id="a", source=Source(protocol="rtsp", host="127.0.0.1"))
        await web.link.call("configure", config(tmp_path, spec, networks=("10.0.0.0/8",)), type(None))
        assert (await web.check("a")).reason == "not_allowed"


async def test_before_it_is_configured_it_says_so() -> None:
    async with health() as web:
        with pytest.raises(StreamError, match="not configured"):
            await web.check("a")
        assert await web.link.call("figures", None, dict[str, float]) == {}
