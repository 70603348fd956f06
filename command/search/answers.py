"""What is answered: from a text to hits, over shelves that stand still while it is done."""

import heapq
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final, Literal

from command.board import Board
from command.district import District
from command.search.things import TYPES, Box, Shelf, Thing, Type
from command.search.wishes import Nearby, read_nearby, split_type
from gis.coordinates import TypedPoint, read_point
from gis.crs import WGS84, LocalMetric, distance_m
from gis.names import STAGES, Stage
from gis.text import typed

Allowed = Callable[[Type, str], bool]
"""(type, id): may the asker know of it?"""
Fit = Literal["written", "heard", "slipped", "road", "house", "near", "point"]
WITHIN_M: Final = 3_000.0
"""Farther away is not near."""
_HOUSE: Final = re.compile(r"(?P<road>.*[^\d\s])\s*(?P<number>\d+)(?:[-之]\d+)?\s*[号號]?.*")
_NUMBER: Final = re.compile(r"\D(\d+)\D*$")
_LOCATED: Final = frozenset(TYPES) - {"area", "beat", "address", "responder", "point"}
_HOUSES_LOOKED_AT, _HOUSES_SHOWN = 400, 3


@dataclass(frozen=True, slots=True)
class Hit:
    """One thing found.

    Attributes:
        lon: Degrees, or None where it has no place.
        lat: Degrees.
        distance_m: From the middle of what is seen, or from what it is near; None without.
        fit: "written" as typed; "heard" sounds alike; "slipped" one slip; "road" only the road of an address, and
            "house" the numbers on it nearest to the one typed; "near" about a place; "point" coordinates.
    """

    type: Type
    id: str
    name: str
    detail: str
    lon: float | None
    lat: float | None
    distance_m: float | None
    fit: Fit


