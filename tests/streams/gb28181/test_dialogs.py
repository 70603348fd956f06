import asyncio
import random
from datetime import UTC, datetime, timedelta

import pytest

from streams.errors import Busy, Ended, Unreachable, Unsupported
from streams.gb28181 import manscdp, sdp
from streams.gb28181.messages import InviteRequest, PlaybackControl
from streams.gb28181.simulated_media import Faults
from tests.streams.gb28181.centre import channel_id, config, device_id, endless, until

START = datetime(2026, 3, 5, 8, 0, tzinfo=UTC)


def wanted(dialog_id="d1", **changes):
    settings = {
        "dialog_id": dialog_id,
        "camera_id": "c1",
        "device_id": device_id(),
        "channel_id": channel_id(),
        "media_port": 9,
        "media_host": "127.0.0.1",
    }
    return InviteRequest(**(settings | changes))


async def test_a_session_is_opened_and_ended(centre):
    device = await centre.device(media=endless())
    answer = await centre.server.dialogs.invite(wanted())
    assert answer.dialog_id == "d1"
    assert f"{answer.ssrc:010d}" == "0200000001"
    assert answer.senders == ("127.0.0.1",)
    await until(lambda: device.sessions)
    assert await centre.server.dialogs.bye("d1")
    await until(lambda: not device.sessions)
    assert not await centre.server.dialogs.bye("d1")
    assert device.asked[-3:] == ["INVITE", "ACK", "BYE"]


async def test_the_offer_says_what_is_wanted():
    live = sdp.read(sdp.offer(wanted(), "34020000002000000001", "10.0.0.1", "0200000001"))
    assert (live.host, live.port, live.tcp, live.ssrc, live.name) == ("10.0.0.1", 9, False, 200000001, "Play")
    asked = wanted(transport="tcp_passive", start=START, end=START + timedelta(hours=1))
    text = sdp.offer(asked, "34020000002000000001", "10.0.0.1", "1200000001")
    recorded = sdp.read(text)
    assert (recorded.tcp, recorded.setup, recorded.name) == (True, "passive", "Playback")
    assert recorded.end_s - recorded.start_s == 3600
    assert f"u={channel_id()}:0".encode() in text


@pytest.mark.parametrize("seed", range(50))
def test_any_description_is_read(seed):
    draw = random.Random(seed)
    body = bytearray(sdp.offer(wanted(), "34020000002000000001", "10.0.0.1", "0200000001"))
    for _ in range(20):
        body[draw.randrange(len(body))] = draw.randrange(256)
    read = sdp.read(bytes(body))
    assert 0 <= read.port <= 65_535


@pytest.mark.parametrize(
    ("status", "error"), [(486, Busy), (488, Busy), (503, Busy), (404, Unreachable), (500, Unreachable)]
)
async def test_a_refusal_says_why(centre, status, error):
    await centre.device(media=endless(), faults=Faults(refuse=status))
    with pytest.raises(error, match=str(status)):
        await centre.server.dialogs.invite(wanted())
    assert centre.server.dialogs.book.numbers == 0


async def test_a_device_that_does_not_answer_is_given_up(centres):
    centre = await centres(invite_s=0.4, answer_s=0.3)
    await centre.device(media=endless(), faults=Faults(hang=True))
    with pytest.raises(Unreachable, match="no answer to INVITE"):
        await centre.server.dialogs.invite(wanted())
    assert centre.server.dialogs.book.numbers == 0


async def test_an_answer_after_we_gave_up_is_ended_at_once(centres):
    centre = await centres(invite_s=0.2)
    device = await centre.device(media=endless(), faults=Faults(slow_answer_s=0.6))
    usual = device._request
    device._endpoint.hooks.request = lambda request, peer: request.method != "CANCEL" and usual(request, peer)
    with pytest.raises(Unreachable):
        await centre.server.dialogs.invite(wanted())
    await until(lambda: "BYE" in device.asked)
    await until(lambda: not device.sessions)


async def test_an_invitation_is_taken_back(centre):
    device = await centre.device(media=endless(), faults=Faults(slow_answer_s=30))
    task = asyncio.ensure_future(centre.server.dialogs.invite(wanted()))
    await until(lambda: "INVITE" in device.asked)
    assert await centre.server.dialogs.bye("d1")
    with pytest.raises(Ended):
        await task
    assert "CANCEL" in device.asked
    assert len(centre.server.dialogs) == 0


async def test_a_caller_that_goes_away_leaves_nothing(centre):
    device = await centre.device(media=endless(), faults=Faults(slow_answer_s=30))
    task = asyncio.ensure_future(centre.server.dialogs.invite(wanted()))
    await until(lambda: "INVITE" in device.asked)
    task.cancel()
    await until(lambda: "CANCEL" in device.asked)
    assert centre.server.dialogs.book.numbers == 0


async def test_a_device_chooses_its_own_number(centre):
    await centre.device(media=endless(), faults=Faults(answer_ssrc=77))
    assert (await centre.server.dialogs.invite(wanted())).ssrc == 77


async def test_bytes_that_are_no_text_do_no_harm(centres, tmp_path):
    centre = await centres(folder=str(tmp_path))
    device = await centre.device(media=endless())
    usual = device._endpoint.reply

    def mangled(request, peer, response):
        if request.method == "INVITE":
            response.set("to", response.get("to").replace("<", "\udcb6\udcab <"))
            response.reason = "\udcff" * 20
        usual(request, peer, response)

    device._endpoint.reply = mangled
    await centre.server.dialogs.invite(wanted())
    assert b"d1" in (tmp_path / "gb_dialogs.json").read_bytes()
    await centre.server.dialogs.bye("d1")
    await until(lambda: not device.sessions)
    device.faults.refuse = 500
    with pytest.raises(Unreachable, match="500") as refused:
        await centre.server.dialogs.invite(wanted())
    str(refused.value).encode()


