"""One box over areas, places, people, cameras and incidents: by characters, pinyin or initials.

Areas and places are indexed once; people and cameras when the roster changed; incidents are few and are looked
through as they are. What a user may not see is left out by the caller's rule.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from command.board import Board
from command.district import District
from command.events import Event
from gis.names import NameIndex

Type = Literal["area", "responder", "incident", "camera", "place"]
ORDER: Final[dict[str, int]] = {"incident": 0, "area": 1, "responder": 2, "camera": 3, "place": 4}
ROSTER_EVENTS: Final = frozenset(
    {"responder.registered", "responder.updated", "camera.registered", "camera.updated", "camera.removed"}
)


@dataclass(frozen=True, slots=True)
class Hit:
    """One thing found. ``score`` is smaller for a better match; lon and lat None where it has no place."""

    type: Type
    id: str
    name: str
    detail: str
    lon: float | None
    lat: float | None
    score: int


@dataclass(frozen=True, slots=True)
class _Named:
    type: Type
    id: str
    name: str


class Search:
    """The box.

    Args:
        board: People, cameras and incidents.
        district: Areas and places; replaced by an import at the next start.
    """

    def __init__(self, board: Board, district: District) -> None:
        self._board = board
        self._district = district
        self._fixed = [_Named("area", area.code, area.name) for area in district.areas.areas]
        self._fixed += [_Named("place", str(n), place.name) for n, place in enumerate(district.places)]
        self._fixed_index: NameIndex | None = None
        self._roster: list[_Named] = []
        self._roster_index = NameIndex(())
        self._stale = True

    def warm(self) -> None:
        """Index areas and places; seconds for a large county, so it is done beside the start, in a thread."""
        if self._fixed_index is None:
            self._fixed_index = NameIndex(entry.name for entry in self._fixed)

    def apply(self, event: Event) -> None:
        """Notice that the roster changed."""
        if event.type in ROSTER_EVENTS:
            self._stale = True

    def find(self, query: str, allowed: Callable[[str, str], bool], limit: int = 20) -> list[Hit]:
        """Return the best matches; equal ones by kind, then the shorter name.

        Args:
            query: Characters, pinyin, initials, or an incident's number.
            allowed: Asked with (type, id): may the asker know of it?
            limit: Most hits.
        """
        text = query.strip()
        if not text:
            return []
        self.warm()
        if self._stale:
            self._index_roster()
        ranked = sorted(
            self._matches(text, limit * 3),
            key=lambda found: (found[0], ORDER[found[1].type], len(found[1].name)),
        )
        hits = []
        for rank, entry in ranked:
            if allowed(entry.type, entry.id):
                hits.append(self._hit(entry, rank))
            if len(hits) == limit:
                break
        return hits

    def _index_roster(self) -> None:
        people = (_Named("responder", p.id, p.name) for p in self._board.responders.values())
        cameras = (_Named("camera", c.id, c.name) for c in self._board.cameras.values())
        self._roster = [*people, *cameras]
        self._roster_index = NameIndex(entry.name for entry in self._roster)
        self._stale = False

    def _matches(self, text: str, limit: int) -> Iterator[tuple[int, _Named]]:
        assert self._fixed_index is not None  # `find` has warmed it
        for match in self._fixed_index.search(text, limit=limit):
            yield int(match.score), self._fixed[match.number]
        for match in self._roster_index.search(text, limit=limit):
            yield int(match.score), self._roster[match.number]
        incidents = list(self._board.incidents.values())
        for match in NameIndex(i.title for i in incidents).search(text, limit=limit):
            yield int(match.score), _Named("incident", incidents[match.number].id, match.name)
        for incident in incidents:
            if text.upper() in (incident.code, incident.code.rsplit("-", 1)[-1]):
                yield 0, _Named("incident", incident.id, incident.title)

    def _hit(self, entry: _Named, rank: int) -> Hit:
        detail, lon, lat = "", None, None
        if entry.type == "area":
            area = self._district.areas.area(entry.id)
            lon, lat = self._district.areas.label_point(entry.id)
            above = [a.name for a in self._district.areas.ancestors(entry.id)][:1]
            detail = " · ".join([area.label, *above])
        elif entry.type == "place":
            place = self._district.places[int(entry.id)]
            lon, lat, detail = place.lon, place.lat, place.address or place.kind
        elif entry.type == "responder":
            person = self._board.responders[entry.id]
            detail = " · ".join(_known((person.kind, person.station)))
        elif entry.type == "camera":
            camera = self._board.cameras[entry.id]
            lon, lat, detail = camera.lon, camera.lat, camera.network
        else:
            incident = self._board.incidents[entry.id]
            lon, lat, detail = incident.lon, incident.lat, f"{incident.code} · {incident.state}"
        return Hit(entry.type, entry.id, entry.name, detail, lon, lat, rank)


def _known(parts: Iterable[str | None]) -> list[str]:
    return [part for part in parts if part]
