"""Coverage of a city: who reaches what in which time, and what cameras see of each grid.

Run with `python -m bench.gis.coverage [extract.osm.pbf]`. Without a file it measures on a lattice of 90,000
crossings, and on the Helsinki extract where it lies beside the checkout. Peers in the same process: a search from
every responder with a buffer about every point, and one union of all sectors cut by every grid.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse.csgraph import dijkstra

from bench.nearest import forward_matrix, lattice
from gis.areas import Area, AreaIndex
from gis.buildings import Buildings
from gis.coverage.exact import grouped, solve
from gis.coverage.gaps import BUFFER_M, gaps
from gis.coverage.reach import Ground
from gis.coverage.rollup import GridFacts, Rollup
from gis.coverage.siting import choices, one_more
from gis.coverage.view import SeenArea, Sight, sectors
from gis.roads import RoadGraph

GRIDS = 1_580
RESPONDERS = 500
CAMERAS = 15_000
MINUTES_S = (180, 300, 600)
SIDE = 300
HELSINKI = Path(__file__).parents[3] / "shared" / "data" / "osm" / "helsinki.osm.pbf"
TRIED = 10
"""Responders the peer searches from; its time is scaled to all of them."""


def division(bounds: tuple[float, float, float, float]) -> AreaIndex:
    """Voronoi cells as grids, in villages of about twenty and one county."""
    west, south, east, north = bounds
    rng = np.random.default_rng(7)
    sites = rng.uniform((west, south), (east, north), (GRIDS, 2))
    frame = shapely.box(west, south, east, north)
    cells = shapely.get_parts(shapely.voronoi_polygons(shapely.multipoints(sites), extend_to=frame))
    cells = shapely.intersection(cells, frame)
    middle = shapely.centroid(cells)
    band = ((shapely.get_x(middle) - west) / (east - west) * 9).astype(int)
    row = ((shapely.get_y(middle) - south) / (north - south) * 9).astype(int)
    areas = [Area("C", "county", 1, None, "", frame)]
    for i in range(9):
        for j in range(9):
            inside = cells[(band == i) & (row == j)]
            if len(inside):
                areas.append(Area(f"C{i}{j}", f"{i}{j}", 3, "C", "", shapely.union_all(inside)))  # type: ignore[arg-type]
    areas += [
        Area(f"C{band[n]}{row[n]}{n:05d}", f"{n}", 4, f"C{band[n]}{row[n]}", "", cells[n])
        for n in range(len(cells))
    ]
    return AreaIndex(areas)


def timed_ms(run: Callable[[], object], repeats: int = 1) -> float:
    """Median processor milliseconds of a run; the machine may have other work. Repeated runs are warmed up."""
    if repeats > 1:
        run()
    times = []
    for _ in range(repeats):
        started = time.process_time()
        run()
        times.append((time.process_time() - started) * 1000)
    return statistics.median(times)


def say(what: str, run: Callable[[], object], repeats: int = 1, target: str = "") -> float:
    """Measure and print one line."""
    took = timed_ms(run, repeats)
    print(f"  {what:<52}{took:10.1f} ms   {target}", flush=True)
    return took


def measure_reach(graph: RoadGraph, name: str) -> AreaIndex:
    """Print the figures of one city."""
    areas = division(graph.bounds)
    started = time.perf_counter()
    ground = Ground(areas, {graph.profile: graph})
    ground.network(graph.profile)
    samples, rollup = ground.samples, Rollup(areas)
    _ = rollup.members
    print(
        f"{name}: {graph.junctions} junctions, {graph.length_km:.0f} km, {len(areas.grids)} grids, "
        f"{len(samples)} samples in {time.perf_counter() - started:.1f} s"
    )
    rng = np.random.default_rng(1)
    at = rng.choice(len(samples), RESPONDERS)
    lon, lat = samples.frame.to_lonlat(samples.x[at] + rng.normal(0, 8, RESPONDERS), samples.y[at])
    nothing: NDArray[np.float64] = np.zeros(len(areas.grids))
    none = nothing.astype(np.bool_)

    def whole(limit_s: int) -> object:
        reach = ground.reach(lon, lat)
        facts = GridFacts(reach.times, none, none, nothing, nothing, nothing.astype(np.int64))
        return rollup.figures(facts, MINUTES_S), gaps(samples, reach.seconds > limit_s)

    reach = ground.reach(lon, lat)
    # The widest gaps are the dearest outlines: a time within which about half of the road is reached.
    hard_s = int(np.median(reach.seconds))
    people = f"{RESPONDERS} responders: figures and outlines"
    own = say(f"{people}, 5 min", lambda: whole(300), 5, "target 400")
    hard = say(f"  the same, half of the road missed ({hard_s} s)", lambda: whole(hard_s), 3)
    say("  times alone", lambda: ground.reach(lon, lat), 5)
    say("  times and table of the grids", lambda: ground.reach(lon, lat).times, 3)
    say("  outlines alone, half missed", lambda: gaps(samples, reach.seconds > hard_s), 3)
    say("  the second nearest of all, once", lambda: reach.two_nearest)
    say("  without one of them", lambda: reach.times_without(0), 3)
    say("  where one more helps, three of them", lambda: one_more(reach, hard_s, posts=3))

    found = choices(reach, hard_s)
    if found is not None:
        cover, weight = grouped(found)
        for posts in (3, 10):
            started = time.perf_counter()
            best = solve(cover, weight, posts, 30.0)
            took = (time.perf_counter() - started) * 1000
            short = 1.0 - found.gain_m(found.greedy(posts)) / best.bound_m
            word = "proven" if best.proven else "out of time"
            what = f"  the best {posts} of {len(found.lon)} places, {len(weight)} pieces"
            print(f"{what:<54}{took:10.1f} ms   {word}; greedy is {100 * short:.1f} % short", flush=True)

    matrix, arrays = forward_matrix(graph), graph.arrays
    snaps = graph.snap(lon, lat)
    start = np.minimum(arrays.lane_head[2 * snaps.edge], arrays.lane_head[2 * snaps.edge + 1])

    def each() -> object:
        best = np.full(arrays.vertices + 1, np.inf)
        for vertex in start[:TRIED].tolist():
            best = np.minimum(best, dijkstra(matrix, indices=[vertex])[0])
        return best

    missed = np.flatnonzero(reach.seconds > hard_s)
    part = missed[:: max(1, len(missed) // 20_000)]
    points = shapely.points(samples.x[part], samples.y[part])
    searched = timed_ms(each) * RESPONDERS / TRIED
    united = timed_ms(lambda: shapely.union_all(shapely.buffer(points, BUFFER_M))) * len(missed) / len(part)
    print(f"  {'peer: a search each, buffers united, half missed':<52}{searched + united:10.0f} ms", end="")
    print(f"   {(searched + united) / hard:.0f} x ({searched / own:.0f} x for the searches alone)")
    return areas


def town_blocks(seen: SeenArea, spot: NDArray[np.float64], rng: np.random.Generator) -> Buildings:
    """Houses of 10 to 30 m about the cameras, eight for each, none on top of one."""
    x, y = seen.frame.to_xy(spot[:, 0], spot[:, 1])
    count = 8 * CAMERAS
    near = rng.integers(0, CAMERAS, count)
    away, angle = rng.uniform(25, 220, count), rng.uniform(0, 2 * np.pi, count)
    cx, cy = x[near] + away * np.sin(angle), y[near] + away * np.cos(angle)
    wide, deep, turn = rng.uniform(5, 15, count), rng.uniform(5, 15, count), rng.uniform(0, np.pi, count)
    ex = np.array([-1, 1, 1, -1]) * wide[:, None]
    ny = np.array([-1, -1, 1, 1]) * deep[:, None]
    bx = cx[:, None] + ex * np.cos(turn)[:, None] - ny * np.sin(turn)[:, None]
    by = cy[:, None] + ex * np.sin(turn)[:, None] + ny * np.cos(turn)[:, None]
    lon, lat = seen.frame.to_lonlat(bx.ravel(), by.ravel())
    return Buildings(np.asarray(lon), np.asarray(lat), np.arange(count + 1) * 4, np.full(count, np.nan))


def measure_view(areas: AreaIndex) -> None:
    """Print the figures of cameras in a city."""
    west, south, east, north = areas.bounds or (0.0, 0.0, 0.0, 0.0)
    rng = np.random.default_rng(3)
    town = rng.uniform((west, south), (east, north), (300, 2))[rng.integers(0, 300, CAMERAS)]
    spot = town + rng.normal(0, 0.009, (CAMERAS, 2))
    cameras = {
        f"c{n}": Sight(
            float(spot[n, 0]),
            float(spot[n, 1]),
            float(rng.uniform(0, 360)),
            float(rng.choice([60, 75, 90, 110, 360], p=[0.2, 0.3, 0.3, 0.15, 0.05])),
            float(rng.choice([40, 60, 80, 120, 200], p=[0.2, 0.3, 0.3, 0.15, 0.05])),
        )
        for n in range(CAMERAS)
    }
    own = say(
        f"{CAMERAS} cameras, {len(areas.grids)} grids", lambda: SeenArea(areas, cameras), 3, "target 1500"
    )
    seen = SeenArea(areas, cameras)
    turn = iter(range(10**9))

    def change() -> object:
        n = next(turn) % CAMERAS
        old = cameras[f"c{n}"]
        return seen.change(f"c{n}", Sight(old.lon, old.lat, float(rng.uniform(0, 360)), old.fov, old.range_m))

    say("  one camera turned", change, 200, "target 10")

    blocks = town_blocks(seen, spot, rng)
    with_walls = say(
        f"  with {len(blocks)} footprints in the way", lambda: SeenArea(areas, cameras, blocks), 1
    )
    walled = SeenArea(areas, cameras, blocks)
    hidden = 1.0 - walled.seen_m2.sum() / seen.seen_m2.sum()
    slower = with_walls / own
    print(f"  {'share of what was seen that they hide':<52}{100 * hidden:10.1f} %    {slower:.1f} x the time")

    def change_walled() -> object:
        n = next(turn) % CAMERAS
        old = cameras[f"c{n}"]
        sight = Sight(old.lon, old.lat, float(rng.uniform(0, 360)), old.fov, old.range_m)
        return walled.change(f"c{n}", sight)

    say("  one camera turned among them", change_walled, 200, "target 10")

    def plain() -> object:
        x, y = seen.frame.to_xy(spot[:, 0], spot[:, 1])
        all_of = list(cameras.values())
        shapes = sectors(
            x,
            y,
            [one.azimuth or 0.0 for one in all_of],
            [one.fov or 0.0 for one in all_of],
            np.zeros(CAMERAS),
            [one.range_m or 0.0 for one in all_of],
        )
        united = shapely.union_all(shapes)
        return [shapely.area(shapely.intersection(united, grid)) for grid in seen.grid_shapes]

    took = timed_ms(plain)
    print(f"  {'peer: one union of all, cut by every grid':<52}{took:10.0f} ms   {took / own:.1f} x")


def main() -> None:
    """Measure the given extract, or the lattice and Helsinki."""
    if len(sys.argv) > 1:
        measure_view(measure_reach(RoadGraph.from_pbf(sys.argv[1]), Path(sys.argv[1]).name))
        return
    if HELSINKI.exists():
        measure_reach(RoadGraph.from_pbf(HELSINKI), "Helsinki")
    else:
        print("Helsinki: left out, the extract is not beside the checkout")
    measure_view(measure_reach(lattice(SIDE), "lattice"))


if __name__ == "__main__":
    main()
