"""From coded pictures and sound to RTP packets, written once for all sessions of a stream."""

import struct
from collections.abc import Sequence
from typing import Final, Literal

_HEADER: Final = struct.Struct(">BBHII")
_FRAME: Final = struct.Struct(">BBH")
_PAYLOAD_BYTES: Final = 1400
RTP_HEADER_BYTES: Final = 12


def split_annexb(data: bytes) -> list[bytes]:
    """Return the NAL units of an Annex B byte stream without start codes."""
    units: list[bytes] = []
    start = data.find(b"\0\0\1")
    while start >= 0:
        following = data.find(b"\0\0\1", start + 3)
        unit = data[start + 3 : following if following >= 0 else len(data)]
        # The fourth byte of a long start code, and trailing zeros, belong to no unit.
        unit = unit.rstrip(b"\0") if following >= 0 else unit
        if unit:
            units.append(unit)
        start = following
    return units


def payloads(
    codec: Literal["h264", "h265"], nals: Sequence[bytes], *, aggregate: bool = False
) -> list[bytes]:
    """Return the RTP payloads of one access unit (RFC 6184 mode 1, RFC 7798).

    Args:
        codec: Family.
        nals: Its NAL units.
        aggregate: Put the small units that precede the first large one in one packet.
    """
    found: list[bytes] = []
    rest = list(nals)
    if aggregate:
        small: list[bytes] = []
        while rest and len(rest[0]) < 200 and sum(map(len, small)) < 800:
            small.append(rest.pop(0))
        if len(small) > 1:
            head = bytes((0x78,)) if codec == "h264" else bytes((48 << 1, 1))
            found.append(head + b"".join(len(unit).to_bytes(2, "big") + unit for unit in small))
        else:
            found += small
    for unit in rest:
        if len(unit) <= _PAYLOAD_BYTES:
            found.append(unit)
        elif codec == "h264":
            found += _fragments(bytes(((unit[0] & 0xE0) | 28,)), unit[0] & 31, unit[1:])
        else:
            head = bytes(((unit[0] & 0x81) | (49 << 1), unit[1]))
            found += _fragments(head, (unit[0] >> 1) & 63, unit[2:])
    return found


def _fragments(head: bytes, kind: int, body: bytes) -> list[bytes]:
    room = _PAYLOAD_BYTES - len(head) - 1
    parts = [body[i : i + room] for i in range(0, len(body), room)]
    marks = [kind] * len(parts)
    marks[0] |= 0x80
    marks[-1] |= 0x40
    return [head + bytes((mark,)) + part for mark, part in zip(marks, parts, strict=True)]


class Unit:
    """One access unit or packet of sound, ready to be sent to any number of sessions.

    Attributes:
        track: 0 for pictures, 1 for sound.
        key: A decoder may start here.
        nals: What it consists of: NAL units, or one frame of sound.
        timestamp: Of its RTP packets.
        at: Seconds since 1970 of the picture.
        packets: RTP packets.
    """

    __slots__ = ("_framed", "at", "key", "nals", "packets", "timestamp", "track")

    def __init__(
        self, track: int, key: bool, nals: Sequence[bytes], timestamp: int, at: float, packets: list[bytes]
    ) -> None:
        self.track = track
        self.key = key
        self.nals = tuple(nals)
        self.timestamp = timestamp
        self.at = at
        self.packets = packets
        self._framed: tuple[int, bytes] = (-1, b"")

    def framed(self, channel: int) -> bytes:
        """Return all packets as they travel inside an RTSP connection; the usual channel is kept ready."""
        if self._framed[0] != channel:
            self._framed = (channel, frame(self.packets, channel))
        return self._framed[1]


def frame(packets: Sequence[bytes], channel: int) -> bytes:
    """Put RTP or RTCP packets in the frames of an RTSP connection."""
    return b"".join(part for packet in packets for part in (_FRAME.pack(0x24, channel, len(packet)), packet))


def shift(packets: Sequence[bytes], by: int) -> list[bytes]:
    """Renumber packets."""
    shifted = []
    for packet in packets:
        number = (int.from_bytes(packet[2:4], "big") + by) & 0xFFFF
        shifted.append(packet[:2] + number.to_bytes(2, "big") + packet[4:])
    return shifted


class Packetiser:
    """Numbers the RTP packets of one track.

    Args:
        payload_type: Dynamic or static RTP payload type.
        ssrc: Of the track.
        sequence: Number of the first packet.
    """

    def __init__(self, payload_type: int, ssrc: int, sequence: int = 0) -> None:
        self._type = payload_type
        self.ssrc = ssrc
        self.sequence = sequence & 0xFFFF
        """Number of the next packet."""

    def packets(self, parts: Sequence[bytes], timestamp: int) -> list[bytes]:
        """Return the packets of one access unit; the last one is marked."""
        found = []
        last = len(parts) - 1
        for index, part in enumerate(parts):
            mark = 0x80 if index == last else 0
            head = _HEADER.pack(0x80, self._type | mark, self.sequence, timestamp & 0xFFFFFFFF, self.ssrc)
            found.append(head + part)
            self.sequence = (self.sequence + 1) & 0xFFFF
        return found
