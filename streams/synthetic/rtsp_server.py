"""An RTSP server like the one in a camera or recorder, for many cameras behind one port.

Every session of a stream is sent the same bytes, so hundreds of them cost little more than their writes.
"""

import asyncio
import contextlib
import random
import re
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, Protocol
from urllib.parse import urlsplit

from streams.synthetic.challenge import Challenge
from streams.synthetic.description import describe
from streams.synthetic.encoder import Encoder
from streams.synthetic.faults import Fault
from streams.synthetic.packets import RTP_HEADER_BYTES, Unit, frame, shift
from streams.synthetic.profiles import Profile

_REASONS: Final = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    453: "Not Enough Bandwidth",
    454: "Session Not Found",
    455: "Method Not Valid in This State",
    461: "Unsupported Transport",
    501: "Not Implemented",
}
_METHODS: Final = "OPTIONS, DESCRIBE, SETUP, PLAY, PAUSE, TEARDOWN, GET_PARAMETER, SET_PARAMETER"
_HEAD_BYTES: Final = 8192
_BEHIND_BYTES: Final = 1 << 20
_REPORT_S: Final = 5.0
_NTP_EPOCH: Final = 2_208_988_800
DROP_AFTER_S: Final = 4.0


@dataclass(frozen=True, slots=True)
class Outlet:
    """What the server must know of one camera.

    Attributes:
        profile: How it codes.
        transport: ``udp`` refuses RTP inside the connection, as a few cameras do.
        recorder: Name of the recorder it sits behind; its sessions are limited.
        limit: Sessions the recorder serves at once; 0: any number.
    """

    profile: Profile
    transport: Literal["any", "udp"] = "any"
    recorder: str = ""
    limit: int = 0


class Cameras(Protocol):
    """The cameras behind a server."""

    def outlet(self, path: str) -> Outlet | None:
        """Return the camera at a path."""

    def fault(self, path: str) -> Fault | None:
        """Return what is wrong with it at present."""

    def encoder(self, path: str) -> Encoder:
        """Return its stream as it is at present."""


