"""What an assignment is: one unit on one incident."""

from typing import TYPE_CHECKING, Final, Literal

import msgspec

from command import responders
from command.errors import NotFound, StaleVersion
from command.events import Change, Context
from command.incidents import Incident

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


def assignment_of(picture: "Picture", assignment_id: str, expected_version: int | None = None) -> Assignment:
    """Return the assignment.

    Raises:
        NotFound: It is not on the board.
        StaleVersion: It is no longer at ``expected_version``.
    """
    found = picture.assignments.get(assignment_id)
    if found is None:
        raise NotFound("assignment", assignment_id)
    if expected_version is not None and found.version != expected_version:
        raise StaleVersion(expected_version, found.version)
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


def ended(picture: "Picture", assignment: Assignment, state: State, context: Context) -> list[Change]:
    """End an assignment and free its unit."""
    out: list[Change] = [
        ("assignments", assignment.id, changed(assignment, context, state=state, ended_at=context.at))
    ]
    unit = picture.responders.get(assignment.responder_id)
    if unit is not None and unit.assignment_id == assignment.id:
        out.append(("responders", unit.id, responders.changed(unit, context, assignment_id=None)))
    return out
