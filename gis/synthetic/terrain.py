"""Hills, water and the county's outline: what was there before anybody built a road."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
import shapely.ops
from scipy.ndimage import distance_transform_edt, gaussian_filter
from shapely.geometry.base import BaseGeometry

from gis.synthetic.lattice import Lattice, Traces
from gis.synthetic.plane import (
    Floats,
    Frame,
    Ints,
    noise,
    polygon_array,
    regions_above,
    resample,
    smooth,
    spline,
)
from gis.synthetic.spec import DistrictSpec

BESIDE, ABOVE = 0.66, 0.4
"""What is drawn on either side, in widths and heights of the county: a wall fitted to it shows land all round."""


@dataclass(frozen=True, slots=True)
class Terrain:
    """The natural ground, in local metres.

    Attributes:
        bounds: The rectangle drawn in full detail, a little larger than the county.
        drawn: The whole drawn rectangle: what a wide screen shows around the county is drawn too, coarsely.
        course: The main river right across ``drawn``; ``river`` is its middle part.
        flood: The main river's surface within ``drawn``; ``river_area`` is the part within ``bounds``.
        sides: Raster, 0 or 1: which bank of the main river a cell lies on.
        wet: Raster, true where the main river, with a strip of bank, lies.
        stream_distance: Raster, metres to the next tributary.
    """

    frame: Frame
    bounds: shapely.Polygon
    drawn: shapely.Polygon
    county: shapely.Polygon
    elevation: Floats
    slope: Floats
    river: shapely.LineString
    course: shapely.LineString
    river_area: shapely.Polygon
    flood: BaseGeometry
    streams: list[shapely.LineString]
    lakes: list[shapely.Polygon]
    sides: Ints
    wet: Floats
    stream_distance: Floats
    lattice: Lattice

    def river_at(self, share: float) -> tuple[Floats, Floats]:
        """Return the point at a share (0..1) of the whole river, and the unit vector downstream."""
        at = share * self.river.length
        a, p, b = (np.array(self.river.interpolate(at + d).coords[0]) for d in (-150, 0, 150))
        return p, (b - a) / np.hypot(*(b - a))


def build(spec: DistrictSpec, rng: np.random.Generator) -> Terrain:
    """Invent the ground of a district."""
    width, height = spec.width_km * 1000, spec.height_km * 1000
    cell = spec.cell_m
    cols, rows = int(width * 1.18 / cell) + 1, int(height * 1.18 / cell) + 1
    frame = Frame(-(cols - 1) * cell / 2, -(rows - 1) * cell / 2, cell, rows, cols)
    bounds = shapely.box(frame.x0, frame.y0, -frame.x0, -frame.y0)
    scale = min(width, height)
    county = _outline(frame, rng, width, height)
    west, south, east, north = county.bounds
    aside, above = BESIDE * (east - west), ABOVE * (north - south)
    drawn = shapely.box(west - aside, south - above, east + aside, north + above)
    gx, gy = frame.centres()
    river, course = _river(frame, rng, scale, float(np.hypot(width, height)) * (0.5 + BESIDE))
    lattice = Lattice(frame)

    on_river = np.zeros(frame.rows * frame.cols, dtype=bool)
    on_river[frame.cells(resample(np.array(river.coords), cell / 2))] = True
    river_distance = distance_transform_edt(~on_river.reshape(frame.shape)) * cell
    hills = 0.9 * noise(rng, frame, 0.55 * scale) + 0.55 * noise(rng, frame, 0.24 * scale)
    hills += 0.3 * noise(rng, frame, 0.1 * scale)
    rim = np.clip(np.hypot(gx / width, gy / height) / 0.5, 0, 1.4) ** 2
    valley = 1 - np.exp(-((river_distance / (0.16 * scale)) ** 1.3))
    height_m = (0.35 + hills + 1.1 * rim) * valley + 0.5 * valley

    streams, stream_distance = _streams(frame, lattice, rng, height_m, on_river, spec.streams, scale)
    height_m *= 1 - 0.55 * np.exp(-stream_distance / (0.035 * scale))
    elevation = 60 * height_m * (scale / 10_000) ** 0.5
    dy, dx = np.gradient(gaussian_filter(elevation, 1.0), cell)

    flood = _flood(river, course, rng, spec.river_half_width_m)
    river_area = max(
        (p for p in shapely.get_parts(flood & bounds).tolist() if isinstance(p, shapely.Polygon)),
        key=lambda p: p.area,
    )
    halves = [
        g for g in shapely.ops.split(bounds.buffer(cell), river).geoms if isinstance(g, shapely.Polygon)
    ]
    sides = np.zeros(frame.shape, dtype=np.int64)
    first = max(halves, key=lambda g: g.area)
    shapely.prepare(first)
    sides[~shapely.contains_xy(first, gx, gy)] = 1
    barrier = river_area.buffer(0.75 * cell)
    shapely.prepare(barrier)
    wet = shapely.contains_xy(barrier, gx, gy).astype(np.float64)
    lakes = _lakes(rng, county, streams, river_area, elevation, frame, scale)
    return Terrain(
        frame, bounds, drawn, county, elevation, np.hypot(dx, dy), river, course, river_area, flood & drawn,
        streams, lakes, sides, wet, stream_distance, lattice,
    )  # fmt: skip


def _outline(frame: Frame, rng: np.random.Generator, width: float, height: float) -> shapely.Polygon:
    gx, gy = frame.centres()
    scale = min(width, height)
    warp_x, warp_y = (0.055 * scale * noise(rng, frame, 0.45 * scale) for _ in range(2))
    reach = ((np.abs(gx + warp_x) / (width / 2)) ** 2.6 + (np.abs(gy + warp_y) / (height / 2)) ** 2.6) ** (
        1 / 2.6
    )
    field = 1 - reach + 0.035 * noise(rng, frame, 0.16 * scale) + 0.012 * noise(rng, frame, 0.06 * scale)
    parts = regions_above(frame, gaussian_filter(field, 1.0), 0.03)
    ring = max(parts, key=lambda p: p.area).exterior
    line = smooth(np.array(shapely.simplify(ring, frame.cell * 0.2).coords), 2)
    return shapely.make_valid(shapely.Polygon(line)).buffer(0)


def _river(
    frame: Frame, rng: np.random.Generator, scale: float, half_drawn_m: float
) -> tuple[shapely.LineString, shapely.LineString]:
    """Return the river of the county and the same river on its whole way across what is drawn."""
    heading = np.radians(rng.uniform(-118, -62))
    ahead = np.array([np.cos(heading), np.sin(heading)])
    aside = np.array([-ahead[1], ahead[0]])
    reach = 1.05 * np.hypot(frame.x0, frame.y0)
    along = np.linspace(-reach, reach, 60)
    wave = rng.uniform(0.42, 0.6) * scale
    phase = rng.uniform(0, 2 * np.pi)
    shift = rng.uniform(-0.08, 0.02) * scale
    kinks = 0.012 * scale * noise(rng, frame, 0.12 * scale)

    def knots(along: Floats) -> Floats:
        swing = 0.055 * scale * np.sin(2 * np.pi * along / wave + phase + 0.8 * np.sin(along / wave))
        swing += 0.03 * scale * np.sin(2 * np.pi * along / (0.41 * wave) + 2 * phase)
        points: Floats = along[:, None] * ahead + (swing + shift)[:, None] * aside
        points[:, 0] += frame.sample(kinks, points)
        return points

    line = resample(smooth(spline(knots(along), 40), 6), 60)
    beyond = np.arange(reach, reach + 1.2 * half_drawn_m, 0.05 * scale)
    before, after = knots(-beyond[::-1]), knots(beyond)
    course = np.vstack([spline(before, 120)[:-1], line, spline(after, 120)[1:]])
    return shapely.LineString(line), shapely.LineString(course)


def _flood(
    river: shapely.LineString, course: shapely.LineString, rng: np.random.Generator, half: float
) -> BaseGeometry:
    """Return the river's surface: of changing width in the county, of even width before and after."""
    line = np.array(river.coords)
    t = np.linspace(0, 1, len(line))
    knots = rng.uniform(0.72, 1.25, 26)
    knots = np.convolve(np.pad(knots, 1, mode="edge"), [0.25, 0.5, 0.25], mode="valid")
    width = half * np.interp(t, np.linspace(0, 1, 26), knots) * (0.85 + 0.3 * t)
    tangent = np.gradient(line, axis=0)
    normal = np.column_stack([-tangent[:, 1], tangent[:, 0]]) / np.hypot(*tangent.T)[:, None]
    left, right = line + normal * width[:, None], line - normal * width[:, None]
    quads = np.stack([left[:-1], left[1:], right[1:], right[:-1]], axis=1)
    joints = shapely.buffer(shapely.points(line), width * 0.98, quad_segs=3)
    area = shapely.union_all([*shapely.make_valid(polygon_array(quads)), *np.asarray(joints)])
    tails = [
        shapely.buffer(part, w, quad_segs=3)
        for part, w in zip(_tails(course, river), (width[0], width[-1]), strict=True)
    ]
    return shapely.union_all([shapely.simplify(area.buffer(8).buffer(-8), 3), *tails])


