"""Road closures (道路封控): drawn on the map, with a beginning and an end, in force for every route from then on.

What a drawing closes is `gis.roads.closures`' answer; here stands who drew what, from when to when, and why. A
closure begins and ends by the clock (`decide_due`, looked at once a second) or by hand.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

import msgspec

from command.clock import parse_rfc3339, rfc3339
from command.errors import IllegalTransition, Malformed, NotFound, StaleVersion
from command.events import Context, Fact
from gis.errors import BadShape
from gis.roads.closures import BUFFER_M, Blockage, Direction, Kind

if TYPE_CHECKING:
    from command.board import Picture

State = Literal["planned", "in_force", "ended"]
Profile = Literal["car", "motorcycle", "foot"]
PROFILES: Final[tuple[Profile, ...]] = get_args(Profile)
STOPPED: Final[tuple[Profile, ...]] = ("car", "motorcycle")
"""Who is stopped unless somebody says otherwise: people on foot get through."""
LIVE: Final[frozenset[State]] = frozenset({"planned", "in_force"})
MOST_LIVE: Final = 300
"""Closures planned or in force at a time; each costs some of every search for the nearest."""
MOST_POINTS: Final = 500
AHEAD: Final = timedelta(days=366)
BEFORE: Final = timedelta(days=1)
"""A road may have been closed for a while when somebody enters it."""


class Closure(msgspec.Struct, frozen=True, kw_only=True):
    """Roads closed for a while; field meanings: ``docs/events.md``. Coordinates in degrees, WGS-84, lon first."""

    id: str
    reason: str
    kind: Kind
    coordinates: tuple[tuple[float, float], ...]
    direction: Direction = "both"
    profiles: tuple[Profile, ...] = STOPPED
    starts_at: str
    ends_at: str | None = None
    state: State
    place: str | None = None
    roads: tuple[str, ...] = ()
    length_m: float = 0.0
    areas: tuple[str, ...] = ()
    drawn_by: str
    drawn_by_name: str
    drawn_at: str
    started_at: str | None = None
    ended_at: str | None = None
    ended_by: str | None = None
    ended_by_name: str | None = None
    end_reason: str | None = None
    updated_by: str
    updated_at: str
    version: int = 1


@dataclass(frozen=True, slots=True)
class Survey:
    """What a drawing closes on the ground, as it was found when it was drawn.

    Attributes:
        place: Where, in words.
        roads: Names of the roads, the longest stretch first.
        length_m: How much road.
        areas: Codes of the grids that the drawing touches, of divisions above them where there would be too many.
        outside: A part of it lies in no grid.
    """

    place: str | None = None
    roads: tuple[str, ...] = ()
    length_m: float = 0.0
    areas: tuple[str, ...] = ()
    outside: bool = False


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants closed.

    Attributes:
        starts_at: None: from now on, or as it was.
        ends_at: None: until somebody opens it again.
    """

    reason: str
    kind: Kind
    coordinates: tuple[tuple[float, float], ...]
    direction: Direction = "both"
    profiles: tuple[Profile, ...] = STOPPED
    starts_at: datetime | None = None
    ends_at: datetime | None = None

    def blockage(self) -> Blockage:
        """Return it as the roads understand it.

        Raises:
            Malformed: The drawing makes no sense; the field is named.
        """
        if not self.profiles or not set(self.profiles) <= set(PROFILES):
            raise Malformed("profiles", f"some of {', '.join(PROFILES)}")
        if len(self.coordinates) > MOST_POINTS:
            raise Malformed("coordinates", f"at most {MOST_POINTS} points")
        if self.direction != "both" and self.kind != "line":
            raise Malformed("direction", "only a line closes one direction")
        try:
            return _blockage(self.kind, self.coordinates, self.direction, self.profiles)
        except BadShape as error:
            raise Malformed("coordinates", str(error)) from None


def blockage_of(closure: Closure) -> Blockage:
    """Return a closure as the roads understand it."""
    return _blockage(closure.kind, closure.coordinates, closure.direction, closure.profiles)


def in_force(closures: Iterable[Closure]) -> tuple[Blockage, ...]:
    """Return what closes roads now, in an order that depends on nothing but the closures."""
    held = sorted((one for one in closures if one.state == "in_force"), key=lambda one: one.id)
    return tuple(blockage_of(one) for one in held)


def _blockage(
    kind: Kind,
    coordinates: tuple[tuple[float, float], ...],
    direction: Direction,
    profiles: tuple[Profile, ...],
) -> Blockage:
    # An area closes what it covers; a line or a point may be a little off the road that is meant.
    buffer_m = 0.0 if kind == "polygon" else BUFFER_M
    return Blockage(kind, coordinates, direction, buffer_m, profiles=frozenset(profiles))


def closure_of(picture: "Picture", closure_id: str, expected_version: int | None = None) -> Closure:
    """Return a closure.

    Raises:
        NotFound: No such closure.
        StaleVersion: Somebody else changed it first.
    """
    found = picture.closures.get(closure_id)
    if found is None:
        raise NotFound("closure", closure_id)
    if expected_version is not None and expected_version != found.version:
        raise StaleVersion(expected_version, found.version)
    return found


def decide_draw(
    picture: "Picture", closure_id: str, wish: Wish, survey: Survey, context: Context
) -> list[Fact]:
    """Close roads, at once or from a moment on.

    Raises:
        Malformed: A word, time or the drawing makes no sense; the field is named.
    """
    if sum(one.state in LIVE for one in picture.closures.values()) >= MOST_LIVE:
        raise Malformed("", f"at most {MOST_LIVE} closures are planned or in force; end some first")
    wish.blockage()
    starts = context.now if wish.starts_at is None else wish.starts_at
    if starts < context.now - BEFORE:
        raise Malformed("starts_at", "more than a day ago")
    _check_times(starts, wish.ends_at, context)
    begun = starts <= context.now
    closure = Closure(
        id=closure_id,
        **_drawn(wish, survey, starts, begun=begun),
        drawn_by=context.actor.id,
        drawn_by_name=context.actor.name,
        drawn_at=context.at,
        started_at=context.at if begun else None,
        updated_by=context.actor.name,
        updated_at=context.at,
    )
    return [_fact("closure.drawn", closure)]


