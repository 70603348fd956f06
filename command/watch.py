"""The watch: what must happen without anybody asking.

Unanswered offers move to the next nearest, arrivals are proposed and then hold, arrival times follow every
report, roads are closed and opened by the clock, old entities leave the board, checkpoints are taken, contacts are
purged. Each round looks at the board, so nothing depends on a timer that a restart would lose.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog

from command.assignments import ACTIVE, UNANSWERED, Assignment
from command.board import Picture
from command.clock import Clock, parse_rfc3339, rfc3339
from command.desk import Command
from command.dispatch import Fix
from command.district import District
from command.errors import YipingError
from command.events import SYSTEM, Change, Context, Fact
from command.incidents import OPEN, distance_m
from command.operations import Operations
from command.settings import Settings
from command.store.log import EventLog
from command.telemetry.records import STALE_S

log = structlog.get_logger("watch")

ROUND_S: Final = 1.0
REOFFERED: Final = frozenset({"unanswered", "declined", "no_candidate"})
"""Why an incident without a unit is offered to the next by itself; a ruling waits for a person."""
NO_CANDIDATE_S: Final = 15.0
"""How often to look again for somebody where nobody was left; people come on duty."""
CHECKPOINT_EVENTS: Final = 5_000
TRIM_EVERY_S: Final = 300.0


@dataclass(frozen=True, slots=True)
class Eta:
    """When an assigned unit will be there; goes out on the telemetry lane, never into the log."""

    assignment_id: str
    eta_s: float | None
    distance_m: float | None
    eta_method: str
    as_of: str


class Watch:
    """Runs the rounds.

    Args:
        operations: What it acts through, as ``system``.
        event_log: Where checkpoints go.
        clock: Time.
        settings: Limits.
        fixes: Returns the newest fix of each on-duty unit.
        publish_etas: Takes the arrival times that changed.
        purge_contacts: Erases contacts that are due; returns how many.
    """

    def __init__(
        self,
        operations: Operations,
        event_log: EventLog,
        clock: Clock,
        settings: Settings,
        fixes: Callable[[], Mapping[int, Fix]],
        publish_etas: Callable[[Sequence[Eta]], None],
        purge_contacts: Callable[[str], Awaitable[int]],
    ) -> None:
        self._do = operations
        self._board = operations.board
        self._log = event_log
        self._clock = clock
        self._settings = settings
        self._fixes = fixes
        self._publish_etas = publish_etas
        self._purge_contacts = purge_contacts
        self._checkpoint_seq = operations.board.seq
        self._trimmed_at = float("-inf")
        self._looked_at: dict[str, float] = {}
        self._eta_sent: dict[str, tuple[float, float, District]] = {}

    async def run(self) -> None:
        """Run a round every second until cancelled. One failing part never stops the others."""
        while True:
            await self.round()
            await asyncio.sleep(ROUND_S)

    async def round(self) -> None:
        """Look once at everything that may be due."""
        for part in (self.answer_limits, self.closures, self.arrivals, self.etas, self.upkeep):
            try:
                await part()
            except YipingError as error:
                log.warning("watch could not act", part=part.__name__, reason=error.detail)
            except Exception:
                log.exception("watch failed", part=part.__name__)

    def _active(self) -> list[Assignment]:
        return [a for a in self._board.assignments.values() if a.state in ACTIVE]

    async def answer_limits(self) -> None:
        """Take unanswered offers back and offer the job to the next nearest."""
        now = self._clock.now()
        for assignment in self._active():
            if assignment.state in UNANSWERED and _past(assignment.answer_due_at, now):
                await self._do.step(SYSTEM, assignment.id, "time_out")
        await self._offer_again()

    async def _offer_again(self) -> None:
        """Send somebody to incidents that a refusal or a silence left without a unit."""
        for incident in list(self._board.incidents.values()):
            if incident.state != "accepted" or incident.attention not in REOFFERED:
                continue
            if incident.attention == "no_candidate" and not self._due(incident.id, NO_CANDIDATE_S):
                continue
            if await self._do.offer_next(incident.id) is None:
                await self._do.mark_attention(incident.id, "no_candidate")

    def _due(self, key: str, every_s: float) -> bool:
        """Say whether something that repeats is due again, and if so count from now."""
        now = self._clock.monotonic()
        if now - self._looked_at.get(key, float("-inf")) < every_s:
            return False
        self._looked_at[key] = now
        return True

    async def arrivals(self) -> None:
        """Propose "on scene" to units within the radius, and let unanswered proposals hold."""
        now = self._clock.now()
        fixes = self._fixes()
        radius_m = self._settings.dispatch.arrival_radius_m
        for assignment in self._active():
            if assignment.state not in ("signed", "en_route"):
                continue
            if assignment.arrival_due_at is not None:
                if _past(assignment.arrival_due_at, now):
                    await self._do.step(SYSTEM, assignment.id, "on_scene")
                continue
            incident = self._board.incidents.get(assignment.incident_id)
            unit = self._board.responders.get(assignment.responder_id)
            fix = fixes.get(unit.unit) if unit is not None else None
            if incident is None or fix is None or fix.suspect or assignment.arrival_proposed_at is not None:
                continue
            if fix.age_s <= STALE_S and (
                distance_m(fix.lon, fix.lat, incident.lon, incident.lat) <= radius_m
            ):
                await self._do.propose_arrival(assignment.id)

    async def closures(self) -> None:
        """Close and open the roads whose time has come."""
        await self._do.closures.turn(self._clock.now())

    async def etas(self) -> None:
        """Send the arrival times of units on their way whose position changed, or whose roads did."""
        fixes = self._fixes()
        changed = []
        await self._search_anew()
        district = self._do.district
        at = rfc3339(self._clock.now())
        live = set()
        for assignment in self._active():
            incident = self._board.incidents.get(assignment.incident_id)
            unit = self._board.responders.get(assignment.responder_id)
            if incident is None or unit is None or assignment.state == "on_scene":
                continue
            fix = fixes.get(unit.unit)
            if fix is None:
                continue
            live.add(assignment.id)
            if self._eta_sent.get(assignment.id) == (fix.lon, fix.lat, district):
                continue
            self._eta_sent[assignment.id] = (fix.lon, fix.lat, district)
            approach = self._do.proposals.approaches.of(incident).to(unit.profile)
            seconds, method = approach.seconds_at(fix.lon, fix.lat)
            metres = distance_m(fix.lon, fix.lat, incident.lon, incident.lat)
            eta_s = None if seconds != seconds else round(seconds, 1)
            changed.append(Eta(assignment.id, eta_s, round(metres, 1), method, at))
        self._eta_sent = {key: sent for key, sent in self._eta_sent.items() if key in live}
        if changed:
            self._publish_etas(changed)

    async def _search_anew(self) -> None:
        """Make the travel fields that the next look at arrival times needs, outside the event loop.

        Where a road was closed or another map came into force they all are to be made at once.
        """
        missing = []
        for assignment in self._active():
            incident = self._board.incidents.get(assignment.incident_id)
            unit = self._board.responders.get(assignment.responder_id)
            if incident is None or unit is None or assignment.state == "on_scene":
                continue
            approaches = self._do.proposals.approaches.of(incident)
            if not approaches.knows(unit.profile):
                missing.append((approaches, unit.profile))
        if missing:
            await asyncio.to_thread(lambda: [approaches.to(profile) for approaches, profile in missing])

    async def upkeep(self) -> None:
        """Trim the board, purge contacts and take checkpoints, each when it is due."""
        if self._board.seq - self._checkpoint_seq >= CHECKPOINT_EVENTS:
            await self.checkpoint()
        if self._clock.monotonic() - self._trimmed_at < TRIM_EVERY_S:
            return
        self._trimmed_at = self._clock.monotonic()
        self._looked_at = {key: at for key, at in self._looked_at.items() if key in self._board.incidents}
        await self._trim()
        await self._purge_contacts(rfc3339(self._clock.now()))

    async def checkpoint(self) -> None:
        """Store the board as it is, so that start-up replays only what follows."""
        seq, stored = self._board.seq, self._board.dump()
        await self._log.checkpoint(seq, rfc3339(self._clock.now()), stored)
        self._checkpoint_seq = seq

    async def _trim(self) -> None:
        before = rfc3339(self._clock.now() - timedelta(hours=self._settings.retention.board_hours))

        def decide(picture: Picture, _context: Context) -> Sequence[Fact]:
            # Looked up on the writer's turn: a case that somebody reopens just now stays.
            over = _over(picture, before)
            return [Fact("board.trimmed", tuple(over))] if over else []

        if _over(self._board, before):
            await self._do.desk.submit(Command(SYSTEM, decide))


def _over(picture: Picture, before: str) -> list[Change]:
    """Return the removals of what has been over since a moment."""
    over: list[Change] = []
    for incident in picture.incidents.values():
        if incident.state in OPEN or (incident.updated_at or incident.reported_at) >= before:
            continue
        over.append(("incidents", incident.id, None))
        over += [("assignments", key, None) for key in incident.assignments if key in picture.assignments]
    over += [("messages", m.id, None) for m in picture.messages.values() if m.sent_at < before]
    over += [
        ("alarms", a.id, None)
        for a in picture.alarms.values()
        if (a.decided_at or a.last_at or a.at) < before
    ]
    over += [
        ("closures", c.id, None)
        for c in picture.closures.values()
        if c.ended_at is not None and c.ended_at < before
    ]
    return over


def _past(moment: str | None, now: datetime) -> bool:
    return moment is not None and parse_rfc3339(moment) <= now
