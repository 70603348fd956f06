"""Arrival: proposed when a unit comes near, a fact unless somebody says "not yet"."""

from datetime import timedelta
from typing import TYPE_CHECKING

from command import incidents
from command.assignments.model import assignment_of, changed
from command.clock import rfc3339
from command.errors import IllegalTransition
from command.events import Change, Context, Fact

if TYPE_CHECKING:
    from command.board import Picture


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
