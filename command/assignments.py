"""Assignments: one unit on one incident, from the offer to the release, and what they do to the incident.

A decision here touches up to three entities at once (assignment, incident, responder), in one event, so no
reader ever sees a unit that is busy with nothing or a job without its unit.
"""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from command import incidents, responders
from command.clock import rfc3339
from command.errors import AlreadyAssigned, Conflict, Forbidden, IllegalTransition, Malformed, NotFound
from command.events import Change, Context, Fact
from command.incidents import Incident, check_move, incident_of
from command.policy import Policy, due_at
from command.responders import Responder, responder_of

if TYPE_CHECKING:
    from command.board import Picture

State = Literal[
    "proposed",
    "dispatched",
    "delivered",
    "signed",
    "en_route",
    "on_scene",
    "finished",
    "released",
    "declined",
    "timed_out",
    "reassigned",
    "recalled",
]
ACTIVE: Final[frozenset[State]] = frozenset({"dispatched", "delivered", "signed", "en_route", "on_scene"})
"""States in which the unit is held."""
UNANSWERED: Final[frozenset[State]] = frozenset({"dispatched", "delivered"})
RETURNS_BEFORE_RULING: Final = 2
"""After so many refusals and silences a person must decide; nothing is offered by itself any more."""


class Assignment(msgspec.Struct, frozen=True, kw_only=True):
    """One unit on one incident. Field meanings: ``docs/events.md``."""

    id: str
    incident_id: str
    responder_id: str
    state: State
    by: str
    by_name: str
    dispatched_at: str
    kind: Literal["field"] = "field"
    lead: bool = False
    reason: str | None = None
    delivered_at: str | None = None
    signed_at: str | None = None
    en_route_at: str | None = None
    on_scene_at: str | None = None
    finished_at: str | None = None
    ended_at: str | None = None
    answer_due_at: str | None = None
    arrival_proposed_at: str | None = None
    arrival_due_at: str | None = None
    arrival_refused: bool = False
    feedback: str | None = None
    eta_at_dispatch_s: float | None = None
    eta_method: Literal["road", "straight_line"] | None = None
    updated_at: str | None = None
    version: int = 1


STEPS: Final[dict[str, tuple[frozenset[State], State, str]]] = {
    "deliver": (frozenset({"dispatched"}), "delivered", "assignment.delivered"),
    "sign": (UNANSWERED, "signed", "assignment.signed"),
    "decline": (UNANSWERED | {"signed", "en_route"}, "declined", "assignment.declined"),
    "time_out": (UNANSWERED, "timed_out", "assignment.timed_out"),
    "en_route": (frozenset({"signed"}), "en_route", "assignment.en_route"),
    "on_scene": (frozenset({"signed", "en_route"}), "on_scene", "assignment.on_scene"),
    "finish": (frozenset({"signed", "en_route", "on_scene"}), "finished", "assignment.finished"),
    "recall": (ACTIVE, "recalled", "assignment.recalled"),
    "reassign": (ACTIVE, "reassigned", "assignment.reassigned"),
}
"""Command → (from which states, to which, the event). ``domain.md`` §3.4."""
BY_THE_UNIT: Final = frozenset({"deliver", "sign", "decline", "en_route", "finish"})
"""Steps that are the unit's own word; nobody can say them for it. Arrival may also be seen by the desk."""


def assignment_of(picture: "Picture", assignment_id: str) -> Assignment:
    """Return the assignment or raise `NotFound`."""
    found = picture.assignments.get(assignment_id)
    if found is None:
        raise NotFound("assignment", assignment_id)
    return found


def active_of(picture: "Picture", incident: Incident) -> list[Assignment]:
    """Return the incident's assignments that still hold a unit, in the order of dispatch."""
    found = (picture.assignments.get(key) for key in incident.assignments)
    return [a for a in found if a is not None and a.state in ACTIVE]


def changed(assignment: Assignment, context: Context, **fields: object) -> Assignment:
    """Return the assignment with these fields, its next version and the decision's time."""
    return msgspec.structs.replace(
        assignment, version=assignment.version + 1, updated_at=context.at, **fields
    )


def _ended(picture: "Picture", assignment: Assignment, state: State, context: Context) -> list[Change]:
    """End an assignment and free its unit."""
    out: list[Change] = [
        ("assignments", assignment.id, changed(assignment, context, state=state, ended_at=context.at))
    ]
    unit = picture.responders.get(assignment.responder_id)
    if unit is not None and unit.assignment_id == assignment.id:
        out.append(("responders", unit.id, responders.changed(unit, context, assignment_id=None)))
    return out


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """One unit to send, with what was promised about it."""

    responder_id: str
    assignment_id: str
    eta_s: float | None = None
    eta_method: Literal["road", "straight_line"] | None = None


