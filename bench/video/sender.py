"""Cameras for measuring: an RTSP server that sends a stored loop to hundreds of sessions for very little CPU.

Nothing is encoded while it runs: the loop is coded and cut into RTP packets beforehand, so what is measured beside
it is the receiving side. 1280×720, 25 pictures a second, about 2 Mbit/s, a key frame every two seconds.

    python -m bench.video.sender PORT
"""

from __future__ import annotations

import asyncio
import base64
import re
import struct
import sys
import tempfile
from pathlib import Path
from typing import cast

import av
import numpy as np

FPS = 25
GOP = 50
SIZE = (1280, 720)
BIT_RATE = 2_000_000
_MTU = 1400


def film() -> Path:
    """Return the loop as an H.264 byte stream, coded once and kept in the temporary folder."""
    path = Path(tempfile.gettempdir()) / "yiping-bench-720p25.h264"
    if path.exists():
        return path
    width, height = SIZE
    rng = np.random.default_rng(1)
    ground = rng.integers(60, 160, (height // 8, width // 8, 3), np.uint8).repeat(8, 0).repeat(8, 1)
    context = av.CodecContext.create("libx264", "w")
    context.width, context.height, context.pix_fmt = width, height, "yuv420p"
    context.framerate, context.bit_rate = FPS, BIT_RATE
    context.options = {
        "preset": "veryfast",
        "tune": "zerolatency",
        "x264-params": f"keyint={GOP}:min-keyint={GOP}:scenecut=0:vbv-maxrate=2500:vbv-bufsize=2500"
        ":slices=1:sliced-threads=0:repeat-headers=1",
    }
    data = bytearray()
    for n in range(4 * GOP):
        image = ground.copy()
        image[200:520, (n * 12) % (width - 200) :][:, :200] = rng.integers(0, 255, (320, 200, 3), np.uint8)
        image += rng.integers(0, 12, image.shape, np.uint8)  # a real camera's noise is most of its bits
        frame = av.VideoFrame.from_ndarray(image, format="rgb24")
        for packet in context.encode(frame):
            data += bytes(packet)
    part = path.with_suffix(".part")
    part.write_bytes(bytes(data))
    part.replace(path)
    return path


def access_units(data: bytes) -> list[list[bytes]]:
    """Split a byte stream into access units of NAL units; one slice a picture."""
    units: list[list[bytes]] = [[]]
    for nal in re.split(rb"\x00\x00\x00?\x01", data):
        if not nal:
            continue
        if units[-1] and units[-1][-1][0] & 31 in (1, 5):
            units.append([])
        units[-1].append(nal)
    return units


def packets(nals: list[bytes], timestamp: int, sequence: int) -> tuple[bytes, int]:
    """Return an access unit as interleaved RTP packets (RFC 6184) and the next sequence number."""
    out = []
    pieces: list[bytes] = []
    for nal in nals:
        if len(nal) <= _MTU:
            pieces.append(nal)
            continue
        head = nal[0]
        for start in range(1, len(nal), _MTU):
            mark = (0x80 if start == 1 else 0) | (0x40 if start + _MTU >= len(nal) else 0)
            pieces.append(bytes((head & 0xE0 | 28, mark | head & 31)) + nal[start : start + _MTU])
    for n, piece in enumerate(pieces):
        marker = 0x80 if n == len(pieces) - 1 else 0
        rtp = struct.pack(">BBHII", 0x80, marker | 96, sequence & 0xFFFF, timestamp & 0xFFFFFFFF, 7) + piece
        out.append(struct.pack(">BBH", 0x24, 0, len(rtp)) + rtp)
        sequence += 1
    return b"".join(out), sequence


class Loop:
    """The packets of the loop and the sessions that get them, all from the same clock."""

    def __init__(self) -> None:
        units = access_units(film().read_bytes())
        self.sets = [nal for nal in units[0] if nal[0] & 31 in (7, 8)]
        self.frames: list[bytes] = []
        sequence = 0
        for n, unit in enumerate(units):
            data, sequence = packets(unit, n * 90_000 // FPS, sequence)
            self.frames.append(data)
        self.per_loop = sequence
        self.sessions: set[Session] = set()
        self.frozen = False

    async def run(self) -> None:
        """Send a picture to every session 25 times a second; sessions are spread over the interval."""
        loop = asyncio.get_running_loop()
        began, n = loop.time(), 0
        while True:
            n += 1
            for part in range(5):
                await asyncio.sleep(max(0.0, began + n / FPS + part / FPS / 5 - loop.time()))
                if self.frozen:
                    continue
                for session in [one for one in self.sessions if one.slot % 5 == part]:
                    session.send()


class Session(asyncio.Protocol):
    """One RTSP connection."""

    _count = 0

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._buffer = b""
        self._at = 0
        self._round = 0
        self._waiting = True
        Session._count += 1
        self.slot = Session._count

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.Protocol`."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one in all but name

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        self._loop.sessions.discard(self)

    def send(self) -> None:
        """Send the next picture: the loop begins at its key frame for everybody."""
        frame = self._loop.frames[self._at]
        if self._round:
            frame = self._moved(frame)
        self._transport.write(frame)
        self._at += 1
        if self._at == len(self._loop.frames):
            self._at, self._round = 0, self._round + 1

    def _moved(self, frame: bytes) -> bytes:
        """Move sequence numbers and times on by the rounds sent: a real camera's never jump back."""
        data = bytearray(frame)
        shift = self._round * len(self._loop.frames) * 90_000 // FPS
        lost = self._round * self._loop.per_loop
        at = 0
        while at < len(data):
            size = data[at + 2] << 8 | data[at + 3]
            sequence, stamp = struct.unpack_from(">HI", data, at + 6)
            struct.pack_into(">HI", data, at + 6, (sequence + lost) & 0xFFFF, (stamp + shift) & 0xFFFFFFFF)
            at += 4 + size
        return bytes(data)

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        self._buffer += data
        while b"\r\n\r\n" in self._buffer:
            head, self._buffer = self._buffer.split(b"\r\n\r\n", 1)
            if head[:1] == b"$":
                continue
            self._answer(head.decode("latin1"))

    def _answer(self, head: str) -> None:
        method, url = head.split(" ", 2)[:2]
        found = re.search(r"(?im)^cseq:\s*(\d+)", head)
        extra, body = "", ""
        if method == "DESCRIBE":
            sprop = ",".join(base64.b64encode(nal).decode() for nal in self._loop.sets)
            body = (
                "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=loop\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\n"
                f"a=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1;sprop-parameter-sets={sprop}\r\n"
                "a=control:track1\r\n"
            )
            extra = (
                f"Content-Type: application/sdp\r\nContent-Base: {url}/\r\nContent-Length: {len(body)}\r\n"
            )
        elif method == "SETUP":
            extra = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\nSession: 1;timeout=60\r\n"
        elif method == "OPTIONS":
            extra = "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER\r\n"
        elif method == "PLAY":
            extra = "Session: 1\r\nRange: npt=0-\r\n"
        number = found[1] if found else "0"
        self._transport.write(f"RTSP/1.0 200 OK\r\nCSeq: {number}\r\n{extra}\r\n{body}".encode())
        if method == "PLAY":
            self._loop.sessions.add(self)
        elif method == "TEARDOWN":
            self._transport.close()


async def serve(port: int) -> None:
    """Serve until ended."""
    loop = Loop()
    server = await asyncio.get_running_loop().create_server(
        lambda: Session(loop), "127.0.0.1", port, backlog=512
    )
    async with server:
        await loop.run()


if __name__ == "__main__":
    import uvloop

    uvloop.run(serve(int(sys.argv[1])))
