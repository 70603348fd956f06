from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from streams.errors import Stalled, Unreachable
from streams.rtsp.grab import first_key_frame
from tests.streams.coded import coded
from tests.streams.rtp_packer import packets_of
from tests.streams.rtsp.scripted import camera, reply


async def test_one_key_frame_and_goodbye() -> None:
    media = coded(count=30, gop=10)
    made = camera(media, packets_of(media), ends=False)
    async with made.open():
        frame = await first_key_frame(made.reader(), 10)
        assert (frame.track.width, frame.track.height) == (160, 96)
        assert frame.nals == (media.units[0][-1],)
        assert abs((datetime.now(UTC) - frame.taken_at).total_seconds()) < 10
        assert made.methods()[-1] == "TEARDOWN"


async def test_a_camera_that_ends_after_its_key_frame_has_given_it() -> None:
    media = coded(count=2, gop=10)
    made = camera(media, packets_of(media))
    async with made.open():
        assert (await first_key_frame(made.reader(), 10)).nals


async def test_the_readers_own_reason_is_given() -> None:
    made = camera(coded(count=2))
    made.answers["DESCRIBE"] = reply("404 Not Found")
    async with made.open():
        with pytest.raises(Unreachable, match="404"):
            await first_key_frame(made.reader(), 10)


async def test_no_longer_than_it_may_take() -> None:
    media = coded(count=12, gop=200)
    made = camera(media, packets_of(media)[5:], ends=False)
    async with made.open():
        with pytest.raises(Stalled, match=r"0\.3 s"):
            await first_key_frame(made.reader(), 0.3)


async def test_being_cancelled_closes_the_session() -> None:
    media = coded(count=12, gop=200)
    made = camera(media, packets_of(media)[5:], ends=False)
    async with made.open():
        task = asyncio.ensure_future(first_key_frame(made.reader(), 30))
        while "PLAY" not in made.methods():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert made.methods()[-1] == "TEARDOWN"
