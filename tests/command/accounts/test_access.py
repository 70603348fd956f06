import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from command.accounts.access import COMMANDS, PERMISSIONS, Access, Principal, granted_to_nobody, load_roles
from command.accounts.visibility import significant
from command.errors import Forbidden, NotFound
from command.events import KINDS
from command.feed import View
from command.feed_views import TOPIC_OF_KIND
from command.resources import config_dir

ROLES_FILE = config_dir() / "roles.toml"
ROLES = load_roles(ROLES_FILE)
FILE = tomllib.loads(ROLES_FILE.read_text(encoding="utf-8"))["roles"]
DISTRICT, TOWN, VILLAGE, GRID = "340604", "340604001", "340604001002", "340604001002003"
OTHER_GRID = "340604002001001"
access = Access(ROLES, DISTRICT)

INCIDENTS = {
    "i-town": {
        "id": "i-town",
        "grid": GRID,
        "beat": "b-1",
        "assignments": ("a-1", "a-2"),
        "owner": "r-worker",
    },
    "i-other": {"id": "i-other", "grid": OTHER_GRID, "beat": "b-2", "lead_department": "住建局"},
    "i-nowhere": {"id": "i-nowhere", "grid": None, "reported_by": "u-integration"},
}
ASSIGNMENTS = {
    "a-1": {"id": "a-1", "incident_id": "i-town", "responder_id": "r-police", "state": "signed"},
    "a-2": {"id": "a-2", "incident_id": "i-town", "responder_id": "r-declined", "state": "declined"},
    "a-gone": {"id": "a-gone", "incident_id": "i-trimmed", "responder_id": "r-police", "state": "released"},
}
RESPONDERS = {
    "r-worker": {"id": "r-worker", "grids": (GRID,), "area": VILLAGE, "on_duty": True, "station": None},
    "r-police": {"id": "r-police", "grids": (), "beat": "b-9", "area": TOWN, "on_duty": True},
    "r-declined": {"id": "r-declined", "grids": (), "area": None, "on_duty": False},
    "r-staff": {"id": "r-staff", "grids": (), "area": "340604002", "on_duty": True, "station": "住建局"},
}
CAMERAS = {
    "c-town": {"id": "c-town", "grid": GRID, "network": "xueliang"},
    "c-other": {"id": "c-other", "grid": OTHER_GRID, "network": "bureau"},
    "c-edge": {"id": "c-edge", "grid": None, "area": VILLAGE, "network": "social"},
}
MESSAGES = {
    "m-1": {"id": "m-1", "to": ("r-worker",), "from_user": "u-dispatcher", "incident_id": "i-town"},
    "m-2": {"id": "m-2", "to": (), "from_user": "u-police", "from_responder": "r-police"},
}
BOARD: dict[str, dict[str, dict[str, Any]]] = {
    "geography": {"district": {"id": "district", "revision": 1}},
    "incidents": INCIDENTS,
    "assignments": ASSIGNMENTS,
    "responders": RESPONDERS,
    "cameras": CAMERAS,
    "messages": MESSAGES,
    "tours": {"t-1": {"id": "t-1", "camera_ids": ("c-town", "c-other")}},
    "layouts": {"l-1": {"id": "l-1", "cells": ("c-town", None)}},
    "closures": {"x-1": {"id": "x-1", "areas": (OTHER_GRID,)}},
    "alarms": {
        "x-town": {"id": "x-town", "camera_id": "c-town"},
        "x-other": {"id": "x-other", "camera_id": "c-other"},
        "x-gone": {"id": "x-gone", "camera_id": "c-gone"},
        "x-device": {"id": "x-device", "camera_id": None, "device_id": "34060400001110000001"},
    },
}
RESPONDER_OF = {"police": "r-police", "worker": "r-worker"}


def lookup(kind: str, id: str) -> object | None:
    return BOARD[kind].get(id)


