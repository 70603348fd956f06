"""Layers as files to take away. What is in them is decided thing by thing, and each one taken is recorded."""

import asyncio
from pathlib import Path
from typing import Annotated, Final
from uuid import uuid4
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Query
from fastapi.responses import FileResponse
from pydantic import AwareDatetime
from starlette.background import BackgroundTask

from command.accounts.access import Principal
from command.api.security import require
from command.api.services import Json, Services, ServicesOf
from command.errors import Forbidden, NotFound
from command.layers import EXPORTED, Layer
from command.layers.extract import Wish, write
from gis.layer_files import FORMATS, Datum, Format

router = APIRouter(tags=["exports"])
Taker = Annotated[Principal, Depends(require("layers.export"))]
"""A right of its own: to see one thing is not to carry all of them away. Each layer asks for more below."""

TYPES: Final = {
    "gpkg": "application/geopackage+sqlite3",
    "geojson": "application/geo+json",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
}


@router.get("/exports")
async def list_exports(me: Taker, s: ServicesOf) -> Json:
    """List what one may take out, and as what."""
    items = [
        {
            "what": layer.id,
            "title": layer.title,
            "title_en": layer.title_en,
            "formats": list(FORMATS),
            "timed": layer.span is not None,
        }
        for layer in EXPORTED.values()
        if _may(s, me, layer)
    ]
    return {"items": items, "next": None}


@router.get("/exports/{what}.{format}")
async def take(
    what: str,
    format: Format,
    me: Taker,
    s: ServicesOf,
    crs: Annotated[Datum, Query(description="Of the coordinates.")] = "WGS-84",
    area: Annotated[str | None, Query(max_length=64, description="Only what lies in this division.")] = None,
    from_: Annotated[AwareDatetime | None, Query(alias="from", description="Incidents from here on.")] = None,
    to: Annotated[AwareDatetime | None, Query(description="Incidents before.")] = None,
) -> FileResponse:
    """Return a layer as a file, with all of it that the asker may see."""
    layer = EXPORTED.get(what)
    if layer is None:
        raise NotFound("export", what)
    if not _may(s, me, layer):
        raise Forbidden
    if area is not None and (area not in s.district.areas or not s.access.covers(me, area)):
        raise NotFound("area", area)
    wish = Wish(layer, format, crs, area, from_, to)
    wish.check()
    zone, now = ZoneInfo(s.settings.district.timezone), s.clock.now()
    path = s.layers.folder / uuid4().hex
    async with s.layers.slot():
        items = await s.layers.taken(wish, me)
        # Recorded before it is given: what cannot be recorded is not taken out.
        await s.audit.record(
            me.user_id,
            "data.exported",
            f"{layer.id}:{area or s.district.about.code}",
            data={
                "format": format,
                "crs": crs,
                "rows": len(items),
                "from": None if from_ is None else from_.isoformat(),
                "to": None if to is None else to.isoformat(),
            },
        )

        def make() -> None:
            path.parent.mkdir(parents=True, exist_ok=True)
            write(path, wish, items, made_by=me.name, made_at=now, zone=zone)

        await asyncio.to_thread(make)
    return FileResponse(
        path,
        media_type=TYPES[format],
        filename=wish.filename(now.astimezone(zone)),
        headers={"cache-control": "no-store"},
        background=BackgroundTask(_forget, path),
    )


def _may(s: Services, me: Principal, layer: Layer) -> bool:
    # A wall has nobody in front of it whose name could be recorded, whatever a roles file says.
    return me.role != "wall" and any(s.access.allows(me, one) for one in layer.permissions)


def _forget(path: Path) -> None:
    path.unlink(missing_ok=True)
