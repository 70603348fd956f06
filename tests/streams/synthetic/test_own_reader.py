"""The service's own RTSP reader on the drawn cameras: what either has wrong about RTP would show here."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import numpy as np
import pytest

from streams.errors import Ended, StreamError, Unauthorized, Unreachable, Unsupported
from streams.picture import decode
from streams.rtsp.grab import first_key_frame
from streams.rtsp.reader import RtspReader
from streams.source import Admission
from streams.synthetic.farm import Farm, FarmCamera
from streams.synthetic.profiles import PROFILES, ProfileName

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from streams.media import AudioTrack, VideoTrack

LOOPBACK = Admission(["127.0.0.0/8"])


class Seen:
    """A sink that remembers."""

    def __init__(self) -> None:
        self.tracks: list[VideoTrack] = []
        self.sounds: list[AudioTrack] = []
        self.pictures: list[tuple[int, bool]] = []
        self.heard = 0
        self.last: tuple[bytes, ...] = ()

    def video(self, track: VideoTrack) -> None:
        self.tracks.append(track)

    def audio(self, track: AudioTrack) -> None:
        self.sounds.append(track)

    def picture(self, nals: Sequence[bytes], timestamp: int, *, key: bool) -> None:
        self.pictures.append((timestamp, key))
        if key:
            self.last = tuple(nals)

    def sound(self, data: bytes, timestamp: int) -> None:
        self.heard += len(data) > 0


@asynccontextmanager
async def watching(farm: Farm, path: str, **options: float) -> AsyncIterator[tuple[Seen, asyncio.Task[None]]]:
    seen = Seen()
    task = asyncio.create_task(RtspReader(farm.source(path), LOOPBACK, **options).run(seen))  # type: ignore[arg-type]
    try:
        yield seen, task
    finally:
        task.cancel()
        await asyncio.wait({task})


async def until(seen: Seen, pictures: int) -> None:
    async with asyncio.timeout(20):
        while len(seen.pictures) < pictures:  # noqa: ASYNC110  a sink has no event
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("profile", list(PROFILES))
async def test_every_profile_is_read(profile: ProfileName) -> None:
    async with Farm([FarmCamera(path="cam/1", site="river", profile=profile)], light=1.0) as farm:
        async with watching(farm, "cam/1") as (seen, _):
            await until(seen, 15)
        picture = decode(seen.tracks[-1], seen.last)
    assert seen.pictures[0][1]
    assert picture.std() > 20
    assert picture.shape[1] == seen.tracks[-1].width
    times = [time for time, _ in seen.pictures]
    if PROFILES[profile].bframes:
        assert seen.tracks[0].reorder > 0
        assert sorted(times) != times
    else:
        assert sorted(times) == times
    if PROFILES[profile].audio:
        assert seen.sounds[0].codec == PROFILES[profile].audio
        assert seen.heard > 5


async def test_a_change_of_size_within_the_stream_is_announced() -> None:
    at = 1_760_000_007.0  # a second before the change

    def clock() -> float:
        return at + asyncio.get_running_loop().time() - begun

    begun = asyncio.get_running_loop().time()
    async with (
        Farm([FarmCamera(path="cam/1", profile="h264_changing")], light=1.0, clock=clock) as farm,
        watching(farm, "cam/1") as (seen, _),
    ):
        await until(seen, 25)
    assert [(track.width, track.height) for track in seen.tracks] == [(640, 360), (480, 270)]


async def test_what_the_reader_makes_of_each_link_fault() -> None:
    cameras = [FarmCamera(path="cam/1"), FarmCamera(path="cam/udp", udp_only=True)]
    async with Farm(cameras, light=1.0) as farm:
        for kind, error in (("down", Unreachable), ("unauthorized", Unauthorized)):
            farm.set_fault("cam/1", kind)  # type: ignore[arg-type]
            with pytest.raises(error):
                await first_key_frame(RtspReader(farm.source("cam/1"), LOOPBACK), 10)
        farm.set_fault("cam/1", "stall")
        with pytest.raises(StreamError):
            await first_key_frame(RtspReader(farm.source("cam/1"), LOOPBACK, stall_s=0.5), 10)
        farm.set_fault("cam/1", "lying_sdp")
        frame = await first_key_frame(RtspReader(farm.source("cam/1"), LOOPBACK), 10)
        assert decode(frame.track, frame.nals).shape == (360, 640, 3)
        farm.set_fault("cam/1", None)
        frame = await first_key_frame(RtspReader(farm.source("cam/1"), LOOPBACK), 10)
        assert decode(frame.track, frame.nals).std() > 20
        with pytest.raises(Unsupported):
            await first_key_frame(RtspReader(farm.source("cam/udp"), LOOPBACK), 10)


@pytest.mark.slow
async def test_running_sessions_feel_a_fault() -> None:
    async with Farm(1, light=1.0) as farm:
        async with watching(farm, "cam/1") as (seen, task):
            await until(seen, 3)
            farm.cut("cam/1")
            with pytest.raises((Ended, Unreachable)):
                await asyncio.wait_for(task, 10)
        async with watching(farm, "cam/1") as (seen, task):
            await until(seen, 3)
            farm.set_fault("cam/1", "drop")
            with pytest.raises((Ended, Unreachable)):
                await asyncio.wait_for(task, 15)
        farm.set_fault("cam/1", None)
        async with watching(farm, "cam/1", stall_s=1.0) as (seen, task):
            await until(seen, 3)
            farm.set_fault("cam/1", "stall")
            with pytest.raises(StreamError):
                await asyncio.wait_for(task, 15)


async def test_flipped_bits_never_break_the_framing() -> None:
    async with Farm(1, light=1.0) as farm:
        farm.set_fault("cam/1", "byte_flips")
        async with watching(farm, "cam/1") as (seen, task):
            await until(seen, 30)
            assert not task.done()
        clean = await first_key_frame(RtspReader(farm.source("cam/1"), LOOPBACK), 10)
        assert clean.nals
        assert np.isfinite(len(seen.pictures))


async def test_a_head_that_turns_shows_another_part() -> None:
    async with Farm([FarmCamera(path="cam/1", site="street", ptz=True)], light=1.0) as farm:

        async def look() -> np.ndarray:
            frame = await first_key_frame(RtspReader(farm.source("cam/1"), LOOPBACK), 10)
            return decode(frame.track, frame.nals)[40:320].astype(float)

        before = await look()
        head = farm.head("cam/1")
        assert head is not None
        assert head.goto(2)
        await asyncio.sleep(1.1)
        turned = await look()
        assert np.abs(before - turned).mean() > 8