def someone(role: str, area: str | None = None, **more: str) -> Principal:
    responder = more.get("responder_id", RESPONDER_OF.get(role))
    department = more.get("department", "住建局" if role == "dept" else None)
    return access.principal(
        user_id=f"u-{role}",
        username=role,
        name=role,
        role=role,
        area=area,
        responder_id=responder,
        department=department,
    )


def visible(principal: Principal, kind: str) -> set[str]:
    return {id for id, entity in BOARD[kind].items() if access.sees(principal, kind, entity, lookup)}


@pytest.mark.parametrize("permission", PERMISSIONS)
@pytest.mark.parametrize("role", FILE)
def test_each_role_has_what_the_file_says_and_nothing_else(role: str, permission: str) -> None:
    granted = FILE[role]["permissions"].get(permission)
    principal = someone(role)
    assert access.scope(principal, permission) == granted
    assert access.allows(principal, permission) == (granted is not None)
    assert (permission in principal.permissions) == (granted is not None)


@pytest.mark.parametrize(
    ("permission", "all_of", "own"),
    [
        ("incident.accept", "operator dispatcher supervisor", ""),
        ("incident.dispatch", "dispatcher supervisor leader", "dept"),
        ("incident.handle", "", "dept police worker"),
        ("roads.close", "operator dispatcher supervisor leader", ""),
        ("incident.close", "operator dispatcher supervisor leader", ""),
        ("incident.supervise", "supervisor leader", ""),
        ("incident.escalate", "dispatcher supervisor leader", ""),
        ("positions.view", "dispatcher supervisor leader reader wall", "dept police worker"),
        ("contact.unmask", "", "operator dispatcher supervisor leader police worker"),
        ("camera.view", "operator dispatcher supervisor leader reader wall", "dept police"),
        ("camera.manage", "admin", ""),
        ("camera.control", "dispatcher supervisor leader", "police"),
        ("video.manage", "operator dispatcher supervisor leader", ""),
        ("clip.create", "dispatcher supervisor leader", "police"),
        ("clip.view", "dispatcher supervisor leader", "police"),
        ("clip.export", "dispatcher supervisor leader", "police"),
        ("layers.export", "supervisor leader admin", ""),
        ("users.manage", "admin", ""),
        ("audit.view", "leader admin", ""),
        ("view.map", "operator dispatcher supervisor leader reader wall", "dept police worker"),
    ],
)
def test_the_table_of_rights(permission: str, all_of: str, own: str) -> None:
    found = {role: ROLES[role].scopes.get(permission) for role in ROLES}
    assert {role for role, scope in found.items() if scope == "all"} == set(all_of.split())
    assert {role for role, scope in found.items() if scope == "own"} == set(own.split())


@pytest.mark.parametrize("kind", ["incidents", "assignments", "messages", "positions"])
@pytest.mark.parametrize("area", [None, DISTRICT, TOWN])
def test_an_administrator_sees_no_case_content(kind: str, area: str | None) -> None:
    entities = BOARD["responders" if kind == "positions" else kind]
    admin = someone("admin", area)
    assert not any(access.sees(admin, kind, entity, lookup) for entity in entities.values())
    view = access.view_for(admin, lookup)
    assert not view.topics & {"incidents", "messages", "telemetry", "presence"}


def test_nobody_may_search_for_people() -> None:
    words = ("face", "plate", "person", "resident", "household", "petition", "track")
    assert not [name for name in PERMISSIONS if any(word in name for word in words)]


@pytest.mark.parametrize("role", ["operator", "dispatcher", "supervisor", "leader", "wall"])
def test_desks_see_their_area_and_the_whole_district_without_one(role: str) -> None:
    assert visible(someone(role), "incidents") == set(INCIDENTS)
    assert visible(someone(role, DISTRICT), "incidents") == set(INCIDENTS)
    assert visible(someone(role, "340604000000"), "incidents") == set(INCIDENTS)
    assert visible(someone(role, TOWN), "incidents") == {"i-town"}
    assert visible(someone(role, "340604001000"), "incidents") == {"i-town"}
    assert visible(someone(role, "340604009"), "incidents") == set()
    assert visible(someone(role, TOWN), "assignments") == {"a-1", "a-2"}
    assert visible(someone(role), "assignments") == {"a-1", "a-2", "a-gone"}
    assert visible(someone(role, TOWN), "cameras") == {"c-town", "c-edge"}
    assert visible(someone(role, TOWN), "responders") == {"r-worker", "r-police"}


