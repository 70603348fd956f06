"""How the district is covered: staffed, on duty, within reach, seen; by grid and up the tiers."""

import asyncio
from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from command.accounts.access import Principal
from command.api.security import require
from command.api.services import Json, Services, ServicesOf
from command.clock import rfc3339
from command.coverage import Moment
from command.errors import Malformed, NotFound
from command.responders import KINDS
from command.setting_sections import TargetSettings
from gis.areas import GRID, Area, AreaIndex
from gis.coverage.reach import HORIZON_S
from gis.coverage.rollup import Figures
from gis.coverage.siting import Post

router = APIRouter(tags=["coverage"])
Viewer = Annotated[Principal, Depends(require("kpi.view"))]
Minutes = Annotated[int, Query(ge=1, le=30, description="Within how many minutes.")]
Kinds = Annotated[
    str | None, Query(description="Kinds that count, or `all`; omitted: those that are sent by default.")
]
Free = Annotated[bool, Query(description="Leave out those on a job.")]
AreaCode = Annotated[str | None, Query(max_length=40, description="Only this area and those below.")]


async def moment_for(s: Services, kinds: str | None, *, free: bool) -> Moment:
    """Return the present for the kinds asked for in a query string.

    Raises:
        Malformed: A kind is none.
    """
    asked = frozenset(filter(None, (kinds or "").split(",")))
    if not asked:
        asked = s.policy.kinds_for(None)
    elif asked == {"all"}:
        asked = frozenset()
    if unknown := sorted(asked - set(KINDS)):
        raise Malformed("kinds", f"{unknown[0]!r} is not one of {', '.join(KINDS)}")
    return await s.coverage.moment(asked, free_only=free)


def visible(s: Services, me: Principal, index: AreaIndex, code: str | None) -> list[Area]:
    """Return the areas whose figures the asker may have, those above first.

    Figures "of their own" are those of the grids somebody looks after; whoever sees the whole map sees all of
    its grids. An area above shows up only where all of it is the asker's.

    Raises:
        NotFound: The asked area is none of them.
    """
    own: frozenset[str] | None = None
    if s.access.scope(me, "kpi.view") != "all" and s.access.scope(me, "view.map") != "all":
        person = s.board.responders.get(me.responder_id or "")
        beat = frozenset(
            grid.code for grid in index.grids if person and person.beat and grid.beat == person.beat
        )
        own = beat | frozenset(person.grids if person else ())
    chosen = [
        area
        for area in sorted(index.areas, key=lambda one: (one.tier, one.code))
        if s.access.covers(me, area.code) and (own is None or area.code in own)
    ]
    if code is not None:
        below = {code, *(area.code for area in index.descendants(code))} if code in index else set()
        chosen = [area for area in chosen if area.code in below]
        if not any(area.code == code for area in chosen):
            raise NotFound("area", code)
    return chosen


def grids_of(areas: list[Area]) -> frozenset[str]:
    """Return the codes of the grids among areas."""
    return frozenset(area.code for area in areas if area.tier == GRID)


