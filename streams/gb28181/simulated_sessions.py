"""The sessions of a simulated device: it is invited, sends, and stops when told."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Container, Coroutine
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

from streams.gb28181 import sdp, sip
from streams.gb28181.sdp import Description
from streams.gb28181.simulated_media import Faults, Media, Play, Sender
from streams.gb28181.sip import Request, Response
from streams.gb28181.sockets import Peer
from streams.gb28181.transport import Endpoint

_AGAIN_S: Final = 0.5
_AGAIN_MOST_S: Final = 4.0
_AGAINS: Final = 7

Spawn = Callable[[Coroutine[object, object, None]], asyncio.Task[None]]


class SimulatedSessions:
    """All sessions of one device.

    Args:
        endpoint: Its SIP port.
        channels: What it has.
        media: Opens what a channel shows; None: it refuses to send.
        faults: What it does wrong.
        host: Its address.
        draw: Of chance.
        spawn: Runs work in the background until the device is stopped.
        on_played_out: Called with Call-ID and channel when a playback has ended.

    Attributes:
        sending: Sessions that send now, by Call-ID.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        channels: Container[str],
        media: Media | None,
        faults: Faults,
        host: str,
        draw: random.Random,
        *,
        spawn: Spawn,
        on_played_out: Callable[[str, str], Awaitable[None]],
    ) -> None:
        self.sending: dict[str, Sender] = {}
        self._endpoint = endpoint
        self._channels = channels
        self._media = media
        self._faults = faults
        self._host = host
        self._draw = draw
        self._spawn = spawn
        self._on_played_out = on_played_out
        self._invited: dict[str, tuple[Request, asyncio.Task[None] | None]] = {}
        self._insisting: dict[str, asyncio.Task[None]] = {}

    def take(self, request: Request, peer: Peer) -> bool:
        """Take a request; return whether it was about a session."""
        method, call_id = request.method, request.call_id
        if method == "INVITE":
            self._spawn(self._invite(request, peer))
        elif method == "ACK":
            self._acknowledged(call_id)
        elif method == "BYE":
            status = 200 if self._hang_up(call_id) else 481
            self._endpoint.reply(request, peer, sip.answer(request, status))
        elif method == "CANCEL":
            self._endpoint.reply(request, peer, sip.answer(request, 200))
            invited = None if call_id in self.sending else self._invited.pop(call_id, None)
            if invited is not None:
                self._endpoint.reply(invited[0], peer, sip.answer(invited[0], 487))
        elif method == "INFO":
            sender = self.sending.get(call_id)
            if sender is not None:
                (sender.paused.clear if request.body.startswith(b"PAUSE") else sender.paused.set)()
            self._endpoint.reply(request, peer, sip.answer(request, 200 if sender else 481))
        else:
            return False
        return True

    def break_off(self) -> None:
        """Stop sending without a word."""
        for _, task in self._invited.values():
            if task is not None:
                task.cancel()

    async def _invite(self, request: Request, peer: Peer) -> None:
        faults = self._faults
        self._invited[request.call_id] = (request, None)
        if faults.slow_answer_s:
            self._endpoint.reply(request, peer, sip.answer(request, 100))
            await asyncio.sleep(faults.slow_answer_s)
            if request.call_id not in self._invited:
                return
        channel_id = sip.user_of(request.uri)
        wanted = sdp.read(request.body)
        refused = faults.refuse or (404 if channel_id not in self._channels else None)
        if refused or self._media is None or wanted.ssrc is None or not wanted.port:
            self._endpoint.reply(request, peer, sip.answer(request, refused or 488))
            return
        ssrc = wanted.ssrc if faults.answer_ssrc is None else faults.answer_ssrc
        contact = f"<sip:{channel_id}@{self._host}:{self._endpoint.port}>"
        extra = [("contact", contact), ("content-type", "APPLICATION/SDP")]
        answer = sip.answer(request, 200, extra, body=self._description(channel_id, wanted, ssrc))
        self._endpoint.reply(request, peer, answer)
        if peer.transport == "udp":
            self._insisting[request.call_id] = self._spawn(self._insist(answer, peer))
        playback = wanted.name.lower() == "playback"
        play = Play(channel_id)
        if playback:
            start, end = (datetime.fromtimestamp(at, UTC) for at in (wanted.start_s, wanted.end_s))
            play = Play(channel_id, start, end)
        sender = Sender(
            self._media(play),
            wanted.host,
            wanted.port,
            tcp=wanted.tcp,
            ssrc=ssrc,
            faults=faults,
            draw=self._draw,
            local_host=self._host,
        )
        self.sending[request.call_id] = sender
        task = self._spawn(self._send(sender, request.call_id, channel_id, playback=playback))
        self._invited[request.call_id] = (request, task)

    def _description(self, channel_id: str, wanted: Description, ssrc: int) -> bytes:
        lines = [
            "v=0",
            f"o={channel_id} 0 0 IN IP4 {self._host}",
            f"s={wanted.name}",
            f"c=IN IP4 {self._host}",
            f"t={wanted.start_s} {wanted.end_s}",
            f"m=video {self._endpoint.port} {'TCP/' if wanted.tcp else ''}RTP/AVP 96",
            "a=sendonly",
            "a=rtpmap:96 PS/90000",
            *(["a=setup:active", "a=connection:new"] if wanted.tcp else []),
            f"y={ssrc:010d}",
        ]
        return ("\r\n".join(lines) + "\r\n").encode()

    async def _send(self, sender: Sender, call_id: str, channel_id: str, *, playback: bool) -> None:
        try:
            with suppress(OSError):
                await sender.run()
        finally:
            self.sending.pop(call_id, None)
        if playback:
            await self._on_played_out(call_id, channel_id)

    async def _insist(self, answer: Response, peer: Peer) -> None:
        """Repeat the answer to an INVITE until it is acknowledged."""
        interval_s = _AGAIN_S
        for _ in range(_AGAINS):
            await asyncio.sleep(interval_s)
            self._endpoint.send_bytes(sip.build(answer), peer)
            interval_s = min(interval_s * 2, _AGAIN_MOST_S)

    def _acknowledged(self, call_id: str) -> None:
        if (task := self._insisting.pop(call_id, None)) is not None:
            task.cancel()

    def _hang_up(self, call_id: str) -> bool:
        self._acknowledged(call_id)
        invited = self._invited.pop(call_id, None)
        if invited is None:
            return False
        if invited[1] is not None and not self._faults.deaf_to_bye:
            invited[1].cancel()
        return True
