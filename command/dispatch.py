"""Who should go: candidates in the order of their travel time, each with the reasons for its place.

The times come from `gis` (one reverse search from the incident), the fixes from the telemetry lane, the roster
from the board; this module only weighs them, so that a rule stands in one place and can be tested alone.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from command.incidents import Place
from command.responders import GRID_KINDS, Responder

Status = Literal["free", "busy", "off_duty"]
STALE_PENALTY_SHARE: Final = 0.5
"""Half of a stale fix's age is added when ranking: at town speed that is how far off it may be."""


@dataclass(frozen=True, slots=True)
class Fix:
    """Where a unit was last seen. ``age_s`` from its own clock; ``suspect``: it jumped or is inaccurate."""

    lon: float
    lat: float
    age_s: float
    suspect: bool = False


@dataclass(frozen=True, slots=True)
class Travel:
    """How long a unit needs to a place; ``eta_s`` None: there is no way."""

    eta_s: float | None
    distance_m: float | None
    method: Literal["road", "straight_line"]


@dataclass(frozen=True, slots=True)
class Limits:
    """When a fix counts as stale and as offline, in seconds."""

    stale_s: float
    offline_s: float


@dataclass(frozen=True, slots=True)
class Candidate:
    """One unit that could go, and why it stands where it stands. ``reasons`` are codes the screens translate."""

    responder: Responder
    fix: Fix
    travel: Travel
    status: Status
    stale: bool
    reasons: tuple[str, ...]
    rank_s: float
    """What the order goes by: travel time plus the doubt about an old fix."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """Candidates in order, and how many were left out for which reason."""

    candidates: tuple[Candidate, ...]
    excluded: Mapping[str, int]


def eligible(
    responders: Sequence[Responder],
    fixes: Mapping[int, Fix],
    limits: Limits,
    *,
    kinds: frozenset[str] = frozenset(),
    skills: frozenset[str] = frozenset(),
    include_busy: bool = False,
) -> tuple[list[Responder], Counter[str]]:
    """Return who may be sent at all, and the others counted by reason.

    On shift, heard of within the offline limit, with every asked skill, and (unless asked otherwise) free.
    Empty ``kinds`` or ``skills`` ask for nothing. A unit whose last report jumped is left out: sending the
    wrong one is worse than not proposing it.
    """
    chosen = []
    out: Counter[str] = Counter()
    for responder in responders:
        fix = fixes.get(responder.unit)
        if kinds and responder.kind not in kinds:
            continue
        if not responder.on_duty:
            out["off_duty"] += 1
        elif skills - set(responder.skills):
            out["skill"] += 1
        elif fix is None:
            out["no_fix"] += 1
        elif fix.age_s > limits.offline_s:
            out["offline"] += 1
        elif fix.suspect:
            out["suspect_fix"] += 1
        elif responder.busy and not include_busy:
            out["busy"] += 1
        else:
            chosen.append(responder)
    return chosen, out


def rank(
    responders: Sequence[Responder],
    fixes: Mapping[int, Fix],
    travels: Sequence[Travel],
    place: Place,
    limits: Limits,
    *,
    adjacent: frozenset[str] = frozenset(),
    skills: frozenset[str] = frozenset(),
    limit: int = 5,
    excluded: Counter[str] | None = None,
) -> Ranking:
    """Order the eligible by travel time.

    Free before busy, then by travel time plus the doubt about a stale fix; equal times go to the place's own
    grid first, then to the smaller id, so that the order is the same on every screen.

    Args:
        responders: The eligible.
        fixes: By unit; every responder has one.
        travels: Aligned with ``responders``.
        place: Where to; its grid, village and beat give reasons.
        limits: When a fix is stale.
        adjacent: Codes of the grids that touch the place's own.
        skills: The skills that were asked for, named among the reasons.
        limit: Most candidates to return.
        excluded: Those left out before; the unreachable are added.
    """
    left_out: Counter[str] = Counter() if excluded is None else excluded
    found = []
    for responder, travel in zip(responders, travels, strict=True):
        if travel.eta_s is None:
            left_out["unreachable"] += 1
            continue
        fix = fixes[responder.unit]
        stale = fix.age_s > limits.stale_s
        doubt_s = fix.age_s * STALE_PENALTY_SHARE if stale else 0.0
        found.append(
            Candidate(
                responder=responder,
                fix=fix,
                travel=travel,
                status="busy" if responder.busy else "free",
                stale=stale,
                reasons=_reasons(responder, travel, place, adjacent, skills, stale=stale),
                rank_s=travel.eta_s + doubt_s,
            )
        )
    found.sort(
        key=lambda c: (
            c.status != "free",
            round(c.rank_s),
            "own_grid" not in c.reasons,
            c.responder.id,
        )
    )
    return Ranking(tuple(found[:limit]), dict(left_out))


def _reasons(
    responder: Responder,
    travel: Travel,
    place: Place,
    adjacent: frozenset[str],
    skills: frozenset[str],
    *,
    stale: bool,
) -> tuple[str, ...]:
    # Police carry the grids of their beat; "own grid" is said of those who look after the grid itself.
    grids = set(responder.grids) if responder.kind in GRID_KINDS else set()
    out = []
    if place.grid is not None and place.grid in grids:
        out.append("own_grid")
    elif place.beat is not None and responder.beat == place.beat:
        out.append("own_beat")
    elif grids & adjacent:
        out.append("adjacent_grid")
    elif place.village is not None and any(grid.startswith(place.village) for grid in grids):
        out.append("same_village")
    out.append("busy" if responder.busy else "free")
    if stale:
        out.append("stale_fix")
    if responder.employment == "part_time":
        out.append("part_time")
    if travel.method == "straight_line":
        out.append("estimate")
    out += [f"skill:{skill}" for skill in sorted(skills)]
    return tuple(out)
