"""The boxes of MP4 that a clip is put together from: reading fragments, writing sample tables.

Only what our own muxer writes needs to be read, but it is read with every length checked: what is wrong raises
`BadMedia`, never anything else.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from typing import Final

from streams.errors import BadMedia

__all__ = ["Sample", "SampleTable", "Track", "box", "read_fragment", "read_init", "walk", "write_moov"]

_MOST_SAMPLES: Final = 1 << 22
_NOT_SYNC: Final = 0x0001_0000


@dataclass(frozen=True, slots=True)
class Sample:
    """One picture, or one frame of sound.

    Attributes:
        size: In bytes.
        decode_at: In units of its track.
        duration: In units of its track.
        shift: From decoding to showing.
        key: A decoder may start here.
    """

    size: int
    decode_at: int
    duration: int
    shift: int
    key: bool


@dataclass(slots=True)
class Track:
    """One track of an init segment, and the parts of its description that a whole file takes over.

    Attributes:
        id: Its number.
        kind: ``vide`` or ``soun``.
        units: Per second.
        codec: As in RFC 6381 where the entry tells, else its four letters.
        defaults: Duration, size and flags of a sample whose fragment does not say.
    """

    id: int
    kind: str
    units: int
    codec: str
    defaults: tuple[int, int, int]
    tkhd: bytes = field(repr=False)
    mdhd: bytes = field(repr=False)
    hdlr: bytes = field(repr=False)
    media_header: bytes = field(repr=False)
    dinf: bytes = field(repr=False)
    stsd: bytes = field(repr=False)


def box(kind: bytes, *parts: bytes) -> bytes:
    """Return a box."""
    body = b"".join(parts)
    return struct.pack(">I4s", len(body) + 8, kind) + body


def walk(data: bytes, start: int = 0, end: int | None = None) -> Iterator[tuple[bytes, int, int]]:
    """Yield kind, start of the content and end of each box.

    Raises:
        BadMedia: A length does not fit.
    """
    stop = len(data) if end is None else end
    while start < stop:
        if stop - start < 8:
            raise BadMedia("a box is cut off")
        size, kind = struct.unpack_from(">I4s", data, start)
        head = 8
        if size == 1 and stop - start >= 16:
            size, head = struct.unpack_from(">Q", data, start + 8)[0], 16
        if not head <= size <= stop - start:
            raise BadMedia(f"a box of {size} bytes in {stop - start}")
        yield kind, start + head, start + size
        start += size


def _children(data: bytes, start: int, end: int) -> dict[bytes, tuple[int, int]]:
    return {kind: (first, last) for kind, first, last in walk(data, start, end)}


def read_init(data: bytes) -> list[Track]:
    """Read the tracks of an init segment, pictures first.

    Raises:
        BadMedia: It is none, or has no pictures.
    """
    try:
        start, end = _children(data, 0, len(data))[b"moov"]
        defaults: dict[int, tuple[int, int, int]] = {}
        places: list[tuple[int, int]] = []
        for kind, first, last in walk(data, start, end):
            if kind == b"trak":
                places.append((first, last))
            elif kind == b"mvex":
                for inner, at, _ in walk(data, first, last):
                    if inner == b"trex":
                        id, _, duration, size, flags = struct.unpack_from(">5I", data, at + 4)
                        defaults[id] = (duration, size, flags)
        tracks = [_read_track(data, *place, defaults) for place in places]
    except (KeyError, struct.error, IndexError) as error:
        raise BadMedia(f"not an init segment: {error!r}") from None
    tracks.sort(key=lambda track: track.kind != "vide")
    if not tracks or tracks[0].kind != "vide":
        raise BadMedia("an init segment without pictures")
    return tracks


def _read_track(data: bytes, start: int, end: int, defaults: dict[int, tuple[int, int, int]]) -> Track:
    def whole(place: tuple[int, int], kind: bytes) -> bytes:
        return box(kind, data[place[0] : place[1]])

    trak = _children(data, start, end)
    mdia = _children(data, *trak[b"mdia"])
    minf = _children(data, *mdia[b"minf"])
    stsd = _children(data, *minf[b"stbl"])[b"stsd"]
    header = b"vmhd" if b"vmhd" in minf else b"smhd"
    wide = data[trak[b"tkhd"][0]] == 1
    (id,) = struct.unpack_from(">I", data, trak[b"tkhd"][0] + (20 if wide else 12))
    wide = data[mdia[b"mdhd"][0]] == 1
    (units,) = struct.unpack_from(">I", data, mdia[b"mdhd"][0] + (20 if wide else 12))
    if not units:
        raise BadMedia("a track without a clock")
    return Track(
        id=id,
        kind=data[mdia[b"hdlr"][0] + 8 : mdia[b"hdlr"][0] + 12].decode("latin-1"),
        units=units,
        codec=_codec(data, stsd),
        defaults=defaults.get(id, (0, 0, 0)),
        tkhd=whole(trak[b"tkhd"], b"tkhd"),
        mdhd=whole(mdia[b"mdhd"], b"mdhd"),
        hdlr=whole(mdia[b"hdlr"], b"hdlr"),
        media_header=whole(minf[header], header),
        dinf=whole(minf[b"dinf"], b"dinf"),
        stsd=whole(stsd, b"stsd"),
    )


def _codec(data: bytes, stsd: tuple[int, int]) -> str:
    entry = data[stsd[0] + 12 : stsd[0] + 16].decode("latin-1")
    found = data.find(b"avcC", stsd[0], stsd[1])
    return f"{entry}.{data[found + 5 : found + 8].hex()}" if found > 0 else entry


def read_fragment(data: bytes, tracks: Sequence[Track]) -> Iterator[tuple[Track, int, list[Sample]]]:
    """Yield track, place of its first byte in ``data`` and samples, for each run.

    Raises:
        BadMedia: It is no whole fragment of these tracks.
    """
    by_id = {track.id: track for track in tracks}
    top = list(walk(data))
    try:
        for kind, start, end in top:
            if kind == b"moof":
                for inner, first, last in walk(data, start, end):
                    if inner == b"traf":
                        yield from _read_traf(data, start - 8, first, last, by_id)
    except (KeyError, struct.error) as error:
        raise BadMedia(f"not a fragment: {error!r}") from None


def _read_traf(
    data: bytes, moof: int, start: int, end: int, tracks: dict[int, Track]
) -> Iterator[tuple[Track, int, list[Sample]]]:
    head: tuple[Track, int, int, int] | None = None
    clock: int | None = None
    for kind, at, last in walk(data, start, end):
        flags = int.from_bytes(data[at + 1 : at + 4])
        if kind == b"tfhd":
            track = tracks[struct.unpack_from(">I", data, at + 4)[0]]
            values = list(track.defaults)
            at += 8 + (8 if flags & 1 else 0) + (4 if flags & 2 else 0)
            for index, mask in enumerate((8, 16, 32)):
                if flags & mask:
                    (values[index],) = struct.unpack_from(">I", data, at)
                    at += 4
            head = (track, *values)  # type: ignore[assignment]
        elif kind == b"tfdt":
            (clock,) = struct.unpack_from(">Q" if data[at] == 1 else ">I", data, at + 4)
        elif kind == b"trun":
            if head is None or clock is None:
                raise BadMedia("a run without its track")
            place, samples = _read_trun(data, at, last, flags, head, clock)
            if samples:
                clock = samples[-1].decode_at + samples[-1].duration
                size = sum(sample.size for sample in samples)
                if moof + place < 0 or moof + place + size > len(data):
                    raise BadMedia("samples outside of their fragment")
                yield head[0], moof + place, samples


def _read_trun(
    data: bytes, at: int, end: int, flags: int, head: tuple[Track, int, int, int], clock: int
) -> tuple[int, list[Sample]]:
    _, duration, size, sample_flags = head
    signed = data[at] == 1
    (count,) = struct.unpack_from(">I", data, at + 4)
    if count > min(_MOST_SAMPLES, max(1, end - at)):
        raise BadMedia(f"a run of {count} samples")
    at += 8
    place = 0
    if flags & 1:
        (place,) = struct.unpack_from(">i", data, at)
        at += 4
    first_flags = None
    if flags & 4:
        (first_flags,) = struct.unpack_from(">I", data, at)
        at += 4
    samples = []
    for index in range(count):
        values = [duration, size, sample_flags, 0]
        for field_index, mask in enumerate((0x100, 0x200, 0x400, 0x800)):
            if flags & mask:
                form = ">i" if field_index == 3 and signed else ">I"
                (values[field_index],) = struct.unpack_from(form, data, at)
                at += 4
        if index == 0 and first_flags is not None:
            values[2] = first_flags
        samples.append(Sample(values[1], clock, values[0], values[3], not values[2] & _NOT_SYNC))
        clock += values[0]
    return place, samples


@dataclass(slots=True)
class SampleTable:
    """What a whole file says of one track's samples, in decoding order."""

    track: Track
    samples: list[Sample] = field(default_factory=list)
    chunks: list[tuple[int, int]] = field(default_factory=list)
    """Place in the file and number of samples of each run of bytes."""


