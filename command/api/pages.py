"""The pages, their static files and the basemap; everything from this machine, nothing from elsewhere."""

from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Query, Request
from fastapi.responses import FileResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from command.accounts.access import Principal
from command.api.security import public, require
from command.api.services import ServicesOf
from command.api.session import start_kiosk
from command.errors import NotFound

router = APIRouter(include_in_schema=False)
Viewer = Annotated[Principal, Depends(require("view.map"))]


class Static(StaticFiles):
    """Static files that a browser may keep but must ask about: a new version is seen at once."""

    def file_response(self, *args: object, **kwargs: object) -> Response:
        """Add the caching rule to Starlette's answer."""
        response = super().file_response(*args, **kwargs)  # type: ignore[arg-type]
        response.headers["cache-control"] = "no-cache"
        return response

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Serve modules as JavaScript whatever the machine's own type table says."""
        response = await super().get_response(path, scope)
        if path.endswith((".mjs", ".js")):
            response.headers["content-type"] = "text/javascript; charset=utf-8"
        return response


def add_pages(app: FastAPI, static: Path) -> None:
    """Mount the pages and static files on the app."""
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

    @router.get("/service-worker.js", dependencies=[Depends(public)])
    async def service_worker() -> FileResponse:
        return FileResponse(
            static / "service-worker.js", media_type="text/javascript", headers={"cache-control": "no-cache"}
        )

    @router.get("/wall", dependencies=[Depends(public)])
    async def wall(
        request: Request, s: ServicesOf, kiosk: Annotated[str | None, Query(max_length=200)] = None
    ) -> Response:
        if kiosk is None:
            return page("wall.html")
        response = RedirectResponse("/wall", status_code=303)
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
