"""From which states a command leads where: the life of an incident in one table."""

from dataclasses import dataclass
from typing import Final

from command.errors import IllegalTransition, Malformed
from command.incidents.model import OPEN, Incident, State


@dataclass(frozen=True, slots=True)
class Move:
    """One row of the lifecycle: from which states a command leads where, and what it is called afterwards."""

    sources: frozenset[State]
    target: State | None
    """None: the state stays."""
    event: str
    needs: tuple[str, ...] = ()
    """Texts the command must bring, not blank."""


def _from(*states: State) -> frozenset[State]:
    return frozenset(states)


_BEFORE_CLOSED = OPEN
_LIVE = OPEN | _from("closed", "evaluated", "revisited")

LIFECYCLE: Final[dict[str, Move]] = {
    "claim": Move(_BEFORE_CLOSED, None, "incident.claimed"),
    "unclaim": Move(_BEFORE_CLOSED, None, "incident.unclaimed"),
    "acknowledge": Move(_LIVE, None, "incident.acknowledged"),
    "accept": Move(_from("reported"), "accepted", "incident.accepted"),
    "classify": Move(_BEFORE_CLOSED, None, "incident.updated"),
    "dismiss_suspect": Move(_BEFORE_CLOSED, None, "incident.updated"),
    "reject": Move(_from("reported"), "rejected", "incident.rejected", ("reason",)),
    "self_close": Move(_from("reported"), "handled", "incident.self_closed", ("note",)),
    "merge": Move(_from("reported", "accepted"), "merged", "incident.merged", ("into",)),
    "dispatch": Move(_from("reported", "accepted", "dispatched", "handling"), None, "incident.dispatched"),
    "suspend": Move(_from("handling"), "suspended", "incident.suspended", ("reason", "until")),
    "resume": Move(_from("suspended"), "handling", "incident.resumed"),
    "check_pass": Move(_from("handled"), "closed", "incident.closed"),
    "check_fail": Move(_from("handled"), "handling", "incident.rework", ("reason",)),
    "close": Move(
        _from("accepted", "dispatched", "handling", "handled"), "closed", "incident.closed", ("disposition",)
    ),
    "evaluate": Move(_from("closed"), "evaluated", "incident.evaluated"),
    "revisit": Move(_from("evaluated"), "revisited", "incident.revisited", ("comment",)),
    "reopen": Move(_from("closed", "evaluated", "revisited"), "handling", "incident.reopened", ("reason",)),
    "archive": Move(_from("evaluated", "revisited"), "archived", "incident.archived"),
    "cancel": Move(_BEFORE_CLOSED, "cancelled", "incident.cancelled", ("reason",)),
    "note": Move(_LIVE, None, "incident.noted", ("text",)),
    "escalate": Move(_BEFORE_CLOSED, None, "incident.escalated", ("reason",)),
    "supervise": Move(_BEFORE_CLOSED, None, "incident.supervised", ("text",)),
    "attach": Move(_LIVE, None, "incident.attached"),
}
"""Every command on an incident. ``domain.md`` §3.3 in one table; later lifecycles add rows."""


def check_move(incident: Incident, command: str, texts: dict[str, str]) -> Move:
    """Return the command's row of `LIFECYCLE`.

    Raises:
        IllegalTransition: The incident's state does not allow it.
        Malformed: A text the row needs is blank.
    """
    move = LIFECYCLE[command]
    if incident.state not in move.sources:
        raise IllegalTransition("incident", incident.id, incident.state, command)
    for name in move.needs:
        if not texts.get(name, "").strip():
            raise Malformed(name, f"{command} needs {name}")
    return move
