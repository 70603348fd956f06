"""Pre-built frames under uvicorn: straight from the tick to the transport.

Sending through ASGI costs a coroutine, a message and a frame for every client; writing one ready frame to the
transport costs a call. `FrameProtocol` is uvicorn's own WebSocket protocol and leaves a `TransportSink` in
the connection's state. Anywhere else (a test client, another server) `AsgiSink` takes the same frames apart
and sends them through ASGI.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from typing import Any, Final

from starlette.websockets import WebSocket, WebSocketState
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

from command.api.quick_http import QuickHttp
from command.framing import TEXT, FrameSink, split_frame

__all__ = ["UVICORN_OPTIONS", "AsgiSink", "FrameProtocol", "TransportSink", "frame_sink"]

_STATE_KEY: Final = "frame_sink"
_CLOSE_GRACE_S: Final = 2.0


class TransportSink:
    """Writes frames to a transport of uvicorn, past its ASGI send."""

    __slots__ = ("_protocol", "_transport")

    def __init__(self, protocol: FrameProtocol) -> None:
        self._protocol = protocol
        self._transport = protocol.transport

    def write(self, frame: bytes) -> None:
        """Hand a frame to the transport unless the connection is closing."""
        if not (self._transport.is_closing() or self._protocol.close_sent):
            self._transport.write(frame)

    def buffered(self) -> int:
        """Bytes the kernel has not taken yet."""
        return self._transport.get_write_buffer_size()

    def close(self, code: int, reason: str = "") -> None:
        """Close with a code; a peer that does not read is cut off after two seconds."""
        self._protocol.close_now(code, reason)


class FrameProtocol(WebSocketsSansIOProtocol):
    """uvicorn's WebSocket protocol that gives its endpoint a `TransportSink` and lets go of dead peers."""

    def handle_connect(self, event: Request) -> None:
        """Put the sink into the state that uvicorn copies into the scope."""
        self.app_state = {**self.app_state, _STATE_KEY: TransportSink(self)}
        super().handle_connect(event)

    def close_now(self, code: int, reason: str) -> None:
        """Send a close frame without waiting for the write buffer, then abort if the peer does not answer."""
        if self.close_sent or self.transport.is_closing():
            return
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        self.conn.send_close(code, reason)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self.stop_keepalive()
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()
        # A plain close would wait for the buffer of a peer that has stopped reading, which may be for ever.
        self.close_timer = self.loop.call_later(_CLOSE_GRACE_S, self.transport.abort)

    def keepalive_timeout(self) -> None:
        """A peer that does not answer pings is gone: free the socket now, whatever waits to be sent to it."""
        super().keepalive_timeout()
        self.transport.abort()


UVICORN_OPTIONS: Final[dict[str, Any]] = {
    "http": QuickHttp,
    "ws": FrameProtocol,
    "ws_per_message_deflate": False,  # costs 20 times the sending and saves a fifth of binary records
    "ws_max_size": 1 << 20,
    "ws_ping_interval": 7.0,  # a half-open socket is noticed within 14 s
    "ws_ping_timeout": 7.0,
    # Trackers report every few seconds and proxies keep connections for a minute: one closed just when they use it
    # again costs them that report. Uvicorn's own 5 s is just such an interval.
    "timeout_keep_alive": 75,
    "backlog": 2048,
}
"""What `uvicorn.Config` needs besides host, port and the application."""


class AsgiSink:
    """The same interface through ASGI, for servers and test clients without a transport to reach."""

    def __init__(self, websocket: WebSocket) -> None:
        self._websocket = websocket
        self._queue: deque[bytes | tuple[int, str]] = deque()
        self._size = 0
        self._wake = asyncio.Event()
        self._closing = False
        self._task = asyncio.get_running_loop().create_task(self._run())

    def write(self, frame: bytes) -> None:
        """Queue a frame."""
        if not self._closing:
            self._queue.append(frame)
            self._size += len(frame)
            self._wake.set()

    def buffered(self) -> int:
        """Bytes queued."""
        return self._size

    def close(self, code: int, reason: str = "") -> None:
        """Close after what is queued."""
        if not self._closing:
            self._closing = True
            self._queue.append((code, reason))
            self._wake.set()

    async def stop(self) -> None:
        """End the sender, after the close frame if one is due; call it when the connection is over."""
        if self._closing:
            await asyncio.wait([self._task], timeout=_CLOSE_GRACE_S)
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._queue:
                item = self._queue.popleft()
                if self._websocket.application_state is not WebSocketState.CONNECTED:
                    return
                try:
                    if isinstance(item, tuple):
                        await self._websocket.close(*item)
                        return
                    self._size -= len(item)
                    opcode, payload = split_frame(item)
                    if opcode == TEXT:
                        await self._websocket.send_text(payload.decode())
                    else:
                        await self._websocket.send_bytes(payload)
                except (RuntimeError, OSError):  # the peer left; the endpoint hears of it by itself
                    return


def frame_sink(websocket: WebSocket) -> FrameSink:
    """The sink of an accepted connection: the transport's where there is one."""
    found: FrameSink | None = websocket.scope.get("state", {}).get(_STATE_KEY)
    return found if found is not None else AsgiSink(websocket)
