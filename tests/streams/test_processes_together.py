"""The processes for GB/T 28181 and for the health of pictures, at work with those that pull."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import structlog

from streams.errors import Unsupported
from streams.gb28181.messages import GbConfig, GbDevice, Motion, Recording
from streams.gb28181.simulated import SimulatedDevice
from streams.health.messages import HealthConfig
from streams.source import CameraSpec, Source
from tests.streams.gb28181.centre import SERVER_ID, cameras, channel_id, device_id, endless, password
from tests.streams.theatre import BACK_S, Theatre, Tile, decoded, theatre
from tests.streams.waiting import until

pytestmark = pytest.mark.slow

HEALTH = HealthConfig(cameras=(), folder="", interval_s=3600.0)
CHANNEL = Source(protocol="gb28181", device_id=device_id(), channel_id=channel_id(1))


@asynccontextmanager
async def with_device(stage: Theatre, **options: object) -> AsyncIterator[SimulatedDevice]:
    stage.video.configure_devices([GbDevice(device_id=device_id(), password=password())])
    await until(lambda: stage.video.figures().get("gb_port"), BACK_S)
    device = SimulatedDevice(
        device_id(),
        password(),
        ("127.0.0.1", int(stage.video.figures()["gb_port"])),
        SERVER_ID,
        channels=cameras(2),
        media=endless(fps=25.0),
        **options,  # type: ignore[arg-type]
    )
    await device.start()
    try:
        yield device
    finally:
        await device.stop(unregister=False)


def gb(**changes: object) -> GbConfig:
    settings = {"host": "127.0.0.1", "port": 0, "server_id": SERVER_ID, "subscribe": False}
    return GbConfig(**(settings | changes))  # type: ignore[arg-type]


async def test_a_channel_is_invited_shown_moved_and_let_go() -> None:
    moves: list[Motion] = []
    async with (
        theatre((), gb=gb(), sources={"g": CHANNEL}) as stage,
        with_device(stage, on_motion=lambda channel, motion: moves.append(motion)) as device,
    ):
        await until(lambda: stage.told.catalogs, BACK_S)
        assert {channel.channel_id for channel in stage.told.catalogs[-1].channels} >= {channel_id(1)}
        assert [state.online for state in await stage.video.devices()] == [True]
        tile = Tile()
        watch = stage.video.watch("g", tile, h265=True)
        await stage.live(tile)
        assert decoded(tile.file())[0] == "h264"
        assert len(device.sessions) == 1
        await stage.video.move("g", Motion(pan=0.5))
        await until(lambda: len(moves) >= 2, BACK_S)
        assert moves[0].pan > 0
        assert moves[-1] == Motion()  # it stops by itself
        assert await stage.video.key_frame("g")
        watch.close()
        await until(lambda: not device.sessions, BACK_S)
        assert device.asked.count("INVITE") == device.asked.count("BYE") == 1


async def test_a_process_that_dies_leaves_no_session_at_the_device() -> None:
    with structlog.testing.capture_logs():
        async with theatre((), gb=gb(), sources={"g": CHANNEL}) as stage, with_device(stage) as device:
            tile = Tile()
            stage.video.watch("g", tile, h265=True)
            await stage.live(tile)
            os.kill(stage.pid("g"), signal.SIGKILL)
            await until(lambda: "lost" in tile.states, BACK_S)
            await until(lambda: tile.state == "live", BACK_S)
            await until(lambda: len(device.sessions) == 1, BACK_S)


async def test_a_recording_is_played_for_one_viewer() -> None:
    end = datetime.now(UTC).replace(microsecond=0)
    start = end - timedelta(minutes=1)
    piece = Recording(start=start, end=end, name="one")
    async with (
        theatre((), gb=gb(), sources={"g": CHANNEL}) as stage,
        with_device(stage, recordings={channel_id(1): [piece]}) as device,
    ):
        found = await stage.video.records("g", start - timedelta(hours=1), end + timedelta(hours=1))
        assert [(one.start, one.end) for one in found] == [(start, end)]
        live, past = Tile(), Tile()
        stage.video.watch("g", live, h265=True)
        watch = stage.video.watch_recording("g", past, start, end)
        await stage.live(live)
        await stage.live(past)
        assert len(device.sessions) == 2
        watch.close()
        await until(lambda: len(device.sessions) == 1, BACK_S)
        assert live.state == "live"


async def test_a_device_that_is_not_there_is_an_answer_like_any_other() -> None:
    async with theatre((), gb=gb(), sources={"g": CHANNEL}) as stage:
        tile = Tile()
        stage.video.watch("g", tile, h265=True)
        await until(lambda: tile.state == "lost", BACK_S)
        assert tile.messages[-1]["retry_s"] > 0


async def test_a_still_comes_from_the_running_session_or_from_one_of_its_own() -> None:
    async with theatre(("a", "b"), health=HEALTH) as stage:
        tile = Tile()
        stage.video.watch("a", tile, h265=True)
        await stage.live(tile)
        for name in "ab":
            still = await stage.video.still(name)
            assert still.jpeg[:2] == b"\xff\xd8"
            assert (still.width, still.height) == (640, 360)
            assert stage.farm.sessions("cam/a") == 1
        await until(lambda: stage.farm.sessions("cam/b") == 0, BACK_S)
        report = await stage.video.check("a")
        assert report.camera_id == "a"
        assert report.measures
        await until(lambda: any(one.camera_id == "a" for one in stage.told.reports), BACK_S)


async def test_the_health_of_a_channel_nobody_watches_is_seen_too() -> None:
    async with theatre((), gb=gb(), health=HEALTH, sources={"g": CHANNEL}) as stage:
        async with with_device(stage) as device:
            await until(lambda: device.asked.count("REGISTER") or stage.told.devices, BACK_S)
            still = await stage.video.still("g")
            assert still.jpeg[:2] == b"\xff\xd8"
            await until(lambda: not device.sessions, BACK_S)  # it does not linger for one picture
            report = await stage.video.check("g")
            assert report.measures


async def test_without_them_it_is_said_plainly(tmp_path: Path) -> None:
    del tmp_path
    async with theatre(("a",), sources={"g": CHANNEL}) as stage:
        with pytest.raises(Unsupported):
            await stage.video.still("a")
        with pytest.raises(Unsupported):
            await stage.video.move("a", Motion())
        tile = Tile()
        stage.video.watch("g", tile, h265=True)
        await until(lambda: tile.state == "lost", BACK_S)
        assert tile.reason == "unsupported"
        assert await stage.video.devices() == []
        stage.video.configure([CameraSpec(id="a", source=stage.farm.source("cam/a"))])
        assert tile.ended == "gone"
