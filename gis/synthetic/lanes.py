"""Village lanes and the houses along them."""

from __future__ import annotations

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from gis.synthetic.plane import Flags, Floats, polygon_array, resample, smooth
from gis.synthetic.settlements import Hamlet, Settlements
from gis.synthetic.streets import village
from gis.synthetic.terrain import Terrain


def branch(
    settled: Settlements, terrain: Terrain, country: list[shapely.LineString], rng: np.random.Generator
) -> list[tuple[int, Floats]]:
    """Grow crooked lanes off the country road at each hamlet.

    Returns:
        Pairs of hamlet index and (n, 2) points in metres; each lane begins on a road or on another lane.
    """
    tree = shapely.STRtree(country)
    wet = shapely.union_all([terrain.river_area.buffer(25), *[w.buffer(18) for w in terrain.lakes]])
    built = shapely.union_all([t.hull.buffer(40) for t in settled.towns])
    closed = shapely.union_all([wet, built])
    shapely.prepare(closed)
    lanes: list[tuple[int, Floats]] = []
    seen: set[int] = set()
    for index, hamlet in enumerate(settled.hamlets):
        centre = hamlet.village not in seen
        seen.add(hamlet.village)
        road = country[int(tree.nearest(shapely.Point(hamlet.at)))]
        middle = road.project(shapely.Point(hamlet.at))
        count = int(rng.integers(5, 8)) if centre else int(rng.integers(2, 5))
        grown: list[Floats] = []
        if centre:
            spot = np.array(road.interpolate(middle).coords[0])
            a, b = (
                np.array(road.interpolate(min(max(middle + d, 0), road.length)).coords[0]) for d in (-30, 30)
            )
            radius = rng.uniform(135, 215)
            disc = shapely.Point(spot).buffer(radius * 1.5)
            near = [
                country[k].intersection(disc)
                for k in sorted(tree.query(disc, predicate="intersects").tolist())
            ]
            roads = [np.array(g.coords) for n in near for g in shapely.get_parts(n).tolist() if g.length > 30]
            net = village(spot, radius, float(np.arctan2(*(b - a)[::-1])), terrain, roads, rng)
            lanes += [(index, lane) for lane in net if not closed.intersects(shapely.LineString(lane))]
            count = int(rng.integers(1, 4))
        for k in range(count):
            at = min(
                max(middle + rng.uniform(-28, 28) + (k // 2 - count / 4) * 62, 2), max(road.length - 2, 2)
            )
            a, b = (np.array(road.interpolate(min(max(at + d, 0), road.length)).coords[0]) for d in (-4, 4))
            tangent = float(np.arctan2(*(b - a)[::-1]))
            side = tangent + (np.pi / 2 if k % 2 else -np.pi / 2) + rng.normal(0, 0.28)
            start = np.array(road.interpolate(at).coords[0])
            length = rng.uniform(110, 250) if centre else rng.uniform(70, 170)
            lane = _crooked(rng, start, side, length)
            if _open(lane, closed, start):
                grown.append(lane)
        for lane in list(grown):
            for _ in range(int(rng.integers(0, 3 if centre else 2))):
                k = int(rng.integers(max(1, len(lane) // 3), len(lane)))
                tangent = float(np.arctan2(*(lane[k] - lane[k - 1])[::-1]))
                turn = tangent + rng.choice([-1, 1]) * rng.uniform(1.0, 1.75)
                twig = _crooked(rng, lane[k], turn, rng.uniform(45, 130))
                if _open(twig, closed, lane[k]):
                    grown.append(twig)
        lanes += [(index, lane) for lane in grown]
    return lanes


def ribbons(settled: Settlements, country: list[shapely.LineString]) -> list[tuple[int, Floats]]:
    """Return the stretches of country road just outside the towns, where houses line the road."""
    made = []
    for k, town in enumerate(settled.towns):
        near = town.hull.buffer(0.55 * town.radius_m).difference(town.hull.buffer(8))
        for line in country:
            for part in shapely.get_parts(line.intersection(near)).tolist():
                if part.length > 60:
                    made.append((-1 - k, resample(np.array(part.coords), 20)))
    return made


def _open(lane: Floats, closed: BaseGeometry, start: Floats) -> bool:
    return not closed.intersects(shapely.LineString(lane)) and bool(np.isfinite(start).all())


def _crooked(rng: np.random.Generator, start: Floats, heading: float, length: float) -> Floats:
    points = [start]
    bend = rng.normal(0, 0.05)
    for _ in range(max(2, int(length / 16))):
        heading += bend + rng.normal(0, 0.10)
        points.append(points[-1] + 16 * np.array([np.cos(heading), np.sin(heading)]))
    return smooth(np.array(points), 2)


def houses(
    hamlets: list[Hamlet],
    lanes: list[tuple[int, Floats]],
    network: list[shapely.LineString],
    avoid: BaseGeometry,
    wanted: int,
    rng: np.random.Generator,
) -> list[tuple[int, shapely.Polygon]]:
    """Set houses along the lanes.

    Returns:
        Pairs of hamlet index and footprint in metres; houses touch neither each other nor a road.
    """
    owner, corners = [], []
    for index, lane in lanes:
        run = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(lane, axis=0).T))])
        at = 12.0
        while at < run[-1] + 6:
            k = min(int(np.searchsorted(run, at)), len(lane) - 1)
            step = lane[k] - lane[k - 1]
            along = step / (np.hypot(*step) + 1e-9)
            foot = lane[k - 1] + along * (at - run[k - 1])
            for sign in (1, -1):
                if rng.random() < (0.8 if index >= 0 else 0.45):
                    deep = rng.uniform(7, 10)
                    wide = rng.uniform(9, 17)
                    turn = rng.normal(0, 0.1)
                    u = np.array(
                        [
                            along[0] * np.cos(turn) - along[1] * np.sin(turn),
                            along[0] * np.sin(turn) + along[1] * np.cos(turn),
                        ]
                    )
                    v = np.array([-u[1], u[0]])
                    c = foot + v * sign * (deep / 2 + rng.uniform(4.5, 10)) + u * rng.normal(0, 2)
                    corners.append(
                        [
                            c + u * wide / 2 * a + v * deep / 2 * b
                            for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1))
                        ]
                    )
                    owner.append(index)
            at += rng.uniform(17, 30)
    if not corners:
        return []
    shapes = polygon_array(np.array(corners))
    bad: Flags = np.zeros(len(shapes), dtype=np.bool_)
    near, _ = shapely.STRtree(network).query(shapes, predicate="dwithin", distance=3.0)
    bad[near] = True
    shapely.prepare(avoid)
    bad |= shapely.intersects(avoid, shapes)
    a, b = shapely.STRtree(shapes).query(shapes, predicate="dwithin", distance=2.0)
    for i, j in zip(a.tolist(), b.tolist(), strict=True):
        if i < j and not bad[i]:
            bad[j] = True
    made: dict[int, int] = {}
    seen: set[int] = set()
    first = set()
    for index, hamlet in enumerate(hamlets):
        if hamlet.village not in seen:
            first.add(index)
        seen.add(hamlet.village)
    result = []
    free = np.flatnonzero(~bad)
    # Where there is room for more houses than wanted, a village fills up from its heart.
    heart = np.array([hamlets[i].at if i >= 0 else corners[k][0] for k, i in enumerate(owner)])
    far = np.hypot(*(np.array(corners).mean(axis=1) - heart)[free].T) + rng.uniform(0, 60, len(free))
    for k in free[np.argsort(far)].tolist():
        index = owner[k]
        if made.get(index, 0) < wanted * (3.2 if index in first else 1.0 if index >= 0 else 4.0):
            made[index] = made.get(index, 0) + 1
            result.append((index, shapes[k]))
    return result
