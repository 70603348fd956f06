"""Road facts turned into the arrays of a graph.

An *edge* is a stretch of road between two junctions. It has two *lanes*: lane 2e runs in drawing order, lane
2e + 1 against it. Vertices are junctions; where a turn restriction stands, each lane that it binds ends in a
vertex of its own from which only the permitted lanes leave, and at a barrier every road end has its own.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from gis.crs import LocalMetric
from gis.roads.read import RoadFacts, TurnRestriction

Ints = NDArray[np.int32]
Floats = NDArray[np.float64]

_SHORTEST_S = 1e-6  # two nodes on one spot: a lane of no time would vanish from a sparse matrix

# How many junctions after a restricted turn nobody may turn round; see `_forbid_dodging`.
_DODGE_JUNCTIONS = 3


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
        lane_s: (2m,) seconds to travel a lane; 0 where forbidden.
        lane_head: (2m,) vertex where a lane ends; `vertices` (one past the last) where forbidden.
        out_start: (vertices + 1,) where the lanes that may leave each vertex begin in `out_lane`.
        out_lane: (a,) lane numbers.
        snappable: (m,) whether the edge belongs to the largest part from which all of it can be reached.
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
    lane_s: Floats
    lane_head: Ints
    out_start: NDArray[np.int64]
    out_lane: Ints
    snappable: NDArray[np.bool_]
    skipped: dict[str, int]

    @property
    def vertices(self) -> int:
        """Number of vertices, the copies for turn restrictions included."""
        return len(self.out_start) - 1


@dataclass(slots=True)
class _Cut:
    """Ways cut at junctions: per edge its nodes' span in the concatenated ways, and its two vertices."""

    first: NDArray[np.int64]
    last: NDArray[np.int64]
    tail: Ints
    head: Ints
    way: NDArray[np.int64]
    vertices: int
    vertex_of_node: dict[int, int]


def build_arrays(facts: RoadFacts) -> RoadArrays:
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
    lane_head, out_start, out_lane = _lanes(facts, cut, lane_s, skipped)
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
        ferry=np.array([way.road_class == "ferry" for way in facts.ways], dtype=np.bool_)[cut.way],
        lane_s=np.where(lane_head < len(out_start) - 1, lane_s, 0.0),
        lane_head=lane_head,
        out_start=out_start,
        out_lane=out_lane,
        snappable=_snappable(lane_head, out_start, out_lane),
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
    is_junction |= np.isin(ids, np.array(vias, dtype=np.int64)) | np.isin(ids, blocked)

    cuts = np.flatnonzero(is_junction[place])
    way_of_node = np.repeat(np.arange(len(sizes)), sizes)
    same_way = way_of_node[cuts[:-1]] == way_of_node[cuts[1:]]
    first, last = cuts[:-1][same_way], cuts[1:][same_way]
    vertex = np.full(len(ids), -1, dtype=np.int32)
    vertex[is_junction] = np.arange(int(is_junction.sum()), dtype=np.int32)
    tail, head = vertex[place[first]], vertex[place[last]]
    vertices = int(is_junction.sum())
    for side, nodes_at in ((tail, nodes[first]), (head, nodes[last])):
        shut = np.flatnonzero(np.isin(nodes_at, blocked))
        side[shut] = np.arange(vertices, vertices + len(shut), dtype=np.int32)
        vertices += len(shut)
    lookup = dict(zip(ids[is_junction].tolist(), vertex[is_junction].tolist(), strict=True))
    return _Cut(first, last, tail, head, way_of_node[first], vertices, lookup)


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
    facts: RoadFacts, cut: _Cut, lane_s: Floats, skipped: Counter[str]
) -> tuple[Ints, NDArray[np.int64], Ints]:
    """Where each lane ends and which lanes leave each vertex, turn restrictions applied."""
    tail = np.column_stack([cut.tail, cut.head]).ravel()
    head = np.column_stack([cut.head, cut.tail]).ravel()
    open_ = np.isfinite(lane_s)
    leaves = np.flatnonzero(open_)
    tails, lanes = [tail[leaves]], [leaves]

    vertices = cut.vertices
    for lane, allowed in _restricted_lanes(facts, cut, tail, head, open_, skipped).items():
        head[lane] = vertices
        tails.append(np.full(len(allowed), vertices, dtype=np.int32))
        lanes.append(np.array(allowed, dtype=np.int64))
        vertices += 1
    head[~open_] = vertices  # one past the last: a place that no search ever reaches
    all_tails, all_lanes = np.concatenate(tails), np.concatenate(lanes)
    order = np.lexsort((all_lanes, all_tails))
    out_start = np.searchsorted(all_tails[order], np.arange(vertices + 1)).astype(np.int64)
    return head.astype(np.int32), out_start, all_lanes[order].astype(np.int32)


