"""`LibavReader`: a camera that FFmpeg opens."""

import asyncio
import contextlib

import msgspec

from streams.assembler import Assembler
from streams.errors import Stalled
from streams.libav import pipe
from streams.libav.process import child, frames
from streams.libav.slots import Slots
from streams.media import AudioTrack, Sink
from streams.source import Admission, Source


class LibavReader:
    """Reads whatever FFmpeg can open, in a child process.

    Args:
        source: Where.
        admission: What may be opened.
        slots: Places for encoding, for codings that no browser shows.
        stall_s: Longest time without a picture.
        connect_s: Longest time until the first one.
        height_px: Tallest picture when one has to be encoded anew.
    """

    def __init__(
        self,
        source: Source,
        admission: Admission,
        slots: Slots,
        *,
        stall_s: float = 5.0,
        connect_s: float = 15.0,
        height_px: int = 720,
    ) -> None:
        self._source = source
        self._admission = admission
        self._slots = slots
        self._stall_s = stall_s
        self._connect_s = connect_s
        self._height_px = height_px

    async def run(self, sink: Sink) -> None:
        """See `streams.media.Reader`."""
        source = self._source
        self._admission.check_protocol(source.protocol)
        address = file = ""
        if source.protocol == "file":
            file = str(self._admission.check_file(source.path))
        else:
            address = await self._admission.resolve(source.host)
        order = pipe.Open(source, address, file, self._connect_s, self._height_px)
        assembler: Assembler | None = None
        wait_s = self._connect_s
        async with child(order) as process:
            stream = frames(process)
            # A coding that no browser shows takes a place among those who encode, for as long as it runs.
            async with contextlib.aclosing(stream), contextlib.AsyncExitStack() as held:
                while True:
                    try:
                        async with asyncio.timeout(wait_s):
                            kind, body = await anext(stream)
                    except TimeoutError:
                        raise Stalled(f"no picture for {wait_s:g} s") from None
                    if kind == pipe.UNIT:
                        codec, nals, stamp = pipe.unpack_unit(body)
                        if assembler is None:
                            assembler = Assembler(codec, sink)
                        assembler.unit(nals, stamp)
                        wait_s = self._stall_s
                    elif kind == pipe.ENCODES:
                        held.enter_context(self._slots.one())
                    elif kind == pipe.AUDIO:
                        sink.audio(msgspec.msgpack.decode(body, type=AudioTrack))
                    elif kind == pipe.SOUND:
                        sink.sound(body[pipe.STAMP.size :], pipe.STAMP.unpack_from(body)[0])
