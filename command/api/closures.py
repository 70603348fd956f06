"""Road closures: drawn, shown, changed and ended."""

from typing import Annotated, Final, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from command.accounts.access import Principal
from command.api.geo_query import BBox, parse_bbox
from command.api.security import require
from command.api.services import Json, KeyOf, Services, ServicesOf, wire
from command.closure_operations import live
from command.closures import MOST_POINTS, STOPPED, Closure, Profile, Wish
from command.errors import Forbidden, NotFound

router = APIRouter(tags=["closures"])
Viewer = Annotated[Principal, Depends(require("view.map"))]
Closer = Annotated[Principal, Depends(require("roads.close"))]

Degrees = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
Point = tuple[Degrees, Degrees]
DECIMALS: Final = 7


class DrawingBody(BaseModel):
    """What is drawn: a point on a road, a line along or across roads, or an area's outer ring; longitude first."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["point", "line", "polygon"]
    coordinates: list[Point] = Field(min_length=1, max_length=MOST_POINTS)
    direction: Literal["both", "along", "against"] = "both"
    profiles: list[Profile] = Field(default=list(STOPPED), min_length=1, max_length=3)


class ClosureBody(DrawingBody):
    """A closure. `starts_at` null: from now on (a changed one: as it was); `ends_at` null: until it is ended."""

    reason: str = Field(min_length=1, max_length=200)
    starts_at: AwareDatetime | None = None
    ends_at: AwareDatetime | None = None


class ChangeBody(ClosureBody):
    """The closure as it shall be."""

    expected_version: int | None = Field(default=None, ge=1)


class EndBody(BaseModel):
    """Why it ends before its time."""

    model_config = ConfigDict(extra="forbid")

    reason: str | None = Field(default=None, max_length=200)
    expected_version: int | None = Field(default=None, ge=1)


@router.get("/closures")
async def list_closures(
    me: Viewer,
    s: ServicesOf,
    state: Annotated[
        str | None,
        Query(
            pattern="^(planned|in_force|ended)(,(planned|in_force|ended))*$",
            description="States, separated by commas; omitted: those planned and in force.",
        ),
    ] = None,
    bbox: BBox = None,
) -> Json:
    """List closures, the one that begins first at the top; ended ones stay for a day."""
    wanted = {"planned", "in_force"} if state is None else set(state.split(","))
    box = parse_bbox(bbox)
    rows = [
        wire(one)
        for one in sorted(s.board.closures.values(), key=lambda one: (one.starts_at, one.id))
        if one.state in wanted and s.sees(me, "closures", one) and (box is None or _meets(one, box))
    ]
    return {"items": rows, "next": None}


@router.get("/closures.geojson")
async def closures_geojson(me: Viewer, s: ServicesOf) -> Json:
    """Return the stretches of road that closures planned or in force close, one feature each, for maps."""
    shown = [one for one in live(s.board.closures) if s.sees(me, "closures", one)]
    return await s.operations.closures.lines(shown)


@router.post("/closures", status_code=201)
async def draw_closure(body: ClosureBody, me: Closer, s: ServicesOf, key: KeyOf) -> Json:
    """Close roads. The answer comes when routes and arrival times go around them."""
    wish = _wish(body)
    survey = await s.operations.closures.survey(wish)
    _demand_inside(s, me, survey.areas, outside=survey.outside)
    outcome = await s.operations.closures.draw(me.actor, wish, survey, key)
    await s.traffic.settled()
    return outcome.answer


@router.post("/closures/preview")
async def preview_closure(body: DrawingBody, me: Closer, s: ServicesOf) -> Json:
    """Say what a drawing would close, before it does."""
    wish = Wish(
        reason="",
        kind=body.kind,
        coordinates=_rounded(body.coordinates),
        direction=body.direction,
        profiles=tuple(body.profiles),
    )
    survey, lines = await s.operations.closures.preview(wish)
    return {
        "place": survey.place,
        "roads": list(survey.roads),
        "length_m": survey.length_m,
        "allowed": _inside(s, me, survey.areas, outside=survey.outside),
        "geometry": lines,
    }


@router.get("/closures/{closure_id}")
async def read_closure(closure_id: str, me: Viewer, s: ServicesOf) -> Json:
    """Return one closure."""
    return wire(_closure(s, me, closure_id))


@router.put("/closures/{closure_id}")
async def change_closure(closure_id: str, body: ChangeBody, me: Closer, s: ServicesOf, key: KeyOf) -> Json:
    """Change what is closed, why or how long."""
    old = _closure(s, me, closure_id)
    _demand_inside(s, me, old.areas)
    wish = _wish(body)
    survey = await s.operations.closures.survey(wish)
    _demand_inside(s, me, survey.areas, outside=survey.outside)
    outcome = await s.operations.closures.change(
        me.actor, closure_id, wish, survey, expected_version=body.expected_version, key=key
    )
    await s.traffic.settled()
    return outcome.answer


@router.post("/closures/{closure_id}/end")
async def end_closure(
    closure_id: str, me: Closer, s: ServicesOf, key: KeyOf, body: EndBody | None = None
) -> Json:
    """Open the roads again, or call off what was planned."""
    _demand_inside(s, me, _closure(s, me, closure_id).areas)
    said = body or EndBody()
    outcome = await s.operations.closures.end(
        me.actor, closure_id, reason=said.reason, expected_version=said.expected_version, key=key
    )
    await s.traffic.settled()
    return outcome.answer


def _wish(body: ClosureBody) -> Wish:
    return Wish(
        reason=body.reason,
        kind=body.kind,
        coordinates=_rounded(body.coordinates),
        direction=body.direction,
        profiles=tuple(body.profiles),
        starts_at=body.starts_at,
        ends_at=body.ends_at,
    )


def _rounded(points: list[Point]) -> tuple[Point, ...]:
    return tuple((round(lon, DECIMALS), round(lat, DECIMALS)) for lon, lat in points)


def _closure(s: Services, me: Principal, closure_id: str) -> Closure:
    found = s.board.closures.get(closure_id)
    if found is None or not s.sees(me, "closures", found):
        raise NotFound("closure", closure_id)
    return found


def _inside(s: Services, me: Principal, areas: tuple[str, ...], *, outside: bool = False) -> bool:
    """Say whether a closure lies wholly in the account's area."""
    return s.access.covers(me, None) or (
        bool(areas) and not outside and all(s.access.covers(me, a) for a in areas)
    )


def _demand_inside(s: Services, me: Principal, areas: tuple[str, ...], *, outside: bool = False) -> None:
    if not _inside(s, me, areas, outside=outside):
        raise Forbidden("It reaches outside your area.")


def _meets(closure: Closure, box: tuple[float, float, float, float]) -> bool:
    lons, lats = [lon for lon, _ in closure.coordinates], [lat for _, lat in closure.coordinates]
    west, south, east, north = box
    return min(lons) <= east and max(lons) >= west and min(lats) <= north and max(lats) >= south
