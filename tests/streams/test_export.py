from __future__ import annotations

import asyncio
import errno
import os
from datetime import UTC, datetime
from pathlib import Path

import av
import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from streams import burning
from streams.burning import Band, burn
from streams.clips import ClipFailed, DiskFull, hash_file, manifest_path
from streams.export import ExportManifest, ExportOrder, Exports, part_of
from streams.lettering import find_faces
from tests.streams.coded import coded
from tests.streams.test_clips import muxed, write
from tests.streams.test_lettering import TYPEFACE

LINES = ("烈山区指挥中心 张三 导出 2026-03-01 12:00:00", "录像 {time}")


def clip(folder: Path, *, count: int = 50, sound: bool = True, codec: str = "h264") -> Path:
    stream = coded(codec, count=count, gop=25, width=480, height=272)  # type: ignore[arg-type]
    init, fragments = muxed(stream, sound=sound)
    path = folder / "clip.mp4"
    write(path, init, fragments)
    return path


def order(source: Path, **changes: object) -> ExportOrder:
    values: dict[str, object] = {
        "source": str(source),
        "target": str(source.with_name("export.mp4")),
        "lines": LINES,
        "by": "张三 (zhangsan)",
        "purpose": "给交警大队",
        "at": datetime(2026, 3, 1, 4, tzinfo=UTC),
        "fonts": (str(TYPEFACE),),
    }
    return ExportOrder(**(values | changes))  # type: ignore[arg-type]


def greys(path: Path) -> list[NDArray[np.uint8]]:
    with av.open(str(path)) as container:
        return [np.asarray(frame.to_ndarray(format="gray"), np.uint8) for frame in container.decode(video=0)]


def alike(one: NDArray[np.generic], other: NDArray[np.generic]) -> float:
    return float(np.corrcoef(one.astype(float).ravel(), other.astype(float).ravel())[0, 1])


@pytest.mark.parametrize("codec", ["h264", "h265"])
def test_every_picture_carries_the_lines_and_nothing_else_changes(tmp_path: Path, codec: str) -> None:
    source = clip(tmp_path, codec=codec)
    shares: list[float] = []
    manifest = burn(order(source), shares.append)
    before, after = greys(source), greys(tmp_path / "export.mp4")
    assert len(before) == len(after) == manifest.frames == 50
    band = Band(LINES, find_faces([str(TYPEFACE)]), 480, 272)
    begun = manifest.source.from_.timestamp() + 8 * 3600
    for number, (was, now) in enumerate(zip(before, after, strict=True)):
        clock = datetime.fromtimestamp(begun + number / 25 + 1e-4, UTC).strftime("%Y-%m-%d %H:%M:%S")
        letters = band.coverage(clock)
        written = now[-band.height_px :]
        assert alike(written, letters) > 0.6, number
        assert alike(was[-band.height_px :], letters) < 0.3
        assert np.abs(now[: -band.height_px - 8].astype(int) - was[: -band.height_px - 8]).mean() < 8
    assert shares == sorted(shares)
    assert all(0 < share <= 1 for share in shares)


def test_other_names_give_other_pictures(tmp_path: Path) -> None:
    source = clip(tmp_path, count=5, sound=False)
    burn(order(source))
    burn(order(source, target=str(tmp_path / "other.mp4"), lines=("烈山区指挥中心 李四", "录像 {time}")))
    one, other = greys(tmp_path / "export.mp4"), greys(tmp_path / "other.mp4")
    assert np.abs(one[0].astype(int) - other[0]).max() > 100


def test_times_and_sound_stay(tmp_path: Path) -> None:
    source = clip(tmp_path)
    burn(order(source))

    def heard_and_seen(path: Path) -> tuple[list[float], list[bytes]]:
        with av.open(str(path)) as container:
            seen = [round(float(f.pts * f.time_base), 3) for f in container.decode(video=0)]  # type: ignore[operator]
        with av.open(str(path)) as container:
            return seen, [bytes(packet) for packet in container.demux(audio=0) if packet.size]

    assert heard_and_seen(tmp_path / "export.mp4") == heard_and_seen(source)


def test_the_manifest_says_who_why_when_and_from_what(tmp_path: Path) -> None:
    source = clip(tmp_path, count=5)
    manifest = burn(order(source))
    path = tmp_path / "export.mp4"
    assert (manifest.sha256, manifest.size) == hash_file(path)
    assert msgspec.json.decode(manifest_path(path).read_bytes(), type=ExportManifest) == manifest
    assert (manifest.by, manifest.purpose) == ("张三 (zhangsan)", "给交警大队")
    assert manifest.source.sha256 == hash_file(source)[0]
    assert not part_of(path).exists()


def test_a_clip_that_was_changed_is_not_exported(tmp_path: Path) -> None:
    source = clip(tmp_path, count=5)
    data = bytearray(source.read_bytes())
    data[-20] ^= 1
    source.write_bytes(data)
    with pytest.raises(ClipFailed, match="not the file"):
        burn(order(source))
    assert not (tmp_path / "export.mp4").exists()


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    source = clip(tmp_path, count=5)
    with pytest.raises(ClipFailed, match="exists"):
        burn(order(source, target=str(source)))


@pytest.mark.parametrize("when", ["replace", "fsync"])
def test_a_full_disk_leaves_no_export(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str) -> None:
    def full(*args: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    source = clip(tmp_path, count=5)
    monkeypatch.setattr(burning.os, when, full)
    with pytest.raises(DiskFull):
        burn(order(source))
    assert sorted(os.listdir(tmp_path)) == ["clip.json", "clip.mp4"]


@pytest.mark.parametrize("lines", [(), ("",), ("长" * 500,), ("一",) * 60, ("\0\n\t{}{other}",)])
def test_any_lines_can_be_burned_in(tmp_path: Path, lines: tuple[str, ...]) -> None:
    source = clip(tmp_path, count=3, sound=False)
    assert burn(order(source, lines=lines)).frames == 3


def test_without_fonts_it_still_works(tmp_path: Path) -> None:
    source = clip(tmp_path, count=3, sound=False)
    assert burn(order(source, fonts=("/no/such/font",))).frames == 3


async def test_the_work_is_done_by_another_process_at_low_priority(tmp_path: Path) -> None:
    source = clip(tmp_path)
    shares: list[float] = []
    manifest = await Exports().export(order(source), shares.append)
    assert manifest.frames == 50
    assert shares
    assert hash_file(tmp_path / "export.mp4")[0] == manifest.sha256


async def test_what_goes_wrong_there_comes_back_as_an_error(tmp_path: Path) -> None:
    with pytest.raises(ClipFailed, match="no manifest"):
        await Exports().export(order(tmp_path / "missing.mp4"))


async def test_cancelling_ends_the_process_and_leaves_no_file(tmp_path: Path) -> None:
    source = clip(tmp_path, count=600, sound=False)
    begun = asyncio.Event()
    task = asyncio.ensure_future(Exports().export(order(source), lambda share: begun.set()))
    async with asyncio.timeout(60):
        await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert sorted(os.listdir(tmp_path)) == ["clip.json", "clip.mp4"]
