"""Starting an FFmpeg child and reading its frames."""

import asyncio
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from streams import errors
from streams.errors import BadMedia, StreamError, Unreachable
from streams.libav import pipe

_ERRORS = {kind.code: kind for kind in StreamError.__subclasses__()}
_BYE_S = 2.0


@asynccontextmanager
async def child(order: pipe.Open | pipe.Transcode) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a child with its order; it is gone when the block ends."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "streams.libav",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        limit=pipe.MOST_BYTES,
    )
    assert process.stdin is not None
    try:
        process.stdin.write(pipe.frame(pipe.ORDER, msgspec.msgpack.encode(order)))
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        process.stdin.close()
        # It must be waited for even while we are being cancelled, or it stays a zombie.
        await asyncio.shield(asyncio.wait_for(process.wait(), _BYE_S))


async def frames(process: asyncio.subprocess.Process) -> AsyncGenerator[tuple[int, bytes]]:
    """Yield what the child writes.

    Raises:
        StreamError: What the child reported, or that it died.
    """
    assert process.stdout is not None
    while True:
        try:
            head = await process.stdout.readexactly(pipe.HEADER.size)
            length, kind = pipe.HEADER.unpack(head)
            if not 1 <= length <= pipe.MOST_BYTES:
                raise BadMedia(f"a frame of {length} bytes")
            body = await process.stdout.readexactly(length - 1)
        except asyncio.IncompleteReadError:
            raise errors.Ended("the stream ended") from None
        if kind == pipe.FAILED:
            code, detail = msgspec.msgpack.decode(body, type=tuple[str, str])
            raise _ERRORS.get(code, Unreachable)(detail)
        yield kind, body
