"""Assignments: the unit's own steps (deliver, sign, decline, en_route, on_scene, finish) and the desk's."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from command.accounts.access import COMMANDS, Principal
from command.api.security import require
from command.api.services import Json, KeyOf, ServicesOf, wire
from command.errors import Malformed, NotFound

router = APIRouter(tags=["assignments"])
Viewer = Annotated[Principal, Depends(require("view.map"))]

STEPS: Final = frozenset(
    {"deliver", "sign", "decline", "en_route", "on_scene", "not_on_scene", "finish", "recall"}
)
DESK_MAY: Final = frozenset({"on_scene", "not_on_scene"})
"""Arrival can be seen from the desk too: a dispatcher confirms what the map proposes."""


class StepBody(BaseModel):
    """What goes with a step."""

    model_config = ConfigDict(extra="forbid")

    expected_version: int | None = Field(default=None, ge=1)
    reason: str | None = Field(default=None, max_length=2_000)
    feedback: str | None = Field(default=None, max_length=2_000)
    responder_id: str | None = None


@router.get("/assignments/{assignment_id}")
async def read_assignment(assignment_id: str, me: Viewer, s: ServicesOf) -> Json:
    """Read one live assignment."""
    found = s.board.assignments.get(assignment_id)
    if found is None or not s.sees(me, "assignments", found):
        raise NotFound("assignment", assignment_id)
    return wire(found)


@router.post("/assignments/{assignment_id}/{command}")
async def command_assignment(
    assignment_id: str, command: str, me: Viewer, s: ServicesOf, key: KeyOf, body: StepBody | None = None
) -> Json:
    """Carry out a step of an assignment. Repeating one that holds already changes nothing."""
    if command not in STEPS and command != "reassign":
        raise NotFound("command", command)
    body = body or StepBody()
    permission = COMMANDS[command]
    if command in DESK_MAY and s.access.allows(me, "incident.dispatch"):
        permission = "incident.dispatch"
    s.demand(me, permission, "assignments", assignment_id)
    if command == "reassign":
        if not body.responder_id:
            raise Malformed("responder_id", "reassign needs responder_id")
        person = s.board.responders.get(body.responder_id)
        if person is None or not s.sees(me, "responders", person):
            raise NotFound("responder", body.responder_id)
        outcome = await s.operations.reassign(
            me.actor,
            assignment_id,
            body.responder_id,
            key,
            reason=body.reason,
            expected_version=body.expected_version,
        )
        return outcome.answer
    text = body.feedback if command == "finish" else body.reason
    outcome = await s.operations.step(
        me.actor, assignment_id, command, text, key, expected_version=body.expected_version
    )
    return outcome.answer
