"""A server, what it tells, and devices to go with it."""

import asyncio
import itertools
from collections.abc import AsyncGenerator, Callable
from typing import Any

from streams.gb28181.media import PsReader
from streams.gb28181.messages import (
    DeviceState,
    DialogEnded,
    GbAlarm,
    GbCatalog,
    GbConfig,
    GbDevice,
    InviteAnswer,
    InviteRequest,
)
from streams.gb28181.server import GbServer
from streams.gb28181.simulated import SimulatedDevice
from streams.gb28181.simulated_media import AccessUnit, Media, Play, SoundPacket, paced
from streams.gb28181.simulated_pages import SimulatedChannel
from streams.media import VideoCodec
from streams.source import Source
from tests.streams.gb28181.coded import coded

SERVER_ID = "34020000002000000001"


def device_id(number: int = 1) -> str:
    return f"3402000000118{number:07d}"


def channel_id(number: int = 1) -> str:
    return f"3402000000131{number:07d}"


def password(number: int = 1) -> str:
    return f"open-{number}-sesame"


def cameras(count: int, first: int = 1) -> list[SimulatedChannel]:
    return [
        SimulatedChannel(
            channel_id=channel_id(first + number),
            name=f"东门路口{first + number}号㙍",
            lon=117.2 + number / 1000,
            lat=31.8,
            civil_code="340200",
            address="东门路 & 中山路",
        )
        for number in range(count)
    ]


def config(count: int = 1, **changes: Any) -> GbConfig:
    settings: dict[str, Any] = {
        "host": "127.0.0.1",
        "port": 0,
        "server_id": SERVER_ID,
        "devices": tuple(
            GbDevice(device_id=device_id(number), password=password(number)) for number in range(1, count + 1)
        ),
        "query_on_register": False,
        "subscribe": False,
        "answer_s": 5.0,
    }
    return GbConfig(**(settings | changes))


class Told:
    """Remembers what the server tells."""

    def __init__(self) -> None:
        self.devices: list[DeviceState] = []
        self.catalogs: list[GbCatalog] = []
        self.alarms: list[GbAlarm] = []
        self.endings: list[DialogEnded] = []

    def device(self, state: DeviceState) -> None:
        self.devices.append(state)

    def catalog(self, catalog: GbCatalog) -> None:
        self.catalogs.append(catalog)

    def alarm(self, alarm: GbAlarm) -> None:
        self.alarms.append(alarm)

    def ended(self, ended: DialogEnded) -> None:
        self.endings.append(ended)


class Centre:
    """A running server and the devices of a test."""

    def __init__(self) -> None:
        self.told = Told()
        self.server: GbServer
        self.devices: list[SimulatedDevice] = []
        self.crashed = False

    async def open(self, settings: GbConfig) -> "Centre":
        self.server = GbServer(settings, self.told)
        await self.server.start()
        return self

    async def close(self) -> None:
        if not self.crashed:
            await self.server.stop()
        for device in self.devices:
            await device.stop(unregister=False)

    async def crash(self) -> None:
        """Be gone without a word, as if killed."""
        self.crashed = True
        assert self.server._ticker is not None
        self.server._ticker.cancel()
        self.server.registry.save()
        self.server.dialogs.book.forget_file()
        self.server.registry._path = None
        await self.server.endpoint.close()

    async def device(self, number: int = 1, *, start: bool = True, **options: Any) -> SimulatedDevice:
        options.setdefault("password", password(number))
        options.setdefault("channels", cameras(3))
        device = SimulatedDevice(
            device_id(number),
            server=("127.0.0.1", self.server.port),
            server_id=SERVER_ID,
            **options,
        )
        self.devices.append(device)
        if start:
            await device.start()
        return device

    def reader(self, *, channel: int = 1, transport: str = "udp", **options: Any) -> PsReader:
        options.setdefault("camera_id", f"camera-{channel}")
        return PsReader(
            Source(
                protocol="gb28181",
                device_id=device_id(),
                channel_id=channel_id(channel),
                transport=transport,  # type: ignore[arg-type]
            ),
            invite=self.invite,
            bye=self.server.dialogs.bye,
            host="127.0.0.1",
            **options,
        )

    async def invite(self, request: InviteRequest) -> InviteAnswer:
        return await self.server.dialogs.invite(request)


def endless(codec: VideoCodec = "h264", *, fps: float = 100.0) -> Media:
    """Media that goes on for ever, faster than life."""

    def open_media(play: Play) -> AsyncGenerator[AccessUnit | SoundPacket, None]:
        del play
        return paced(codec, itertools.cycle(coded(codec)), fps=25, speed=fps / 25)

    return open_media


async def until(true: Callable[[], object], within_s: float = 20.0) -> None:
    """Wait for something to become true."""
    async with asyncio.timeout(within_s):
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
