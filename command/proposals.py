"""Who is proposed: roster, positions and travel fields brought together for one place.

`command.dispatch` knows the rules of the order; this module fetches what they weigh.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from command.approaches import ApproachBook
from command.assignments import Offer
from command.board import Board
from command.dispatch import Candidate, Fix, Limits, Ranking, Travel, eligible, rank
from command.district import Approaches, District
from command.geography import staffing
from command.ids import new_id
from command.incidents import Incident, Place
from command.responders import Responder
from command.settings import Settings
from command.telemetry.records import OFFLINE_S, STALE_S
from gis.roads.routes import Route

LIMITS: Final = Limits(STALE_S, OFFLINE_S)
"""The same ages at which the maps show a fix as late and a unit as offline."""


class Fixes(Protocol):
    """Where units were last seen; the telemetry lane gives it."""

    def fixes(self) -> Mapping[int, Fix]:
        """Return the newest fix of each on-duty unit, by unit."""
        ...


@dataclass(frozen=True, slots=True)
class Ranked:
    """A ranking with the routes of its first few, aligned with the candidates (None: not drawn)."""

    ranking: Ranking
    routes: tuple[Route | None, ...]


class Proposals:
    """Ranks who could go where.

    Args:
        board: The roster.
        fixes: Positions.
        district: Returns the district as it is now (an import may replace it).
        settings: Limits, and how many to propose.
    """

    def __init__(
        self, board: Board, fixes: Fixes, district: Callable[[], District], settings: Settings
    ) -> None:
        self._board = board
        self._fixes = fixes
        self._district = district
        self._settings = settings
        self.approaches = ApproachBook(district)

    def owners(self) -> dict[str, str]:
        """Return grid → the responder who looks after it; a worker before a chief, then the smaller id."""
        return staffing.owners(self._board.responders.values())

    def staffed(self) -> frozenset[str]:
        """Return the grids that have a worker of their own; a chief who stands in does not count."""
        return staffing.staffed(self._board.responders.values())

    async def nearest(
        self,
        lon: float,
        lat: float,
        *,
        incident: Incident | None = None,
        kinds: frozenset[str] = frozenset(),
        skills: frozenset[str] = frozenset(),
        limit: int | None = None,
        include_busy: bool = False,
        routes: int | None = None,
        among: Callable[[Responder], bool] = lambda _person: True,
    ) -> Ranked:
        """Rank who could go to a point or an incident.

        Args:
            lon: Degrees, WGS-84; ignored for an incident, which has its own.
            lat: Degrees.
            incident: Whose kept travel field and place to use.
            kinds: Only these kinds; empty for all.
            skills: Only those with all of these.
            limit: Most candidates; None takes the setting.
            include_busy: Also those on a job, after the free ones.
            routes: For how many of the first to draw the way; None takes the setting.
            among: Who may be seen by the one who asks.
        """
        district = self._district()
        if incident is not None:
            lon, lat = incident.lon, incident.lat
            approaches = self.approaches.of(incident)
            place = Place(incident.grid, incident.village, incident.township, incident.beat)
        else:
            approaches = self.approaches.at(lon, lat)
            place = district.place_at(lon, lat, {})
        fixes = self._fixes.fixes()
        people = [person for person in self._board.responders.values() if among(person)]
        chosen, excluded = eligible(
            people, fixes, LIMITS, kinds=kinds, skills=skills, include_busy=include_busy
        )
        travels = await self._travel(approaches, chosen, fixes)
        adjacent = frozenset(district.areas.adjacent(place.grid)) if place.grid else frozenset[str]()
        dispatch = self._settings.dispatch
        ranking = rank(
            chosen,
            fixes,
            travels,
            place,
            LIMITS,
            adjacent=adjacent,
            skills=skills,
            limit=dispatch.candidates if limit is None else limit,
            excluded=excluded,
        )
        drawn = dispatch.routed_candidates if routes is None else routes
        ways = await asyncio.to_thread(_routes, approaches, ranking.candidates, drawn)
        return Ranked(ranking, ways)

    async def _travel(
        self, approaches: Approaches, people: Sequence[Responder], fixes: Mapping[int, Fix]
    ) -> list[Travel]:
        where = [fixes[person.unit] for person in people]
        return await asyncio.to_thread(
            approaches.travel,
            [person.profile for person in people],
            [fix.lon for fix in where],
            [fix.lat for fix in where],
        )

    async def offers(self, incident: Incident, responder_ids: Sequence[str]) -> list[Offer]:
        """Give each unit an assignment id and the travel time that was promised."""
        fixes = self._fixes.fixes()
        known = [
            unit
            for unit in map(self._board.responders.get, dict.fromkeys(responder_ids))
            if unit is not None and unit.unit in fixes
        ]
        travels = await self._travel(self.approaches.of(incident), known, fixes)
        etas = {unit.id: travel for unit, travel in zip(known, travels, strict=True)}
        return [
            Offer(
                responder_id=key,
                assignment_id=new_id("a"),
                eta_s=etas[key].eta_s if key in etas else None,
                eta_method=etas[key].method if key in etas else None,
            )
            for key in responder_ids
        ]


def _routes(approaches: Approaches, candidates: Sequence[Candidate], drawn: int) -> tuple[Route | None, ...]:
    return tuple(
        approaches.route(c.responder.profile, c.fix.lon, c.fix.lat)
        if position < drawn and c.travel.method == "road"
        else None
        for position, c in enumerate(candidates)
    )
