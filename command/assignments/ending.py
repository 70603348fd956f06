"""Ending an incident frees all its units together, in one event."""

from typing import TYPE_CHECKING

import msgspec

from command import incidents
from command.assignments.model import ACTIVE, ended
from command.errors import Conflict, NotFound
from command.events import Change, Context, Fact
from command.incidents import Incident, check_move, incident_of

if TYPE_CHECKING:
    from command.board import Picture


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
            released += ended(picture, assignment, "released", context)
    first = facts[0]
    return [Fact(first.type, (*first.changes, *released), first.facts)]


def _entity(fact: Fact, incident_id: str) -> Incident:
    for kind, key, entity in fact.changes:
        if kind == "incidents" and key == incident_id and isinstance(entity, Incident):
            return entity
    raise NotFound("incident", incident_id)
