from __future__ import annotations

import asyncio
import contextlib
import hashlib
import re
from collections.abc import Iterator
from typing import Any

import pytest

from streams.errors import (
    BadMedia,
    Busy,
    Ended,
    NotAllowed,
    Stalled,
    StreamError,
    UdpOnly,
    Unauthorized,
    Unreachable,
    Unsupported,
)
from streams.media import VideoCodec
from streams.rtsp import RtspReader
from streams.source import Admission, Source
from tests.streams.coded import STEP, Coded, Gathered, aac, coded
from tests.streams.rtp_packer import interleaved, packets, packets_of, rtp
from tests.streams.rtsp.scripted import LOCAL, Answer, Asked, Camera, camera, description, reply
from tests.streams.test_rtp_audio import au_packet

REST = 100 * STEP
"""Where a second run of the same pictures begins."""


def media_of(codec: VideoCodec = "h264", **how: Any) -> Coded:
    return coded(codec, count=30, gop=10, **how)


async def read(made: Camera, sink: Gathered | None = None, **how: Any) -> tuple[Gathered, StreamError]:
    """Read until the camera's end; returns what came and why it ended."""
    sink = sink if sink is not None else Gathered()
    async with made.open():
        with pytest.raises(StreamError) as caught:
            async with asyncio.timeout(30):
                await made.reader(**how).run(sink)
        async with asyncio.timeout(5):
            while made.closed < made.connections:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
    return sink, caught.value


@pytest.mark.parametrize("codec", ["h264", "h265"])
async def test_a_camera_is_read_to_its_end(codec: VideoCodec) -> None:
    media = media_of(codec)
    made = camera(media, packets_of(media))
    sink, error = await read(made, path="/live/1?stream=main&x=ä b")
    assert type(error) is Ended
    assert [time for _, time, _ in sink.pictures] == list(media.times)
    assert [(track.codec, track.width) for track in sink.tracks] == [(codec, 160)]
    assert made.methods() == ["OPTIONS", "DESCRIBE", "SETUP", "PLAY"]
    url = f"rtsp://127.0.0.1:{made.port}/live/1?stream=main&x=%C3%A4%20b"
    assert [asked.url for asked in made.asked] == [url, url, f"{url}/trackID=0", url]
    assert made.asked[2].headers["transport"] == "RTP/AVP/TCP;unicast;interleaved=0-1"
    assert made.asked[3].headers["session"] == "4711"
    assert not any("authorization" in asked.headers for asked in made.asked)


async def test_cancelling_says_goodbye_and_delivers_nothing_more() -> None:
    media = media_of()
    made = camera(media, packets_of(media), ends=False)
    sink = Gathered()
    async with made.open():
        task = asyncio.ensure_future(made.reader().run(sink))
        while len(sink.pictures) < 5:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert made.methods()[-1] == "TEARDOWN"
        assert made.asked[-1].headers["session"] == "4711"


def digest_guard(
    then: Answer, *, algorithm: str = "MD5", qop: bool = False, good: str = "secret", uses: int = 10**6
) -> Answer:
    """Let pass who knows the password; a nonce is good for so many requests."""
    nonces: list[int] = []

    def challenge(asked: Asked, more: str = "") -> str:
        nonces.append(0)
        value = f'Digest realm="cam", nonce="n{len(nonces)}", algorithm={algorithm}{more}'
        if qop:
            value += ', qop="auth"'
        return str(reply("401 Unauthorized", f"WWW-Authenticate: {value}")(asked))

    def answer(asked: Asked) -> str | bytes | None:
        fields = dict(re.findall(r'(\w+)="?([^",]+)"?', asked.headers.get("authorization", "")))
        if not fields:
            return challenge(asked)
        digest = hashlib.sha256 if algorithm == "SHA-256" else hashlib.md5
        hashed = [
            digest(text.encode()).hexdigest()
            for text in (f"{fields['username']}:cam:{good}", f"{asked.method}:{fields['uri']}")
        ]
        middle = f":{fields['nc']}:{fields['cnonce']}:auth" if qop else ""
        wanted = digest(f"{hashed[0]}:{fields['nonce']}{middle}:{hashed[1]}".encode()).hexdigest()
        assert fields["uri"] == asked.url
        if fields["response"] != wanted:
            return challenge(asked)
        if fields["nonce"] != f"n{len(nonces)}" or nonces[-1] >= uses:
            return challenge(asked, ", stale=TRUE")
        nonces[-1] += 1
        return then(asked)

    return answer


