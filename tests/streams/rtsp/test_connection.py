from __future__ import annotations

import asyncio
import random
from itertools import pairwise

import pytest

from streams.assembler import Assembler
from streams.errors import BadMedia, Ended, StreamError, Unreachable
from streams.media import VideoCodec
from streams.rtp_video import H264Depacketiser, H265Depacketiser
from streams.rtsp.connection import Connection
from streams.rtsp.messages import Response
from tests.streams.coded import coded
from tests.streams.rtp_packer import interleaved, packets_of
from tests.streams.test_fmp4 import Muxed, check_fragment


class Wire(asyncio.Transport):
    """Where the connection's own words go."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.closing = False

    def write(self, data: bytes) -> None:  # type: ignore[override]
        self.written += data

    def is_closing(self) -> bool:
        return self.closing

    def abort(self) -> None:
        self.closing = True


class Line:
    """A connection without a socket: the bytes come from the test."""

    def __init__(self) -> None:
        self.connection = Connection()
        self.wire = Wire()
        self.connection.connection_made(self.wire)
        self.packets: list[bytes] = []
        self.connection.on_channel(0, lambda data, start, end: self.packets.append(data[start:end]))

    def give(self, *pieces: bytes) -> None:
        for piece in pieces:
            if not self.wire.closing:
                self.connection.data_received(piece)

    @property
    def reason(self) -> BaseException | None:
        return self.connection.ended.exception() if self.connection.ended.done() else None


PACKETS = [bytes((number,)) * (7 * number + 1) for number in range(12)]
REPLY = b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Length: 9\r\n\r\nv=0\r\n$\0\0\1"
REQUEST = b"OPTIONS * RTSP/1.0\r\nCSeq: 77\r\n\r\n"
STREAM = b"".join(
    (
        *(interleaved(packet) for packet in PACKETS[:4]),
        REPLY,
        *(interleaved(packet) for packet in PACKETS[4:8]),
        REQUEST,
        interleaved(b"elsewhere", 1),
        *(interleaved(packet) for packet in PACKETS[8:]),
    )
)


async def test_media_and_messages_are_told_apart_wherever_the_stream_is_cut() -> None:
    for cut in range(len(STREAM)):
        line = Line()
        answer = line.connection.send("GET_PARAMETER", "rtsp://x", [])
        line.give(STREAM[:cut], STREAM[cut:])
        assert line.packets == PACKETS
        assert (await answer).body == b"v=0\r\n$\0\0\1"
        assert line.wire.written.endswith(b"RTSP/1.0 200 OK\r\nCSeq: 77\r\n\r\n")
    line = Line()
    line.give(*(STREAM[place : place + 1] for place in range(len(STREAM))))
    assert line.packets == PACKETS
    assert not line.connection._held


async def test_messages_that_end_with_line_feeds_only() -> None:
    line = Line()
    answer = line.connection.send("OPTIONS", "u", [])
    line.give(b"RTSP/1.0 200 OK\nCSeq: 1\n\n" + interleaved(b"x"))
    assert (await answer).status == 200
    assert line.packets == [b"x"]


async def test_answers_find_their_questions() -> None:
    line = Line()
    first, second = (line.connection.send("GET_PARAMETER", "u", []) for _ in range(2))
    line.give(b"RTSP/1.0 100 Continue\r\nCSeq: 2\r\n\r\n")
    line.give(b"RTSP/1.0 200 OK\r\n\r\n", b"RTSP/1.0 200 OK\r\nCSeq: 99\r\n\r\n")
    assert not first.done()
    assert not second.done()
    line.give(b"RTSP/1.0 201 Second\r\nCSeq: 2\r\n\r\n")
    assert (await second).status == 201
    line.give(b"RTSP/1.0 202 First\r\n\r\n")  # without a number, and only one is waited for
    assert (await first).status == 202


async def test_junk_between_packets_is_passed_over() -> None:
    line = Line()
    line.give(
        interleaved(b"a") + b"\0\1\2junk" + interleaved(b"b"), b"\0junk R", REPLY + b"\xff\xff$", b"\0\0\1c"
    )
    assert line.packets == [b"a", b"b", b"c"]
    assert line.reason is None


async def test_too_much_junk_is_the_end() -> None:
    line = Line()
    line.give(*[b"\0" * 10_000] * 10)
    assert isinstance(line.reason, BadMedia)
    assert line.wire.closing


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"RTSP/1.0 200 OK\r\n" + b"A: b\r\n" * 12_000, "without an end"),
        (b"RTSP/1.0 200 OK\r\n" + b"A: b\r\n" * 12_000 + b"\r\n", "64 KiB"),
        (b"RTSP/1.0 200 OK\r\nContent-Length: 1048577\r\n\r\n", "1048577"),
        (b"RTSP/1.0 hello\r\n\r\n", "not RTSP"),
    ],
)
async def test_messages_have_limits(data: bytes, why: str) -> None:
    line = Line()
    line.give(data)
    with pytest.raises(BadMedia, match=why):
        line.connection.ended.result()


async def test_a_long_body_in_small_pieces_takes_linear_time() -> None:
    line = Line()
    answer = line.connection.send("DESCRIBE", "u", [])
    line.give(b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Length: 1000000\r\n\r\n", *[b"x" * 50] * 20_000)
    assert len((await answer).body) == 1_000_000


@pytest.mark.parametrize(
    ("request_", "answer", "error"),
    [
        ("SET_PARAMETER", "200 OK", None),
        ("PLAY_NOTIFY", "501 Not Implemented", None),
        ("TEARDOWN", "200 OK", Ended),
        ("REDIRECT", "501 Not Implemented", Unreachable),
    ],
)
async def test_what_the_device_asks_is_answered(
    request_: str, answer: str, error: type[StreamError] | None
) -> None:
    line = Line()
    line.give(f"{request_} rtsp://elsewhere/ RTSP/1.0\r\nCSeq: 5\r\n\r\n".encode())
    assert line.wire.written == f"RTSP/1.0 {answer}\r\nCSeq: 5\r\n\r\n".encode()
    assert (error is None and line.reason is None) or type(line.reason) is error


async def test_the_end_of_the_connection_ends_all_waiting() -> None:
    line = Line()
    answer = line.connection.send("OPTIONS", "u", [])
    line.connection.connection_lost(None)
    assert answer.cancelled()
    assert isinstance(line.reason, Ended)
    late: asyncio.Future[Response] = line.connection.send("OPTIONS", "u", [])
    assert late.cancelled()
    await line.connection.close()


async def test_a_handler_that_finds_bad_media_ends_the_connection() -> None:
    def refuse(data: bytes, start: int, end: int) -> None:
        raise BadMedia("no picture")

    line = Line()
    line.connection.on_channel(4, refuse)
    line.give(interleaved(b"x", 4))
    assert isinstance(line.reason, BadMedia)


async def test_flipped_bytes_end_in_nothing_worse_than_bad_media() -> None:
    for seed in range(200):
        chance = random.Random(seed)
        data = bytearray(STREAM * 3)
        for _ in range(chance.randint(1, 30)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        line = Line()
        line.connection.send("OPTIONS", "u", [])
        place = 0
        while place < len(data):
            size = chance.randint(1, 200)
            line.give(bytes(data[place : place + size]))
            place += size
            assert len(line.connection._held) <= (1 << 20) + (128 << 10)
        assert line.reason is None or isinstance(line.reason, StreamError)


@pytest.mark.parametrize("codec", ["h264", "h265"])
async def test_flipped_bytes_on_the_way_leave_fragments_in_order(codec: VideoCodec) -> None:
    media = coded(codec, count=30, gop=5, bframes=2)
    stream = b"".join(interleaved(packet) for packet in packets_of(media, most=200))
    kind = H264Depacketiser if codec == "h264" else H265Depacketiser
    for seed in range(200):
        chance = random.Random(seed)
        data = bytearray(stream)
        for _ in range(chance.choice((1, 3, 10, 100))):
            data[chance.randrange(len(data))] = chance.randrange(256)
        line, muxed = Line(), Muxed()
        assembler = Assembler(codec, muxed.muxer)
        line.connection.on_channel(0, kind(assembler.unit, assembler.broken).packet)
        line.give(*(bytes(data[place : place + 3000]) for place in range(0, len(data), 3000)))
        assert line.reason is None or isinstance(line.reason, StreamError)
        assert len(muxed.pictures) <= 60
        for number, fragment in enumerate(muxed.fragments):
            assert check_fragment(fragment) == number + 1
        for _, fragments in muxed.parts():
            assert fragments[0].key
            assert all(b.dts_90k > a.dts_90k for a, b in pairwise(fragments))
