"""One way drawn on the map and told in words."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gis.roads.snap import FREE_OFFSET_M, SAME_SPOT, WALK_M_S
from gis.roads.wording import step_text

if TYPE_CHECKING:
    from gis.roads.field import ReverseField
    from gis.roads.graph import RoadGraph

Floats = NDArray[np.float64]

_LOOK_M = 12.0  # a bend is judged over this much road before and after it, so that a kerb radius is no turn
_SAME_ROAD_TURN_DEG = 50.0
_SHARP_TURN_DEG = 35.0


@dataclass(frozen=True, slots=True)
class Step:
    """One instruction.

    Attributes:
        maneuver: depart, straight, slight_left, slight_right, left, right, sharp_left, sharp_right, uturn,
            roundabout, ferry, ashore or arrive.
        road: Name of the road taken from here on, empty without one (and on arrival).
        distance_m: Driven since the step before; 0 on departure. The steps sum up to the route.
        duration_s: Time since the step before.
        lon: Where it happens, degrees.
        lat: Degrees.
        heading_deg: Direction of travel after it, clockwise from north.
        exit: Which exit of a roundabout is taken, from 1; 0 elsewhere, and where the way ends on the roundabout.
    """

    maneuver: str
    road: str
    distance_m: float
    duration_s: float
    lon: float
    lat: float
    heading_deg: float
    exit: int = 0

    def text(self, language: str = "zh-CN") -> str:
        """The instruction in "zh-CN" or "en".

        >>> Step("left", "桥头南巷", 183.0, 20.0, 117.0, 34.0, 90.0).text("zh-CN")
        '180 米后左转，进入桥头南巷'
        """
        return step_text(self.maneuver, self.road, self.distance_m, self.heading_deg, language, self.exit)


@dataclass(frozen=True, slots=True, eq=False)
class Route:
    """A way by road.

    Attributes:
        coordinates: (k, 2) float64, lon/lat degrees, from the start's road to the destination's road.
        distance_m: Along the road.
        duration_s: With the walks at both ends; equals the field's answer for the start.
        steps: From departure to arrival.
    """

    coordinates: Floats
    distance_m: float
    duration_s: float
    steps: tuple[Step, ...]


class _Part(NamedTuple):
    """A lane that is travelled: the shares of it where it is entered and left, the seconds before, its end."""

    lane: int
    enter: float
    leave: float
    before_s: float
    head: int


@dataclass(frozen=True, slots=True)
class _Piece:
    """A stretch of one lane: metric coordinates in travel order; `head` is the vertex after it."""

    lane: int
    xy: Floats
    length_m: float
    seconds: float
    head: int

    @property
    def edge(self) -> int:
        return self.lane >> 1


def trace_route(graph: RoadGraph, field: ReverseField, lon: float, lat: float) -> Route | None:
    """Follow the field downhill from a point; see `ReverseField.route`."""
    snap = graph.snap_one(lon, lat)
    total_s = field.seconds_at(lon, lat)
    if snap is None or not total_s < np.inf:
        return None
    edge, fraction, offset_m = snap
    pieces = _pieces(graph, _parts(graph, field, edge, fraction))
    walked_s = sum(max(m - FREE_OFFSET_M, 0.0) / WALK_M_S for m in (offset_m, field.offset_m))
    if not pieces:
        # Start and destination meet the road at the same spot.
        spot = _point(graph, edge, fraction)
        pieces = [_Piece(2 * edge, np.array([spot, spot]), 0.0, 0.0, graph.arrays.vertices)]
    xy = np.concatenate([pieces[0].xy[:1], *(piece.xy[1:] for piece in pieces)])
    coordinates = np.column_stack(graph.frame.to_lonlat(xy[:, 0], xy[:, 1]))
    steps = _steps(graph, pieces, walked_s)
    return Route(coordinates, sum(piece.length_m for piece in pieces), total_s, steps)


def _parts(graph: RoadGraph, field: ReverseField, edge: int, fraction: float) -> list[_Part]:
    """The lanes travelled from a place on an edge, downhill along the field."""
    arrays = graph.arrays
    along = [2 * edge, 1.0 - fraction], [2 * edge + 1, fraction]
    options = [
        (share * arrays.lane_s[int(lane)] + field.vertex_s[arrays.lane_head[int(lane)]], int(lane))
        for lane, share in along
    ]
    best_s, lane = min(options)
    if edge == field.edge:
        direct = 2 * edge if fraction <= field.fraction else 2 * edge + 1
        direct_s = abs(field.fraction - fraction) * arrays.lane_s[direct]
        here = abs(fraction - field.fraction) <= SAME_SPOT
        is_open = arrays.lane_head[direct] < arrays.vertices or here
        if is_open and direct_s <= best_s:
            last = _share(direct, field.fraction)
            return [_Part(direct, _share(direct, fraction), last, 0.0, arrays.vertices)]
    vertex = int(arrays.lane_head[lane])
    parts = [_Part(lane, _share(lane, fraction), 1.0, 0.0, vertex)]
    while True:
        arcs = slice(int(arrays.out_start[vertex]), int(arrays.out_start[vertex + 1]))
        out, before_s, heads = arrays.out_lane[arcs], arrays.out_s[arcs], arrays.out_head[arcs]
        onward_s = before_s + arrays.lane_s[out] + field.vertex_s[heads]
        at = int(np.argmin(onward_s)) if len(out) else 0
        if not len(out) or field.seeds.get(vertex, np.inf) <= onward_s[at]:
            return [*parts, _last_part(graph, field, out, before_s)]
        vertex = int(heads[at])
        parts.append(_Part(int(out[at]), 0.0, 1.0, float(before_s[at]), vertex))


def _last_part(graph: RoadGraph, field: ReverseField, out: NDArray[np.int32], before_s: Floats) -> _Part:
    """The lane of the destination's edge that leaves the last junction, the shorter of two."""
    arrays = graph.arrays
    options = []
    for lane, waited_s in zip(out.tolist(), before_s.tolist(), strict=True):
        if lane >> 1 == field.edge:
            share = _share(lane, field.fraction)
            part = _Part(lane, 0.0, share, waited_s, arrays.vertices)
            options.append((waited_s + share * float(arrays.lane_s[lane]), part))
    return min(options)[1]


