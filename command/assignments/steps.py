"""The steps of an assignment, said by the unit or by the desk, and what each means for the incident."""

from typing import TYPE_CHECKING, Final

import msgspec

from command import incidents
from command.assignments.model import (
    ACTIVE,
    UNANSWERED,
    Assignment,
    State,
    active_of,
    assignment_of,
    changed,
    ended,
)
from command.errors import Forbidden, IllegalTransition, Malformed
from command.events import Context, Fact
from command.incidents import Incident

if TYPE_CHECKING:
    from command.board import Picture

RETURNS_BEFORE_RULING: Final = 2
"""After so many refusals and silences a person must decide; nothing is offered by itself any more."""

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
        last_word = _with_words(assignment, command, words, context)
        changes = ended(picture, last_word, target, context)
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


def _with_words(assignment: Assignment, command: str, words: str, context: Context) -> Assignment:
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
