"""Which things exist for whom. Pure functions over entities; `command.accounts.access` is the way in.

"Own" means:

============  ===============================================================================
incident      reported by them; assigned to them now or earlier (a job handed back stays readable:
              they may be asked about it); in one of their grids, or in their beat; for a department:
              led by it, or one of its people is assigned
assignment    theirs, or of an incident that they see
responder     themselves; for a department: its people
camera        in their grids, beat area or area; for a department: the bureau network's
tour, layout  never: they name cameras of the whole district, so the feed shows them to those who see it whole
              and the API leaves out what each one may not see
alarm         of a camera of theirs
message       written by or to them
closure       never: whoever has the map sees all of them, and who may draw one does so in their area
contact       narrower: they hold an active assignment, or (at a desk) claimed or took the report
============  ===============================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

Lookup = Callable[[str, str], object | None]
"""(kind, id) → the entity on the board, or None."""

ENDED: Final = frozenset({"finished", "released", "declined", "timed_out", "reassigned", "recalled"})


@dataclass(frozen=True, slots=True)
class Viewer:
    """What the rules need to know of whoever looks. ``area`` None: the whole district."""

    user_id: str
    area: str | None
    responder_id: str | None
    department: str | None
    scopes: Mapping[str, str]

    def has(self, permission: str) -> bool:
        """Say whether the permission is held with any scope."""
        return permission in self.scopes


def shows(viewer: Viewer, kind: str, entity: object, lookup: Lookup) -> bool:
    """Say whether the entity exists for the viewer; False for a kind that is not known."""
    rule = _RULES.get(kind)
    return rule is not None and rule(viewer, entity, lookup)


def concerns(viewer: Viewer, kind: str, entity: object, lookup: Lookup, *, strict: bool = False) -> bool:
    """Say whether the thing is the viewer's own, in the sense of the table above.

    Args:
        viewer: Who asks.
        kind: A kind of the board.
        entity: The thing.
        lookup: Finds other entities.
        strict: For a department: only incidents that it leads count, not those where it merely takes part.
    """
    if kind == "incidents":
        if strict:
            return _led_by_department(viewer, entity)
        return _own_incident(viewer, entity, lookup)
    if kind == "assignments":
        if strict:
            incident = lookup("incidents", field(entity, "incident_id") or "")
            return incident is not None and _led_by_department(viewer, incident)
        return _is_self_or_staff(viewer, field(entity, "responder_id"), lookup)
    if kind == "responders":
        return _is_self_or_staff(viewer, field(entity, "id"), lookup, entity)
    if kind == "cameras":
        return _own_camera(viewer, entity, lookup)
    if kind == "alarms":
        camera = lookup("cameras", field(entity, "camera_id") or "")
        return camera is not None and _own_camera(viewer, camera, lookup)
    return kind == "messages" and is_own_message(viewer, entity)


def may_unmask(viewer: Viewer, incident: object, lookup: Lookup) -> bool:
    """Say whether the reporter's contact is needed for the viewer's own work on this incident."""
    if viewer.responder_id is not None:
        return any(
            field(job, "responder_id") == viewer.responder_id and field(job, "state") not in ENDED
            for job in _assignments(incident, lookup)
        )
    return viewer.user_id in (field(incident, "claimed_by"), field(incident, "reported_by"))


def is_own_message(viewer: Viewer, message: object) -> bool:
    """Say whether the viewer wrote the message or is one of those it was written to."""
    if field(message, "from_user") == viewer.user_id:
        return True
    me = viewer.responder_id
    return me is not None and (me == field(message, "from_responder") or me in (field(message, "to") or ()))


def in_area(viewer: Viewer, codes: Iterable[str | None]) -> bool:
    """Say whether any of the codes lies in the viewer's area; no code lies only in an unrestricted one."""
    if viewer.area is None:
        return True
    return any(code is not None and code.startswith(viewer.area) for code in codes)


def significant(code: str) -> str:
    """Return a division code without the zeros that only fill it up.

    A township is written ``340604001`` here and ``340604001000`` there; both have the same subtree.

    >>> significant("340604001000"), significant("340604000000"), significant("340604001002003")
    ('340604001', '340604', '340604001002003')
    """
    while len(code) > 6 and len(code) % 3 == 0 and code.endswith("000"):
        code = code[:-3]
    return code


def field(entity: object, name: str) -> Any:
    """Return a field of a mapping or a struct; None where it has none."""
    return entity.get(name) if isinstance(entity, Mapping) else getattr(entity, name, None)


def _sees_incident(viewer: Viewer, incident: object, lookup: Lookup) -> bool:
    scope = viewer.scopes.get("view.map")
    if scope == "all":
        return in_area(
            viewer, (field(incident, "grid"), field(incident, "village"), field(incident, "township"))
        )
    if scope == "own":
        return _own_incident(viewer, incident, lookup)
    # Without the map: an integration follows up what it reported, and nothing else.
    return viewer.has("incident.report") and field(incident, "reported_by") == viewer.user_id


def _sees_assignment(viewer: Viewer, assignment: object, lookup: Lookup) -> bool:
    incident = lookup("incidents", field(assignment, "incident_id") or "")
    if incident is not None:
        return _sees_incident(viewer, incident, lookup)
    # The incident left the live board: the unrestricted still see the job, and so does the one who had it.
    scope = viewer.scopes.get("view.map")
    if scope == "all":
        return viewer.area is None
    return scope == "own" and _is_self_or_staff(viewer, field(assignment, "responder_id"), lookup)


