"""A disk that fills while a clip is written: the clip fails, the picture goes on."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from streams.clips import ClipOrder, verify
from tests.streams.theatre import BACK_S, Tile, theatre
from tests.streams.waiting import until

pytestmark = pytest.mark.slow


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of two hundred kilobytes."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root")
    mount = tmp_path / "disk"
    mount.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(mount)], capture_output=True, text=True
    )
    if made.returncode:
        pytest.skip(f"a small file system cannot be mounted here: {made.stderr.strip()}")
    try:
        yield mount
    finally:
        subprocess.run(["umount", "-l", str(mount)], check=True)


async def test_nothing_half_written_is_shown_as_done(small_disk: Path) -> None:
    with structlog.testing.capture_logs():
        async with theatre() as stage:
            tile = Tile()
            stage.video.watch("a", tile, h265=True)
            await stage.live(tile)
            order = ClipOrder(
                clip_id="1", camera_id="a", path=str(small_disk / "clip.mp4"), before_s=30, after_s=120
            )
            await stage.video.record(order)
            await until(lambda: stage.told.clips, 60)
            done = stage.told.clips[0]
            assert (done.reason, done.manifests) == ("disk_full", ())
            assert await asyncio.to_thread(os.listdir, small_disk) == []
            count = len(tile.pieces)
            await until(lambda: len(tile.pieces) > count + 5, BACK_S)
            assert "lost" not in tile.states

            path = stage.folder / "clip.mp4"  # another disk has room
            await stage.video.record(ClipOrder(clip_id="2", camera_id="a", path=str(path), after_s=1))
            await until(lambda: len(stage.told.clips) == 2, BACK_S)
            assert stage.told.clips[1].reason is None
            assert verify(path).frames > 0
