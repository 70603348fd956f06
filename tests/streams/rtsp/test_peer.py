from __future__ import annotations

import asyncio
import contextlib
import subprocess
from collections.abc import AsyncIterator
from functools import cache
from pathlib import Path

import pytest

from streams.errors import Unauthorized
from streams.rtsp import RtspReader
from streams.rtsp.grab import first_key_frame
from streams.source import Source
from tests.streams.rtsp.scripted import LOCAL
from tests.streams.test_fmp4 import Muxed, shown

pytestmark = pytest.mark.slow

PYTHON = Path("/usr/bin/python3")
PEER = Path(__file__).with_name("gst_peer.py")
PASSWORD = 'pass w"ö:rd'
PICTURE = "( videotestsrc is-live=1 ! video/x-raw,format=I420,width=320,height=240,framerate=25/1 ! "
H264 = PICTURE + "x264enc tune=zerolatency key-int-max=25 ! rtph264pay name=pay0 pt=96 "
H264_B = PICTURE + "x264enc bframes=2 key-int-max=25 rc-lookahead=4 ! rtph264pay name=pay0 pt=96 "
H265 = (
    PICTURE + "x265enc tune=zerolatency speed-preset=ultrafast key-int-max=25 ! rtph265pay name=pay0 pt=96 "
)
TONE = "audiotestsrc is-live=1 ! audio/x-raw,rate=8000,channels=1 ! "
PCMA = TONE + "alawenc ! rtppcmapay name=pay1 pt=8 "
AAC = TONE.replace("8000", "16000") + "voaacenc ! rtpmp4gpay name=pay1 pt=97 "


@cache
def missing() -> str | None:
    """Why there is no such server here, or None."""
    if not PYTHON.exists():
        return "no system Python"
    done = subprocess.run([PYTHON, PEER, "check"], capture_output=True, text=True, timeout=60, check=False)
    return None if done.returncode == 0 else f"gst-rtsp-server cannot run: {done.stderr.strip()[-80:]}"


@contextlib.asynccontextmanager
async def peer(scheme: str, pipeline: str) -> AsyncIterator[int]:
    if (why := missing()) is not None:
        pytest.skip(why)
    process = await asyncio.create_subprocess_exec(
        PYTHON, PEER, scheme, pipeline + ")", PASSWORD, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(30):
            yield int(await process.stdout.readline())
    finally:
        process.kill()
        await process.wait()


def source(port: int, password: str = PASSWORD) -> Source:
    return Source(
        protocol="rtsp", host="127.0.0.1", port=port, path="main", username="admin", password=password
    )


@pytest.mark.parametrize(
    ("scheme", "pipeline", "codec"),
    [
        ("digest", H264 + PCMA, "avc1."),
        ("basic", H264_B + AAC, "avc1."),
        ("digest", H265, "hvc1."),
    ],
)
async def test_a_server_of_others_is_read_and_what_it_sends_can_be_decoded(
    scheme: str, pipeline: str, codec: str
) -> None:
    muxed = Muxed()
    async with peer(scheme, pipeline) as port:
        task = asyncio.ensure_future(RtspReader(source(port), LOCAL).run(muxed.muxer))
        async with asyncio.timeout(25):
            while len(muxed.pictures) < 60:
                assert not task.done(), task.exception()
                await asyncio.sleep(0.05)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert len(muxed.configs) == 1
    config = muxed.configs[0]
    assert config.codec.startswith(codec)
    assert (config.audio is not None) == ("pay1" in pipeline)
    assert (config.width, config.height) == (320, 240)
    assert len(shown(muxed.file())) == len(muxed.pictures)
    if config.audio is not None:
        assert any(fragment.track == "audio" for fragment in muxed.fragments)


async def test_a_server_of_others_is_asked_for_one_key_frame() -> None:
    async with peer("digest", H264) as port:
        for _ in range(2):
            frame = await first_key_frame(RtspReader(source(port), LOCAL), 20)
            assert frame.track.width == 320


@pytest.mark.parametrize("scheme", ["digest", "basic"])
async def test_a_server_of_others_refuses_a_wrong_password(scheme: str) -> None:
    async with peer(scheme, H264) as port:
        with pytest.raises(Unauthorized):
            await RtspReader(source(port, "wrong"), LOCAL).run(Muxed().muxer)
