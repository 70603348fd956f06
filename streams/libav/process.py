"""Starting an FFmpeg child and reading its frames."""

import asyncio
import socket
import subprocess
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import msgspec

from streams import errors
from streams.errors import BadMedia, StreamError, Unreachable
from streams.libav import pipe

_ERRORS = {kind.code: kind for kind in StreamError.__subclasses__()}
_BYE_S = 5.0


@dataclass(frozen=True, slots=True)
class Child:
    """A running child: frames come from ``reader``, and go to it through ``writer``."""

    pid: int
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


@asynccontextmanager
async def child(order: pipe.Open | pipe.Transcode) -> AsyncIterator[Child]:
    """Run a child with its order; it is gone when the block ends."""
    ours, theirs = socket.socketpair()
    with theirs:
        # asyncio's own way waits for the child in a task of its own, which a cancelled caller leaves behind.
        process = subprocess.Popen(  # noqa: ASYNC220
            [sys.executable, "-m", "streams.libav"],
            stdin=theirs.fileno(),
            stdout=theirs.fileno(),
            stderr=subprocess.DEVNULL,
        )
    try:
        reader, writer = await asyncio.open_connection(sock=ours, limit=pipe.MOST_BYTES)
        try:
            writer.write(pipe.frame(pipe.ORDER, msgspec.msgpack.encode(order)))
            yield Child(process.pid, reader, writer)
        finally:
            writer.close()
    finally:
        # A killed process is gone within milliseconds; waiting here, also while being cancelled, leaves no zombie.
        process.kill()
        process.wait(_BYE_S)


async def frames(process: Child) -> AsyncGenerator[tuple[int, bytes]]:
    """Yield what the child writes.

    Raises:
        StreamError: What the child reported, or that it died.
    """
    while True:
        try:
            head = await process.reader.readexactly(pipe.HEADER.size)
            length, kind = pipe.HEADER.unpack(head)
            if not 1 <= length <= pipe.MOST_BYTES:
                raise BadMedia(f"a frame of {length} bytes")
            body = await process.reader.readexactly(length - 1)
        except (asyncio.IncompleteReadError, OSError):
            raise errors.Ended("the stream ended") from None
        if kind == pipe.FAILED:
            code, detail = msgspec.msgpack.decode(body, type=tuple[str, str])
            raise _ERRORS.get(code, Unreachable)(detail)
        yield kind, body
