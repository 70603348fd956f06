"""The customer's basemaps: what there is and how it is, single tiles, and keeping them."""

import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, ConfigDict, Field

from command.accounts.access import Principal
from command.api.security import require
from command.api.services import Json, Services, ServicesOf
from command.basemap import Slot, TileSource
from command.basemap.fetch import TileRefused
from command.basemap.prepare import Wish
from command.errors import Unavailable

router = APIRouter(tags=["geography"])
tiles_router = APIRouter(include_in_schema=False)
Viewer = Annotated[Principal, Depends(require("view.map", "areas.manage"))]
Geographer = Annotated[Principal, Depends(require("areas.manage"))]

_A_DAY_S: Final = 86_400
_SOON_S: Final = 30


class SourceBody(BaseModel):
    """A tile server. Its address may hold a key: it is sealed and never shown again."""

    model_config = ConfigDict(extra="forbid")

    url: str = Field(min_length=1, max_length=2_000)
    name: str = Field(default="", max_length=60)
    attribution: str = Field(default="", max_length=120)
    crs: str = Field(default="WGS-84", max_length=20)
    min_zoom: int | None = Field(default=None, ge=0, le=22)
    max_zoom: int | None = Field(default=None, ge=0, le=22)
    preferred: bool = False


@router.get("/basemap/sources")
async def list_sources(me: Viewer, s: ServicesOf) -> Json:
    """List the customer's basemaps, how they are drawn, and whether they answer."""
    keeps = s.access.allows(me, "areas.manage")
    rows = [_row(s, source, keeps=keeps) for source in s.basemap.sources]
    return {"items": rows, "next": None, "own": await asyncio.to_thread(_version, s.district.basemap)}


@router.put("/basemap/sources/{slot}")
async def put_source(slot: Slot, body: SourceBody, me: Geographer, s: ServicesOf) -> Json:
    """Put a tile server in force, after one look at a tile of the district."""
    wish = Wish(slot, **body.model_dump(exclude={"url"}))
    source, revision = await s.basemap_office.put_address(body.url, wish, me.actor)
    await s.audit.record(me.user_id, "basemap.put", slot, data={"host": source.host, "crs": source.datum})
    await s.basemap.load()
    return {**_row(s, source, keeps=True), "revision": revision.number}


@router.delete("/basemap/sources/{slot}")
async def drop_source(slot: Slot, me: Geographer, s: ServicesOf) -> Json:
    """Take a basemap away; its revision can be undone."""
    revision = await s.basemap_office.remove(slot, me.actor)
    await s.audit.record(me.user_id, "basemap.dropped", slot)
    await s.basemap.load()
    return {"revision": revision.number}


@tiles_router.get("/basemap/{slot}/{z}/{x}/{y}")
async def tile(slot: Slot, z: int, x: int, y: int, me: Viewer, s: ServicesOf) -> Response:
    """Return one tile, from here: the browser never learns where it came from."""
    del me
    try:
        found = await s.basemap.tile(slot, z, x, y)
    except TileRefused:
        # Why stands in the list of sources; a map asks for forty of these at once.
        raise Unavailable("The basemap does not answer.") from None
    fresh_s = _A_DAY_S if found.age_s is None else _SOON_S
    headers = {"cache-control": f"private, max-age={fresh_s}"}
    if found.age_s is not None:
        headers["x-tile-age-s"] = f"{found.age_s:.0f}"
    if found.packed:
        headers["content-encoding"] = "gzip"
    return Response(found.content, media_type=found.media_type, headers=headers)


def _version(path: Path | None) -> str | None:
    """Return what tells our own basemap from the one before it; None where there is none."""
    if path is None:
        return None
    stat = path.stat()
    return f"{stat.st_mtime_ns:x}-{stat.st_size:x}"


def _row(s: Services, source: TileSource, *, keeps: bool) -> Json:
    """Return a source as everybody may know it; where it comes from only for those who keep it."""
    known = source.slot in {one.slot for one in s.basemap.sources}
    row: Json = {
        "slot": source.slot,
        "version": source.version,
        "name": source.name,
        "attribution": source.attribution,
        "crs": source.datum,
        "content": source.content,
        "schema": source.schema,
        "layers": list(source.layers),
        "side_px": source.side_px,
        "min_zoom": source.min_zoom,
        "max_zoom": source.max_zoom,
        "bounds": source.bounds,
        "preferred": source.preferred,
        "health": asdict(s.basemap.health(source.slot)) if known else None,
    }
    if keeps:
        row["origin"] = source.host or source.file
    return row