def test_field_staff_see_what_concerns_them() -> None:
    assert visible(someone("worker"), "incidents") == {"i-town"}
    assert visible(someone("worker", responder_id="r-staff"), "incidents") == set()
    assert visible(someone("police"), "incidents") == {"i-town"}
    assert visible(someone("worker", responder_id="r-declined"), "incidents") == {"i-town"}
    assert visible(someone("police"), "assignments") == {"a-1", "a-2", "a-gone"}
    assert visible(someone("worker"), "responders") == {"r-worker"}
    assert visible(someone("police"), "cameras") == {"c-town", "c-edge"}
    assert visible(someone("worker"), "cameras") == set()
    assert visible(someone("worker"), "messages") == {"m-1"}
    assert visible(someone("police"), "messages") == {"m-2"}


def test_own_beat_own_report_own_grid() -> None:
    beat = {"id": "x", "grid": OTHER_GRID, "beat": "b-9"}
    report = {"id": "x", "reported_by": "u-worker"}
    assert access.sees(someone("police"), "incidents", beat, lookup)
    assert not access.sees(someone("worker"), "incidents", beat, lookup)
    assert access.sees(someone("worker"), "incidents", report, lookup)
    assert not access.sees(someone("police"), "incidents", report, lookup)


def test_a_department_sees_what_it_leads_and_its_people() -> None:
    dept = someone("dept")
    assert visible(dept, "incidents") == {"i-other"}
    assert visible(dept, "responders") == {"r-staff"}
    assert visible(dept, "cameras") == {"c-other"}
    assert visible(someone("dept", TOWN), "cameras") == set()
    assert access.may(dept, "incident.dispatch", "incidents", INCIDENTS["i-other"], lookup)
    assert not access.may(dept, "incident.dispatch", "incidents", INCIDENTS["i-town"], lookup)
    taking_part = {"id": "x", "assignments": (), "reported_by": "u-dept"}
    assert access.sees(dept, "incidents", taking_part, lookup)
    assert not access.may(dept, "incident.dispatch", "incidents", taking_part, lookup)


def test_positions_only_on_duty() -> None:
    off = {**RESPONDERS["r-worker"], "on_duty": False}
    for role in FILE:
        assert not access.sees_position(someone(role), off, lookup)
    assert access.sees_position(someone("dispatcher"), RESPONDERS["r-worker"], lookup)
    assert not access.sees_position(someone("operator"), RESPONDERS["r-worker"], lookup)
    assert access.sees_position(someone("worker"), RESPONDERS["r-worker"], lookup)
    assert not access.sees_position(someone("worker"), RESPONDERS["r-police"], lookup)


def test_an_integration_follows_what_it_reported() -> None:
    assert visible(someone("integration"), "incidents") == {"i-nowhere"}
    for kind in ("responders", "cameras", "messages"):
        assert visible(someone("integration"), kind) == set()


def test_a_contact_is_for_those_at_work_on_it() -> None:
    town = INCIDENTS["i-town"]
    claimed = {**town, "claimed_by": "u-dispatcher"}

    def unmasks(principal: Principal, incident: object) -> bool:
        return access.may(principal, "contact.unmask", "incidents", incident, lookup)

    assert unmasks(someone("police"), town)
    assert not unmasks(someone("worker"), town)
    assert not unmasks(someone("worker", responder_id="r-declined"), town)
    assert unmasks(someone("dispatcher"), claimed)
    assert not unmasks(someone("dispatcher"), town)
    assert not unmasks(someone("leader"), claimed)
    for role in ("dept", "admin", "wall", "integration"):
        assert not unmasks(someone(role), {**claimed, "reported_by": f"u-{role}"})


