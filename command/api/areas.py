"""Areas, where a point lies, and the community page."""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Query, Request, Response

from command.accounts.access import Principal
from command.api.geo_query import BBox, Lat, Lon, parse_bbox
from command.api.locating import owner_row
from command.api.nearest import ranked_rows
from command.api.security import require
from command.api.services import Json, Services, ServicesOf
from command.api.staffing import vacancy_row
from command.cameras import WATCHABLE
from command.errors import NotFound
from command.geography.staffing import Staffing, figures
from command.incidents import OPEN
from command.responders import Responder
from gis.areas import Area

router = APIRouter(tags=["areas"])
Viewer = Annotated[Principal, Depends(require("view.map"))]
Reader = Annotated[Principal, Depends(require("view.map", "areas.manage"))]
"""Names of areas are needed to keep them, and tell of no case."""
Drawer = Annotated[
    Principal, Depends(require("view.map", "areas.manage", "camera.manage", "responders.manage"))
]
"""Whoever brings files in sees them over the ground, too."""

MOST_AREAS = 5000
"""In one page of a list."""
REACH_S = 300.0
REACH_GRIDS = 24
"""More grids than this are a township or a county: their coverage is a report, not a click."""
SIMPLIFY_M = {1: 10.0, 2: 5.0, 3: 2.0, 4: 1.0}


def area_row(s: Services, area: Area) -> Json:
    """Return an area without its outline."""
    lon, lat = s.district.areas.label_point(area.code)
    return {
        **area.facts(),
        "label_point": [round(lon, 7), round(lat, 7)],
    }


@router.get("/areas")
async def list_areas(
    me: Reader,
    s: ServicesOf,
    tier: Annotated[int | None, Query(ge=1, le=9)] = None,
    parent: str | None = None,
    bbox: BBox = None,
    geometry: bool = False,
    limit: Annotated[int, Query(ge=1, le=MOST_AREAS)] = MOST_AREAS,
    cursor: Annotated[str | None, Query(max_length=64)] = None,
) -> Json:
    """List areas by code; `geometry=true` adds the outlines. `cursor` is the last code of the page before."""
    index = s.district.areas

    def page() -> Json:
        chosen = [
            area
            for area in index.chosen(tier=tier, parent=parent, bbox=parse_bbox(bbox))
            if (cursor is None or area.code > cursor) and s.access.covers(me, area.code)
        ]
        items = []
        for area in chosen[:limit]:
            row = area_row(s, area)
            if geometry:
                row["geometry"] = index.geojson(area.code)["geometry"]
            items.append(row)
        return {"items": items, "next": items[-1]["code"] if len(chosen) > limit else None}

    # A district may have a hundred thousand, and each gets the place of its label: not in the event loop.
    return await asyncio.to_thread(page)