class Answers:
    """The answers to one who asks.

    Args:
        shelves: What can be found.
        district: What the fixed things are taken from.
        frame: In which distances are taken.
        board: People, cameras and incidents; it goes on meanwhile.
        allowed: Asked of each thing before it counts.
        view: What is seen, (west, south, east, north) in degrees: nearer things come first.
    """

    def __init__(
        self,
        shelves: tuple[Shelf, ...],
        district: District,
        frame: LocalMetric,
        board: Board,
        allowed: Allowed,
        view: Box | None,
    ) -> None:
        self._shelves = shelves
        self._district = district
        self._frame = frame
        self._board = board
        self._allowed = allowed
        self._view = view

    def find(self, text: str, limit: int, types: Collection[Type] | None) -> list[Hit]:
        """Return the best hits for a text that is not empty; see `Search.find`."""
        point = read_point(text, self._district.bounds)
        if point is not None:
            return [self._point(point)] if types is None or "point" in types else []
        wish = read_nearby(text)
        if wish is not None:
            hits = self._nearby(wish, limit, types)
            if hits:
                return hits
        rest, kind = split_type(text)
        if kind is not None and (types is None or kind in types):
            hits = self._named(rest, limit, {kind})
            if hits:
                return hits
        return self._named(text, limit, types)

    def _named(
        self,
        text: str,
        limit: int,
        types: Collection[Type] | None,
    ) -> list[Hit]:
        """Look for a name: as written, by ear, by the road of an address, with one slip; the first that finds."""
        for stage in STAGES:
            if stage == "slipped":
                house = _HOUSE.fullmatch(text)
                if house is not None and (types is None or "road" in types):
                    roads = self._stage(house["road"], "written", limit, {"road"}, "road")
                    if roads:
                        beside = self._houses(roads[0].name, int(house["number"]), types)
                        return [roads[0], *beside, *roads[1:]][:limit]
            hits = self._stage(text, stage, limit, types, stage)
            if hits:
                return hits
        return []

    def _houses(self, road: str, number: int, types: Collection[Type] | None) -> list[Hit]:
        """Return the houses of a road whose numbers come nearest to one that is not there."""
        if types is not None and "address" not in types:
            return []
        found: list[tuple[int, Hit]] = []
        for hit in self._stage(road, "written", _HOUSES_LOOKED_AT, {"address"}, "house"):
            numbered = _NUMBER.search(hit.name)
            if numbered is not None and hit.name.startswith(road):
                found.append((abs(int(numbered[1]) - number), hit))
        return [hit for _, hit in heapq.nsmallest(_HOUSES_SHOWN, found, key=lambda pair: pair[0])]

    def _stage(
        self,
        text: str,
        stage: Stage,
        limit: int,
        types: Collection[Type] | None,
        fit: Fit,
    ) -> list[Hit]:
        asked, near = typed(text), self._metres(self._view)
        rows = heapq.merge(*(shelf.fitting(asked, stage, near, types) for shelf in self._shelves))
        hits: list[Hit] = []
        for ranked in rows:
            if self._allowed(*ranked.thing.key):
                hits.append(self._hit(ranked.thing, _middle(self._view), fit))
            if len(hits) == limit:
                break
        return hits

    def _nearby(
        self,
        wish: Nearby,
        limit: int,
        types: Collection[Type] | None,
    ) -> list[Hit]:
        """Find what lies about a place that is named itself; nothing where the place is not known."""
        middle, itself = _middle(self._view), None
        if wish.where:
            place = read_point(wish.where, self._district.bounds)
            if place is not None:
                middle = place.lon, place.lat
            else:
                known = [h for h in self._named(wish.where, 8, None) if h.lon is not None]
                best = known[0] if known else None
                middle = None if best is None or best.lat is None else (best.lon or 0.0, best.lat)
                itself = None if best is None else (best.type, best.id)
        if middle is None:
            return []
        wanted: Collection[Type] = _LOCATED if wish.type is None else {wish.type}
        if types is not None:
            wanted = set(wanted) & set(types)
        near = self._metres((*middle, *middle))
        assert near is not None  # a box makes a box
        name = typed(wish.name) if wish.name else None
        rows = heapq.merge(
            *(shelf.around(near, WITHIN_M, name, wanted) for shelf in self._shelves),
            key=lambda row: (row[0], row[1].type, row[1].id),
        )
        hits: list[Hit] = []
        for _, thing in rows:
            if thing.key != itself and self._allowed(*thing.key):
                hits.append(self._hit(thing, middle, "near"))
            if len(hits) == limit:
                break
        return sorted(hits, key=lambda hit: (hit.distance_m or 0.0, hit.type, hit.id))

    def _point(self, point: TypedPoint) -> Hit:
        said = [] if point.datum == WGS84 else [f"{point.datum} → WGS-84"]
        said += self._village(point.lon, point.lat)
        said += [road] if (road := self._district.road_at(point.lon, point.lat)) else []
        name = f"{point.lon:.6f}, {point.lat:.6f}"
        away = _distance(_middle(self._view), point.lon, point.lat)
        key = f"{point.lon:.6f},{point.lat:.6f}"
        return Hit("point", key, name, " · ".join(said), point.lon, point.lat, away, "point")

    def _village(self, lon: float, lat: float) -> list[str]:
        """Name the village at a point, where the asker may know of it."""
        areas = self._district.areas.locate(lon, lat).areas
        code = areas.get(3) or areas.get(2)
        return [self._district.areas.area(code).name] if code and self._allowed("area", code) else []

    def _hit(self, thing: Thing, middle: tuple[float, float] | None, fit: Fit) -> Hit:
        away = _distance(middle, thing.lon, thing.lat)
        detail = self._detail(thing)
        return Hit(thing.type, thing.id, thing.name, detail, thing.lon, thing.lat, away, fit)

    def _detail(self, thing: Thing) -> str:
        parts: list[str] = []
        if thing.type == "area":
            areas = self._district.areas
            parts = [areas.area(thing.id).label, *(a.name for a in areas.ancestors(thing.id)[:1])]
        elif thing.type == "beat":
            parts = [self._district.areas.beat(thing.id).station]
        elif thing.type == "place":
            place = self._district.places[int(thing.id)]
            parts = [place.address or place.kind]
        # The board goes on while we look: who left it a moment ago has nothing to add.
        elif thing.type == "responder":
            person = self._board.responders.get(thing.id)
            parts = [] if person is None else [person.kind, person.station or ""]
        elif thing.type == "camera":
            camera = self._board.cameras.get(thing.id)
            parts = [] if camera is None else [camera.network]
        elif thing.type == "incident":
            incident = self._board.incidents.get(thing.id)
            parts = [] if incident is None else [incident.code, incident.state]
        elif thing.lon is not None and thing.lat is not None:
            parts = self._village(thing.lon, thing.lat)
        return " · ".join(part for part in parts if part)

    def _metres(self, view: Box | None) -> Box | None:
        if view is None:
            return None
        west, south, east, north = view
        (x0, y0), (x1, y1) = self._frame.point_xy(west, south), self._frame.point_xy(east, north)
        return x0, y0, x1, y1


def _middle(view: Box | None) -> tuple[float, float] | None:
    return None if view is None else ((view[0] + view[2]) / 2, (view[1] + view[3]) / 2)


def _distance(middle: tuple[float, float] | None, lon: float | None, lat: float | None) -> float | None:
    if middle is None or lon is None or lat is None:
        return None
    return round(float(distance_m(*middle, lon, lat)), 1)
