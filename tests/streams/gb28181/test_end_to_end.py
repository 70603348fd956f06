"""A device and the server, over real sockets, with real media."""

import asyncio
from contextlib import suppress

import pytest

from streams.gb28181.simulated_media import Faults
from tests.streams.gb28181.centre import Centre, config, endless, until
from tests.streams.gb28181.coded import Seen, coded


@pytest.fixture
async def centre():
    opened = await Centre().open(config())
    yield opened
    await opened.close()


async def watch(reader, seen, pictures):
    task = asyncio.ensure_future(reader.run(seen))
    try:
        await until(lambda: len(seen.pictures) >= pictures or task.done())
        if task.done():
            task.result()
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@pytest.mark.parametrize("codec", ["h264", "h265"])
@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize("sip", ["udp", "tcp"])
async def test_a_live_picture(centre: Centre, codec, transport, sip):
    device = await centre.device(media=endless(codec), transport=sip)
    seen = Seen()
    await watch(centre.reader(transport=transport), seen, 30)
    assert (seen.tracks[0].codec, seen.tracks[0].width, seen.tracks[0].height) == (codec, 320, 176)
    assert seen.pictures[0][2]
    sent = [nals for nals, _ in coded(codec)]
    for number, (nals, timestamp, _) in enumerate(seen.pictures):
        assert set(nals) <= set(sent[number % len(sent)])
        assert timestamp - seen.pictures[0][1] == number * 3600
    await until(lambda: not device.sessions)
    assert len(centre.server.dialogs) == 0
    assert device.asked.count("BYE") == 1


@pytest.mark.parametrize(
    "faults", [Faults(loss=0.005), Faults(reorder=0.2), Faults(endless=True, reorder=0.1)]
)
async def test_a_bad_network(centre: Centre, faults):
    await centre.device(media=endless(), faults=faults)
    seen = Seen()
    reader = centre.reader()
    await watch(reader, seen, 60)
    whole = {nals for unit, _ in coded("h264") for nals in unit}
    assert all(nal in whole for nals, _, _ in seen.pictures for nal in nals)
    if not faults.loss:
        assert reader.feed.lost == 0
        assert [at - seen.pictures[0][1] for _, at, _ in seen.pictures] == [
            3600 * number for number in range(len(seen.pictures))
        ]