def decide_dispatch(
    picture: "Picture",
    incident_id: str,
    offers: Sequence[Offer],
    policy: Policy,
    answer_s: float,
    context: Context,
    *,
    expected_version: int | None = None,
    override_reason: str | None = None,
) -> list[Fact]:
    """Send units: all of them or none.

    From ``reported`` the incident is accepted in the same command. The first unit ever sent leads.

    Raises:
        NotFound: The incident or a unit does not exist.
        Malformed: No unit, or one twice.
        StaleVersion: The dispatcher decided on an older picture.
        IllegalTransition: The incident takes no units any more, or a unit is off duty.
        AlreadyAssigned: A unit is on a job; names the job and who gave it.
    """
    incident = incident_of(picture, incident_id)
    if not offers:
        raise Malformed("responder_ids", "name at least one responder")
    if len({offer.responder_id for offer in offers}) != len(offers):
        raise Malformed("responder_ids", "a responder is named twice")
    units = [responder_of(picture, offer.responder_id) for offer in offers]
    for unit in units:
        _check_free(picture, unit)
    if incident.claimed_by not in (None, context.actor.id, "system") and expected_version is None:
        if context.actor.role == "dispatcher" and not override_reason:
            raise AlreadyAssigned(
                {"user_id": incident.claimed_by, "by_name": incident.claimed_name},
                f"{incident.claimed_name} has claimed this incident; give a reason to step in.",
            )
    move = check_move(incident, "dispatch", {})
    incident_of(picture, incident_id, expected_version)

    first = not incident.assignments
    sent = []
    changes: list[Change] = []
    for position, (offer, unit) in enumerate(zip(offers, units, strict=True)):
        assignment = Assignment(
            id=offer.assignment_id,
            incident_id=incident.id,
            responder_id=unit.id,
            state="dispatched",
            lead=first and position == 0,
            by=context.actor.id,
            by_name=context.actor.name,
            reason=override_reason,
            dispatched_at=context.at,
            answer_due_at=rfc3339(context.now + timedelta(seconds=answer_s)),
            eta_at_dispatch_s=offer.eta_s,
            eta_method=offer.eta_method,
            updated_at=context.at,
        )
        sent.append(assignment.id)
        changes.append(("assignments", assignment.id, assignment))
        changes.append(
            ("responders", unit.id, responders.changed(unit, context, assignment_id=assignment.id))
        )
    limits = policy.limits_for(incident.level)
    fields: dict[str, object] = {
        "state": "handling" if incident.state == "handling" else "dispatched",
        "accepted_at": incident.accepted_at or context.at,
        "dispatched_at": incident.dispatched_at or context.at,
        # An automatic next offer does not take the amber away: a person has not looked yet.
        "attention": incident.attention if context.actor.id == "system" else None,
        "assignments": (*incident.assignments, *sent),
    }
    if incident.acknowledged_at is None:
        fields |= {"acknowledged_at": context.at, "acknowledged_by": context.actor.name}
    if incident.dispatched_at is None:
        fields["due"] = msgspec.structs.replace(
            incident.due,
            sign=due_at(context.now, limits.sign),
            arrive=due_at(context.now, limits.arrive),
        )
    new = incidents.changed(incident, context, **fields)
    facts: dict[str, object] = {"responder_ids": [unit.id for unit in units], "assignment_ids": sent}
    if override_reason:
        facts["override_reason"] = override_reason
    return [Fact(move.event, (("incidents", new.id, new), *changes), facts)]


def _check_free(picture: "Picture", unit: Responder) -> None:
    if unit.assignment_id is not None:
        held = picture.assignments.get(unit.assignment_id)
        job = picture.incidents.get(held.incident_id) if held is not None else None
        raise AlreadyAssigned(
            {
                "responder_id": unit.id,
                "responder_name": unit.name,
                "assignment_id": unit.assignment_id,
                "incident_id": held.incident_id if held is not None else None,
                "incident_title": job.title if job is not None else None,
                "by_name": held.by_name if held is not None else None,
            },
            f"{unit.name} is already assigned"
            + (f" to {job.title!r} by {held.by_name}." if held is not None and job is not None else "."),
        )
    if not unit.on_duty:
        raise IllegalTransition("responder", unit.id, "off duty", "dispatch")