def test_handling_is_for_the_one_who_was_sent() -> None:
    job = ASSIGNMENTS["a-1"]
    assert access.may(someone("police"), "incident.handle", "assignments", job, lookup)
    assert not access.may(someone("worker"), "incident.handle", "assignments", job, lookup)
    assert not access.may(someone("dispatcher"), "incident.handle", "assignments", job, lookup)


def test_demand_tells_absent_from_forbidden() -> None:
    worker, town = someone("worker"), INCIDENTS["i-town"]
    with pytest.raises(Forbidden):
        access.demand(worker, "incident.dispatch", "incidents", town, "i-town", lookup)
    with pytest.raises(NotFound) as hidden:
        access.demand(worker, "incident.note", "incidents", INCIDENTS["i-other"], "i-other", lookup)
    with pytest.raises(NotFound) as absent:
        access.demand(worker, "incident.note", "incidents", None, "i-other", lookup)
    # What may not be seen cannot be told from what does not exist.
    assert str(hidden.value) == str(absent.value)
    with pytest.raises(Forbidden):
        access.demand(worker, "contact.unmask", "incidents", town, "i-town", lookup)
    access.demand(worker, "incident.note", "incidents", town, "i-town", lookup)


@pytest.mark.parametrize("role", [*FILE, "a role that is gone"])
@pytest.mark.parametrize("kind", ["persons", "", "Incidents", "audit", "__class__"])
def test_an_unknown_kind_is_invisible(role: str, kind: str) -> None:
    assert not access.sees(someone(role), kind, {"id": "x", "grid": GRID}, lookup)


@pytest.mark.parametrize("role", ["operator", "dispatcher", "supervisor", "leader", "wall"])
def test_tours_are_for_those_who_see_every_camera_and_alarms_follow_theirs(role: str) -> None:
    assert visible(someone(role), "tours") == {"t-1"}
    assert visible(someone(role), "layouts") == {"l-1"}
    assert visible(someone(role), "alarms") == {"x-town", "x-other", "x-gone", "x-device"}
    assert visible(someone(role, TOWN), "cameras") == {"c-town", "c-edge"}
    assert visible(someone(role, TOWN), "tours") == visible(someone(role, TOWN), "layouts") == set()
    assert visible(someone(role, TOWN), "alarms") == {"x-town"}


def test_field_staff_and_departments_see_the_alarms_of_their_cameras() -> None:
    assert visible(someone("police"), "cameras") == {"c-town", "c-edge"}
    assert visible(someone("police"), "alarms") == {"x-town"}
    assert visible(someone("dept"), "alarms") == {"x-other"}
    for role in ("worker", "admin", "integration"):
        assert visible(someone(role), "alarms") == visible(someone(role), "tours") == set()


@pytest.mark.parametrize("role", ["operator", "dispatcher", "leader", "wall", "police", "worker", "dept"])
def test_whoever_has_the_map_sees_every_closed_road(role: str) -> None:
    assert visible(someone(role), "closures") == visible(someone(role, TOWN), "closures") == {"x-1"}
    assert visible(someone("integration"), "closures") == visible(someone("admin"), "closures") == set()


def test_a_role_that_is_gone_may_nothing() -> None:
    ghost = someone("a role that is gone")
    assert ghost.permissions == frozenset()
    assert not any(access.allows(ghost, permission) for permission in PERMISSIONS)
    assert not any(visible(ghost, kind) for kind in BOARD)


def test_an_unknown_permission_is_a_slip_in_the_code() -> None:
    with pytest.raises(KeyError):
        access.allows(someone("admin"), "incident.destroy")


@given(st.sampled_from(sorted(FILE)), st.text(alphabet="0123456789", min_size=6, max_size=15))
def test_a_smaller_area_never_shows_more(role: str, area: str) -> None:
    for kind in BOARD:
        assert visible(someone(role, area), kind) <= visible(someone(role), kind)
        assert visible(someone(role, area + "1"), kind) <= visible(someone(role, area), kind)


