"""The pages, their static files and the basemap; everything from this machine, nothing from elsewhere."""

import asyncio
import gzip
import os
from pathlib import Path
from typing import Annotated, Final

from fastapi import APIRouter, Depends, FastAPI, Query, Request
from fastapi.responses import FileResponse, RedirectResponse, Response
from starlette.datastructures import Headers
from starlette.middleware.gzip import GZipMiddleware
from starlette.staticfiles import PathLike, StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from command.accounts.access import Principal
from command.api.security import public, require
from command.api.services import ServicesOf
from command.api.session import start_kiosk
from command.errors import NotFound

Viewer = Annotated[
    Principal, Depends(require("view.map", "areas.manage", "camera.manage", "responders.manage"))
]
"""Whoever sees the map, or brings files in and looks at them over it first."""


PACKED: Final = frozenset({".js", ".mjs", ".css", ".html", ".json", ".svg", ".txt", ".webmanifest"})
"""What is sent compressed; fonts and tiles are compressed already."""
PACKED_ALREADY: Final = (".jpg", ".mp4")
"""Endings of the API's answers that are pictures."""


class Static(StaticFiles):
    """Static files that a browser may keep but must ask about: a new version is seen at once.

    Text is compressed once per version and then sent from memory: the whole console is a few megabytes.
    """

    def __init__(self, directory: Path) -> None:
        super().__init__(directory=directory)
        self._packed: dict[str, tuple[str, bytes]] = {}

    def file_response(
        self, full_path: PathLike, stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        """Add the caching rule to Starlette's answer."""
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers["cache-control"] = "no-cache"
        return response

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Serve modules as JavaScript whatever the machine's own type table says."""
        response = await super().get_response(path, scope)
        if path.endswith((".mjs", ".js")):
            response.headers["content-type"] = "text/javascript; charset=utf-8"
        if Path(path).suffix in PACKED:
            response.headers["vary"] = "accept-encoding"
            accepted = Headers(scope=scope).get("accept-encoding", "")
            if isinstance(response, FileResponse) and response.status_code == 200 and "gzip" in accepted:
                return await self._pack(path, response)
        return response

    async def _pack(self, path: str, response: FileResponse) -> Response:
        version = response.headers["etag"]
        known = self._packed.get(path)
        if known is None or known[0] != version:
            content = await asyncio.to_thread(Path(response.path).read_bytes)
            known = (version, await asyncio.to_thread(gzip.compress, content, 6))
            self._packed[path] = known
        headers = {name: value for name, value in response.headers.items() if name != "content-length"}
        return Response(known[1], headers={**headers, "content-encoding": "gzip"})


class PackedAnswers:
    """Compresses what the API and /ogc answer. Tiles and clips answer byte ranges and must not be touched.

    Args:
        app: The application behind.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._packing = GZipMiddleware(app, minimum_size=2_048, compresslevel=4)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or connection."""
        path = scope.get("path", "")
        text = path.startswith(("/api/", "/ogc/")) and not path.endswith(PACKED_ALREADY)
        packs = scope["type"] == "http" and text
        await (self._packing if packs else self._app)(scope, receive, send)


def add_pages(app: FastAPI, static: Path) -> None:
    """Mount the pages and static files on the app."""
    router = APIRouter(include_in_schema=False)
    app.mount("/static", Static(directory=static), name="static")

    def page(name: str) -> FileResponse:
        return FileResponse(static / name, headers={"cache-control": "no-cache"})

    @router.get("/", dependencies=[Depends(public)])
    async def console() -> FileResponse:
        return page("index.html")

    @router.get("/login", dependencies=[Depends(public)])
    async def login() -> FileResponse:
        return page("login.html")

    @router.get("/field", dependencies=[Depends(public)])
    async def field() -> FileResponse:
        return page("field.html")

    @router.get("/video", dependencies=[Depends(public)])
    async def video() -> FileResponse:
        return page("video.html")

    @router.get("/lead", dependencies=[Depends(public)])
    async def lead() -> FileResponse:
        return page("lead.html")

    @router.get("/admin", dependencies=[Depends(public)])
    async def admin() -> FileResponse:
        return page("admin.html")

    @router.get("/service-worker.js", dependencies=[Depends(public)])
    async def service_worker() -> FileResponse:
        return FileResponse(
            static / "service-worker.js", media_type="text/javascript", headers={"cache-control": "no-cache"}
        )

    @router.get("/wall", dependencies=[Depends(public)])
    async def wall(
        request: Request,
        s: ServicesOf,
        kiosk: Annotated[str | None, Query(max_length=200)] = None,
        theme: Annotated[str | None, Query(pattern="^(overview|coverage|rotate)$")] = None,
    ) -> Response:
        if kiosk is None:
            return page("wall.html")
        response = RedirectResponse("/wall" if theme is None else f"/wall?theme={theme}", status_code=303)
        await start_kiosk(request, response, s, kiosk)
        return response

    @router.get("/tiles/basemap.pmtiles")
    async def basemap(me: Viewer, s: ServicesOf) -> FileResponse:
        del me
        path = s.district.basemap
        if path is None:
            raise NotFound("basemap", "basemap.pmtiles", "No roads were imported yet.")
        return FileResponse(
            path, media_type="application/octet-stream", headers={"cache-control": "private, no-cache"}
        )

    @router.get("/docs", dependencies=[Depends(public)])
    async def docs() -> FileResponse:
        return page("docs.html")

    app.include_router(router)