def decide_step(
    picture: "Picture",
    assignment_id: str,
    command: str,
    context: Context,
    *,
    text: str | None = None,
) -> list[Fact]:
    """Decide one step of an assignment (a key of `STEPS`) and what it means for its incident.

    Repeating a step that already holds changes nothing, so a phone may say it again after a dead spot.

    Raises:
        NotFound: No such assignment.
        Forbidden: The step is another unit's own word.
        IllegalTransition: Its state does not allow the step.
        Malformed: A decline, recall or finish without words where they are needed.
    """
    assignment = assignment_of(picture, assignment_id)
    sources, target, event = STEPS[command]
    mine = context.actor.responder_id == assignment.responder_id
    if command in BY_THE_UNIT and not mine:
        raise Forbidden("Only the unit itself can say this.")
    if assignment.state == target:
        return []
    if assignment.state not in sources:
        raise IllegalTransition("assignment", assignment.id, assignment.state, command)
    words = (text or "").strip()
    if command in ("decline", "recall") and not words:
        raise Malformed("reason", f"{command} needs a reason")
    if len(words) > 2_000:
        raise Malformed("reason" if command != "finish" else "feedback", "at most 2,000 characters")

    facts: dict[str, object] = {
        "assignment_id": assignment.id,
        "incident_id": assignment.incident_id,
        "responder_id": assignment.responder_id,
    }
    if words:
        facts["text"] = words
    incident = picture.incidents.get(assignment.incident_id)

    if target not in ACTIVE:
        ended = changed_words(assignment, command, words, context)
        changes = _ended(picture, ended, target, context)
        out = [Fact(event, tuple(changes), facts)]
        if incident is not None:
            out += _after_end(picture, incident, assignment, target, context)
        return out

    stamp = f"{target}_at"
    new = changed(assignment, context, state=target, **{stamp: context.at})
    if target == "on_scene":
        new = msgspec.structs.replace(new, arrival_due_at=None)
    changes = [("assignments", new.id, new)]
    out = [Fact(event, tuple(changes), facts)]
    if incident is None:
        return out
    if target == "signed" and incident.state == "dispatched":
        handling = incidents.changed(
            incident, context, state="handling", signed_at=incident.signed_at or context.at, attention=None
        )
        out.append(Fact("incident.handling", (("incidents", incident.id, handling),)))
    elif target == "on_scene" and incident.arrived_at is None:
        there = incidents.changed(incident, context, arrived_at=context.at)
        out[0] = Fact(event, (*changes, ("incidents", incident.id, there)), facts)
    return out


def changed_words(assignment: Assignment, command: str, words: str, context: Context) -> Assignment:
    """Return the assignment with what the unit or the desk said when ending it."""
    if command == "finish":
        return msgspec.structs.replace(assignment, feedback=words or None, finished_at=context.at)
    return msgspec.structs.replace(assignment, reason=words or assignment.reason)


def _after_end(
    picture: "Picture", incident: Incident, ended: Assignment, how: State, context: Context
) -> list[Fact]:
    """Say what the incident becomes when one of its units is done with it."""
    others = [a for a in active_of(picture, incident) if a.id != ended.id]
    if incident.state not in ("dispatched", "handling") or how == "reassigned":
        return []
    if how == "finished":
        if others:
            return []
        done = incidents.changed(incident, context, state="handled", handled_at=context.at, attention=None)
        return [Fact("incident.handled", (("incidents", incident.id, done),))]
    returns = incident.returns + (how in ("declined", "timed_out"))
    attention = incident.attention
    if how in ("declined", "timed_out"):
        attention = "declined" if how == "declined" else "unanswered"
        if returns >= RETURNS_BEFORE_RULING:
            attention = "ruling"
    elif how == "recalled":
        attention = None  # somebody at a desk has looked and decided; nothing is offered by itself
    finished = any(
        a is not None and a.state == "finished" for a in map(picture.assignments.get, incident.assignments)
    )
    if others or finished:
        if finished and not others:
            done = incidents.changed(
                incident, context, state="handled", handled_at=context.at, returns=returns, attention=None
            )
            return [Fact("incident.handled", (("incidents", incident.id, done),))]
        if attention == incident.attention and returns == incident.returns:
            return []
        kept = incidents.changed(incident, context, attention=attention, returns=returns)
        return [Fact("incident.updated", (("incidents", incident.id, kept),))]
    back = incidents.changed(incident, context, state="accepted", attention=attention, returns=returns)
    return [Fact("incident.returned", (("incidents", incident.id, back),), {"how": how})]


def decide_reassign(
    picture: "Picture", assignment_id: str, dispatch: Callable[["Picture"], list[Fact]], context: Context
) -> list[Fact]:
    """End one unit's assignment and send another in the same commit.

    Args:
        picture: The board.
        assignment_id: The assignment to take away.
        dispatch: Decides the new dispatch on the picture it is given.
        context: Who and when.

    Raises:
        NotFound: No such assignment.
        IllegalTransition: It is over already.
        AlreadyAssigned: The other unit is on a job.
    """
    return [*decide_step(picture, assignment_id, "reassign", context), *dispatch(picture)]


