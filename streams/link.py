"""Calls, notes and media between two of our processes over one Unix socket.

Both ends are alike: each may serve methods and call the other's. A message is a length, a kind and a payload.
Media has its own kind with a fixed binary header, so that a picture costs one struct and no encoding::

    u32 length of what follows | u8 kind | …
    kind 0  call    u32 id | u8 name length | name | msgpack argument
    kind 1  answer  u32 id | msgpack value
    kind 2  failure u32 id | msgpack [code, detail]
    kind 3  note    u8 name length | name | msgpack argument
    kind 4  media   u32 channel | u8 flags | payload

Both ends are ours, yet the other one may be broken: what cannot be understood is logged and left out, and only
a length that cannot be right ends the link, since nothing after it could be read.
"""

import asyncio
import inspect
import struct
import time
from collections.abc import Callable
from typing import Any, Final, TypeVar, cast

import msgspec
import structlog

from streams import errors
from streams.errors import StreamError

log = structlog.get_logger("streams.link")

T = TypeVar("T")
_LENGTH: Final = struct.Struct("<IB")
_MEDIA: Final = struct.Struct("<IBIB")
_CHANNEL: Final = struct.Struct("<IB")
_CALL, _ANSWER, _FAILURE, _NOTE, _MEDIA_KIND = range(5)
_MOST_BYTES: Final = 64 << 20


class LinkLost(StreamError):
    """The other process is gone."""

    code = "worker_lost"