def write_moov(tables: Sequence["SampleTable"], units: int = 1000) -> bytes:
    """Return the description of a whole file, which begins when the first sample of all is shown or heard."""
    tracks = [entry for entry in tables if entry.samples]
    zero_s = min(_first(entry) / entry.track.units for entry in tracks)
    longest = 0
    traks = []
    for entry in tracks:
        last = entry.samples[-1]
        first = _first(entry)
        shown = last.decode_at + last.duration - entry.samples[0].decode_at
        late = round((first / entry.track.units - zero_s) * units)
        total = late + round(shown * units / entry.track.units)
        longest = max(longest, total)
        traks.append(_trak(entry, first - entry.samples[0].decode_at, shown, late, total, units))
    mvhd = box(
        b"mvhd",
        struct.pack(">IIIII", 0, 0, 0, units, longest),
        struct.pack(">IH10x", 0x00010000, 0x0100),
        struct.pack(">9I", 0x00010000, 0, 0, 0, 0x00010000, 0, 0, 0, 0x40000000),
        bytes(24),
        struct.pack(">I", max(entry.track.id for entry in tracks) + 1),
    )
    return box(b"moov", mvhd, *traks)


def _first(entry: "SampleTable") -> int:
    return min(sample.decode_at + sample.shift for sample in entry.samples[:64])