def _share(lane: int, fraction: float) -> float:
    """A place on an edge as the share of a lane already travelled there."""
    return 1.0 - fraction if lane & 1 else fraction


def _point(graph: RoadGraph, edge: int, fraction: float) -> tuple[float, float]:
    point = graph.lines[edge].interpolate(fraction, normalized=True)
    return float(point.x), float(point.y)


def _pieces(graph: RoadGraph, parts: list[_Part]) -> list[_Piece]:
    """The stretches that have a length; what comes before one without is waited before the next."""
    pieces: list[_Piece] = []
    waited_s = 0.0
    for part in parts:
        waited_s += part.before_s
        piece = _piece(graph, part, waited_s)
        if piece is not None:
            pieces.append(piece)
            waited_s = 0.0
    if pieces and waited_s:
        pieces[-1] = replace(pieces[-1], seconds=pieces[-1].seconds + waited_s)
    return pieces


def _piece(graph: RoadGraph, part: _Part, waited_s: float) -> _Piece | None:
    """The stretch of a lane between two shares of it, or None when it has no length."""
    lane, enter, leave = part.lane, part.enter, part.leave
    length = float(graph.arrays.length_m[lane >> 1])
    if leave <= enter or length <= 0.0:
        return None
    xy = np.asarray(graph.lines[lane >> 1].coords, dtype=np.float64)
    if lane & 1:
        xy = xy[::-1]
    if enter > 0.0 or leave < 1.0:
        at = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(xy, axis=0).T))])
        cut = np.array([enter, leave]) * at[-1]
        inner = (at > cut[0]) & (at < cut[1])
        ends = np.column_stack([np.interp(cut, at, xy[:, 0]), np.interp(cut, at, xy[:, 1])])
        xy = np.concatenate([ends[:1], xy[inner], ends[1:]])
    share = leave - enter
    seconds = waited_s + share * float(graph.arrays.lane_s[lane])
    return _Piece(lane, xy, share * length, seconds, part.head)


def _heading_deg(xy: Floats, *, at_end: bool) -> float:
    """Direction of travel at an end of a stretch, clockwise from north, over the first or last few metres."""
    path = xy[::-1] if at_end else xy
    away = np.hypot(*(path - path[0]).T)
    far = int(np.argmax(away >= _LOOK_M)) if bool((away >= _LOOK_M).any()) else len(path) - 1
    dx, dy = (path[0] - path[far]) if at_end else (path[far] - path[0])
    return float(np.degrees(np.arctan2(dx, dy)) % 360.0)


