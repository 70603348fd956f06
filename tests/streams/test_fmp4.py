from __future__ import annotations

import io
import shutil
import struct
import subprocess
from itertools import pairwise

import av
import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.assembler import Assembler
from streams.errors import BadMedia
from streams.fmp4 import Config, Fragment, Muxer
from streams.media import AudioTrack, VideoTrack
from tests.streams.coded import STEP, Coded, Gathered, aac, coded

PCMA = AudioTrack(codec="pcma", rate=8000, channels=1)


class Muxed:
    """A muxer and everything that came out of it, in order."""

    def __init__(self) -> None:
        self.out: list[Config | bytes | Fragment] = []
        self.muxer = Muxer(self.out.append, self.out.append, self.out.append)

    @property
    def configs(self) -> list[Config]:
        return [item for item in self.out if isinstance(item, Config)]

    @property
    def fragments(self) -> list[Fragment]:
        return [item for item in self.out if isinstance(item, Fragment)]

    @property
    def pictures(self) -> list[Fragment]:
        return [fragment for fragment in self.fragments if fragment.track == "video"]

    def parts(self) -> list[tuple[bytes, list[Fragment]]]:
        """Each init segment with what belongs to it."""
        out: list[tuple[bytes, list[Fragment]]] = []
        for item in self.out:
            if isinstance(item, bytes):
                out.append((item, []))
            elif isinstance(item, Fragment):
                out[-1][1].append(item)
        return out

    def file(self, part: int = 0) -> bytes:
        init, fragments = self.parts()[part]
        return init + b"".join(fragment.data for fragment in fragments)


def mux(media: Coded, *, sound: str | None = None, start: int = 0) -> Muxed:
    muxed = Muxed()
    assembler = Assembler(media.codec, muxed.muxer)
    frames: tuple[bytes, ...] = ()
    if sound == "aac":
        track, frames = aac()
        muxed.muxer.audio(track)
    elif sound == "pcma":
        muxed.muxer.audio(PCMA)
    sent = 0
    for number, (unit, time) in enumerate(zip(media.units, media.times, strict=True)):
        assembler.unit(unit, time + start)
        if sound == "aac":
            while sent * 1024 / 16_000 <= number / 25 and sent < len(frames):
                muxed.muxer.sound(frames[sent], sent * 1024)
                sent += 1
        elif sound == "pcma":
            muxed.muxer.sound(b"\xd5" * 320, number * 320)
    return muxed


def shown(data: bytes, form: str | None = None) -> list[np.ndarray]:
    """Decode a file; anything the decoder complains of is a failure."""
    av.logging.set_level(av.logging.WARNING)
    try:
        with av.logging.Capture() as logs, av.open(io.BytesIO(data), format=form) as container:
            frames = [(frame.pts, frame.to_ndarray()) for frame in container.decode(video=0)]
    finally:
        av.logging.set_level(None)
    # An encoder of another test may just be going.
    assert not [line for line in logs if "left in the queue on closing" not in line[2]]
    if form is None:
        assert all(a[0] < b[0] for a, b in pairwise(frames))
    return [picture for _, picture in frames]


def annex_b(media: Coded) -> bytes:
    return b"".join(b"\0\0\0\1" + nal for unit in media.units for nal in unit)


MEDIA = [
    pytest.param({"profile": "baseline"}, id="h264 baseline"),
    pytest.param({"profile": "high", "more": "8x8dct=1:slices=3"}, id="h264 high, slices"),
    pytest.param({"bframes": 3, "more": "b-pyramid=2"}, id="h264 B"),
    pytest.param({"codec": "h265"}, id="h265"),
    pytest.param({"codec": "h265", "bframes": 3}, id="h265 B"),
]


