import asyncio
import itertools
import socket
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest

from streams.errors import BadMedia, Busy, Ended, NotAllowed, Stalled, Unreachable
from streams.gb28181.media import PsReader
from streams.gb28181.messages import InviteAnswer
from streams.gb28181.simulated_media import Faults, SoundPacket, paced
from streams.source import Source
from tests.streams.gb28181.centre import device_id, endless, until
from tests.streams.gb28181.coded import Seen, coded

START = datetime(2026, 3, 5, 8, 0, tzinfo=UTC)


async def read_until(reader, seen, pictures):
    task = asyncio.ensure_future(reader.run(seen))
    try:
        await until(lambda: len(seen.pictures) >= pictures or task.done())
        if task.done():
            task.result()
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_a_device_that_goes_silent_has_stalled(centre, transport):
    device = await centre.device(media=endless(), faults=Faults(mute_after=5))
    seen = Seen()
    with pytest.raises(Stalled, match="no picture"):
        await centre.reader(transport=transport, stall_s=0.6).run(seen)
    assert seen.pictures
    await until(lambda: not device.sessions)


async def test_one_that_sends_nothing_has_stalled(centre):
    await centre.device(media=endless(), faults=Faults(mute_after=0))
    with pytest.raises(Stalled, match="0 packets"):
        await centre.reader(stall_s=0.4).run(Seen())


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_what_is_no_rtp_is_said(transport):
    async def chatter(request):
        target = ("127.0.0.1", request.media_port)
        if request.transport == "udp":
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
                for _ in range(300):
                    sock.sendto(b"GET / HTTP/1.1\r\n\r\n", target)
        else:
            sock = socket.create_connection(target)
            sock.sendall(b"\0\x12GET / HTTP/1.1\r\n\r\n" * 300)
            sock.close()
        return InviteAnswer(dialog_id=request.dialog_id, ssrc=1, senders=("127.0.0.1",))

    async def bye(dialog_id):
        return True

    source = Source(protocol="gb28181", device_id="1", channel_id="2", transport=transport)
    with pytest.raises(BadMedia, match="RTP"):
        await PsReader(source, invite=chatter, bye=bye, camera_id="c", host="127.0.0.1").run(Seen())


async def test_connections_from_elsewhere_are_refused(centre):
    await centre.device(media=endless(fps=25))
    reader, seen = centre.reader(transport="tcp"), Seen()
    usual = centre.invite
    ports = []

    async def invite(request):
        ports.append(request.media_port)
        return await usual(request)

    reader._invite = invite
    task = asyncio.ensure_future(reader.run(seen))
    await until(lambda: seen.pictures)
    stranger, writer = await asyncio.open_connection("127.0.0.1", ports[0], local_addr=("127.0.0.9", 0))
    with suppress(ConnectionError):
        assert await asyncio.wait_for(stranger.read(), 5) == b""
    writer.close()
    assert reader.feed.refused == 1
    assert not task.done()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_a_closed_connection_is_the_end(centre):
    device = await centre.device(media=endless())
    seen = Seen()
    task = asyncio.ensure_future(centre.reader(transport="tcp").run(seen))
    await until(lambda: seen.pictures)
    device._sessions.break_off()
    with pytest.raises(Ended):
        await task


async def test_a_device_that_hangs_up_is_the_end(centre):
    device = await centre.device(media=endless())
    reader = centre.reader()
    centre.told.ended = lambda ended: reader.ended(ended.reason)
    centre.server.dialogs._on_ended = centre.told.ended
    task = asyncio.ensure_future(reader.run(Seen()))
    await until(lambda: device.sessions)
    await device.tell("BYE", b"", call_id=next(iter(device.sessions)))
    with pytest.raises(Ended, match="hung up"):
        await task


@pytest.mark.parametrize("status", [486, 404])
async def test_a_refusal_comes_through(centre, status):
    await centre.device(media=endless(), faults=Faults(refuse=status))
    with pytest.raises((Busy, Unreachable), match=str(status)):
        await centre.reader().run(Seen())


async def test_a_device_that_is_not_there(centre):
    with pytest.raises(Unreachable, match="not registered"):
        await centre.reader().run(Seen())


