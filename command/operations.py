"""What a desk can do: requests turned into commands, with places located, candidates timed and ids given.

The web edge, the watch (`command.watch`) and the tools all act through here, so a rule about *how* something
is done stands once. What may be done is decided in `incidents` and `assignments`; what concerns cameras, closures
and people stands in `command.camera_operations`, `closure_operations` and `people_operations`.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from command import assignments, cameras, incidents
from command.assignments import Assignment
from command.board import Board, Picture
from command.camera_operations import CameraOperations
from command.clock import rfc3339
from command.closure_operations import ClosureOperations
from command.codes import CodeBook
from command.desk import NO_KEY, Answer, Command, Desk, Key, Outcome, whole
from command.district import District
from command.errors import Malformed, NotFound
from command.events import SYSTEM, Actor, Change, Context, Fact
from command.ids import new_id
from command.incidents import Attachment, Incident, Place, Report, incident_of, mask_contact
from command.people_operations import PeopleOperations
from command.policy import Policy
from command.proposals import Proposals
from command.settings import Settings
from command.store.log import Apart, Contact
from command.store.secret_box import SecretBox

ENDINGS: Final = frozenset({"close", "check_pass", "check_fail", "cancel", "merge", "reject"})
"""Commands after which no unit is bound to the incident any more."""
OFFER_RING: Final = 5
"""How many candidates the automatic next offer looks at."""


class Operations:
    """Everything people and the watch can ask for.

    Args:
        desk: The single writer.
        settings: Limits and radii.
        policy: Categories, levels and time limits.
        proposals: Who is nearest.
        district: Returns the district as it is now (an import may replace it).
        box: Seals what must not be read in the database.

    Attributes:
        cameras: What can be done with cameras.
        closures: What can be done with road closures.
        people: What can be done with the roster, shifts and messages.
    """

    def __init__(
        self,
        desk: Desk,
        settings: Settings,
        policy: Policy,
        proposals: Proposals,
        district: Callable[[], District],
        box: SecretBox,
    ) -> None:
        self.desk = desk
        self.cameras = CameraOperations(desk, box)
        self.closures = ClosureOperations(desk, district)
        self.people = PeopleOperations(desk)
        self.policy = policy
        self._settings = settings
        self.proposals = proposals
        self._district = district
        self._zone = ZoneInfo(settings.district.timezone)
        self._codes = CodeBook(district().about.prefix, desk.board)

    @property
    def district(self) -> District:
        """The district in force now; not to be kept across a wait."""
        return self._district()

    @property
    def board(self) -> Board:
        """The picture as committed."""
        return self.desk.board

    async def _do(
        self,
        actor: Actor,
        decide: Callable[[Picture, Context], Sequence[Fact]],
        answer: Callable[[Picture], Answer],
        key: Key,
        apart: Callable[[Context], Sequence[Apart]] = lambda _context: (),
    ) -> Outcome:
        return await self.desk.submit(Command(actor, decide, answer, key.key, key.fingerprint, apart))

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
        key: Key = NO_KEY,
        also: Callable[[Picture, Context, str], Sequence[Fact]] = lambda _picture, _context, _id: (),
    ) -> Outcome:
        """Take in a report: located to grid, beat and owner, compared with its neighbours, time-limited.

        ``also`` decides what goes with it in the same commit, given the new incident's id.
        """
        place = self._district().place_at(lon, lat, self.proposals.owners())
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
            lead_department=self._department(category, lon, lat),
            description=description,
            contact_masked=None if contact is None else mask_contact(contact),
            occurred_at=occurred_at,
            exercise=exercise,
            suspect_radius_m=self._settings.dispatch.duplicate_radius_m,
            suspect_window_s=self._settings.dispatch.duplicate_window_s,
        )
        incident_id = new_id("i")

        def decide(picture: Picture, context: Context) -> Sequence[Fact]:
            beside = also(picture, context, incident_id)  # may refuse: then no number is used up
            code = self._codes.next(context.now.astimezone(self._zone))
            return [
                *incidents.decide_report(picture, incident_id, code, report, self.policy, context),
                *beside,
            ]

        def keep(context: Context) -> Sequence[Apart]:
            if contact is None:
                return ()
            purge = context.now + timedelta(days=self._settings.retention.contact_days)
            return (Contact(incident_id, contact, rfc3339(purge)),)

        return await self._do(actor, decide, whole("incidents", incident_id), key, keep)

    def _department(self, category: str, lon: float, lat: float) -> str | None:
        """Return what the responsibility list says, by the category's id or its name."""
        called = self.policy.categories.get(category, category)
        found = self._district().responsible(category, called, lon, lat)
        return None if found is None else found.department

    def _other_department(self, incident: Incident, category: str) -> str | None:
        """Return the department that comes with another category ("" for none), None where it stays.

        A department that somebody chose, which is any but the one the list gave, is never taken away.
        """
        before = self._department(incident.category, incident.lon, incident.lat)
        if category == incident.category or incident.lead_department not in (None, before):
            return None
        return self._department(category, incident.lon, incident.lat) or ""

    async def accept_alarm(
        self,
        actor: Actor,
        alarm_id: str,
        *,
        title: str,
        category: str,
        level: str,
        key: Key = NO_KEY,
    ) -> Outcome:
        """Make an incident of a camera's alarm, at its place; the answer is the incident.

        Raises:
            NotFound: No such alarm.
            IllegalTransition: Somebody has decided about it.
            Malformed: Nobody knows where it is, or the title, category or level makes no sense.
        """
        # Whether it is still open is decided on the writer's turn: a repeated request gets its answer again.
        alarm = self.board.alarms.get(alarm_id)
        if alarm is None:
            raise NotFound("alarm", alarm_id)
        if alarm.lon is None or alarm.lat is None:
            raise Malformed("lon", "nobody knows where this alarm is; report an incident and dismiss it")
        return await self.report(
            actor,
            title=title,
            category=category,
            level=level,
            source="alarm",
            lon=alarm.lon,
            lat=alarm.lat,
            description=alarm.text,
            occurred_at=alarm.at,
            key=key,
            also=lambda picture, context, incident_id: cameras.decide_accept(
                picture, alarm_id, incident_id, context
            ),
        )

    async def move(
        self,
        actor: Actor,
        incident_id: str,
        command: str,
        texts: Mapping[str, str],
        *,
        expected_version: int | None = None,
        key: Key = NO_KEY,
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
                if facts["category"] is not None and facts["lead_department"] is None:
                    facts["lead_department"] = self._other_department(incident, facts["category"])
                return incidents.decide_classify(incident, command, self.policy, context, **facts)
            return incidents.decide_move(incident, command, context, words)

        return await self._do(actor, decide, whole("incidents", incident_id), key)

    async def recall(self, incident: Incident, jobs: Sequence[Assignment]) -> None:
        """Bring a finished incident back to the board, so that it can be revisited, reopened or archived."""

        def decide(picture: Picture, _context: Context) -> Sequence[Fact]:
            if incident.id in picture.incidents:
                return []
            changes: list[Change] = [("incidents", incident.id, incident)]
            changes += [("assignments", job.id, job) for job in jobs]
            return [Fact("board.recalled", tuple(changes), {"incident_id": incident.id})]

        await self.desk.submit(Command(SYSTEM, decide))

    async def attach(
        self, actor: Actor, incident_id: str, attachment: Attachment, key: Key = NO_KEY
    ) -> Outcome:
        """Add a stored photo to an incident; the answer names it beside the incident."""

        def decide(picture: Picture, context: Context) -> Sequence[Fact]:
            return incidents.decide_attach(incident_of(picture, incident_id), attachment, context)

        def answer(picture: Picture) -> Answer:
            return {**whole("incidents", incident_id)(picture), "attachment": msgspec.to_builtins(attachment)}

        return await self._do(actor, decide, answer, key)

    async def dispatch(
        self,
        actor: Actor,
        incident_id: str,
        responder_ids: Sequence[str],
        *,
        override_reason: str | None = None,
        expected_version: int | None = None,
        key: Key = NO_KEY,
    ) -> Outcome:
        """Send units, all or none; the answer names each one's assignment."""
        incident = incident_of(self.board, incident_id)
        offers = await self.proposals.offers(incident, responder_ids)

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
            return {**whole("incidents", incident_id)(picture), "assignments": rows}

        return await self._do(actor, decide, answer, key)

    # Assignments

    async def step(
        self,
        actor: Actor,
        assignment_id: str,
        command: str,
        text: str | None = None,
        key: Key = NO_KEY,
        *,
        expected_version: int | None = None,
    ) -> Outcome:
        """Carry out one step of an assignment."""

        def decide(picture: Picture, context: Context) -> Sequence[Fact]:
            assignments.assignment_of(picture, assignment_id, expected_version)
            if command == "not_on_scene":
                return assignments.decide_arrival_refusal(picture, assignment_id, context)
            return assignments.decide_step(picture, assignment_id, command, context, text=text)

        return await self._do(actor, decide, whole("assignments", assignment_id), key)

    async def reassign(
        self,
        actor: Actor,
        assignment_id: str,
        responder_id: str,
        key: Key,
        *,
        reason: str | None = None,
        expected_version: int | None = None,
    ) -> Outcome:
        """Give a job to another unit, in one commit; a reason lets a desk step in for another."""
        old = assignments.assignment_of(self.board, assignment_id)
        offers = await self.proposals.offers(incident_of(self.board, old.incident_id), [responder_id])

        def decide(picture: Picture, context: Context) -> Sequence[Fact]:
            def dispatch(after: Picture) -> list[Fact]:
                answer_s = self._settings.dispatch.answer_s
                return assignments.decide_dispatch(
                    after,
                    old.incident_id,
                    offers,
                    self.policy,
                    answer_s,
                    context,
                    override_reason=(reason or "").strip() or None,
                )

            assignments.assignment_of(picture, assignment_id, expected_version)
            return assignments.decide_reassign(picture, assignment_id, dispatch, context)

        return await self._do(actor, decide, whole("assignments", offers[0].assignment_id), key)

    async def propose_arrival(self, assignment_id: str) -> Outcome:
        """Propose "on scene" for a unit seen within the arrival radius."""

        def decide(picture: Picture, context: Context) -> Sequence[Fact]:
            auto_s = self._settings.dispatch.arrival_auto_s
            return assignments.decide_arrival_proposal(picture, assignment_id, auto_s, context)

        return await self._do(SYSTEM, decide, whole("assignments", assignment_id), NO_KEY)

    # The next nearest

    async def offer_next(self, incident_id: str) -> Outcome | None:
        """Send the nearest free unit that has not been asked yet; None where nobody is left."""
        incident = incident_of(self.board, incident_id)
        asked = {
            a.responder_id
            for key in incident.assignments
            if (a := self.board.assignments.get(key)) is not None
        }
        kind = self._kind_asked(incident)
        kinds = frozenset((kind,)) if kind else self.policy.kinds_for(incident.category)
        ring = OFFER_RING + len(asked)
        found = await self.proposals.nearest(0, 0, incident=incident, limit=ring, routes=0, kinds=kinds)
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

        return await self._do(SYSTEM, decide, whole("incidents", incident_id), NO_KEY)


CLASSIFIED: Final = ("category", "level", "title", "address", "lead_department")
