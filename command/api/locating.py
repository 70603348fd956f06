"""Many points at once, and who looks after the grid of a point."""

import asyncio
from collections.abc import Mapping
from typing import Annotated, Final

import msgspec
import numpy as np
from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, ConfigDict, Field

from command.accounts.access import Principal
from command.api.security import require
from command.api.services import Json, Services, ServicesOf
from command.district import District
from gis.areas import GRID
from gis.locate import NONE

router = APIRouter(tags=["areas"])
Viewer = Annotated[Principal, Depends(require("view.map"))]

MOST_POINTS: Final = 20_000

Lon = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
Lat = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]


class PointsBody(BaseModel):
    """Points in degrees, WGS-84, longitude first, and if it matters the category of what happens there."""

    model_config = ConfigDict(extra="forbid")

    points: list[tuple[Lon, Lat]] = Field(max_length=MOST_POINTS)
    category: str | None = Field(default=None, max_length=40)


@router.post("/locate")
async def locate_many(body: PointsBody, me: Viewer, s: ServicesOf) -> Response:
    """Say of up to 20,000 points which area of each tier, which beat and whose grid each lies in.

    On a shared border the smallest code counts. With a category each point also names the department that is
    responsible for it there.
    """
    category = None if body.category is None else s.policy.check_category(body.category)
    called = None if category is None else s.policy.categories.get(category)
    district = s.district
    owners = {
        grid: row for grid, key in s.proposals.owners().items() if (row := _owner(s, me, key)) is not None
    }
    answer = await asyncio.to_thread(_located, district, body.points, owners, category, called)
    return Response(answer, media_type="application/json")


def owner_row(s: Services, me: Principal, grid: str | None) -> Json | None:
    """Return who looks after a grid; None where nobody does, or nobody that the asker may see."""
    return _owner(s, me, s.proposals.owners().get(grid, "")) if grid is not None else None


def _owner(s: Services, me: Principal, responder_id: str) -> Json | None:
    person = s.board.responders.get(responder_id)
    if person is None or not s.sees(me, "responders", person):
        return None
    return {"responder_id": person.id, "name": person.name, "kind": person.kind, "on_duty": person.on_duty}


def _located(
    district: District,
    points: list[tuple[float, float]],
    owners: Mapping[str, Json],
    category: str | None,
    called: str | None,
) -> bytes:
    """Locate the points and write the answer: each kind of thing once, then codes for every point."""
    locator = district.areas.locator
    spots = np.array(points, dtype=np.float64).reshape(-1, 2)
    found = locator.locate(spots[:, 0], spots[:, 1])
    # Points that lie in the same areas get one answer, which is written as often as there are points.
    rows = np.column_stack([found.areas, found.beat])
    kinds, kind = np.unique(rows, axis=0, return_inverse=True)
    answers: list[msgspec.Raw] = []
    for row in kinds.tolist():
        areas = {
            tier: locator.areas[area].code
            for tier, area in zip(found.tiers, row[:-1], strict=True)
            if area != NONE
        }
        item: Json = {
            "areas": {str(tier): code for tier, code in areas.items()},
            "beat": None if row[-1] == NONE else locator.beats[row[-1]].code,
            "owner": owner["responder_id"] if (owner := owners.get(areas.get(GRID, ""))) else None,
        }
        if category is not None:
            who = district.responsibility.responsible(category, areas, called=called)
            item["department"] = None if who is None else who.department
        answers.append(msgspec.Raw(msgspec.json.encode(item)))
    used = [locator.areas[n] for n in np.unique(found.areas).tolist() if n != NONE]
    beats = [locator.beats[n] for n in np.unique(found.beat).tolist() if n != NONE]
    return msgspec.json.encode(
        {
            "items": [answers[n] for n in kind.ravel().tolist()],
            "areas": {
                area.code: {"name": area.name, "tier": area.tier, "label": area.label} for area in used
            },
            "beats": {beat.code: {"name": beat.name, "station": beat.station} for beat in beats},
            "owners": {
                row["responder_id"]: row for area in used if (row := owners.get(area.code)) is not None
            },
            "next": None,
        }
    )
