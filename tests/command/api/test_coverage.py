"""How the county is covered, for whom, and what changes when somebody leaves."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from command.cameras import Status
from tests.command.api.test_incidents import error
from tests.fixtures import COUNTY, G1, G2, G5, G6, G7, G8, Centre

Json = dict[str, Any]


async def ask(centre: Centre, who: str = "leader", path: str = "/coverage", **query: Any) -> Json:
    answer = await centre.get(who, path, **query)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def by_code(page: Json) -> dict[str, Json]:
    return {row["code"]: row for row in page["items"]}


async def test_every_tier_adds_up(centre: Centre) -> None:
    page = await ask(centre)
    assert (page["minutes"], page["method"], page["seen_basis"]) == (5, "road", "theoretical")
    rows = by_code(page)
    assert len(rows) == 16
    county, grids = rows[COUNTY], [row for row in rows.values() if row["tier"] == 4]
    assert (county["grids"], county["staffed"], county["on_duty"], county["measured"]) == (8, 4, 4, 8)
    assert county["road_m"] == pytest.approx(sum(row["road_m"] for row in grids), abs=8)
    assert list(county["reach"]) == ["3", "5", "10"]
    assert county["reach"]["3"] <= county["reach"]["5"] <= county["reach"]["10"]
    assert county["median_s"] <= county["p90_s"]
    assert county["reached"]["10"] == sum(row["reached"]["10"] for row in grids)
    assert rows[G1]["workers"] == [{"responder_id": "w1", "name": "周巧云", "on_duty": True}]
    assert (rows[G8]["workers"], rows[G8]["staffed"]) == ([], 0)
    assert "workers" not in county
    # Streets on the borders and the rim of the county are out of nobody's reach for long.
    asked = by_code(await ask(centre, minutes=1))[COUNTY]
    assert list(asked["reach"]) == ["1", "3", "5", "10"]
    assert 0 < asked["reach"]["1"] < county["reach"]["3"]


async def test_targets_are_those_of_the_settings(centre: Centre) -> None:
    targets = (await ask(centre))["targets"]
    assert targets == {"staffed": None, "duty": None, "reach": 0.9, "seen": None}
    # Set for five minutes, it says nothing of three.
    assert (await ask(centre, minutes=3))["targets"]["reach"] is None
    rates = {one["code"]: one["target"] for one in (await ask(centre, path="/indicators"))["items"]}
    assert (rates["on_time_rate"], rates["completion_rate"]) == (0.95, None)
    present = {one["code"]: one["target"] for one in (await ask(centre, path="/indicators"))["present"]}
    assert (present["camera_intact"], present["staffing_rate"]) == (0.95, None)


async def test_gaps_are_outlines_of_what_is_out_of_reach(centre: Centre) -> None:
    page = await ask(centre, minutes=1)
    gaps = page["gaps"]["features"]
    assert gaps
    assert all(gap["geometry"]["type"] in ("Polygon", "MultiPolygon") for gap in gaps)
    county = by_code(page)[COUNTY]
    missed = (1 - county["reach"]["1"]) * county["road_m"]
    assert sum(gap["properties"]["road_m"] for gap in gaps) == pytest.approx(missed, rel=0.02)
    (inside,) = {
        g
        for gap in (await ask(centre, area=G8, minutes=1))["gaps"]["features"]
        for g in gap["properties"]["grids"]
    }
    assert inside == G8


async def test_sight_is_by_area(centre: Centre) -> None:
    town = by_code(await ask(centre, "town"))
    assert min(town) == "340604001"
    assert len(town) == 7
    assert all(code.startswith("340604001") for code in town)
    error(await centre.get("town", "/coverage", area=COUNTY), 404, "not_found")
    error(await centre.get("leader", "/coverage", area="none"), 404, "not_found")
    assert set(by_code(await ask(centre, "worker"))) == {G1}
    police = set(by_code(await ask(centre, "police2")))
    assert police == {G5, G6, G7, G8}
    assert set(by_code(await ask(centre, area=G1[:12]))) == {G1[:12], G1, G2}
    error(await centre.get("admin", "/coverage"), 403, "forbidden")
    # Names of other people's workers are not theirs to read.
    assert by_code(await ask(centre, "police2"))[G5]["workers"] == []
    for query, field in (
        ({"minutes": 0}, "minutes"),
        ({"minutes": 31}, "minutes"),
        ({"kinds": "x"}, "kinds"),
    ):
        assert error(await centre.get("leader", "/coverage", **query), 422, "malformed")["field"] == field


async def test_who_counts(centre: Centre) -> None:
    everybody = await ask(centre, kinds="all")
    assert everybody["responders"]["counted"] == 6
    one = await ask(centre, kinds="emergency_member")
    assert one["responders"]["counted"] == 1
    fewer, more = by_code(one)[COUNTY], by_code(everybody)[COUNTY]
    assert fewer["reach"]["3"] < more["reach"]["3"]
    await centre.dispatched("w1", grid=G1)
    centre.clock.advance(6)
    free = await ask(centre, kinds="grid_worker", free="true")
    assert free["responders"]["excluded"] == [{"reason": "busy", "count": 1}]


async def test_a_moment_is_kept_and_then_measured_anew(centre: Centre) -> None:
    first = await ask(centre)
    centre.clock.advance(2)
    assert (await ask(centre))["as_of"] == first["as_of"]
    centre.clock.advance(4)
    assert (await ask(centre))["as_of"] != first["as_of"]
    centre.clock.advance(3600)
    page = await ask(centre, kinds="all")
    assert page["responders"]["counted"] == 0
    county = by_code(page)[COUNTY]
    assert (county["reach"]["10"], county["median_s"], county["unreached"]) == (0.0, None, 1.0)


async def test_cameras_count_while_they_work(centre: Centre) -> None:
    assert (await ask(centre))["cameras"] == {
        "total": 3,
        "working": 0,
        "undirected": 0,
        "unchecked": 3,
    }
    board = centre.core.board
    for key in ("c1", "c2"):
        board.cameras[key] = msgspec.structs.replace(board.cameras[key], status=Status.LIVE)
    centre.clock.advance(6)
    page = await ask(centre)
    assert page["cameras"] == {
        "total": 3,
        "working": 2,
        "undirected": 1,
        "unchecked": 1,
    }
    rows = by_code(page)
    assert rows[COUNTY]["watched"] == 1
    assert rows[COUNTY]["seen"] > 0
    board.cameras["c1"] = msgspec.structs.replace(board.cameras["c1"], status=Status.OFFLINE)
    centre.clock.advance(6)
    assert by_code(await ask(centre))[COUNTY]["seen"] == 0.0


async def test_what_opens_up_when_somebody_goes(centre: Centre) -> None:
    query: Json = {"minutes": 1, "kinds": "grid_worker"}
    whole = by_code(await ask(centre, **query))
    gone = await ask(centre, path="/coverage/without", responder_id="w3", **query)
    assert gone["counted"]
    grids = [row for row in gone["items"] if row["tier"] == 4 and row["lost_m"]]
    assert gone["lost_m"] == pytest.approx(sum(row["lost_m"] for row in grids), abs=8)
    assert gone["items"][0]["code"] == COUNTY
    assert gone["items"][0]["reach"]["before"] == whole[COUNTY]["reach"]["1"]
    assert gone["opened"]["features"]
    # And so it is, once she has gone.
    await centre.post("dispatcher", "/responders/w3/shift", {"on_duty": False})
    centre.clock.advance(6)
    after = by_code(await ask(centre, **query))
    assert gone["items"][0]["reach"]["after"] == pytest.approx(after[COUNTY]["reach"]["1"], abs=2e-4)
    error(await centre.get("leader", "/coverage/without", responder_id="w3"), 404, "not_found")
    other = await ask(centre, path="/coverage/without", responder_id="p1", kinds="grid_worker")
    assert (other["counted"], other["items"]) == (False, [])


async def test_a_position_one_may_not_see_is_not_told_this_way(centre: Centre) -> None:
    error(await centre.get("town", "/coverage/without", responder_id="w3"), 404, "not_found")
    error(await centre.get("worker", "/coverage/without", responder_id="p1"), 404, "not_found")
    error(await centre.get("leader", "/coverage/without", responder_id="none"), 404, "not_found")


async def test_where_one_more_would_help(centre: Centre) -> None:
    page = await ask(centre, path="/coverage/one_more", minutes=1, limit=2, kinds="grid_worker")
    first, second = page["items"]
    assert first["gain_m"] >= second["gain_m"] > 0
    assert first["gain_m"] == pytest.approx(sum(row["gain_m"] for row in first["grids"]), abs=8)
    assert first["address"]
    town = await ask(centre, "town", path="/coverage/one_more", minutes=1, kinds="grid_worker")
    assert {g["code"][:9] for item in town["items"] for g in item["grids"]} == {"340604001"}
    nothing = await ask(centre, path="/coverage/one_more", minutes=30, kinds="all")
    assert nothing["items"] == []
