"""One connected road network out of roads that merely touch and cross."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import shapely
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, dijkstra
from shapely.geometry.base import BaseGeometry

from gis.synthetic.plane import Floats, Ints

GRID_M = 0.5
"""Vertices of the network lie on this raster, so that shared nodes are equal to the last bit."""


@dataclass(frozen=True, slots=True)
class Road:
    """A road before noding. ``loose`` roads lose short dead ends; ``keep`` ones are left as they are."""

    points: Floats
    highway: str
    name: str = ""
    ref: str = ""
    loose: bool = False


@dataclass(frozen=True, slots=True)
class Pieces:
    """The noded network: piece i is ``lines[i]`` and belongs to ``roads[owner[i]]``."""

    roads: list[Road]
    lines: list[shapely.LineString]
    owner: list[int]

    def by_road(self) -> dict[int, list[shapely.LineString]]:
        """Return the longest possible lines of each road; they share vertices where roads meet."""
        groups: dict[int, list[shapely.LineString]] = defaultdict(list)
        for line, owner in zip(self.lines, self.owner, strict=True):
            groups[owner].append(line)
        merged = {}
        for owner in sorted(groups):
            parts = groups[owner]
            whole: BaseGeometry = (
                parts[0] if len(parts) == 1 else shapely.line_merge(shapely.MultiLineString(parts))
            )
            merged[owner] = [
                g for g in shapely.get_parts(whole).tolist() if isinstance(g, shapely.LineString)
            ]
        return merged


def weave(roads: list[Road], barrier: BaseGeometry) -> Pieces:
    """Node all roads, mend loose ends and keep one connected network.

    Args:
        roads: Roads in metres; where they cross they become joined.
        barrier: Water no mending link may cross.

    Returns:
        The connected pieces; short dead ends of loose roads and unreachable remains are gone.
    """
    lines = [shapely.LineString(r.points) for r in roads]
    lines += _mend(roads, lines, barrier)
    source = [*range(len(roads)), *([-1] * (len(lines) - len(roads)))]
    mended = [*roads]
    for k in range(len(roads), len(lines)):
        source[k] = len(mended)
        mended.append(Road(np.array(lines[k].coords), "service"))
    pieces, owner = _node(lines, source)
    pieces, owner = _prune(pieces, owner, mended)
    for _ in range(3):
        links = _bridge_gaps(pieces, barrier)
        if not links:
            break
        for link in links:
            mended.append(Road(np.array(link.coords), "service"))
        base = len(mended) - len(links)
        pieces, owner = _node([*pieces, *links], [*owner, *range(base, len(mended))])
    label = _components(pieces)
    length = np.bincount(label, weights=shapely.length(np.array(pieces)))
    best = int(np.argmax(length))
    kept = [k for k in range(len(pieces)) if label[k] == best]
    return _passable(Pieces(mended, [pieces[k] for k in kept], [owner[k] for k in kept]))


def _passable(net: Pieces) -> Pieces:
    """Make roads of the tracks without which a car could not get from everywhere to everywhere."""
    nodes, ends = ends_of(net.lines)
    track = np.array([net.roads[o].highway == "track" for o in net.owner])
    n, length = len(nodes), shapely.length(np.array(net.lines))
    by_car = csr_array((np.ones((~track).sum()), tuple(ends[~track].T)), shape=(n, n))
    label = connected_components(by_car, directed=False)[1]
    drivable = np.unique(ends[~track])
    main = int(np.argmax(np.bincount(label[drivable])))
    islands = [i for i in np.unique(label[drivable]).tolist() if i != main]
    if not islands:
        return net
    # Driving is as good as free, so that the way leads over as little track as there may be.
    weight = np.where(track, length, 0.001 * length)
    order = np.argsort(-weight, kind="stable")  # of parallel pieces the last entry, the cheapest, counts
    piece_at = {tuple(sorted(ends[k].tolist())): int(k) for k in order}
    cheapest = np.array(sorted(piece_at.values()))
    graph = csr_array((weight[cheapest], tuple(ends[cheapest].T)), shape=(n, n))
    cost, back, _ = dijkstra(
        graph,
        directed=False,
        indices=drivable[label[drivable] == main],
        min_only=True,
        return_predecessors=True,
    )
    roads, owner = [*net.roads], [*net.owner]
    for island in islands:
        here = drivable[label[drivable] == island]
        at = int(here[np.argmin(cost[here])])
        while (prev := int(back[at])) >= 0:
            k = piece_at[(min(at, prev), max(at, prev))]
            if roads[owner[k]].highway == "track":
                owner[k] = len(roads)
                roads.append(Road(np.array(net.lines[k].coords), "unclassified"))
            at = prev
    return Pieces(roads, net.lines, owner)


def _node(lines: list[shapely.LineString], source: list[int]) -> tuple[list[shapely.LineString], list[int]]:
    noded = shapely.union_all(np.array(lines), grid_size=GRID_M)
    pieces = [g for g in shapely.get_parts(noded).tolist() if isinstance(g, shapely.LineString)]
    tree = shapely.STRtree(lines)
    nearest = tree.nearest(shapely.line_interpolate_point(np.array(pieces), 0.5, normalized=True))
    return pieces, [source[int(k)] for k in nearest]


def _mend(
    roads: list[Road], lines: list[shapely.LineString], barrier: BaseGeometry
) -> list[shapely.LineString]:
    """Lead the ends of loose roads on to a road close by."""
    tree = shapely.STRtree(lines)
    shapely.prepare(barrier)
    links = []
    for index, road in enumerate(roads):
        if not road.loose:
            continue
        for end, back in ((road.points[0], road.points[1]), (road.points[-1], road.points[-2])):
            point = shapely.Point(end)
            near = [k for k in tree.query(point, predicate="dwithin", distance=70.0) if k != index]
            if not near or min(lines[k].distance(point) for k in near) < GRID_M:
                continue
            ahead = (end - back) / (np.hypot(*(end - back)) + 1e-9)
            best: tuple[float, shapely.LineString] | None = None
            for k in near:
                to = np.array(lines[k].interpolate(lines[k].project(point)).coords[0])
                way = (to - end) / (np.hypot(*(to - end)) + 1e-9)
                if float(np.dot(way, ahead)) < 0.2:
                    continue
                link = shapely.LineString([end, to + way * 1.0])
                if (best is None or link.length < best[0]) and not barrier.intersects(link):
                    best = (link.length, link)
            if best is not None:
                links.append(best[1])
    return links


def ends_of(
    pieces: list[shapely.LineString],
) -> tuple[Floats, Ints]:
    """Return the distinct end points, (n, 2) metres, and for each piece the indices of its two ends."""
    coords, at = shapely.get_coordinates(np.array(pieces), return_index=True)
    first = np.searchsorted(at, np.arange(len(pieces)))
    last = np.searchsorted(at, np.arange(len(pieces)), side="right") - 1
    both = np.concatenate([coords[first], coords[last]])
    nodes, index = np.unique(np.round(both * 10).astype(np.int64), axis=0, return_inverse=True)
    return nodes / 10.0, index.reshape(2, -1).T.astype(np.int64)


def _prune(
    pieces: list[shapely.LineString], owner: list[int], roads: list[Road]
) -> tuple[list[shapely.LineString], list[int]]:
    for _ in range(3):
        _, ends = ends_of(pieces)
        degree = np.bincount(ends.ravel())
        loose = np.array([roads[o].loose or roads[o].highway == "service" for o in owner])
        dangling = (degree[ends] == 1).any(axis=1) & loose & (shapely.length(np.array(pieces)) < 85)
        if not dangling.any():
            break
        kept = np.flatnonzero(~dangling)
        pieces, owner = [pieces[k] for k in kept], [owner[k] for k in kept]
    return pieces, owner


def _components(pieces: list[shapely.LineString]) -> Ints:
    nodes, ends = ends_of(pieces)
    n = len(nodes)
    graph = csr_array((np.ones(len(ends)), (ends[:, 0], ends[:, 1])), shape=(n, n))
    label = connected_components(graph, directed=False)[1]
    return np.asarray(label[ends[:, 0]], dtype=np.int64)


def _bridge_gaps(pieces: list[shapely.LineString], barrier: BaseGeometry) -> list[shapely.LineString]:
    """Return links from every worthwhile island of roads to the main network, none across the barrier."""
    label = _components(pieces)
    length = np.bincount(label, weights=shapely.length(np.array(pieces)))
    best = int(np.argmax(length))
    main = shapely.MultiLineString([pieces[k] for k in range(len(pieces)) if label[k] == best])
    links = []
    for k in range(len(length)):
        if k == best or length[k] < 120:
            continue
        island = shapely.MultiLineString([pieces[j] for j in np.flatnonzero(label == k)])
        link = shapely.shortest_line(island, main)
        if link.length < 600 and not barrier.intersects(link):
            a, b = (np.array(c) for c in link.coords)
            way = (b - a) / (np.hypot(*(b - a)) + 1e-9)
            links.append(shapely.LineString([a - way, b + way]))
    return links
