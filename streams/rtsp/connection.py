"""One RTSP connection: takes media and messages apart as they arrive, synchronously.

Media between ``$`` marks goes straight to the handler of its channel, as a slice of what the socket gave; nothing
is queued. A message wakes whoever waits for it.
"""

import asyncio
from collections.abc import Callable
from typing import Final, cast

from streams.errors import BadMedia, Ended, StreamError, Unreachable
from streams.rtsp.messages import MOST_HEADER_BYTES, Request, Response, body_length, parse_head, write

Handler = Callable[[bytes, int, int], None]
"""Gets a buffer and where in it the packet begins and ends."""

_MARK: Final = 0x24
_MESSAGES: Final = (
    b"RTSP/",
    b"OPTIONS ",
    b"GET_PARAMETER ",
    b"SET_PARAMETER ",
    b"ANNOUNCE ",
    b"REDIRECT ",
    b"TEARDOWN ",
    b"PLAY_NOTIFY ",
)
_LONGEST_NAME: Final = max(map(len, _MESSAGES))
_MOST_JUNK_BYTES: Final = 64 << 10


class Connection(asyncio.Protocol):
    """The socket's end of a session.

    Attributes:
        ended: Set, with the reason as its exception, when the connection is over.
    """

    def __init__(self) -> None:
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._transport: asyncio.Transport | None = None
        self._channels: list[Handler | None] = [None] * 256
        self._held = bytearray()
        self._need = 0
        self._junk = 0
        self._number = 0
        self._waiting: dict[int, asyncio.Future[Response]] = {}

    def on_channel(self, channel: int, handler: Handler) -> None:
        """Give the packets of an interleaved channel to a handler."""
        self._channels[channel] = handler

    def send(self, method: str, url: str, fields: list[tuple[str, str]]) -> asyncio.Future[Response]:
        """Send a request.

        Returns:
            The answer to come; the caller may drop it.
        """
        future: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        if self._transport is None or self._transport.is_closing():
            future.cancel()
            return future
        self._number += 1
        number = self._number
        self._waiting[number] = future
        future.add_done_callback(lambda _: self._waiting.pop(number, None))
        self._transport.write(write(f"{method} {url} RTSP/1.0", [("CSeq", str(number)), *fields]))
        return future

    def mute(self) -> None:
        """Leave out media from now on."""
        self._channels = [None] * 256

    async def close(self) -> None:
        """Close the socket."""
        self.mute()
        for future in list(self._waiting.values()):
            future.cancel()
        if self._transport is not None:
            self._transport.abort()
            await asyncio.shield(self._closed)
        if self.ended.done() and not self.ended.cancelled():
            self.ended.exception()  # seen

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.Protocol`."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's does not derive from it

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        del exc
        self._fail(Ended("the device closed the connection"))
        if not self._closed.done():
            self._closed.set_result(None)

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        held = self._held
        if held:
            held += data
            if len(held) < self._need:
                return
            data = bytes(held)
            held.clear()
        at, size = 0, len(data)
        channels = self._channels
        try:
            while at < size:
                if data[at] == _MARK:
                    if size - at < 4:
                        self._need = 4
                        break
                    start = at + 4
                    end = start + ((data[at + 2] << 8) | data[at + 3])
                    if end > size:
                        self._need = end - at
                        break
                    handler = channels[data[at + 1]]
                    if handler is not None:
                        handler(data, start, end)
                    at = end
                else:
                    after = self._message(data, at)
                    if after == at:
                        break
                    at = after
        except StreamError as error:
            self._fail(error)
            return
        if at < size and not self.ended.done():
            held += data[at:] if at else data

    def _message(self, data: bytes, at: int) -> int:
        """Take the message that begins here.

        Returns:
            Where it ends, or ``at`` while it is not all there.
        """
        start = data[at : at + _LONGEST_NAME]
        if not start.startswith(_MESSAGES):
            if any(name.startswith(start) for name in _MESSAGES):
                self._need = len(data) - at + 1
                return at
            return self._skip(data, at)
        blank, after = data.find(b"\r\n\r\n", at), 4
        if blank < 0:
            blank, after = data.find(b"\n\n", at), 2
        if blank < 0:
            if len(data) - at > MOST_HEADER_BYTES:
                raise BadMedia("a message without an end")
            self._need = len(data) - at + 1
            return at
        if blank - at > MOST_HEADER_BYTES:
            raise BadMedia("a message header of more than 64 KiB")
        message = parse_head(data[at:blank])
        start_of_body = blank + after
        end = start_of_body + body_length(message.headers)
        if end > len(data):
            self._need = end - at
            return at
        self._take(message, data[start_of_body:end])
        return end

    def _skip(self, data: bytes, at: int) -> int:
        """Pass over what is neither media nor a message: some devices miscount."""
        found = [data.find(b"RTSP/", at + 1)]
        for channel, handler in enumerate(self._channels):
            if handler is not None:
                found.append(data.find(bytes((_MARK, channel)), at + 1))
        after = min((place for place in found if place >= 0), default=len(data))
        if after > at + 1 and after == len(data) and data[-1] in b"$R":
            after -= 1
        self._junk += after - at
        if self._junk > _MOST_JUNK_BYTES:
            raise BadMedia("the connection carries something that is not RTSP")
        return after

    def _take(self, message: Response | Request, body: bytes) -> None:
        if isinstance(message, Request):
            self._answer(message)
            return
        if message.status < 200:
            return
        number = message.headers.number("cseq")
        if number is None and len(self._waiting) == 1:
            number = next(iter(self._waiting))
        future = self._waiting.pop(number, None) if number is not None else None
        if future is not None and not future.done():
            future.set_result(Response(message.status, message.reason, message.headers, body))

    def _answer(self, request: Request) -> None:
        known = request.method in ("OPTIONS", "GET_PARAMETER", "SET_PARAMETER", "ANNOUNCE", "TEARDOWN")
        fields = [("CSeq", (request.headers.get("cseq") or "0")[:20])]
        if self._transport is not None:
            self._transport.write(write(f"RTSP/1.0 {'200 OK' if known else '501 Not Implemented'}", fields))
        if request.method == "TEARDOWN":
            self._fail(Ended("the device ended the session"))
        elif request.method == "REDIRECT":
            self._fail(Unreachable("the device redirects elsewhere, which is not followed"))

    def _fail(self, error: StreamError) -> None:
        if not self.ended.done():
            self.ended.set_exception(error)
        self._held.clear()
        for future in list(self._waiting.values()):
            future.cancel()
        if self._transport is not None:
            self._transport.abort()
