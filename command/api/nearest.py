"""Who is nearest by road, and the way there."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from command.accounts.access import Principal
from command.api.geo_query import Lat, Lon
from command.api.security import require
from command.api.services import Json, Services, ServicesOf
from command.dispatch import Candidate
from command.district import Approaches
from command.errors import Malformed
from command.incidents import distance_m
from command.proposals import Ranked
from command.responders import KINDS
from gis.nearest import straight_line_s
from gis.roads.routes import Route

router = APIRouter(tags=["nearest"])
Viewer = Annotated[Principal, Depends(require("positions.view"))]
Router = Annotated[Principal, Depends(require("view.map"))]


def ranked_rows(s: Services, ranked: Ranked) -> list[Json]:
    """Return a ranking as it goes over the wire, in order."""
    return [
        _row(s, candidate, route)
        for candidate, route in zip(ranked.ranking.candidates, ranked.routes, strict=True)
    ]


def _row(s: Services, candidate: Candidate, route: Route | None) -> Json:
    del s
    person, fix, travel = candidate.responder, candidate.fix, candidate.travel
    metres = route.distance_m if route is not None else travel.distance_m
    return {
        "responder_id": person.id,
        "unit": person.unit,
        "name": person.name,
        "kind": person.kind,
        "station": person.station,
        "phone": person.phone,
        "profile": person.profile,
        "status": candidate.status,
        "distance_m": None if metres is None else round(metres, 1),
        "eta_s": None if travel.eta_s is None else round(travel.eta_s, 1),
        "eta_method": travel.method,
        "fix_age_s": round(fix.age_s, 1),
        "stale": candidate.stale,
        "lon": round(fix.lon, 7),
        "lat": round(fix.lat, 7),
        "reasons": list(candidate.reasons),
        "route": None if route is None else {"coordinates": _coordinates(route)},
    }


def _coordinates(route: Route) -> list[list[float]]:
    out: list[list[float]] = route.coordinates.round(7).tolist()
    return out


@router.get("/nearest")
async def nearest(
    me: Viewer,
    s: ServicesOf,
    lon: Annotated[float | None, Query(ge=-180, le=180, allow_inf_nan=False)] = None,
    lat: Annotated[float | None, Query(ge=-90, le=90, allow_inf_nan=False)] = None,
    incident_id: str | None = None,
    kinds: Annotated[
        str | None, Query(description="Kinds, or `all`; omitted: those the incident's category asks for.")
    ] = None,
    skills: str | None = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 5,
    include_busy: bool = False,
) -> Json:
    """Rank the on-duty responders by road travel time to a point or an incident."""
    incident = None
    if incident_id is not None:
        s.demand(me, "view.map", "incidents", incident_id)
        incident = s.board.incidents[incident_id]
    elif lon is None or lat is None:
        raise Malformed("lon", "give lon and lat, or incident_id")
    asked = frozenset(filter(None, (kinds or "").split(",")))
    if not asked:
        asked = s.policy.kinds_for(incident.category if incident is not None else None)
    elif asked == {"all"}:
        asked = frozenset(KINDS)
    if unknown := sorted(asked - set(KINDS)):
        raise Malformed("kinds", f"{unknown[0]!r} is not one of {', '.join(KINDS)}")
    await s.traffic.settled()
    ranked = await s.proposals.nearest(
        lon or 0.0,
        lat or 0.0,
        incident=incident,
        kinds=asked,
        skills=frozenset(filter(None, (skills or "").split(","))),
        limit=limit,
        include_busy=include_busy,
        among=lambda person: s.sees(me, "responders", person),
    )
    excluded = [{"reason": r, "count": n} for r, n in sorted(ranked.ranking.excluded.items())]
    return {"items": ranked_rows(s, ranked), "next": None, "excluded": excluded}


@router.get("/route")
async def route(
    me: Router,
    s: ServicesOf,
    from_lon: Lon,
    from_lat: Lat,
    to_lon: Lon,
    to_lat: Lat,
    profile: Annotated[str, Query(pattern="^(car|motorcycle|foot)$")] = "car",
    language: Annotated[str, Query(pattern="^(zh-CN|en)$")] = "zh-CN",
) -> Json:
    """Return the way from one point to another with its turns; a marked estimate where there is no road."""
    del me
    await s.traffic.settled()
    approaches = Approaches(s.district, to_lon, to_lat)
    found = await asyncio.to_thread(approaches.route, profile, from_lon, from_lat)
    if found is None:
        metres = distance_m(from_lon, from_lat, to_lon, to_lat)
        return {
            "coordinates": None,
            "distance_m": round(metres, 1),
            "duration_s": round(float(straight_line_s(metres)), 1),
            "eta_method": "straight_line",
            "steps": [],
        }
    return {
        "coordinates": _coordinates(found),
        "distance_m": round(found.distance_m, 1),
        "duration_s": round(found.duration_s, 1),
        "eta_method": "road",
        "steps": [
            {
                "text": step.text(language),
                "maneuver": step.maneuver,
                "road": step.road,
                "exit": step.exit,
                "distance_m": round(step.distance_m, 1),
                "duration_s": round(step.duration_s, 1),
                "lon": round(step.lon, 7),
                "lat": round(step.lat, 7),
            }
            for step in found.steps
        ],
    }
