"""Writing clips in the media process: what the ring has, then what comes, in a thread of its own.

The camera is held for as long as the clip runs. What waits for the disk is bounded: a disk that does not keep up
costs pictures up to the next key frame, which the manifest then names as a gap, and never memory.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import structlog

from streams.clips import ClipDone, ClipFailed, ClipManifest, ClipOrder, ClipWriter
from streams.errors import BadMedia
from streams.watched import Watched

__all__ = ["Recording", "refuse"]

log = structlog.get_logger("streams.recording")

_MOST_WAITING: Final = 48 << 20
_EVERY_S: Final = 0.5
_RUNNING_S: Final = 1.5
"""A group whose last picture is younger goes on: without it a clip of what comes began with the next key frame."""

_Piece = tuple[bool, bytes, float]  # an init segment?, the data, when it came


class Recording:
    """One clip being written.

    Args:
        order: Which camera, how long, and where to.
        camera: It is held while this runs.
    """

    def __init__(self, order: ClipOrder, camera: Watched) -> None:
        self._order = order
        self._camera = camera
        self._pieces: list[_Piece] = []
        self._waiting = 0
        self._skipping = False
        self._stop = asyncio.Event()
        self.skipped = 0
        """Fragments left out because the disk did not keep up."""

    @property
    def camera_id(self) -> str:
        """Whose clip it is."""
        return self._order.camera_id

    async def run(self) -> ClipDone:
        """Write the clip and say what came of it; never raises a `StreamError`."""
        order = self._order
        writer = ClipWriter(Path(order.path), order.camera_id, most_bytes=order.most_bytes)
        self._take_ring()
        self._camera.ring.follow(self)
        self._camera.pull.hold()
        try:
            manifests = await self._write(writer)
        except ClipFailed as error:
            log.warning("clip failed", camera_id=order.camera_id, reason=error.code)
            return self.failed(error.code, str(error))
        finally:
            self._camera.ring.unfollow(self)
            self._camera.pull.release()
            self._pieces.clear()
        if not manifests:
            state = self._camera.pull.state
            return self.failed(state.reason or "stalled", state.detail or "no picture came")
        return ClipDone(clip_id=order.clip_id, camera_id=order.camera_id, manifests=manifests)

    def stop(self) -> None:
        """End the clip now; what there is of it is completed."""
        self._stop.set()

    def init(self, data: bytes) -> None:
        """See `streams.ring.Follower`."""
        self._pieces.append((True, data, 0.0))

    def fragment(self, data: bytes, at_unix_s: float, *, key: bool) -> None:
        """See `streams.ring.Follower`."""
        if self._skipping:
            if not key or self._waiting > _MOST_WAITING // 2:
                self.skipped += 1
                return
            self._skipping = False
        elif self._waiting > _MOST_WAITING:
            self._skipping = True
            self.skipped += 1
            return
        self._waiting += len(data)
        self._pieces.append((False, data, at_unix_s))

    def _take_ring(self) -> None:
        ring = self._camera.ring
        since_s = time.monotonic() - max(self._order.before_s, _RUNNING_S)
        init = None
        for group in ring.groups():
            if group.end_s < since_s:
                continue
            if group.init is not init:
                init = group.init
                self._pieces.append((True, init, 0.0))
            # The whole group that spans the edge: a clip can only begin with a key frame.
            self._pieces.extend(
                (False, data, at) for data, at in zip(group.fragments, group.times, strict=True)
            )
        if ring.init is not None and ring.init is not init:
            self._pieces.append((True, ring.init, 0.0))

    async def _write(self, writer: ClipWriter) -> tuple[ClipManifest, ...]:
        until_s = time.monotonic() + self._order.after_s
        while True:
            last = self._stop.is_set() or writer.full or time.monotonic() >= until_s
            pieces, self._pieces, self._waiting = self._pieces, [], 0
            if pieces:
                await asyncio.to_thread(_put, writer, pieces)
            if last:
                return await asyncio.to_thread(writer.finish)
            try:
                async with asyncio.timeout(min(_EVERY_S, max(0.0, until_s - time.monotonic()))):
                    await self._stop.wait()
            except TimeoutError:
                pass

    def failed(self, reason: str, detail: str) -> ClipDone:
        """Return what is said of a clip that failed."""
        return ClipDone(
            clip_id=self._order.clip_id, camera_id=self._order.camera_id, reason=reason, detail=detail
        )


def _put(writer: ClipWriter, pieces: Sequence[_Piece]) -> None:
    for is_init, data, at_unix_s in pieces:
        if writer.full:
            return
        try:
            if is_init:
                writer.init(data)
            else:
                writer.fragment(data, at_unix_s)
        except BadMedia as error:
            log.warning("fragment left out", reason=str(error))


def refuse(order: ClipOrder) -> None:
    """Refuse an order that cannot be carried out.

    Raises:
        ClipFailed: Its folder does not exist, or the file does.
    """
    path = Path(order.path)
    if path.suffix != ".mp4" or not path.parent.is_dir():
        raise ClipFailed("the clip's folder does not exist")
    if path.exists():
        raise ClipFailed("the clip's file exists already")
