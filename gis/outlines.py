"""Small geometry of outlines: simplify, touch, label, write."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray
from shapely.geometry import MultiPolygon, Polygon

from gis.crs import LocalMetric, by_columns

Shape = Polygon | MultiPolygon
_GEOD = pyproj.Geod(ellps="WGS84")

# Borders drawn separately miss each other by rounding; about 0.2 m still counts as touching.
TOUCH_DEG = 2e-6
_BORDER_DEG = 1e-5


def share_border(a: Shape, b: Shape) -> bool:
    """Whether two outlines run along each other for about a metre or more.

    >>> share_border(shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1))
    True
    >>> share_border(shapely.box(0, 0, 1, 1), shapely.box(1, 1, 2, 2))
    False
    """
    common = shapely.intersection(shapely.buffer(a.boundary, TOUCH_DEG, cap_style="flat"), b.boundary)
    return bool(shapely.length(common) > _BORDER_DEG)


def area_km2(shape: Shape) -> float:
    """Geodesic area of lon/lat degrees in square kilometres.

    >>> round(area_km2(shapely.box(117.0, 34.0, 117.01, 34.01)), 3)
    1.025
    """
    square_m, _ = _GEOD.geometry_area_perimeter(shapely.orient_polygons(shape))
    return abs(float(square_m)) / 1e6


def largest_part(shape: Shape) -> Polygon:
    """The largest polygon of a shape; the first of equals."""
    parts = shapely.get_parts(shape)
    part = parts[int(np.argmax(shapely.area(parts)))]
    assert isinstance(part, Polygon)
    return part


def label_point(shape: Shape, frame: LocalMetric | None = None) -> tuple[float, float]:
    """The pole of inaccessibility of the largest part, as (lon, lat) degrees.

    Args:
        shape: In lon/lat degrees.
        frame: In which the distances to the border are compared; one about the shape is made, which costs
            far more than the rest, unless there is one of the neighbourhood.

    >>> lon, lat = label_point(shapely.box(117.0, 34.0, 117.2, 34.1))
    >>> print(f"{lon:.1f} {lat:.2f}")
    117.1 34.05
    """
    part = largest_part(shape)
    if frame is None:
        frame = LocalMetric(part.centroid.x, part.centroid.y)
    flat = frame.project(part)
    assert isinstance(flat, Polygon)
    west, south, east, north = flat.bounds
    # A hundredth of the smaller side is finer than any label can show.
    spoke = shapely.maximum_inscribed_circle(flat, tolerance=min(east - west, north - south) / 100.0)
    lon, lat = frame.to_lonlat(*spoke.coords[0])
    return float(lon), float(lat)


def simplified(shapes: Sequence[Shape], tolerance_m: float) -> list[Shape]:
    """Outlines with fewer vertices, shared borders staying shared where the input is a clean coverage.

    Args:
        shapes: Polygons in lon/lat degrees.
        tolerance_m: How far the outline may move, metres; 0 or less returns the input.

    Returns:
        In the same order. Overlapping input, which has no common borders to keep, is simplified one by one.

    >>> ring = shapely.Polygon([(0, 0), (1e-3, 1e-9), (2e-3, 0), (2e-3, 2e-3), (0, 2e-3)])
    >>> len(simplified([ring], 5.0)[0].exterior.coords)
    5
    """
    if tolerance_m <= 0 or not shapes:
        return list(shapes)
    array: NDArray[np.object_] = np.empty(len(shapes), dtype=object)
    array[:] = list(shapes)
    west, south, east, north = shapely.total_bounds(array).tolist()
    frame = LocalMetric((west + east) / 2.0, (south + north) / 2.0)
    flat = shapely.transform(array, by_columns(frame.to_xy))
    if shapely.coverage_is_valid(flat):
        # coverage_simplify measures by triangle area: its tolerance is the square root of that area.
        fewer = shapely.coverage_simplify(flat, tolerance_m)
    else:
        fewer = shapely.simplify(flat, tolerance_m, preserve_topology=True)
    return list(shapely.transform(fewer, by_columns(frame.to_lonlat)))


def geojson_geometry(shape: Shape) -> dict[str, Any]:
    """A GeoJSON geometry with coordinates to seven decimals (1 cm).

    >>> geojson_geometry(shapely.box(0.123456789, 0, 1, 1))["coordinates"][0][0]
    (1.0, 0.0)
    """
    rounded: dict[str, Any] = shapely.geometry.mapping(shapely.transform(shape, lambda c: np.round(c, 7)))
    return rounded


def exact_geometry(shape: Shape) -> dict[str, Any]:
    """A GeoJSON geometry with every digit, so that what is edited can be held against what is stored."""
    whole: dict[str, Any] = shapely.geometry.mapping(shape)
    return whole
