"""What an operator draws on the map, as the lanes that may not be travelled.

`lanes_hit` says which lanes of a graph a drawing closes and `RoadGraph.closed` makes the graph without them, both
in milliseconds:

    graph.closed(np.concatenate([lanes_hit(graph, blockage) for blockage in blockages]))
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import shapely
from numpy.typing import NDArray

from gis.errors import BadShape

if TYPE_CHECKING:
    from gis.roads.graph import RoadGraph

Kind = Literal["point", "line", "polygon"]
Direction = Literal["both", "along", "against"]
How = Literal["auto", "along", "across"]
Ints = NDArray[np.int32]
Floats = NDArray[np.float64]

BUFFER_M = 15.0
MAX_BUFFER_M = 200.0
MAX_POINTS = 2_000
_LEAST = {"point": 1, "line": 2, "polygon": 3}
_PARALLEL_COS = float(np.cos(np.radians(35.0)))
# A line counts as drawn along a road when roads go beside it for half of its length.
_BESIDE_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Blockage:
    """Where roads are closed, as it was drawn.

    Attributes:
        kind: "point" closes the road at a point, "line" those that the line runs along or else across, "polygon"
            all that have a part inside.
        coordinates: (lon, lat) in degrees, EPSG:4326, one, two or three at least; a polygon is its outer ring,
            closed or not.
        direction: Of a line along a road: "both", or only the traffic "along" the line as it was drawn, or only
            that "against" it. Other shapes close both.
        buffer_m: How far the drawing may be off the road, metres; for a polygon what lies so near counts too.
        how: Whether a line runs "along" or "across" the roads it closes; "auto" tells by itself.
        profiles: Means of travel that are stopped; None for all.

    Raises:
        BadShape: Too few or too many points, coordinates off the earth, a ring without an inside, a bad buffer.
    """

    kind: Kind
    coordinates: tuple[tuple[float, float], ...]
    direction: Direction = "both"
    buffer_m: float = BUFFER_M
    how: How = "auto"
    profiles: frozenset[str] | None = None

    def __post_init__(self) -> None:
        for value, allowed, what in (
            (self.kind, get_args(Kind), "kind"),
            (self.direction, get_args(Direction), "direction"),
            (self.how, get_args(How), "how"),
        ):
            if value not in allowed:
                raise BadShape(f"{what} {value!r} is not one of {', '.join(allowed)}")
        if not 0.0 <= self.buffer_m <= MAX_BUFFER_M:
            raise BadShape(f"the buffer must be 0 to {MAX_BUFFER_M:.0f} m, not {self.buffer_m}")
        if len(self.coordinates) > MAX_POINTS:
            raise BadShape(f"more than {MAX_POINTS} points")
        for number, place in enumerate(self.coordinates):
            if not (abs(place[0]) <= 180.0 and abs(place[1]) < 90.0):
                raise BadShape(f"point {number + 1} is no longitude and latitude: {place}")
        if len(set(self.coordinates)) < _LEAST[self.kind]:
            raise BadShape(f"a {self.kind} has at least {_LEAST[self.kind]} different points")
        if self.kind == "polygon" and not shapely.Polygon(self.coordinates).is_valid:
            raise BadShape("the ring crosses itself or has no inside")


def lanes_hit(graph: RoadGraph, blockage: Blockage) -> Ints:
    """Lanes that a drawing closes, in rising order; none when no road is near or the profile is not meant.

    A line along a road leaves the roads that it only passes open: an edge is hit when more than the buffer, or
    half of it, goes beside the line in its direction. A line across closes what it crosses, else what lies in its
    buffer. An edge is closed from junction to junction. Ferries are closed like roads.
    """
    none = np.zeros(0, dtype=np.int32)
    if blockage.profiles is not None and graph.profile not in blockage.profiles:
        return none
    x, y = graph.frame.to_xy(*np.array(blockage.coordinates, dtype=np.float64).T)
    if blockage.kind == "point":
        edges = _at_point(graph, shapely.Point(x[0], y[0]), blockage.buffer_m)
    elif blockage.kind == "polygon":
        edges = graph.edges_within(shapely.Polygon(np.column_stack([x, y])), blockage.buffer_m)
    else:
        line = shapely.LineString(np.column_stack([x, y]))
        beside = _Beside(graph, line, max(blockage.buffer_m, 1.0)) if blockage.how != "across" else None
        if beside is not None and (blockage.how == "along" or beside.share >= _BESIDE_SHARE):
            return beside.lanes(graph, blockage.direction)
        edges = graph.edges_within(line, 0.0)
        if not edges.size:
            edges = graph.edges_within(line, blockage.buffer_m)
    return _passable(graph, np.concatenate([2 * edges, 2 * edges + 1]))


def edges_hit(graph: RoadGraph, blockage: Blockage) -> Ints:
    """Edges of which a drawing closes a lane, in rising order."""
    edges: Ints = np.unique(lanes_hit(graph, blockage) >> 1)
    return edges


def with_closures(graph: RoadGraph, blockages: Iterable[Blockage]) -> RoadGraph:
    """The graph as it is while these closures are in force; the very same graph when they close nothing."""
    hit = [lanes_hit(graph, blockage) for blockage in blockages]
    return graph.closed(np.concatenate(hit)) if hit else graph


def edge_lines_deg(graph: RoadGraph, edges: Ints) -> list[list[tuple[float, float]]]:
    """The course of edges as (lon, lat) in degrees, to show what a drawing closes."""
    a = graph.arrays
    return [
        list(zip(a.lon[first:last].tolist(), a.lat[first:last].tolist(), strict=True))
        for first, last in zip(a.start[edges].tolist(), a.start[np.asarray(edges) + 1].tolist(), strict=True)
    ]


def _passable(graph: RoadGraph, lanes: Ints) -> Ints:
    found: Ints = np.sort(lanes[graph.arrays.lane_head[lanes] < graph.arrays.vertices]).astype(np.int32)
    return found


def _at_point(graph: RoadGraph, point: shapely.Point, buffer_m: float) -> Ints:
    edges = graph.edges_within(point, buffer_m)
    if not edges.size:
        return edges
    metres = shapely.distance(graph.lines[edges], point)
    nearest: Ints = edges[metres <= metres.min() + 1.0]
    return nearest


class _Beside:
    """The roads that go beside a drawn line, and how much of it they accompany."""

    def __init__(self, graph: RoadGraph, line: shapely.LineString, buffer_m: float) -> None:
        edges = graph.edges_within(line, buffer_m)
        xy, owner = shapely.get_coordinates(graph.lines[edges], return_index=True)
        joined = np.flatnonzero(owner[1:] == owner[:-1])
        ends = np.stack([xy[joined], xy[joined + 1]], axis=1)
        corridor = shapely.buffer(line, buffer_m, cap_style="flat")
        shapely.prepare(corridor)
        pieces, of = shapely.get_parts(
            shapely.intersection(shapely.linestrings(ends), corridor), return_index=True
        )
        real = shapely.get_type_id(pieces) == shapely.GeometryType.LINESTRING
        pieces, of = pieces[real], of[real]
        length = shapely.length(pieces)
        course = ends[of, 1] - ends[of, 0]
        size = np.hypot(course[:, 0], course[:, 1])
        middle = shapely.line_interpolate_point(pieces, 0.5, normalized=True)
        drawn = _course_at(line, shapely.line_locate_point(line, middle))
        with np.errstate(invalid="ignore", divide="ignore"):
            cos = (course * drawn).sum(axis=1) / size
        parallel = np.abs(cos) >= _PARALLEL_COS
        of_edge = owner[joined][of]
        beside_m = np.bincount(of_edge[parallel], length[parallel], len(edges))
        signed_m = np.bincount(of_edge[parallel], (np.sign(cos) * length)[parallel], len(edges))
        hit = beside_m > np.minimum(buffer_m, 0.5 * graph.arrays.length_m[edges])
        self._edges = edges[hit]
        self._with_line = signed_m[hit] > 0
        kept = parallel & hit[of_edge]
        first, last = (
            shapely.line_locate_point(line, shapely.get_point(pieces[kept], end)) for end in (0, -1)
        )
        self.share = _united_m(np.minimum(first, last), np.maximum(first, last)) / float(line.length)

    def lanes(self, graph: RoadGraph, direction: Direction) -> Ints:
        """Lanes of these roads whose traffic goes in a direction of the drawn line."""
        along = 2 * self._edges + np.where(self._with_line, 0, 1).astype(np.int32)
        chosen = {"both": [along, along ^ 1], "along": [along], "against": [along ^ 1]}[direction]
        return _passable(graph, np.concatenate(chosen))


def _course_at(line: shapely.LineString, metres: Floats) -> Floats:
    """(n, 2) unit vectors of a line's course at lengths along it."""
    xy = shapely.get_coordinates(line)
    step = np.diff(xy, axis=0)
    size = np.hypot(step[:, 0], step[:, 1])
    step, size = step[size > 0], size[size > 0]
    at = np.clip(np.searchsorted(np.cumsum(size), metres), 0, len(size) - 1)
    course: Floats = step[at] / size[at, None]
    return course


def _united_m(first: Floats, last: Floats) -> float:
    """Length of the union of intervals."""
    order = np.argsort(first)
    first, last = first[order], np.maximum.accumulate(last[order]) if len(last) else last
    before = np.concatenate([[-np.inf], last[:-1]])
    return float(np.maximum(last - np.maximum(first, before), 0.0).sum())
