"""What stands in a camera's way: rays against footprints of buildings, on a plane.

A building hides what lies behind it, whatever its height, unless it is known to be lower than the camera. One that
a camera hangs on, or stands in, does not count. Nothing else is known to stand anywhere.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray

from gis.buildings import Buildings
from gis.crs import LocalMetric

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

RAY_DEG = 1.5
"""Between two rays; a corner is missed by at most this much."""
OWN_M = 1.0
"""A building nearer than this is what the camera hangs on."""
_TURN = 360.0


@dataclass(frozen=True, slots=True, eq=False)
class Fans:
    """Cameras whose view something stands in.

    Attributes:
        which: (k,) their numbers among those asked for, ascending.
        depth_m: k arrays, how far each ray goes before it meets a wall; infinite where nothing is met.
        angle_deg: k arrays, the rays, degrees clockwise from north, from left to right.
    """

    which: Ints
    depth_m: list[Floats]
    angle_deg: list[Floats]


class Obstacles:
    """Footprints in a metric frame; made once, asked again and again.

    Args:
        buildings: The footprints.
        frame: Of the cameras.
    """

    def __init__(self, buildings: Buildings, frame: LocalMetric) -> None:
        x, y = frame.to_xy(buildings.lon, buildings.lat)
        start, count = buildings.start, len(buildings)
        lengths = np.diff(start)
        closed = np.arange(len(x)) + 1
        closed[start[1:] - 1] = start[:-1]
        self._x0, self._y0 = np.asarray(x), np.asarray(y)
        self._x1, self._y1 = self._x0[closed], self._y0[closed]
        self._start, self._lengths = start, lengths
        self.height_m = buildings.height_m
        rings = np.column_stack([self._x0, self._y0])
        owner = np.repeat(np.arange(count), lengths)
        # Every ring has three corners at least, which is what a ring needs.
        outlines = shapely.linearrings(rings, indices=owner) if count else np.empty(0, dtype=object)
        self.shapes: NDArray[np.object_] = np.atleast_1d(np.asarray(shapely.polygons(outlines), dtype=object))
        shapely.prepare(self.shapes)
        self.tree = shapely.STRtree(self.shapes)

    def __len__(self) -> int:
        return len(self.shapes)

    def fans(
        self,
        x: ArrayLike,
        y: ArrayLike,
        azimuth: ArrayLike,
        fov: ArrayLike,
        far_m: ArrayLike,
        height_m: ArrayLike,
    ) -> Fans:
        """Follow the rays of n cameras.

        Args:
            x: (n,) metres east.
            y: (n,) metres north.
            azimuth: (n,) degrees clockwise from north.
            fov: (n,) degrees, 360 and more for all around.
            far_m: (n,) how far they see where nothing stands in the way.
            height_m: (n,) above the ground, nan where nobody knows: everything stands in the way.

        Returns:
            Those that have a wall within reach and in view.
        """
        ex, ny, axis, wide, far, high = (
            np.atleast_1d(np.asarray(v, np.float64)) for v in (x, y, azimuth, fov, far_m, height_m)
        )
        camera, edge = self._walls(ex, ny, far, high)
        wide = np.minimum(wide, _TURN)
        rays = np.ceil(wide / RAY_DEG).astype(np.int64) + 1
        step = wide / (rays - 1)
        first = np.concatenate([[0], np.cumsum(rays)])
        depth = np.full(int(first[-1]), np.inf)
        ax, ay = self._x0[edge] - ex[camera], self._y0[edge] - ny[camera]
        bx, by = self._x1[edge] - ex[camera], self._y1[edge] - ny[camera]
        left = axis - wide / 2.0
        begin = np.degrees(np.arctan2(ax, ay)) - left[camera]
        sweep = np.degrees(np.arctan2(bx, by)) - np.degrees(np.arctan2(ax, ay))
        sweep = (sweep + 180.0) % _TURN - 180.0
        low, high_deg = np.minimum(begin, begin + sweep), np.maximum(begin, begin + sweep)
        turns = np.floor(low / _TURN)
        low, high_deg = low - turns * _TURN, high_deg - turns * _TURN
        hit = np.zeros(len(ex), dtype=np.bool_)
        for turn in (0.0, _TURN):  # a wall across the left edge of the view is met at both ends of it
            lowest = np.maximum(np.ceil((low - turn) / step[camera]), 0.0).astype(np.int64)
            highest = np.minimum(np.floor((high_deg - turn) / step[camera]), rays[camera] - 1).astype(
                np.int64
            )
            met = np.flatnonzero(highest >= lowest)
            many = highest[met] - lowest[met] + 1
            pair = np.repeat(met, many)
            nth = np.arange(len(pair)) - np.repeat(np.cumsum(many) - many, many)
            ray = lowest[pair] + nth
            angle = np.radians(left[camera[pair]] + ray * step[camera[pair]])
            ux, uy = np.sin(angle), np.cos(angle)
            dx, dy = bx[pair] - ax[pair], by[pair] - ay[pair]
            across = ux * dy - uy * dx
            with np.errstate(divide="ignore", invalid="ignore"):
                away = (ax[pair] * dy - ay[pair] * dx) / across
            good = np.isfinite(away) & (away >= 0.0) & (away < far[camera[pair]])
            np.minimum.at(depth, first[camera[pair[good]]] + ray[good], away[good])
            hit[camera[pair[good]]] = True
        which = np.flatnonzero(hit)
        return Fans(
            which,
            [depth[first[n] : first[n + 1]] for n in which.tolist()],
            [left[n] + step[n] * np.arange(rays[n]) for n in which.tolist()],
        )

    def _walls(self, x: Floats, y: Floats, far: Floats, high: Floats) -> tuple[Ints, Ints]:
        """Pairs of camera and wall: those of buildings within reach that are not its own and not below it."""
        boxes = shapely.box(x - far, y - far, x + far, y + far)
        camera, building = self.tree.query(boxes)
        spots: NDArray[np.object_] = np.atleast_1d(np.asarray(shapely.points(x, y), dtype=object))
        apart = shapely.distance(spots[camera], self.shapes[building])
        stands = (apart >= OWN_M) & (apart < far[camera]) & ~(self.height_m[building] < high[camera])
        camera, building = camera[stands], building[stands]
        many = self._lengths[building]
        nth = np.arange(int(many.sum())) - np.repeat(np.cumsum(many) - many, many)
        return np.repeat(camera, many), np.repeat(self._start[building], many) + nth


def fan_shape(
    x: float, y: float, angle_deg: Floats, depth_m: Floats, near_m: float, far_m: float
) -> shapely.Geometry:
    """What a camera sees between its rays, as a shape in the frame of x and y; empty where a wall hides all.

    Args:
        x: Of the camera, metres east.
        y: Metres north.
        angle_deg: Its rays.
        depth_m: How far each goes.
        near_m: Ground nearer than this it does not see.
        far_m: Ground farther than this neither.

    >>> angles = np.linspace(-45.0, 45.0, 61)
    >>> wall = np.where(angles < 0.0, 50.0, np.inf)
    >>> round(fan_shape(0.0, 0.0, angles, wall, 0.0, 100.0).area / (np.pi * 100**2 / 4), 2)
    0.63
    """
    out = np.maximum(np.minimum(depth_m, far_m), near_m)
    angle = np.radians(angle_deg)
    unit = np.column_stack([np.sin(angle), np.cos(angle)])
    # Chords lie within the arc; so much longer they enclose its area.
    chord = angle[1] - angle[0]
    swell = np.where(depth_m >= far_m, np.sqrt(chord / np.sin(chord)), 1.0)
    foot = np.array([x, y])
    outer = foot + unit * (out * swell)[:, None]
    full = angle_deg[-1] - angle_deg[0] >= _TURN - 1e-9
    if full:
        shape: shapely.Geometry = shapely.Polygon(outer[:-1])
        if near_m > 0.0:
            shape = shapely.difference(_sound(shape), shapely.Polygon(foot + unit[:-1] * near_m))
    elif near_m > 0.0:
        shape = shapely.Polygon(np.concatenate([outer, foot + unit[::-1] * near_m]))
    else:
        shape = shapely.Polygon(np.concatenate([outer, foot[None]]))
    return _sound(shape)


def _sound(shape: shapely.Geometry) -> shapely.Geometry:
    """The shape, valid: a ray that is hidden all along makes outline and inner arc meet."""
    if shapely.is_valid(shape):
        return shape
    return shapely.buffer(shape, 0.0)