class RtspServer:
    """One listening port.

    Args:
        cameras: What is served.
        challenge: Who may look.
        clock: Seconds since 1970.
        timeout_s: A session from which nothing came for so long is closed.
    """

    def __init__(
        self, cameras: Cameras, challenge: Challenge, clock: Callable[[], float], *, timeout_s: float = 60.0
    ) -> None:
        self.cameras = cameras
        self.challenge = challenge
        self.clock = clock
        self.timeout_s = timeout_s
        self.sessions: set[Session] = set()
        """Connections, whatever state they are in."""
        self.served = 0
        """Sessions that have begun to play."""
        self.chance = random.Random(1)
        self._server: asyncio.Server | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen; returns the port.

        Raises:
            OSError: The port is taken.
        """
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Session(self), host, port, backlog=1024)
        self._task = asyncio.create_task(self._watch())
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Close the port and every connection."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._server is not None:
            self._server.close()
        for session in tuple(self.sessions):
            session.abort()
        await asyncio.sleep(0)

    def playing(self, path: str | None = None, recorder: str | None = None) -> int:
        """Return how many sessions play: of one camera, behind one recorder, or at all."""
        return sum(
            session.playing and path in (None, session.path) and recorder in (None, session.recorder)
            for session in self.sessions
        )

    def cut(self, path: str) -> None:
        """Close the running sessions of a camera without a word."""
        for session in tuple(self.sessions):
            if session.path == path:
                session.abort()

    def refresh(self, path: str | None = None) -> None:
        """Apply the present faults to running sessions: of one camera, or of all."""
        now = self.clock()
        for session in tuple(self.sessions):
            if path in (None, session.path):
                session.refresh(now)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            self.refresh()


class Session(asyncio.Protocol):
    """One connection: requests come in, answers and media go out."""

    def __init__(self, server: RtspServer) -> None:
        self.path: str | None = None
        self.recorder = ""
        self.playing = False
        self._server = server
        self._buffer = bytearray()
        self._nonce = server.challenge.nonce()
        self._id = f"{server.chance.getrandbits(40):010d}"
        self._channels: dict[int, int] = {}
        self._sockets: dict[int, socket.socket] = {}
        self._encoder: Encoder | None = None
        self._shift = 0
        self._awaits_key = True
        self._held: list[Unit] | None = None
        self._heard_at = server.clock()
        self._played_at = 0.0
        self._reported_at = 0.0
        self._sent = [[0, 0], [0, 0]]

    # Connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.Protocol`."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._server.sessions.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        del exc
        self._server.sessions.discard(self)
        self._leave()
        self.playing = False
        for out in self._sockets.values():
            out.close()
        self._sockets.clear()

    def abort(self) -> None:
        """Cut the connection."""
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        self._heard_at = self._server.clock()
        buffer = self._buffer
        buffer += data
        while buffer and not self._transport.is_closing():
            if buffer[0] == 0x24:
                # A receiver report: that it came is all that matters.
                if len(buffer) < 4 or len(buffer) < 4 + int.from_bytes(buffer[2:4], "big"):
                    return
                del buffer[: 4 + int.from_bytes(buffer[2:4], "big")]
                continue
            end = buffer.find(b"\r\n\r\n")
            if end < 0:
                if len(buffer) > _HEAD_BYTES:
                    self.abort()
                return
            head = bytes(buffer[:end]).decode("latin-1")
            length = re.search(r"(?im)^content-length:\s*(\d{1,6})\s*$", head.replace("\r\n", "\n"))
            body = int(length[1]) if length else 0
            if len(buffer) < end + 4 + body:
                return
            del buffer[: end + 4 + body]
            self._request(head.lstrip("\r\n"))

    # Requests

    def _request(self, head: str) -> None:
        lines = head.split("\r\n")
        words = lines[0].split(" ")
        headers = {
            name.strip().lower(): value.strip()
            for name, colon, value in (line.partition(":") for line in lines[1:])
            if colon
        }
        cseq = headers.get("cseq", "0")
        if len(words) != 3 or not words[2].startswith("RTSP/"):
            self._reply(400, cseq)
            return
        method, url = words[0].upper(), words[1]
        track, path = _split(url)
        server = self._server
        outlet = server.cameras.outlet(path)
        fault = server.cameras.fault(path)
        if outlet is not None:
            self.path, self.recorder = path, outlet.recorder
        if fault is not None and fault.kind == "down":
            self.abort()
        elif method == "OPTIONS":
            self._reply(200, cseq, f"Public: {_METHODS}\r\n")
        elif (fault is not None and fault.kind == "unauthorized") or not server.challenge.accepts(
            headers.get("authorization", ""), method, self._nonce
        ):
            self._reply(401, cseq, server.challenge.headers(self._nonce))
        elif outlet is None:
            self._reply(404, cseq)
        elif method == "DESCRIBE":
            lying = fault is not None and fault.kind == "lying_sdp"
            body = describe(outlet.profile, server.clock(), lying=lying)
            base = f"Content-Base: {url.rstrip('/')}/\r\nContent-Type: application/sdp\r\n"
            self._reply(200, cseq, base, body)
        elif method == "SETUP":
            self._setup(outlet, track or 0, headers.get("transport", ""), cseq)
        elif method == "PLAY":
            self._play(path, url, cseq)
        elif method == "PAUSE":
            self._leave()
            self._reply(200, cseq, f"Session: {self._id}\r\n")
        elif method == "TEARDOWN":
            self._leave()
            self._reply(200, cseq, f"Session: {self._id}\r\n")
            self._transport.close()
        elif method in ("GET_PARAMETER", "SET_PARAMETER"):
            self._reply(200, cseq, f"Session: {self._id}\r\n")
        else:
            self._reply(501, cseq)

    def _setup(self, outlet: Outlet, track: int, transport: str, cseq: str) -> None:
        if track not in (0, 1) or (track == 1 and outlet.profile.audio is None):
            self._reply(404, cseq)
            return
        others = self._server.playing(recorder=outlet.recorder) if outlet.limit else 0
        if outlet.limit and others >= outlet.limit:
            self._reply(453, cseq)
            return
        if "TCP" in transport.upper():
            if outlet.transport == "udp":
                self._reply(461, cseq)
                return
            found = re.search(r"interleaved=(\d{1,3})", transport)
            channel = int(found[1]) if found else 2 * track
            self._channels[track] = channel & 0xFF
            answer = f"RTP/AVP/TCP;unicast;interleaved={channel}-{channel + 1}"
        else:
            found = re.search(r"client_port=(\d{1,5})", transport)
            peer = self._transport.get_extra_info("peername")
            if found is None or not 0 < int(found[1]) < 65535:
                self._reply(461, cseq)
                return
            out = socket.socket(socket.AF_INET6 if ":" in peer[0] else socket.AF_INET, socket.SOCK_DGRAM)
            out.setblocking(False)
            out.connect((peer[0], int(found[1])))
            self._sockets[track] = out
            port = out.getsockname()[1]
            answer = (
                f"RTP/AVP;unicast;client_port={found[1]}-{int(found[1]) + 1};server_port={port}-{port + 1}"
            )
        timeout = f"Session: {self._id};timeout={self._server.timeout_s:.0f}\r\n"
        self._reply(200, cseq, f"{timeout}Transport: {answer}\r\n")

    def _play(self, path: str, url: str, cseq: str) -> None:
        if not self._channels and not self._sockets:
            self._reply(455, cseq)
            return
        self.playing = True
        self._played_at = self._reported_at = self._server.clock()
        self._server.served += 1
        # The answer names the first packet, so the stream is joined first and its beginning held back.
        self._held = []
        self._follow(path)
        held, self._held = self._held, None
        info = ",".join(
            f"url={url.rstrip('/')}/trackID={unit.track};seq={int.from_bytes(unit.packets[0][2:4], 'big')}"
            f";rtptime={unit.timestamp & 0xFFFFFFFF}"
            for unit in held[:1]
        )
        extra = f"Session: {self._id}\r\nRange: npt=now-\r\n" + (f"RTP-Info: {info}\r\n" if info else "")
        self._reply(200, cseq, extra)
        for unit in held:
            self.unit(unit)

    def _reply(self, code: int, cseq: str, extra: str = "", body: str = "") -> None:
        content = body.encode()
        length = f"Content-Length: {len(content)}\r\n" if content else ""
        head = f"RTSP/1.0 {code} {_REASONS[code]}\r\nCSeq: {cseq}\r\n{extra}{length}\r\n"
        self._transport.write(head.encode("latin-1") + content)

    # Media

    def refresh(self, now: float) -> None:
        """Apply the camera's present fault, report the time, and notice a peer that fell silent."""
        if now - self._heard_at > self._server.timeout_s:
            self.abort()
            return
        if not self.playing or self.path is None:
            return
        fault = self._server.cameras.fault(self.path)
        kind = fault.kind if fault is not None else None
        if kind in ("down", "unauthorized") or (kind == "drop" and now - self._played_at >= DROP_AFTER_S):
            self.abort()
            return
        self._follow(self.path)
        if kind != "stall" and now - self._reported_at >= _REPORT_S:
            self._reported_at = now
            self._report(now)

    def unit(self, unit: Unit) -> None:
        """Send an access unit or a packet of sound; see `Listener`."""
        if self._held is not None:
            self._held.append(unit)
            return
        transport = self._transport
        if unit.track == 0:
            if self._awaits_key and not unit.key:
                return
            self._awaits_key = False
        if transport.get_write_buffer_size() > _BEHIND_BYTES:
            self._awaits_key = True
            return
        count = self._sent[unit.track]
        count[0] += len(unit.packets)
        count[1] += sum(map(len, unit.packets))
        packets = unit.packets
        fault = self._server.cameras.fault(self.path or "")
        flips = fault is not None and fault.kind == "byte_flips"
        if self._shift and unit.track == 0:
            packets = shift(packets, self._shift)
        if flips:
            packets = [_flipped(packet, self._server.chance) for packet in packets]
        if (out := self._sockets.get(unit.track)) is not None:
            for packet in packets:
                with contextlib.suppress(OSError):
                    out.send(packet)
        elif (channel := self._channels.get(unit.track)) is not None:
            if packets is unit.packets:
                transport.write(unit.framed(channel))
            else:
                transport.write(frame(packets, channel))

    def _follow(self, path: str) -> None:
        """Join the stream that shows the camera as it is now, and leave the one before it."""
        fault = self._server.cameras.fault(path)
        if fault is not None and fault.kind == "stall":
            self._leave()
            return
        encoder = self._server.cameras.encoder(path)
        if encoder is self._encoder:
            return
        if self._encoder is not None:
            # The peer must not see that another encoder has taken over: its packets continue the numbers.
            self._shift = (self._encoder.sequence + self._shift - encoder.sequence) & 0xFFFF
            self._encoder.leave(self)
        self._encoder = encoder
        self._awaits_key = True
        encoder.join(self)

    def _leave(self) -> None:
        if self._encoder is not None:
            self._encoder.leave(self)
            self._encoder = None

    def _report(self, now: float) -> None:
        if self._encoder is None or not self._channels:
            return
        seconds, part = divmod(now + _NTP_EPOCH, 1.0)
        for track, channel in self._channels.items():
            rate = 90_000 if track == 0 else self._encoder.sound_rate
            packets, size = self._sent[track]
            ssrc = self._encoder.ssrc + track
            body = struct.pack(
                ">BBHIIIIII", 0x80, 200, 6, ssrc, int(seconds), int(part * 2**32),
                int(now * rate) & 0xFFFFFFFF, packets & 0xFFFFFFFF, size & 0xFFFFFFFF,
            )  # fmt: skip
            self._transport.write(frame([body], channel + 1))


def _split(url: str) -> tuple[int | None, str]:
    """Return the number of the track, if one is named, and the path of the camera."""
    path = urlsplit(url).path.strip("/")
    found = re.fullmatch(r"(.*?)/?trackID=(\d)", path)
    return (int(found[2]), found[1]) if found else (None, path)


def _flipped(packet: bytes, chance: random.Random) -> bytes:
    if len(packet) < RTP_HEADER_BYTES + 40 or chance.random() < 0.5:
        return packet
    changed = bytearray(packet)
    # The first bytes stay: they say what the packet is, and a fault in them is another fault.
    changed[chance.randrange(RTP_HEADER_BYTES + 24, len(packet))] ^= 1 << chance.randrange(8)
    return bytes(changed)
