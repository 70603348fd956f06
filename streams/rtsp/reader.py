"""The fast path from a camera to a `Sink`: no thread, no decoder, no copy beyond the picture itself."""

import asyncio
from typing import Final

import structlog

from streams import sdp
from streams.assembler import Assembler
from streams.errors import Stalled, Unreachable, Unsupported
from streams.media import Sink
from streams.rtp_audio import depacketiser_for
from streams.rtp_video import H264Depacketiser, H265Depacketiser
from streams.rtsp.connection import Connection
from streams.rtsp.session import Session
from streams.source import Admission, Source

log = structlog.get_logger("streams.rtsp")

_DEPACKETISERS: Final = {"h264": H264Depacketiser, "h265": H265Depacketiser}


class RtspReader:
    """Reads one camera over RTSP, RTP interleaved in the same TCP connection.

    Args:
        source: Where the camera is.
        admission: Says whether it may be connected to.
        stall_s: How long it may send no picture.
        connect_s: How long connecting, and each answer, may take.
        key_s: How long it may send pictures without one that can be decoded by itself.
        audio: Whether sound is wanted, where there is any.
    """

    def __init__(
        self,
        source: Source,
        admission: Admission,
        *,
        stall_s: float = 5.0,
        connect_s: float = 5.0,
        key_s: float = 30.0,
        audio: bool = True,
    ) -> None:
        self._source = source
        self._admission = admission
        self._stall_s = stall_s
        self._connect_s = connect_s
        self._key_s = key_s
        self._audio = audio

    async def run(self, sink: Sink) -> None:
        """Deliver until cancelled; see `streams.media.Reader`.

        Raises:
            NotAllowed: The address is outside what may be connected to.
            Unauthorized: The device refused the account.
            Unsupported: It speaks something else; `streams.libav` may understand it.
            Busy: It has no session left.
            Unreachable: No connection, no answer, or a refusal.
            Stalled: No picture came for too long.
            Ended: The device closed the session.
            BadMedia: What came is not RTSP.
        """
        source = self._source
        if source.protocol != "rtsp" or source.transport != "tcp":
            raise Unsupported(f"{source.protocol} over {source.transport} is not for this reader")
        self._admission.check_protocol(source.protocol)
        connection = await self._connect()
        session = Session(connection, source, self._connect_s)
        try:
            assembler = await self._begin(connection, session, sink)
            await self._watch(connection, session, assembler)
        finally:
            connection.mute()
            try:
                await session.close()
            finally:
                await connection.close()

    async def _connect(self) -> Connection:
        source = self._source
        try:
            async with asyncio.timeout(self._connect_s):
                address = await self._admission.resolve(source.host)
                _, connection = await asyncio.get_running_loop().create_connection(
                    Connection, address, source.effective_port
                )
        except TimeoutError:
            raise Unreachable(f"no connection within {self._connect_s:g} s") from None
        except ConnectionRefusedError:
            raise Unreachable("connection refused") from None
        except OSError as error:
            raise Unreachable(f"no connection: {error.strerror or type(error).__name__}") from None
        return connection

    async def _begin(self, connection: Connection, session: Session, sink: Sink) -> Assembler:
        """Set up what the device has and we can use, and let it play."""
        description = await session.describe()
        video = sdp.find_video(description)
        if video is None:
            found = ", ".join(sdp.names(description, "video")[:4])
            raise Unsupported(f"video coding {found[:60]}" if found else "the device offers no video")
        assembler = Assembler(video.codec, sink)
        assembler.parameters(video.parameter_sets)
        depacketiser = _DEPACKETISERS[video.codec](assembler.unit, assembler.broken, video.clock_hz)
        # Media may arrive before the answer that names its channel.
        connection.on_channel(0, depacketiser.packet)
        channel = await session.set_up(video.media, 0)
        if channel != 0:
            connection.on_channel(channel, depacketiser.packet)
        sound = sdp.find_audio(description) if self._audio else None
        if sound is not None:
            await self._add_sound(connection, session, sink, sound, taken=channel)
        await session.play()
        return assembler

    async def _add_sound(
        self, connection: Connection, session: Session, sink: Sink, sound: sdp.AudioStream, *, taken: int
    ) -> None:
        """Ask for the sound as well; a device that refuses it still has a picture."""
        depacketiser = depacketiser_for(sound, sink)
        try:
            channel = await session.set_up(sound.media, taken + 2 if taken < 254 else 0)
        except (Unsupported, Unreachable) as error:
            if connection.ended.done():
                raise
            log.info("no sound", source=repr(self._source), reason=str(error))
            return
        if channel != taken:
            sink.audio(sound.track)
            connection.on_channel(channel, depacketiser.packet)

    async def _watch(self, connection: Connection, session: Session, assembler: Assembler) -> None:
        """Keep the session alive until it ends or stalls."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        seen, shown = assembler.seen, assembler.shown
        last_seen = last_shown = now
        alive_at = now + session.alive_every_s
        tick_s = min(self._stall_s / 5, session.alive_every_s)
        while True:
            await asyncio.wait({connection.ended}, timeout=tick_s)
            if connection.ended.done():
                connection.ended.result()
            now = loop.time()
            if assembler.seen != seen:
                seen, last_seen = assembler.seen, now
            if assembler.shown != shown or not assembler.waiting:
                shown, last_shown = assembler.shown, now
            if now - last_seen >= self._stall_s:
                raise Stalled(f"no picture for {self._stall_s:g} s")
            if now - last_shown >= self._key_s:
                raise Stalled(f"no key frame for {self._key_s:g} s")
            if now >= alive_at:
                session.keep_alive()
                alive_at = now + session.alive_every_s
