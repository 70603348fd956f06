"""The media a simulated device sends: a program stream in RTP, with the faults real ones have."""

import asyncio
import random
import socket
import struct
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, NamedTuple

from streams.gb28181.ps_mux import PsMuxer
from streams.media import CLOCK_HZ, VideoCodec

_HEADER: Final = struct.Struct(">BBHII")
_PAYLOAD_TYPE: Final = 96
_PAYLOAD_BYTES: Final = 1400
_DRAIN_BYTES: Final = 256 << 10


class AccessUnit(NamedTuple):
    """One picture: its NAL units with the parameter sets before a key frame, its time in 1/90,000 s."""

    codec: VideoCodec
    nals: Sequence[bytes]
    pts: int
    key: bool


class SoundPacket(NamedTuple):
    """One packet of sound: G.711, or AAC with ADTS headers; its time in 1/90,000 s."""

    codec: Literal["pcma", "pcmu", "aac"]
    data: bytes
    pts: int


@dataclass(frozen=True, slots=True)
class Play:
    """What was asked for.

    Attributes:
        channel_id: Of which channel.
        start: Of a playback; None for live.
        end: Of a playback.
    """

    channel_id: str
    start: datetime | None = None
    end: datetime | None = None


Media = Callable[[Play], AsyncGenerator[AccessUnit | SoundPacket, None]]
"""Opens what a channel shows, in real time; a playback ends by itself."""


@dataclass(slots=True)
class Faults:
    """What a device does wrong; may be changed while it runs.

    Attributes:
        loss: Share of RTP packets that do not arrive.
        reorder: Share of RTP packets that arrive after their successor.
        answer_ssrc: Number it chooses itself and says so.
        send_ssrc: Number it sends without having said so.
        refuse: Status it answers an INVITE with.
        hang: It answers nothing at all.
        slow_answer_s: How long it thinks about an INVITE.
        mute_after: Pictures after which it sends nothing more, but keeps the session.
        deaf_to_bye: It answers BYE and goes on sending.
        endless: It says no length of its pictures.
        without_pts: It writes no times into the stream.
        refuse_subscribe: It knows no subscriptions.
        lose_pages: Share of answers in several messages that are lost.
    """

    loss: float = 0.0
    reorder: float = 0.0
    answer_ssrc: int | None = None
    send_ssrc: int | None = None
    refuse: int | None = None
    hang: bool = False
    slow_answer_s: float = 0.0
    mute_after: int | None = None
    deaf_to_bye: bool = False
    endless: bool = False
    without_pts: bool = False
    refuse_subscribe: bool = False
    lose_pages: float = 0.0


async def paced(
    codec: VideoCodec,
    units: Iterable[tuple[Sequence[bytes], bool]],
    *,
    fps: float = 25.0,
    speed: float = 1.0,
    first_pts: int = 0,
) -> AsyncGenerator[AccessUnit | SoundPacket, None]:
    """Yield (NAL units, key) at a steady pace.

    Args:
        codec: Of the units.
        units: In order; the end of them ends the stream.
        fps: Units per second of their time.
        speed: How much faster than that they come.
        first_pts: Time of the first.
    """
    loop = asyncio.get_running_loop()
    begun = loop.time()
    for number, (nals, key) in enumerate(units):
        await asyncio.sleep(max(0.0, begun + number / fps / speed - loop.time()))
        yield AccessUnit(codec, nals, first_pts + round(number * CLOCK_HZ / fps), key)


class Sender:
    """Sends one session.

    Args:
        source: What is sent.
        host: Where to.
        port: Where to.
        tcp: Connect, rather than send datagrams.
        ssrc: Number of the session.
        faults: What goes wrong.
        draw: Of chance.
        local_host: Where from.
    """

    def __init__(
        self,
        source: AsyncGenerator[AccessUnit | SoundPacket, None],
        host: str,
        port: int,
        *,
        tcp: bool,
        ssrc: int,
        faults: Faults,
        draw: random.Random,
        local_host: str = "127.0.0.1",
    ) -> None:
        self.pictures = 0
        self.paused = asyncio.Event()
        self.paused.set()
        """Cleared while a playback is paused."""
        self._source = source
        self._target = (host, port)
        self._tcp = tcp
        self._ssrc = ssrc
        self._faults = faults
        self._draw = draw
        self._local_host = local_host
        self._sequence = draw.randrange(1 << 16)
        self._held: bytes | None = None

    async def run(self) -> None:
        """Send until there is no more, the receiver is gone, or cancelled.

        Raises:
            OSError: The receiver cannot be reached.
        """
        async with aclosing(self._source):
            await self._connect_and_send()

    async def _connect_and_send(self) -> None:
        if self._tcp:
            _, writer = await asyncio.open_connection(*self._target, local_addr=(self._local_host, 0))
            try:
                await self._send_all(
                    lambda packet: writer.write(len(packet).to_bytes(2, "big") + packet), writer
                )
            finally:
                writer.close()
            return
        family = socket.AF_INET6 if ":" in self._target[0] else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as sock:
            sock.setblocking(False)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
            sock.bind((self._local_host, 0))
            await self._send_all(lambda packet: self._throw(sock, packet), None)

    async def _send_all(self, put: Callable[[bytes], None], writer: asyncio.StreamWriter | None) -> None:
        muxer: PsMuxer | None = None
        faults = self._faults
        async for unit in self._source:
            await self.paused.wait()
            if isinstance(unit, AccessUnit):
                if muxer is None:
                    muxer = PsMuxer(unit.codec, endless=faults.endless, with_pts=not faults.without_pts)
                data = muxer.picture(unit.nals, unit.pts, key=unit.key)
                self.pictures += 1
            elif muxer is None:
                continue
            else:
                muxer.audio = unit.codec
                data = muxer.sound(unit.data, unit.pts)
            if faults.mute_after is not None and self.pictures > faults.mute_after:
                continue
            for at in range(0, len(data), _PAYLOAD_BYTES):
                last = at + _PAYLOAD_BYTES >= len(data)
                self._packet(data[at : at + _PAYLOAD_BYTES], unit.pts, put, marker=last)
            if writer is not None and writer.transport.get_write_buffer_size() > _DRAIN_BYTES:
                await writer.drain()

    def _packet(self, payload: bytes, pts: int, put: Callable[[bytes], None], *, marker: bool) -> None:
        faults = self._faults
        ssrc = self._ssrc if faults.send_ssrc is None else faults.send_ssrc
        kind = _PAYLOAD_TYPE | (0x80 if marker else 0)
        packet = _HEADER.pack(0x80, kind, self._sequence, pts & 0xFFFFFFFF, ssrc) + payload
        self._sequence = (self._sequence + 1) & 0xFFFF
        if faults.loss and self._draw.random() < faults.loss:
            return
        if self._held is None and faults.reorder and self._draw.random() < faults.reorder:
            self._held = packet
            return
        put(packet)
        if self._held is not None:
            put(self._held)
            self._held = None

    def _throw(self, sock: socket.socket, packet: bytes) -> None:
        try:
            sock.sendto(packet, self._target)
        except (BlockingIOError, ConnectionError):
            pass  # lost on the way, as it would be