def decide_change(
    picture: "Picture",
    closure_id: str,
    wish: Wish,
    survey: Survey,
    context: Context,
    *,
    expected_version: int | None = None,
) -> list[Fact]:
    """Change what is closed, why or how long; nothing where it is so already.

    Raises:
        NotFound: No such closure.
        StaleVersion: Somebody else changed it first.
        IllegalTransition: It has ended.
        Malformed: As for `decide_draw`, or another beginning for what has begun.
    """
    old = closure_of(picture, closure_id, expected_version)
    if old.state == "ended":
        raise IllegalTransition("closure", closure_id, old.state, "change")
    wish.blockage()
    was = parse_rfc3339(old.starts_at)
    starts = was if wish.starts_at is None else wish.starts_at
    if old.state == "in_force" and rfc3339(starts) != old.starts_at:
        raise Malformed("starts_at", "it has begun already")
    _check_times(starts, wish.ends_at, context)
    begun = starts <= context.now
    wanted = msgspec.structs.replace(
        old,
        **_drawn(wish, survey, starts, begun=begun),
        started_at=old.started_at or (context.at if begun else None),
    )
    if wanted == old:
        return []
    return [_fact("closure.changed", _stamped(wanted, context))]


def _drawn(wish: Wish, survey: Survey, starts: datetime, *, begun: bool) -> dict[str, Any]:
    """What a closure holds of what was asked for, and of what lies there."""
    return {
        "reason": _reason(wish.reason),
        "kind": wish.kind,
        "coordinates": wish.coordinates,
        "direction": wish.direction,
        "profiles": _ordered(wish.profiles),
        "starts_at": rfc3339(starts),
        "ends_at": None if wish.ends_at is None else rfc3339(wish.ends_at),
        "state": "in_force" if begun else "planned",
        "place": survey.place,
        "roads": survey.roads,
        "length_m": survey.length_m,
        "areas": survey.areas,
    }


def decide_end(
    picture: "Picture",
    closure_id: str,
    context: Context,
    *,
    reason: str | None = None,
    expected_version: int | None = None,
) -> list[Fact]:
    """Open the roads again, or call off what was planned.

    Raises:
        NotFound: No such closure.
        StaleVersion: Somebody else changed it first.
        IllegalTransition: It has ended.
        Malformed: The reason is too long.
    """
    old = closure_of(picture, closure_id, expected_version)
    if old.state == "ended":
        raise IllegalTransition("closure", closure_id, old.state, "end")
    said = (reason or "").strip() or None
    if said is not None and len(said) > 200:
        raise Malformed("reason", "at most 200 characters")
    return [_ended(old, context, said)]


def decide_due(picture: "Picture", context: Context) -> list[Fact]:
    """Begin and end what is due by the clock; what was missed as a whole ends without having begun."""
    facts = []
    for closure in sorted(picture.closures.values(), key=lambda one: one.id):
        if closure.state in LIVE and closure.ends_at is not None and _past(closure.ends_at, context.now):
            facts.append(_ended(closure, context, None))
        elif closure.state == "planned" and _past(closure.starts_at, context.now):
            begun = msgspec.structs.replace(closure, state="in_force", started_at=context.at)
            facts.append(_fact("closure.started", _stamped(begun, context)))
    return facts


def any_due(closures: Iterable[Closure], now: datetime) -> bool:
    """Say whether `decide_due` would decide anything."""
    return any(
        (one.state in LIVE and one.ends_at is not None and _past(one.ends_at, now))
        or (one.state == "planned" and _past(one.starts_at, now))
        for one in closures
    )


def _ended(old: Closure, context: Context, reason: str | None) -> Fact:
    ended = msgspec.structs.replace(
        old,
        state="ended",
        ended_at=context.at,
        ended_by=context.actor.id,
        ended_by_name=context.actor.name,
        end_reason=reason,
    )
    return _fact("closure.ended", _stamped(ended, context), reason=reason)


def _fact(type_: str, closure: Closure, **facts: object) -> Fact:
    return Fact(type_, (("closures", closure.id, closure),), {"closure_id": closure.id, **facts})


def _stamped(closure: Closure, context: Context) -> Closure:
    return msgspec.structs.replace(
        closure, version=closure.version + 1, updated_by=context.actor.name, updated_at=context.at
    )


def _check_times(starts: datetime, ends: datetime | None, context: Context) -> None:
    if starts > context.now + AHEAD:
        raise Malformed("starts_at", f"at most {AHEAD.days} days ahead")
    if ends is None:
        return
    if ends <= starts:
        raise Malformed("ends_at", "after it starts")
    if ends <= context.now:
        raise Malformed("ends_at", "in the future")
    if ends > starts + AHEAD:
        raise Malformed("ends_at", f"at most {AHEAD.days} days after it starts")


def _reason(text: str) -> str:
    said = " ".join(text.split())
    if not 1 <= len(said) <= 200:
        raise Malformed("reason", "1 to 200 characters")
    return said


def _ordered(profiles: tuple[Profile, ...]) -> tuple[Profile, ...]:
    return tuple(one for one in PROFILES if one in profiles)


def _past(moment: str, now: datetime) -> bool:
    return parse_rfc3339(moment) <= now
