"""The reader of a GB/T 28181 channel: a port of its own, an INVITE through the SIP process, and what comes."""

import asyncio
import contextlib
import random
import secrets
import socket
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final, cast

import structlog

from streams.errors import BadMedia, Busy, Ended, NotAllowed, Stalled, StreamError
from streams.gb28181.feed import Feed
from streams.gb28181.messages import InviteAnswer, InviteRequest
from streams.media import Sink
from streams.source import Source

log = structlog.get_logger("streams.gb28181")

_RECEIVE_BYTES: Final = 4 << 20
_AT_ONCE: Final = 64
_LOOK_S: Final = 0.2
_BYE_S: Final = 2.0

Invite = Callable[[InviteRequest], Awaitable[InviteAnswer]]
Bye = Callable[[str], Awaitable[object]]


class PsReader:
    """Reads one channel, live or recorded.

    Each session has a port of its own, so that a device that numbers its packets as it likes is understood.

    Args:
        source: Device and channel; ``transport`` tcp: the device connects to us.
        invite: Asks the SIP process to invite.
        bye: Tells it that a dialog is over, by its id; also when no answer came.
        camera_id: The registry's id.
        owner: Name of this process, for `messages.Release`.
        host: Address to listen on.
        media_host: Address the device is told; empty leaves that to the SIP process.
        ports: First and last port to listen on; (0, 0) takes any.
        stall_s: Longest time without a picture.
        start: Playback from here (aware); None for live.
        end: Playback to here (aware).
    """

    def __init__(
        self,
        source: Source,
        *,
        invite: Invite,
        bye: Bye,
        camera_id: str,
        owner: str = "",
        host: str = "0.0.0.0",
        media_host: str = "",
        ports: tuple[int, int] = (0, 0),
        stall_s: float = 5.0,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> None:
        self.dialog_id = secrets.token_hex(12)
        self.paused = False
        """Set while a playback is paused: that nothing comes is then no fault."""
        self._source = source
        self._invite = invite
        self._bye = bye
        self._camera_id = camera_id
        self._owner = owner
        self._host = host
        self._media_host = media_host
        self._ports = ports
        self._stall_s = stall_s
        self._start = start
        self._end = end
        self._over: asyncio.Future[StreamError] | None = None
        self.feed: Feed | None = None

    def ended(self, reason: str) -> None:
        """Hear from the SIP process that the device has ended the dialog."""
        self._stop(Ended(reason))

    async def run(self, sink: Sink) -> None:
        """See `streams.media.Reader`.

        Raises:
            StreamError: Why it ended.
        """
        source = self._source
        if not source.device_id or not source.channel_id:
            raise NotAllowed("a device and a channel are needed")
        loop = asyncio.get_running_loop()
        over = self._over = loop.create_future()
        async with contextlib.AsyncExitStack() as stack:
            datagrams, listener = self._open()
            stack.callback(datagrams.close)
            if listener is not None:
                stack.callback(listener.close)
            port = datagrams.getsockname()[1]
            stack.push_async_callback(self._say_bye)
            answer = await self._invite(
                InviteRequest(
                    dialog_id=self.dialog_id,
                    camera_id=self._camera_id,
                    owner=self._owner,
                    device_id=source.device_id,
                    channel_id=source.channel_id,
                    media_host=self._media_host,
                    media_port=port,
                    transport="udp" if listener is None else "tcp_passive",
                    start=self._start,
                    end=self._end,
                )
            )
            # What came meanwhile waits in the kernel: only now is it known whose it is.
            feed = self.feed = Feed(sink, answer.ssrc, answer.senders)
            loop.add_reader(datagrams, self._read, datagrams, feed)
            stack.callback(loop.remove_reader, datagrams)
            if listener is not None:
                connections: set[_Connection] = set()
                server = await loop.create_server(
                    lambda: _Connection(feed, self._stop, answer.senders, connections), sock=listener
                )
                stack.callback(_close_server, server, connections)
            while not over.done():
                await asyncio.wait({over}, timeout=_LOOK_S)
                feed.tick()
                if time.monotonic() - feed.seen_at > self._stall_s and not self.paused:
                    self._stop(Stalled(f"no picture for {self._stall_s:g} s; {feed.packets} packets came"))
            feed.end()
            raise over.result()

    def _read(self, datagrams: socket.socket, feed: Feed) -> None:
        try:
            for _ in range(_AT_ONCE):
                data, address = datagrams.recvfrom(65_535)
                feed.take(data, address[0])
        except (BlockingIOError, InterruptedError):
            pass
        except StreamError as error:
            self._stop(error)
        except OSError as error:
            self._stop(Ended(f"the port failed: {error.strerror}"))
        except Exception as error:
            log.exception("packets could not be read", camera_id=self._camera_id)
            self._stop(BadMedia(type(error).__name__))

    def _stop(self, error: StreamError) -> None:
        if self._over is not None and not self._over.done():
            self._over.set_result(error)

    async def _say_bye(self) -> None:
        # The dialog must end also when we were cancelled, and when the answer to our INVITE never reached us.
        with contextlib.suppress(StreamError, TimeoutError):
            async with asyncio.timeout(_BYE_S):
                await self._bye(self.dialog_id)

    def _open(self) -> tuple[socket.socket, socket.socket | None]:
        """Open the port; for TCP both kinds on one number, because some devices send UDP all the same."""
        first, last = self._ports
        numbers = list(range(first, last + 1)) if first else [0] * 20
        random.shuffle(numbers)
        for number in numbers:
            datagrams = _bound(self._host, number, socket.SOCK_DGRAM)
            if datagrams is None:
                continue
            datagrams.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BYTES)
            if self._source.transport == "udp":
                return datagrams, None
            listener = _bound(self._host, datagrams.getsockname()[1], socket.SOCK_STREAM)
            if listener is not None:
                listener.listen(4)
                return datagrams, listener
            datagrams.close()
        raise Busy("no free port for media")


class _Connection(asyncio.Protocol):
    """RTP over TCP: two bytes of length before each packet (RFC 4571)."""

    def __init__(
        self,
        feed: Feed,
        stop: Callable[[StreamError], None],
        senders: tuple[str, ...],
        connections: set["_Connection"],
    ) -> None:
        self._feed = feed
        self._stop = stop
        self._senders = senders
        self._connections = connections
        self._host = ""
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass
        self._transport = transport
        address = transport.get_extra_info("peername")
        self._host = address[0] if address else ""
        if self._host not in self._senders:
            self._feed.refused += 1
            transport.abort()
        else:
            self._connections.add(self)

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer
        buffer += data
        at, size = 0, len(buffer)
        try:
            while size - at >= 2:
                end = at + 2 + (buffer[at] << 8 | buffer[at + 1])
                if end > size:
                    break
                self._feed.take(bytes(buffer[at + 2 : end]), self._host)
                at = end
        except StreamError as error:
            self._stop(error)
        except Exception as error:
            log.exception("packets could not be read")
            self._stop(BadMedia(type(error).__name__))
        del buffer[:at]

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        if self in self._connections:
            self._connections.discard(self)
            self._stop(Ended("the device closed the connection"))

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()


def _bound(host: str, port: int, kind: int) -> socket.socket | None:
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, kind)
    try:
        sock.setblocking(False)
        if kind == socket.SOCK_STREAM:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
    except OSError:
        sock.close()
        return None
    return sock


def _close_server(server: asyncio.Server, connections: set[_Connection]) -> None:
    server.close()
    for connection in connections:
        connection.abort()