@router.get("/areas.geojson")
async def areas_geojson(
    request: Request, me: Drawer, s: ServicesOf, tier: Annotated[int, Query(ge=1, le=9)] = 4
) -> Response:
    """Return one tier's outlines as GeoJSON for the map, simplified to what its scale shows."""
    del me
    index = s.district.areas
    staffed = s.proposals.staffed()

    def drawn() -> tuple[bytes, str]:
        found = index.feature_collection(tier=tier, simplify_m=SIMPLIFY_M.get(tier, 1.0))
        for feature in found["features"]:
            properties: dict[str, Any] = feature["properties"]
            properties["vacant"] = tier == 4 and feature["id"] not in staffed
        body = msgspec.json.encode(found)
        return body, f'"{hashlib.sha256(body).hexdigest()[:24]}"'

    body, tag = await asyncio.to_thread(drawn)
    headers = {"etag": tag, "cache-control": "private, no-cache"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/geo+json", headers=headers)


@router.get("/areas/{code}")
async def read_area(code: str, me: Viewer, s: ServicesOf) -> Json:
    """Read one area with its outline."""
    area = _visible(s, me, code)
    outline = s.district.areas.geojson(code)["geometry"]
    return {**area_row(s, area), "extras": area.extras, "geometry": outline}


def _visible(s: Services, me: Principal, code: str) -> Area:
    """Return an area of the asker's own area; any other does not exist for them."""
    if code not in s.district.areas or not s.access.covers(me, code):
        raise NotFound("area", code)
    return s.district.areas.area(code)


@router.get("/locate")
async def locate(
    lon: Lon,
    lat: Lat,
    me: Viewer,
    s: ServicesOf,
    category: Annotated[str | None, Query(max_length=40, description="of an incident")] = None,
) -> Json:
    """Say which area of each tier, which police beat and which departments' grids a point lies in, and whose it is.

    On a shared border the smallest code counts. With a category, also which department is responsible for it
    there, and by which rule.
    """
    found = s.district.areas.locate(lon, lat)
    areas = {
        str(tier): {"code": code, "name": (area := s.district.areas.area(code)).name, "label": area.label}
        for tier, code in sorted(found.areas.items())
    }
    beat = None if found.beat is None else beat_row(s, found.beat)
    return {
        "areas": areas,
        "beat": beat,
        "owner": owner_row(s, me, found.areas.get(4)),
        "address": s.district.address_at(lon, lat),
        "departments": [
            {"department": grid.department, "code": grid.code, "name": grid.name}
            for grid in s.district.responsibility.departments_at(found.areas)
        ],
        "responsible": None if category is None else _responsible(s, category, found.areas),
    }


def _responsible(s: Services, category: str, areas: Mapping[int, str]) -> Json | None:
    called = s.policy.categories.get(s.policy.check_category(category))
    found = s.district.responsibility.responsible(category, areas, called=called)
    if found is None:
        return None
    decided = areas.get(found.tier)
    return {
        "department": found.department,
        "area": decided,
        "tier": found.tier or None,
        "sla": found.rule.sla,
        "priority": found.rule.priority,
    }


def beat_row(s: Services, code: str) -> Json:
    """Return a beat without its outline."""
    beat = s.district.areas.beat(code)
    return {"code": beat.code, "name": beat.name, "station": beat.station}


@router.get("/areas/{code}/overview")
async def overview(code: str, me: Viewer, s: ServicesOf) -> Json:
    """Return the community page: who is there, who is nearest, what is open, what is covered."""
    index = s.district.areas
    area = _visible(s, me, code)
    lon, lat = index.label_point(code)
    grids = index.subtree_grids(code) if area.tier != 4 else (code,)
    inside = frozenset(grids)
    ranked = await s.proposals.nearest(
        lon,
        lat,
        kinds=s.policy.kinds_for(None),
        limit=5,
        include_busy=True,
        # Each row says where its unit is.
        among=lambda person: s.access.sees_position(me, person, s.lookup),
    )
    staff = [p for p in s.board.responders.values() if inside & set(p.grids)]
    beats = {index.area(g).beat for g in grids} - {None}
    officers = [p for p in s.board.responders.values() if p.kind == "police" and p.beat in beats]
    open_here = [i for i in s.board.incidents.values() if i.grid in inside and i.state in OPEN]
    cameras = [c for c in s.board.cameras.values() if c.grid in inside]
    staffed = s.proposals.staffed()
    vacant = [g for g in grids if g not in staffed]
    posts = Staffing(index, s.board.responders.values()).within(code)
    counted = figures(posts)
    fastest = next((c.travel.eta_s for c in ranked.ranking.candidates if c.status == "free"), None)
    reach = await _reach(s, me, grids)
    beat_code = area.beat or next(iter(sorted(b for b in beats if b)), None)
    seen_grids = {c.grid for c in cameras if c.status not in ("offline", "disabled")}
    return {
        "area": {**area_row(s, area), "geometry": index.geojson(code)["geometry"]},
        "path": [
            {"code": a.code, "name": a.name, "tier": a.tier} for a in (*reversed(index.ancestors(code)), area)
        ],
        "figures": {
            "on_duty": sum(p.on_duty for p in staff),
            "staff": len(staff),
            "grids": len(grids),
            "vacant_grids": len(vacant),
            "posts": counted.posts,
            "posts_filled": counted.filled,
            "posts_missing": counted.missing,
            "workers": counted.people,
            "households": area.households,
            "fastest_s": fastest,
            "open_incidents": len(open_here),
            "cameras": len(cameras),
            "cameras_online": sum(c.status in WATCHABLE for c in cameras),
        },
        "nearest": ranked_rows(s, ranked),
        "people": _people(s, me, area, staff, officers, vacant),
        "vacancies": [vacancy_row(s, me, one) for grid in posts for one in grid.vacancies()],
        "incidents": sorted(i.id for i in open_here if s.sees(me, "incidents", i)),
        "cameras": sorted(c.id for c in cameras if s.sees(me, "cameras", c)),
        "coverage": {
            "reach_5min": reach,
            "seen": {"n": len(seen_grids & inside), "d": len(grids)},
            "staffed": {"n": len(grids) - len(vacant), "d": len(grids)},
        },
        "beat": None if beat_code is None or not beats else beat_row(s, beat_code),
        "departments": [
            {"department": own.department, "code": own.code, "name": own.name, "grids": shared}
            for own in s.district.departments
            if (shared := len(inside.intersection(own.grids)))
        ],
    }


async def _reach(s: Services, me: Principal, grids: Sequence[str]) -> Json:
    """Count the grids whose middle a free unit reaches in five minutes; 0 of 0 where they are too many."""
    if len(grids) > REACH_GRIDS:
        return {"n": 0, "d": 0}
    n = 0
    for code in grids:
        lon, lat = s.district.areas.label_point(code)
        ranked = await s.proposals.nearest(
            lon, lat, limit=1, routes=0, among=lambda person: s.sees(me, "responders", person)
        )
        best = ranked.ranking.candidates[0].travel.eta_s if ranked.ranking.candidates else None
        n += best is not None and best <= REACH_S
    return {"n": n, "d": len(grids)}


def _people(
    s: Services,
    me: Principal,
    area: Area,
    staff: Sequence[Responder],
    officers: Sequence[Responder],
    vacant: Sequence[str],
) -> list[Json]:
    """Return the responsible people that the asker may see: chief, workers, vacancies, beat officers."""

    def known(people: Sequence[Responder]) -> list[Responder]:
        seen = (person for person in people if s.sees(me, "responders", person))
        return sorted(seen, key=lambda p: (not p.on_duty, p.id))

    rows: list[Json] = []
    if area.chief:
        # The chief's name is the area's own; number and duty are the person's.
        chiefs = [p for p in s.board.responders.values() if p.kind == "grid_chief" and p.name == area.chief]
        rows.append(_person(next(iter(known(chiefs)), None), area.chief, "grid_chief"))
    rows += [_person(p, p.name, p.kind) for p in known(staff)]
    rows += [
        {
            "responder_id": None,
            "name": None,
            "role_label": "grid_worker",
            "kind": "grid_worker",
            "phone": None,
            "on_duty": False,
            "busy": False,
            "until": None,
            "grids": [code],
            "vacant": True,
            "note": s.district.areas.area(code).name,
        }
        for code in vacant
    ]
    rows += [_person(p, p.name, "police") for p in known(officers)]
    return rows


def _person(person: Responder | None, name: str, role: str) -> Json:
    return {
        "responder_id": person.id if person else None,
        "name": name,
        "role_label": role,
        "kind": person.kind if person else role,
        "phone": person.phone if person else None,
        "on_duty": person.on_duty if person else False,
        "busy": person.busy if person else False,
        "until": person.shift_until if person else None,
        "grids": list(person.grids) if person else [],
        "vacant": False,
        "note": person.station if person else None,
    }
