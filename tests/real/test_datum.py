"""Datums told apart by a real town's roads: what stands beside them is recognised, what stands anywhere is not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from gis.crs import bd09_from_gcj02, gcj02_from_wgs84
from gis.intake import Reference, datum, inforce
from gis.intake.inforce import InForce
from gis.roads import RoadGraph

pytestmark = pytest.mark.slow
EXTRACT = Path(__file__).parents[2].parent / "shared" / "data" / "osm" / "monaco.osm.pbf"
SEEN = 6
Points = NDArray[np.float64]


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> InForce:
    """The streets of Monaco, laid in Anhui, where the datums differ."""
    if not EXTRACT.exists():
        pytest.skip(f"{EXTRACT.name} is not beside the checkout")
    path = tmp_path_factory.mktemp("roads") / "roads-car.npz"
    RoadGraph.from_pbf(EXTRACT).save(path)
    with np.load(path, allow_pickle=False) as stored:
        arrays = dict(stored)
    arrays["lon"] = arrays["lon"] - arrays["lon"].min() + 117.0
    arrays["lat"] = arrays["lat"] - arrays["lat"].min() + 34.0
    np.savez(path, **arrays)  # type: ignore[arg-type]
    bounds = (117.0, 34.0, float(arrays["lon"].max()), float(arrays["lat"].max()))
    return inforce.load(Reference(roads_file=path, bounds=bounds))


def straight(lon: Points, lat: Points) -> tuple[Points, Points]:
    return lon, lat


def baidu(lon: Points, lat: Points) -> tuple[Points, Points]:
    return bd09_from_gcj02(*gcj02_from_wgs84(lon, lat))


@pytest.mark.parametrize(
    ("crs", "move"), [("EPSG:4326", straight), ("GCJ-02", gcj02_from_wgs84), ("BD-09", baidu)]
)
def test_sixty_cameras_beside_streets_say_which_datum_they_are_in(
    town: InForce, crs: str, move: Callable[[Points, Points], tuple[Points, Points]]
) -> None:
    rng = np.random.default_rng(4)
    for _ in range(SEEN):
        beside = town.road_points[rng.integers(0, len(town.road_points), 60)] + rng.normal(0, 8e-5, (60, 2))
        x, y = move(beside[:, 0], beside[:, 1])
        found = datum.guess(datum.Evidence(x, y, {}, town), None, "csv", None)
        assert (found.used, found.ambiguous) == (crs, False)
        anywhere = rng.uniform((117.0, 34.0), town.road_points.max(axis=0), (60, 2))
        x, y = move(anywhere[:, 0], anywhere[:, 1])
        assert datum.guess(datum.Evidence(x, y, {}, town), None, "csv", None).ambiguous