def _restricted_lanes(
    facts: RoadFacts,
    cut: _Cut,
    tail: Ints,
    head: Ints,
    open_: NDArray[np.bool_],
    skipped: Counter[str],
) -> dict[int, list[int]]:
    """Lanes bound by a restriction, each with the lanes that may follow it."""
    if not facts.restrictions:
        return {}
    arriving: dict[int, list[int]] = defaultdict(list)
    leaving: dict[int, list[int]] = defaultdict(list)
    for lane, (begin, end) in enumerate(zip(tail.tolist(), head.tolist(), strict=True)):
        if open_[lane]:
            arriving[end].append(lane)
            leaving[begin].append(lane)
    way_id = np.array([way.id for way in facts.ways], dtype=np.int64)[cut.way]

    forbidden: dict[int, set[int]] = defaultdict(set)
    only: dict[int, set[int]] = defaultdict(set)
    for restriction in facts.restrictions:
        vertex = cut.vertex_of_node.get(restriction.via_node, -1)
        into = [lane for lane in arriving[vertex] if way_id[lane >> 1] == restriction.from_way]
        out = [lane for lane in leaving[vertex] if way_id[lane >> 1] == restriction.to_way]
        if not into or not out:
            skipped["restriction_without_effect"] += 1
            continue
        for lane in into:
            turns = _turns(restriction, lane, out)
            (only if restriction.only else forbidden)[lane].update(turns)

    followers: dict[int, list[int]] = {}
    for lane in sorted({*forbidden, *only}):
        allowed = [
            after
            for after in leaving[int(head[lane])]
            if after not in forbidden[lane] and (not only[lane] or after in only[lane])
        ]
        # Turning round on the spot would only serve to dodge the restriction.
        ahead = [after for after in allowed if after != lane ^ 1]
        followers[lane] = ahead or allowed
    _forbid_dodging(followers, leaving, head)
    return followers


def _forbid_dodging(followers: dict[int, list[int]], leaving: dict[int, list[int]], head: Ints) -> None:
    """Take away turning round at the next junctions after a restricted turn, dead ends excepted.

    Without this the fastest way past "no left turn" is straight on, round on the spot and back.
    """
    frontier = {after for allowed in followers.values() for after in allowed}
    for _ in range(_DODGE_JUNCTIONS):
        onward: set[int] = set()
        for lane in sorted(frontier):
            allowed = followers[lane] if lane in followers else leaving[int(head[lane])]
            ahead = [after for after in allowed if after != lane ^ 1]
            if ahead and len(ahead) < len(allowed):
                followers[lane] = ahead
            onward.update(ahead)
        frontier = onward


def _turns(restriction: TurnRestriction, lane: int, out: list[int]) -> list[int]:
    if restriction.from_way == restriction.to_way and restriction.kind == "no_u_turn":
        return [after for after in out if after == lane ^ 1]
    return out


def _snappable(lane_head: Ints, out_start: NDArray[np.int64], out_lane: Ints) -> NDArray[np.bool_]:
    """Edges with a lane inside the largest strongly connected part; the first of equally large parts."""
    vertices = len(out_start) - 1
    tails = np.repeat(np.arange(vertices), np.diff(out_start))
    links = csr_array((np.ones(len(tails)), (tails, lane_head[out_lane])), shape=(vertices, vertices))
    _, part = connected_components(links, directed=True, connection="strong")
    # Size by lanes, not vertices: the copies for turn restrictions must not tip the scale.
    inner = part[tails] == part[lane_head[out_lane]]
    largest = int(np.argmax(np.bincount(part[tails[inner]], minlength=int(part.max()) + 1)))
    good = out_lane[inner & (part[tails] == largest)]
    snappable = np.zeros(len(lane_head) // 2, dtype=np.bool_)
    snappable[good >> 1] = True
    return snappable


def edge_lines(x: Floats, y: Floats, start: NDArray[np.int64]) -> NDArray[np.object_]:
    """(m,) LineStrings of the edges from their coordinates in a row."""
    owner = np.repeat(np.arange(len(start) - 1), np.diff(start))
    lines: NDArray[np.object_] = np.asarray(shapely.linestrings(np.column_stack([x, y]), indices=owner))
    return lines
