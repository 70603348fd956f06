"""The local metric plane: projection, noise, splines and rasters the other modules share.

Everything is built in metres around the district's centre (x east, y north) and converted to degrees once,
when it is written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import Transformer
from scipy.ndimage import gaussian_filter, map_coordinates, zoom

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
Shapes = NDArray[np.object_]


class Projection:
    """Transverse Mercator around one point; metres to WGS-84 degrees and back."""

    def __init__(self, lon: float, lat: float) -> None:
        local = f"+proj=tmerc +lat_0={lat} +lon_0={lon} +k=1 +x_0=0 +y_0=0 +ellps=WGS84 +units=m"
        self._inverse = Transformer.from_crs(local, "EPSG:4326", always_xy=True)

    def degrees(self, xy: Floats) -> Floats:
        """Convert (n, 2) metres to (n, 2) lon/lat degrees, rounded to 1e-7 (about a centimetre)."""
        if len(xy) == 0:
            return np.empty((0, 2))
        lon, lat = self._inverse.transform(xy[:, 0], xy[:, 1])
        return np.round(np.column_stack([lon, lat]), 7)


@dataclass(frozen=True, slots=True)
class Frame:
    """A raster over the plane; cell (row, col) has its centre at (x0 + col·cell, y0 + row·cell) metres."""

    x0: float
    y0: float
    cell: float
    rows: int
    cols: int

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.rows, self.cols

    def centres(self) -> tuple[Floats, Floats]:
        """Return x and y of every cell centre, each of the raster's shape, in metres."""
        x = self.x0 + self.cell * np.arange(self.cols)
        y = self.y0 + self.cell * np.arange(self.rows)
        gx, gy = np.meshgrid(x, y)
        return gx, gy

    def cells(self, xy: Floats) -> Ints:
        """Return the flat cell index, shape (n,), of (n, 2) points in metres; outside points are clamped."""
        col = np.clip(np.rint((xy[:, 0] - self.x0) / self.cell), 0, self.cols - 1).astype(np.int64)
        row = np.clip(np.rint((xy[:, 1] - self.y0) / self.cell), 0, self.rows - 1).astype(np.int64)
        return row * self.cols + col

    def points(self, cells: Ints) -> Floats:
        """Return the centres, shape (n, 2) in metres, of flat cell indices."""
        return np.column_stack(
            [self.x0 + self.cell * (cells % self.cols), self.y0 + self.cell * (cells // self.cols)]
        ).astype(np.float64)

    def sample(self, field: Floats, xy: Floats) -> Floats:
        """Interpolate a raster bilinearly at (n, 2) points in metres; outside, the border value holds."""
        at = [(xy[:, 1] - self.y0) / self.cell, (xy[:, 0] - self.x0) / self.cell]
        return np.asarray(map_coordinates(field, at, order=1, mode="nearest"), dtype=np.float64)


def noise(rng: np.random.Generator, frame: Frame, wavelength_m: float) -> Floats:
    """Return smooth noise of unit variance over a raster, with features of about ``wavelength_m``."""
    sigma = wavelength_m / 4 / frame.cell
    step = max(1, int(sigma / 3))
    rows, cols = frame.rows // step + 3, frame.cols // step + 3
    coarse = gaussian_filter(rng.standard_normal((rows, cols)), sigma / step, mode="reflect")
    fine = zoom(coarse, step, order=1)[: frame.rows, : frame.cols] if step > 1 else coarse
    fine = fine[: frame.rows, : frame.cols]
    return np.asarray((fine - fine.mean()) / (fine.std() + 1e-12), dtype=np.float64)


def spline(points: Floats, step_m: float) -> Floats:
    """Return a Catmull-Rom curve through (n, 2) points, as (m, 2) points about ``step_m`` apart."""
    p = np.vstack([2 * points[0] - points[1], points, 2 * points[-1] - points[-2]])
    parts = []
    for a, b, c, d in zip(p[:-3], p[1:-2], p[2:-1], p[3:], strict=True):
        n = max(2, int(np.hypot(*(c - b)) / step_m))
        t = (np.arange(n) / n)[:, None]
        parts.append(
            0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
        )
    parts.append(points[-1:])
    return np.vstack(parts)


def line_array(coords: Floats) -> Shapes:
    """Return an object array of n lines from coordinates of shape (n, m, 2)."""
    return np.asarray(shapely.linestrings(coords), dtype=np.object_)


def polygon_array(coords: Floats) -> Shapes:
    """Return an object array of n polygons from corners of shape (n, m, 2)."""
    return np.asarray(shapely.polygons(coords), dtype=np.object_)


def smooth(line: Floats, rounds: int) -> Floats:
    """Soften a polyline, keeping its two ends (or its closure) where they are."""
    if len(line) < 3:
        return line
    p = line.copy()
    closed = bool(np.allclose(p[0], p[-1]))
    for _ in range(rounds):
        if closed:
            q = p[:-1]
            q = 0.25 * np.roll(q, 1, axis=0) + 0.5 * q + 0.25 * np.roll(q, -1, axis=0)
            p = np.vstack([q, q[:1]])
        else:
            p[1:-1] = 0.25 * p[:-2] + 0.5 * p[1:-1] + 0.25 * p[2:]
    return p


def resample(line: Floats, step_m: float) -> Floats:
    """Return a polyline's points at even spacing close to ``step_m``, both ends kept."""
    run = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
    n = max(1, round(run[-1] / step_m))
    at = np.linspace(0, run[-1], n + 1)
    return np.column_stack([np.interp(at, run, line[:, 0]), np.interp(at, run, line[:, 1])])


def blob(
    rng: np.random.Generator, centre: Floats, radius_m: float, *, stretch: float, angle: float
) -> Floats:
    """Return the closed ring, shape (73, 2), of an irregular round shape of about the given radius."""
    t = np.linspace(0, 2 * np.pi, 73)
    r = np.ones_like(t)
    for k, a in ((2, 0.07), (3, 0.09), (4, 0.06), (5, 0.05), (7, 0.035), (11, 0.02)):
        r += a * rng.uniform(0.5, 1.2) * np.cos(k * t + rng.uniform(0, 2 * np.pi))
    x, y = radius_m * r * np.cos(t) * np.sqrt(stretch), radius_m * r * np.sin(t) / np.sqrt(stretch)
    ring = np.column_stack([x * np.cos(angle) - y * np.sin(angle), x * np.sin(angle) + y * np.cos(angle)])
    ring[-1] = ring[0]
    return ring + centre


# Which cell sides a contour passes, by the bits of the four corners above the level (counter-clockwise from
# the lower left); sides are 0 bottom, 1 right, 2 top, 3 left.
_SIDES: dict[int, Sequence[tuple[int, int]]] = {
    1: [(3, 0)], 2: [(0, 1)], 3: [(3, 1)], 4: [(1, 2)], 5: [(3, 0), (1, 2)], 6: [(0, 2)], 7: [(3, 2)],
    8: [(2, 3)], 9: [(2, 0)], 10: [(0, 1), (2, 3)], 11: [(2, 1)], 12: [(1, 3)], 13: [(1, 0)], 14: [(0, 3)],
}  # fmt: skip


def regions_above(frame: Frame, field: Floats, level: float) -> list[shapely.Polygon]:
    """Return the polygons, in metres, where a raster lies above a level (marching squares, holes kept)."""
    f = np.pad(field - level, 1, constant_values=-1e-3 - abs(float(field.max() - level)) * 0.2)
    up = f > 0
    code = up[:-1, :-1] + 2 * up[:-1, 1:] + 4 * up[1:, 1:] + 8 * up[1:, :-1]
    x0, y0 = frame.x0 - frame.cell, frame.y0 - frame.cell
    segments = []
    for value, sides in _SIDES.items():
        row, col = np.nonzero(code == value)
        for pair in sides:
            ends: list[tuple[Floats, Floats]] = []
            for side in pair:
                if side in (0, 2):
                    r = row + (side == 2)
                    a, b = f[r, col], f[r, col + 1]
                    ends.append(
                        (np.asarray(x0 + frame.cell * (col + a / (a - b))), np.asarray(y0 + frame.cell * r))
                    )
                else:
                    c = col + (side == 1)
                    a, b = f[row, c], f[row + 1, c]
                    ends.append(
                        (np.asarray(x0 + frame.cell * c), np.asarray(y0 + frame.cell * (row + a / (a - b))))
                    )
            segments.append(np.stack([np.column_stack(ends[0]), np.column_stack(ends[1])], axis=1))
    lines = line_array(np.round(np.concatenate(segments), 3).astype(np.float64))
    area = shapely.build_area(
        shapely.geometrycollections(
            list(shapely.get_parts(shapely.line_merge(shapely.multilinestrings(lines))))
        )
    )
    return [g for g in shapely.get_parts(area).tolist() if isinstance(g, shapely.Polygon)]
