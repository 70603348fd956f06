"""Sending units: all of them or none."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

import msgspec

from command import incidents, responders
from command.assignments.model import ACTIVE, Assignment, active_of, assignment_of
from command.assignments.steps import decide_step
from command.clock import rfc3339
from command.errors import AlreadyAssigned, IllegalTransition, Malformed
from command.events import Change, Context, Fact
from command.incidents import Attention, Incident, check_move, incident_of
from command.policy import Policy, due_at
from command.responders import Responder, responder_of

if TYPE_CHECKING:
    from command.board import Picture


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

    From ``reported`` the incident is accepted in the same command. The first unit leads; when the leader is
    gone, the next one sent does.

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
    foreign = incident.claimed_by not in (None, context.actor.id, "system")
    if foreign and context.actor.role == "dispatcher" and not override_reason:
        raise AlreadyAssigned(
            {"user_id": incident.claimed_by, "by_name": incident.claimed_name},
            f"{incident.claimed_name} has claimed this incident; give a reason to step in.",
        )
    move = check_move(incident, "dispatch", {})
    incident_of(picture, incident_id, expected_version)

    led = any(assignment.lead for assignment in active_of(picture, incident))
    sent = []
    changes: list[Change] = []
    for position, (offer, unit) in enumerate(zip(offers, units, strict=True)):
        assignment = Assignment(
            id=offer.assignment_id,
            incident_id=incident.id,
            responder_id=unit.id,
            state="dispatched",
            lead=position == 0 and not led,
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
        "attention": _still_amber(incident) if context.actor.id == "system" else None,
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


def _still_amber(incident: Incident) -> Attention | None:
    """Return what an automatic offer leaves on the card; "nobody to send" is over once somebody is sent."""
    return "unanswered" if incident.attention == "no_candidate" else incident.attention


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
    old = assignment_of(picture, assignment_id)
    if old.state not in ACTIVE:
        # Saying a step again changes nothing; sending somebody again would.
        raise IllegalTransition("assignment", old.id, old.state, "reassign")
    return [*decide_step(picture, assignment_id, "reassign", context), *dispatch(picture)]
