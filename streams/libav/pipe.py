"""The frames between a worker and its FFmpeg child, over the child's standard input and output.

::

    u32 length of what follows | u8 kind | body

    order   msgpack Open or Transcode      to the child, once, first
    unit    u8 codec | i64 timestamp | u16 count | u32 size × count | NAL units    both ways
    audio   msgpack AudioTrack             from the child
    sound   i64 timestamp | bytes          from the child
    failed  msgpack [code, detail]         from the child, last
    encodes nothing                        from the child: it has to encode the pictures anew
"""

import struct
from collections.abc import Sequence
from typing import Final, Literal

import msgspec

from streams.media import VideoCodec
from streams.source import Source

ORDER: Final = 0
UNIT: Final = 1
AUDIO: Final = 2
SOUND: Final = 3
FAILED: Final = 4
ENCODES: Final = 5

HEADER: Final = struct.Struct("<IB")
MOST_BYTES: Final = 16 << 20
CODECS: Final[tuple[VideoCodec, ...]] = ("h264", "h265")
_UNIT: Final = struct.Struct("<BqH")
STAMP: Final = struct.Struct("<q")


class Open(msgspec.Struct, frozen=True, tag="open"):
    """Open a source and deliver what it sends.

    Attributes:
        source: Where; its host is the name as registered.
        address: The address that was checked; the only one that may be connected to.
        file: Path of a ``file`` source, already checked; empty otherwise.
        timeout_s: Longest wait for the network.
        height_px: Tallest picture when one has to be encoded anew.
    """

    source: Source
    address: str
    file: str
    timeout_s: float
    height_px: int


class Transcode(msgspec.Struct, frozen=True, tag="transcode"):
    """Decode the units that follow on standard input and encode them as H.264."""

    codec: Literal["h264", "h265"]
    height_px: int


def frame(kind: int, body: bytes) -> bytes:
    """Return one frame."""
    return HEADER.pack(1 + len(body), kind) + body


def pack_unit(codec: VideoCodec, nals: Sequence[bytes], timestamp: int) -> bytes:
    """Return the body of a unit frame."""
    sizes = struct.pack(f"<{len(nals)}I", *map(len, nals))
    return _UNIT.pack(CODECS.index(codec), timestamp, len(nals)) + sizes + b"".join(nals)


def unpack_unit(body: bytes) -> tuple[VideoCodec, list[bytes], int]:
    """Return codec, NAL units and timestamp of a unit frame.

    Raises:
        struct.error: It is shorter than it says.

    >>> unpack_unit(pack_unit("h264", [b"ab", b"c"], -5))
    ('h264', [b'ab', b'c'], -5)
    """
    codec, timestamp, count = _UNIT.unpack_from(body)
    sizes = struct.unpack_from(f"<{count}I", body, _UNIT.size)
    start = _UNIT.size + 4 * count
    nals = []
    for size in sizes:
        nals.append(body[start : start + size])
        start += size
    return CODECS[codec], nals, timestamp


def split_annexb(data: bytes) -> list[bytes]:
    r"""Return the NAL units of a byte stream with start codes.

    >>> split_annexb(b"\\0\\0\\0\\1ab\\0\\0\\1c")
    [b'ab', b'c']
    """
    out = []
    for part in data.split(b"\0\0\1"):
        unit = part.rstrip(b"\0")
        if unit:
            out.append(unit)
    return out
