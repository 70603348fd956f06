"""A device and the server, over real sockets, with real media."""

import asyncio
import time
from contextlib import suppress

import numpy as np
import pytest
import uvloop

from streams.gb28181.simulated_drawn import drawn
from streams.gb28181.simulated_media import Faults
from streams.synthetic.encoder import Encoder
from streams.synthetic.profiles import Profile
from tests.streams.gb28181.centre import Centre, cameras, config, endless, until
from tests.streams.gb28181.coded import Seen, coded


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


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_on_the_loop_that_the_processes_use(transport):
    async def play():
        centre = await Centre().open(config())
        try:
            device = await centre.device(media=endless(), transport=transport)
            seen = Seen()
            await watch(centre.reader(transport=transport), seen, 10)
            await until(lambda: not device.sessions)
        finally:
            await centre.close()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(play())


async def test_many_channels_at_once(centre: Centre):
    device = await centre.device(media=endless(fps=25), channels=cameras(20))
    watched = [Seen() for _ in range(20)]
    readers = [
        centre.reader(channel=number + 1, transport=("udp", "tcp")[number % 2]) for number in range(20)
    ]
    await asyncio.gather(*(watch(reader, seen, 12) for reader, seen in zip(readers, watched, strict=True)))
    assert len({reader.dialog_id for reader in readers}) == 20
    await until(lambda: not device.sessions)


async def test_drawn_cameras_are_media_too(centre: Centre):
    encoder = Encoder(Grey(), Profile(width=320, height=180, audio="aac"), time.time, 5)
    await centre.device(media=lambda play: drawn(encoder))
    seen = Seen()
    await watch(centre.reader(), seen, 30)
    assert (seen.tracks[0].width, seen.tracks[0].height) == (320, 180)
    assert (seen.sounds[0].codec, seen.sounds[0].rate, seen.sounds[0].config) == ("aac", 16_000, b"\x14\x08")
    await until(lambda: not encoder.running)
    encoder.close()


class Grey:
    ready = True

    def picture(self, at: float):
        return np.full((270, 320), int(at * 10) % 100 + 50, np.uint8)
