"""Trying a source once: does a picture come, and of what kind."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from streams.errors import StreamError, Unsupported
from streams.media import AudioTrack, VideoTrack
from streams.pull import Readers
from streams.readers import CameraReaders
from streams.source import CameraSpec, Source
from streams.wire import Probe

__all__ = ["probe"]

_MOST_S: Final = 20.0


async def probe(source: Source, readers: CameraReaders, permit: Callable[[str], Awaitable[None]]) -> Probe:
    """Open a source until its first picture and say what came of it; never raises a `StreamError`."""
    spec = CameraSpec(id=f"probe {id(source):x}", source=source)
    sink = _First()
    fast = readers.fast(spec)
    try:
        async with asyncio.timeout(_MOST_S):
            for another in (True, False):
                fast = readers.fast(spec)
                try:
                    await _until_first(spec, readers, permit, sink)
                    break
                except Unsupported as error:
                    if not (another and readers.refused(spec, error)):
                        raise
    except TimeoutError:
        return Probe(ok=False, reason="stalled", detail=f"no picture within {_MOST_S:g} s")
    except StreamError as error:
        return Probe(ok=False, reason=error.code, detail=str(error) or None)
    finally:
        readers.forget(spec.id)
    track = sink.track
    assert track is not None
    return Probe(
        ok=True,
        codec=track.codec,
        width=track.width,
        height=track.height,
        audio=None if sink.sound_track is None else sink.sound_track.codec,
        reader="gb28181" if source.protocol == "gb28181" else "rtsp" if fast else "ffmpeg",
    )


async def _until_first(
    spec: CameraSpec, readers: Readers, permit: Callable[[str], Awaitable[None]], sink: _First
) -> None:
    host = readers.host(spec.source)
    if host is not None:
        await permit(host)
    reading = asyncio.ensure_future(readers.reader(spec).run(sink))
    seeing = asyncio.ensure_future(sink.seen.wait())
    try:
        await asyncio.wait((reading, seeing), return_when=asyncio.FIRST_COMPLETED)
        if not sink.seen.is_set():
            reading.result()
            raise StreamError("it ended before a picture came")
    finally:
        seeing.cancel()
        reading.cancel()
        await asyncio.wait((reading, seeing), timeout=2.0)


class _First:
    """A sink that waits for the first picture."""

    def __init__(self) -> None:
        self.seen = asyncio.Event()
        self.track: VideoTrack | None = None
        self.sound_track: AudioTrack | None = None

    def video(self, track: VideoTrack) -> None:
        self.track = track

    def audio(self, track: AudioTrack) -> None:
        self.sound_track = track

    def picture(self, nals: Sequence[bytes], timestamp: int, *, key: bool) -> None:
        if self.track is not None:
            self.seen.set()

    def sound(self, data: bytes, timestamp: int) -> None:
        """Take sound, which says nothing."""
