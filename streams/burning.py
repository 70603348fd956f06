"""Burning lines into a clip: what the process of `streams.export` does."""

import ctypes
import errno
import os
import signal
import sys
import time
from collections.abc import Callable
from datetime import timedelta, timezone
from pathlib import Path
from typing import Final

import av
import msgspec
import numpy as np
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from streams.clips import ClipFailed, ClipManifest, DiskFull, hash_file, verify, write_manifest
from streams.errors import StreamError
from streams.export import ExportManifest, ExportOrder, Said, part_of
from streams.lettering import Coverage, Face, Lettering, find_faces

__all__ = ["burn", "main"]

_PR_SET_PDEATHSIG: Final = 1
_NICE: Final = 15
_SAY_EVERY_S: Final = 0.25
_SHADE: Final = 0.55
_WHITE: Final = 235.0
_BLACK: Final = 16.0
_GREY: Final = 128.0
_CODING: Final = {"preset": "veryfast", "crf": "22"}


class Band:
    """The strip across the bottom of every picture that carries the lines.

    Args:
        lines: What is written; ``{time}`` becomes the moment of each picture.
        faces: To write with.
        width: Of the picture, in pixels.
        height: Of the picture, in pixels.
    """

    def __init__(self, lines: tuple[str, ...], faces: list[Face], width: int, height: int) -> None:
        self._lines = lines
        self._width = width
        longest = [line.replace("{time}", "2026-01-01 00:00:00") for line in lines]
        size = max(12, height // 26)
        lettering = Lettering(faces, size)
        widest = max((lettering.length_px(line) for line in longest), default=1)
        if widest > width - 16:  # too long for one line in full size: smaller, but to be read
            lettering = Lettering(faces, max(8, int(size * (width - 16) / widest)))
        self._lettering = lettering
        self.height_px = min(height, len(lines) * lettering.line_px + 8 & ~1)
        self._drawn: tuple[str, Coverage] | None = None

    def coverage(self, clock: str) -> Coverage:
        """Return how much of each of the strip's pixels the letters cover."""
        if self._drawn is None or self._drawn[0] != clock:
            strip = np.zeros((self.height_px, self._width), np.uint8)
            for number, line in enumerate(self._lines):
                drawn = self._lettering.draw(line.replace("{time}", clock))
                top = 4 + number * self._lettering.line_px
                part = drawn[: max(0, self.height_px - top), : self._width - 8]
                strip[top : top + part.shape[0], 8 : 8 + part.shape[1]] = part
            self._drawn = clock, strip
        return self._drawn[1]

    def put(self, planes: NDArray[np.uint8], clock: str) -> None:
        """Write into a picture given as planar Y, U, V with half resolution of colour."""
        height, width = planes.shape[0] * 2 // 3, planes.shape[1]
        letters = self.coverage(clock).astype(np.float32) / 255.0
        strip = planes[height - self.height_px : height]
        shaded = strip * (1.0 - _SHADE) + _BLACK * _SHADE
        strip[:] = np.rint(shaded * (1.0 - letters) + _WHITE * letters).astype(np.uint8)
        high, wide = height // 2, width // 2
        few = letters[: self.height_px // 2 * 2].reshape(-1, 2, wide, 2).mean(axis=(1, 3))
        colour = planes[height:].reshape(2, high, wide)
        below = colour[:, high - few.shape[0] :]
        paler = below * (1.0 - _SHADE) + _GREY * _SHADE
        below[:] = np.rint(paler * (1.0 - few) + _GREY * few).astype(np.uint8)


def burn(order: ExportOrder, say: Callable[[float], None] = lambda share: None) -> ExportManifest:
    """Export a clip in this process.

    Raises:
        ClipFailed: The clip is not what its manifest says, or the export cannot be written; no file is left.
    """
    source, target = Path(order.source), Path(order.target)
    clip = verify(source)
    part = part_of(target)
    if target.exists():
        raise ClipFailed(f"{target.name} exists already")
    try:
        frames = _encode(order, clip, part, say)
        with part.open("rb") as file:
            os.fsync(file.fileno())
        sha256, size = hash_file(part)
        manifest = ExportManifest(
            file=target.name,
            sha256=sha256,
            size=size,
            frames=frames,
            by=order.by,
            purpose=order.purpose,
            at=order.at,
            lines=order.lines,
            source=clip,
        )
        os.replace(part, target)
        write_manifest(target, manifest)
    except (OSError, av.FFmpegError) as error:
        part.unlink(missing_ok=True)
        target.unlink(missing_ok=True)
        full = getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT)
        raise (DiskFull if full else ClipFailed)(f"the export cannot be written: {error}") from None
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return manifest


def _encode(order: ExportOrder, clip: ClipManifest, part: Path, say: Callable[[float], None]) -> int:
    zone = timezone(timedelta(minutes=order.zone_min))
    begun = clip.from_.astimezone(zone)
    frames = 0
    said_s = 0.0
    with (
        av.open(order.source) as given,
        av.open(str(part), "w", format="mp4", options={"movflags": "faststart"}) as made,
    ):
        shown = given.streams.video[0]
        width, height = shown.codec_context.width & ~1, shown.codec_context.height & ~1
        picture = made.add_stream("libx264", rate=25, options=_CODING)
        assert isinstance(picture, VideoStream)
        picture.width, picture.height, picture.pix_fmt = width, height, "yuv420p"
        picture.codec_context.thread_count = 1
        if shown.time_base is not None:
            picture.codec_context.time_base = shown.time_base
        heard = given.streams.audio[0] if given.streams.audio else None
        sound = None if heard is None else made.add_stream_from_template(heard)
        band = Band(order.lines, find_faces(order.fonts), width, height)
        streams = [shown] if heard is None else [shown, heard]
        for packet in given.demux(*streams):
            if packet.stream is heard:
                if sound is not None and packet.dts is not None:
                    packet.stream = sound
                    made.mux(packet)
                continue
            for frame in packet.decode():
                if not isinstance(frame, VideoFrame) or frame.pts is None or frame.time_base is None:
                    continue
                at_s = float(frame.pts * frame.time_base)
                clock = f"{begun + timedelta(seconds=at_s):%Y-%m-%d %H:%M:%S}"
                made.mux(picture.encode(_written(frame, band, clock, width, height)))
                frames += 1
                if time.monotonic() - said_s >= _SAY_EVERY_S:
                    said_s = time.monotonic()
                    say(min(1.0, frames / max(1, clip.frames)))
        made.mux(picture.encode(None))
    return frames


def _written(frame: VideoFrame, band: Band, clock: str, width: int, height: int) -> VideoFrame:
    plain = frame.reformat(width=width, height=height, format="yuv420p")
    planes = np.ascontiguousarray(plain.to_ndarray(), np.uint8)
    band.put(planes, clock)
    written = VideoFrame.from_ndarray(planes, format="yuv420p")
    written.pts, written.time_base = frame.pts, frame.time_base
    return written


def main() -> None:
    """Do what standard input says; say on standard output how far it is and what came of it."""
    parent = os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        return
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which then ends this
    os.nice(_NICE)

    def say(said: Said) -> None:
        sys.stdout.buffer.write(msgspec.json.encode(said) + b"\n")
        sys.stdout.buffer.flush()

    try:
        order = msgspec.json.decode(sys.stdin.buffer.read(), type=ExportOrder)
        say(Said(manifest=burn(order, lambda share: say(Said(share=round(share, 4))))))
    except StreamError as error:
        say(Said(reason=error.code, detail=str(error)))
    except msgspec.MsgspecError as error:
        say(Said(reason=ClipFailed.code, detail=f"not an order: {error}"))
