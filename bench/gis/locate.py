"""Which area of each tier and which beat: 20,000 points at once, and GCJ-02 there and back.

Run with `python -m bench.gis.locate [areas.gpkg [beats.geojson]]`. Without files it measures on Voronoi cells:
1,580 grids, villages, townships and a county with bent borders, and beats. Peers in the same process: shapely's
tree asked in bulk for each tier, and geopandas' `sjoin` where it is installed. Both give every area that holds a
point; choosing the smallest code of each tier, which ours does too, is left out of their time.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray

from bench.gis.coverage import say, timed_ms
from bench.rig import installed
from gis.area_files import load_areas
from gis.areas import Area, AreaIndex, Beat
from gis.crs import distance_m, gcj02_from_wgs84, wgs84_from_gcj02
from gis.files import load_beats
from gis.locate import NONE, Locator

POINTS = 20_000
GRIDS = 1_580
WEST, SOUTH, EAST, NORTH = 117.0, 33.8, 117.4, 34.2
CHINA = (72.004, 0.8293, 137.8347, 55.8271)
"""The rectangle in which GCJ-02 shifts."""

Floats = NDArray[np.float64]


def division() -> AreaIndex:
    """Four tiers over one another; the outlines of the upper ones are put together from the grids'."""
    rng = np.random.default_rng(7)
    frame = shapely.box(WEST, SOUTH, EAST, NORTH)
    sites = shapely.multipoints(rng.uniform((WEST, SOUTH), (EAST, NORTH), (GRIDS, 2)))
    cells = shapely.get_parts(shapely.voronoi_polygons(sites, extend_to=frame))
    cells = shapely.segmentize(shapely.intersection(cells, frame), 0.002)
    middle = shapely.centroid(cells)

    def block(side: int) -> NDArray[np.intp]:
        column = ((shapely.get_x(middle) - WEST) / (EAST - WEST) * side).astype(np.intp)
        return column * side + ((shapely.get_y(middle) - SOUTH) / (NORTH - SOUTH) * side).astype(np.intp)

    town, village, beat = block(3), block(12), block(7)
    areas = [Area("C", "", 1, None, "", frame)]
    areas += [Area(f"T{n:03}", "", 2, "C", "", shapely.union_all(cells[town == n])) for n in np.unique(town)]
    first = {n: int(np.flatnonzero(village == n)[0]) for n in np.unique(village)}
    areas += [
        Area(f"V{n:03}", "", 3, f"T{town[at]:03}", "", shapely.union_all(cells[village == n]))
        for n, at in first.items()
    ]
    areas += [Area(f"G{n:05}", "", 4, f"V{village[n]:03}", "", cell) for n, cell in enumerate(cells)]
    beats = [Beat(f"B{n:02}", "", "", shapely.union_all(cells[beat == n])) for n in np.unique(beat)]
    return AreaIndex(areas, beats)