async def test_only_program_streams(centre):
    device = await centre.device(media=endless())
    usual = device._endpoint.reply

    def as_h264(request, peer, response):
        response.body = response.body.replace(b"PS/90000", b"H264/90000")
        usual(request, peer, response)

    device._endpoint.reply = as_h264
    with pytest.raises(Unsupported, match="H264"):
        await centre.server.dialogs.invite(wanted())
    await until(lambda: not device.sessions)


async def test_the_device_hangs_up(centre):
    device = await centre.device(media=endless())
    await centre.server.dialogs.invite(wanted())
    (call_id,) = device.sessions
    assert await device.tell("BYE", b"", call_id="somebody-else") == 481
    assert await device.tell("BYE", b"", call_id=call_id) == 200
    assert [(ended.dialog_id, ended.reason) for ended in centre.told.endings] == [
        ("d1", "the device hung up")
    ]
    assert len(centre.server.dialogs) == 0


async def test_a_camera_that_is_started_again_has_one_session(centre):
    device = await centre.device(media=endless())
    await centre.server.dialogs.invite(wanted("d1", owner="w1"))
    await centre.server.dialogs.invite(wanted("d2", owner="w1"))
    await centre.server.dialogs.invite(wanted("d3", owner="w2"))
    await until(lambda: len(device.sessions) == 2)
    assert sorted(centre.server.dialogs.book.open) == ["d2", "d3"]
    with pytest.raises(Busy):
        await centre.server.dialogs.invite(wanted("d3"))


async def test_a_worker_that_died_leaves_no_sessions(centre):
    device = await centre.device(media=endless())
    for number in range(3):
        await centre.server.dialogs.invite(wanted(f"d{number}", camera_id=f"c{number}", owner="w1"))
    await centre.server.dialogs.invite(wanted("other", owner="w2"))
    assert await centre.server.dialogs.release("w1") == 3
    await until(lambda: len(device.sessions) == 1)


async def test_a_restart_ends_what_was_open(centres, tmp_path):
    first = await centres(folder=str(tmp_path))
    device = await first.device(media=endless())
    await first.server.dialogs.invite(wanted())
    port = first.server.port
    await first.crash()
    assert device.sessions
    second = await centres(folder=str(tmp_path), port=port)
    await until(lambda: not device.sessions)
    assert device.asked.count("BYE") == 1
    await until(lambda: (tmp_path / "gb_dialogs.json").read_bytes() == b"[]")
    await second.server.dialogs.invite(wanted("d2"))
    assert device.sessions


async def test_what_could_not_be_told_is_told_when_the_device_is_back(centres, tmp_path):
    first = await centres(folder=str(tmp_path), answer_s=0.3)
    device = await first.device(media=endless(), transport="tcp")
    await first.server.dialogs.invite(wanted())
    kept = (tmp_path / "gb_dialogs.json").read_bytes()
    await first.crash()
    second = await centres(folder=str(tmp_path), port=first.server.port)
    assert (tmp_path / "gb_dialogs.json").read_bytes() == kept
    again = await second.device(media=endless(), transport="tcp")
    await until(lambda: "BYE" in again.asked)
    await until(lambda: (tmp_path / "gb_dialogs.json").read_bytes() == b"[]")
    assert device is not again


async def test_a_device_that_is_removed_stops_sending(centre):
    device = await centre.device(media=endless())
    await centre.server.dialogs.invite(wanted())
    assert centre.server.configure(config(0))
    await until(lambda: not device.sessions)
    assert [ended.reason for ended in centre.told.endings] == ["removed"]


async def test_a_playback_is_controlled_and_plays_out(centre):
    device = await centre.device(media=endless())
    await centre.server.dialogs.invite(wanted(start=START, end=START + timedelta(minutes=1)))
    (sender,) = device.sessions.values()
    assert f"{sender._ssrc:010d}".startswith("1")
    await centre.server.dialogs.control(PlaybackControl(dialog_id="d1", action="pause"))
    assert not sender.paused.is_set()
    await centre.server.dialogs.control(
        PlaybackControl(dialog_id="d1", action="play", speed=2, position_s=30)
    )
    assert sender.paused.is_set()
    device._sessions.break_off()
    await until(lambda: not device.sessions)
    body = manscdp.build("Notify", "MediaStatus", channel_id(), manscdp.tags(("NotifyType", 121)))
    assert await device.tell("MESSAGE", body) == 200
    assert [ended.reason for ended in centre.told.endings] == ["played out"]
    await until(lambda: "BYE" in device.asked)


async def test_only_playbacks_are_controlled(centre):
    await centre.device(media=endless())
    await centre.server.dialogs.invite(wanted())
    for dialog_id in ("d1", "none"):
        with pytest.raises(Unreachable):
            await centre.server.dialogs.control(PlaybackControl(dialog_id=dialog_id, action="pause"))


async def test_sessions_end_when_the_server_stops(centres):
    centre = await centres()
    device = await centre.device(media=endless())
    await centre.server.dialogs.invite(wanted())
    await centre.server.stop()
    await until(lambda: not device.sessions)


async def test_numbers_are_not_used_twice(centre):
    book = centre.server.dialogs.book
    numbers = {book.take_ssrc(live=True) for _ in range(9_999)}
    assert len(numbers) == 9_999
    with pytest.raises(Busy):
        book.take_ssrc(live=True)
    assert all(len(number) == 10 and number.startswith("020000") for number in numbers)