@pytest.mark.parametrize("faults", [Faults(answer_ssrc=123), Faults(send_ssrc=456), Faults(without_pts=True)])
@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_devices_with_ways_of_their_own(centre, faults, transport):
    await centre.device(media=endless(), faults=faults)
    seen = Seen()
    await read_until(centre.reader(transport=transport), seen, 20)
    times = [at for _, at, _ in seen.pictures]
    assert [at - times[0] for at in times] == [3600 * number for number in range(len(times))]


async def test_a_cancelled_reader_says_bye_although_no_answer_came(centre):
    device = await centre.device(media=endless(), faults=Faults(slow_answer_s=30))
    task = asyncio.ensure_future(centre.reader().run(Seen()))
    await until(lambda: "INVITE" in device.asked)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(lambda: "CANCEL" in device.asked)


async def test_a_bye_that_hangs_does_not_hold_up_the_reader(centre, monkeypatch):
    monkeypatch.setattr("streams.gb28181.media._BYE_S", 0.1)

    async def never(dialog_id):
        await asyncio.Event().wait()

    async def answered(request):
        return InviteAnswer(dialog_id=request.dialog_id, ssrc=1, senders=("127.0.0.1",))

    source = Source(protocol="gb28181", device_id="1", channel_id="2", transport="udp")
    reader = PsReader(source, invite=answered, bye=never, camera_id="c", host="127.0.0.1", stall_s=0.2)
    with pytest.raises(Stalled):
        await reader.run(Seen())


async def test_a_port_of_the_range_is_used_and_freed(centre):
    device = await centre.device(media=endless())
    probe = await asyncio.get_running_loop().create_datagram_endpoint(
        asyncio.DatagramProtocol, ("127.0.0.1", 0)
    )
    free = probe[0].get_extra_info("sockname")[1]
    with pytest.raises(Busy, match="port"):
        await centre.reader(ports=(free, free)).run(Seen())
    probe[0].close()
    await asyncio.sleep(0)
    for _ in range(2):
        seen = Seen()
        await read_until(centre.reader(ports=(free, free)), seen, 3)
    assert device.asked.count("BYE") == 2


async def test_a_source_without_channel():
    async def unused(_):
        raise AssertionError

    reader = PsReader(Source(protocol="gb28181"), invite=unused, bye=unused, camera_id="c")
    with pytest.raises(NotAllowed):
        await reader.run(Seen())


async def test_sound_comes_with_the_picture(centre):
    async def talking(play):
        async for unit in paced("h264", itertools.cycle(coded("h264")), speed=4):
            yield unit
            yield SoundPacket("pcma", b"\xd5" * 320, unit.pts)

    await centre.device(media=talking)
    seen = Seen()
    await read_until(centre.reader(), seen, 20)
    assert (seen.sounds[0].codec, seen.sounds[0].rate) == ("pcma", 8000)
    assert {len(data) for data, _ in seen.heard} == {320}
    steps = {after[1] - before[1] for before, after in itertools.pairwise(seen.heard)}
    assert steps == {320}


async def test_a_recording_plays_and_ends(centre):
    asked = []

    def recorded(play):
        asked.append(play)
        return paced("h264", coded("h264"), speed=8)

    await centre.device(media=recorded)
    reader = centre.reader(start=START, end=START + timedelta(minutes=5))
    centre.server.dialogs._on_ended = lambda ended: reader.ended(ended.reason)
    seen = Seen()
    with pytest.raises(Ended, match="played out"):
        await reader.run(seen)
    assert len(seen.pictures) == len(coded("h264"))
    assert (asked[0].start, asked[0].end) == (START, START + timedelta(minutes=5))
    assert device_id()


async def test_a_paused_recording_has_not_stalled(centre):
    await centre.device(media=endless(), faults=Faults(mute_after=5))
    reader = centre.reader(stall_s=0.3)
    reader.paused = True
    task = asyncio.ensure_future(reader.run(Seen()))
    await asyncio.sleep(1)
    assert not task.done()
    reader.paused = False
    with pytest.raises(Stalled):
        await task
