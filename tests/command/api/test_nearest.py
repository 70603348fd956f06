from __future__ import annotations

from typing import Any

import pytest

from tests.command.api.test_incidents import error
from tests.fixtures import G1, G3, G5, G8, Centre, middle


async def test_the_ranking_names_everything_a_dispatcher_weighs(centre: Centre) -> None:
    lon, lat = middle(G3)
    answer = (await centre.get("dispatcher", "/nearest", lon=lon, lat=lat)).json()
    rows = answer["items"]
    assert answer["next"] is None
    assert rows[0]["responder_id"] == "p1"
    assert len(rows) == 5
    assert [row["eta_s"] for row in rows] == sorted(row["eta_s"] for row in rows)
    first = rows[0]
    assert (first["status"], first["eta_method"], first["stale"]) == ("free", "road", False)
    assert first["reasons"] == ["own_beat", "free"]
    assert first["fix_age_s"] == 0
    assert [row["route"] is not None for row in rows] == [True, True, True, False, False]
    for row in rows[:3]:
        assert len(row["route"]["coordinates"]) >= 2
        start = row["route"]["coordinates"][0]
        assert start == pytest.approx([row["lon"], row["lat"]], abs=0.01)


async def test_busy_stale_doubtful_and_lost_units(centre: Centre) -> None:
    await centre.dispatched("w1")
    centre.clock.advance(290)
    for key in ("w2", "w3", "p1"):
        centre.place(key, *middle(G1), age_s=60 if key == "w2" else 0)
    centre.clock.advance(20)
    lon, lat = middle(G1)
    answer = (await centre.get("dispatcher", "/nearest", lon=lon, lat=lat, include_busy="true")).json()
    rows = {row["responder_id"]: row for row in answer["items"]}
    assert "stale_fix" in rows["w2"]["reasons"]
    assert rows["w2"]["stale"]
    assert rows["w2"]["fix_age_s"] == 80
    left_out = {row["reason"]: row["count"] for row in answer["excluded"]}
    assert left_out["offline"] >= 2
    busy = (await centre.get("dispatcher", "/nearest", lon=lon, lat=lat)).json()
    assert "w1" not in [row["responder_id"] for row in busy["items"]]


async def test_only_those_who_may_know_where_units_are(centre: Centre) -> None:
    lon, lat = middle(G1)
    for username in ("operator", "admin"):
        error(await centre.get(username, "/nearest", lon=lon, lat=lat), 403, "forbidden")
    for username, seen in (("worker", {"w1"}), ("dept", {"e1"}), ("town", {"p1", "w1", "w2"})):
        answer = await centre.get(username, "/nearest", lon=lon, lat=lat)
        assert {row["responder_id"] for row in answer.json()["items"]} == seen, username
    far = await centre.report(grid=G8)
    error(await centre.get("worker", "/nearest", incident_id=far["id"]), 404, "not_found")
    error(await centre.get("dispatcher", "/nearest", incident_id="i_none"), 404, "not_found")


async def test_a_query_that_makes_no_sense_names_its_field(centre: Centre) -> None:
    queries: list[tuple[dict[str, Any], str]] = [
        ({}, "lon"),
        ({"lon": 116.8}, "lon"),
        ({"lon": 181, "lat": 1}, "lon"),
        ({"lon": 116.8, "lat": "north"}, "lat"),
        ({"lon": 116.8, "lat": 33.9, "kinds": "wizard"}, "kinds"),
        ({"lon": 116.8, "lat": 33.9, "limit": 0}, "limit"),
    ]
    for query, field in queries:
        assert error(await centre.get("dispatcher", "/nearest", **query), 422, "malformed")["field"] == field


async def test_kinds_and_skills_are_asked_for(centre: Centre) -> None:
    lon, lat = middle(G1)

    async def ids(**query: Any) -> list[str]:
        answer = await centre.get("dispatcher", "/nearest", lon=lon, lat=lat, limit=100, **query)
        return [row["responder_id"] for row in answer.json()["items"]]

    assert await ids(kinds="police") == ["p1", "p2"]
    assert set(await ids(kinds="police,grid_worker")) == {"p1", "p2", "w1", "w2", "w3"}
    assert await ids(skills="pump") == ["e1"]
    assert await ids(skills="pump,first_aid") == []


async def test_a_route_has_turns_in_words(centre: Centre) -> None:
    (a, b), (c, d) = middle(G1), middle(G5)
    query: dict[str, Any] = {"from_lon": a, "from_lat": b, "to_lon": c, "to_lat": d}
    answer = (await centre.get("worker", "/route", **query)).json()
    assert answer["eta_method"] == "road"
    assert answer["distance_m"] >= 1_800
    assert answer["steps"][0]["text"]
    assert any("路" in (step["road"] or "") for step in answer["steps"])
    on_foot = (await centre.get("worker", "/route", profile="foot", **query)).json()
    assert on_foot["duration_s"] > answer["duration_s"]
    english = (await centre.get("worker", "/route", language="en", **query)).json()
    assert english["steps"][0]["text"] != answer["steps"][0]["text"]
    for change, field in (({"profile": "horse"}, "profile"), ({"to_lat": 91}, "to_lat")):
        answer = await centre.get("worker", "/route", **{**query, **change})
        assert error(answer, 422, "malformed")["field"] == field
