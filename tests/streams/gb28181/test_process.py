import asyncio
import socket
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from streams.errors import NotAllowed, Unreachable
from streams.gb28181 import process
from streams.gb28181.media import PsReader
from streams.gb28181.messages import (
    Bye,
    CatalogOrder,
    ChannelOrder,
    DeviceState,
    DialogEnded,
    GbAlarm,
    GbCatalog,
    GbPreset,
    InviteAnswer,
    Motion,
    MoveOrder,
    PlaybackControl,
    PresetOrder,
    Recording,
    RecordsRequest,
    Release,
)
from streams.gb28181.simulated import SimulatedDevice
from streams.link import Link
from streams.source import Source
from tests.streams.gb28181.centre import (
    SERVER_ID,
    Told,
    cameras,
    channel_id,
    config,
    device_id,
    endless,
    password,
    until,
)
from tests.streams.gb28181.coded import Seen

START = datetime(2026, 3, 5, 8, 0, tzinfo=UTC)
NOTHING = type(None)


class Office:
    """The other end of the link, and a device."""

    def __init__(self):
        self.link = Link()
        self.told = Told()
        self.devices = []
        for name, kind in (
            ("device", DeviceState),
            ("catalog", GbCatalog),
            ("alarm", GbAlarm),
            ("ended", DialogEnded),
        ):
            self.link.serve(name, kind, getattr(self.told, name))

    async def port(self):
        return int((await self.link.call("figures", None, dict[str, float]))["gb_port"])

    async def device(self, **options):
        options.setdefault("channels", cameras(3))
        device = SimulatedDevice(
            device_id(), password(), ("127.0.0.1", await self.port()), SERVER_ID, media=endless(), **options
        )
        self.devices.append(device)
        await device.start()
        return device


@pytest.fixture
async def office():
    loop = asyncio.get_running_loop()
    ours, theirs = socket.socketpair()
    made = Office()
    served = Link()
    await loop.create_unix_connection(lambda: served, sock=theirs)
    await loop.create_unix_connection(lambda: made.link, sock=ours)
    task = asyncio.ensure_future(process.run(served))
    await asyncio.sleep(0)
    yield made
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    for device in made.devices:
        await device.stop(unregister=False)
    made.link.close()
    served.close()
    await asyncio.sleep(0)


async def test_nothing_works_before_it_is_configured(office):
    with pytest.raises(Unreachable, match="not configured"):
        await office.link.call("catalog", CatalogOrder(device_id=device_id()), GbCatalog)
    assert await office.link.call("figures", None, dict[str, float]) == {}


async def test_a_port_that_is_taken_is_said(office):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(Unreachable, match="cannot listen"):
            await office.link.call("configure", config(port=taken.getsockname()[1]), bool)
    assert await office.link.call("configure", config(), bool)


async def test_devices_catalogue_alarm_and_figures(office):
    await office.link.call("configure", config(query_on_register=True, subscribe=True), bool)
    device = await office.device()
    await until(lambda: office.told.catalogs)
    (state,) = await office.link.call("devices", None, list[DeviceState])
    assert (state.online, state.manufacturer) == (True, "Simulated")
    catalog = await office.link.call("catalog", CatalogOrder(device_id=device_id()), GbCatalog)
    assert [channel.name for channel in catalog.channels] == [channel.name for channel in cameras(3)]
    await device.alarm(channel_id(), description="越界")
    await until(lambda: office.told.alarms)
    assert office.told.alarms[0].description == "越界"
    figures = await office.link.call("figures", None, dict[str, float])
    assert figures["gb_devices_online"] == 1
    # The same settings with another device keep the server and its devices.
    assert await office.link.call("configure", config(2, query_on_register=True, subscribe=True), bool)
    assert len(await office.link.call("devices", None, list[DeviceState])) == 1


async def test_another_identity_is_another_server(office):
    await office.link.call("configure", config(), bool)
    await office.device()
    await office.link.call("configure", config(realm="3402000099"), bool)
    assert await office.link.call("devices", None, list[DeviceState]) == []


async def test_a_camera_moves_and_stops_by_itself(office):
    await office.link.call("configure", config(), bool)
    moved, presets = [], []
    await office.device(
        on_motion=lambda channel, motion: moved.append((channel, motion)),
        on_preset=lambda *said: presets.append(said),
    )
    order = MoveOrder(
        device_id=device_id(), channel_id=channel_id(2), motion=Motion(pan=0.5, tilt=-1), hold_s=0.2
    )
    await office.link.call("move", order, bool)
    await until(lambda: len(moved) == 2)
    assert moved[0][0] == channel_id(2)
    assert moved[0][1].pan == pytest.approx(0.5, abs=0.01)
    assert moved[0][1].tilt == -1
    assert moved[1][1] == Motion()
    await office.link.call("move", msgspec.structs.replace(order, hold_s=30), bool)
    await office.link.call("move", msgspec.structs.replace(order, motion=Motion()), bool)
    assert moved[-1][1] == Motion()
    for number, action in ((3, "save"), (4, "save"), (3, "call"), (4, "remove")):
        await office.link.call(
            "preset",
            PresetOrder(device_id=device_id(), channel_id=channel_id(2), preset=number, action=action),
            bool,
        )
    assert presets == [
        (channel_id(2), 3, "save"),
        (channel_id(2), 4, "save"),
        (channel_id(2), 3, "call"),
        (channel_id(2), 4, "remove"),
    ]
    asked = ChannelOrder(device_id=device_id(), channel_id=channel_id(2))
    assert await office.link.call("presets", asked, list[GbPreset]) == [GbPreset(preset=3, name="预置位3")]
    with pytest.raises(Unreachable, match="255"):
        await office.link.call(
            "preset", PresetOrder(device_id=device_id(), channel_id=channel_id(2), preset=0), bool
        )


async def test_recordings_are_listed_in_order(office):
    await office.link.call("configure", config(), bool)
    pieces = [
        Recording(
            start=START + timedelta(hours=hour),
            end=START + timedelta(hours=hour + 1),
            name=f"录像{hour}",
            file_path=f"/record/{hour}",
            size=hour * 1000,
        )
        for hour in range(24)
    ]
    await office.device(recordings={channel_id(): list(reversed(pieces))})
    asked = RecordsRequest(
        device_id=device_id(),
        channel_id=channel_id(),
        start=START + timedelta(hours=2),
        end=START + timedelta(hours=15),
    )
    assert await office.link.call("records", asked, list[Recording]) == pieces[2:15]


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_a_picture_by_way_of_the_link(office, transport):
    await office.link.call("configure", config(), bool)
    device = await office.device()

    async def invite(request):
        return await office.link.call("invite", request, InviteAnswer)

    async def bye(dialog_id):
        return await office.link.call("bye", Bye(dialog_id=dialog_id), bool)

    source = Source(protocol="gb28181", device_id=device_id(), channel_id=channel_id(), transport=transport)
    seen = Seen()
    reader = PsReader(source, invite=invite, bye=bye, camera_id="c", owner="w", host="127.0.0.1")
    task = asyncio.ensure_future(reader.run(seen))
    await until(lambda: len(seen.pictures) > 5)
    with pytest.raises(Unreachable):
        await office.link.call("control", PlaybackControl(dialog_id=reader.dialog_id, action="pause"), bool)
    assert await office.link.call("release", Release(owner="w"), int) == 1
    await until(lambda: not device.sessions)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    with pytest.raises(NotAllowed):
        await PsReader(Source(protocol="gb28181"), invite=invite, bye=bye, camera_id="c").run(seen)
