"""One camera being pulled: started by its first watcher, ended after the last, tried again in between.

`Pull` does what `Life` decides. It owns no timer: whoever owns the pull calls `tick` several times a second, so
that a hundred and fifty cameras cost one wake-up and tests need no waiting.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Protocol

import structlog

from streams.errors import BadMedia, Ended, Stalled, StreamError, Unsupported
from streams.life import Life
from streams.media import AudioTrack, Reader, Sink, VideoTrack
from streams.source import CameraSpec, Source
from streams.wire import StreamState, VideoSettings

__all__ = ["Pull", "Readers"]

log = structlog.get_logger("streams.pull")

_HUNG_S: Final = 60.0  # longer than any reader takes to connect and any group of pictures to begin again
_CLOSE_S: Final = 2.0


class Readers(Protocol):
    """Who can read a source."""

    def reader(self, spec: CameraSpec) -> Reader:
        """Return a reader for one try."""

    def refused(self, spec: CameraSpec, error: Unsupported) -> bool:
        """Hear that the last reader could not speak it; return whether another one may."""

    def host(self, source: Source) -> str | None:
        """Return what sessions are counted by; None: they need not be."""


class Pull:
    """The stream of one camera.

    Args:
        spec: The camera.
        settings: Bounds and times.
        readers: Who can read it.
        make_sink: Called for each try; takes what is read.
        on_state: Called with each new state.
        permit: Waits until a session may be opened at a host.
        once: A recording: it is not tried again when it has ended.
        clock: Monotonic seconds.
        draw: A number in [0, 1), for the waits.
    """

    def __init__(
        self,
        spec: CameraSpec,
        settings: VideoSettings,
        readers: Readers,
        make_sink: Callable[[], Sink],
        on_state: Callable[[StreamState], None],
        permit: Callable[[str], Awaitable[None]],
        *,
        once: bool = False,
        clock: Callable[[], float] = time.monotonic,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._spec = spec
        self._settings = settings
        self._readers = readers
        self._make_sink = make_sink
        self._permit = permit
        self._once = once
        self._clock = clock
        self._life = Life(settings, on_state, draw)
        self._holds = 0
        self._free_s = clock()
        self._retry_s: float | None = None
        self._task: asyncio.Task[None] | None = None
        self._tap: _Tap | None = None
        self._alive_s = clock()
        self._closing: set[asyncio.Task[None]] = set()
        self._closed = False
        self.opens = 0
        """Sessions tried."""
        self.breaks = 0
        """Sessions that ended by themselves."""

    @property
    def spec(self) -> CameraSpec:
        """The camera as it is set now."""
        return self._spec

    @property
    def state(self) -> StreamState:
        """What to show."""
        return self._life.state

    @property
    def held(self) -> bool:
        """Somebody watches."""
        return self._holds > 0

    @property
    def running(self) -> bool:
        """A session is open, or being opened."""
        return self._task is not None

    def forgettable(self, now_s: float) -> bool:
        """Whether it rests, and what was learnt of the camera is too old to matter."""
        return (
            not self._holds
            and self._task is None
            and self._retry_s is None
            and not self._life.refused
            and now_s - self._free_s > 2 * self._settings.backoff_most_s
        )

    def hold(self) -> None:
        """Begin to watch."""
        self._holds += 1
        self._start()

    def release(self, *, at_once: bool = False) -> None:
        """End watching; the last one's end lets the session linger, unless it was for one picture only."""
        self._holds -= 1
        if self._holds == 0:
            self._free_s = self._clock() - (self._settings.linger_s if at_once else 0.0)

    def respec(self, spec: CameraSpec) -> None:
        """Take a changed camera: a session to the old source ends, and what was learnt of it is forgotten."""
        self._spec = spec
        self._retry_s = None
        self._life.forget()
        self._end()
        if self._holds:
            self._start()

    def retry(self) -> None:
        """Try again now, also a refused camera, although nothing was changed."""
        if self._task is None:
            self.respec(self._spec)

    def tick(self, now_s: float) -> None:
        """Do what is due."""
        self._life.tick(now_s)
        if self._tap is not None and now_s - self._alive_s > _HUNG_S:
            # Readers notice a silent camera themselves; this is for one that does not.
            self._end()
            self._failed(Stalled("the reader hangs"))
        if not self._holds:
            if (self._task or self._retry_s is not None) and now_s - self._free_s >= self._settings.linger_s:
                self._retry_s = None
                self._end()
                self._life.stopped(now_s)
        elif self._retry_s is not None and now_s >= self._retry_s:
            self._start()

    async def close(self) -> None:
        """End the session and wait until it is closed."""
        self._closed = True
        self._retry_s = None
        self._end()
        if self._closing:
            await asyncio.wait(self._closing)

    def _start(self) -> None:
        if self._closed or self._task is not None or self._life.refused:
            return
        if not self._spec.enabled:
            self._life.disabled()
            return
        if self._retry_s is not None and self._clock() < self._retry_s:
            return
        self._retry_s = None
        task = asyncio.get_running_loop().create_task(self._try(), name=f"pull {self._spec.id}")
        self._task = task
        task.add_done_callback(self._done)

    def _end(self) -> None:
        task, self._task = self._task, None
        if self._tap is not None:
            self._tap.cut()
            self._tap = None
        if task is not None:
            self._closing.add(task)
            task.cancel()

    def _done(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, StreamError):
            # A bug of ours, or input it was never meant for. The camera is tried again like any other.
            log.error("reader failed", camera_id=self._spec.id, exc_info=error)
            error = BadMedia(type(error).__name__)
        self._closing.discard(task)
        if task is self._task:  # otherwise it was ended by us, which tells nothing about the camera
            self._task = self._tap = None
            self._failed(error or Ended("the session ended"))

    def _failed(self, error: StreamError) -> None:
        self.breaks += 1
        wait_s = self._life.failed(self._clock(), error, final=self._once)
        if wait_s is not None:
            self._retry_s = self._clock() + wait_s

    async def _try(self) -> None:
        spec = self._spec
        self._life.opening(self._clock())
        if self._closing:  # a recorder that gives one session at a time must have the old one back first
            await asyncio.wait(self._closing, timeout=_CLOSE_S)
        host = self._readers.host(spec.source)
        for another in (True, False):
            if host is not None:
                await self._permit(host)
            self.opens += 1
            tap = _Tap(self._make_sink(), self._saw)
            self._tap = tap
            self._alive_s = self._clock()
            try:
                await self._readers.reader(spec).run(tap)
            except Unsupported as error:
                if not (another and self._readers.refused(spec, error)):
                    raise
                log.info("read another way", camera_id=spec.id, reason=str(error))
            else:
                return
            finally:
                tap.cut()

    def _saw(self) -> None:
        self._alive_s = self._clock()
        self._life.picture(self._alive_s)


class _Tap:
    """A sink that says when a picture comes, and that can be cut off from a reader that goes on delivering."""

    __slots__ = ("_saw", "_sink", "audio", "picture", "sound", "video")

    def __init__(self, sink: Sink, saw: Callable[[], None]) -> None:
        self._sink = sink
        self._saw = saw
        self.video: Callable[[VideoTrack], None] = sink.video
        self.audio: Callable[[AudioTrack], None] = sink.audio
        self.sound: Callable[[bytes, int], None] = sink.sound
        self.picture: _Picture = self._picture

    def cut(self) -> None:
        """Take nothing any more."""
        self.video = self.audio = _nothing
        self.sound = _nothing
        self.picture = _nothing

    def _picture(self, nals: Sequence[bytes], timestamp: int, *, key: bool) -> None:
        self._sink.picture(nals, timestamp, key=key)
        self._saw()


class _Picture(Protocol):
    def __call__(self, nals: Sequence[bytes], timestamp: int, *, key: bool) -> None: ...


def _nothing(*_: object, **__: object) -> None:
    """Take what a reader delivers after its end."""
