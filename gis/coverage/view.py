"""What cameras see of each grid: sectors, less what buildings hide where their footprints are known.

Where none are known nothing stands in the way, and what is told is coverage on paper (理论覆盖). Kept per grid, so
that one camera that fails or turns costs only the grids it touches.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from shapely.geometry.base import BaseGeometry

from gis.areas import AreaIndex
from gis.buildings import NO_BUILDINGS, Buildings
from gis.coverage.sight import Obstacles, fan_shape
from gis.crs import LocalMetric, by_columns

Floats = NDArray[np.float64]

RANGE_M = 150.0
"""How far a camera sees that nobody measured."""
FOV_DEG = 60.0
"""How wide a camera sees of which only the direction is known."""
STEP_DEG = 7.5
ASPECT = 9.0 / 16.0
"""Height of a picture by its width."""
_DISTANT_TILT_DEG = 0.1


@dataclass(frozen=True, slots=True)
class Sight:
    """Where a camera stands and which way it looks.

    Attributes:
        lon: Degrees, EPSG:4326.
        lat: Degrees.
        azimuth: Of the optical axis, degrees clockwise from north, None where nobody knows.
        fov: Horizontal angle of view, degrees; None counts as 60.
        range_m: How far it sees; None counts as 150.
        height_m: Above the ground, for the strip at its foot that it does not see; None: no such strip.
        tilt: Of the optical axis below the horizon, degrees.
    """

    lon: float
    lat: float
    azimuth: float | None = None
    fov: float | None = None
    range_m: float | None = None
    height_m: float | None = None
    tilt: float | None = None

    @property
    def directed(self) -> bool:
        """Whether it is known where it looks; one that looks all around needs no direction."""
        return self.azimuth is not None or (self.fov or FOV_DEG) >= 360.0

    def ground_m(self) -> tuple[float, float]:
        """Nearest and farthest ground it sees, metres; the same number twice when it sees none.

        >>> near, far = Sight(117.0, 34.0, 0.0, 60.0, 150.0, height_m=6.0, tilt=20.0).ground_m()
        >>> round(near, 1), far
        (7.7, 150.0)
        """
        far = self.range_m or RANGE_M
        if not self.height_m or self.tilt is None:
            return 0.0, far
        half = np.degrees(np.arctan(np.tan(np.radians(min(self.fov or FOV_DEG, 120.0) / 2)) * ASPECT))
        lower, upper = self.tilt + half, self.tilt - half
        near = self.height_m / np.tan(np.radians(lower)) if 0 < lower < 90 else 0.0
        if upper > _DISTANT_TILT_DEG:
            far = min(far, float(self.height_m / np.tan(np.radians(min(upper, 89.9)))))
        return (min(float(near), far), far) if lower > 0 else (far, far)


def sectors(
    x: ArrayLike, y: ArrayLike, azimuth: ArrayLike, fov: ArrayLike, near_m: ArrayLike, far_m: ArrayLike
) -> NDArray[np.object_]:
    """Sectors of rings in a metric frame; their area is that of the true sector, not of the chords.

    Args:
        x: (n,) metres east.
        y: (n,) metres north.
        azimuth: (n,) degrees clockwise from north.
        fov: (n,) degrees, 360 and more for a full circle.
        near_m: (n,) inner radius, 0 for a sector that begins at the camera.
        far_m: (n,) outer radius.

    Returns:
        (n,) polygons; none in, none out.

    >>> float(round(sectors([0.0], [0.0], [0.0], [90.0], [0.0], [100.0])[0].area, 6))
    7853.981634
    """
    ex, ny, axis, wide, near, far = (
        np.atleast_1d(np.asarray(v, np.float64)) for v in (x, y, azimuth, fov, near_m, far_m)
    )
    out = np.empty(len(ex), dtype=object)
    wide = np.minimum(wide, 360.0)
    steps = np.maximum(2, np.ceil(wide / STEP_DEG)).astype(np.int64)
    for count in np.unique(steps).tolist():
        at = np.flatnonzero(steps == count)
        angle = np.radians(axis[at, None] + wide[at, None] * np.linspace(-0.5, 0.5, count + 1))
        chord = np.radians(wide[at]) / count
        swell = np.sqrt(chord / np.sin(chord))[:, None]
        arc = np.stack([np.sin(angle), np.cos(angle)], axis=-1)
        foot = np.stack([ex[at], ny[at]], axis=-1)[:, None, :]
        full = (wide[at] >= 360.0)[:, None, None]
        arc[:, -1:] = np.where(full, arc[:, :1], arc[:, -1:])  # sin(180°) is not quite sin(-180°)
        outer = foot + arc * (far[at, None] * swell)[..., None]
        inner = foot + arc[:, ::-1] * (near[at, None] * swell)[..., None]
        # A full circle closes on itself; a sector closes over its foot or its inner arc.
        ring = np.concatenate([outer, np.where(full, outer[:, :1], inner), outer[:, :1]], axis=1)
        out[at] = shapely.polygons(ring)
        hollow = np.flatnonzero((wide[at] >= 360.0) & (near[at] > 0))
        for k in hollow.tolist():
            out[at[k]] = shapely.difference(out[at[k]], shapely.Polygon(inner[k, :-1]))
    return out


class SeenArea:
    """Share of each grid that at least one camera sees.

    Args:
        areas: Whose grids.
        cameras: By id; those that work. One without direction is counted in `undirected` and sees nothing.
        buildings: Footprints that stand in the way.

    Attributes:
        frame: Metres about the middle of the district.
        grid_m2: (grids,) area of each.
        seen_m2: (grids,) what cameras see of it.
        built: (grids,) whether footprints are known there; where not, what is seen is theoretical.

    >>> from gis.areas import Area
    >>> areas = AreaIndex([Area("1", "一格", 4, None, "网格", shapely.box(117.0, 34.0, 117.01, 34.01))])
    >>> seen = SeenArea(areas, {"c1": Sight(117.005, 34.005, 90.0, 90.0, 100.0)})
    >>> round(float(seen.seen_m2[0])), round(float(seen.share[0]), 4)
    (7854, 0.0077)
    >>> seen.change("c1", None)
    (0,)
    >>> float(seen.share[0])
    0.0
    """

    def __init__(
        self, areas: AreaIndex, cameras: Mapping[str, Sight], buildings: Buildings = NO_BUILDINGS
    ) -> None:
        bounds = areas.bounds or (0.0, 0.0, 0.0, 0.0)
        self.frame = LocalMetric((bounds[0] + bounds[2]) / 2.0, (bounds[1] + bounds[3]) / 2.0)
        self.grid_shapes: NDArray[np.object_] = shapely.transform(
            areas.grid_geometries, by_columns(self.frame.to_xy)
        )
        shapely.prepare(self.grid_shapes)
        self._tree = shapely.STRtree(self.grid_shapes)
        self.grid_m2: Floats = shapely.area(self.grid_shapes)
        self.seen_m2: Floats = np.zeros(len(self.grid_shapes))
        self._obstacles = Obstacles(buildings, self.frame)
        self.built = np.zeros(len(self.grid_shapes), dtype=np.bool_)
        if len(buildings):
            self.built[self._tree.query(self._obstacles.shapes, predicate="intersects")[1]] = True
        self._sights: dict[str, Sight] = {}
        self._shapes: dict[str, BaseGeometry] = {}
        self._grids_of: dict[str, tuple[int, ...]] = {}
        self._cameras_of: list[dict[str, None]] = [{} for _ in range(len(self.grid_shapes))]
        self._put(cameras)
        for grid, inside in enumerate(self._cameras_of):
            if inside:
                self._measure(grid)

    @property
    def share(self) -> Floats:
        """(grids,) share 0 to 1 of the area of each grid, in the order of the areas' `grids`."""
        share: Floats = np.clip(self.seen_m2 / np.maximum(self.grid_m2, 1e-9), 0.0, 1.0)
        return share

    @property
    def cameras(self) -> NDArray[np.int64]:
        """(grids,) how many cameras see some of each grid."""
        return np.array([len(inside) for inside in self._cameras_of], dtype=np.int64)

    @property
    def undirected(self) -> tuple[str, ...]:
        """Ids of cameras of which nobody knows where they look, sorted."""
        return tuple(sorted(key for key, sight in self._sights.items() if not sight.directed))

    def outline(self, camera: str) -> BaseGeometry | None:
        """What a camera sees, lon/lat degrees, or None."""
        shape = self._shapes.get(camera)
        return None if shape is None else self.frame.unproject(shape)

    def shows(self, lon: ArrayLike, lat: ArrayLike) -> NDArray[np.bool_]:
        """(n,) whether some camera sees a point; lon, lat in degrees."""
        x, y = self.frame.to_xy(lon, lat)
        seen = np.zeros(len(np.atleast_1d(x)), dtype=np.bool_)
        if self._shapes:
            points: NDArray[np.object_] = np.atleast_1d(np.asarray(shapely.points(x, y), dtype=object))
            shapes = np.array(list(self._shapes.values()), dtype=object)
            shapely.prepare(shapes)
            seen[shapely.STRtree(points).query(shapes, predicate="contains")[1]] = True
        return seen

    def change(self, camera: str, sight: Sight | None) -> tuple[int, ...]:
        """Take one camera in, turn it, or (None) take it out.

        Returns:
            Indices of the grids that were measured anew, ascending; empty when nothing is different.
        """
        if self._sights.get(camera) == sight:
            return ()
        return self._turn((camera,), {} if sight is None else {camera: sight})

    def update(self, cameras: Mapping[str, Sight]) -> int:
        """Bring all cameras to this state at the cost of their grids, each once. Returns how many differed."""
        gone = self._sights.keys() - cameras.keys()
        new = {key: sight for key, sight in cameras.items() if self._sights.get(key) != sight}
        self._turn((*gone, *new), new)
        return len(gone) + len(new)

    def _turn(self, old: Iterable[str], new: Mapping[str, Sight]) -> tuple[int, ...]:
        """Take cameras out and others in, and measure the grids of both anew; returns these, ascending."""
        touched: set[int] = set()
        for key in old:
            grids = self._grids_of.pop(key, ())
            for grid in grids:
                del self._cameras_of[grid][key]
            touched.update(grids)
            self._sights.pop(key, None)
            self._shapes.pop(key, None)
        self._put(new)
        for key in new:
            touched.update(self._grids_of.get(key, ()))
        for grid in touched:
            self._measure(grid)
        return tuple(sorted(touched))

    def _put(self, cameras: Mapping[str, Sight]) -> None:
        self._sights.update(cameras)
        known = [(key, sight, sight.ground_m()) for key, sight in cameras.items() if sight.directed]
        known = [one for one in known if one[2][1] > one[2][0]]
        if not known:
            return
        x, y = self.frame.to_xy([sight.lon for _, sight, _ in known], [sight.lat for _, sight, _ in known])
        axis = [sight.azimuth or 0.0 for _, sight, _ in known]
        wide = [sight.fov or FOV_DEG for _, sight, _ in known]
        near, far = [ground[0] for _, _, ground in known], [ground[1] for _, _, ground in known]
        shapes = sectors(x, y, axis, wide, near, far)
        if len(self._obstacles):
            high = [np.nan if sight.height_m is None else sight.height_m for _, sight, _ in known]
            fans = self._obstacles.fans(x, y, axis, wide, far, high)
            for n, angle, depth in zip(fans.which.tolist(), fans.angle_deg, fans.depth_m, strict=True):
                shapes[n] = fan_shape(float(x[n]), float(y[n]), angle, depth, near[n], far[n])
        which, grid = self._tree.query(shapes, predicate="intersects")
        order = np.lexsort((grid, which))
        start = np.searchsorted(which[order], np.arange(len(known) + 1))
        for n, (key, _, _) in enumerate(known):
            grids = tuple(grid[order[start[n] : start[n + 1]]].tolist())
            self._shapes[key], self._grids_of[key] = shapes[n], grids
            for one in grids:
                self._cameras_of[one][key] = None

    def _measure(self, grid: int) -> None:
        union = _united([self._shapes[key] for key in self._cameras_of[grid]])
        self.seen_m2[grid] = shapely.area(shapely.intersection(union, self.grid_shapes[grid]))


def _united(shapes: list[BaseGeometry]) -> BaseGeometry:
    """The union; on the grid of a millimetre where the exact one stumbles over edges that almost meet."""
    try:
        return shapely.union_all(shapes)
    except shapely.errors.GEOSException:
        return shapely.union_all(shapes, grid_size=1e-3)
