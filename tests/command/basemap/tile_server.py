"""A customer's tile server on loopback that can be made to misbehave."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from PIL import Image

KEY = "k-5e1f-secret"


def picture(z: int, x: int, y: int, side: int = 256, kind: str = "PNG") -> bytes:
    """A tile whose colour says which it is."""
    out = io.BytesIO()
    Image.new("RGB", (side, side), (z * 10 % 256, x % 256, y % 256)).save(out, kind)
    return out.getvalue()


class TileServer:
    """Serves `/{z}/{x}/{y}.png?key=…`.

    Attributes:
        mood: well, redirect, html, huge, error, slow or none.
        asked: Tiles asked for, in order.
    """

    def __init__(self) -> None:
        self.mood = "well"
        self.asked: list[tuple[int, int, int]] = []
        self.port = 0
        self._runner: web.AppRunner | None = None
        self._ended = asyncio.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/{{z}}/{{x}}/{{y}}.png?key={KEY}"

    async def start(self) -> None:
        self._ended.clear()
        app = web.Application()
        app.router.add_get("/{z}/{x}/{y}.png", self._answer)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        self._ended.set()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        z, x, y = (int(request.match_info[name]) for name in "zxy")
        self.asked.append((z, x, y))
        if request.query.get("key") != KEY:
            return web.Response(status=403)
        match self.mood:
            case "redirect":
                return web.Response(status=302, headers={"location": f"/{z}/{x}/{y}.png?key={KEY}&again"})
            case "html":
                return web.Response(text="<html>key expired</html>", content_type="image/png")
            case "huge":
                return web.Response(body=picture(z, x, y) + bytes(3 << 20), content_type="image/png")
            case "error":
                return web.Response(status=500)
            case "none":
                return web.Response(status=404)
            case "slow":
                await self._ended.wait()
        return web.Response(body=picture(z, x, y), content_type="text/plain")


@asynccontextmanager
async def tile_server() -> AsyncIterator[TileServer]:
    server = TileServer()
    await server.start()
    try:
        yield server
    finally:
        await server.stop()
