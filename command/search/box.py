"""The box itself: everything that can be found, kept up to date, and the answers.

Areas, roads and places stand on one shelf that is built once, beside the start. People, cameras and incidents
stand on a second one; what changes among them goes to a small third that is built anew when somebody asks. When
the third has grown large, the second is built anew in a thread.
"""

import asyncio
import heapq
import re
import threading
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import structlog

from command.board import Board
from command.cameras import Camera
from command.district import District
from command.events import Event
from command.incidents import Incident
from command.responders import Responder
from command.search.picks import Picks
from command.search.things import TYPES, Box, Key, Shelf, Thing, Type
from command.search.wishes import Nearby, read_nearby, split_type
from gis.coordinates import TypedPoint, read_point
from gis.crs import WGS84, LocalMetric, distance_m
from gis.names import STAGES, Stage
from gis.roads.named import named_roads
from gis.text import typed

log = structlog.get_logger("search")

Allowed = Callable[[Type, str], bool]
"""(type, id): may the asker know of it?"""
Fit = Literal["written", "heard", "slipped", "road", "near", "point"]
TYPE_OF: Final[dict[str, Type]] = {"responders": "responder", "cameras": "camera", "incidents": "incident"}
KIND_OF: Final[dict[str, str]] = {kind: plural for plural, kind in TYPE_OF.items()}
WITHIN_M: Final = 3_000.0
"""Farther away is not near."""
_MOST_CHANGED: Final = 256
_HOUSE: Final = re.compile(r"(?P<road>.*[^\d\s])\s*\d+(?:[-之]\d+)?\s*[号號]?.*")
_LOCATED: Final = frozenset(TYPES) - {"area", "responder", "point"}


@dataclass(frozen=True, slots=True)
class Hit:
    """One thing found.

    Attributes:
        lon: Degrees, or None where it has no place.
        lat: Degrees.
        distance_m: From the middle of what is seen, or from what it is near; None without.
        fit: "written" as typed; "heard" sounds alike; "slipped" one slip; "road" only the road of an address;
            "near" about a place; "point" coordinates.
    """

    type: Type
    id: str
    name: str
    detail: str
    lon: float | None
    lat: float | None
    distance_m: float | None
    fit: Fit


