"""What a division is made of: areas of four tiers, from when to when each holds, and the police beats over them.

An area that changes keeps its code; each of its versions says from which day to which it holds. `gis.areas`
puts together what holds on one day.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Any, Literal

from shapely.geometry import MultiPolygon, Polygon

from gis.errors import AreaConflict

Shape = Polygon | MultiPolygon
GridKind = Literal["general", "dedicated"]

COUNTY, TOWNSHIP, VILLAGE, GRID = 1, 2, 3, 4


@dataclass(frozen=True, slots=True)
class Area:
    """One unit of the division tree, as it is between two days.

    Attributes:
        code: Unique among all areas that hold on the same day.
        name: As people say it.
        tier: 1 county or district, 2 township, 3 village or community, 4 grid.
        parent: Code of the area above, or None at the top.
        label: The tier in words (镇, 街道, 社区, 网格 …).
        geometry: Polygon or MultiPolygon, lon/lat degrees, EPSG:4326.
        chief: Name of the person in charge.
        workers: Names of the grid workers.
        beat: Code of the police beat it belongs to.
        households: Count; people are never listed.
        kind: Of a grid: general (综合网格), or dedicated (专属网格) to a campus, an estate, a market.
        posts: How many workers the grid should have.
        valid_from: First day on which it is so; None: as long as anybody remembers.
        valid_to: Last day on which it is so; None: until further notice.
        source_crs: What its outline was drawn in before it came here, or None.
        extra: Columns of the file it came in that mean nothing here, as JSON; None without any. See `extras`.
    """

    code: str
    name: str
    tier: int
    parent: str | None
    label: str
    geometry: Shape
    chief: str | None = None
    workers: tuple[str, ...] = ()
    beat: str | None = None
    households: int | None = None
    kind: GridKind = "general"
    posts: int = 1
    valid_from: date | None = None
    valid_to: date | None = None
    source_crs: str | None = None
    extra: str | None = None

    @property
    def extras(self) -> dict[str, str]:
        """What else was said of it in the file it came in, by the names of its columns there."""
        return {} if self.extra is None else {str(k): str(v) for k, v in json.loads(self.extra).items()}

    def facts(self) -> dict[str, Any]:
        """What is known of it besides its outline, fit for JSON; days as YYYY-MM-DD."""
        return {
            "code": self.code,
            "name": self.name,
            "tier": self.tier,
            "parent": self.parent,
            "label": self.label,
            "chief": self.chief,
            "workers": list(self.workers),
            "beat": self.beat,
            "households": self.households,
            "kind": self.kind,
            "posts": self.posts,
            "valid_from": None if self.valid_from is None else self.valid_from.isoformat(),
            "valid_to": None if self.valid_to is None else self.valid_to.isoformat(),
        }

    def holds_on(self, day: date) -> bool:
        """Whether it is so on a day."""
        return (self.valid_from is None or self.valid_from <= day) and (
            self.valid_to is None or day <= self.valid_to
        )


@dataclass(frozen=True, slots=True)
class Beat:
    """One police beat (警格): its own outline, laid over the grids. Geometry as in `Area`."""

    code: str
    name: str
    station: str
    geometry: Shape
    grids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Location:
    """What contains a point.

    Attributes:
        areas: Code of the containing area by tier; a tier without one is absent.
        beat: Code of the police beat, or None.
    """

    areas: dict[int, str]
    beat: str | None


def versions_of(areas: Iterable[Area]) -> dict[str, tuple[Area, ...]]:
    """The versions of each area, oldest first.

    Returns:
        By code, in the order of the codes.

    Raises:
        AreaConflict: Two versions of one area hold on the same day.
    """
    found: dict[str, list[Area]] = {}
    for area in areas:
        found.setdefault(area.code, []).append(area)
    for code, versions in found.items():
        if len(versions) > 1:
            versions.sort(key=lambda area: area.valid_from or date.min)
            if any(overlap(a, b) for a, b in pairwise(versions)):
                raise AreaConflict(f"area code {code!r} is used twice")
    return {code: tuple(found[code]) for code in sorted(found)}


def overlap(a: Area, b: Area) -> bool:
    """Whether there is a day on which both hold."""
    return (a.valid_from or date.min) <= (b.valid_to or date.max) and (b.valid_from or date.min) <= (
        a.valid_to or date.max
    )


def next_change(areas: Iterable[Area], day: date) -> date | None:
    """The first day after `day` on which other areas hold than the day before, or None.

    >>> from shapely import box
    >>> old = Area("1", "一格", 4, None, "网格", box(0, 0, 1, 1), valid_to=date(2025, 6, 30))
    >>> next_change([old], date(2025, 1, 1))
    datetime.date(2025, 7, 1)
    """
    days = {area.valid_from for area in areas if area.valid_from is not None}
    days |= {
        area.valid_to + timedelta(days=1)
        for area in areas
        if area.valid_to is not None and area.valid_to < date.max
    }
    return min((one for one in days if one > day), default=None)
