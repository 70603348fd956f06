"""Responders: police, grid workers and others whom the centre can send, and their shifts."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from command.errors import IllegalTransition, NotFound
from command.events import Context, Fact
from command.policy import check_moment

if TYPE_CHECKING:
    from command.board import Picture

Kind = Literal[
    "police", "grid_worker", "grid_chief", "mediator", "emergency_member", "volunteer", "street_chief"
]
KINDS: Final[tuple[Kind, ...]] = (
    "police",
    "grid_worker",
    "grid_chief",
    "mediator",
    "emergency_member",
    "volunteer",
    "street_chief",
)
GRID_KINDS: Final[frozenset[Kind]] = frozenset({"grid_worker", "grid_chief"})
"""Those who look after grids."""
Profile = Literal["car", "motorcycle", "foot"]


class Responder(msgspec.Struct, frozen=True, kw_only=True):
    """One person or unit that can be sent.

    Where it is stands in the telemetry lane under `unit`, never here: the board holds what must not be lost.
    """

    id: str
    unit: int
    name: str
    kind: Kind
    employment: Literal["full_time", "part_time"] = "full_time"
    phone: str | None = None
    station: str | None = None
    grids: tuple[str, ...] = ()
    beat: str | None = None
    area: str | None = None
    skills: tuple[str, ...] = ()
    profile: Profile = "car"
    device_id: str | None = None
    on_duty: bool = False
    shift_since: str | None = None
    shift_until: str | None = None
    assignment_id: str | None = None
    version: int = 1
    updated_at: str | None = None

    @property
    def busy(self) -> bool:
        """Whether an active field job holds this responder."""
        return self.assignment_id is not None


def responder_of(picture: "Picture", responder_id: str) -> Responder:
    """Return the responder or raise `NotFound`."""
    found = picture.responders.get(responder_id)
    if found is None:
        raise NotFound("responder", responder_id)
    return found


def changed(responder: Responder, context: Context, **fields: object) -> Responder:
    """Return the responder with these fields, its next version and the decision's time."""
    return msgspec.structs.replace(responder, version=responder.version + 1, updated_at=context.at, **fields)


def decide_register(picture: "Picture", responders: list[Responder], context: Context) -> list[Fact]:
    """Enter people into the roster; the same id again updates the facts and keeps the shift and the job."""
    facts = []
    for new in responders:
        old = picture.responders.get(new.id)
        if old is None:
            entity = msgspec.structs.replace(new, updated_at=context.at)
            facts.append(Fact("responder.registered", (("responders", new.id, entity),)))
            continue
        entity = msgspec.structs.replace(
            new,
            unit=old.unit,
            on_duty=old.on_duty,
            shift_since=old.shift_since,
            shift_until=old.shift_until,
            assignment_id=old.assignment_id,
            version=old.version,
            updated_at=old.updated_at,
        )
        if entity != old:
            entity = changed(entity, context)
            facts.append(Fact("responder.updated", (("responders", new.id, entity),)))
    return facts


def decide_withdraw(picture: "Picture", responder_ids: Iterable[str]) -> list[Fact]:
    """Take people off the roster again, as far as nothing has happened with them since they entered it.

    Whoever has been on duty or was changed stays: there are tracks and jobs under that unit number.
    """
    found = (picture.responders.get(key) for key in responder_ids)
    return [
        Fact("responder.removed", (("responders", person.id, None),), {"name": person.name})
        for person in found
        if person is not None and person.version == 1 and not person.on_duty
    ]


def decide_shift(
    picture: "Picture", responder_id: str, context: Context, *, on_duty: bool, until: str | None = None
) -> list[Fact]:
    """Start or end a shift.

    Saying again what already holds changes nothing. A responder with an active job cannot leave: the job must
    be finished, declined or recalled first, or somebody would wait for a unit that went home.

    Raises:
        NotFound: No such responder.
        IllegalTransition: Off duty was asked for while a job is active.
        Malformed: ``until`` is no moment.
    """
    old = responder_of(picture, responder_id)
    if old.on_duty == on_duty:
        return []
    if not on_duty and old.busy:
        raise IllegalTransition("responder", old.id, "on a job", "end the shift of")
    new = changed(
        old,
        context,
        on_duty=on_duty,
        shift_since=context.at if on_duty else None,
        shift_until=check_moment(until, "until") if on_duty and until is not None else None,
    )
    kind = "responder.shift_started" if on_duty else "responder.shift_ended"
    return [Fact(kind, (("responders", old.id, new),))]
