from __future__ import annotations

import errno
import os
import shutil
import subprocess
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import av
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams import clips
from streams.assembler import Assembler
from streams.boxes import read_fragment, read_init, walk
from streams.clips import (
    ClipFailed,
    ClipManifest,
    ClipWriter,
    DiskFull,
    manifest_path,
    read_manifest,
    verify,
)
from streams.errors import BadMedia, StreamError
from streams.fmp4 import Fragment, Muxer
from tests.streams.coded import FPS, STEP, Coded, aac, coded

AT = 1_772_000_000.0


def muxed(stream: Coded, *, sound: bool = False, begin: int = 0) -> tuple[bytes, list[Fragment]]:
    """What the live path makes of a stream: init segment and fragments."""
    inits: list[bytes] = []
    fragments: list[Fragment] = []
    muxer = Muxer(lambda _: None, inits.append, fragments.append)
    assembler = Assembler(stream.codec, muxer)
    frames: list[tuple[bytes, int]] = []
    if sound:
        track, heard = aac()
        muxer.audio(track)
        frames = [(data, n * 1024 + begin * track.rate // 90_000) for n, data in enumerate(heard)]
    for number, (unit, time) in enumerate(zip(stream.units, stream.times, strict=True)):
        while frames and frames[0][1] / 16_000 <= (begin + number * STEP) / 90_000:
            muxer.sound(*frames.pop(0))
        assembler.unit(unit, begin + time)
    return inits[0], fragments


def write(
    path: Path, init: bytes, fragments: list[Fragment], most_bytes: int = 1 << 30
) -> tuple[ClipManifest, ...]:
    writer = ClipWriter(path, "camera 1", most_bytes=most_bytes)
    writer.init(init)
    for fragment in fragments:
        writer.fragment(fragment.data, AT + fragment.dts_90k / 90_000)
    return writer.finish()


def pictures(path: Path) -> list[tuple[float, bytes]]:
    with av.open(str(path)) as container:
        return [
            (float(frame.pts * frame.time_base), frame.to_ndarray(format="gray").tobytes())
            for frame in container.decode(video=0)
            if frame.pts is not None and frame.time_base is not None
        ]


@pytest.mark.parametrize(
    ("codec", "bframes", "sound"),
    [("h264", 0, False), ("h264", 2, True), ("h265", 0, False), ("h264", 0, True)],
)
def test_a_clip_holds_every_picture_at_its_time(
    tmp_path: Path, codec: str, bframes: int, sound: bool
) -> None:
    stream = coded(codec, bframes=bframes, count=60)  # type: ignore[arg-type]
    init, fragments = muxed(stream, sound=sound)
    path = tmp_path / "clip.mp4"
    (manifest,) = write(path, init, fragments)
    shown = pictures(path)
    count = sum(fragment.track == "video" for fragment in fragments)
    assert len(shown) == manifest.frames == count == 60
    steps = [round((b - a) * FPS) for (a, _), (b, _) in pairwise(shown)]
    assert steps == [1] * (count - 1)
    assert shown[0][0] == pytest.approx(0, abs=0.001)
    assert manifest.duration_s == pytest.approx(count / FPS, abs=0.05)
    with av.open(str(path)) as container:
        assert container.duration is not None
        assert container.duration / 1e6 == pytest.approx(count / FPS, abs=0.15)
        assert len(container.streams.audio) == sound
        if sound:
            heard = [frame.pts for frame in container.decode(audio=0) if frame.pts is not None]
            assert len(heard) > 20
            assert heard == sorted(heard)
    assert manifest.codec.startswith("avc1." if codec == "h264" else "h")
    assert (manifest.width, manifest.height) == (160, 96)
    assert (manifest.gaps, manifest.part, manifest.camera) == ((), 1, "camera 1")


def test_nothing_is_encoded_again(tmp_path: Path) -> None:
    stream = coded(count=30)
    init, fragments = muxed(stream)
    path = tmp_path / "clip.mp4"
    write(path, init, fragments)
    with av.open(str(path)) as container:
        packets = [bytes(packet) for packet in container.demux(video=0) if packet.size]
    sent = [f.data[-len(packets[n]) :] for n, f in enumerate(fragments)]
    assert packets == sent


def test_players_can_seek(tmp_path: Path) -> None:
    init, fragments = muxed(coded(count=100, gop=25))
    path = tmp_path / "clip.mp4"
    write(path, init, fragments)
    kinds = [kind for kind, _, _ in walk(path.read_bytes())]
    assert kinds == [b"ftyp", b"mdat", b"moov"]
    with av.open(str(path)) as container:
        container.seek(2_100_000)
        first = next(container.decode(video=0))
        assert float(first.pts * first.time_base) == pytest.approx(2.0)
    ffprobe = shutil.which("ffprobe")
    if ffprobe is None:
        pytest.skip("another reader of the file is not installed")
    entries = "stream=nb_frames,nb_read_packets,duration"
    command = [
        ffprobe,
        "-v",
        "error",
        "-count_packets",
        "-show_entries",
        entries,
        "-of",
        "csv=p=0",
        str(path),
    ]
    probe = subprocess.run(command, capture_output=True, text=True, check=True)
    assert probe.stderr == ""
    assert probe.stdout.strip() == "4.000000,100,100"


def test_a_clip_that_joins_late_begins_at_its_own_zero(tmp_path: Path) -> None:
    init, fragments = muxed(coded(count=100, gop=25), begin=90_000 * 5000)
    path = tmp_path / "clip.mp4"
    (manifest,) = write(path, init, fragments[30:])
    shown = pictures(path)
    assert len(shown) == manifest.frames == 50  # from the next key frame on
    assert shown[0][0] == pytest.approx(0, abs=0.001)


def test_the_manifest_describes_the_file_and_notices_a_change(tmp_path: Path) -> None:
    init, fragments = muxed(coded())
    path = tmp_path / "clip.mp4"
    (manifest,) = write(path, init, fragments)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["clip.json", "clip.mp4"]
    assert verify(path) == read_manifest(path) == manifest
    plain = msgspec.json.decode(manifest_path(path).read_bytes())
    assert {"camera", "from", "to", "sha256", "size", "codec", "frames", "gaps"} <= set(plain)
    assert plain["from"].startswith("2026-")
    assert manifest.size == path.stat().st_size
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(ClipFailed):
        verify(path)
    path.unlink()
    with pytest.raises(ClipFailed):
        verify(path)
    manifest_path(path).write_bytes(b"{}")
    with pytest.raises(ClipFailed):
        verify(path)


def test_a_gap_is_named_and_takes_its_time(tmp_path: Path) -> None:
    init, fragments = muxed(coded(count=100, gop=25))
    path = tmp_path / "clip.mp4"
    (manifest,) = write(path, init, fragments[:25] + fragments[75:])
    (gap,) = manifest.gaps
    assert (gap.from_s, gap.to_s) == (pytest.approx(1.0), pytest.approx(3.0))
    assert manifest.frames == 50
    assert manifest.duration_s == pytest.approx(4.0, abs=0.05)
    assert [round(at, 2) for at, _ in pictures(path)][24:26] == [0.96, 3.0]


def test_a_new_connection_goes_on_in_the_same_file(tmp_path: Path) -> None:
    init, fragments = muxed(coded(count=50, gop=25))
    path = tmp_path / "clip.mp4"
    writer = ClipWriter(path, "c")
    writer.init(init)
    for fragment in fragments:
        writer.fragment(fragment.data, AT + fragment.dts_90k / 90_000)
    writer.init(init)
    for fragment in fragments:  # its clock starts anew; by ours three seconds have passed
        writer.fragment(fragment.data, AT + 5.0 + fragment.dts_90k / 90_000)
    (manifest,) = writer.finish()
    assert manifest.frames == 100
    (gap,) = manifest.gaps
    assert gap.to_s - gap.from_s == pytest.approx(3.0, abs=0.1)
    times = [at for at, _ in pictures(path)]
    assert len(times) == 100
    assert times == sorted(times)


def test_other_parameters_begin_another_file(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    writer = ClipWriter(path, "c")
    for stream in (coded(count=25), coded(count=25, width=320, height=192), coded(count=25)):
        init, fragments = muxed(stream)
        writer.init(init)
        for fragment in fragments:
            writer.fragment(fragment.data, AT + fragment.dts_90k / 90_000)
    parts = writer.finish()
    assert [part.file for part in parts] == ["clip.mp4", "clip-2.mp4", "clip-3.mp4"]
    assert [part.width for part in parts] == [160, 320, 160]
    for part in parts:
        assert verify(tmp_path / part.file) == part
        assert len(pictures(tmp_path / part.file)) == 25


def test_an_interrupted_clip_plays_up_to_its_last_fragment(tmp_path: Path) -> None:
    init, fragments = muxed(coded(count=50))
    path = tmp_path / "clip.mp4"
    writer = ClipWriter(path, "c")
    writer.init(init)
    for fragment in fragments:
        writer.fragment(fragment.data, AT)
    part = writer._part
    assert part is not None
    part.file.flush()
    assert not path.exists()
    assert len(pictures(tmp_path / "clip.mp4.part")) == 50
    writer.discard()
    assert list(tmp_path.iterdir()) == []


def test_without_a_key_frame_there_is_no_file(tmp_path: Path) -> None:
    init, fragments = muxed(coded(count=50, gop=50))
    assert write(tmp_path / "clip.mp4", init, fragments[1:]) == ()
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(BadMedia):
        ClipWriter(tmp_path / "clip.mp4", "c").fragment(fragments[0].data, AT)


def test_a_clip_says_when_it_is_full(tmp_path: Path) -> None:
    init, fragments = muxed(coded(count=50))
    writer = ClipWriter(tmp_path / "clip.mp4", "c", most_bytes=len(fragments[0].data) + 10)
    writer.init(init)
    writer.fragment(fragments[0].data, AT)
    assert not writer.full
    writer.fragment(fragments[1].data, AT)
    assert writer.full
    writer.finish()


class Full:
    """A file on a disk that has room for so many bytes."""

    def __init__(self, file: object, room: int) -> None:
        self._file = file
        self._room = room

    def write(self, data: bytes) -> int:
        self._room -= len(data)
        if self._room < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return self._file.write(data)  # type: ignore[attr-defined,no-any-return]

    def __getattr__(self, name: str) -> object:
        return getattr(self._file, name)


@pytest.mark.parametrize("room", [0, 900, 5000, 30_000])
def test_a_full_disk_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int) -> None:
    init, fragments = muxed(coded(count=50))
    assert sum(len(fragment.data) for fragment in fragments) > 5000
    opened = Path.open
    monkeypatch.setattr(Path, "open", lambda path, *a, **k: Full(opened(path, *a, **k), room))
    with pytest.raises(DiskFull, match="No space left"):
        write(tmp_path / "clip.mp4", init, fragments * 3)
    assert list(tmp_path.iterdir()) == []
    assert issubclass(DiskFull, StreamError)
    assert DiskFull.code == "disk_full"


@pytest.mark.parametrize("when", ["fsync", "replace"])
def test_a_disk_that_fails_at_the_end_leaves_no_file_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    def fail(*args: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    init, fragments = muxed(coded(count=50))
    monkeypatch.setattr(clips.os, when, fail)
    with pytest.raises(ClipFailed, match="cannot be written"):
        write(tmp_path / "clip.mp4", init, fragments)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_exists_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "clip.mp4.part").write_bytes(b"another clip")
    init, fragments = muxed(coded(count=50))
    with pytest.raises(ClipFailed):
        write(tmp_path / "clip.mp4", init, fragments)


@settings(max_examples=150)
@given(data=st.data())
def test_damaged_boxes_are_bad_media_and_nothing_else(data: st.DataObject) -> None:
    init, fragments = muxed(coded(count=50), sound=True)
    damage: Callable[[bytes], bytes] = lambda raw: _flip(raw, data)  # noqa: E731
    try:
        tracks = read_init(damage(init))
        list(read_fragment(damage(fragments[3].data), tracks))
    except BadMedia:
        pass
    list(read_fragment(fragments[3].data, read_init(init)))


def _flip(raw: bytes, data: st.DataObject) -> bytes:
    out = bytearray(raw)
    for _ in range(data.draw(st.integers(1, 6))):
        out[data.draw(st.integers(0, min(len(out), 600) - 1))] = data.draw(st.integers(0, 255))
    return bytes(out[: data.draw(st.integers(0, len(out)))])