@pytest.mark.parametrize("role", FILE)
def test_a_view_shows_what_the_rule_shows(role: str) -> None:
    principal = someone(role, TOWN)
    view: View = access.view_for(principal, lookup)
    for kind in KINDS:
        for id, entity in BOARD[kind].items():
            assert view.sees(kind, id, entity) == access.sees(principal, kind, entity, lookup)
    assert not view.unrestricted or not view.topics


@pytest.mark.parametrize("role", FILE)
def test_an_unrestricted_view_really_sees_everything_of_its_topics(role: str) -> None:
    view = access.view_for(someone(role), lookup)
    topic_of = TOPIC_OF_KIND
    if view.unrestricted:
        assert view.share == "everything"
        for kind in BOARD:
            if topic_of[kind] in view.topics:
                assert all(view.sees(kind, id, entity) for id, entity in BOARD[kind].items())
    else:
        assert view.share is None


def test_topics_are_those_asked_for_and_allowed() -> None:
    asked = ["incidents", "messages", "telemetry", "everything"]
    assert access.view_for(someone("wall"), lookup, asked).topics == {"incidents", "telemetry"}
    assert access.view_for(someone("operator"), lookup, asked).topics == {"incidents", "messages"}
    assert access.view_for(someone("worker"), lookup).topics == {
        "incidents",
        "responders",
        "messages",
        "telemetry",
    }
    assert access.view_for(someone("dispatcher"), lookup).sees_position("r-police")
    assert not access.view_for(someone("dispatcher"), lookup).sees_position("r-none")


def test_codes_in_the_area() -> None:
    assert access.covers(someone("dispatcher", TOWN), GRID)
    assert not access.covers(someone("dispatcher", TOWN), OTHER_GRID)
    assert not access.covers(someone("dispatcher", TOWN), None)
    assert access.covers(someone("dispatcher"), None)
    assert significant("340604001000000") == TOWN
    assert significant("340604") == "340604"


def test_every_command_needs_a_permission_that_exists() -> None:
    assert set(COMMANDS.values()) <= set(PERMISSIONS)


def test_commands_cover_the_lifecycle() -> None:
    from command.incidents import LIFECYCLE

    assert set(LIFECYCLE) - {"report", "attach"} <= set(COMMANDS)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[roles.x]\nname='x'\n[roles.x.permissions]\n'incident.destroy'='all'", "incident.destroy"),
        ("[roles.x]\nname='x'\n[roles.x.permissions]\n'view.map'='everything'", "everything"),
        ("[roles.x]\nname='x'\nadmin=true\n[roles.x.permissions]\n", "roles.x"),
        ("[rolls.x]\nname='x'", "rolls"),
        ("[roles.x]\nname='x'\n[roles.x.permissions]\n'layers.export'='own'", "layers.export"),
    ],
)
def test_a_bad_roles_file_stops_the_start(tmp_path: Path, text: str, named: str) -> None:
    path = tmp_path / "roles.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"roles\.toml") as caught:
        load_roles(path)
    assert named in str(caught.value)


def test_a_roles_file_from_before_gives_what_is_new_to_nobody_and_that_is_known(tmp_path: Path) -> None:
    assert granted_to_nobody(ROLES) == ()
    old = "".join(
        line
        for line in ROLES_FILE.read_text("utf-8").splitlines(keepends=True)
        if "layers.export" not in line
    )
    path = tmp_path / "roles.toml"
    path.write_text(old, "utf-8")
    roles = load_roles(path)
    assert set(roles) == set(ROLES)
    assert granted_to_nobody(roles) == ("layers.export",)


def test_the_actor_is_the_principal() -> None:
    actor = someone("police").actor
    assert (actor.id, actor.role, actor.responder_id) == ("u-police", "police", "r-police")
