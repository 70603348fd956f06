"""Road facts turned into the arrays of a graph.

An *edge* is a stretch of road between two junctions. It has two *lanes*: lane 2e runs in drawing order, lane
2e + 1 against it. Vertices are states at the ends of lanes (`gis.roads.turns`); from a vertex *arcs* lead over the
lanes that may follow to their ends.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from gis.crs import LocalMetric
from gis.roads.profiles import Profile
from gis.roads.read import RoadFacts
from gis.roads.turns import Lanes, build_turns

Ints = NDArray[np.int32]
Floats = NDArray[np.float64]

_SHORTEST_S = 1e-6  # two nodes on one spot: a lane of no time would vanish from a sparse matrix

_HEADING_M = 12.0  # a turn is judged over this much road, so that a kerb radius is no turn
_SAME_LIGHTS_M = 40.0  # the lights of one large junction stand on several of its nodes


@dataclass(frozen=True, slots=True, eq=False)
class RoadArrays:
    """Everything a road graph stores; all arrays, so that a file of it needs no code to load.

    Attributes:
        lon: (k,) vertices of all edges in a row, degrees.
        lat: (k,) the same.
        start: (m + 1,) where each edge begins in `lon` and `lat`.
        length_m: (m,) along the road.
        name: (m,) index into `names`.
        names: Road names; 0 is the empty one.
        way: (m,) OSM way id.
        ferry: (m,) whether the edge is a ferry.
        roundabout: (m,) whether the edge is part of a roundabout.
        lane_s: (2m,) seconds to travel a lane; 0 where forbidden.
        lane_head: (2m,) vertex where a lane ends for whoever enters the road on it; `vertices` (one past the last)
            where forbidden.
        out_start: (vertices + 1,) where the arcs that leave each vertex begin.
        out_lane: (a,) the lane each arc goes over.
        out_head: (a,) the vertex where it ends, which is the lane's but after a turn that still binds.
        out_s: (a,) seconds before the lane is entered: the turn, lights, boarding.
        snappable: (m,) whether the edge belongs to the largest part from which all of it can be reached.
        junctions: Number of places where lanes meet.
        skipped: What reading left out, by reason.
    """

    lon: Floats
    lat: Floats
    start: NDArray[np.int64]
    length_m: Floats
    name: Ints
    names: tuple[str, ...]
    way: NDArray[np.int64]
    ferry: NDArray[np.bool_]
    roundabout: NDArray[np.bool_]
    lane_s: Floats
    lane_head: Ints
    out_start: NDArray[np.int64]
    out_lane: Ints
    out_head: Ints
    out_s: Floats
    snappable: NDArray[np.bool_]
    junctions: int
    skipped: dict[str, int]

    @property
    def vertices(self) -> int:
        """Number of vertices: one for each junction, or more where it matters whence somebody comes."""
        return len(self.out_start) - 1


@dataclass(slots=True)
class _Cut:
    """Ways cut at junctions: per edge its nodes' span in the concatenated ways, and its two vertices."""

    first: NDArray[np.int64]
    last: NDArray[np.int64]
    tail: Ints
    head: Ints
    way: NDArray[np.int64]
    nodes: NDArray[np.int64]
    junctions: int
    junction_of_node: dict[int, int]


def build_arrays(facts: RoadFacts, profile: Profile) -> RoadArrays:
    """Build the arrays from a file's facts; there must be at least one way."""
    lon = np.concatenate([way.lon for way in facts.ways])
    lat = np.concatenate([way.lat for way in facts.ways])
    cut = _cut(facts)
    start, index = _spans(cut)
    frame = LocalMetric(*centre(lon, lat))
    x, y = frame.to_xy(lon[index], lat[index])
    hop = np.hypot(np.diff(x), np.diff(y))
    hop[start[1:-1] - 1] = 0.0  # from the end of one edge to the start of the next is no road
    travelled = np.concatenate([[0.0], np.cumsum(hop)])
    length = np.diff(np.concatenate([travelled[start[:-1]], [travelled[-1]]]))

    lane_s = _lane_seconds(facts, cut, length)
    skipped = Counter(facts.skipped)
    lanes = _lanes(facts, cut, lane_s, length, edge_lines(x, y, start))
    turns = build_turns(lanes, facts.restrictions, cut.junction_of_node, profile.turns, skipped)
    names = ("", *sorted({way.name for way in facts.ways} - {""}))
    number = {name: n for n, name in enumerate(names)}
    way_name = np.array([number[way.name] for way in facts.ways], dtype=np.int32)
    return RoadArrays(
        lon=lon[index],
        lat=lat[index],
        start=start,
        length_m=length,
        name=way_name[cut.way],
        names=names,
        way=np.array([way.id for way in facts.ways], dtype=np.int64)[cut.way],
        ferry=lanes.ferry[::2],
        roundabout=lanes.roundabout[::2],
        lane_s=np.where(np.isfinite(lane_s), lane_s, 0.0),
        lane_head=turns.lane_head,
        out_start=turns.out_start,
        out_lane=turns.out_lane,
        out_head=turns.out_head,
        out_s=turns.out_s,
        snappable=_snappable(len(lane_s), turns.out_start, turns.out_lane, turns.out_head),
        junctions=len(np.unique(np.concatenate([cut.tail, cut.head]))),
        skipped=dict(skipped),
    )