def guarded(made: Camera, **how: Any) -> Camera:
    """One guard for all methods, so that they share its nonces."""
    answers = dict(made.answers)

    def then(asked: Asked) -> str | bytes | None:
        return answers.get(asked.method, reply())(asked)

    guard = digest_guard(then, **how)
    for method in ("OPTIONS", "DESCRIBE", "SETUP", "PLAY", "GET_PARAMETER", "TEARDOWN"):
        made.answers[method] = guard
    return made


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
@pytest.mark.parametrize("qop", [False, True])
async def test_digest(algorithm: str, qop: bool) -> None:
    media = media_of()
    made = guarded(camera(media, packets_of(media)), algorithm=algorithm, qop=qop)
    sink, _ = await read(made, username="admin", password="secret")
    assert len(sink.pictures) == 30
    assert made.methods() == ["OPTIONS", "OPTIONS", "DESCRIBE", "SETUP", "PLAY"]
    assert "secret" not in "".join(str(asked) for asked in made.asked)


async def test_a_nonce_that_runs_out_is_replaced() -> None:
    media = media_of()
    made = guarded(camera(media, packets_of(media)), uses=1)
    sink, _ = await read(made, username="admin", password="secret")
    assert len(sink.pictures) == 30
    assert made.methods() == ["OPTIONS", "OPTIONS", "DESCRIBE", "DESCRIBE", "SETUP", "SETUP", "PLAY", "PLAY"]


async def test_a_wrong_password_is_tried_once() -> None:
    made = guarded(camera(media_of()))
    _, error = await read(made, username="admin", password="wr0ng")
    assert type(error) is Unauthorized
    assert "wr0ng" not in str(error)
    assert "admin" not in str(error)
    assert made.methods() == ["OPTIONS", "OPTIONS"]


async def test_without_an_account_nothing_is_tried() -> None:
    made = guarded(camera(media_of()))
    _, error = await read(made)
    assert type(error) is Unauthorized
    assert made.methods() == ["OPTIONS"]


async def test_basic_only_where_nothing_better_is_offered() -> None:
    media = media_of()
    made = camera(media, packets_of(media))
    described = made.answers["DESCRIBE"]

    def answer(asked: Asked) -> str | bytes | None:
        if asked.headers.get("authorization") != "Basic YWRtaW46c2VjcmV0":
            return reply("401 Unauthorized", 'WWW-Authenticate: Basic realm="x"')(asked)
        return described(asked)

    made.answers["DESCRIBE"] = answer
    sink, _ = await read(made, username="admin", password="secret")
    assert len(sink.pictures) == 30


async def test_a_device_that_never_believes_does_not_make_us_try_for_ever() -> None:
    count = 0

    def answer(asked: Asked) -> str | bytes | None:
        nonlocal count
        count += 1
        return reply("401 No", f'WWW-Authenticate: Digest realm="x", nonce="{count}", stale=true')(asked)

    made = camera(media_of())
    made.answers["DESCRIBE"] = answer
    _, error = await read(made, username="admin", password="secret")
    assert type(error) is Unreachable
    assert "401" in str(error)
    assert count == 3


@pytest.mark.parametrize(
    ("method", "status", "kind"),
    [
        ("DESCRIBE", "404 Not Found", Unreachable),
        ("DESCRIBE", "403 Forbidden", Unreachable),
        ("DESCRIBE", "302 Moved\r\nLocation: rtsp://169.254.169.254/", Unreachable),
        ("DESCRIBE", "453 Not Enough Bandwidth", Busy),
        ("SETUP", "503 Service Unavailable", Busy),
        ("SETUP", "461 Unsupported Transport", UdpOnly),
        ("PLAY", "455 Method Not Valid", Unreachable),
        ("PLAY", "453 Not Enough Bandwidth", Busy),
    ],
)
async def test_refusals(method: str, status: str, kind: type[StreamError]) -> None:
    made = camera(media_of())
    made.answers[method] = reply(status)
    _, error = await read(made)
    assert type(error) is kind
    if kind is not UdpOnly:
        assert status[:3] in str(error)
    assert made.connections == 1


