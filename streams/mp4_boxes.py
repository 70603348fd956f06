"""The boxes of fragmented MP4 (ISO/IEC 14496-12, -14, -15): an init segment, and what goes before a picture."""

import struct
from collections.abc import Sequence
from typing import Final

from streams.media import CLOCK_HZ, AudioTrack, VideoTrack
from streams.nal import HIGH_PROFILES, Sps, kind_of, parse_sps

VIDEO_TRACK: Final = 1
AUDIO_TRACK: Final = 2
AAC_FRAME: Final = 1024
_MATRIX: Final = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_KEY_SAMPLE: Final = 0x02000000
_DELTA_SAMPLE: Final = 0x01010000
_MOST_SPS, _MOST_PPS = 31, 255

# moof (mfhd, traf (tfhd, tfdt, trun with one sample)) and the head of mdat, in one go.
_VIDEO_HEAD: Final = struct.Struct(
    ">I4s"  # moof
    "I4sII"  # mfhd
    "I4s"  # traf
    "I4sII"  # tfhd: default-base-is-moof
    "I4sIQ"  # tfdt, version 1
    "I4sIII"  # trun, version 1: data offset and, for its sample,
    "IIIi"  # duration, size, flags and signed composition offset
    "I4s"  # mdat
)
VIDEO_HEAD_BYTES: Final = _VIDEO_HEAD.size
_MOOF_BYTES: Final = _VIDEO_HEAD.size - 8


def video_head(sequence: int, dts: int, offset: int, duration: int, size: int, *, key: bool) -> bytes:
    """Return all that goes before the bytes of one picture.

    Args:
        sequence: Number of the fragment.
        dts: Decoding time, in 1/90,000 s.
        offset: Presentation less decoding time; may be negative.
        duration: Of the picture.
        size: Bytes that follow.
        key: Whether decoding may start here.
    """
    return _VIDEO_HEAD.pack(
        _MOOF_BYTES,
        b"moof",
        16,
        b"mfhd",
        0,
        sequence & 0xFFFFFFFF,
        _MOOF_BYTES - 24,
        b"traf",
        16,
        b"tfhd",
        0x020000,
        VIDEO_TRACK,
        20,
        b"tfdt",
        0x01000000,
        dts,
        36,
        b"trun",
        0x01000F01,
        1,
        VIDEO_HEAD_BYTES,
        duration,
        size,
        _KEY_SAMPLE if key else _DELTA_SAMPLE,
        offset,
        size + 8,
        b"mdat",
    )


def audio_fragment(sequence: int, time: int, frames: Sequence[bytes]) -> bytes:
    """Return a fragment of AAC frames; ``time`` in samples."""
    count = len(frames)
    trun_bytes = 20 + 4 * count
    traf_bytes = 8 + 24 + 20 + trun_bytes
    moof_bytes = 8 + 16 + traf_bytes
    head = struct.pack(
        ">I4sI4sIII4sI4sIIIII4sIQI4sIII",
        *(moof_bytes, b"moof"),
        *(16, b"mfhd", 0, sequence & 0xFFFFFFFF),
        *(traf_bytes, b"traf"),
        *(24, b"tfhd", 0x020028, AUDIO_TRACK, AAC_FRAME, _KEY_SAMPLE),
        *(20, b"tfdt", 0x01000000, time),
        *(trun_bytes, b"trun", 0x000201, count, moof_bytes + 8),
    )
    sizes = [len(frame) for frame in frames]
    return b"".join(
        (head, struct.pack(f">{count}I", *sizes), struct.pack(">I4s", 8 + sum(sizes), b"mdat"), *frames)
    )


def init_segment(video: VideoTrack, audio: AudioTrack | None) -> bytes:
    """Return ``ftyp`` and ``moov``.

    Raises:
        BadMedia: A parameter set makes no sense.
    """
    tracks = [_track(VIDEO_TRACK, CLOCK_HZ, b"vide", _video_header(), _video_entry(video), video)]
    if audio is not None:
        tracks.append(_track(AUDIO_TRACK, audio.rate, b"soun", _audio_header(), _audio_entry(audio), None))
    defaults = [
        _full(b"trex", 0, 0, struct.pack(">IIIII", number, 1, 0, 0, 0))
        for number in range(1, len(tracks) + 1)
    ]
    movie = _full(
        b"mvhd",
        0,
        0,
        struct.pack(">IIIIIH10x", 0, 0, CLOCK_HZ, 0, 0x10000, 0x100),
        _MATRIX,
        struct.pack(">24xI", len(tracks) + 1),
    )
    return _box(b"ftyp", b"iso5\0\0\2\0iso5iso6mp41") + _box(
        b"moov", movie, *tracks, _box(b"mvex", *defaults)
    )


