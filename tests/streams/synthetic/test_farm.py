"""The drawn cameras seen from outside: a real decoder pulls them, and sees what was ordered."""

from __future__ import annotations

import asyncio
import time
from urllib.parse import quote

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from streams.synthetic.farm import Farm, FarmCamera
from streams.synthetic.profiles import PROFILES, ProfileName


def address(farm: Farm, path: str, password: str | None = None) -> str:
    source = farm.source(path)
    secret = source.password if password is None else password
    return f"rtsp://{source.username}:{quote(secret or '')}@{source.host}:{source.port}/{path}"


def _pull(url: str, transport: str, pictures: int) -> tuple[list[NDArray[np.uint8]], set[str], int]:
    options = {"rtsp_transport": transport, "probesize": "200000", "analyzeduration": "400000"}
    found: list[NDArray[np.uint8]] = []
    sounds = 0
    with av.open(url, options=options, timeout=10) as container:
        kinds = {stream.codec_context.name for stream in container.streams}
        end = time.monotonic() + 15
        for packet in container.demux():
            for frame in packet.decode():
                if isinstance(frame, av.VideoFrame):
                    found.append(frame.to_ndarray(format="bgr24"))
                else:
                    sounds += 1
            if len(found) >= pictures or time.monotonic() > end:
                break
    return found, kinds, sounds


async def pull(farm: Farm, path: str, pictures: int = 12) -> tuple[list[NDArray[np.uint8]], set[str], int]:
    return await asyncio.to_thread(_pull, address(farm, path), farm.source(path).transport, pictures)


@pytest.mark.slow
@pytest.mark.parametrize("profile", list(PROFILES))
async def test_every_profile_is_decoded(profile: ProfileName) -> None:
    async with Farm([FarmCamera(path="cam/1", profile=profile)], light=1.0) as farm:
        pictures, kinds, sounds = await pull(farm, "cam/1", 20)
    assert len(pictures) >= 20
    assert ("hevc" if profile == "h265" else "h264") in kinds
    assert pictures[0].shape[1] in (640, 480)
    assert pictures[0].std() > 20
    if PROFILES[profile].audio:
        assert sounds > 5
