"""One camera whose pictures carry their number, so that a page can say when it showed which.

Each picture has 24 blocks of 40×40 pixels along its top edge, white for 1. The time a picture's last packet left is
kept by number. A minute of it is coded before anything is measured: a coder beside the browser would take the
processor that the browser needs to show a picture in time.
"""

from __future__ import annotations

import asyncio
import threading
import time

import av
import numpy as np

from bench.video import sender

BITS = 24
BLOCK = 40
READ = """(source) => {
  const canvas = new OffscreenCanvas(960, 40);
  const pen = canvas.getContext('2d', { willReadFrequently: true });
  pen.drawImage(source, 0, 0, 960, 40, 0, 0, 960, 40);
  const { data } = pen.getImageData(0, 20, 960, 1);
  let number = 0;
  for (let bit = 0; bit < 24; bit++) number |= (data[(bit * 40 + 20) * 4] > 128 ? 1 : 0) << bit;
  return number;
}"""


CODED_S = 60


class Stamped(sender.Loop):
    """Numbered pictures, 25 a second, to whoever plays; after a minute from the beginning again."""

    def __init__(self) -> None:
        self.sets: list[bytes] = []
        self.sessions = set()
        self.frozen = False
        self.sent_at: dict[int, float] = {}
        self.port = 0
        self.connections: set[asyncio.Transport] = set()
        self._server: asyncio.Server | None = None
        self._context = context = av.CodecContext.create("libx264", "w")
        context.width, context.height, context.pix_fmt = (*sender.SIZE, "yuv420p")
        context.framerate, context.bit_rate = sender.FPS, sender.BIT_RATE
        context.options = {
            "preset": "ultrafast",
            "tune": "zerolatency",
            "x264-params": f"keyint={sender.GOP}:scenecut=0:slices=1:sliced-threads=0:repeat-headers=1",
        }
        width, height = sender.SIZE
        rng = np.random.default_rng(1)
        self._ground = rng.integers(60, 160, (height // 8, width // 8, 3), np.uint8).repeat(8, 0).repeat(8, 1)
        self._coded_units = [
            sender.access_units(self._coded(number))[0] for number in range(CODED_S * sender.FPS)
        ]

    def _coded(self, number: int) -> bytes:
        image = self._ground.copy()
        for bit in range(BITS):
            image[:BLOCK, bit * BLOCK : (bit + 1) * BLOCK] = 235 if number >> bit & 1 else 16
        image[300:460, (number * 12) % (sender.SIZE[0] - 160) :][:, :160] = 200
        frame = av.VideoFrame.from_ndarray(image, format="rgb24")
        return b"".join(bytes(packet) for packet in self._context.encode(frame))

    async def run(self) -> None:
        """Send until cancelled."""
        loop = asyncio.get_running_loop()
        began, number, sequence = loop.time(), 0, 0
        self.sets = [nal for nal in self._coded_units[0] if nal[0] & 31 in (7, 8)]
        while True:
            await asyncio.sleep(max(0.0, began + number / sender.FPS - loop.time()))
            shown = number % len(self._coded_units)
            stamp = number * 90_000 // sender.FPS
            packets, sequence = sender.packets(self._coded_units[shown], stamp, sequence)
            number += 1
            if self.frozen:
                continue
            self.sent_at[shown] = time.time()
            for session in list(self.sessions):
                session.push(packets)

    async def listen(self) -> None:
        """Open the port, the same one again after `cut`."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: Numbered(self), "127.0.0.1", self.port, reuse_address=True
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """Close the port and every session."""
        if self._server is not None:
            self._server.close()
        for transport in list(self.connections):
            transport.abort()


class Numbered(sender.Session):
    """A session of a stamped camera; it begins with a key frame."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.Protocol`."""
        super().connection_made(transport)
        self._loop.connections.add(self._transport)  # type: ignore[attr-defined]

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        super().connection_lost(exc)
        self._loop.connections.discard(self._transport)  # type: ignore[attr-defined]

    def push(self, data: bytes) -> None:
        """Send a picture."""
        self._transport.write(data)


class StampedThread:
    """The stamped camera in a thread of its own, to be told what to do from another."""

    def __init__(self) -> None:
        self.camera = Stamped()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.call(self.camera.listen())
        asyncio.run_coroutine_threadsafe(self.camera.run(), self._loop)

    def call(self, work: object) -> None:
        """Do something in the camera's thread and wait for it."""
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)  # type: ignore[arg-type]

    def close(self) -> None:
        """End it."""
        self.call(self.camera.cut())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