def _trak(entry: "SampleTable", media_start: int, shown: int, late: int, total: int, units: int) -> bytes:
    track = entry.track
    edits = []
    if late > 0:
        edits.append(struct.pack(">IiI", late, -1, 0x00010000))
    edits.append(struct.pack(">IiI", total - late, media_start, 0x00010000))
    edts = box(b"edts", box(b"elst", struct.pack(">II", 0, len(edits)), *edits))
    minf = box(b"minf", track.media_header, track.dinf, _stbl(entry))
    mdia = box(b"mdia", _timed(track.mdhd, 16, shown), track.hdlr, minf)
    return box(b"trak", _timed(track.tkhd, 20, total), edts, mdia)


def _timed(header: bytes, place: int, duration: int) -> bytes:
    """Put a duration into a copied ``tkhd`` or ``mdhd``; ``place`` is where version 0 has it."""
    out = bytearray(header)
    if out[8] == 1:
        struct.pack_into(">Q", out, 8 + place + 8, duration)
    else:
        struct.pack_into(">I", out, 8 + place, min(duration, 0xFFFFFFFF))
    return bytes(out)


def _stbl(entry: "SampleTable") -> bytes:
    samples, chunks = entry.samples, entry.chunks
    steps = [after.decode_at - before.decode_at for before, after in pairwise(samples)]
    steps.append(samples[-1].duration or (steps[-1] if steps else 1))
    parts = [entry.track.stsd, _runs(b"stts", steps, 0)]
    if any(sample.shift for sample in samples):
        parts.append(_runs(b"ctts", [sample.shift for sample in samples], 1))
    if not all(sample.key for sample in samples):
        keys = [index + 1 for index, sample in enumerate(samples) if sample.key]
        parts.append(box(b"stss", struct.pack(f">II{len(keys)}I", 0, len(keys), *keys)))
    counts = [count for _, count in chunks]
    firsts = [i for i, count in enumerate(counts) if i == 0 or count != counts[i - 1]]
    rows = b"".join(struct.pack(">III", i + 1, counts[i], 1) for i in firsts)
    parts.append(box(b"stsc", struct.pack(">II", 0, len(firsts)), rows))
    sizes = [sample.size for sample in samples]
    parts.append(box(b"stsz", struct.pack(f">III{len(sizes)}I", 0, 0, len(sizes), *sizes)))
    places = [place for place, _ in chunks]
    if places[-1] > 0xFFFFFFFF:
        parts.append(box(b"co64", struct.pack(f">II{len(places)}Q", 0, len(places), *places)))
    else:
        parts.append(box(b"stco", struct.pack(f">II{len(places)}I", 0, len(places), *places)))
    return box(b"stbl", *parts)


def _runs(kind: bytes, values: Sequence[int], version: int) -> bytes:
    rows = [(len(list(group)), value) for value, group in groupby(values)]
    form = ">Ii" if version else ">II"
    return box(
        kind, struct.pack(">II", version << 24, len(rows)), b"".join(struct.pack(form, *row) for row in rows)
    )
