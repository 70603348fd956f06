"""What a desk can do: requests turned into commands, with places located, candidates timed and ids given.

The web edge, the watch (`command.watch`) and the tools all act through here, so a rule about *how* something is
done stands once. What may be done is decided in `incidents`, `assignments`, `responders` and `messages`.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Protocol
from uuid import uuid4
from zoneinfo import ZoneInfo

import msgspec

from command import assignments, cameras, incidents, messages, responders
from command.approaches import ApproachBook
from command.assignments import Assignment, Offer
from command.board import Board, Entity, Picture
from command.cameras import Camera
from command.clock import Clock, rfc3339
from command.desk import Answer, Command, Desk, Outcome
from command.dispatch import Candidate, Fix, Limits, Ranking, eligible, rank
from command.district import Approaches, District
from command.errors import Malformed
from command.events import SYSTEM, Actor, Context, Fact
from command.incidents import Attachment, Incident, Place, Report, incident_of, mask_contact
from command.messages import Message
from command.policy import Policy
from command.responders import Responder
from command.settings import Settings
from command.store.log import Contact
from gis.roads.routes import Route

ENDINGS: Final = frozenset({"close", "check_pass", "cancel", "merge", "reject"})
"""Commands after which no unit may stay bound to the incident."""
OFFER_RING: Final = 5
"""How many candidates the automatic next offer looks at."""


class Fixes(Protocol):
    """Where units were last seen; the telemetry lane gives it."""

    def fixes(self) -> Mapping[int, Fix]:
        """Return the newest fix of each on-duty unit, by unit."""
        ...


@dataclass(frozen=True, slots=True)
class Key:
    """An idempotency key and what it was used for."""

    key: str | None = None
    fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class Ranked:
    """A ranking with the routes of its first few, aligned with the candidates (None: not drawn)."""

    ranking: Ranking
    routes: tuple[Route | None, ...]


class Operations:
    """Everything people and the watch can ask for.

    Args:
        desk: The single writer.
        clock: Time.
        settings: Limits and radii.
        policy: Categories, levels and time limits.
        fixes: Positions.
        district: Returns the district as it is now (an import may replace it).
    """

    def __init__(
        self,
        desk: Desk,
        clock: Clock,
        settings: Settings,
        policy: Policy,
        fixes: Fixes,
        district: Callable[[], District],
    ) -> None:
        self.desk = desk
        self.policy = policy
        self._clock = clock
        self._settings = settings
        self._fixes = fixes
        self._district = district
        self._zone = ZoneInfo(settings.district.timezone)
        self.approaches = ApproachBook(district)
        self._codes = CodeBook(district().about.prefix, desk.board)

    @property
    def board(self) -> Board:
        """The picture as committed."""
        return self.desk.board

    @property
    def limits(self) -> Limits:
        """When a fix is stale and when offline."""
        return Limits(self._settings.telemetry.stale_s, self._settings.telemetry.offline_s)

    def owners(self) -> dict[str, str]:
        """Return grid → the responder who looks after it; a worker before a chief, then the smaller id."""
        owners: dict[str, tuple[bool, str]] = {}
        for person in self.board.responders.values():
            if person.kind in ("grid_worker", "grid_chief"):
                rank_ = (person.kind != "grid_worker", person.id)
                for grid in person.grids:
                    owners[grid] = min(owners.get(grid, rank_), rank_)
        return {grid: rank_[1] for grid, rank_ in owners.items()}

    async def _do(
        self,
        actor: Actor,
        decide: Callable[[Picture, Context], Sequence[Fact]],
        answer: Callable[[Picture], Answer],
        key: Key,
        contact: Callable[[Context], Contact | None] = lambda _context: None,
    ) -> Outcome:
        return await self.desk.submit(Command(actor, decide, answer, key.key, key.fingerprint, contact))

    # Incidents

    async def report(
        self,
        actor: Actor,
        *,
        title: str,
        category: str,
        level: str,
        source: str,
        lon: float,
        lat: float,
        description: str = "",
        address: str | None = None,
        contact: str | None = None,
        occurred_at: str | None = None,
        exercise: bool = False,
        key: Key = Key(),
    ) -> Outcome:
        """Take in a report: located to grid, beat and owner, compared with its neighbours, time-limited."""
        place = self._district().place_at(lon, lat, self.owners())
        if address:
            place = Place(place.grid, place.village, place.township, place.beat, place.owner, address.strip())
        contact = (contact or "").strip() or None
        if contact is not None and len(contact) > 64:
            raise Malformed("reporter_contact", "at most 64 characters")
        report = Report(
            title=title,
            category=category,
            level=level,
            source=source,
            lon=lon,
            lat=lat,
            place=place,
            description=description,
            contact_masked=None if contact is None else mask_contact(contact),
            occurred_at=occurred_at,
            exercise=exercise,
            suspect_radius_m=self._settings.dispatch.duplicate_radius_m,
            suspect_window_s=self._settings.dispatch.duplicate_window_s,
        )
        incident_id = new_id("i")

        def decide(picture: Picture, context: Context) -> Sequence[Fact]:
            code = self._codes.next(context.now.astimezone(self._zone))
            return incidents.decide_report(picture, incident_id, code, report, self.policy, context)

        def keep(context: Context) -> Contact | None:
            if contact is None:
                return None
            purge = context.now + timedelta(days=self._settings.retention.contact_days)
            return Contact(incident_id, contact, rfc3339(purge))

        return await self._do(actor, decide, _entity("incidents", incident_id), key, keep)

    async def move(
        self,
        actor: Actor,
        incident_id: str,
        command: str,
        texts: Mapping[str, str],
        *,
        expected_version: int | None = None,
        key: Key = Key(),
    ) -> Outcome:
        """Carry out a command of the lifecycle, except ``dispatch``."""
        words = dict(texts)

        def decide(picture: Picture, context: Context) -> Sequence[Fact]:
            if command in ENDINGS:
                return assignments.decide_ending(
                    picture, incident_id, command, words, context, expected_version=expected_version
                )
            incident = incident_of(picture, incident_id, expected_version)
            if command == "claim":
                return incidents.decide_claim(incident, context)
            if command in ("accept", "classify"):
                facts = {name: words.get(name) for name in CLASSIFIED}
                return incidents.decide_classify(incident, command, self.policy, context, **facts)
            return incidents.decide_move(incident, command, context, words)

        return await self._do(actor, decide, _entity("incidents", incident_id), key)

    async def attach(
        self, actor: Actor, incident_id: str, attachment: Attachment, key: Key = Key()
    ) -> Outcome:
        """Add a stored photo to an incident."""

        def decide(picture: Picture, context: Context) -> Sequence[Fact]:
            return incidents.decide_attach(incident_of(picture, incident_id), attachment, context)

        return await self._do(actor, decide, _entity("incidents", incident_id), key)

    async def dispatch(
        self,
        actor: Actor,
        incident_id: str,
        responder_ids: Sequence[str],
        *,
        override_reason: str | None = None,
        expected_version: int | None = None,
        key: Key = Key(),
    ) -> Outcome:
        """Send units, all or none; the answer names each one's assignment."""
        incident = incident_of(self.board, incident_id)
        offers = await self._offers(incident, responder_ids)

        def decide(picture: Picture, context: Context) -> Sequence[Fact]:
            return assignments.decide_dispatch(
                picture,
                incident_id,
                offers,
                self.policy,
                self._settings.dispatch.answer_s,
                context,
                expected_version=expected_version,
                override_reason=(override_reason or "").strip() or None,
            )

        def answer(picture: Picture) -> Answer:
            sent = [picture.assignments[offer.assignment_id] for offer in offers]
            rows = [{"assignment_id": a.id, "responder_id": a.responder_id, "state": a.state} for a in sent]
            return {**_wire(picture.incidents[incident_id]), "assignments": rows}

        return await self._do(actor, decide, answer, key)

    async def _offers(self, incident: Incident, responder_ids: Sequence[str]) -> list[Offer]:
        """Give each unit an assignment id and the travel time that was promised."""
        fixes = self._fixes.fixes()
        known = [
            unit
            for unit in map(self.board.responders.get, dict.fromkeys(responder_ids))
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

    # Assignments

    async def step(
        self, actor: Actor, assignment_id: str, command: str, text: str | None = None, key: Key = Key()
    ) -> Outcome:
        """Carry out one step of an assignment."""

        def decide(picture: Picture, context: Context) -> Sequence[Fact]:
            if command == "not_on_scene":
                return assignments.decide_arrival_refusal(picture, assignment_id, context)
            return assignments.decide_step(picture, assignment_id, command, context, text=text)

        return await self._do(actor, decide, _entity("assignments", assignment_id), key)

    async def reassign(self, actor: Actor, assignment_id: str, responder_id: str, key: Key) -> Outcome:
        """Give a job to another unit, in one commit."""
        old = assignments.assignment_of(self.board, assignment_id)
        offers = await self._offers(incident_of(self.board, old.incident_id), [responder_id])

        def decide(picture: Picture, context: Context) -> Sequence[Fact]:
            def dispatch(after: Picture) -> list[Fact]:
                answer_s = self._settings.dispatch.answer_s
                return assignments.decide_dispatch(
                    after, old.incident_id, offers, self.policy, answer_s, context
                )

            return assignments.decide_reassign(picture, assignment_id, dispatch, context)

        return await self._do(actor, decide, _entity("assignments", offers[0].assignment_id), key)

    async def propose_arrival(self, assignment_id: str) -> Outcome:
        """Propose "on scene" for a unit seen within the arrival radius."""

        def decide(picture: Picture, context: Context) -> Sequence[Fact]:
            auto_s = self._settings.dispatch.arrival_auto_s
            return assignments.decide_arrival_proposal(picture, assignment_id, auto_s, context)

        return await self._do(SYSTEM, decide, _entity("assignments", assignment_id), Key())

    # Nearest

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
        people = [person for person in self.board.responders.values() if among(person)]
        chosen, excluded = eligible(
            people, fixes, self.limits, kinds=kinds, skills=skills, include_busy=include_busy
        )
        travels = await self._travel(approaches, chosen, fixes)
        adjacent = frozenset(district.areas.adjacent(place.grid)) if place.grid else frozenset[str]()
        dispatch = self._settings.dispatch
        ranking = rank(
            chosen,
            fixes,
            travels,
            place,
            self.limits,
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
    ) -> list[Any]:
        where = [fixes[person.unit] for person in people]
        return await asyncio.to_thread(
            approaches.travel,
            [person.profile for person in people],
            [fix.lon for fix in where],
            [fix.lat for fix in where],
        )

    async def offer_next(self, incident_id: str) -> Outcome | None:
        """Send the nearest free unit that has not been asked yet; None where nobody is left."""
        incident = incident_of(self.board, incident_id)
        asked = {
            a.responder_id
            for key in incident.assignments
            if (a := self.board.assignments.get(key)) is not None
        }
        kinds = frozenset({self._kind_asked(incident)} - {None})
        ring = OFFER_RING + len(asked)
        found = await self.nearest(
            0, 0, incident=incident, limit=ring, routes=0, kinds=frozenset(k for k in kinds if k)
        )
        for candidate in found.ranking.candidates:
            if candidate.responder.id not in asked:
                return await self.dispatch(SYSTEM, incident_id, [candidate.responder.id])
        return None

    def _kind_asked(self, incident: Incident) -> str | None:
        """Return the kind of the unit asked last: whoever wanted a police officer still wants one."""
        for key in reversed(incident.assignments):
            assignment = self.board.assignments.get(key)
            person = self.board.responders.get(assignment.responder_id) if assignment else None
            if person is not None:
                return person.kind
        return None

    async def mark_attention(self, incident_id: str, attention: str) -> Outcome:
        """Turn an incident's card amber, with the reason."""

        def decide(picture: Picture, context: Context) -> Sequence[Fact]:
            incident = incident_of(picture, incident_id)
            if incident.attention == attention or incident.state not in incidents.OPEN:
                return []
            new = incidents.changed(incident, context, attention=attention)
            return [Fact("incident.updated", (("incidents", incident_id, new),), {"attention": attention})]

        return await self._do(SYSTEM, decide, _entity("incidents", incident_id), Key())

    # People, cameras, messages

    async def shift(
        self, actor: Actor, responder_id: str, *, on_duty: bool, until: str | None = None, key: Key = Key()
    ) -> Outcome:
        """Start or end a responder's shift."""

        def decide(picture: Picture, context: Context) -> Sequence[Fact]:
            return responders.decide_shift(picture, responder_id, context, on_duty=on_duty, until=until)

        return await self._do(actor, decide, _entity("responders", responder_id), key)

    async def register_responders(self, actor: Actor, people: Sequence[Responder]) -> Outcome:
        """Enter people into the roster; known ids keep shift and job."""

        def decide(picture: Picture, context: Context) -> Sequence[Fact]:
            return responders.decide_register(picture, list(people), context)

        return await self._do(actor, decide, lambda _picture: {"registered": len(people)}, Key())

    async def register_cameras(self, actor: Actor, found: Sequence[Camera], key: Key = Key()) -> Outcome:
        """Enter cameras; known ids keep their status. One camera answers with itself."""

        def decide(picture: Picture, context: Context) -> Sequence[Fact]:
            return cameras.decide_register(picture, list(found), context)

        def answer(picture: Picture) -> Answer:
            if len(found) == 1:
                return _wire(picture.cameras[found[0].id])
            return {"registered": len(found)}

        return await self._do(actor, decide, answer, key)

    async def send_message(
        self, actor: Actor, to: Sequence[str], body: str, incident_id: str | None, key: Key = Key()
    ) -> Outcome:
        """Send a message to responders, or from a responder to the centre (``to`` empty)."""
        message_id = new_id("m")

        def decide(picture: Picture, context: Context) -> Sequence[Fact]:
            return messages.decide_send(
                picture, message_id, tuple(to), body, context, incident_id=incident_id
            )

        return await self._do(actor, decide, _entity("messages", message_id), key)

    async def receipt(self, actor: Actor, message_id: str, *, read: bool, key: Key = Key()) -> Outcome:
        """Record that a message reached the phone or was opened."""

        def decide(picture: Picture, context: Context) -> Sequence[Fact]:
            return messages.decide_receipt(picture, message_id, context, read=read)

        return await self._do(actor, decide, _entity("messages", message_id), key)


CLASSIFIED: Final = ("category", "level", "title", "address", "lead_department")


def new_id(letter: str) -> str:
    """Return a new id; the letter tells the kind apart in logs."""
    return f"{letter}_{uuid4().hex[:20]}"


def _wire(entity: Entity) -> Answer:
    answer: Answer = msgspec.to_builtins(entity)
    return answer


def _entity(kind: str, key: str) -> Callable[[Picture], Answer]:
    def answer(picture: Picture) -> Answer:
        found: Incident | Assignment | Responder | Message = getattr(picture, kind)[key]
        return _wire(found)

    return answer


def _routes(approaches: Approaches, candidates: Sequence[Candidate], drawn: int) -> tuple[Route | None, ...]:
    return tuple(
        approaches.route(c.responder.profile, c.fix.lon, c.fix.lat)
        if position < drawn and c.travel.method == "road"
        else None
        for position, c in enumerate(candidates)
    )


class CodeBook:
    """Incident numbers: prefix, month and day in the district's time zone, and a count within the day.

    Args:
        prefix: Letters before the number.
        board: To go on after the highest number of the day that it shows.
    """

    def __init__(self, prefix: str, board: Board) -> None:
        self._prefix = prefix
        self._board = board
        self._day = ""
        self._last = 0

    def next(self, now: datetime) -> str:
        """Return the next number for a moment in local time. A refused commit leaves a gap, never a double."""
        day = f"{now:%m%d}"
        if day != self._day:
            start = f"{self._prefix}-{day}-"
            year = f"{now:%Y}"
            taken = [
                int(incident.code.rsplit("-", 1)[1])
                for incident in self._board.incidents.values()
                if incident.code.startswith(start) and incident.reported_at.startswith(year)
            ]
            self._day, self._last = day, max(taken, default=0)
        self._last += 1
        return f"{self._prefix}-{day}-{self._last:04d}"
