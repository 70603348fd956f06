"""One way drawn on the map and told in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gis.roads.snap import FREE_OFFSET_M, WALK_M_S
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
            ferry or arrive.
        road: Name of the road taken from here on, empty without one (and on arrival).
        distance_m: Driven since the step before; 0 on departure. The steps sum up to the route.
        duration_s: Time since the step before.
        lon: Where it happens, degrees.
        lat: Degrees.
        heading_deg: Direction of travel after it, clockwise from north.
    """

    maneuver: str
    road: str
    distance_m: float
    duration_s: float
    lon: float
    lat: float
    heading_deg: float

    def text(self, language: str = "zh-CN") -> str:
        """The instruction in "zh-CN" or "en".

        >>> Step("left", "桥头南巷", 183.0, 20.0, 117.0, 34.0, 90.0).text("zh-CN")
        '180 米后左转，进入桥头南巷'
        """
        return step_text(self.maneuver, self.road, self.distance_m, self.heading_deg, language)


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


@dataclass(frozen=True, slots=True)
class _Piece:
    """A stretch of one lane: metric coordinates in travel order."""

    edge: int
    xy: Floats
    length_m: float
    seconds: float


def trace_route(graph: RoadGraph, field: ReverseField, lon: float, lat: float) -> Route | None:
    """Follow the field downhill from a point; see `ReverseField.route`."""
    snap = graph.snap_one(lon, lat)
    total_s = field.seconds_at(lon, lat)
    if snap is None or not total_s < np.inf:
        return None
    edge, fraction, offset_m = snap
    pieces = [
        piece for part in _parts(graph, field, edge, fraction) if (piece := _piece(graph, *part)) is not None
    ]
    walked_s = sum(max(m - FREE_OFFSET_M, 0.0) / WALK_M_S for m in (offset_m, field.offset_m))
    if not pieces:
        # Start and destination meet the road at the same spot.
        spot = _point(graph, edge, fraction)
        pieces = [_Piece(edge, np.array([spot, spot]), 0.0, 0.0)]
    xy = np.concatenate([pieces[0].xy[:1], *(piece.xy[1:] for piece in pieces)])
    coordinates = np.column_stack(graph.frame.to_lonlat(xy[:, 0], xy[:, 1]))
    steps = _steps(graph, pieces, walked_s)
    return Route(coordinates, sum(piece.length_m for piece in pieces), total_s, steps)


def _parts(
    graph: RoadGraph, field: ReverseField, edge: int, fraction: float
) -> list[tuple[int, float, float]]:
    """Lanes travelled, each as (lane, share where it is entered, share where it is left)."""
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
        is_open = arrays.lane_head[direct] < arrays.vertices or fraction == field.fraction
        if is_open and direct_s <= best_s:
            return [(direct, _share(direct, fraction), _share(direct, field.fraction))]
    parts = [(lane, _share(lane, fraction), 1.0)]
    vertex = int(arrays.lane_head[lane])
    while True:
        out = arrays.out_lane[arrays.out_start[vertex] : arrays.out_start[vertex + 1]]
        onward_s = arrays.lane_s[out] + field.vertex_s[arrays.lane_head[out]]
        at = int(np.argmin(onward_s))
        if field.seeds.get(vertex, np.inf) <= onward_s[at]:
            return [*parts, _last_part(graph, field, out)]
        lane = int(out[at])
        parts.append((lane, 0.0, 1.0))
        vertex = int(arrays.lane_head[lane])


def _last_part(graph: RoadGraph, field: ReverseField, out: NDArray[np.int32]) -> tuple[int, float, float]:
    """The lane of the destination's edge that leaves the last junction, the shorter of two."""
    lanes = [lane for lane in (2 * field.edge, 2 * field.edge + 1) if lane in out]
    lane = min(lanes, key=lambda lane: _share(lane, field.fraction) * float(graph.arrays.lane_s[lane]))
    return lane, 0.0, _share(lane, field.fraction)


def _share(lane: int, fraction: float) -> float:
    """A place on an edge as the share of a lane already travelled there."""
    return 1.0 - fraction if lane & 1 else fraction


def _point(graph: RoadGraph, edge: int, fraction: float) -> tuple[float, float]:
    point = graph.lines[edge].interpolate(fraction, normalized=True)
    return float(point.x), float(point.y)


def _piece(graph: RoadGraph, lane: int, enter: float, leave: float) -> _Piece | None:
    """The stretch of a lane between two shares of it, or None when it has no length."""
    edge = lane >> 1
    length = float(graph.arrays.length_m[edge])
    if leave <= enter or length <= 0.0:
        return None
    xy = np.asarray(graph.lines[edge].coords, dtype=np.float64)
    if lane & 1:
        xy = xy[::-1]
    if enter > 0.0 or leave < 1.0:
        at = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(xy, axis=0).T))])
        cut = np.array([enter, leave]) * at[-1]
        inner = (at > cut[0]) & (at < cut[1])
        ends = np.column_stack([np.interp(cut, at, xy[:, 0]), np.interp(cut, at, xy[:, 1])])
        xy = np.concatenate([ends[:1], xy[inner], ends[1:]])
    share = leave - enter
    return _Piece(edge, xy, share * length, share * float(graph.arrays.lane_s[lane]))


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

    def add(maneuver: str, road: str, xy: Floats, heading: float) -> None:
        lon, lat = graph.frame.to_lonlat(xy[0], xy[1])
        steps.append(Step(maneuver, road, metres, seconds, float(lon), float(lat), heading))

    for number, piece in enumerate(pieces):
        road = arrays.names[arrays.name[piece.edge]]
        heading = _heading_deg(piece.xy, at_end=False)
        if number == 0:
            add("depart", road, piece.xy[0], heading)
        else:
            before = pieces[number - 1]
            turn = (heading - _heading_deg(before.xy, at_end=True) + 180.0) % 360.0 - 180.0
            boards = bool(arrays.ferry[piece.edge]) and not arrays.ferry[before.edge]
            renamed = road != arrays.names[arrays.name[before.edge]]
            # Unnamed stretches change "name" all the time; only a real turn between them is worth a word.
            told = abs(turn) > _SAME_ROAD_TURN_DEG or (
                renamed and (bool(road) or abs(turn) > _SHARP_TURN_DEG)
            )
            if boards or (told and _is_choice(graph, before, piece)):
                add("ferry" if boards else _maneuver(turn), road, piece.xy[0], heading)
                metres, seconds = 0.0, 0.0
        metres += piece.length_m
        seconds += piece.seconds
    seconds += walked_s
    add("arrive", "", pieces[-1].xy[-1], _heading_deg(pieces[-1].xy, at_end=True))
    return tuple(steps)


def _is_choice(graph: RoadGraph, before: _Piece, after: _Piece) -> bool:
    """Whether one could have gone on another way there: a bend in the only road is no instruction."""
    arrays = graph.arrays
    if arrays.name[before.edge] != arrays.name[after.edge]:
        return True
    ends = {int(arrays.lane_head[2 * before.edge]), int(arrays.lane_head[2 * before.edge + 1])}
    return any(
        vertex < arrays.vertices and arrays.out_start[vertex + 1] - arrays.out_start[vertex] > 2
        for vertex in ends
    )
