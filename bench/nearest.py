"""Everybody's travel time to one incident: one reverse search against a search from each responder.

Run with `python -m bench.nearest [extract.osm.pbf]`; without a file it measures on a lattice of its own.
All ways use the same graph in the same process; the ratios are the figure. Peers: scipy's search from each
responder on the same matrix, and igraph where it is installed.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from gis.nearest import NearestByRoad
from gis.roads import PROFILES, RoadGraph
from gis.roads.read import RoadFacts, RoadWay

COUNTS = (50, 500, 2000)


def lattice(side: int = 60) -> RoadGraph:
    """The graph of `lattice_facts`."""
    return RoadGraph.from_facts(lattice_facts(side), PROFILES["car"])


def lattice_facts(side: int) -> RoadFacts:
    """A town of `side` by `side` crossings some 150 m apart, some streets faster, some one-way."""
    rng = np.random.default_rng(3)
    lon = 117.0 + 0.0016 * np.arange(side)[:, None] + rng.normal(0, 2e-4, (side, side))
    lat = 33.9 + 0.0014 * np.arange(side)[None, :] + rng.normal(0, 2e-4, (side, side))
    node = np.arange(side * side).reshape(side, side)
    ways = []
    for line in range(2 * side):
        at = (slice(None), line) if line < side else (line - side, slice(None))
        kmh = 50.0 if line % 4 == 0 else 25.0
        ways.append(
            RoadWay(
                id=line,
                nodes=tuple(node[at].tolist()),
                lon=tuple(lon[at].tolist()),
                lat=tuple(lat[at].tolist()),
                forward_kmh=kmh,
                backward_kmh=0.0 if line % 5 == 0 else kmh,
                duration_s=None,
                name=f"{line}街",
                road_class="residential",
            )
        )
    return RoadFacts(ways, frozenset(), [], Counter())


def median_ms(run: Callable[[], object], repeats: int) -> float:
    """Median wall milliseconds after a warm-up."""
    run()
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        run()
        times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times)


def forward_matrix(graph: RoadGraph) -> csr_array:
    """The graph along the traffic, as a search from each responder needs it."""
    arrays = graph.arrays
    cost = arrays.out_s + arrays.lane_s[arrays.out_lane]
    n = arrays.vertices + 1
    tails = np.repeat(np.arange(arrays.vertices), np.diff(arrays.out_start))
    order = np.lexsort((cost, arrays.out_head, tails))
    rows, columns, seconds = tails[order], arrays.out_head[order], cost[order]
    first = np.ones(len(rows), dtype=np.bool_)
    first[1:] = (rows[1:] != rows[:-1]) | (columns[1:] != columns[:-1])
    return csr_array((seconds[first], (rows[first], columns[first])), shape=(n, n))


def main() -> None:
    graph = RoadGraph.from_pbf(sys.argv[1]) if len(sys.argv) > 1 else lattice()
    print(f"{graph.junctions} junctions, {graph.edges} edges, {graph.length_km:.0f} km")
    rng = np.random.default_rng(1)
    arrays = graph.arrays
    near_road = np.flatnonzero(np.repeat(arrays.snappable, np.diff(arrays.start)))
    nearest, forward = NearestByRoad(graph), forward_matrix(graph)
    middle = near_road[len(near_road) // 2]
    target = (float(arrays.lon[middle]), float(arrays.lat[middle]))
    field = graph.field_to(*target)
    print(f"reverse field alone      {median_ms(lambda: graph.field_to(*target), 9):9.2f} ms")
    try:
        import igraph  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        igraph = None
    for count in COUNTS:
        at = rng.choice(near_road, count)
        lon = arrays.lon[at] + rng.normal(0, 1e-4, count)
        lat = arrays.lat[at] + rng.normal(0, 1e-4, count)

        def ours(lon: object = lon, lat: object = lat) -> object:
            return nearest.rank(*target, lon, lat)  # type: ignore[arg-type]

        snaps = graph.snap(lon, lat)
        starts = arrays.lane_head[2 * snaps.edge]
        starts = np.where(starts < arrays.vertices, starts, arrays.lane_head[2 * snaps.edge + 1])

        def each(starts: object = starts) -> object:
            return [dijkstra(forward, indices=[int(s)])[0] for s in starts[:50]]  # type: ignore[index]

        own = median_ms(ours, 7)
        peer = median_ms(each, 1) * count / min(count, 50)
        line = (
            f"{count:5d} responders  rank {own:8.2f} ms   a search each {peer:10.1f} ms   {peer / own:7.1f} x"
        )
        if igraph is not None:
            coo = forward.tocoo()
            other = igraph.Graph(
                n=forward.shape[0], edges=list(zip(coo.row, coo.col, strict=True)), directed=True
            )
            vertex = int(np.argmin(field.vertex_s))

            weights = coo.data.tolist()

            def peer_igraph(
                starts: object = starts,
                other: object = other,
                vertex: int = vertex,
                weights: list[float] = weights,
            ) -> object:
                return other.distances(starts, [vertex], weights=weights)  # type: ignore[attr-defined]

            took = median_ms(peer_igraph, 3)
            line += f"   igraph {took:8.1f} ms {took / own:6.1f} x"
        print(line)
    spots = list(zip(lon.tolist(), lat.tolist(), strict=True))
    per_report = median_ms(lambda: [field.seconds_at(x, y) for x, y in spots], 3) / len(spots) * 1000
    print(f"a position report        {per_report:9.1f} us")


if __name__ == "__main__":
    main()