async def test_options_may_be_refused() -> None:
    media = media_of()
    made = camera(media, packets_of(media))
    made.answers["OPTIONS"] = reply("551 Option not supported")
    sink, _ = await read(made)
    assert len(sink.pictures) == 30


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("", "no video"),
        ("m=audio 0 RTP/AVP 0", "no video"),
        ("m=video 0 RTP/AVP 26\na=control:x", "JPEG"),
        ("m=video 0 RTP/AVP 96\na=rtpmap:96 MP4V-ES/90000", "MP4V-ES"),
    ],
)
async def test_what_another_reader_may_understand(body: str, why: str) -> None:
    made = camera(media_of())
    made.answers["DESCRIBE"] = reply(body=body)
    _, error = await read(made)
    assert type(error) is Unsupported
    assert why in str(error)


async def test_a_device_that_answers_with_udp() -> None:
    made = camera(media_of())
    made.answers["SETUP"] = reply(
        "200 OK", "Session: 1", "Transport: RTP/AVP;unicast;client_port=1-2;server_port=3-4"
    )
    _, error = await read(made)
    assert type(error) is UdpOnly


@pytest.mark.parametrize(
    ("base", "control", "session", "setup", "play"),
    [
        (None, "trackID=0", "*", "rtsp://cam/m/trackID=0", "rtsp://cam/m"),
        ("Content-Base: rtsp://cam/m/", "trackID=0", "*", "rtsp://cam/m/trackID=0", "rtsp://cam/m/"),
        ("Content-Location: rtsp://other/x", "/t", "*", "rtsp://other/x/t", "rtsp://other/x"),
        ("Content-Base: rtsp://cam/a?b=c/", "t=1", "", "rtsp://cam/a?b=c/t=1", "rtsp://cam/a?b=c/"),
        (None, "rtsp://cam/all/1", "rtsp://cam/all", "rtsp://cam/all/1", "rtsp://cam/all"),
        ("Content-Base: http://evil/\u00e9", "t", "", "rtsp://cam/m/t", "rtsp://cam/m"),
        ("Content-Base: rtsp://user:pw@cam/m", "t", "", "rtsp://cam/m/t", "rtsp://cam/m"),
        (None, "*", "sub", "rtsp://cam/m", "rtsp://cam/m/sub"),
        (None, "", "", "rtsp://cam/m", "rtsp://cam/m"),
    ],
)
async def test_addresses_of_streams(
    base: str | None, control: str, session: str, setup: str, play: str
) -> None:
    media = media_of()
    made = camera(media, packets_of(media))
    body = f"a=control:{session}\r\n" + description(media, control=control)
    made.answers["DESCRIBE"] = reply("200 OK", *([base] if base else []), body=body)
    sink, _ = await read(made, path="m")
    assert len(sink.pictures) == 30
    own = f"rtsp://127.0.0.1:{made.port}/m"
    asked = {request.method: request.url.replace(own, "rtsp://cam/m") for request in made.asked}
    assert (asked["SETUP"], asked["PLAY"]) == (setup, play)


async def test_a_lying_description() -> None:
    media = media_of()
    lie = coded(count=3, width=640, height=480)
    made = camera(media, packets_of(media))
    made.answers["DESCRIBE"] = reply(
        body=description(lie).replace("H264/90000", "H264/90000\r\na=fmtp:96 junk==")
    )
    made.answers["PLAY"] = reply("200 OK", "RTP-Info: url=x;seq=1;rtptime=4294967295", "Range: npt=junk")
    sink, _ = await read(made)
    assert [(track.width, track.height) for track in sink.tracks] == [(160, 96)]
    assert len(sink.pictures) == 30


async def test_parameter_sets_only_in_the_description() -> None:
    media = media_of()
    units = [
        ([nal for nal in unit if nal[0] & 31 not in (7, 8)], time)
        for unit, time in zip(media.units, media.times, strict=True)
    ]
    made = camera(media, packets("h264", units))
    sink, _ = await read(made)
    assert len(sink.pictures) == 30


async def test_parameter_sets_that_change_mid_stream() -> None:
    media, other = media_of(), media_of(width=320, height=192)
    sent = packets(
        "h264",
        [
            *zip(media.units, media.times, strict=True),
            *((unit, time + 30 * STEP) for unit, time in zip(other.units, other.times, strict=True)),
        ],
    )
    sink, _ = await read(camera(media, sent))
    assert [(track.width, track.height) for track in sink.tracks] == [(160, 96), (320, 192)]
    assert len(sink.pictures) == 60


