"""Grid of each live position: the remembered cell against the tree search over all grids.

Run with `python -m bench.locate`. Both sides get the same points in one process.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import numpy as np
import shapely

from gis.areas import Area, AreaIndex
from gis.geofence import Geofence

GRIDS_PER_SIDE = 40
UNITS = 20_000
STEP_DEG = 5e-5  # about five metres, a second of driving in a town


def irregular_grids(seed: int) -> list[Area]:
    """1,600 Voronoi cells over a square of about 40 km, with edges bent to about twenty vertices."""
    rng = np.random.default_rng(seed)
    sites = rng.uniform((117.0, 33.8), (117.4, 34.2), (GRIDS_PER_SIDE**2, 2))
    frame = shapely.box(117.0, 33.8, 117.4, 34.2)
    cells = shapely.get_parts(shapely.voronoi_polygons(shapely.multipoints(sites), extend_to=frame))
    cells = shapely.segmentize(shapely.intersection(cells, frame), 0.002)
    return [Area(f"{n:05d}", f"{n}", 4, None, "网格", cell) for n, cell in enumerate(cells)]


def median_s(run: Callable[[], object], repeats: int = 9) -> float:
    """Median CPU seconds of one run after a warm-up."""
    run()
    times = []
    for _ in range(repeats):
        started = time.process_time()
        run()
        times.append(time.process_time() - started)
    return statistics.median(times)


def main() -> None:
    index = AreaIndex(irregular_grids(7))
    rng = np.random.default_rng(8)
    lon, lat = rng.uniform(117.0, 117.4, UNITS), rng.uniform(33.8, 34.2, UNITS)
    rows = np.arange(UNITS)
    fence = Geofence(index, UNITS)
    fence.update(rows, lon, lat)
    vertices = shapely.get_num_coordinates(index.grid_geometries).mean()
    print(f"{len(index.grids)} grids, {vertices:.0f} vertices each; {UNITS} units moving about 5 m")

    moves = [(lon + rng.normal(0, STEP_DEG, UNITS), lat + rng.normal(0, STEP_DEG, UNITS)) for _ in range(10)]
    turn = iter(range(1_000_000))

    def fenced() -> object:
        return fence.update(rows, *moves[next(turn) % len(moves)])

    def tree() -> object:
        x, y = moves[next(turn) % len(moves)]
        return index.grid_tree.query(shapely.points(x, y), predicate="within")

    for x, y in moves:
        assert np.array_equal(fence.update(rows, x, y), index.locate_many(x, y))
    ours, theirs = median_s(fenced), median_s(tree)
    print(f"remembered cell   {ours / UNITS * 1e6:7.3f} us a position")
    print(f"tree, in bulk     {theirs / UNITS * 1e6:7.3f} us a position")
    print(f"ratio             {theirs / ours:7.1f} x")


if __name__ == "__main__":
    main()