class Link(asyncio.Protocol):
    """One end of a socket pair.

    Args:
        on_media: Called with (channel, flags, payload) for each piece of media.
        on_lost: Called once when the other end is gone.

    Attributes:
        heard_s: When something last came from the other end, by the monotonic clock.
    """

    def __init__(
        self,
        on_media: Callable[[int, int, bytes], None] | None = None,
        on_lost: Callable[[], None] | None = None,
    ) -> None:
        self._on_media = on_media
        self._on_lost = on_lost
        self._served: dict[str, tuple[Callable[[Any], Any], Any]] = {}
        self._waiting: dict[int, asyncio.Future[bytes]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._next = 0
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None
        self._gathered: list[bytes] = []
        self._gathered_bytes = 0
        self.heard_s = time.monotonic()

    @property
    def open(self) -> bool:
        """Whether the other end can be reached, as far as is known."""
        return self._transport is not None and not self._transport.is_closing()

    def serve(self, name: str, argument: type[T], handler: Callable[[T], Any]) -> None:
        """Serve a method: the handler gets the argument and returns, or awaits, the answer."""
        self._served[name] = (handler, argument)

    async def call(self, name: str, argument: object, answer: type[T], *, timeout_s: float = 10.0) -> T:
        """Call a method of the other end.

        Raises:
            StreamError: What its handler raised, or that it did not answer in time or is gone.
        """
        if not self.open:
            raise LinkLost("the process is not connected")
        self._next += 1
        number = self._next
        future: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        self._send(
            _CALL, struct.pack("<IB", number, len(name)) + name.encode(), msgspec.msgpack.encode(argument)
        )
        try:
            async with asyncio.timeout(timeout_s):
                return msgspec.msgpack.decode(await future, type=answer)
        except TimeoutError:
            raise errors.Unreachable(f"{name}: no answer within {timeout_s:g} s") from None
        except msgspec.MsgspecError as error:
            raise StreamError(f"{name}: an answer of another kind ({error})") from None
        finally:
            self._waiting.pop(number, None)

    def note(self, name: str, argument: object) -> None:
        """Tell the other end something; nothing comes back, and nothing happens when it is gone."""
        self._send(_NOTE, bytes((len(name),)) + name.encode(), msgspec.msgpack.encode(argument))

    def media(self, channel: int, flags: int, payload: bytes) -> None:
        """Send a piece of media."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        # Many cameras' packets arrive in one turn of the loop: one system call takes all of them on.
        if not self._gathered:
            asyncio.get_running_loop().call_soon(self._flush)
        self._gathered += (_MEDIA.pack(len(payload) + 6, _MEDIA_KIND, channel, flags), payload)
        self._gathered_bytes += len(payload)

    def buffered(self) -> int:
        """Return the bytes that the other end has not taken yet."""
        waiting = 0 if self._transport is None else self._transport.get_write_buffer_size()
        return waiting + self._gathered_bytes

    def _flush(self) -> None:
        gathered, self._gathered, self._gathered_bytes = self._gathered, [], 0
        transport = self._transport
        if gathered and transport is not None and not transport.is_closing():
            transport.write(b"".join(gathered))

    def close(self) -> None:
        """Close the link; what was said before still goes out."""
        if self._transport is not None:
            self._flush()
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.Protocol`."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        self.heard_s = time.monotonic()
        buffer = self._buffer
        buffer += data
        start, size = 0, len(buffer)
        view = memoryview(buffer)
        try:
            while size - start >= 5:
                length, kind = _LENGTH.unpack_from(buffer, start)
                if not 1 <= length <= _MOST_BYTES:
                    log.error("link broken", message_bytes=length)
                    assert self._transport is not None
                    self._transport.abort()
                    start = size
                    break
                end = start + 4 + length
                if end > size:
                    break
                try:
                    if kind == _MEDIA_KIND:
                        if self._on_media is not None:
                            channel, flags = _CHANNEL.unpack_from(buffer, start + 5)
                            self._on_media(channel, flags, bytes(view[start + 10 : end]))
                    else:
                        self._take(kind, bytes(view[start + 5 : end]))
                except Exception:  # one bad message must not end the link that carries all the others
                    log.exception("message left out", kind=kind, message_bytes=length)
                start = end
        finally:
            view.release()
            del buffer[:start]

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        del exc
        self._transport = None
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(LinkLost("the process went away"))
        for task in self._tasks:
            task.cancel()
        if self._on_lost is not None:
            self._on_lost()

    def _send(self, kind: int, head: bytes, payload: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._flush()  # what was said before goes before
            self._transport.write(_LENGTH.pack(1 + len(head) + len(payload), kind) + head + payload)

    def _take(self, kind: int, body: bytes) -> None:
        if kind == _CALL:
            number, length = struct.unpack_from("<IB", body)
            name = body[5 : 5 + length].decode()
            task = asyncio.get_running_loop().create_task(self._answer(number, name, body[5 + length :]))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        elif kind == _NOTE:
            name = body[1 : 1 + body[0]].decode()
            if name not in self._served:
                log.warning("note to nobody", method=name)
                return
            handler, argument = self._served[name]
            outcome = handler(msgspec.msgpack.decode(body[1 + body[0] :], type=argument))
            if inspect.iscoroutine(outcome):
                task = asyncio.get_running_loop().create_task(_finish(name, outcome))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
        else:
            number = struct.unpack_from("<I", body)[0]
            future = self._waiting.get(number)
            if future is None or future.done():
                return
            if kind == _ANSWER:
                future.set_result(body[4:])
            else:
                code, detail = msgspec.msgpack.decode(body[4:], type=tuple[str, str])
                future.set_exception(errors.by_code(code)(detail))

    async def _answer(self, number: int, name: str, body: bytes) -> None:
        head = struct.pack("<I", number)
        try:
            if name not in self._served:
                raise errors.Unsupported(f"nobody serves {name} here")
            handler, argument = self._served[name]
            value = handler(msgspec.msgpack.decode(body, type=argument))
            if inspect.isawaitable(value):
                value = await value
            self._send(_ANSWER, head, msgspec.msgpack.encode(value))
        except StreamError as error:
            self._send(_FAILURE, head, msgspec.msgpack.encode((error.code, str(error))))
        except Exception as error:  # one bad call must not end the process that serves all the others
            log.exception("call failed", method=name)
            self._send(_FAILURE, head, msgspec.msgpack.encode(("failed", f"{type(error).__name__}")))


async def _finish(name: str, outcome: Any) -> None:
    try:
        await outcome
    except StreamError as error:
        log.info("note refused", method=name, reason=str(error))
    except Exception:
        log.exception("note failed", method=name)
