from __future__ import annotations

import random
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams import sdp
from streams.rtp_audio import AacDepacketiser, G711Depacketiser, depacketiser_for
from tests.streams.coded import Gathered
from tests.streams.rtp_packer import rtp


def au_packet(frames: list[bytes], sizes: list[int] | None = None) -> bytes:
    """Pack frames in the high bit-rate mode of RFC 3640."""
    headers = b"".join(struct.pack(">H", size << 3) for size in sizes or [len(frame) for frame in frames])
    return struct.pack(">H", 8 * len(headers)) + headers + b"".join(frames)


class Heard:
    def __init__(self) -> None:
        self.got: list[tuple[bytes, int]] = []

    def __call__(self, data: bytes, timestamp: int) -> None:
        self.got.append((data, timestamp))


FRAME = st.binary(min_size=1, max_size=200)


@given(st.lists(st.lists(FRAME, min_size=1, max_size=5), min_size=1, max_size=6))
def test_frames_come_out_with_their_times(groups: list[list[bytes]]) -> None:
    heard = Heard()
    depacketiser = AacDepacketiser(97, heard)
    wanted, time = [], 2**32 - 2048
    for number, frames in enumerate(groups):
        packet = rtp(au_packet(frames), number, time, kind=97, marker=True)
        depacketiser.packet(packet, 0, len(packet))
        wanted += [(frame, time + 1024 * place) for place, frame in enumerate(frames)]
        time += 1024 * len(frames)
    assert heard.got == wanted


def test_a_frame_in_several_packets() -> None:
    heard = Heard()
    depacketiser = AacDepacketiser(97, heard)
    frame = bytes(range(250))
    for number, piece in enumerate((frame[:100], frame[100:200], frame[200:])):
        packet = rtp(au_packet([piece], [250]), number, 5, kind=97)
        depacketiser.packet(packet, 0, len(packet))
    assert heard.got == [(frame, 5)]


def test_a_lost_piece_costs_the_frame_only() -> None:
    heard = Heard()
    depacketiser = AacDepacketiser(97, heard)
    frame = bytes(range(250))
    sent = [au_packet([frame[:100]], [250]), au_packet([frame[100:]], [250]), au_packet([b"next"])]
    for number in (0, 2, 3):
        packet = rtp(sent[min(number, 1 if number < 3 else 2)], number, number, kind=97)
        depacketiser.packet(packet, 0, len(packet))
    assert heard.got == [(b"next", 3)]


def test_other_sizes_of_header_fields() -> None:
    heard = Heard()
    depacketiser = AacDepacketiser(97, heard, size_bits=6, index_bits=2)
    payload = struct.pack(">HBB", 16, 3 << 2, 2 << 2) + b"abcde"
    packet = rtp(payload, 1, 0, kind=97)
    depacketiser.packet(packet, 0, len(packet))
    assert heard.got == [(b"abc", 0), (b"de", 1024)]


def test_g711_is_the_payload_and_comfort_noise_is_not() -> None:
    heard = Heard()
    depacketiser = G711Depacketiser(8, heard)
    sent = [
        rtp(b"\xd5" * 160, 1, 0, kind=8),
        rtp(b"\x10", 2, 160, kind=13),
        rtp(b"\x55" * 160, 3, 320, kind=8),
    ]
    for packet in [*sent, sent[0]]:
        depacketiser.packet(packet, 0, len(packet))
    assert heard.got == [(b"\xd5" * 160, 0), (b"\x55" * 160, 320)]


@pytest.mark.parametrize(
    "payload", [b"", b"\0", b"\0\0", b"\xff\xff\0\0", b"\0\x10\0\0", b"\0\x10", b"\0\x08\xff"]
)
def test_nonsense_is_left_out(payload: bytes) -> None:
    heard = Heard()
    depacketiser = AacDepacketiser(97, heard)
    for number, piece in enumerate((payload, au_packet([b"good"]))):
        packet = rtp(piece, number, 0, kind=97)
        depacketiser.packet(packet, 0, len(packet))
    assert heard.got == [(b"good", 0)]


def test_flipped_bytes_raise_nothing() -> None:
    for seed in range(200):
        chance = random.Random(seed)
        depacketiser = AacDepacketiser(97, Heard(), *chance.choice([(13, 3), (6, 2), (1, 0), (32, 32)]))
        for number in range(20):
            data = bytearray(rtp(au_packet([bytes(50), bytes(9)]), number, 0, kind=97))
            for _ in range(chance.randrange(4)):
                data[chance.randrange(len(data))] = chance.randrange(256)
            depacketiser.packet(bytes(data), 0, len(data))


def test_the_description_decides() -> None:
    text = (
        "m=audio 0 RTP/AVP 97\na=rtpmap:97 mpeg4-generic/16000/1\n"
        "a=fmtp:97 mode=AAC-hbr; config=1408; SizeLength=13; IndexLength=3;IndexDeltaLength=3"
    )
    stream = sdp.find_audio(sdp.parse(text))
    assert stream is not None
    sink = Gathered()
    packet = rtp(au_packet([b"sound"]), 1, 9, kind=97)
    depacketiser_for(stream, sink).packet(packet, 0, len(packet))
    assert sink.heard == [(b"sound", 9)]
    law = sdp.find_audio(sdp.parse("m=audio 0 RTP/AVP 8"))
    assert law is not None
    packet = rtp(b"\xd5", 1, 9, kind=8)
    depacketiser_for(law, sink).packet(packet, 0, len(packet))
    assert sink.heard[1:] == [(b"\xd5", 9)]