async def test_another_channel_than_asked_for_and_media_before_the_answer() -> None:
    media = media_of()
    sent = [interleaved(packet, 6) for packet in packets_of(media)]
    made = camera(media)
    made.sends = sent[5:]
    made.answers["SETUP"] = reply("200 OK", "Session: 1", "Transport: RTP/AVP/TCP;interleaved=6-7")
    made.answers["PLAY"] = lambda asked: b"".join(sent[:5]) + str(reply()(asked)).encode()
    sink, _ = await read(made)
    assert len(sink.pictures) == 30


async def test_answers_between_packets_and_packets_in_pieces() -> None:
    media = media_of()
    stream = b"".join(interleaved(packet) for packet in packets_of(media))
    middle = len(stream) // 2 // 4
    pieces = [stream[place : place + middle] for place in range(0, len(stream), middle)]
    made = camera(media)
    made.sends = pieces
    made.pace_s = 0.01
    sink, _ = await read(made)
    assert len(sink.pictures) == 30


async def test_sound_comes_too() -> None:
    media = media_of()
    track, frames = aac()
    lines = (
        "m=audio 0 RTP/AVP 97",
        "a=rtpmap:97 mpeg4-generic/16000/1",
        f"a=fmtp:97 mode=AAC-hbr;config={track.config.hex()};sizelength=13;indexlength=3;indexdeltalength=3",
        "a=control:sound",
    )
    made = camera(media, (), *lines)
    made.answers["SETUP"] = lambda asked: reply(
        "200 OK", "Session: 1", f"Transport: {asked.headers['transport']}"
    )(asked)
    heard = [rtp(au_packet([frame]), number, number * 1024, kind=97) for number, frame in enumerate(frames)]
    made.sends = [
        *(interleaved(packet) for packet in packets_of(media)),
        *(interleaved(packet, 2) for packet in heard),
    ]
    sink, _ = await read(made)
    assert sink.sounds == [track]
    assert sink.heard == [(frame, number * 1024) for number, frame in enumerate(frames)]
    silent, _ = await read(made, audio=False)
    assert not silent.sounds
    assert len(silent.pictures) == 30


@pytest.mark.parametrize("sound", ["MP4A-LATM/16000", "PCMA/8000"])
async def test_sound_that_cannot_be_had_leaves_the_picture(sound: str) -> None:
    media = media_of()
    made = camera(media, packets_of(media), "m=audio 0 RTP/AVP 97", f"a=rtpmap:97 {sound}", "a=control:sound")
    good = made.answers["SETUP"]
    made.answers["SETUP"] = lambda asked: (
        reply("500 No")(asked) if asked.url.endswith("sound") else good(asked)
    )
    sink, _ = await read(made)
    assert not sink.sounds
    assert len(sink.pictures) == 30


def endless(media: Coded) -> Iterator[bytes]:
    number = 0
    while True:
        for unit in media.units:
            for packet in packets("h264", [(unit, number * STEP)], sequence=number * 50):
                yield interleaved(packet)
            number += 1


async def wait_for(made: Camera, condition: Any, sink: Gathered | None = None, **how: Any) -> None:
    async with made.open():
        task = asyncio.ensure_future(made.reader(**how).run(sink or Gathered()))
        async with asyncio.timeout(20):
            while not condition():
                assert not task.done(), task.exception()
                await asyncio.sleep(0.02)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def test_a_session_is_kept_alive_at_half_its_time_whether_that_is_answered_or_not() -> None:
    media = media_of()
    made = camera(media, pace_s=0.01)
    made.sends = (rtp_ for rtp_ in endless(media))
    made.answers["SETUP"] = reply(
        "200 OK", "Session: abc ; timeout=1", "Transport: RTP/AVP/TCP;interleaved=0-1"
    )
    made.answers["GET_PARAMETER"] = lambda asked: None
    await wait_for(made, lambda: made.methods().count("GET_PARAMETER") >= 3, connect_s=0.3)
    assert all(a.headers["session"] == "abc" for a in made.asked if a.method == "GET_PARAMETER")


