"""Access units into an MPEG program stream, as devices do it: for the simulated ones and for tests."""

from collections.abc import Sequence
from typing import Final, Literal

from streams.media import VideoCodec

_VIDEO_TYPES: Final[dict[VideoCodec, int]] = {"h264": 0x1B, "h265": 0x24}
_AUDIO_TYPES: Final = {"pcma": 0x90, "pcmu": 0x91, "aac": 0x0F}
_SYSTEM_HEADER: Final = bytes.fromhex("000001bb000c8061a804e1ffe0e080c0c008")
_MOST_PES_BYTES: Final = 65_000
_CLOCK_BITS: Final = (1 << 33) - 1


class PsMuxer:
    """Writes one stream.

    Args:
        codec: Of the pictures.
        audio: Of the sound, if there is any; may change, which the next key frame says.
        endless: Say no length of pictures, which is allowed.
        with_pts: Write times into the PES headers; some devices do not.
    """

    def __init__(
        self,
        codec: VideoCodec,
        audio: Literal["pcma", "pcmu", "aac"] | None = None,
        *,
        endless: bool = False,
        with_pts: bool = True,
    ) -> None:
        self.audio = audio
        self._codec = codec
        self._endless = endless
        self._with_pts = with_pts

    def picture(self, nals: Sequence[bytes], pts: int, *, key: bool) -> bytes:
        """Return one access unit; a key frame comes with the stream's description."""
        data = b"".join(b"\0\0\0\1" + nal for nal in nals)
        out = [pack_header(pts)]
        if key:
            out += [_SYSTEM_HEADER, self._map()]
        stamp = pts if self._with_pts else None
        if self._endless:
            out.append(pes(0xE0, data, stamp, endless=True))
        else:
            for at in range(0, len(data), _MOST_PES_BYTES):
                out.append(pes(0xE0, data[at : at + _MOST_PES_BYTES], stamp if at == 0 else None))
        return b"".join(out)

    def sound(self, data: bytes, pts: int) -> bytes:
        """Return one packet of sound."""
        return pack_header(pts) + pes(0xC0, data, pts)

    def _map(self) -> bytes:
        streams = bytes((_VIDEO_TYPES[self._codec], 0xE0, 0, 0))
        if self.audio is not None:
            streams += bytes((_AUDIO_TYPES[self.audio], 0xC0, 0, 0))
        body = b"\xe0\xff\0\0" + len(streams).to_bytes(2, "big") + streams + b"\0\0\0\0"
        return b"\0\0\1\xbc" + len(body).to_bytes(2, "big") + body


def pack_header(scr: int) -> bytes:
    """Return a pack header for a time in 1/90,000 s."""
    scr &= _CLOCK_BITS
    bits = 1 << 46 | (scr >> 30 & 7) << 43 | 1 << 42 | (scr >> 15 & 0x7FFF) << 27 | 1 << 26
    bits |= (scr & 0x7FFF) << 11 | 1 << 10 | 1
    return b"\0\0\1\xba" + bits.to_bytes(6, "big") + b"\x01\x89\xc3\xf8"


def pes(stream: int, data: bytes, pts: int | None, *, endless: bool = False) -> bytes:
    """Return one PES packet."""
    if pts is None:
        head = b"\x80\x00\x00"
    else:
        pts &= _CLOCK_BITS
        stamp = bytes((0x21 | pts >> 29 & 0x0E,))
        stamp += (pts >> 14 & 0xFFFE | 1).to_bytes(2, "big") + (pts << 1 & 0xFFFE | 1).to_bytes(2, "big")
        head = b"\x80\x80\x05" + stamp
    length = 0 if endless else len(head) + len(data)
    return b"\0\0\1" + bytes((stream,)) + length.to_bytes(2, "big") + head + data


def adts(frame: bytes, rate_index: int, channels: int) -> bytes:
    """Return an AAC-LC frame with its ADTS header."""
    length = len(frame) + 7
    return (
        bytes(
            (
                0xFF,
                0xF1,
                0x40 | rate_index << 2 | channels >> 2,
                (channels & 3) << 6 | length >> 11,
                length >> 3 & 0xFF,
                (length & 7) << 5 | 0x1F,
                0xFC,
            )
        )
        + frame
    )
