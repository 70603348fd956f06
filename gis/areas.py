"""The division tree – county, township, village, grid – and the police beats laid over it.

One immutable index answers which areas contain a point, who is above and below an area and what its outline
looks like. It is rebuilt as a whole when the division changes; nothing in it is edited in place.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import cached_property
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray

from gis import outlines
from gis.crs import LocalMetric
from gis.division import (
    COUNTY,
    GRID,
    TOWNSHIP,
    VILLAGE,
    Area,
    Beat,
    Location,
    Shape,
    next_change,
    versions_of,
)
from gis.errors import AreaConflict, UnknownArea
from gis.locate import Locator

__all__ = [
    "COUNTY",
    "GRID",
    "TOWNSHIP",
    "VILLAGE",
    "Area",
    "AreaIndex",
    "BBox",
    "Beat",
    "Location",
    "Shape",
]

BBox = tuple[float, float, float, float]

_Coded = TypeVar("_Coded", Area, Beat)


class AreaIndex:
    """All areas and beats of one centre, immutable.

    Args:
        areas: Any order. A parent that is not among them is treated as "above the top".
        beats: Any order.
        on: The day it answers for: of several versions of an area only the one that holds then counts. None:
            every area counts, so that a code may stand only once.

    Attributes:
        every: All versions, by code, the older first, whether they hold on that day or not.

    Raises:
        AreaConflict: A code is used twice on the same day, or an area is its own ancestor.

    >>> village = Area("3401", "桥头村", 3, None, "村", shapely.box(117.0, 34.0, 117.2, 34.1))
    >>> west = Area("340101", "桥头村第一网格", 4, "3401", "网格", shapely.box(117.0, 34.0, 117.1, 34.1))
    >>> index = AreaIndex([village, west], [])
    >>> index.locate(117.05, 34.05).areas
    {3: '3401', 4: '340101'}
    >>> index.locate(117.15, 34.05).areas
    {3: '3401'}
    """

    def __init__(self, areas: Iterable[Area], beats: Iterable[Beat] = (), *, on: date | None = None) -> None:
        self._versions = versions_of(areas)
        self.every: tuple[Area, ...] = tuple(
            area for versions in self._versions.values() for area in versions
        )
        self.on = on
        self.areas: tuple[Area, ...] = (
            self.every if on is None else tuple(area for area in self.every if area.holds_on(on))
        )
        self.beats: tuple[Beat, ...] = tuple(sorted(beats, key=lambda beat: beat.code))
        self._area_by_code = _unique(self.areas, "area")
        self._beat_by_code = _unique(self.beats, "beat")
        self._children: dict[str, list[Area]] = {}
        self._by_tier: dict[int, list[Area]] = {}
        for area in self.areas:
            self._by_tier.setdefault(area.tier, []).append(area)
            if area.parent is not None:
                self._children.setdefault(area.parent, []).append(area)
        for area in self.areas:
            self._refuse_cycle(area)
        self.grids: tuple[Area, ...] = tuple(self._by_tier.get(GRID, ()))
        self.grid_geometries = _geometries(self.grids)
        self.grid_tree = shapely.STRtree(self.grid_geometries)
        self._area_tree = shapely.STRtree(_geometries(self.areas))
        self._beat_tree = shapely.STRtree(_geometries(self.beats))
        shapely.prepare([shape.geometry for shape in self.areas])
        shapely.prepare([shape.geometry for shape in self.beats])
        self._adjacent: dict[str, tuple[str, ...]] = {}
        self._label_points: dict[str, tuple[float, float]] = {}

    def _refuse_cycle(self, area: Area) -> None:
        seen = {area.code}
        above = self._area_by_code.get(area.parent) if area.parent else None
        while above is not None:
            if above.code in seen:
                raise AreaConflict(f"area {area.code} is its own ancestor")
            seen.add(above.code)
            above = self._area_by_code.get(above.parent) if above.parent else None

    def __len__(self) -> int:
        return len(self.areas)

    def __contains__(self, code: object) -> bool:
        return code in self._area_by_code

    # -- the days ---------------------------------------------------------------------------------

    def on_day(self, day: date) -> AreaIndex:
        """The areas and beats as they are on a day; this very index where nothing is different then."""
        return self if self.answers_for(day) else AreaIndex(self.every, self.beats, on=day)

    def answers_for(self, day: date) -> bool:
        """Whether what counts here is what holds on a day."""
        there = sum(area.holds_on(day) for area in self.every)
        return there == len(self.areas) and all(area.holds_on(day) for area in self.areas)

    def history(self, code: str) -> tuple[Area, ...]:
        """All versions of an area, oldest first, those to come included. Raises UnknownArea."""
        try:
            return self._versions[code]
        except KeyError:
            raise UnknownArea(code) from None

    def next_change(self, day: date) -> date | None:
        """The first day after `day` on which other areas hold than the day before, or None."""
        return next_change(self.every, day)

    # -- the tree ---------------------------------------------------------------------------------

    def area(self, code: str) -> Area:
        """The area with this code. Raises UnknownArea."""
        try:
            return self._area_by_code[code]
        except KeyError:
            raise UnknownArea(code) from None

    def beat(self, code: str) -> Beat:
        """The police beat with this code. Raises UnknownArea."""
        try:
            return self._beat_by_code[code]
        except KeyError:
            raise UnknownArea(code) from None

    def children(self, code: str) -> tuple[Area, ...]:
        """Areas directly below, by code; empty for a leaf. Raises UnknownArea."""
        self.area(code)
        return tuple(self._children.get(code, ()))

    def ancestors(self, code: str) -> tuple[Area, ...]:
        """Areas above, nearest first, without the area itself. Raises UnknownArea."""
        found = []
        area = self.area(code)
        while area.parent is not None and area.parent in self._area_by_code:
            area = self._area_by_code[area.parent]
            found.append(area)
        return tuple(found)

    def descendants(self, code: str) -> tuple[Area, ...]:
        """Areas below at any depth, by code, without the area itself. Raises UnknownArea."""
        open_ = list(self.children(code))
        found = []
        while open_:
            area = open_.pop()
            found.append(area)
            open_.extend(self._children.get(area.code, ()))
        return tuple(sorted(found, key=lambda area: area.code))

    def of_tier(self, tier: int) -> tuple[Area, ...]:
        """All areas of a tier, by code."""
        return tuple(self._by_tier.get(tier, ()))

    def subtree_grids(self, code: str) -> tuple[str, ...]:
        """Codes of the grids in an area (a grid contains itself), sorted. Raises UnknownArea."""
        return tuple(a.code for a in (self.area(code), *self.descendants(code)) if a.tier == GRID)

    @cached_property
    def grid_number(self) -> Mapping[str, int]:
        """Grid code to its index in `grids`."""
        return {area.code: number for number, area in enumerate(self.grids)}

    # -- points -----------------------------------------------------------------------------------

    def locate(self, lon: float, lat: float) -> Location:
        """The area of each tier, and the beat, that contains a point.

        A point on a shared border belongs to the smallest code. A tier whose own outlines miss the point
        is filled from the parents of the tiers below, so a tree with gaps still answers.

        Args:
            lon: Degrees, EPSG:4326.
            lat: Degrees.

        Returns:
            Empty `areas` and beat None outside everything.
        """
        point = shapely.Point(lon, lat)
        found: dict[int, str] = {}
        # Areas stand sorted by code, so the smallest number is the smallest code.
        for number in sorted(self._area_tree.query(point, predicate="intersects").tolist()):
            area = self.areas[number]
            found.setdefault(area.tier, area.code)
        for tier in sorted(found, reverse=True):
            for above in self.ancestors(found[tier]):
                found.setdefault(above.tier, above.code)
        hits = self._beat_tree.query(point, predicate="intersects")
        beat = self.beats[int(hits.min())].code if hits.size else None
        return Location(dict(sorted(found.items())), beat)

    def locate_many(self, lon: ArrayLike, lat: ArrayLike) -> NDArray[np.int32]:
        """The grid of each point.

        Args:
            lon: (n,) degrees, EPSG:4326.
            lat: (n,) degrees.

        Returns:
            (n,) int32 index into `grids`, -1 outside every grid or for a coordinate that is not a number;
            the smallest code on a shared border.
        """
        x, y = np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)
        unclaimed = np.iinfo(np.int32).max
        grid = np.full(x.shape, unclaimed, dtype=np.int32)
        known = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
        hits = self.grid_tree.query(shapely.points(x[known], y[known]), predicate="intersects")
        np.minimum.at(grid, known[hits[0]], hits[1].astype(np.int32))
        grid[grid == unclaimed] = -1
        return grid

    @cached_property
    def locator(self) -> Locator:
        """Every tier and the beats for many points at a time; made when first asked for, best in a thread."""
        return Locator(self.areas, self.beats)

    def within(self, code: str, lon: ArrayLike, lat: ArrayLike) -> NDArray[np.bool_]:
        """Whether each point lies in an area, its border included. Raises UnknownArea."""
        inside = shapely.intersects_xy(self.area(code).geometry, np.asarray(lon), np.asarray(lat))
        return np.asarray(inside, dtype=np.bool_)

    # -- shapes -----------------------------------------------------------------------------------

    def adjacent(self, code: str) -> tuple[str, ...]:
        """Codes of the areas of the same tier that share a border, sorted; a corner is not a border.

        Raises:
            UnknownArea: No area has this code.
        """
        area = self.area(code)
        if code not in self._adjacent:
            near = self._area_tree.query(area.geometry, predicate="dwithin", distance=outlines.TOUCH_DEG)
            self._adjacent[code] = tuple(
                other.code
                for other in (self.areas[n] for n in sorted(near.tolist()))
                if other.tier == area.tier
                and other.code != code
                and outlines.share_border(area.geometry, other.geometry)
            )
        return self._adjacent[code]

    def label_point(self, code: str) -> tuple[float, float]:
        """Where a label sits best: the point of the largest part farthest from its border (lon, lat)."""
        area = self.area(code)
        if code not in self._label_points:
            self._label_points[code] = outlines.label_point(area.geometry, self._frame)
        return self._label_points[code]

    def area_km2(self, code: str) -> float:
        """Geodesic area in square kilometres. Raises UnknownArea."""
        return outlines.area_km2(self.area(code).geometry)

    @cached_property
    def _frame(self) -> LocalMetric:
        assert self.bounds is not None
        west, south, east, north = self.bounds
        return LocalMetric((west + east) / 2.0, (south + north) / 2.0)

    @cached_property
    def bounds(self) -> BBox | None:
        """(west, south, east, north) of all areas in degrees, or None without areas."""
        if not self.areas:
            return None
        west, south, east, north = shapely.total_bounds(_geometries(self.areas)).tolist()
        return west, south, east, north

    def geojson(self, code: str, *, simplify_m: float = 0) -> dict[str, Any]:
        """One area as a GeoJSON Feature.

        Args:
            code: Of the area.
            simplify_m: Leave out vertices that move the outline by no more than this many metres.

        Returns:
            A Feature with the fields of `Area`, `label_lon` and `label_lat` as properties, coordinates to
            seven decimals (1 cm).

        Raises:
            UnknownArea: No area has this code.
        """
        return self._feature(self.area(code), outlines.simplified([self.area(code).geometry], simplify_m)[0])

    def chosen(
        self,
        *,
        tier: int | None = None,
        parent: str | None = None,
        bbox: Sequence[float] | None = None,
    ) -> Sequence[Area]:
        """Areas by code; the arguments as in `feature_collection`.

        Raises:
            UnknownArea: `parent` is unknown.
        """
        if parent is None:
            found: Sequence[Area] = self.areas if tier is None else self.of_tier(tier)
        else:
            found = self.children(parent) if tier is None else self.descendants(parent)
            found = [area for area in found if tier in (None, area.tier)]
        if bbox is not None:
            frame = shapely.box(bbox[0], bbox[1], bbox[2], bbox[3])
            found = [area for area in found if area.geometry.intersects(frame)]
        return found

    def feature_collection(
        self,
        *,
        tier: int | None = None,
        parent: str | None = None,
        bbox: Sequence[float] | None = None,
        simplify_m: float = 0,
    ) -> dict[str, Any]:
        """Areas as a GeoJSON FeatureCollection, by code; an empty one when nothing matches.

        Args:
            tier: Only this tier.
            parent: Only below this area: everything of `tier` at any depth, or without `tier` its children.
            bbox: Only areas that touch (west, south, east, north), degrees.
            simplify_m: As in `geojson`; shared borders stay shared.

        Raises:
            UnknownArea: `parent` is unknown.
        """
        chosen = self.chosen(tier=tier, parent=parent, bbox=bbox)
        shapes = outlines.simplified([area.geometry for area in chosen], simplify_m)
        features = [self._feature(area, shape) for area, shape in zip(chosen, shapes, strict=True)]
        return {"type": "FeatureCollection", "features": features}

    def _feature(self, area: Area, shape: Shape) -> dict[str, Any]:
        lon, lat = self.label_point(area.code)
        return {
            "type": "Feature",
            "id": area.code,
            "geometry": outlines.geojson_geometry(shape),
            "properties": {
                **area.facts(),
                "label_lon": round(lon, 7),
                "label_lat": round(lat, 7),
            },
        }


def _geometries(shapes: Sequence[Area] | Sequence[Beat]) -> NDArray[np.object_]:
    array = np.empty(len(shapes), dtype=object)
    array[:] = [shape.geometry for shape in shapes]
    return array


def _unique(shapes: Sequence[_Coded], what: str) -> dict[str, _Coded]:
    by_code = {shape.code: shape for shape in shapes}
    if len(by_code) != len(shapes):
        codes = [shape.code for shape in shapes]
        twice = next(a for a, b in pairwise(codes) if a == b)
        raise AreaConflict(f"{what} code {twice!r} is used twice")
    return by_code