def _box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def _full(kind: bytes, version: int, flags: int, *parts: bytes) -> bytes:
    return _box(kind, struct.pack(">I", (version << 24) | flags), *parts)


def _track(
    number: int, timescale: int, handler: bytes, header: bytes, entry: bytes, video: VideoTrack | None
) -> bytes:
    width, height = (video.width, video.height) if video is not None else (0, 0)
    described = _full(b"stsd", 0, 0, struct.pack(">I", 1), entry)
    empty = [_full(kind, 0, 0, bytes(4)) for kind in (b"stts", b"stsc", b"stco")]
    table = _box(b"stbl", described, *empty[:2], _full(b"stsz", 0, 0, bytes(8)), empty[2])
    where = _box(b"dinf", _full(b"dref", 0, 0, struct.pack(">I", 1), _full(b"url ", 0, 1)))
    return _box(
        b"trak",
        _full(
            b"tkhd",
            0,
            3,
            struct.pack(">IIIII8xHHHxx", 0, 0, number, 0, 0, 0, 0, 0 if video is not None else 0x100),
            _MATRIX,
            struct.pack(">II", width << 16, height << 16),
        ),
        _box(
            b"mdia",
            _full(b"mdhd", 0, 0, struct.pack(">IIIIHH", 0, 0, timescale, 0, 0x55C4, 0)),
            _full(b"hdlr", 0, 0, bytes(4), handler, bytes(12), b"\0"),
            _box(b"minf", header, where, table),
        ),
    )


def _video_header() -> bytes:
    return _full(b"vmhd", 0, 1, bytes(8))


def _audio_header() -> bytes:
    return _full(b"smhd", 0, 0, bytes(4))


def _video_entry(track: VideoTrack) -> bytes:
    start = struct.pack(">6xH16xHHIII", 1, track.width, track.height, 0x480000, 0x480000, 0)
    start += struct.pack(">H32xHh", 1, 24, -1)
    kinds: dict[int, list[bytes]] = {}
    for nal in track.parameter_sets:
        kinds.setdefault(kind_of(track.codec, nal), []).append(nal)
    if track.codec == "h264":
        sps = parse_sps("h264", kinds[7][0])
        return _box(b"avc1", start, _box(b"avcC", _avc_record(sps, kinds[7], kinds[8])))
    sps = parse_sps("h265", kinds[33][0])
    return _box(b"hvc1", start, _box(b"hvcC", _hevc_record(sps, kinds)))


def _avc_record(sps: Sps, spss: list[bytes], ppss: list[bytes]) -> bytes:
    spss, ppss = spss[:_MOST_SPS], ppss[:_MOST_PPS]
    out = bytearray((1, *sps.profile, 0xFF, 0xE0 | len(spss)))
    for nal in spss:
        out += struct.pack(">H", len(nal)) + nal
    out.append(len(ppss))
    for nal in ppss:
        out += struct.pack(">H", len(nal)) + nal
    if sps.profile[0] in HIGH_PROFILES:
        out += bytes((0xFC | sps.chroma_format, 0xF8 | (sps.luma_bits - 8), 0xF8 | (sps.chroma_bits - 8), 0))
    return bytes(out)


def _hevc_record(sps: Sps, kinds: dict[int, list[bytes]]) -> bytes:
    out = bytearray(b"\1" + sps.profile)
    out += struct.pack(
        ">HBBBBHBB",
        0xF000,
        0xFC,
        0xFC | sps.chroma_format,
        0xF8 | (sps.luma_bits - 8),
        0xF8 | (sps.chroma_bits - 8),
        0,
        (sps.sub_layers << 3) | (sps.nested << 2) | 3,
        3,
    )
    for kind in (32, 33, 34):
        out += struct.pack(">BH", 0x80 | kind, len(kinds[kind]))
        for nal in kinds[kind]:
            out += struct.pack(">H", len(nal)) + nal
    return bytes(out)


def _audio_entry(track: AudioTrack) -> bytes:
    start = struct.pack(">6xH8xHHIHxx", 1, track.channels, 16, 0, min(track.rate, 0xFFFF))
    config = _descriptor(5, track.config)
    decoder = _descriptor(4, struct.pack(">BBBHII", 0x40, 0x15, 0, 0, 0, 0), config)
    stream = _descriptor(3, b"\0\2\0", decoder, _descriptor(6, b"\2"))
    return _box(b"mp4a", start, _full(b"esds", 0, 0, stream))


def _descriptor(tag: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return bytes((tag, 0x80, 0x80, 0x80, len(body))) + body