def decide_arrival_proposal(
    picture: "Picture", assignment_id: str, auto_s: float, context: Context
) -> list[Fact]:
    """Propose "on scene" for a unit that came within the arrival radius; said once per drive.

    It becomes a fact after ``auto_s`` seconds unless somebody says "not yet".
    """
    assignment = assignment_of(picture, assignment_id)
    if assignment.state not in ("signed", "en_route") or assignment.arrival_proposed_at is not None:
        return []
    new = changed(
        assignment,
        context,
        arrival_proposed_at=context.at,
        arrival_due_at=rfc3339(context.now + timedelta(seconds=auto_s)),
    )
    facts = {"assignment_id": new.id, "incident_id": new.incident_id, "responder_id": new.responder_id}
    return [Fact("assignment.arrival_proposed", (("assignments", new.id, new),), facts)]


def decide_arrival_refusal(picture: "Picture", assignment_id: str, context: Context) -> list[Fact]:
    """Say "not there yet": the proposal is withdrawn, or an arrival recorded by itself is undone."""
    assignment = assignment_of(picture, assignment_id)
    proposed = assignment.arrival_due_at is not None
    automatic = assignment.state == "on_scene" and assignment.arrival_proposed_at is not None
    if assignment.state not in ("signed", "en_route", "on_scene") or not (proposed or automatic):
        raise IllegalTransition("assignment", assignment.id, assignment.state, "not_on_scene")
    new = changed(
        assignment,
        context,
        state="en_route",
        en_route_at=assignment.en_route_at or context.at,
        on_scene_at=None,
        arrival_due_at=None,
        arrival_refused=True,
    )
    changes: list[Change] = [("assignments", new.id, new)]
    incident = picture.incidents.get(new.incident_id)
    if automatic and incident is not None and incident.arrived_at == assignment.on_scene_at:
        changes.append(("incidents", incident.id, incidents.changed(incident, context, arrived_at=None)))
    facts = {"assignment_id": new.id, "incident_id": new.incident_id, "responder_id": new.responder_id}
    return [Fact("assignment.arrival_refused", tuple(changes), facts)]


def decide_ending(
    picture: "Picture",
    incident_id: str,
    command: str,
    texts: dict[str, str],
    context: Context,
    *,
    expected_version: int | None = None,
) -> list[Fact]:
    """Close, cancel, merge or check an incident and free all its units together, in one event.

    A check that fails ends the finished jobs too: the rework is a new job, and only its end is an end.

    Raises:
        NotFound: The incident, or the one to merge into, does not exist.
        Conflict: The checker was among the handlers, or a merge would go round in a circle.
        IllegalTransition: As the lifecycle says.
    """
    incident = incident_of(picture, incident_id, expected_version)
    mine = context.actor.responder_id
    handlers = {a.responder_id for key in incident.assignments if (a := picture.assignments.get(key))}
    if command in ("check_pass", "close") and mine is not None and mine in handlers:
        raise Conflict("Whoever handled an incident cannot check it.")
    if command == "merge":
        check_move(incident, command, texts)
        into = incident_of(picture, texts["into"])
        if into.id == incident.id or into.state not in incidents.OPEN:
            raise Conflict("An incident merges into another open one.")
        new = incidents.changed(
            incident, context, state="merged", parent_id=into.id, closed_at=context.at, suspects=()
        )
        kept = incidents.changed(into, context, suspects=tuple(s for s in into.suspects if s != incident.id))
        facts = [
            Fact("incident.merged", (("incidents", new.id, new), ("incidents", kept.id, kept)), dict(texts))
        ]
    else:
        facts = incidents.decide_move(incident, command, context, texts)
        if command == "close":
            stamped = _entity(facts[0], incident.id)
            handled = msgspec.structs.replace(stamped, handled_at=stamped.handled_at or context.at)
            facts = [Fact(facts[0].type, (("incidents", incident.id, handled),), facts[0].facts)]
    released: list[Change] = []
    for key in incident.assignments:
        assignment = picture.assignments.get(key)
        if assignment is not None and (assignment.state in ACTIVE or assignment.state == "finished"):
            released += _ended(picture, assignment, "released", context)
    first = facts[0]
    return [Fact(first.type, (*first.changes, *released), first.facts)]


def _entity(fact: Fact, incident_id: str) -> Incident:
    for kind, key, entity in fact.changes:
        if kind == "incidents" and key == incident_id and isinstance(entity, Incident):
            return entity
    raise NotFound("incident", incident_id)
