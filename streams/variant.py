"""H.264 for browsers that cannot play what a camera sends.

A camera that sends H.264 anyway is passed on as it is. For H.265 one place of the transcoder pool is taken while
somebody watches this variant; when all are taken the viewers are told so, and it is tried again now and then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

import structlog

from streams.errors import Busy, StreamError
from streams.libav.slots import Slots
from streams.libav.transcoder import Transcoder
from streams.media import AudioTrack, VideoTrack
from streams.output import Output
from streams.wire import StreamState

__all__ = ["H264Variant"]

log = structlog.get_logger("streams.variant")
_AGAIN_S: Final = 3.0


class H264Variant:
    """The H.264 of one camera whose own coding is another.

    Args:
        camera_id: For log lines.
        output: Where the encoded pictures go.
        slots: Places for encoding.
        height_px: Tallest picture.
        on_state: Called with each new state: ``live`` while pictures are encoded.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        camera_id: str,
        output: Output,
        slots: Slots,
        height_px: int,
        on_state: Callable[[StreamState], None],
        clock: Callable[[], float],
    ) -> None:
        self._camera_id = camera_id
        self._slots = slots
        self._height_px = height_px
        self._on_state = on_state
        self._clock = clock
        self._track: VideoTrack | None = None
        self._sound: AudioTrack | None = None
        self._task: asyncio.Task[None] | None = None
        self._retry_s: float | None = None
        self._broken = asyncio.Event()
        self.output = output
        self.coder: Transcoder | None = None
        """Takes the camera's pictures and sound while it is not None."""
        self.state = StreamState(state="connecting")

    def begin(self, track: VideoTrack, sound: AudioTrack | None) -> None:
        """The camera's pictures are described so from now on."""
        self._track, self._sound = track, sound
        self._retry_s = None
        if self.coder is not None:
            self.coder.video(track)
        elif self._task is None:
            self._start()

    def off(self) -> None:
        """The camera's stream broke off, or nobody watches this any more."""
        self._track = self._sound = None
        self._retry_s = None
        self.coder = None
        self.state = StreamState(state="connecting")
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
        self.output.off()

    def tick(self, now_s: float) -> None:
        """Notice an encoder that delivers or broke off, and try again when it is due."""
        if self.coder is not None and self.output.config is not None:
            self._show(StreamState(state="live"))
        if self.coder is not None and self.coder.failure is not None:
            self._broken.set()
        if self._retry_s is not None and now_s >= self._retry_s and self._track is not None:
            self._retry_s = None
            self._start()

    def _start(self) -> None:
        self._broken = asyncio.Event()
        task = asyncio.get_running_loop().create_task(self._run(), name=f"encode {self._camera_id}")
        self._task = task
        task.add_done_callback(self._done)

    async def _run(self) -> None:
        track, sound = self._track, self._sound
        assert track is not None
        broken = self._broken
        async with Transcoder(self.output.sink(), self._slots, height_px=self._height_px) as coder:
            coder.video(track)
            if sound is not None:
                coder.audio(sound)
            self.coder = coder
            await broken.wait()
            raise coder.failure or StreamError("the encoder stopped")

    def _done(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if task is not self._task:
            return
        self._task = self.coder = None
        self.output.off()
        if error is not None and not isinstance(error, StreamError):
            log.error("encoder failed", camera_id=self._camera_id, exc_info=error)
            error = StreamError(type(error).__name__)
        self._retry_s = self._clock() + _AGAIN_S
        self._show(
            StreamState(
                state="no_capacity" if isinstance(error, Busy) else "lost",
                reason=error.code if isinstance(error, StreamError) else "ended",
                detail=str(error) if error is not None else None,
                retry_s=_AGAIN_S,
            )
        )

    def _show(self, state: StreamState) -> None:
        if state != self.state:
            self.state = state
            self._on_state(state)