class Search:
    """The box.

    Args:
        board: People, cameras and incidents.
        district: Areas, roads and places; replaced by an import at the next start.
        picks: Where it is remembered what was picked; None: in memory.
    """

    def __init__(self, board: Board, district: District, picks: Path | None = None) -> None:
        self._board = board
        self._district = district
        self._frame = _frame(district)
        self.picks = Picks(picks)
        self._live: dict[Key, Thing] = {}
        for plural, kind in TYPE_OF.items():
            for entity in board.kind(plural).values():
                self._live[kind, entity.id] = _thing(entity)
        self._start = list(self._live.values())
        self._lock = threading.Lock()
        self._tidying = asyncio.Lock()
        self._fixed: Shelf | None = None
        self._base = Shelf((), self._frame)
        self._late = Shelf((), self._frame)
        self._changed: set[Key] = set()
        """On the late shelf, or gone, since the base was built."""
        self._unseen: set[Key] = set()
        """Of those, the ones the shelves do not know of yet."""

    @property
    def warmed(self) -> bool:
        """Whether everything is indexed."""
        return self._fixed is not None

    def warm(self) -> None:
        """Index everything, if that was not done; seconds for a large county, so it is done in a thread."""
        with self._lock:
            if self._fixed is not None:
                return
            base = Shelf(self._start, self._frame)
            self._start = []
            fixed = Shelf(_fixed_things(self._district), self._frame)
            self._base, self._fixed = base, fixed
        self._favour(self.picks.keys(), fixed, base)
        log.info(
            "names indexed", names=len(fixed) + len(base), index_mb=round(fixed.index.size_bytes / 1e6, 1)
        )

    @property
    def untidy(self) -> bool:
        """Whether so much has changed that `tidy` is worth its while."""
        return len(self._changed) + len(self._unseen) > _MOST_CHANGED

    async def tidy(self) -> None:
        """Index people, cameras and incidents anew in a thread; what changes meanwhile is not lost."""
        async with self._tidying:
            if not self.untidy:
                return  # somebody else just did it
            before = dict(self._live)
            base = await asyncio.to_thread(Shelf, list(before.values()), self._frame)
            touched = self._changed | self._unseen
            self._unseen = {key for key in touched if self._live.get(key) != before.get(key)}
            self._changed = set()
            self._base, self._late = base, Shelf((), self._frame)
            self._favour(self.picks.keys(), base)

    def apply(self, event: Event) -> None:
        """Follow people, cameras and incidents; a change that touches no name or place costs a comparison."""
        for plural, kind in TYPE_OF.items():
            for key in event.changes.get(plural, ()):
                entity = self._board.kind(plural).get(key)
                thing = None if entity is None else _thing(entity)
                if thing == self._live.get((kind, key)):
                    continue
                if thing is None:
                    del self._live[kind, key]
                else:
                    self._live[kind, key] = thing
                self._unseen.add((kind, key))

    def knows(self, kind: Type, key: str) -> bool:
        """Say whether there is such a thing to be found."""
        if (kind, key) in self._live:
            return True
        return self._fixed is not None and self._fixed.number_of((kind, key)) is not None

    def pick(self, kind: Type, key: str) -> None:
        """Remember that somebody chose this of what was found."""
        self.warm()
        changed = self.picks.keys() if self.picks.note((kind, key)) else [(kind, key)]
        self._favour(changed, *self._shelves())

    def find(
        self,
        query: str,
        allowed: Allowed,
        limit: int = 20,
        *,
        view: Box | None = None,
        types: Collection[Type] | None = None,
    ) -> list[Hit]:
        """Return the best matches.

        Args:
            query: Part of a name or an address in characters, pinyin, initials or a mixture; a number or its
                beginning; coordinates; "X附近的摄像头".
            allowed: Asked of each before it counts.
            limit: Most hits.
            view: What is seen, (west, south, east, north) in degrees: nearer things come first.
            types: Only these; None: all.

        Returns:
            The best first: by how the name fits, by type, by nearness and by use; equal ones by type and id.
        """
        text = query.strip()
        if not text or limit < 1:
            return []
        self._refresh()
        point = read_point(text, self._district.bounds)
        if point is not None:
            return [self._point(point, allowed, view)] if types is None or "point" in types else []
        wish = read_nearby(text)
        if wish is not None:
            hits = self._nearby(wish, allowed, limit, view, types)
            if hits:
                return hits
        rest, kind = split_type(text)
        if kind is not None and (types is None or kind in types):
            hits = self._named(rest, allowed, limit, view, {kind})
            if hits:
                return hits
        return self._named(text, allowed, limit, view, types)

    # -- answering ----------------------------------------------------------------------------------------

    def _named(
        self,
        text: str,
        allowed: Allowed,
        limit: int,
        view: Box | None,
        types: Collection[Type] | None,
    ) -> list[Hit]:
        """Look for a name: as written, by ear, by the road of an address, with one slip; the first that finds."""
        for stage in STAGES:
            if stage == "slipped":
                house = _HOUSE.fullmatch(text)
                if house is not None and (types is None or "road" in types):
                    roads = self._stage(house["road"], "written", allowed, limit, view, {"road"}, "road")
                    if roads:
                        return roads
            hits = self._stage(text, stage, allowed, limit, view, types, stage)
            if hits:
                return hits
        return []

    def _stage(
        self,
        text: str,
        stage: Stage,
        allowed: Allowed,
        limit: int,
        view: Box | None,
        types: Collection[Type] | None,
        fit: Fit,
    ) -> list[Hit]:
        asked, near = typed(text), self._metres(view)
        rows = heapq.merge(*(shelf.fitting(asked, stage, near, types) for shelf in self._shelves()))
        hits: list[Hit] = []
        for ranked in rows:
            if allowed(*ranked.thing.key):
                hits.append(self._hit(ranked.thing, _middle(view), fit, allowed))
            if len(hits) == limit:
                break
        return hits

    def _nearby(
        self,
        wish: Nearby,
        allowed: Allowed,
        limit: int,
        view: Box | None,
        types: Collection[Type] | None,
    ) -> list[Hit]:
        """Find what lies about a place that is named itself; nothing where the place is not known."""
        middle, itself = _middle(view), None
        if wish.where:
            place = read_point(wish.where, self._district.bounds)
            if place is not None:
                middle = place.lon, place.lat
            else:
                known = [h for h in self._named(wish.where, allowed, 8, view, None) if h.lon is not None]
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
            *(shelf.around(near, WITHIN_M, name, wanted) for shelf in self._shelves()),
            key=lambda row: (row[0], row[1].type, row[1].id),
        )
        hits: list[Hit] = []
        for _, thing in rows:
            if thing.key != itself and allowed(*thing.key):
                hits.append(self._hit(thing, middle, "near", allowed))
            if len(hits) == limit:
                break
        return sorted(hits, key=lambda hit: (hit.distance_m or 0.0, hit.type, hit.id))

    def _point(self, point: TypedPoint, allowed: Allowed, view: Box | None) -> Hit:
        said = [] if point.datum == WGS84 else [f"{point.datum} → WGS-84"]
        said += self._village(point.lon, point.lat, allowed)
        said += [road] if (road := self._district.road_at(point.lon, point.lat)) else []
        name = f"{point.lon:.6f}, {point.lat:.6f}"
        away = _distance(_middle(view), point.lon, point.lat)
        key = f"{point.lon:.6f},{point.lat:.6f}"
        return Hit("point", key, name, " · ".join(said), point.lon, point.lat, away, "point")

    def _village(self, lon: float, lat: float, allowed: Allowed) -> list[str]:
        """Name the village at a point, where the asker may know of it."""
        areas = self._district.areas.locate(lon, lat).areas
        code = areas.get(3) or areas.get(2)
        return [self._district.areas.area(code).name] if code and allowed("area", code) else []

    def _hit(self, thing: Thing, middle: tuple[float, float] | None, fit: Fit, allowed: Allowed) -> Hit:
        away = _distance(middle, thing.lon, thing.lat)
        detail = self._detail(thing, allowed)
        return Hit(thing.type, thing.id, thing.name, detail, thing.lon, thing.lat, away, fit)

    def _detail(self, thing: Thing, allowed: Allowed) -> str:
        parts: list[str] = []
        if thing.type == "area":
            areas = self._district.areas
            parts = [areas.area(thing.id).label, *(a.name for a in areas.ancestors(thing.id)[:1])]
        elif thing.type == "place":
            place = self._district.places[int(thing.id)]
            parts = [place.address or place.kind]
        elif thing.type == "responder":
            person = self._board.responders[thing.id]
            parts = [person.kind, person.station or ""]
        elif thing.type == "camera":
            parts = [self._board.cameras[thing.id].network]
        elif thing.type == "incident":
            incident = self._board.incidents[thing.id]
            parts = [incident.code, incident.state]
        elif thing.lon is not None and thing.lat is not None:
            parts = self._village(thing.lon, thing.lat, allowed)
        return " · ".join(part for part in parts if part)

    # -- keeping up ---------------------------------------------------------------------------------------

    def _shelves(self) -> Iterator[Shelf]:
        assert self._fixed is not None  # `find` has warmed it
        return (shelf for shelf in (self._fixed, self._base, self._late) if len(shelf))

    def _refresh(self) -> None:
        self.warm()
        if not self._unseen:
            return
        for key in self._unseen:
            self._base.drop(key)
        self._changed |= self._unseen
        self._unseen = set()
        self._late = Shelf([self._live[key] for key in self._changed if key in self._live], self._frame)
        self._favour(self.picks.keys(), self._late)

    def _favour(self, keys: Iterable[Key], *shelves: Shelf) -> None:
        for key in keys:
            for shelf in shelves:
                shelf.favour(key, self.picks.bonus(key))

    def _metres(self, view: Box | None) -> Box | None:
        if view is None:
            return None
        west, south, east, north = view
        (x0, y0), (x1, y1) = self._frame.point_xy(west, south), self._frame.point_xy(east, north)
        return x0, y0, x1, y1


