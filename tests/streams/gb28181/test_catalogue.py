import asyncio

import msgspec
import pytest

from streams.errors import Busy, Unreachable
from streams.gb28181 import manscdp, sip
from streams.gb28181.simulated_media import Faults
from tests.streams.gb28181.centre import cameras, channel_id, device_id, until


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_a_catalogue_in_pages(centre, transport):
    device = await centre.device(channels=cameras(103), transport=transport)
    catalog = await centre.server.catalogues.ask(device_id())
    assert catalog.complete
    assert [entry.channel_id for entry in catalog.channels] == list(device.channels)
    first, meant = catalog.channels[0], cameras(1)[0]
    assert (first.name, first.lon, first.lat, first.civil_code) == (
        meant.name,
        meant.lon,
        meant.lat,
        "340200",
    )
    assert (first.parent_id, first.ptz_type, first.address) == (device_id(), 1, meant.address)
    assert centre.told.catalogs == [catalog]


async def test_an_empty_catalogue(centre):
    await centre.device(channels=[])
    catalog = await centre.server.catalogues.ask(device_id())
    assert (catalog.complete, catalog.channels) == (True, ())


async def test_whoever_asks_meanwhile_gets_the_same_answer(centre):
    device = await centre.device()
    first, second = await asyncio.gather(*(centre.server.catalogues.ask(device_id()) for _ in range(2)))
    assert first is second
    assert device.asked.count("Catalog") == 1


async def test_lost_pages_leave_a_part(centres):
    centre = await centres(answer_s=0.5)
    await centre.device(channels=cameras(60), faults=Faults(lose_pages=0.3), seed=4)
    catalog = await centre.server.catalogues.ask(device_id())
    assert not catalog.complete
    assert 0 < len(catalog.channels) < 60


async def test_a_device_that_says_nothing(centres):
    centre = await centres(answer_s=0.3)
    await centre.device(faults=Faults(lose_pages=1))
    with pytest.raises(Unreachable, match="does not answer Catalog"):
        await centre.server.catalogues.ask(device_id())


async def test_a_device_that_hangs_or_refuses_or_is_not_there(centres):
    centre = await centres(answer_s=0.3)
    with pytest.raises(Unreachable, match="not registered"):
        await centre.server.catalogues.ask(device_id())
    device = await centre.device()
    device._message = lambda request, peer: device._endpoint.reply(request, peer, sip.answer(request, 486))
    with pytest.raises(Busy, match="486"):
        await centre.server.catalogues.ask(device_id())
    device.faults.hang = True
    with pytest.raises(Unreachable, match="no answer"):
        await centre.server.catalogues.ask(device_id())


async def test_changes_arrive_by_subscription(centres):
    centre = await centres(subscribe=True, query_on_register=True)
    device = await centre.device()
    await until(lambda: len(centre.server.subscriptions) == 2)
    told = centre.told.catalogs
    old, fresh = cameras(3)[1], cameras(1, first=9)[0]
    for event, channel in (
        ("OFF", old),
        ("ON", old),
        ("ADD", fresh),
        ("UPDATE", msgspec.structs.replace(fresh, name="新名字")),
        ("DEL", fresh),
    ):
        assert await device.announce(event, channel) == 200
        await until(lambda: not told[-1].complete)
        if event == "DEL":
            assert told[-1].removed == (channel_id(9),)
            assert not told[-1].channels
        else:
            (entry,) = told[-1].channels
            assert entry.online is (event != "OFF")
            assert entry.name == ("新名字" if event == "UPDATE" else channel.name)
            assert entry.lon == channel.lon
    assert len(centre.server.catalogues.channels(device_id())) == 3


async def test_changes_of_the_unknown_are_kept(centre):
    device = await centre.device()
    inner = manscdp.page("DeviceList", 1, [manscdp.tags(("DeviceID", channel_id(50)), ("Event", "OFF"))])
    assert await device.tell("NOTIFY", manscdp.build("Notify", "Catalog", device_id(), inner)) == 200
    (entry,) = centre.told.catalogs[0].channels
    assert (entry.channel_id, entry.online) == (channel_id(50), False)


async def test_a_thousand_pages_of_nothing_end(centres):
    centre = await centres(answer_s=0.4)
    device = await centre.device()

    async def flood(document):
        inner = manscdp.page("DeviceList", 10**9, [])
        for _ in range(20):
            body = manscdp.build("Response", "Catalog", device_id(), inner, sn=document.sn)
            await device.tell("MESSAGE", body)

    device._answer = flood
    catalog = await centre.server.catalogues.ask(device_id())
    assert not catalog.complete
