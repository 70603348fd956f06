"""Readers that do as they are told, with real coded pictures."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from streams.errors import StreamError, Unsupported
from streams.media import AudioTrack, Reader, Sink, VideoTrack
from streams.source import CameraSpec, Source


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


class Session:
    """One try of a `ScriptedReader`: the test delivers into it and ends it."""

    def __init__(self, sink: Sink) -> None:
        self.sink = sink
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.closed = False

    def fail(self, error: StreamError | Exception) -> None:
        self.over.set_exception(error)


class ScriptedReaders:
    """Readers whose sessions the test holds in its hands."""

    def __init__(self, closing_s: float = 0.0) -> None:
        self.sessions: list[Session] = []
        self.second = False
        self.fall_back = False
        self.closing_s = closing_s

    def reader(self, spec: CameraSpec) -> Reader:
        del spec
        return self

    async def run(self, sink: Sink) -> None:
        session = Session(sink)
        self.sessions.append(session)
        try:
            await session.over
        finally:
            if self.closing_s:
                await asyncio.sleep(self.closing_s)
            session.closed = True

    def refused(self, spec: CameraSpec, error: Unsupported) -> bool:
        del spec, error
        answer, self.fall_back = self.fall_back, False
        self.second = self.second or answer
        return answer

    def host(self, source: Source) -> str | None:
        return source.host or None

    @property
    def last(self) -> Session:
        return self.sessions[-1]

    @property
    def open(self) -> int:
        return sum(not session.closed for session in self.sessions)


@dataclass
class Collected:
    """A sink that keeps what it gets."""

    tracks: list[VideoTrack] = field(default_factory=list)
    pictures: list[tuple[int, bool]] = field(default_factory=list)
    on_picture: Callable[[], None] = lambda: None

    def video(self, track: VideoTrack) -> None:
        self.tracks.append(track)

    def audio(self, track: AudioTrack) -> None:
        pass

    def picture(self, nals: Sequence[bytes], timestamp: int, *, key: bool) -> None:
        self.pictures.append((timestamp, key))
        self.on_picture()

    def sound(self, data: bytes, timestamp: int) -> None:
        pass