async def test_a_device_without_get_parameter_is_asked_for_its_options() -> None:
    media = media_of()
    made = camera(media, pace_s=0.01)
    made.sends = endless(media)
    made.answers["SETUP"] = reply(
        "200 OK", "Session: abc;timeout=1", "Transport: RTP/AVP/TCP;interleaved=0-1"
    )
    made.answers["GET_PARAMETER"] = reply("501 Not Implemented")
    await wait_for(made, lambda: made.methods().count("OPTIONS") >= 3)
    assert made.methods().count("GET_PARAMETER") == 1


async def test_a_nonce_that_runs_out_does_not_end_the_session() -> None:
    media = media_of()
    made = camera(media, pace_s=0.01)
    made.sends = endless(media)
    made.answers["SETUP"] = reply(
        "200 OK", "Session: abc;timeout=1", "Transport: RTP/AVP/TCP;interleaved=0-1"
    )
    guarded(made, uses=1)
    await wait_for(
        made, lambda: made.methods().count("GET_PARAMETER") >= 4, username="admin", password="secret"
    )


async def test_without_pictures_a_stream_has_stalled_however_much_else_comes() -> None:
    media = media_of()
    sent = packets_of(media)
    # Then no picture but reports, parameter sets and answers to keep-alives.
    rest = [
        item
        for number in range(10_000)
        for item in (
            interleaved(rtp(media.units[0][0], len(sent) + 65_500 + number, REST + number)),
            interleaved(b"\x80\xc8" + bytes(26), 1),
        )
    ]
    made = camera(media, pace_s=0.005)
    made.sends = [*(interleaved(packet) for packet in sent), *rest]
    sink, error = await read(made, stall_s=0.5)
    assert type(error) is Stalled
    assert "0.5 s" in str(error)
    assert len(sink.pictures) >= 29


async def test_a_stream_without_key_frames_is_given_up_later() -> None:
    media = coded(count=200, gop=200)

    def without_key() -> Iterator[bytes]:
        for packet in packets("h264", list(zip(media.units, media.times, strict=True))[1:]):
            yield interleaved(packet)

    made = camera(media, pace_s=0.02)
    made.sends = without_key()
    sink, error = await read(made, stall_s=0.4, key_s=1.2)
    assert type(error) is Stalled
    assert "key frame" in str(error)
    assert not sink.pictures


@pytest.mark.parametrize("method", ["OPTIONS", "DESCRIBE", "SETUP", "PLAY"])
async def test_silence_and_closed_doors_while_asking(method: str) -> None:
    made = camera(media_of())
    made.answers[method] = lambda asked: None
    _, error = await read(made, connect_s=0.2)
    assert type(error) is Unreachable
    assert str(error) == f"{method}: no answer within 0.2 s"
    made.answers[method] = lambda asked: b""
    made.connections = made.closed = 0
    _, error = await read(made)
    assert type(error) is Unreachable
    assert str(error) == f"{method}: the device closed the connection"


async def test_something_else_answers() -> None:
    made = camera(media_of())
    made.answers["OPTIONS"] = lambda asked: b"SSH-2.0-OpenSSH_9.2\r\n" * 4000
    _, error = await read(made)
    assert type(error) is BadMedia


async def test_nobody_there_and_nowhere_to_go() -> None:
    server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    source = Source(protocol="rtsp", host="127.0.0.1", port=port)
    with pytest.raises(Unreachable, match="refused"):
        await RtspReader(source, LOCAL).run(Gathered())
    with pytest.raises(NotAllowed):
        await RtspReader(source, Admission(["10.0.0.0/8"])).run(Gathered())
    with pytest.raises(NotAllowed):
        await RtspReader(source, Admission(["127.0.0.0/8"], ["gb28181"])).run(Gathered())


@pytest.mark.parametrize(("protocol", "transport"), [("rtsps", "tcp"), ("rtsp", "udp")])
async def test_what_this_reader_does_not_do(protocol: Any, transport: Any) -> None:
    source = Source(protocol=protocol, host="127.0.0.1", transport=transport)
    with pytest.raises(Unsupported):
        await RtspReader(source, LOCAL).run(Gathered())


async def test_losses_hold_pictures_back_until_the_next_key_frame() -> None:
    media = media_of(noise=40)
    sent = packets_of(media)
    times = [int.from_bytes(packet[4:8], "big") // STEP for packet in sent]
    del sent[times.index(13)]
    sink, _ = await read(camera(media, sent))
    assert [time // STEP for _, time, _ in sink.pictures] == [*range(13), *range(20, 30)]