def centre(lon: Floats, lat: Floats) -> tuple[float, float]:
    """The middle of the bounds, where the metric frame is set."""
    west, south, east, north = float(lon.min()), float(lat.min()), float(lon.max()), float(lat.max())
    return (west + east) / 2.0, (south + north) / 2.0


def _cut(facts: RoadFacts) -> _Cut:
    nodes = np.concatenate([np.array(way.nodes, dtype=np.int64) for way in facts.ways])
    sizes = np.array([len(way.nodes) for way in facts.ways])
    ends = np.cumsum(sizes)
    ids, place, uses = np.unique(nodes, return_inverse=True, return_counts=True)
    is_junction = uses > 1
    is_junction[place[ends - 1]] = True
    is_junction[place[ends - sizes]] = True
    vias = [restriction.via_node for restriction in facts.restrictions]
    blocked = np.array(sorted(facts.barriers), dtype=np.int64)
    waits = np.array(sorted(facts.waits), dtype=np.int64)
    for special in (np.array(vias, dtype=np.int64), blocked, waits):
        is_junction |= np.isin(ids, special)

    cuts = np.flatnonzero(is_junction[place])
    way_of_node = np.repeat(np.arange(len(sizes)), sizes)
    same_way = way_of_node[cuts[:-1]] == way_of_node[cuts[1:]]
    first, last = cuts[:-1][same_way], cuts[1:][same_way]
    vertex = np.full(len(ids), -1, dtype=np.int32)
    vertex[is_junction] = np.arange(int(is_junction.sum()), dtype=np.int32)
    tail, head = vertex[place[first]], vertex[place[last]]
    junctions = int(is_junction.sum())
    for side, nodes_at in ((tail, nodes[first]), (head, nodes[last])):
        shut = np.flatnonzero(np.isin(nodes_at, blocked))
        side[shut] = np.arange(junctions, junctions + len(shut), dtype=np.int32)
        junctions += len(shut)
    lookup = dict(zip(ids[is_junction].tolist(), vertex[is_junction].tolist(), strict=True))
    return _Cut(first, last, tail, head, way_of_node[first], nodes, junctions, lookup)