def within_grids(index: AreaIndex, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Points where people are: in each grid as many, and small grids are where many live."""
    boxes = shapely.bounds(index.grid_geometries)[rng.integers(0, len(index.grids), POINTS)]
    return rng.uniform(boxes[:, 0], boxes[:, 2]), rng.uniform(boxes[:, 1], boxes[:, 3])


def measure(index: AreaIndex, name: str) -> None:
    """Print the figures of one division."""
    shapes = np.array([area.geometry for area in index.areas], dtype=object)
    beats = np.array([beat.geometry for beat in index.beats], dtype=object)
    print(
        f"{name}: {len(index.areas)} areas ({len(index.grids)} grids), {len(beats)} beats, "
        f"{shapely.get_num_coordinates(shapes).sum()} vertices"
    )
    say("made ready, once", lambda: Locator(index.areas, index.beats))
    locator, rng = index.locator, np.random.default_rng(8)
    west, south, east, north = index.bounds or CHINA
    spread = rng.uniform(west, east, POINTS), rng.uniform(south, north, POINTS)
    own = say(f"{POINTS} points over the whole", lambda: locator.locate(*spread), 9, "target 30")
    people = within_grids(index, rng)
    say(f"{POINTS} points, as many in each grid", lambda: locator.locate(*people), 9, "target 30")
    some = list(zip(*(axis[:200].tolist() for axis in spread), strict=True))
    one = timed_ms(lambda: [index.locate(x, y) for x, y in some], 3) / len(some)
    print(f"  {'one point alone':<52}{one * 1000:10.1f} us")

    points = shapely.points(*spread)
    trees = [
        shapely.STRtree(np.array([area.geometry for area in index.of_tier(tier)], dtype=object))
        for tier in locator.tiers
    ] + [shapely.STRtree(beats)]

    def bulk() -> list[NDArray[np.intp]]:
        return [tree.query(points, predicate="intersects") for tree in trees]

    took = say("peer: shapely's tree, in bulk, a tier at a time", bulk, 3)
    print(f"  {'':<52}{took / own:10.1f} x")
    found = locator.locate(*spread)
    for column, hits in enumerate(bulk()[:-1]):
        areas = index.of_tier(locator.tiers[column])
        smallest = np.full(POINTS, NONE)
        for point, area in zip(hits[0][::-1].tolist(), hits[1][::-1].tolist(), strict=True):
            smallest[point] = area if smallest[point] == NONE else min(smallest[point], area)
        ours = [locator.areas[n].code if n != NONE else None for n in found.areas[:, column].tolist()]
        assert ours == [areas[n].code if n != NONE else None for n in smallest.tolist()]
    frames = installed("geopandas")
    if frames is None:
        print("  peer: geopandas left out, it is not installed")
        return
    left = frames.GeoDataFrame(geometry=points, crs=4326)
    right = [frames.GeoDataFrame(geometry=tree.geometries, crs=4326) for tree in trees]
    took = say(
        "peer: geopandas sjoin, a tier at a time",
        lambda: [frames.sjoin(left, tier, predicate="intersects") for tier in right],
        3,
    )
    print(f"  {'':<52}{took / own:10.1f} x")


def measure_gcj() -> None:
    """Print how well and how fast GCJ-02 goes back, over the whole rectangle and its rim."""
    west, south, east, north = CHINA
    lon, lat = np.meshgrid(np.linspace(west, east, 1_200), np.linspace(south, north, 1_000))
    # The formula's root has no slope at 105 degrees.
    fine = 105.0 + np.concatenate([np.linspace(-1e-6, 1e-6, 2_001), np.logspace(-18, -3, 2_000)])
    lon = np.concatenate([lon.ravel(), np.tile(fine, 2)])
    lat = np.concatenate([lat.ravel(), np.repeat([20.123, 35.0], fine.size)])
    gcj = gcj02_from_wgs84(lon, lat)
    took = timed_ms(lambda: wgs84_from_gcj02(*gcj), 3)
    worst = float(distance_m(lon, lat, *wgs84_from_gcj02(*gcj)).max())
    print(f"GCJ-02 back to WGS-84: {lon.size} points of the rectangle, its rim included")
    print(f"  {'farthest off':<52}{worst * 1e6:10.1f} um   target 1000")
    print(f"  {'each point':<52}{took / lon.size * 1e6:10.1f} ns")
    inner = (lon > west + 0.02) & (lon < east - 0.02) & (lat > south + 0.02) & (lat < north - 0.02)
    x, y = gcj[0][inner], gcj[1][inner]
    again = gcj02_from_wgs84(x, y)
    off = float(distance_m(lon[inner], lat[inner], 2 * x - again[0], 2 * y - again[1]).max())
    print(f"  {'peer: the usual single step, farthest off away from the rim':<52}{off:10.1f} m")


def main() -> None:
    """Measure the given files, or Voronoi cells."""
    if len(sys.argv) > 1:
        areas = load_areas(Path(sys.argv[1]))
        beats = load_beats(Path(sys.argv[2])) if len(sys.argv) > 2 else []
        measure(AreaIndex(areas, beats), sys.argv[1])
    else:
        measure(division(), "Voronoi cells")
    measure_gcj()


if __name__ == "__main__":
    main()
