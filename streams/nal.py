"""What the NAL units of H.264 and H.265 say of themselves: sizes, profiles, key frames, order of output.

Only what stands before the first slice is read, and the first bits of slices; nothing is decoded. Whatever a
device sends may be wrong: every read is bounded, and nonsense is `BadMedia`.
"""

from dataclasses import dataclass
from typing import Final

from streams.errors import BadMedia
from streams.media import VideoCodec

_MOST_SET_BYTES: Final = 4096
_MOST_PX: Final = 16_384
# H.264 profiles whose SPS describes chroma format and bit depth.
HIGH_PROFILES: Final = frozenset({100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135})
_H264_EXTENDED_SAR: Final = 255


class Bits:
    """Reads a parameter set bit by bit; the payload of a NAL unit without its emulation prevention."""

    def __init__(self, data: bytes) -> None:
        if len(data) > _MOST_SET_BYTES:
            raise BadMedia(f"a parameter set of {len(data)} bytes")
        self._value = int.from_bytes(data, "big")
        self._left = len(data) * 8

    def take(self, count: int) -> int:
        """Return the next ``count`` bits as a number."""
        if count > self._left:
            raise BadMedia("a parameter set ends too soon")
        self._left -= count
        return (self._value >> self._left) & ((1 << count) - 1)

    def flag(self) -> bool:
        """Return the next bit."""
        return self.take(1) == 1

    def golomb(self, most: int = (1 << 32) - 2) -> int:
        """Return an Exp-Golomb number; more than ``most`` is `BadMedia`."""
        zeros = 0
        while not self.take(1):
            zeros += 1
            if zeros > 32:
                raise BadMedia("a number in a parameter set is out of range")
        value = (1 << zeros) - 1 + self.take(zeros)
        if value > most:
            raise BadMedia("a number in a parameter set is out of range")
        return value

    def signed_golomb(self) -> int:
        """Return a signed Exp-Golomb number."""
        value = self.golomb()
        return (value + 1) // 2 if value & 1 else -(value // 2)


@dataclass(frozen=True, slots=True)
class Sps:
    """What a sequence parameter set says.

    Attributes:
        id: Its number.
        width: Of the shown picture, in pixels.
        height: Of the shown picture, in pixels.
        codec_string: As in RFC 6381.
        reorder: Pictures by which output order may trail decoding order; where it is not said, none.
        chroma_format: 0 grey, 1 4:2:0, 2 4:2:2, 3 4:4:4.
        luma_bits: Per sample.
        chroma_bits: Per sample.
        profile: H.264: profile, constraints and level; H.265: the general part of ``profile_tier_level``.
        sub_layers: Temporal sub-layers (H.265).
        nested: Whether the temporal sub-layers are nested (H.265).
    """

    id: int
    width: int
    height: int
    codec_string: str
    reorder: int
    chroma_format: int
    luma_bits: int
    chroma_bits: int
    profile: bytes
    sub_layers: int = 1
    nested: bool = True


def unescaped(nal: bytes) -> bytes:
    """Return a NAL unit without emulation prevention bytes."""
    return nal.replace(b"\0\0\3", b"\0\0")


def split_annex_b(data: bytes) -> list[bytes]:
    """Return the NAL units between start codes, without these."""
    pieces = data.split(b"\0\0\1")
    return [nal for piece in pieces[1:] if (nal := piece.rstrip(b"\0"))]


def kind_of(codec: VideoCodec, nal: bytes) -> int:
    """Return the type of a NAL unit, which must not be empty."""
    return nal[0] & 0x1F if codec == "h264" else (nal[0] >> 1) & 0x3F


def is_slice(codec: VideoCodec, nal: bytes) -> bool:
    """Return whether a NAL unit carries a part of a picture."""
    kind = kind_of(codec, nal)
    return 1 <= kind <= 5 if codec == "h264" else kind < 32


def is_key(codec: VideoCodec, nal: bytes) -> bool:
    """Return whether a NAL unit belongs to a picture at which decoding may start (IDR; in H.265 any IRAP)."""
    kind = kind_of(codec, nal)
    return kind == 5 if codec == "h264" else 16 <= kind <= 21


def starts_picture(codec: VideoCodec, nal: bytes) -> bool:
    """Return whether a slice is the first of its picture."""
    at = 1 if codec == "h264" else 2
    return len(nal) > at and nal[at] >= 0x80


def parse_sps(codec: VideoCodec, nal: bytes) -> Sps:
    """Read a sequence parameter set, header included.

    Raises:
        BadMedia: It makes no sense.
    """
    return _h264_sps(nal) if codec == "h264" else _h265_sps(nal)


def parse_pps(codec: VideoCodec, nal: bytes) -> tuple[int, int]:
    """Return a picture parameter set's own number and that of the sequence parameter set it refers to.

    Raises:
        BadMedia: It makes no sense.
    """
    if codec == "h264":
        bits = Bits(unescaped(nal[:32])[1:])
        return bits.golomb(255), bits.golomb(31)
    bits = Bits(unescaped(nal[:32])[2:])
    return bits.golomb(63), bits.golomb(15)


def parse_vps(nal: bytes) -> int:
    """Return the number of an H.265 video parameter set.

    Raises:
        BadMedia: It makes no sense.
    """
    return Bits(unescaped(nal[:32])[2:]).take(4)


def _size(width: int, height: int) -> tuple[int, int]:
    if not (1 <= width <= _MOST_PX and 1 <= height <= _MOST_PX):
        raise BadMedia(f"a picture of {width} × {height}")
    return width, height