def _tails(course: shapely.LineString, river: shapely.LineString) -> list[shapely.LineString]:
    """Return what comes before and after the river of the county, simplified."""
    a, b = (course.project(shapely.Point(river.coords[k])) for k in (0, -1))
    ends = ((0.0, a), (b, course.length))
    return [shapely.LineString(shapely.ops.substring(course, *e).simplify(8).coords) for e in ends]


def _streams(
    frame: Frame,
    lattice: Lattice,
    rng: np.random.Generator,
    height: Floats,
    on_river: Ints,
    wanted: int,
    scale: float,
) -> tuple[list[shapely.LineString], Floats]:
    rough = np.exp(0.5 * noise(rng, frame, frame.cell * 7) + 0.35 * noise(rng, frame, frame.cell * 3))
    cost = (0.25 + np.clip(height - height.min(), 0, None) ** 1.6) * rough
    found = lattice.spread(cost, np.flatnonzero(on_river).tolist())
    order = rng.permutation(found.cost.size)
    far = found.cost[order] > np.quantile(found.cost, 0.62)
    traces = Traces(frame)
    springs: list[Floats] = []
    for cell in order[far][:4000]:
        at = frame.points(np.array([cell]))[0]
        if all(np.hypot(*(at - s)) > 0.2 * scale for s in springs):
            springs.append(at)
            traces.add(found.way(int(cell)), 0)
        if len(springs) == wanted:
            break
    dry = np.ones(frame.rows * frame.cols, dtype=bool)
    dry[traces.used()] = False
    chains = traces.chains(7)
    return [shapely.LineString(c.points) for c in chains if len(c.points) > 2], np.asarray(
        distance_transform_edt(dry.reshape(frame.shape)) * frame.cell
    )


