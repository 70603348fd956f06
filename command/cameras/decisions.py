"""How cameras enter the registry, change, fail, and leave it."""

from collections.abc import Container, Mapping, Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from command.cameras.model import Camera, Fault, Status, camera_of
from command.errors import Conflict, IllegalTransition, Malformed
from command.events import Change, Context, Fact

if TYPE_CHECKING:
    from command.board import Picture

KEPT: Final = ("enabled", "status", "fault", "fault_since", "version")
"""What editing the registry never touches."""


class NumberTaken(Conflict):
    """Another camera has this GB/T 28181 number."""

    code = "gb_id_taken"


def changed(camera: Camera, **fields: object) -> Camera:
    """Return the camera with these fields and its next version."""
    return msgspec.structs.replace(camera, version=camera.version + 1, **fields)


def decide_register(
    picture: "Picture",
    cameras: Sequence[Camera],
    context: Context,
    *,
    renewed: Container[str] = (),
    dropped: Container[str] = (),
) -> list[Fact]:
    """Enter cameras; the same id again updates the facts and keeps how the camera is.

    Args:
        picture: What is there.
        cameras: To be entered.
        context: Who and when.
        renewed: Ids of those whose source, kept apart, is given anew: that counts as a change.
        dropped: Ids of those whose source is taken away.

    Raises:
        NumberTaken: Another camera has the GB number of one of them.
    """
    del context
    numbers = _numbers(picture)
    facts = []
    for new in cameras:
        _check_number(numbers, new)
        old = picture.cameras.get(new.id)
        if old is None:
            facts.append(Fact("camera.registered", (("cameras", new.id, new),)))
            continue
        kept = {name: getattr(old, name) for name in KEPT}
        source = None if new.id in dropped else new.source or old.source
        entity = msgspec.structs.replace(new, source=source, **kept)
        if entity != old or new.id in renewed:
            facts.append(Fact("camera.updated", (("cameras", new.id, changed(entity)),)))
    return facts


def decide_edit(
    picture: "Picture",
    camera_id: str,
    fields: Mapping[str, object],
    context: Context,
    *,
    expected_version: int | None = None,
    renewed: bool = False,
) -> list[Fact]:
    """Correct a camera's facts; saying what already holds changes nothing.

    Args:
        picture: What is there.
        camera_id: Which.
        fields: Field → value; how the camera is (`KEPT`) is nothing to correct.
        context: Who and when.
        expected_version: The version this was decided on.
        renewed: Its source, kept apart, is given anew: that counts as a change.

    Raises:
        NotFound: No such camera.
        StaleVersion: Somebody else changed it first.
        NumberTaken: Another camera has its new GB number.
    """
    del context
    old = camera_of(picture, camera_id, expected_version)
    new = msgspec.structs.replace(old, **{k: v for k, v in fields.items() if k not in KEPT})
    if new == old and not renewed:
        return []
    _check_number(_numbers(picture), new)
    names = {name for name in fields if getattr(old, name) != getattr(new, name)}
    if renewed:
        names.add("source")
    return [Fact("camera.updated", (("cameras", camera_id, changed(new)),), {"fields": sorted(names)})]


def decide_remove(
    picture: "Picture", camera_id: str, context: Context, *, expected_version: int | None = None
) -> list[Fact]:
    """Take a camera out of the registry, and out of the tours and layouts that show it.

    Raises:
        NotFound: No such camera.
        StaleVersion: Somebody else changed it first.
    """
    old = camera_of(picture, camera_id, expected_version)
    stamp = {"updated_at": context.at, "updated_by": context.actor.name}
    changes: list[Change] = [("cameras", camera_id, None)]
    for tour in picture.tours.values():
        if camera_id in tour.camera_ids:
            rest = tuple(key for key in tour.camera_ids if key != camera_id)
            less = msgspec.structs.replace(tour, camera_ids=rest, version=tour.version + 1, **stamp)
            changes.append(("tours", tour.id, less))
    for layout in picture.layouts.values():
        if camera_id in layout.cells:
            cells = tuple(None if key == camera_id else key for key in layout.cells)
            empty = msgspec.structs.replace(layout, cells=cells, version=layout.version + 1, **stamp)
            changes.append(("layouts", layout.id, empty))
    return [Fact("camera.removed", tuple(changes), {"camera_id": camera_id, "name": old.name})]


def decide_switch(
    picture: "Picture",
    camera_id: str,
    context: Context,
    *,
    enabled: bool,
    expected_version: int | None = None,
) -> list[Fact]:
    """Switch a camera off, so that nothing is pulled or checked, or on again.

    Raises:
        NotFound: No such camera.
        StaleVersion: Somebody else changed it first.
    """
    del context
    old = camera_of(picture, camera_id, expected_version)
    if old.enabled == enabled:
        return []
    status = Status.UNKNOWN if enabled else Status.DISABLED
    new = changed(old, enabled=enabled, status=status, fault=None, fault_since=None)
    return [Fact("camera.switched", (("cameras", camera_id, new),), {"enabled": enabled})]


def decide_health(
    picture: "Picture", camera_id: str, status: Status, fault: Fault | None, context: Context
) -> list[Fact]:
    """Record how a camera is now. The word of a check that is too late (it is gone, or off) changes nothing.

    Raises:
        Malformed: ``disabled`` is a person's choice, not a finding.
    """
    if status is Status.DISABLED:
        raise Malformed("status", "a check does not switch a camera off")
    old = picture.cameras.get(camera_id)
    if old is None or not old.enabled or (old.status == status and old.fault == fault):
        return []
    since = None if fault is None else old.fault_since if fault == old.fault else context.at
    new = changed(old, status=status, fault=fault, fault_since=since)
    facts = {"status": status.value, "fault": fault, "was": old.status.value}
    return [Fact("camera.health_changed", (("cameras", camera_id, new),), facts)]


def decide_false_alarm(
    picture: "Picture", camera_id: str, context: Context, *, expected_version: int | None = None
) -> list[Fact]:
    """Say that nothing is wrong with a camera's picture: what it shows now is how it should be.

    Raises:
        NotFound: No such camera.
        StaleVersion: Somebody else changed it first.
        IllegalTransition: It has no fault that a picture shows.
    """
    del context
    old = camera_of(picture, camera_id, expected_version)
    if old.fault is None or old.status is not Status.DEGRADED:
        state = old.status.value if old.fault is None else f"{old.status.value} ({old.fault})"
        raise IllegalTransition("camera", camera_id, state, "call it a false alarm about")
    new = changed(old, status=Status.LIVE, fault=None, fault_since=None)
    return [Fact("camera.false_alarm", (("cameras", camera_id, new),), {"fault": old.fault})]


def _numbers(picture: "Picture") -> dict[str, str]:
    return {c.gb_id: c.id for c in picture.cameras.values() if c.gb_id is not None}


def _check_number(numbers: dict[str, str], camera: Camera) -> None:
    if camera.gb_id is None:
        return
    owner = numbers.setdefault(camera.gb_id, camera.id)
    if owner != camera.id:
        raise NumberTaken(f"Camera {owner!r} has the number {camera.gb_id}.")
