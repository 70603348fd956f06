"""Areas changed on the map, over the API: tried, put in force, refused with the place, looked back at, undone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import shapely

from command.district import DEPARTMENTS, RULES, load_district
from command.events import SYSTEM
from command.geography.revisions import Change
from tests.command.api.test_incidents import error
from tests.fixtures import COUNTY, G1, G2, G3, G5, G8, Centre, district_of

V1, V2 = G1[:12], G3[:12]
CORNER = [116.81, 33.91]
"""Where the four western grids meet."""


def move(at: list[float], to: list[float]) -> dict[str, Any]:
    return {"op": "move", "at": at, "to": to}


async def edit(centre: Centre, *steps: dict[str, Any], username: str = "admin", **more: Any) -> Any:
    body = {"base_revision": centre.core.keeper.revisions.current, "steps": list(steps), **more}
    return await centre.post(username, "/geography/edits", body)


async def test_what_can_be_taken_hold_of(centre: Centre) -> None:
    found = (await centre.get("admin", f"/geography/areas/{G1}/editable")).json()
    assert found["revision"] == 0
    assert found["area"]["geometry"]["type"] == "Polygon"
    rows = {(row["kind"], row["code"]): row for row in found["neighbours"]}
    assert set(rows) == {
        ("area", COUNTY), ("area", "340604001"), ("area", V1), ("area", V2), ("area", G2), ("area", G3),
        ("area", V2 + "002"), ("beat", "B-1"),
    }  # fmt: skip
    assert [row["code"] for row in found["neighbours"] if row["mergeable"]] == [G2]
    shared = {tuple(row["at"]): row["areas"] for row in found["shared"]}
    assert set(shared[116.81, 33.91]) == {G2, G3, V2 + "002", V1, V2}
    assert found["next_code"] == V1 + "003"
    error(await centre.get("operator", f"/geography/areas/{G1}/editable"), 403, "forbidden")
    error(await centre.get("admin", "/geography/areas/none/editable"), 404, "not_found")


async def test_a_shared_corner_moves_in_all_areas_and_holds_at_once(centre: Centre) -> None:
    before = centre.core.district.areas
    tried = (await edit(centre, move(CORNER, [116.812, 33.912]), dry_run=True)).json()
    assert (tried["revision"], tried["dry_run"]) == (None, True)
    assert [change["code"] for change in tried["changes"]] == sorted([V1, V2, G1, G2, G3, V2 + "002"])
    assert centre.core.district.areas is before
    answer = await edit(centre, move(CORNER, [116.812, 33.912]))
    assert answer.status_code == 200, answer.text
    done = answer.json()
    assert done["revision"] == 1
    assert done["changes"] == tried["changes"]
    change = done["changes"][0]
    assert change["fields"] == ["geometry"]
    assert change["before"]["area_km2"] != change["after"]["area_km2"]
    located = (await centre.get("operator", "/locate", lon=116.8115, lat=33.911)).json()
    assert located["areas"]["4"]["code"] == G1
    assert centre.core.board.geography["district"].revision == 1
    # What a restart would read is what is in force.
    stored = load_district(district_of(centre.data)).areas
    assert [replace(area, geometry=shapely.Polygon()) for area in stored.every] == [
        replace(area, geometry=shapely.Polygon()) for area in centre.core.district.areas.every
    ]
    assert all(
        area.geometry.equals(stored.area(area.code).geometry) for area in centre.core.district.areas.areas
    )
    revisions = (await centre.get("admin", "/geography/revisions")).json()["items"]
    assert revisions[0]["what"] == "areas"
    assert "调整边界" in revisions[0]["note"]
    undone = await centre.post("admin", "/geography/revisions/1/undo")
    assert undone.status_code == 200, undone.text
    assert (await centre.get("operator", "/locate", lon=116.8115, lat=33.911)).json()["areas"]["4"][
        "code"
    ] != G1


async def test_an_edit_drawn_on_old_areas_is_refused(centre: Centre) -> None:
    assert (await edit(centre, {"op": "set", "code": G1, "fields": {"name": "东街格"}})).status_code == 200
    stale = await edit(centre, move(CORNER, [116.812, 33.912]), base_revision=0)
    assert error(stale, 409, "stale_version")["version"] == 1
    error(
        await edit(centre, move(CORNER, [116.812, 33.912]), base_revision=0, dry_run=True),
        409,
        "stale_version",
    )
    error(await edit(centre, move(CORNER, [116.812, 33.912]), base_revision=9), 409, "stale_version")
    # Something else was imported meanwhile: that does no harm.
    places = centre.data / "places.csv"
    places.write_text("name,kind,address,lon,lat\n新站,车站,,116.81,33.91\n", "utf-8")
    await centre.core.keeper.put({"places.csv": places}, Change("places", "站", "u", "甲"), SYSTEM)
    assert (await edit(centre, move(CORNER, [116.812, 33.912]), base_revision=1)).json()["revision"] == 3


async def test_a_refused_edit_names_step_reason_and_place(centre: Centre) -> None:
    crossing = error(await edit(centre, move(CORNER, [116.835, 33.935])), 422, "edit_refused")
    assert crossing["reason"] in ("invalid", "overlap")
    assert crossing["areas"]
    junction = error(
        await edit(centre, {"op": "insert", "at": [116.805, 33.91]}, {"op": "delete", "at": CORNER}),
        422,
        "edit_refused",
    )
    assert (junction["reason"], junction["step"], junction["field"]) == ("junction", 1, "steps.1")
    assert junction["at"] == CORNER
    assert G1 in junction["areas"]
    bodies: list[dict[str, Any]] = [
        {"steps": []},
        {"steps": [{"op": "fly"}]},
        {"steps": [move([1e9, 0], [0, 0])]},
        {"steps": [{"op": "set", "code": G1, "fields": {"geometry": 1}}]},
        {"steps": [{"op": "set", "code": G1, "fields": {"name": None}}]},
        {
            "steps": [
                {"op": "split", "code": G1, "line": [[1, 1], [2, 2]], "new_code": "a b", "new_name": "x"}
            ]
        },
        {"steps": [move(CORNER, CORNER)] * 1001},
    ]
    for body in bodies:
        error(await centre.post("admin", "/geography/edits", {"base_revision": 0, **body}), 422, "malformed")
    assert centre.core.keeper.revisions.current == 0


async def test_merging_takes_people_beats_and_departments_along(centre: Centre) -> None:
    rules, departments = centre.data / RULES, centre.data / DEPARTMENTS
    rules.write_text(f"category,department,grids\ntraffic,交警大队,{G2}\n", "utf-8")
    departments.write_text(f"department,code,name,grids\n城管局,CG1,一片,{G1}、{G2}\n", "utf-8")
    await centre.core.keeper.put(
        {RULES: rules, DEPARTMENTS: departments}, Change("rules", "", "u", "甲"), SYSTEM
    )
    answer = (await edit(centre, {"op": "merge", "keep": G1, "gone": G2})).json()
    assert answer["gone"] == {G2: [G1]}
    district = centre.core.district
    assert G2 not in district.areas
    assert district.areas.area(G1).posts == 2
    assert {key: p.grids for key, p in centre.core.board.responders.items() if G1 in p.grids} == {
        "w1": (G1,),
        "w2": (G1,),
    }
    assert G2 not in district.areas.beat("B-1").grids
    assert district.rules[0].grids == district.departments[0].grids == (G1,)
    error(await centre.get("admin", f"/areas/{G2}"), 403, "forbidden")
    assert (await centre.get("admin", f"/geography/areas/{G2}/history")).json()["changes"][0]["after"] is None


async def test_a_split_from_a_day_on_and_its_history(centre: Centre) -> None:
    line = [[116.805, 33.89], [116.805, 33.93]]
    split = {"op": "split", "code": G1, "line": line, "new_code": V1 + "003", "new_name": "西街格"}
    named = {"op": "set", "code": V1 + "003", "fields": {"posts": 2, "kind": "dedicated"}}
    assert (await edit(centre, {"op": "set", "code": G1, "fields": {"households": 310}})).status_code == 200
    answer = await edit(centre, split, named, valid_from="2026-11-22", note="开发区单列")
    assert answer.status_code == 200, answer.text
    assert V1 + "003" in centre.core.district.areas.beat("B-1").grids
    history = (await centre.get("admin", f"/geography/areas/{G1}/history")).json()
    assert [(v["valid_from"], v["valid_to"]) for v in history["versions"]] == [
        (None, "2026-11-21"),
        ("2026-11-22", None),
    ]
    assert [(c["revision"], c["note"], c["fields"]) for c in history["changes"]] == [
        (2, "开发区单列", ["geometry", "valid_from"]),
        (1, "修改：第1网格", ["households"]),
    ]
    assert history["changes"][1]["before"]["households"] == 300
    new = (await centre.get("admin", f"/geography/areas/{V1}003/history")).json()
    assert new["changes"][0]["before"] is None
    assert (new["versions"][0]["kind"], new["versions"][0]["posts"]) == ("dedicated", 2)
    error(await centre.get("admin", "/geography/areas/none/history"), 404, "not_found")


async def test_a_grid_changes_villages_and_nothing_changes_for_nothing(centre: Centre) -> None:
    answer = (await edit(centre, {"op": "set", "code": G3, "fields": {"parent": V1}})).json()
    assert {c["code"]: c["fields"] for c in answer["changes"]} == {
        G3: ["parent"],
        V1: ["geometry"],
        V2: ["geometry"],
    }
    nothing = (await edit(centre, {"op": "set", "code": G5, "fields": {"chief": ""}})).json()
    assert (nothing["revision"], nothing["changes"]) == (None, [])


@pytest.mark.parametrize("username", ["operator", "leader", "dept", "worker"])
async def test_only_who_keeps_the_areas_may_change_them(centre: Centre, username: str) -> None:
    error(await edit(centre, move(CORNER, [116.812, 33.912]), username=username), 403, "forbidden")
    error(await centre.get(username, f"/geography/areas/{G8}/history"), 403, "forbidden")
