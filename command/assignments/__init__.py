"""Assignments: one unit on one incident, from the offer to the release, and what they do to the incident.

A decision here touches up to three entities at once (assignment, incident, responder), in one event, so no
reader ever sees a unit that is busy with nothing or a job without its unit.
"""

from command.assignments.arrival import decide_arrival_proposal, decide_arrival_refusal
from command.assignments.dispatching import Offer, decide_dispatch, decide_reassign
from command.assignments.ending import decide_ending
from command.assignments.model import (
    ACTIVE,
    UNANSWERED,
    Assignment,
    State,
    active_of,
    assignment_of,
    changed,
)
from command.assignments.steps import BY_THE_UNIT, RETURNS_BEFORE_RULING, STEPS, decide_step

__all__ = [
    "ACTIVE",
    "BY_THE_UNIT",
    "RETURNS_BEFORE_RULING",
    "STEPS",
    "UNANSWERED",
    "Assignment",
    "Offer",
    "State",
    "active_of",
    "assignment_of",
    "changed",
    "decide_arrival_proposal",
    "decide_arrival_refusal",
    "decide_dispatch",
    "decide_ending",
    "decide_reassign",
    "decide_step",
]
