"""The farm's cameras as channels of a GB/T 28181 device, seen by the service's own server."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta

import pytest

from streams.gb28181.simulated_media import AccessUnit, Play
from streams.synthetic.config import FarmCamera, GbChannel, GbPlatform, GbRecorder
from streams.synthetic.farm import Farm
from streams.synthetic.recorders import Recorders
from tests.streams.gb28181 import centre

CHANNEL = "34020000001310000001"


def recorder(**changes: object) -> GbRecorder:
    fields: dict[str, object] = {
        "device_id": centre.device_id(),
        "password": centre.password(),
        "channels": (GbChannel(channel_id=CHANNEL, name="水库大坝", path="cam/1", lon=116.8, lat=33.9),),
    }
    return GbRecorder(**(fields | changes))  # type: ignore[arg-type]


def farm() -> Farm:
    return Farm([FarmCamera(path="cam/1", site="dam", ptz=True)], light=1.0)


async def test_a_device_waits_for_its_platform_and_registers() -> None:
    async with farm() as cameras:
        first = await centre.Centre().open(centre.config())
        port = first.server.port
        await first.close()
        platform = GbPlatform(host="127.0.0.1", port=port, server_id=centre.SERVER_ID)
        recorders = Recorders(cameras, platform, [recorder(transport="tcp")], clock=time.time)
        recorders.start()
        await asyncio.sleep(0.2)  # nobody is there
        second = await centre.Centre().open(centre.config(port=port))
        try:
            async with asyncio.timeout(20):
                while not any(state.online for state in second.told.devices):  # noqa: ASYNC110  no event for it
                    await asyncio.sleep(0.05)
        finally:
            await recorders.stop()
            await second.close()


@pytest.fixture
def recorders() -> Recorders:
    cameras = farm()
    platform = GbPlatform(host="127.0.0.1", port=9, server_id=centre.SERVER_ID)
    return Recorders(cameras, platform, [recorder()], clock=time.time)


async def take(recorders: Recorders, play: Play, count: int) -> list[AccessUnit]:
    found: list[AccessUnit] = []
    source = recorders._media(play)
    async with asyncio.timeout(20):
        async for unit in source:
            assert isinstance(unit, AccessUnit)
            found.append(unit)
            if len(found) == count:
                break
    await source.aclose()  # type: ignore[attr-defined]
    return found


async def test_live_begins_with_a_key_frame_and_ends_with_the_session(recorders: Recorders) -> None:
    units = await take(recorders, Play(CHANNEL), 5)
    assert units[0].key
    assert units[0].nals[0][0] & 31 == 7
    assert [unit.pts for unit in units] == sorted(unit.pts for unit in units)
    assert recorders._farm.studio.running() == 0


async def test_the_past_is_drawn_with_its_own_clock(recorders: Recorders) -> None:
    start = datetime.now(UTC) - timedelta(hours=3)
    units = await take(recorders, Play(CHANNEL, start, start + timedelta(seconds=0.4)), 99)
    assert len(units) == 5
    assert units[0].key
    assert not units[1].key


async def test_orders_turn_the_head(recorders: Recorders) -> None:
    head = recorders._farm.head("cam/1")
    assert head is not None
    recorders._preset(CHANNEL, 2, "call")
    left = head.aim()
    assert left.pan < 0
    recorders._preset(CHANNEL, 8, "save")
    recorders._preset(CHANNEL, 1, "call")
    recorders._preset(CHANNEL, 8, "call")
    assert head.aim() == left
    recorders._preset(CHANNEL, 8, "remove")
    assert 8 not in head.presets
    recorders._preset("unknown", 1, "call")


def test_passwords_do_not_show() -> None:
    assert centre.password() not in repr(recorder())