def _maneuver(turn_deg: float) -> str:
    """Name of a change of direction, positive to the right, -180 to 180."""
    size = abs(turn_deg)
    if size < 20.0:
        return "straight"
    if size > 165.0:
        return "uturn"
    side = "right" if turn_deg > 0 else "left"
    if size < 50.0:
        return f"slight_{side}"
    return side if size <= 125.0 else f"sharp_{side}"


def _steps(graph: RoadGraph, pieces: list[_Piece], walked_s: float) -> tuple[Step, ...]:
    arrays = graph.arrays
    steps: list[Step] = []
    metres, seconds = 0.0, 0.0

    def add(maneuver: str, road: str, xy: Floats, heading: float, exit_: int = 0) -> None:
        nonlocal metres, seconds
        lon, lat = graph.frame.to_lonlat(xy[0], xy[1])
        steps.append(Step(maneuver, road, metres, seconds, float(lon), float(lat), heading, exit_))
        metres, seconds = 0.0, 0.0

    told_to_leave = False  # the step onto a roundabout says where to leave it
    for number, piece in enumerate(pieces):
        road = arrays.names[arrays.name[piece.edge]]
        heading = _heading_deg(piece.xy, at_end=False)
        if number == 0:
            add("depart", road, piece.xy[0], heading)
        elif arrays.roundabout[piece.edge]:
            if not arrays.roundabout[pieces[number - 1].edge]:
                exit_, onto = _exit(graph, pieces[number:])
                add("roundabout", onto if exit_ else road, piece.xy[0], heading, exit_)
                told_to_leave = True
        elif told_to_leave:
            told_to_leave = False
        elif (maneuver := _told(graph, pieces[number - 1], piece, heading)) is not None:
            add(maneuver, road, piece.xy[0], heading)
        metres += piece.length_m
        seconds += piece.seconds
    seconds += walked_s
    add("arrive", "", pieces[-1].xy[-1], _heading_deg(pieces[-1].xy, at_end=True))
    return tuple(steps)


def _exit(graph: RoadGraph, pieces: list[_Piece]) -> tuple[int, str]:
    """Which exit of the roundabout is taken on which the first piece lies, and the road there; 0 for none."""
    arrays = graph.arrays
    exits = 0
    for piece in pieces:
        if not arrays.roundabout[piece.edge]:
            return exits, arrays.names[arrays.name[piece.edge]]
        if piece.head < arrays.vertices:
            out = arrays.out_lane[arrays.out_start[piece.head] : arrays.out_start[piece.head + 1]]
            exits += bool((~arrays.roundabout[out >> 1]).any())
    return 0, ""


def _told(graph: RoadGraph, before: _Piece, piece: _Piece, heading: float) -> str | None:
    """What is said between two pieces, None when going on is a matter of course."""
    arrays = graph.arrays
    if piece.lane == before.lane ^ 1:
        return "uturn"
    if arrays.ferry[piece.edge] != arrays.ferry[before.edge]:
        return "ferry" if arrays.ferry[piece.edge] else "ashore"
    turn = (heading - _heading_deg(before.xy, at_end=True) + 180.0) % 360.0 - 180.0
    road = arrays.names[arrays.name[piece.edge]]
    renamed = road != arrays.names[arrays.name[before.edge]]
    # Unnamed stretches change "name" all the time; only a real turn between them is worth a word.
    told = abs(turn) > _SAME_ROAD_TURN_DEG or (renamed and (bool(road) or abs(turn) > _SHARP_TURN_DEG))
    return _maneuver(turn) if told and _is_choice(graph, before, piece) else None


def _is_choice(graph: RoadGraph, before: _Piece, after: _Piece) -> bool:
    """Whether one could have gone on another way there: a bend in the only road is no instruction."""
    arrays = graph.arrays
    if arrays.name[before.edge] != arrays.name[after.edge]:
        return True
    if before.head >= arrays.vertices:
        return False
    out = arrays.out_lane[arrays.out_start[before.head] : arrays.out_start[before.head + 1]]
    return bool(((out != after.lane) & (out != before.lane ^ 1)).any())
