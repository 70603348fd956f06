"""One key frame of a camera and goodbye: what a still picture or a check of its health needs."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from streams.errors import Stalled
from streams.media import AudioTrack, KeyFrame, Reader, VideoTrack


async def first_key_frame(reader: Reader, timeout_s: float) -> KeyFrame:
    """Open a camera, wait for its first picture that can be decoded by itself, and close it.

    Args:
        reader: Not running yet.
        timeout_s: For all of it but the goodbye.

    Raises:
        StreamError: Why there is none.
    """
    catch = _Catch()
    running = asyncio.ensure_future(reader.run(catch))
    try:
        either: set[asyncio.Future[Any]] = {running, catch.caught}
        await asyncio.wait(either, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        if catch.caught.done():
            return catch.caught.result()
        if running.done():
            running.result()
        raise Stalled(f"no key frame within {timeout_s:g} s")
    finally:
        running.cancel()
        await asyncio.wait({running})
        if not running.cancelled():
            running.exception()  # seen


class _Catch:
    """A sink for one picture."""

    def __init__(self) -> None:
        self.caught: asyncio.Future[KeyFrame] = asyncio.get_running_loop().create_future()
        self._track: VideoTrack | None = None

    def video(self, track: VideoTrack) -> None:
        self._track = track

    def audio(self, track: AudioTrack) -> None:
        pass

    def picture(self, nals: Sequence[bytes], timestamp: int, *, key: bool) -> None:
        if key and self._track is not None and not self.caught.done():
            frame = KeyFrame(track=self._track, nals=tuple(nals), taken_at=datetime.now(UTC))
            self.caught.set_result(frame)

    def sound(self, data: bytes, timestamp: int) -> None:
        pass