def _sees_responder(viewer: Viewer, responder: object, lookup: Lookup) -> bool:
    return viewer.has("responders.manage") or _responder_in("responders.view", viewer, responder, lookup)


def _sees_position(viewer: Viewer, responder: object, lookup: Lookup) -> bool:
    return bool(field(responder, "on_duty")) and _responder_in("positions.view", viewer, responder, lookup)


def _responder_in(permission: str, viewer: Viewer, responder: object, lookup: Lookup) -> bool:
    scope = viewer.scopes.get(permission)
    if scope == "all":
        return in_area(viewer, (field(responder, "area"), *(field(responder, "grids") or ())))
    return scope == "own" and _is_self_or_staff(viewer, field(responder, "id"), lookup, responder)


def _sees_camera(viewer: Viewer, camera: object, lookup: Lookup) -> bool:
    if viewer.has("camera.manage"):
        return True
    scope = viewer.scopes.get("camera.view")
    if scope == "all":
        return in_area(viewer, (field(camera, "grid"), field(camera, "area")))
    return scope == "own" and _own_camera(viewer, camera, lookup)


def _sees_all_cameras(viewer: Viewer, _entity: object, _lookup: Lookup) -> bool:
    return viewer.scopes.get("camera.view") == "all" and viewer.area is None


def _sees_alarm(viewer: Viewer, alarm: object, lookup: Lookup) -> bool:
    if not viewer.has("camera.view"):
        return False
    camera = lookup("cameras", field(alarm, "camera_id") or "")
    if camera is not None:
        return _sees_camera(viewer, camera, lookup)
    return _sees_all_cameras(viewer, alarm, lookup)


def _sees_geography(viewer: Viewer, _entity: object, _lookup: Lookup) -> bool:
    # That the map changed is told to whoever has one; what it shows is asked for and answered apart.
    return viewer.has("view.map") or viewer.has("areas.manage")


def _sees_closure(viewer: Viewer, _entity: object, _lookup: Lookup) -> bool:
    # Whoever drives must know of it, wherever they belong.
    return viewer.has("view.map")


def _sees_message(viewer: Viewer, message: object, lookup: Lookup) -> bool:
    scope = viewer.scopes.get("message.send")
    if scope is None:
        return False
    if is_own_message(viewer, message):
        return True
    if scope == "own":
        return False
    if viewer.area is None:
        return True
    about = field(message, "incident_id")
    incident = lookup("incidents", about) if about else None
    if incident is not None:
        return _sees_incident(viewer, incident, lookup)
    people = (*(field(message, "to") or ()), field(message, "from_responder"))
    found = (lookup("responders", person) for person in people if person)
    return any(one is not None and _sees_responder(viewer, one, lookup) for one in found)


def _own_incident(viewer: Viewer, incident: object, lookup: Lookup) -> bool:
    if field(incident, "reported_by") == viewer.user_id or _led_by_department(viewer, incident):
        return True
    if any(
        _is_self_or_staff(viewer, field(job, "responder_id"), lookup)
        for job in _assignments(incident, lookup)
    ):
        return True
    me = viewer.responder_id
    if me is None:
        return False
    if field(incident, "owner") == me:
        return True
    responder = lookup("responders", me)
    if responder is None:
        return False
    grid, beat = field(incident, "grid"), field(incident, "beat")
    own_grid = grid is not None and grid in (field(responder, "grids") or ())
    return own_grid or (beat is not None and beat == field(responder, "beat"))


def _own_camera(viewer: Viewer, camera: object, lookup: Lookup) -> bool:
    codes = [code for code in (field(camera, "grid"), field(camera, "area")) if code]
    if viewer.responder_id is not None:
        responder = lookup("responders", viewer.responder_id)
        if responder is None:
            return False
        grids = field(responder, "grids") or ()
        area = field(responder, "area")
        root = significant(area) if area else None
        return any(code in grids or (root is not None and code.startswith(root)) for code in codes)
    return viewer.department is not None and field(camera, "network") == "bureau" and in_area(viewer, codes)


def _led_by_department(viewer: Viewer, incident: object) -> bool:
    return viewer.department is not None and field(incident, "lead_department") == viewer.department


def _is_self_or_staff(
    viewer: Viewer, responder_id: str | None, lookup: Lookup, responder: object | None = None
) -> bool:
    if responder_id is None:
        return False
    if responder_id == viewer.responder_id:
        return True
    if viewer.department is None:
        return False
    found = responder if responder is not None else lookup("responders", responder_id)
    return found is not None and field(found, "station") == viewer.department


def _assignments(incident: object, lookup: Lookup) -> Iterable[object]:
    for assignment_id in field(incident, "assignments") or ():
        found = lookup("assignments", assignment_id)
        if found is not None:
            yield found


_RULES: Final[Mapping[str, Callable[[Viewer, object, Lookup], bool]]] = {
    "incidents": _sees_incident,
    "assignments": _sees_assignment,
    "responders": _sees_responder,
    "positions": _sees_position,
    "cameras": _sees_camera,
    "messages": _sees_message,
    "tours": _sees_all_cameras,
    "layouts": _sees_all_cameras,
    "alarms": _sees_alarm,
    "geography": _sees_geography,
    "closures": _sees_closure,
}
