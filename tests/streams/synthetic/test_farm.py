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


async def frames(farm: Farm, path: str, count: int = 3) -> list[NDArray[np.uint8]]:
    return (await pull(farm, path, count))[0]


def greys(pictures: list[NDArray[np.uint8]]) -> NDArray[np.float64]:
    """Brightness below the clock, where the fault shows."""
    return np.asarray(pictures[-1][40:320].mean(axis=2), np.float64)


def sharpness(grey: NDArray[np.float64]) -> float:
    return float(np.abs(np.diff(grey, axis=1)).mean())


@pytest.mark.slow
async def test_picture_faults_are_seen() -> None:
    async with Farm(1, light=1.0) as farm:
        healthy_pictures = await frames(farm, "cam/1")
        healthy = greys(healthy_pictures)
        seen = {}
        for kind in ("black", "no_signal", "covered", "blurred", "noise", "colour_cast", "moved"):
            farm.set_fault("cam/1", kind)
            seen[kind] = await frames(farm, "cam/1")
        farm.set_fault("cam/1", None)
        mended = greys(await frames(farm, "cam/1"))
    assert greys(seen["black"]).mean() < 15
    assert greys(seen["no_signal"]).std() < 2
    assert greys(seen["covered"]).std() < healthy.std() / 1.5
    assert sharpness(greys(seen["blurred"])) < sharpness(healthy) / 2
    assert sharpness(greys(seen["noise"])) > sharpness(healthy) * 1.5
    colours = seen["colour_cast"][-1].reshape(-1, 3).mean(axis=0)
    assert colours.max() - colours.min() > 30
    assert np.abs(greys(seen["moved"]) - healthy).mean() > 10
    assert np.abs(mended - healthy).mean() < 12


@pytest.mark.slow
async def test_a_frozen_picture_stays_and_is_the_same_after_a_new_connection() -> None:
    async with Farm(1, light=1.0) as farm:
        farm.set_fault("cam/1", "frozen")
        first = await frames(farm, "cam/1", 10)
        farm.studio.tidy(everything=True)
        second = await frames(farm, "cam/1", 10)
    assert np.abs(first[0].astype(int) - first[-1]).mean() < 3
    assert np.abs(first[-1].astype(int) - second[-1]).mean() < 3


@pytest.mark.slow
async def test_link_faults_are_felt() -> None:
    async with Farm(1, light=1.0) as farm:
        farm.set_fault("cam/1", "down")
        with pytest.raises((av.error.FFmpegError, OSError)):
            await frames(farm, "cam/1")
        farm.set_fault("cam/1", "unauthorized")
        with pytest.raises(av.error.HTTPUnauthorizedError):
            await frames(farm, "cam/1")
        farm.set_fault("cam/1", "lying_sdp")
        assert (await frames(farm, "cam/1", 12))[-1].shape == (360, 640, 3)
        farm.set_fault("cam/1", None)
        assert await frames(farm, "cam/1")