def _thing(entity: object) -> Thing:
    if isinstance(entity, Camera):
        numbers = (entity.gb_id,) if entity.gb_id else ()
        return Thing("camera", entity.id, entity.name, (), numbers, entity.lon, entity.lat)
    if isinstance(entity, Incident):
        words = (entity.address,) if entity.address else ()
        return Thing("incident", entity.id, entity.title, words, (entity.code,), entity.lon, entity.lat)
    assert isinstance(entity, Responder)
    # Where somebody is stands in the telemetry lane, and not here.
    return Thing("responder", entity.id, entity.name)


def _fixed_things(district: District) -> list[Thing]:
    areas = district.areas
    things = [
        Thing("area", area.code, area.name, (), (area.code,), *areas.label_point(area.code))
        for area in areas.areas
    ]
    for road in named_roads(district.nearest.graphs.values()):
        key = f"{road.name}@{road.lon:.4f},{road.lat:.4f}"
        things.append(Thing("road", key, road.name, (), (), road.lon, road.lat))
    for number, place in enumerate(district.places):
        words = (place.address,) if place.address else ()
        things.append(Thing("place", str(number), place.name, words, (), place.lon, place.lat))
    return things


def _frame(district: District) -> LocalMetric:
    bounds = district.bounds
    if bounds is None:
        first = next(iter(district.places), None)
        return LocalMetric(0.0, 0.0) if first is None else LocalMetric(first.lon, first.lat)
    return LocalMetric((bounds[0] + bounds[2]) / 2, (bounds[1] + bounds[3]) / 2)


def _middle(view: Box | None) -> tuple[float, float] | None:
    return None if view is None else ((view[0] + view[2]) / 2, (view[1] + view[3]) / 2)


def _distance(middle: tuple[float, float] | None, lon: float | None, lat: float | None) -> float | None:
    if middle is None or lon is None or lat is None:
        return None
    return round(float(distance_m(*middle, lon, lat)), 1)
