"""A device is asked and moved; devices that lie, dawdle or talk nonsense do no harm."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.errors import NotAllowed, StreamError, Unauthorized, Unreachable, Unsupported
from streams.onvif.probe import probe, stream_path
from streams.onvif.simulated import Quirks, SimulatedOnvif, SimulatedProfile
from streams.onvif.steering import Steering
from streams.source import Admission, Source
from streams.synthetic.head import Head

PASSWORD = "开门 & <sesame>"
LOOPBACK = Admission(["127.0.0.0/8"])
Serve = Callable[..., object]


@asynccontextmanager
async def device(**changes: object) -> AsyncIterator[SimulatedOnvif]:
    profiles = [
        SimulatedProfile("main", "主码流", "ch1/main?a=1&b=2", width=1920, height=1080, head=Head(time.time)),
        SimulatedProfile("sub", "子码流", "ch1/sub", codec="H265"),
    ]
    served = SimulatedOnvif(
        profiles,
        rtsp_port=8554,
        username="admin",
        password=PASSWORD,
        quirks=Quirks(**changes),  # type: ignore[arg-type]
    )
    await served.start()
    try:
        yield served
    finally:
        await served.stop()


def source(served: SimulatedOnvif, **changes: object) -> Source:
    fields: dict[str, object] = {
        "protocol": "rtsp",
        "host": "127.0.0.1",
        "port": 8554,
        "path": "ch1/main",
        "username": "admin",
        "password": PASSWORD,
        "control_port": served.port,
        "control_profile": "main",
    }
    return Source(**(fields | changes))  # type: ignore[arg-type]


@asynccontextmanager
async def steering(served: SimulatedOnvif, **changes: object) -> AsyncIterator[Steering]:
    steered = Steering(source(served, **changes), LOOPBACK)
    try:
        yield steered
    finally:
        await steered.close()


def head_of(served: SimulatedOnvif) -> Head:
    head = served.profiles["main"].head
    assert isinstance(head, Head)
    return head


async def ask(served: SimulatedOnvif, password: str = PASSWORD, *, timeout_s: float = 5.0) -> object:
    return await probe("127.0.0.1", served.port, "admin", password, LOOPBACK, timeout_s=timeout_s)


async def test_what_a_device_says_of_itself() -> None:
    async with device() as served:
        found = await probe("127.0.0.1", served.port, "admin", PASSWORD, LOOPBACK)
    assert (found.manufacturer, found.model, found.ptz) == ("Simulated", "SIM-PTZ", True)
    main, sub = found.profiles
    assert (main.token, main.name, main.codec, main.width, main.height) == (
        "main",
        "主码流",
        "h264",
        1920,
        1080,
    )
    assert (main.path, main.port, main.ptz) == ("ch1/main?a=1&b=2", 8554, True)
    assert (sub.codec, sub.ptz) == ("h265", False)


@pytest.mark.parametrize("quirk", ["no_services", "bare", "no_ptz"])
async def test_devices_that_say_less(quirk: str) -> None:
    async with device(**{quirk: True}) as served:
        found = await probe("127.0.0.1", served.port, "admin", PASSWORD, LOOPBACK)
        assert found.ptz == (quirk != "no_ptz")
        assert (found.profiles[0].codec is None) == (quirk == "bare")


async def test_a_clock_that_is_wrong_does_not_keep_us_out() -> None:
    async with device(clock_off_s=-7200.0) as served:
        await ask(served)


async def test_a_wrong_password_is_said_so() -> None:
    async with device() as served:
        with pytest.raises(Unauthorized):
            await ask(served, "wrong")
        async with steering(served, password="wrong") as steered:
            with pytest.raises(Unauthorized):
                await steered.stop()


async def test_a_device_that_lies_about_its_host_leads_nowhere() -> None:
    async with device(host="198.51.100.7") as served:
        found = await probe("127.0.0.1", served.port, "admin", PASSWORD, LOOPBACK)
        assert [(profile.path, profile.port) for profile in found.profiles] == [(None, 0), (None, 0)]
        async with steering(served) as steered:
            await steered.stop()  # its services are asked where we reached it
        assert served.asked[-1] == "Stop"


async def test_nobody_is_followed_elsewhere() -> None:
    async with (
        device() as trap,
        device(redirect=f"http://127.0.0.1:{trap.port}/onvif/device_service") as served,
    ):
        with pytest.raises(Unreachable, match="elsewhere"):
            await ask(served)
        assert not trap.asked


async def test_a_slow_device_is_not_waited_for() -> None:
    async with device(slow_s=3.0) as served:
        begun = time.monotonic()
        with pytest.raises(Unreachable, match="in time"):
            await ask(served, timeout_s=0.3)
        assert time.monotonic() - begun < 3


BOMB = b"""<?xml version="1.0"?><!DOCTYPE s [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>
<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body>&b;</s:Body></s:Envelope>"""
FILE = b"""<?xml version="1.0"?><!DOCTYPE s [<!ENTITY a SYSTEM "file:///etc/hostname">]>
<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body>&a;</s:Body></s:Envelope>"""
EMPTY = b'<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body/></s:Envelope>'


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"<html>login</html>",
        b"<s:Envelope",
        BOMB,
        FILE,
        EMPTY,
        b"<a>" * 5000,
        b"\0" * 100,
        b"x" * (2 << 20),
    ],
    ids=["nothing", "page", "torn", "bomb", "file", "empty", "deep", "zeros", "huge"],
)
async def test_nonsense_is_an_error_and_no_crash(answer: bytes) -> None:
    async with device(answer=answer) as served:
        with pytest.raises(StreamError):
            await ask(served)


async def test_only_where_the_administrator_allows() -> None:
    async with device() as served:
        with pytest.raises(NotAllowed):
            await probe("127.0.0.1", served.port, "admin", PASSWORD, Admission(["192.0.2.0/24"]))
        forbidden = Steering(source(served), Admission(["192.0.2.0/24"]))
        with pytest.raises(NotAllowed):
            await forbidden.stop()
        assert not served.asked


async def test_nobody_there() -> None:
    async with device() as served:
        port = served.port
    with pytest.raises(Unreachable):
        await probe("127.0.0.1", port, None, None, LOOPBACK)


async def test_it_moves_and_stops_by_itself() -> None:
    async with device() as served, steering(served) as steered:
        head = head_of(served)
        await steered.move(1, -0.5, 0.5, hold_s=0.3)
        await asyncio.sleep(0.6)
        aim = head.aim()
        assert aim.pan > 0
        assert aim.zoom > 1.3
        await asyncio.sleep(0.1)
        assert head.aim() == aim
        await steered.move(-1, 0, 0)
        await steered.stop()
        await steered.step(0.25, 0, 0)
        assert served.asked.count("ContinuousMove") == 2
        assert served.asked.count("GetServices") == 1  # one connection for all of it


@pytest.mark.parametrize("own_tokens", [False, True])
async def test_presets(own_tokens: bool) -> None:
    async with device(own_tokens=own_tokens) as served, steering(served) as steered:
        assert [(preset.number, preset.name) for preset in await steered.presets()] == [
            (1, "全景"),
            (2, "左侧"),
            (3, "右侧"),
        ]
        await steered.goto(2)
        left = head_of(served).aim()
        assert left.pan < 0
        await steered.save(9)
        await steered.goto(1)
        await steered.goto(9)
        assert head_of(served).aim() == left
        with pytest.raises(Unsupported):
            await steered.goto(77)


async def test_what_cannot_be_moved() -> None:
    async with device() as served:
        for changes in ({"control_port": 0}, {"control_profile": None}, {"control_profile": "sub"}):
            async with steering(served, **changes) as steered:
                with pytest.raises(StreamError):
                    await steered.move(1, 0, 0)
        served.quirks.no_ptz = True
        async with steering(served) as steered:
            with pytest.raises(Unsupported):
                await steered.move(1, 0, 0)


async def test_a_device_that_was_away_is_found_again() -> None:
    async with device() as served, steering(served) as steered:
        await steered.stop()
        port = served.port
        await served.stop()
        with pytest.raises(StreamError):
            await steered.stop()
        await served.start(port)
        await steered.stop()


async def test_the_library_leaves_our_logging_alone() -> None:
    handlers = list(logging.getLogger().handlers)
    async with device() as served:
        await ask(served)
    assert logging.getLogger().handlers == handlers


@given(st.text(max_size=60))
def test_any_text_is_a_path_or_none(uri: str) -> None:
    for text in (uri, f"rtsp://192.0.2.1/{uri}", f"rtsp://{uri}"):
        path, port = stream_path(text, "192.0.2.1", "cam")
        assert (path is None) == (port == 0)
        assert path is None or "\n" not in path


def test_passwords_in_a_stream_address_are_not_its_host() -> None:
    assert stream_path("rtsp://u:p@192.0.2.1:5540/a", "192.0.2.1", "cam") == ("a", 5540)
    assert stream_path("rtsp://192.0.2.1@198.51.100.1/a", "192.0.2.1", "cam") == (None, 0)
    assert stream_path("http://192.0.2.1/a", "192.0.2.1", "cam") == (None, 0)
    assert stream_path("rtsp://CAM/a", "192.0.2.1", "cam") == ("a", 554)