def _row(s: Services, area: Area, figures: Figures, workers: Mapping[str, list[Json]]) -> Json:
    lon, lat = s.district.areas.label_point(area.code)
    row: Json = {
        "code": area.code,
        "name": area.name,
        "tier": area.tier,
        "parent": area.parent,
        "label": area.label,
        "label_point": [round(lon, 7), round(lat, 7)],
        "grids": figures.grids,
        "staffed": figures.staffed,
        "on_duty": figures.on_duty,
        "road_m": round(figures.road_m),
        "reach": {str(t // 60): _share(share) for t, share in figures.reach.items()},
        "reached": {str(t // 60): n for t, n in figures.reached.items()},
        "measured": figures.measured,
        "unreached": _share(figures.unreached),
        "median_s": figures.median_s,
        "p90_s": figures.p90_s,
        "area_m2": round(figures.area_m2),
        "seen": _share(figures.seen),
        "watched": figures.watched,
        "seen_basis": _basis(figures),
    }
    if area.tier == GRID:
        row["workers"] = workers.get(area.code, [])
    return row


def _basis(figures: Figures) -> str:
    """Say whether buildings stand in the cameras' way in all of an area's grids, in some, or in none."""
    return "theoretical" if not figures.built else "occluded" if figures.built == figures.grids else "mixed"


def _share(share: float | None) -> float | None:
    return None if share is None else round(share, 4)


def _workers(s: Services, me: Principal) -> dict[str, list[Json]]:
    """Return the workers of each grid that the asker may know of."""
    found: dict[str, list[Json]] = {}
    for person in sorted(s.board.responders.values(), key=lambda p: (not p.on_duty, p.id)):
        if person.kind == "grid_worker" and person.grids and s.sees(me, "responders", person):
            for grid in person.grids:
                row: Json = {"responder_id": person.id, "name": person.name, "on_duty": person.on_duty}
                found.setdefault(grid, []).append(row)
    return found


def _head(moment: Moment, minutes: int) -> Json:
    return {"as_of": rfc3339(moment.at), "minutes": minutes, "method": moment.method}


@router.get("/coverage")
async def coverage(
    me: Viewer,
    s: ServicesOf,
    minutes: Minutes = 5,
    kinds: Kinds = None,
    area: AreaCode = None,
    free: Free = False,
) -> Json:
    """Return what is covered of every area one may see, and what is out of reach as GeoJSON."""
    moment = await moment_for(s, kinds, free=free)
    areas = visible(s, me, moment.areas, area)
    figures = await asyncio.to_thread(moment.figures, minutes)
    found = await asyncio.to_thread(moment.gaps, minutes, grids_of(areas))
    workers = _workers(s, me)
    counts = moment.cameras
    return {
        **_head(moment, minutes),
        "horizon_s": HORIZON_S,
        "responders": {
            "counted": len(moment.people),
            "excluded": [{"reason": r, "count": n} for r, n in sorted(moment.excluded.items())],
        },
        "cameras": {
            "total": counts.total,
            "working": counts.working,
            "undirected": counts.undirected,
            "unchecked": counts.unchecked,
        },
        "seen_basis": _basis(figures[areas[0].code]) if areas else "theoretical",
        "targets": _targets(s.settings.targets, minutes),
        "items": [_row(s, one, figures[one.code], workers) for one in areas],
        "gaps": found,
    }


def _targets(targets: TargetSettings, minutes: int) -> Json:
    """Return the share of grids that the centre has set itself for each measure, None without one."""
    return {
        "staffed": targets.staffing_share or None,
        "duty": targets.duty_share or None,
        "reach": targets.reach_share or None if minutes == targets.reach_minutes else None,
        "seen": targets.seen_share or None,
    }


@router.get("/coverage/without")
async def without(
    me: Viewer,
    s: ServicesOf,
    responder_id: Annotated[str, Query(max_length=80)],
    minutes: Minutes = 5,
    kinds: Kinds = None,
    area: AreaCode = None,
) -> Json:
    """Return what opens up if this responder is sent away: grids that lose, and the stretches as GeoJSON."""
    person = s.board.responders.get(responder_id)
    if person is None or not s.access.sees_position(me, person, s.lookup):
        raise NotFound("responder", responder_id)
    moment = await moment_for(s, kinds, free=False)
    areas = visible(s, me, moment.areas, area)
    unit = next((n for n, one in enumerate(moment.people) if one.id == responder_id), None)
    head: Json = {**_head(moment, minutes), "responder_id": responder_id, "name": person.name}
    if unit is None:  # on duty, but not counted: no position, or of a kind that does not count
        nothing = {"type": "FeatureCollection", "features": []}
        return {**head, "counted": False, "lost_m": 0, "items": [], "opened": nothing}
    before = await asyncio.to_thread(moment.figures, minutes)
    after = await asyncio.to_thread(moment.figures_without, unit, minutes)
    opened = await asyncio.to_thread(moment.opened, unit, minutes, grids_of(areas))
    items: list[tuple[float, Json]] = []
    lost_m, key = 0.0, 60 * minutes
    for one in areas:
        then, now = before[one.code], after[one.code]
        loss_m = ((then.reach[key] or 0.0) - (now.reach[key] or 0.0)) * then.road_m
        if loss_m < 1.0 and then.median_s == now.median_s:
            continue
        lost_m += loss_m if one.tier == GRID else 0.0
        row: Json = {
            "code": one.code,
            "name": one.name,
            "tier": one.tier,
            "lost_m": round(loss_m),
            "reach": {"before": _share(then.reach[key]), "after": _share(now.reach[key])},
            "median_s": {"before": then.median_s, "after": now.median_s},
        }
        items.append((loss_m, row))
    items.sort(key=lambda item: (-item[0], str(item[1]["code"])))
    return {
        **head,
        "counted": True,
        "lost_m": round(lost_m),
        "items": [row for _, row in items],
        "opened": opened,
    }


@router.get("/coverage/one_more")
async def one_more(
    me: Viewer,
    s: ServicesOf,
    limit: Annotated[int, Query(ge=1, le=10)] = 3,
    minutes: Minutes = 5,
    kinds: Kinds = None,
    area: AreaCode = None,
    free: Free = False,
) -> Json:
    """Return where one more responder would help most, then the next one, and so on."""
    moment = await moment_for(s, kinds, free=free)
    areas = visible(s, me, moment.areas, area)
    posts = await asyncio.to_thread(moment.one_more, minutes, limit, grids_of(areas))
    return {**_head(moment, minutes), "items": [post_row(moment, post) for post in posts], "next": None}


def post_row(moment: Moment, post: Post) -> Json:
    """Return a place for one more as it goes over the wire."""
    grids = moment.areas.grids
    gains = sorted(post.grids.items(), key=lambda item: (-item[1], item[0]))
    return {
        "lon": round(post.lon, 7),
        "lat": round(post.lat, 7),
        "address": moment.district.address_at(post.lon, post.lat),
        "gain_m": round(post.gain_m),
        "grids": [
            {"code": grids[n].code, "name": grids[n].name, "gain_m": round(metres)} for n, metres in gains
        ],
    }
