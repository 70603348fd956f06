"""What is packed can be unpacked."""

from __future__ import annotations

from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.rtp_video import Depacketiser, H264Depacketiser, H265Depacketiser
from streams.synthetic.packets import Packetiser, Unit, frame, payloads, shift, split_annexb


def unit(head: bytes, size: int) -> bytes:
    return head + bytes(1 + n * 7 % 250 for n in range(size))


h264 = st.builds(unit, st.sampled_from([b"\x67", b"\x68", b"\x06", b"\x65"]), st.integers(1, 5000))
h265 = st.builds(
    unit, st.sampled_from([b"\x40\x01", b"\x42\x01", b"\x44\x01", b"\x26\x01"]), st.integers(1, 5000)
)


@given(st.lists(h264, min_size=1, max_size=6))
def test_annexb_is_split(units: list[bytes]) -> None:
    stream = b"".join((b"\0\0\0\1" if n % 2 else b"\0\0\1") + each for n, each in enumerate(units))
    assert split_annexb(stream) == units


def sent_to(
    reader: Depacketiser, codec: Literal["h264", "h265"], pictures: list[list[bytes]], **how: bool
) -> None:
    packetiser = Packetiser(96, 7, 65_530)
    for number, nals in enumerate(pictures):
        for packet in packetiser.packets(payloads(codec, nals, **how), 9000 * number):
            reader.packet(packet, 0, len(packet))


@given(st.lists(h264, max_size=5), st.booleans())
def test_h264_comes_back(units: list[bytes], aggregate: bool) -> None:
    found: list[list[bytes]] = []
    reader = H264Depacketiser(lambda nals, timestamp: found.append(list(nals)), lambda: None)
    picture = [*units, unit(b"\x65", 3000)]
    sent_to(reader, "h264", [picture, [b"\x41\x9a\x01"], [b"\x41\x9a\x02"]], aggregate=aggregate)
    assert found[0] == picture


@given(st.lists(h265, max_size=5), st.booleans())
def test_h265_comes_back(units: list[bytes], aggregate: bool) -> None:
    found: list[list[bytes]] = []
    reader = H265Depacketiser(lambda nals, timestamp: found.append(list(nals)), lambda: None)
    picture = [*units, unit(b"\x26\x01", 3000)]
    sent_to(reader, "h265", [picture, [b"\x02\x01\xd0\x01"], [b"\x02\x01\xd0\x02"]], aggregate=aggregate)
    assert found[0] == picture


@given(st.integers(0, 0xFFFF), st.integers(1, 40))
def test_numbers_go_round(first: int, count: int) -> None:
    packetiser = Packetiser(96, 1, first)
    packets = packetiser.packets([b"x"] * count, 0)
    numbers = [int.from_bytes(packet[2:4], "big") for packet in packets]
    assert numbers == [(first + n) & 0xFFFF for n in range(count)]
    assert [bool(packet[1] & 0x80) for packet in packets] == [False] * (count - 1) + [True]
    assert [int.from_bytes(p[2:4], "big") for p in shift(packets, 5)] == [(n + 5) & 0xFFFF for n in numbers]


def test_framing_is_kept_for_the_usual_channel() -> None:
    packets = Packetiser(96, 1).packets([b"abc"], 0)
    made = Unit(0, True, [b"abc"], 0, 0.0, packets)
    assert made.framed(0) is made.framed(0)
    assert made.framed(4) == frame(packets, 4)
    assert made.framed(4)[:4] == b"$\x04\x00\x0f"


@pytest.mark.parametrize("size", [1399, 1400, 1401, 2800])
def test_no_packet_is_too_large(size: int) -> None:
    assert all(len(part) <= 1400 for part in payloads("h264", [unit(b"\x65", size)]))
