"""Puts access units into RTP the way cameras do: the other side of what is under test."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence

from streams.media import VideoCodec
from tests.streams.coded import Coded


def rtp(payload: bytes, sequence: int, timestamp: int, *, marker: bool = False, kind: int = 96) -> bytes:
    head = struct.pack(
        ">BBHII", 0x80, (marker << 7) | kind, sequence & 0xFFFF, timestamp & 0xFFFFFFFF, 0x1234ABCD
    )
    return head + payload


def fragments(codec: VideoCodec, nal: bytes, most: int) -> list[bytes]:
    """Split a NAL unit into FU-A (H.264) or fragmentation units (H.265)."""
    if codec == "h264":
        head, kind, rest = bytes(((nal[0] & 0xE0) | 28,)), nal[0] & 0x1F, nal[1:]
    else:
        head, kind, rest = bytes(((nal[0] & 0x81) | (49 << 1), nal[1])), (nal[0] >> 1) & 0x3F, nal[2:]
    pieces = [rest[start : start + most] for start in range(0, len(rest), most)]
    last = len(pieces) - 1
    return [
        head + bytes(((0x80 if number == 0 else 0) | (0x40 if number == last else 0) | kind,)) + piece
        for number, piece in enumerate(pieces)
    ]


def aggregate(codec: VideoCodec, nals: Sequence[bytes]) -> bytes:
    """Put NAL units into one STAP-A (H.264) or aggregation packet (H.265)."""
    head = b"\x78" if codec == "h264" else bytes((48 << 1, 1))
    return head + b"".join(struct.pack(">H", len(nal)) + nal for nal in nals)


def payloads(codec: VideoCodec, unit: Sequence[bytes], most: int) -> list[bytes]:
    """Pack a unit: small NAL units that follow one another together, large ones in pieces."""
    out: list[bytes] = []
    small: list[bytes] = []

    def flush() -> None:
        if len(small) == 1:
            out.append(small[0])
        elif small:
            out.append(aggregate(codec, small))
        small.clear()

    for nal in unit:
        if len(nal) <= most:
            if sum(len(other) + 2 for other in small) + len(nal) > most:
                flush()
            small.append(nal)
        else:
            flush()
            out += fragments(codec, nal, most)
    flush()
    return out


def packets(
    codec: VideoCodec,
    units: Iterable[tuple[Sequence[bytes], int]],
    *,
    most: int = 400,
    sequence: int = 65_500,
    markers: str = "last",
) -> list[bytes]:
    """Pack units with their times.

    Args:
        codec: Family of the coding.
        units: (NAL units, timestamp).
        most: Bytes in a payload.
        sequence: The first number.
        markers: ``last``: as it should be; ``all``; ``none``.
    """
    out = []
    for unit, timestamp in units:
        pieces = payloads(codec, unit, most)
        for number, piece in enumerate(pieces):
            marker = {"last": number == len(pieces) - 1, "all": True, "none": False}[markers]
            out.append(rtp(piece, sequence, timestamp, marker=marker))
            sequence += 1
    return out


def packets_of(media: Coded, *, start: int = 0, most: int = 400, markers: str = "last") -> list[bytes]:
    """Pack a whole coded stream, its times beginning at ``start``."""
    return packets(
        media.codec,
        [(unit, time + start) for unit, time in zip(media.units, media.times, strict=True)],
        most=most,
        markers=markers,
    )


def interleaved(packet: bytes, channel: int = 0) -> bytes:
    return struct.pack(">BBH", 0x24, channel, len(packet)) + packet
