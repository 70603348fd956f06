"""`Transcoder`: H.265 in, H.264 out, for browsers that cannot play what the camera sends."""

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Final

from streams.assembler import Assembler
from streams.errors import Ended, StreamError
from streams.libav import pipe
from streams.libav.process import child, frames
from streams.libav.slots import Slots
from streams.media import AudioTrack, Sink, VideoTrack

BACKLOG_BYTES: Final = 2 << 20
"""What may wait for the child, also while it starts; past it pictures are left out up to the next key frame."""


class Transcoder:
    """A sink that encodes the pictures anew and passes the sound on.

    Use it as an asynchronous context: entering takes a slot, leaving ends the child.

    Args:
        sink: Where the H.264 goes.
        slots: Places for encoding.
        height_px: Tallest picture.

    Raises:
        Busy: On entering, when all places are taken.
    """

    def __init__(self, sink: Sink, slots: Slots, *, height_px: int = 720) -> None:
        self._sink = sink
        self._slots = slots
        self._height_px = height_px
        self._track: VideoTrack | None = None
        self._waiting = asyncio.Event()
        self._stdin: asyncio.StreamWriter | None = None
        self._skip = True
        self._early: list[bytes] = []
        self._early_bytes = 0
        self._open = contextlib.AsyncExitStack()
        self._task: asyncio.Task[None] | None = None
        self.failure: StreamError | None = None
        """Why it stopped, once it has."""

    async def __aenter__(self) -> "Transcoder":
        """Take a place."""
        self._open.enter_context(self._slots.one())
        self._task = asyncio.get_running_loop().create_task(self._run())
        return self

    async def __aexit__(self, *exc: object) -> None:
        """End the child and give the place back."""
        assert self._task is not None
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        await self._open.aclose()

    def video(self, track: VideoTrack) -> None:
        """See `Sink.video`."""
        self._track = track
        self._skip = True
        self._waiting.set()

    def audio(self, track: AudioTrack) -> None:
        """See `Sink.audio`."""
        self._sink.audio(track)

    def sound(self, data: bytes, timestamp: int) -> None:
        """See `Sink.sound`."""
        self._sink.sound(data, timestamp)

    def picture(self, nals: Sequence[bytes], timestamp: int, *, key: bool) -> None:
        """See `Sink.picture`."""
        stdin, track = self._stdin, self._track
        if track is None or self.failure is not None or (stdin is not None and stdin.transport.is_closing()):
            return
        if stdin is None and key:
            self._early.clear()
            self._early_bytes = 0
        waiting = self._early_bytes if stdin is None else stdin.transport.get_write_buffer_size()
        if waiting > BACKLOG_BYTES:
            self._skip = True
        if self._skip and not key:
            return
        self._skip = False
        units = [*track.parameter_sets, *nals] if key else nals
        frame = pipe.frame(pipe.UNIT, pipe.pack_unit(track.codec, units, timestamp))
        if stdin is not None:
            stdin.write(frame)
        else:  # the child is being started: without these the viewer would wait for another key frame
            self._early.append(frame)
            self._early_bytes += len(frame)

    async def _run(self) -> None:
        try:
            await self._waiting.wait()
            assert self._track is not None
            assembler = Assembler("h264", self._sink)
            async with child(pipe.Transcode(self._track.codec, self._height_px)) as process:
                self._stdin = process.writer
                process.writer.writelines(self._early)
                self._early.clear()
                stream = frames(process)
                async with contextlib.aclosing(stream):
                    async for kind, body in stream:
                        if kind == pipe.UNIT:
                            _, nals, stamp = pipe.unpack_unit(body)
                            assembler.unit(nals, stamp)
            self.failure = Ended("the encoder stopped")
        except StreamError as error:
            self.failure = error
        finally:
            self._stdin = None