def _lakes(
    rng: np.random.Generator,
    county: shapely.Polygon,
    streams: list[shapely.LineString],
    river: shapely.Polygon,
    elevation: Floats,
    frame: Frame,
    scale: float,
) -> list[shapely.Polygon]:
    """Dam the highest fitting stream into a reservoir and scatter a few ponds beside others."""
    inner = county.buffer(-0.07 * scale)
    lakes: list[shapely.Polygon] = []
    fitting = [
        s for s in streams if s.length > 0.1 * scale and inner.contains(s.interpolate(0.5, normalized=True))
    ]
    fitting = [s for s in fitting if s.distance(river) > 0.08 * scale] or fitting
    if fitting:
        valley = max(
            fitting,
            key=lambda s: float(
                frame.sample(elevation, np.array(s.interpolate(0.5, normalized=True).coords))[0]
            ),
        )
        line = resample(np.array(valley.coords), 60)
        if frame.sample(elevation, line[:1])[0] < frame.sample(elevation, line[-1:])[0]:
            line = line[::-1]
        middle = len(line) // 2
        reach = line[max(0, middle - int(0.075 * scale / 60)) : middle]
        widths = np.linspace(15, 0.017 * scale, len(reach)) * rng.uniform(0.7, 1.25, len(reach))
        arms = []
        for k in range(len(reach) // 3, len(reach), max(2, len(reach) // 5)):
            turn = rng.uniform(0.7, 1.4) * rng.choice([-1, 1])
            step = reach[k] - reach[k - 1]
            side = np.array(
                [
                    step[0] * np.cos(turn) - step[1] * np.sin(turn),
                    step[0] * np.sin(turn) + step[1] * np.cos(turn),
                ]
            )
            tip = reach[k] + side / np.hypot(*side) * widths[k] * rng.uniform(2.0, 3.2)
            arms.append(shapely.LineString([reach[k], tip]).buffer(widths[k] * 0.45))
        body = shapely.union_all([*shapely.buffer(shapely.points(reach), widths), *arms])
        body = shapely.simplify(body.buffer(30).buffer(-30), 5)
        if shapely.get_num_geometries(body) == 1 and not body.intersects(river):
            lakes.append(shapely.Polygon(shapely.get_exterior_ring(body)))
    for stream in streams:
        at = stream.interpolate(rng.uniform(0.2, 0.8), normalized=True)
        size = rng.uniform(0.004, 0.009) * scale
        if rng.random() < 0.6 and inner.contains(at) and at.distance(river) > 0.05 * scale:
            t = np.linspace(0, 2 * np.pi, 22)[:-1]
            r = size * (
                1 + 0.22 * np.cos(2 * t + rng.uniform(0, 6)) + 0.13 * np.cos(3 * t + rng.uniform(0, 6))
            )
            lakes.append(
                shapely.Polygon(np.column_stack([at.x + r * np.cos(t) * 1.3, at.y + r * np.sin(t) * 0.8]))
            )
    return [w for i, w in enumerate(lakes) if not any(w.intersects(o) for o in lakes[:i])]
