"""A board with people on it, and `take`: have something decided, apply its events, and check the picture.

Every decision of the tests goes through `World.take`, so each of them also proves what must hold for all: the
events alone bring a stale board to the fresh one, versions grow by one, no unit is ever held by nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from command import assignments, cameras, incidents, messages, responders
from command.assignments import ACTIVE, Assignment, Offer
from command.board import Board, Draft, Picture
from command.cameras import Camera
from command.clock import ManualClock, rfc3339
from command.events import EVENT_TYPES, KINDS, SYSTEM, Actor, Context, Event, Fact
from command.incidents import Incident, Place, Report, incident_of
from command.policy import load_policy
from command.resources import config_dir
from command.responders import Responder

START = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
POLICY = load_policy(config_dir())
OPERATOR = Actor("u-op", "接线席 冯晓雨", "operator")
DISPATCHER = Actor("u-di", "调度席 沈知行", "dispatcher")
COLLEAGUE = Actor("u-d2", "调度席 罗启明", "dispatcher")
SUPERVISOR = Actor("u-su", "值班长 方以宁", "supervisor")
UNITS = ("r1", "r2", "r3")
ANSWER_S = 30.0
ENDINGS = frozenset({"close", "check_pass", "check_fail", "cancel", "merge", "reject"})

Decide = Callable[[Picture, Context], Sequence[Fact]]


def unit_actor(responder_id: str) -> Actor:
    """Return the account of a unit."""
    return Actor(f"u-{responder_id}", f"队员 {responder_id}", "police", responder_id)


def person(key: str, **more: Any) -> Responder:
    """Return a unit on duty."""
    fields: dict[str, Any] = {"kind": "police", "on_duty": True, "shift_since": rfc3339(START), **more}
    return Responder(id=key, unit=int(key[1:]), name=f"队员 {key}", **fields)


class World:
    """A board, its clock, and three units on duty."""

    def __init__(self, *, units: Sequence[str] = UNITS) -> None:
        self.board = Board("epoch-1")
        self.clock = ManualClock(START)
        self.events: list[Event] = []
        self._number = 0
        people = [person(key) for key in units]
        self.take(lambda picture, context: responders.decide_register(picture, people, context), SYSTEM)

    def take(self, decide: Decide, actor: Actor = DISPATCHER) -> list[Event]:
        """Have something decided and applied, and check what must always hold."""
        now = self.clock.now()
        stale = Board.load(self.board.dump())
        before = self.board.wire()
        draft = Draft(self.board)
        facts = decide(draft, Context(actor, now, rfc3339(now)))
        assert self.board.wire() == before, "a decision changes nothing by itself"
        draft.lay(facts)
        events = []
        for fact in facts:
            events.append(Event(self.board.seq + 1, rfc3339(now), fact.type, fact.data(actor)))
            self.board.apply(events[-1])
        self.events += events
        check_action(stale, events, self.board)
        for kind in KINDS:
            drafted = dict(getattr(draft, kind))
            assert len(getattr(draft, kind)) == len(drafted)
            assert drafted == dict(self.board.kind(kind)), "the draft is the board to be"
        check_picture(self.board)
        return events

    # Short ways to the commands

    def report(self, key: str | None = None, actor: Actor = OPERATOR, **more: Any) -> Incident:
        """Report an incident."""
        self._number += 1
        key = key or f"i{self._number}"
        fields: dict[str, Any] = {
            "title": "道路塌陷",
            "category": "traffic",
            "level": "III",
            "source": "hotline",
            "lon": 116.8,
            "lat": 33.9,
            "place": Place(grid="340604001001001", village="340604001001", township="340604001", owner="r1"),
            **more,
        }
        code = f"QS-1122-{self._number:04d}"
        self.take(
            lambda picture, context: incidents.decide_report(
                picture, key, code, Report(**fields), POLICY, context
            ),
            actor,
        )
        return self.board.incidents[key]

    def move(self, incident: str, command: str, actor: Actor = SUPERVISOR, **texts: Any) -> Incident:
        """Carry out a command of the lifecycle as the operations do."""

        def decide(picture: Picture, context: Context) -> Sequence[Fact]:
            if command in ENDINGS:
                return assignments.decide_ending(picture, incident, command, texts, context)
            found = incident_of(picture, incident)
            if command == "claim":
                return incidents.decide_claim(found, context)
            if command in ("accept", "classify"):
                return incidents.decide_classify(found, command, POLICY, context, **texts)
            return incidents.decide_move(found, command, context, texts)

        self.take(decide, actor)
        return self.board.incidents[incident]

    def dispatch(
        self, incident: str, *units: str, actor: Actor = DISPATCHER, **more: Any
    ) -> list[Assignment]:
        """Send units; returns their assignments."""
        offers = []
        for unit in units:
            self._number += 1
            offers.append(
                Offer(responder_id=unit, assignment_id=f"a{self._number}", eta_s=90.0, eta_method="road")
            )
        self.take(
            lambda picture, context: assignments.decide_dispatch(
                picture, incident, offers, POLICY, ANSWER_S, context, **more
            ),
            actor,
        )
        return [self.board.assignments[offer.assignment_id] for offer in offers]

    def step(self, assignment: str, command: str, actor: Actor | None = None, text: str | None = None) -> str:
        """Carry out a step as the unit itself (or another actor); returns the types of the events."""
        who = actor or unit_actor(self.board.assignments[assignment].responder_id)
        events = self.take(
            lambda picture, context: assignments.decide_step(
                picture, assignment, command, context, text=text
            ),
            who,
        )
        return " ".join(event.type for event in events)

    def shift(self, responder: str, *, on_duty: bool, **more: Any) -> list[Event]:
        """Start or end a shift."""
        return self.take(
            lambda picture, context: responders.decide_shift(
                picture, responder, context, on_duty=on_duty, **more
            ),
            unit_actor(responder),
        )

    def send(self, *to: str, key: str = "m1", body: str = "请注意安全", actor: Actor = DISPATCHER) -> None:
        """Send a message."""
        self.take(lambda picture, context: messages.decide_send(picture, key, to, body, context), actor)

    def add_camera(self, key: str = "c1", **more: Any) -> None:
        """Register a camera."""
        camera = Camera(id=key, name="渡口街北", lon=116.8, lat=33.9, **more)
        self.take(lambda picture, context: cameras.decide_register(picture, [camera], context), SYSTEM)


def check_action(stale: Board, events: Sequence[Event], fresh: Board) -> None:
    """Check that the events, as they go over the wire, are the whole difference between the two boards."""
    before = stale.wire()
    named: dict[tuple[str, str], list[Any]] = {}
    for event in events:
        assert event.type in EVENT_TYPES, event.type
        assert set(event.data["actor"]) == {"id", "name"}
        sent = msgspec.json.decode(msgspec.json.encode(event), type=Event)
        stale.apply(sent)
        for kind, rows in event.changes.items():
            assert kind in KINDS
            for key, row in rows.items():
                assert row is None or row["id"] == key
                named.setdefault((kind, key), []).append(row)
    assert stale.dump() == fresh.dump(), "events alone bring a stale board to the fresh one"
    after = fresh.wire()
    for kind in KINDS:
        for key in before[kind].keys() | after[kind].keys():
            old, new = before[kind].get(key), after[kind].get(key)
            steps = named.get((kind, key), [])
            if not steps:
                assert old == new, f"{kind} {key} changed behind the events' back"
                continue
            version = 0 if old is None else old["version"]
            for row in steps:
                if row is not None:
                    version += 1
                    assert row["version"] == version, f"{kind} {key}: versions grow by one"


def check_picture(board: Board) -> None:
    """Check that units, jobs and incidents agree with each other."""
    for unit in board.responders.values():
        if unit.assignment_id is not None:
            held = board.assignments[unit.assignment_id]
            assert held.state in ACTIVE, "a unit is held by nothing"
            assert held.responder_id == unit.id
            assert unit.on_duty, "a unit on a job is on duty"
    for job in board.assignments.values():
        if job.state in ACTIVE:
            assert board.responders[job.responder_id].assignment_id == job.id, "a job without its unit"
            incident = board.incidents[job.incident_id]
            assert job.id in incident.assignments
            assert incident.state in ("dispatched", "handling", "suspended"), incident.state
        else:
            assert job.ended_at is not None
    for incident in board.incidents.values():
        jobs = [board.assignments[key] for key in incident.assignments]
        assert all(job.incident_id == incident.id for job in jobs)
        assert sum(job.lead and job.state in ACTIVE for job in jobs) <= 1, "two units lead"
        if incident.state == "dispatched":
            assert any(job.state in ACTIVE for job in jobs), "dispatched, but nobody is sent"
        assert (incident.closed_at is not None) >= (incident.state in ("closed", "evaluated", "revisited"))
