"""Posts of the grids: who fills them, which nobody fills, rolled up the tiers, and who shall."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from command.accounts.access import Principal
from command.api.security import require
from command.api.services import Json, KeyOf, Services, ServicesOf
from command.board import Picture
from command.desk import Answer, Command
from command.errors import Malformed, NotFound
from command.geography.staffing import (
    MOST,
    GridStaff,
    Post,
    Staffing,
    Vacancy,
    decide_staff,
    figures,
)
from command.responders import Responder
from gis.areas import GRID, Area

router = APIRouter(tags=["staffing"])
Reader = Annotated[Principal, Depends(require("view.map", "areas.manage", "responders.manage"))]
Keeper = Annotated[Principal, Depends(require("responders.manage"))]

PEOPLE: Final = 50
"""Most people in one answer to a search."""


class StaffBody(BaseModel):
    """Ids of those who shall fill the posts; a kind that is left out stays as it is."""

    model_config = ConfigDict(extra="forbid")

    workers: list[str] | None = Field(default=None, max_length=MOST)
    chiefs: list[str] | None = Field(default=None, max_length=MOST)


@router.get("/staffing")
async def read_staffing(
    me: Reader,
    s: ServicesOf,
    area: str | None = None,
    tier: Annotated[int | None, Query(ge=1, le=4)] = None,
    limit: Annotated[int, Query(ge=1, le=5_000)] = 500,
    cursor: str | None = None,
) -> Json:
    """Say which posts nobody fills in an area, and count them for each area of a tier below it."""
    root = None if area is None else _covered(s, me, area)
    staffing = Staffing(s.district.areas, s.board.responders.values())
    mine = [staff for staff in staffing.within(area) if s.access.covers(me, staff.code)]
    items: list[Json] = []
    following: str | None = None
    for staff in mine:
        if cursor is not None and staff.code <= cursor:
            continue
        if len(items) >= limit:
            break
        items += [vacancy_row(s, me, vacancy) for vacancy in staff.vacancies()]
        following = staff.code
    more = bool(mine) and following is not None and following < mine[-1].code
    return {
        "figures": figures_row(mine),
        "tiers": [] if tier is None else _of_tier(s, me, staffing, root, tier),
        "items": items,
        "next": following if more else None,
    }


@router.get("/staffing/people")
async def find_people(
    me: Keeper,
    s: ServicesOf,
    q: Annotated[str, Query(max_length=60)] = "",
    kind: Annotated[str, Query(pattern="^(grid_worker|grid_chief)$")] = "grid_worker",
) -> Json:
    """Find people of a kind for a post, those with the fewest grids first."""
    words = q.strip().lower()
    found = [
        person
        for person in s.board.responders.values()
        if person.kind == kind
        and (not words or words in person.name.lower() or words in person.id.lower())
        and s.sees(me, "responders", person)
    ]
    found.sort(key=lambda person: (len(person.grids), person.id))
    return {"items": [person_row(person) for person in found[:PEOPLE]], "next": None}


@router.get("/staffing/{code}")
async def read_grid(code: str, me: Reader, s: ServicesOf) -> Json:
    """Say who fills the posts of one grid."""
    return grid_row(s, me, _grid(s, me, code), s.board.responders.values())


@router.put("/staffing/{code}")
async def staff_grid(code: str, body: StaffBody, me: Keeper, s: ServicesOf, key: KeyOf) -> Json:
    """Put people into the posts of a grid; who is not named leaves them and keeps the other grids."""
    grid = _grid(s, me, code)
    wanted: dict[Post, list[str]] = {}
    if body.workers is not None:
        wanted["grid_worker"] = body.workers
    if body.chiefs is not None:
        wanted["grid_chief"] = body.chiefs
    for person in {*(body.workers or ()), *(body.chiefs or ())}:
        found = s.board.responders.get(person)
        if found is None or not s.sees(me, "responders", found):
            raise NotFound("responder", person)

    def answer(picture: Picture) -> Answer:
        return grid_row(s, me, grid, picture.responders.values())

    outcome = await s.desk.submit(
        Command(
            me.actor,
            lambda picture, context: decide_staff(picture, code, wanted, context),
            answer,
            key.key,
            key.fingerprint,
        )
    )
    return outcome.answer


def _covered(s: Services, me: Principal, code: str) -> Area:
    if code not in s.district.areas or not s.access.covers(me, code):
        raise NotFound("area", code)
    return s.district.areas.area(code)


def _grid(s: Services, me: Principal, code: str) -> Area:
    area = _covered(s, me, code)
    if area.tier != GRID:
        raise Malformed("code", "only grids have posts")
    return area


def _of_tier(s: Services, me: Principal, staffing: Staffing, root: Area | None, tier: int) -> list[Json]:
    """Count for each area of a tier at or below the root."""
    index = s.district.areas
    below = index.of_tier(tier) if root is None else (root, *index.descendants(root.code))
    rows = []
    for area in below:
        if area.tier == tier and s.access.covers(me, area.code):
            row = {"code": area.code, "name": area.name, "tier": area.tier, "parent": area.parent}
            rows.append({**row, **figures_row(staffing.within(area.code))})
    return rows


def figures_row(staff: Sequence[GridStaff]) -> Json:
    """Return counts over some grids."""
    counted = figures(staff)
    return {**asdict(counted), "missing": counted.missing}


def vacancy_row(s: Services, me: Principal, vacancy: Vacancy) -> Json:
    """Return a vacancy with those of its stand-ins that the asker may see."""
    area = s.district.areas.area(vacancy.grid)
    return {
        "grid": vacancy.grid,
        "name": area.name,
        "post": vacancy.post,
        "missing": vacancy.missing,
        "stand_ins": _known(s, me, vacancy.stand_ins),
    }


def grid_row(s: Services, me: Principal, grid: Area, people: Iterable[Responder]) -> Json:
    """Return the posts of a grid and their people."""
    staff = Staffing(s.district.areas, people).of(grid)
    return {
        "code": grid.code,
        "posts": staff.posts,
        "filled": staff.filled,
        "missing": staff.missing,
        "headless": staff.headless,
        "chief": staff.chief,
        "chiefs": _known(s, me, staff.chiefs),
        "workers": _known(s, me, staff.workers),
        "stand_ins": _known(s, me, staff.stand_ins),
    }


def _known(s: Services, me: Principal, people: Iterable[Responder]) -> list[Json]:
    return [person_row(person) for person in people if s.sees(me, "responders", person)]


def person_row(person: Responder) -> Json:
    """Return who somebody is, without number and whereabouts."""
    return {
        "responder_id": person.id,
        "name": person.name,
        "kind": person.kind,
        "employment": person.employment,
        "grids": list(person.grids),
        "area": person.area,
    }