@pytest.mark.parametrize("how", MEDIA)
@pytest.mark.parametrize("sound", [None, "aac", "pcma"])
def test_the_fragments_are_a_file_with_the_very_pictures(how: dict[str, object], sound: str | None) -> None:
    media = coded(count=40, gop=10, **how)  # type: ignore[arg-type]
    muxed = mux(media, sound=sound, start=2**32 + 12_345)
    assert len(muxed.configs) == 1
    form = "h264" if media.codec == "h264" else "hevc"
    wanted = shown(annex_b(media), form)
    got = shown(muxed.file())
    assert len(got) == len(wanted) == 40
    assert all(np.array_equal(a, b) for a, b in zip(got, wanted, strict=True))
    if sound is not None:
        with av.open(io.BytesIO(muxed.file())) as container:
            heard = list(container.decode(audio=0))
        assert all(b.pts - a.pts == 1024 for a, b in pairwise(heard))
        assert abs(len(heard) * 1024 / heard[0].sample_rate - 1.6) < 0.3


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")
@pytest.mark.parametrize("how", MEDIA)
def test_ffmpeg_has_nothing_to_complain_of(how: dict[str, object]) -> None:
    muxed = mux(coded(count=40, gop=10, **how), sound="aac")  # type: ignore[arg-type]
    done = subprocess.run(
        ["ffmpeg", "-v", "warning", "-i", "-", "-f", "null", "-"],
        input=muxed.file(),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_what_the_browser_is_told() -> None:
    config = mux(coded(count=3, profile="baseline"), sound="pcma").configs[0]
    assert config == Config(
        codec="avc1.42c00b",
        audio="mp4a.40.2",
        mime='video/mp4; codecs="avc1.42c00b, mp4a.40.2"',
        width=160,
        height=96,
    )
    silent = mux(coded("h265", count=3)).configs[0]
    assert (silent.audio, silent.mime) == (None, 'video/mp4; codecs="hvc1.1.6.L30.90"')


def test_the_order_of_what_comes_out() -> None:
    muxed = mux(coded(count=30, gop=10), sound="aac")
    kinds = [type(item).__name__ for item in muxed.out]
    assert kinds[:3] == ["Config", "bytes", "Fragment"]
    first = muxed.fragments[0]
    assert (first.key, first.track) == (True, "video")
    assert [fragment.key for fragment in muxed.pictures] == [number % 10 == 0 for number in range(30)]
    assert not any(fragment.key for fragment in muxed.fragments if fragment.track == "audio")


def test_decoding_times_rise_and_show_no_picture_early() -> None:
    muxed = mux(coded(count=40, gop=10, bframes=3, more="b-pyramid=2"))
    assert all(0 < b.dts_90k - a.dts_90k <= 2 * a.duration_90k for a, b in pairwise(muxed.pictures))
    assert all(fragment.pts_90k >= fragment.dts_90k for fragment in muxed.pictures)
    assert sorted(fragment.pts_90k // STEP for fragment in muxed.pictures) == list(range(2, 42))


def test_another_size_begins_anew_at_its_key_frame() -> None:
    muxed = Muxed()
    assembler = Assembler("h264", muxed.muxer)
    time = 0
    for media in (coded(count=12, gop=10), coded(count=12, gop=10, width=320, height=192)):
        for unit in media.units:
            assembler.unit(unit, time)
            time += STEP
    assert [(config.width, config.height) for config in muxed.configs] == [(160, 96), (320, 192)]
    assert [fragment.pts_90k // STEP for fragment in muxed.pictures] == list(range(24))
    for part, width in ((0, 160), (1, 320)):
        pictures = shown(muxed.file(part))
        assert len(pictures) == 12
        assert pictures[0].shape[1] == width


def test_reordering_that_was_not_announced_begins_anew_at_the_next_key_frame() -> None:
    media = coded(count=40, gop=10, bframes=3, more="b-pyramid=2")
    gathered = Gathered()
    assembler = Assembler("h264", gathered)
    for unit, time in zip(media.units, media.times, strict=True):
        assembler.unit(unit, time)
    muxed = Muxed()
    muxed.muxer.video(msgspec.structs.replace(gathered.tracks[0], reorder=0))
    for nals, time, key in gathered.pictures:
        muxed.muxer.picture(nals, time, key=key)
    assert len(muxed.configs) == 2
    first, second = (fragments for _, fragments in muxed.parts())
    assert [len(first), len(second)] == [10, 30]
    for fragments in (first, second):
        assert all(b.dts_90k > a.dts_90k for a, b in pairwise(fragments))
    assert all(fragment.pts_90k >= fragment.dts_90k for fragment in second)
    times = sorted(fragment.pts_90k for fragment in muxed.pictures)
    assert [b - a for a, b in pairwise(times)] == [STEP] * 39
    assert len(shown(muxed.file(1))) == 30


def test_sound_described_late_begins_at_the_next_key_frame() -> None:
    media = coded(count=30, gop=10)
    muxed = Muxed()
    assembler = Assembler("h264", muxed.muxer)
    track, frames = aac()
    for number, (unit, time) in enumerate(zip(media.units, media.times, strict=True)):
        if number == 5:
            muxed.muxer.audio(track)
        if number >= 5:
            muxed.muxer.sound(frames[number], number * 1024)
        assembler.unit(unit, time)
    assert [config.audio for config in muxed.configs] == [None, "mp4a.40.2"]
    first, second = (fragments for _, fragments in muxed.parts())
    assert len(first) == 10
    assert {fragment.track for fragment in first} == {"video"}
    assert {fragment.track for fragment in second} == {"video", "audio"}
    assert second[0].pts_90k == 10 * STEP
    muxed.muxer.audio(track)
    assembler.unit(media.units[0], 30 * STEP)
    assert len(muxed.configs) == 2


def test_sound_that_cannot_be_encoded_leaves_the_picture() -> None:
    muxed = Muxed()
    muxed.muxer.audio(AudioTrack(codec="pcmu", rate=9_999, channels=1))
    muxed.muxer.sound(b"\xff" * 160, 0)
    feed = Assembler("h264", muxed.muxer)
    feed.unit(coded(count=3).units[0], 0)
    assert muxed.configs[0].audio is None


def test_nothing_without_a_track_or_a_key_frame() -> None:
    media = coded(count=12, gop=10)
    muxed = Muxed()
    muxed.muxer.picture([b"\x65\x88"], 0, key=True)
    gathered = Gathered()
    Assembler("h264", gathered).unit(media.units[0], 0)
    muxed.muxer.video(gathered.tracks[0])
    muxed.muxer.picture([b"\x41\x80"], 0, key=False)
    muxed.muxer.sound(b"", 0)
    assert not muxed.out
    muxed.muxer.video(msgspec.structs.replace(gathered.tracks[0], parameter_sets=(b"\x67junk", b"\x68")))
    muxed.muxer.picture([b"\x65\x88"], 0, key=True)
    assert not muxed.out


def test_a_changed_track_waits_for_its_key_frame() -> None:
    media = coded(count=12, gop=10)
    gathered = Gathered()
    Assembler("h264", gathered).unit(media.units[0], 0)
    muxed = Muxed()
    muxed.muxer.video(gathered.tracks[0])
    muxed.muxer.picture([b"\x65\x88"], 0, key=True)
    muxed.muxer.video(msgspec.structs.replace(gathered.tracks[0], width=162))
    muxed.muxer.picture([b"\x41\x80"], STEP, key=False)
    assert len(muxed.pictures) == 1
    muxed.muxer.picture([b"\x65\x88"], 2 * STEP, key=True)
    assert [config.width for config in muxed.configs] == [160, 162]


def boxes(data: bytes) -> list[tuple[bytes, bytes]]:
    out = []
    while data:
        size, kind = struct.unpack_from(">I4s", data)
        assert 8 <= size <= len(data)
        out.append((kind, data[8:size]))
        data = data[size:]
    return out


def check_fragment(fragment: Fragment) -> int:
    """Read a fragment by the standard's own words; returns its number."""
    (moof_kind, moof), (mdat_kind, mdat) = boxes(fragment.data)
    assert (moof_kind, mdat_kind) == (b"moof", b"mdat")
    (_, header), (_, traf) = boxes(moof)
    kinds = dict(boxes(traf))
    assert list(kinds) == [b"tfhd", b"tfdt", b"trun"]
    flags, track = struct.unpack_from(">II", kinds[b"tfhd"])
    assert flags & 0x020000
    assert track == {"video": 1, "audio": 2}[fragment.track]
    version, time = struct.unpack(">IQ", kinds[b"tfdt"])
    assert version == 1 << 24
    run_flags, count, offset = struct.unpack_from(">IIi", kinds[b"trun"])
    assert offset == len(moof) + 16
    if fragment.track == "video":
        assert (run_flags, count, time) == (0x01000F01, 1, fragment.dts_90k)
        duration, size, sample, composition = struct.unpack_from(">IIIi", kinds[b"trun"], 12)
        assert (duration, size) == (fragment.duration_90k, len(mdat))
        assert sample == (0x02000000 if fragment.key else 0x01010000)
        assert composition == fragment.pts_90k - fragment.dts_90k
    else:
        sizes = struct.unpack_from(f">{count}I", kinds[b"trun"], 12)
        assert sum(sizes) == len(mdat)
    return int(struct.unpack(">II", header)[1])


TRACKS: list[VideoTrack] = []


def tracks() -> list[VideoTrack]:
    if not TRACKS:
        for how in ({}, {"bframes": 3, "more": "b-pyramid=2"}, {"codec": "h265"}):
            gathered = Gathered()
            media = coded(count=3, **how)  # type: ignore[arg-type]
            Assembler(media.codec, gathered).unit(media.units[0], 0)
            TRACKS.append(gathered.tracks[0])
    return TRACKS


EVENT = st.one_of(
    st.tuples(st.just("video"), st.integers(0, 2)),
    st.tuples(st.just("audio"), st.integers(0, 2)),
    st.tuples(st.just("key"), st.integers(-(2**34), 2**34)),
    st.tuples(st.just("key"), st.just(STEP)),
    st.tuples(st.just("picture"), st.integers(-30_000, 60_000)),
    st.tuples(st.just("picture"), st.just(STEP)),
    st.tuples(st.just("sound"), st.integers(0, 2**40)),
)


@given(st.lists(EVENT, max_size=120))
def test_whatever_comes_in_what_comes_out_is_in_order(events: list[tuple[str, int]]) -> None:
    muxed = Muxed()
    time = 0
    sounds = [aac()[0], PCMA, AudioTrack(codec="aac", rate=44_100, channels=2, config=b"\x12\x10")]
    for kind, value in events:
        if kind == "video":
            muxed.muxer.video(tracks()[value])
        elif kind == "audio":
            muxed.muxer.audio(sounds[value])
        elif kind == "sound":
            muxed.muxer.sound(b"\xd5" * 200, value)
        else:
            time += value
            muxed.muxer.picture([b"\x65\x88", b"\x65"], time, key=kind == "key")
    number = 0
    for index, item in enumerate(muxed.out):
        if isinstance(item, Config):
            assert isinstance(muxed.out[index + 1], bytes)
        elif isinstance(item, bytes):
            assert isinstance(muxed.out[index - 1], Config)
            assert [kind for kind, _ in boxes(item)] == [b"ftyp", b"moov"]
        else:
            found = check_fragment(item)
            assert found == number + 1
            number = found
    for _, fragments in muxed.parts():
        pictures = [fragment for fragment in fragments if fragment.track == "video"]
        assert pictures[0].key
        assert all(0 < b.dts_90k - a.dts_90k <= 2 * a.duration_90k for a, b in pairwise(pictures))
        heard = [fragment for fragment in fragments if fragment.track == "audio"]
        assert all(abs(a.dts_90k + a.duration_90k - b.dts_90k) <= 2 for a, b in pairwise(heard))


def test_an_impossible_track_is_told_by_name() -> None:
    from streams.mp4_boxes import init_segment

    with pytest.raises(BadMedia):
        init_segment(msgspec.structs.replace(tracks()[0], parameter_sets=(b"\x67j", b"\x68")), None)