def _h264_sps(nal: bytes) -> Sps:
    data = unescaped(nal)[1:]
    bits = Bits(data)
    profile, constraints, level = bits.take(8), bits.take(8), bits.take(8)
    id = bits.golomb(31)
    chroma_format, luma_bits, chroma_bits, separate_planes = 1, 8, 8, False
    if profile in HIGH_PROFILES:
        chroma_format = bits.golomb(3)
        if chroma_format == 3:
            separate_planes = bits.flag()
        luma_bits, chroma_bits = 8 + bits.golomb(6), 8 + bits.golomb(6)
        bits.flag()
        if bits.flag():
            for index in range(8 if chroma_format != 3 else 12):
                if bits.flag():
                    _skip_scaling_list(bits, 16 if index < 6 else 64)
    bits.golomb(12)
    order = bits.golomb(2)
    if order == 0:
        bits.golomb(12)
    elif order == 1:
        bits.flag()
        bits.signed_golomb()
        bits.signed_golomb()
        for _ in range(bits.golomb(255)):
            bits.signed_golomb()
    bits.golomb(16)
    bits.flag()
    width = (bits.golomb(_MOST_PX // 16) + 1) * 16
    height = (bits.golomb(_MOST_PX // 16) + 1) * 16
    frames_only = bits.flag()
    if not frames_only:
        height *= 2
        bits.flag()
    bits.flag()
    if bits.flag():
        across = 2 if chroma_format in (1, 2) and not separate_planes else 1
        down = (2 if chroma_format == 1 and not separate_planes else 1) * (1 if frames_only else 2)
        width -= across * (bits.golomb(_MOST_PX) + bits.golomb(_MOST_PX))
        height -= down * (bits.golomb(_MOST_PX) + bits.golomb(_MOST_PX))
    width, height = _size(width, height)
    reorder = 0
    if profile != 66 and order != 2:
        try:
            reorder = _h264_reorder(bits)
        except BadMedia:
            reorder = 0  # many devices write a cut VUI; nothing else in it matters here
    return Sps(
        id=id,
        width=width,
        height=height,
        codec_string=f"avc1.{profile:02x}{constraints:02x}{level:02x}",
        reorder=reorder,
        chroma_format=chroma_format,
        luma_bits=luma_bits,
        chroma_bits=chroma_bits,
        profile=data[:3],
    )


def _skip_scaling_list(bits: Bits, size: int) -> None:
    last = following = 8
    for _ in range(size):
        if following:
            following = (last + bits.signed_golomb()) % 256
        last = following or last


def _h264_reorder(bits: Bits) -> int:
    """Read the VUI as far as ``max_num_reorder_frames``; 0 where it is not there."""
    if not bits.flag():
        return 0
    if bits.flag() and bits.take(8) == _H264_EXTENDED_SAR:
        bits.take(32)
    if bits.flag():
        bits.flag()
    if bits.flag():
        bits.take(4)
        if bits.flag():
            bits.take(24)
    if bits.flag():
        bits.golomb()
        bits.golomb()
    if bits.flag():
        bits.take(65)
    hrd = False
    for _ in range(2):
        if bits.flag():
            hrd = True
            count = bits.golomb(31) + 1
            bits.take(8)
            for _ in range(count):
                bits.golomb()
                bits.golomb()
                bits.flag()
            bits.take(20)
    if hrd:
        bits.flag()
    bits.flag()
    if not bits.flag():
        return 0
    bits.flag()
    for _ in range(4):
        bits.golomb()
    return bits.golomb(16)


def _h265_sps(nal: bytes) -> Sps:
    data = unescaped(nal)[2:]
    bits = Bits(data)
    bits.take(4)
    sub_layers = bits.take(3) + 1
    nested = bits.flag()
    general = data[1:13]
    bits.take(96)
    _skip_sub_layer_levels(bits, sub_layers - 1)
    id = bits.golomb(15)
    chroma_format = bits.golomb(3)
    separate_planes = chroma_format == 3 and bits.flag()
    width, height = bits.golomb(_MOST_PX), bits.golomb(_MOST_PX)
    if bits.flag():
        across = 2 if chroma_format in (1, 2) and not separate_planes else 1
        down = 2 if chroma_format == 1 and not separate_planes else 1
        width -= across * (bits.golomb(_MOST_PX) + bits.golomb(_MOST_PX))
        height -= down * (bits.golomb(_MOST_PX) + bits.golomb(_MOST_PX))
    width, height = _size(width, height)
    luma_bits, chroma_bits = 8 + bits.golomb(8), 8 + bits.golomb(8)
    bits.golomb(12)
    reorder = 0
    for _ in range(sub_layers if bits.flag() else 1):
        bits.golomb(16)
        reorder = bits.golomb(16)
        bits.golomb()
    return Sps(
        id=id,
        width=width,
        height=height,
        codec_string=_h265_string(general),
        reorder=reorder,
        chroma_format=chroma_format,
        luma_bits=luma_bits,
        chroma_bits=chroma_bits,
        profile=general,
        sub_layers=sub_layers,
        nested=nested,
    )


def _skip_sub_layer_levels(bits: Bits, more: int) -> None:
    if not more:
        return
    present = [(bits.flag(), bits.flag()) for _ in range(8)][:more]
    for profile, level in present:
        bits.take((88 if profile else 0) + (8 if level else 0))


def _h265_string(general: bytes) -> str:
    """Write ``hvc1.…`` as ISO/IEC 14496-15 annex E says: compatibility flags bit-reversed, zeros left out."""
    space = ("", "A", "B", "C")[general[0] >> 6]
    tier = "H" if general[0] & 0x20 else "L"
    flags = int(f"{int.from_bytes(general[1:5], 'big'):032b}"[::-1], 2)
    constraints = general[5:11].rstrip(b"\0")
    tail = "".join(f".{byte:X}" for byte in constraints)
    return f"hvc1.{space}{general[0] & 0x1F}.{flags:X}.{tier}{general[11]}{tail}"
