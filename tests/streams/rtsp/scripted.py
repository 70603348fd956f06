"""A camera that says what the test tells it to say: RTSP over TCP, media interleaved."""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field

from streams.rtsp import RtspReader
from streams.source import Admission, Source
from tests.streams.coded import Coded
from tests.streams.rtp_packer import interleaved

LOCAL = Admission(["127.0.0.0/8"])


@dataclass(frozen=True)
class Asked:
    """A request as it came."""

    method: str
    url: str
    headers: dict[str, str]

    @property
    def number(self) -> str:
        return self.headers["cseq"]


Answer = Callable[[Asked], "str | bytes | None"]


def reply(status: str = "200 OK", *fields: str, body: str = "") -> Answer:
    """Answer always the same; the number is filled in."""

    def answer(asked: Asked) -> str:
        lines = [f"RTSP/1.0 {status}", f"CSeq: {asked.number}", *fields]
        if body:
            lines += ["Content-Type: application/sdp", f"Content-Length: {len(body.encode())}"]
        return "\r\n".join(lines) + "\r\n\r\n" + body

    return answer


def description(media: Coded, *more: str, control: str = "trackID=0") -> str:
    """Describe a stream as cameras do."""
    kinds = (7, 8) if media.codec == "h264" else (32, 33, 34)
    sets = [nal for nal in media.units[0] if (nal[0] & 31 if media.codec == "h264" else nal[0] >> 1) in kinds]
    words = [base64.b64encode(nal).decode() for nal in sets]
    if media.codec == "h264":
        fmtp = f"packetization-mode=1;sprop-parameter-sets={','.join(words)}"
    else:
        fmtp = ";".join(
            f"sprop-{name}={word}" for name, word in zip(("vps", "sps", "pps"), words, strict=True)
        )
    return "\r\n".join(
        (
            "v=0",
            "o=- 0 0 IN IP4 0.0.0.0",
            "s=camera",
            "t=0 0",
            "m=video 0 RTP/AVP 96",
            f"a=rtpmap:96 {media.codec.upper()}/90000",
            f"a=fmtp:96 {fmtp}",
            f"a=control:{control}",
            *more,
            "",
        )
    )


@dataclass
class Camera:
    """What it answers, and what it sends once it was asked to play.

    Attributes:
        answers: By method; one without an entry gets a plain 200.
        sends: What comes after the answer to PLAY, piece by piece; bytes go out as they are.
        pace_s: Between two pieces.
        ends: Whether the connection is closed after the last piece.
        asked: Every request so far.
    """

    answers: dict[str, Answer] = field(default_factory=dict)
    sends: Iterable[bytes] = ()
    pace_s: float = 0.0
    ends: bool = True
    asked: list[Asked] = field(default_factory=list)
    port: int = 0
    connections: int = 0
    closed: int = 0

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[Camera]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._open: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        try:
            yield self
        finally:
            server.close()
            for writer in self._open.values():
                writer.transport.abort()
            await asyncio.gather(*self._open)

    def source(self, path: str = "main", **more: str) -> Source:
        return Source(protocol="rtsp", host="127.0.0.1", port=self.port, path=path, **more)  # type: ignore[arg-type]

    def reader(self, **more: object) -> RtspReader:
        account = {name: str(more.pop(name)) for name in ("username", "password", "path") if name in more}
        limits = {"stall_s": 5.0, "connect_s": 5.0} | more
        return RtspReader(self.source(**account), LOCAL, **limits)  # type: ignore[arg-type]

    def methods(self) -> list[str]:
        return [asked.method for asked in self.asked]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open[task] = writer
        self.connections += 1
        playing: asyncio.Task[None] | None = None
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                first, *lines = head.rstrip().split("\r\n")
                headers = {
                    name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
                }
                if first.startswith("RTSP/"):
                    self.asked.append(Asked(first, "", headers))
                    continue
                method, url, _ = first.split(" ")
                asked = Asked(method, url, headers)
                self.asked.append(asked)
                answer = self.answers.get(method, reply())(asked)
                if answer is None:
                    continue
                writer.write(answer if isinstance(answer, bytes) else answer.encode())
                if not answer:
                    writer.close()
                    return
                good = answer.startswith("RTSP/1.0 200") if isinstance(answer, str) else True
                if method == "PLAY" and good and playing is None:
                    playing = asyncio.ensure_future(self._play(writer))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.closed += 1
            if playing is not None:
                playing.cancel()
                await asyncio.gather(playing, return_exceptions=True)
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()
            del self._open[task]

    async def _play(self, writer: asyncio.StreamWriter) -> None:
        for piece in self.sends:
            writer.write(piece)
            if self.pace_s:
                await asyncio.sleep(self.pace_s)
            await writer.drain()
        if self.ends:
            writer.close()


def camera(media: Coded, packets: Iterable[bytes] = (), *more: str, **how: object) -> Camera:
    """A camera that answers as it should."""
    made = Camera(sends=[interleaved(packet) for packet in packets], **how)  # type: ignore[arg-type]
    made.answers["OPTIONS"] = reply(
        "200 OK", "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER"
    )
    made.answers["DESCRIBE"] = reply(body=description(media, *more))
    made.answers["SETUP"] = reply(
        "200 OK", "Session: 4711;timeout=60", "Transport: RTP/AVP/TCP;unicast;interleaved=0-1"
    )
    return made
