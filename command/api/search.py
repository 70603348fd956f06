"""One search box over everything the asker may see."""

import asyncio
from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from command.accounts.access import Principal
from command.api.geo_query import BBox, parse_bbox
from command.api.security import require
from command.api.services import Json, Services, ServicesOf
from command.errors import Malformed, NotFound
from command.search import KIND_OF, Allowed, Box, Type

router = APIRouter(tags=["search"])
Viewer = Annotated[Principal, Depends(require("view.map"))]


class PickBody(BaseModel):
    """What was chosen of the things found."""

    model_config = ConfigDict(extra="forbid")

    type: Type
    id: str = Field(min_length=1, max_length=200)


@router.get("/search")
async def search(
    me: Viewer,
    s: ServicesOf,
    q: Annotated[str, Query(max_length=80)],
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    near: Annotated[str | None, Query(max_length=60, description="lon,lat in degrees, WGS-84")] = None,
    bbox: BBox = None,
    type: Annotated[list[Type] | None, Query()] = None,
) -> Json:
    """Find areas, beats, roads, addresses, places, people, cameras and incidents: see the user guide."""
    view = _view(near, bbox)
    if not s.search.warmed:
        # Asked in the first moment after the start: wait for the names rather than answer without them.
        await asyncio.to_thread(s.search.warm)
    if s.search.untidy:
        await s.search.tidy()
    hits = await s.search.ask(q, _allowed(s, me), limit, view=view, types=type)
    return {"items": [asdict(hit) for hit in hits], "next": None}


@router.post("/search/picks", status_code=204)
async def pick(body: PickBody, me: Viewer, s: ServicesOf) -> None:
    """Say that this was the one: it comes higher the next time. Who said so is not kept."""
    if body.type != "point":
        if not s.search.warmed:
            await asyncio.to_thread(s.search.warm)
        if not s.search.knows(body.type, body.id) or not _allowed(s, me)(body.type, body.id):
            raise NotFound(body.type, body.id)
        await s.search.choose(body.type, body.id)


def _allowed(s: Services, me: Principal) -> Allowed:
    seen = s.access.view_for(me, s.lookup)

    areas = s.district.areas
    beats = {beat.code: beat for beat in areas.beats}

    def allowed(kind: Type, key: str) -> bool:
        if kind == "beat":
            # A beat lies in one's area as far as its grids do; one without grids only in the whole district.
            beat = beats.get(key)
            return beat is not None and any(s.access.covers(me, grid) for grid in beat.grids or (None,))
        plural = KIND_OF.get(kind)
        if plural is None:
            return kind != "area" or s.access.covers(me, key)
        entity = s.board.kind(plural).get(key)
        return entity is not None and seen.sees(plural, key, entity)

    return allowed


def _view(near: str | None, bbox: str | None) -> Box | None:
    """Return what is seen, as a box on the globe."""
    if near is None:
        box = parse_bbox(bbox)
    else:
        lon, _, lat = near.partition(",")
        try:
            box = parse_bbox(f"{lon},{lat},{lon},{lat}")
        except Malformed:
            raise Malformed("near", "two numbers: lon,lat") from None
    if box is not None and not (-180 <= box[0] and box[2] <= 180 and -90 <= box[1] and box[3] <= 90):
        raise Malformed("bbox" if near is None else "near", "degrees on the globe")
    return box