def _spans(cut: _Cut) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where each edge starts in the concatenated coordinates, and which node each coordinate is."""
    sizes = cut.last - cut.first + 1
    start = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    index = np.arange(start[-1]) - np.repeat(start[:-1] - cut.first, sizes)
    return start, index


def _lane_seconds(facts: RoadFacts, cut: _Cut, length_m: Floats) -> Floats:
    """(2m,) seconds; infinite where the lane may not be travelled."""
    speeds = np.array([(way.forward_kmh, way.backward_kmh) for way in facts.ways])[cut.way]
    with np.errstate(divide="ignore"):
        lane_s = np.maximum(length_m[:, None], 1e-9) / (speeds / 3.6)
    stated = np.array([way.duration_s or np.nan for way in facts.ways])
    whole_m = np.bincount(cut.way, weights=length_m, minlength=len(facts.ways))
    with np.errstate(invalid="ignore", divide="ignore"):
        share = (stated / whole_m)[cut.way] * length_m
    timed = np.isfinite(share)
    lane_s[timed] = np.where(speeds[timed] > 0.0, share[timed, None], np.inf)
    return np.maximum(lane_s, _SHORTEST_S).ravel()


def _lanes(
    facts: RoadFacts, cut: _Cut, lane_s: Floats, length_m: Floats, lines: NDArray[np.object_]
) -> Lanes:
    """Everything about the lanes that turns depend on."""

    def of_way(values: list[float] | list[bool] | list[int]) -> NDArray[np.generic]:
        return np.repeat(np.array(values)[cut.way], 2)

    speeds = np.array([(way.forward_kmh, way.backward_kmh) for way in facts.ways])[cut.way]
    first_deg, last_deg = _headings_deg(lines, length_m)
    return Lanes(
        tail=np.column_stack([cut.tail, cut.head]).ravel(),
        head=np.column_stack([cut.head, cut.tail]).ravel(),
        seconds=lane_s,
        kmh=speeds.ravel(),
        way=of_way([way.id for way in facts.ways]).astype(np.int64),
        ferry=of_way([way.road_class == "ferry" for way in facts.ways]).astype(np.bool_),
        roundabout=of_way([way.roundabout for way in facts.ways]).astype(np.bool_),
        first_deg=first_deg,
        last_deg=last_deg,
        wait_s=_waits_s(facts, cut, length_m),
        boarding_s=of_way([way.boarding_s for way in facts.ways]).astype(np.float64),
        junctions=cut.junctions,
    )


def _headings_deg(lines: NDArray[np.object_], length_m: Floats) -> tuple[Floats, Floats]:
    """(2m,) headings of the lanes on their first and on their last metres."""

    def heading(start: NDArray[np.object_], end: NDArray[np.object_]) -> Floats:
        dx, dy = shapely.get_x(end) - shapely.get_x(start), shapely.get_y(end) - shapely.get_y(start)
        degrees: Floats = np.degrees(np.arctan2(dx, dy)) % 360.0
        return degrees

    begin, end = shapely.get_point(lines, 0), shapely.get_point(lines, -1)
    far_m = np.minimum(_HEADING_M, length_m)
    leaves = heading(begin, shapely.line_interpolate_point(lines, far_m))
    arrives = heading(shapely.line_interpolate_point(lines, -far_m), end)
    return (
        np.column_stack([leaves, (arrives + 180.0) % 360.0]).ravel(),
        np.column_stack([arrives, (leaves + 180.0) % 360.0]).ravel(),
    )


def _waits_s(facts: RoadFacts, cut: _Cut, length_m: Floats) -> Floats:
    """(2m,) what passing the node at the end of each lane costs."""
    ids = np.array(sorted(facts.waits), dtype=np.int64)
    wait_s = np.zeros(2 * len(length_m))
    if not len(ids):
        return wait_s
    seconds = np.array([facts.waits[node].seconds for node in ids.tolist()])
    facing = np.array([facts.waits[node].direction for node in ids.tolist()])
    at = [np.searchsorted(ids, cut.nodes[side]).clip(max=len(ids) - 1) for side in (cut.first, cut.last)]
    here = [ids[k] == cut.nodes[side] for k, side in zip(at, (cut.first, cut.last), strict=True)]
    crossing = here[0] & here[1] & (length_m < _SAME_LIGHTS_M)
    for lane, (k, waits, against) in enumerate(((at[1], here[1], -1), (at[0], here[0], 1))):
        wait_s[lane::2] = np.where(waits & (facing[k] != against) & ~crossing, seconds[k], 0.0)
    return wait_s


def _snappable(lanes: int, out_start: NDArray[np.int64], out_lane: Ints, out_head: Ints) -> NDArray[np.bool_]:
    """Edges with a lane inside the largest strongly connected part; the first of equally large parts."""
    vertices = len(out_start) - 1
    tails = np.repeat(np.arange(vertices), np.diff(out_start))
    links = csr_array((np.ones(len(tails)), (tails, out_head)), shape=(vertices, vertices))
    _, part = connected_components(links, directed=True, connection="strong")
    # Size by lanes, not vertices or arcs: how often a lane is listed must not tip the scale.
    inner = np.flatnonzero(part[tails] == part[out_head])
    listed = np.unique(part[tails[inner]].astype(np.int64) * lanes + out_lane[inner])
    snappable = np.zeros(lanes // 2, dtype=np.bool_)
    if listed.size:
        largest = int(np.argmax(np.bincount(listed // lanes)))
        snappable[listed[listed // lanes == largest] % lanes >> 1] = True
    return snappable


def edge_lines(x: Floats, y: Floats, start: NDArray[np.int64]) -> NDArray[np.object_]:
    """(m,) LineStrings of the edges from their coordinates in a row."""
    owner = np.repeat(np.arange(len(start) - 1), np.diff(start))
    lines: NDArray[np.object_] = np.asarray(shapely.linestrings(np.column_stack([x, y]), indices=owner))
    return lines
