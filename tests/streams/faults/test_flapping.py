"""Cameras that come and go: pictures return, and nothing is left behind."""

from __future__ import annotations

import asyncio
import os

import pytest
import structlog

from streams.synthetic.farm import FarmCamera
from tests.streams.theatre import BACK_S, Theatre, Tile, children, quiet, theatre
from tests.streams.waiting import until

pytestmark = pytest.mark.slow


def open_files(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


def below(pid: int) -> list[str]:
    """States of the processes a worker has started; Z is a zombie."""
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as listed:
        pids = listed.read().split()
    states = []
    for child in pids:
        with open(f"/proc/{child}/stat", encoding="ascii") as stat:
            states.append(stat.read().rpartition(")")[2].split()[0])
    return states


async def flap(stage: Theatre, tile: Tile, times: int) -> None:
    for _ in range(times):
        await until(lambda: tile.state == "live", BACK_S)
        losses = tile.states.count("lost")
        stage.farm.cut("cam/a")
        await until(lambda losses=losses: tile.states.count("lost") > losses, BACK_S)
    await until(lambda: tile.state == "live", BACK_S)


async def test_twenty_times_and_no_descriptor_or_process_more() -> None:
    async with theatre(settle_s=0.0) as stage:
        tile = Tile()
        stage.video.watch("a", tile, h265=True)
        await flap(stage, tile, 2)
        pid = stage.pid("a")
        before = open_files(pid), open_files(os.getpid()), len(children())
        await flap(stage, tile, 20)
        await quiet(0.5)
        after = open_files(pid), open_files(os.getpid()), len(children())
        assert after[0] <= before[0] + 1
        assert after[1] <= before[1] + 3  # the farm lives in this process
        assert after[2] == before[2]
        assert below(pid) == []
        assert len(tile.configs) == 23
        assert stage.farm.sessions() == 1


async def test_one_that_ffmpeg_reads_leaves_no_process_behind() -> None:
    with structlog.testing.capture_logs():
        async with theatre([FarmCamera(path="cam/a", udp_only=True)], settle_s=0.0) as stage:
            tile = Tile()
            stage.video.watch("a", tile, h265=True)
            await flap(stage, tile, 1)
            pid = stage.pid("a")
            before = open_files(pid)
            await flap(stage, tile, 3)
            assert open_files(pid) <= before + 1
            assert len(below(pid)) == 1
            assert "Z" not in below(pid)


async def test_a_dead_camera_hurts_no_other() -> None:
    names = ["a", "b", "c", "d"]
    async with theatre(names) as stage:
        for fault, name in (("down", "a"), ("stall", "b"), ("lying_sdp", "c")):
            stage.farm.set_fault(f"cam/{name}", fault)  # type: ignore[arg-type]
        tiles = {name: Tile() for name in names}
        for name, tile in tiles.items():
            stage.video.watch(name, tile, h265=True)
        await stage.live(tiles["d"])
        await asyncio.sleep(6)
        assert tiles["d"].states[0] == "live"
        assert set(tiles["d"].states) <= {"live", "late"}
        assert tiles["a"].state in ("lost", "connecting", None)
        assert "live" not in tiles["b"].states
        for name in "abc":
            stage.farm.set_fault(f"cam/{name}", None)
        for tile in tiles.values():
            await stage.live(tile)


async def test_a_silent_camera_is_late_then_lost_then_back() -> None:
    async with theatre(stall_s=3.0) as stage:
        tile = Tile()
        stage.video.watch("a", tile, h265=True)
        await stage.live(tile)
        stage.farm.set_fault("cam/a", "stall")
        await until(lambda: tile.state == "late", BACK_S)
        late = next(message for message in tile.messages if message.get("state") == "late")
        assert late["late_s"] >= 1.5
        await until(lambda: "lost" in tile.states, BACK_S)
        assert tile.reason == "stalled"
        stage.farm.set_fault("cam/a", None)
        await until(lambda: tile.state == "live", BACK_S)
