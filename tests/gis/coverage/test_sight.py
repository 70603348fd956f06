"""What buildings hide, against a slow look at single points, and the labels that follow from it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import osmium
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from osmium.osm.mutable import Node, Way

from gis.areas import Area, AreaIndex
from gis.buildings import NO_BUILDINGS, Buildings, read_buildings
from gis.coverage.sight import RAY_DEG, Obstacles, fan_shape
from gis.coverage.view import SeenArea, Sight
from gis.crs import LocalMetric
from gis.errors import BadFile

FRAME = LocalMetric(117.0, 34.0)


def footprints(*shapes: shapely.Polygon, height_m: float = np.nan) -> Buildings:
    corners = [np.array(shape.exterior.coords)[:-1] for shape in shapes]
    lon, lat = FRAME.to_lonlat(*np.concatenate(corners).T)
    start = np.cumsum([0, *(len(c) for c in corners)])
    return Buildings(np.asarray(lon), np.asarray(lat), start, np.full(len(corners), height_m))


def seen(cameras: dict[str, Sight], buildings: Buildings) -> SeenArea:
    ring = shapely.box(-400, -400, 400, 400)
    grid = Area("1", "一格", 4, None, "网格", FRAME.unproject(ring))
    return SeenArea(AreaIndex([grid]), cameras, buildings)


def camera(azimuth: float = 0.0, fov: float = 90.0, range_m: float = 100.0, **more: float) -> Sight:
    return Sight(117.0, 34.0, azimuth, fov, range_m, **more)


@st.composite
def scenes(draw: st.DrawFn) -> tuple[list[shapely.Polygon], Sight]:
    boxes = []
    for _ in range(draw(st.integers(0, 5))):
        x, y = draw(st.floats(-90, 90)), draw(st.floats(-90, 90))
        turned = shapely.affinity.rotate(
            shapely.box(x, y, x + draw(st.floats(4, 40)), y + draw(st.floats(4, 40))), draw(st.floats(0, 90))
        )
        if turned.distance(shapely.Point(0, 0)) > 2:
            boxes.append(turned)
    return boxes, camera(draw(st.floats(0, 359)), draw(st.sampled_from([30.0, 90.0, 200.0, 360.0])))


def first_wall(boxes: list[shapely.Polygon], x: float, y: float) -> float:
    """How far the first wall is on the way to (x, y); inf without one."""
    ray = shapely.LineString([(0, 0), (x, y)])
    met = [box.intersection(ray) for box in boxes]
    return min((part.distance(shapely.Point(0, 0)) for part in met if not part.is_empty), default=np.inf)


@settings(deadline=None, max_examples=40)
@given(scenes(), st.integers(0, 2**32 - 1))
def test_a_point_is_seen_when_nothing_lies_between(
    scene: tuple[list[shapely.Polygon], Sight], seed: int
) -> None:
    boxes, sight = scene
    buildings = footprints(*boxes) if boxes else NO_BUILDINGS
    known = seen({"c": sight}, buildings).outline("c")
    assert known is not None
    shape = FRAME.project(known)
    rng = np.random.default_rng(seed)
    # On the rays themselves the answer is exact; between two of them it may be off by what a corner hides.
    assert sight.azimuth is not None
    assert sight.fov is not None
    rays = int(np.ceil(min(sight.fov, 360.0) / RAY_DEG)) + 1
    angles = sight.azimuth - sight.fov / 2 + np.arange(rays) * sight.fov / (rays - 1)
    for angle, away in zip(rng.choice(angles[1:-1], 25), rng.uniform(3, 98, 25), strict=True):
        x, y = away * np.sin(np.radians(angle)), away * np.cos(np.radians(angle))
        nearest, grazed = (
            first_wall([box.buffer(by) for box in boxes], 2 * x, 2 * y) for by in (-0.05, 0.05)
        )
        # A ray along a wall, or just past its corner, may go either way.
        grazes = nearest != grazed and not abs(nearest - grazed) < 0.5
        if not grazes and abs(nearest - away) > 0.6:
            assert shape.buffer(0.05).covers(shapely.Point(x, y)) == (away < nearest)


def test_a_wall_across_the_street_hides_what_is_behind() -> None:
    free = seen({"c": camera()}, NO_BUILDINGS)
    wall = shapely.box(-200, 50, 200, 60)
    behind = seen({"c": camera()}, footprints(wall))
    assert free.seen_m2[0] == pytest.approx(np.pi * 100**2 / 4, rel=1e-6)
    assert behind.seen_m2[0] == pytest.approx(50 * 50, rel=0.002)  # the triangle as far as the wall
    assert (free.built.tolist(), behind.built.tolist()) == ([False], [True])
    # Over one known to be lower it looks; what it hangs on it does not look through; behind its back is nothing.
    lower = seen({"c": camera(height_m=12.0)}, footprints(wall, height_m=6.0))
    own = seen({"c": camera()}, footprints(shapely.box(-10, -20, 10, -0.5)))
    back = seen({"c": camera()}, footprints(shapely.box(-200, -60, 200, -50)))
    for whole in (lower, own, back):
        assert whole.seen_m2[0] == pytest.approx(free.seen_m2[0], rel=1e-3)


def test_the_strip_at_its_foot_and_a_wall_before_it() -> None:
    sight = camera(height_m=6.0, tilt=20.0)
    near, far = sight.ground_m()
    assert 5 < near < 15
    whole = seen({"c": sight}, NO_BUILDINGS)
    assert whole.seen_m2[0] == pytest.approx(np.pi * (far**2 - near**2) / 4, rel=1e-6)
    hidden = seen({"c": sight}, footprints(shapely.box(-50, 3, 50, 4)))
    assert hidden.seen_m2[0] < 1.0


def test_one_camera_turned_is_what_it_would_be_at_once() -> None:
    wall = footprints(shapely.box(-200, 50, 200, 60))
    turned = seen({"c": camera(180.0), "d": camera(20.0)}, wall)
    turned.change("c", camera(0.0))
    assert turned.seen_m2[0] == pytest.approx(seen({"c": camera(0.0), "d": camera(20.0)}, wall).seen_m2[0])


def test_all_around_in_a_yard() -> None:
    yard = [
        shapely.box(-30, 20, 30, 25),
        shapely.box(-30, -25, 30, -20),
        shapely.box(-30, -20, -25, 20),
        shapely.box(25, -20, 30, 20),
    ]
    assert seen({"c": camera(0.0, 360.0)}, footprints(*yard)).seen_m2[0] == pytest.approx(50 * 40, rel=0.01)
    empty = Obstacles(NO_BUILDINGS, FRAME)
    assert empty.fans([0.0], [0.0], [0.0], [90.0], [100.0], [np.nan]).which.size == 0
    assert fan_shape(0, 0, np.linspace(0, 90, 61), np.zeros(61), 10.0, 100.0).area == pytest.approx(
        0, abs=1e-6
    )


def test_footprints_of_an_extract(tmp_path: Path) -> None:
    path = tmp_path / "town.osm.pbf"
    with osmium.SimpleWriter(str(path)) as writer:
        for number, (x, y) in enumerate([(0, 0), (1, 0), (1, 1), (0, 1)], start=1):
            writer.add_node(Node(id=number, version=1, location=(117 + x * 1e-4, 34 + y * 1e-4)))
        ring = [1, 2, 3, 4, 1]
        for number, tags in enumerate(
            (
                {"building": "yes", "height": "12 m"},
                {"building": "house", "building:levels": "2"},
                {"building": "roof"},
            ),
            start=1,
        ):
            writer.add_way(Way(id=number, version=1, nodes=ring, tags=tags))
        writer.add_way(Way(id=9, version=1, nodes=ring[:-1], tags={"building": "yes"}))  # no ring
    found = read_buildings(path)
    assert found.height_m.tolist() == [12.0, 6.4]
    assert np.diff(found.start).tolist() == [4, 4]
    found.save(tmp_path / "b.npz")
    kept = Buildings.load(tmp_path / "b.npz")
    assert kept.lon.tolist() == pytest.approx(found.lon.tolist(), abs=1e-7)
    for broken in (b"", b"nothing", (tmp_path / "b.npz").read_bytes()[:200]):
        (tmp_path / "x.npz").write_bytes(broken)
        with pytest.raises(BadFile, match="buildings"):
            Buildings.load(tmp_path / "x.npz")
    with pytest.raises(BadFile):
        read_buildings(tmp_path / "absent.osm.pbf")
