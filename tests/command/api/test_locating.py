"""Many points at once: the same answers as one by one, whose grid it is, and for whom that is to be known."""

from __future__ import annotations

import pytest

from command.geography.responsibility import Responsibility, ResponsibilityRule
from tests.command.api.test_incidents import error
from tests.fixtures import CELL, G1, G3, G5, G8, GRIDS, SOUTH, WEST, Centre, middle


async def test_many_points_are_answered_as_each_alone(centre: Centre) -> None:
    points = [middle(grid) for grid in GRIDS] + [(100.0, 30.0)]
    # Corners and borders, where several grids meet.
    points += [(WEST + CELL * i / 2, SOUTH + CELL * j / 2) for i in range(-1, 10) for j in range(-1, 6)]
    found = (await centre.post("operator", "/locate", {"points": points})).json()
    assert len(found["items"]) == len(points)
    assert found["next"] is None
    for (lon, lat), item in list(zip(points, found["items"], strict=True))[::3]:
        alone = (await centre.get("operator", "/locate", lon=lon, lat=lat)).json()
        assert item["areas"] == {tier: area["code"] for tier, area in alone["areas"].items()}
        assert item["beat"] == (alone["beat"] and alone["beat"]["code"])
        assert item["owner"] == (alone["owner"] and alone["owner"]["responder_id"])
    assert found["items"][0] == {
        "areas": {"1": G1[:6], "2": G1[:9], "3": G1[:12], "4": G1},
        "beat": "B-1",
        "owner": "w1",
    }
    assert found["areas"][G5] == {"name": "第1网格", "tier": 4, "label": "网格"}
    assert found["beats"]["B-2"] == {"name": "东警格", "station": "石台派出所"}
    assert found["owners"]["w3"]["name"] == "何春梅"


async def test_a_tie_goes_to_the_smallest_code(centre: Centre) -> None:
    # The corner of four grids, and the border of two townships' villages.
    corner = (WEST + CELL, SOUTH + CELL)
    [item] = (await centre.post("operator", "/locate", {"points": [corner]})).json()["items"]
    assert item["areas"]["4"] == G1
    assert (await centre.get("operator", "/locate", lon=corner[0], lat=corner[1])).json()["areas"]["4"][
        "code"
    ] == G1
    located = centre.core.district.areas
    assert located.grids[int(located.locate_many([corner[0]], [corner[1]])[0])].code == G1


async def test_the_owner_is_told_to_those_who_may_see_that_person(centre: Centre) -> None:
    lon, lat = middle(G5)
    owner = (await centre.get("operator", "/locate", lon=lon, lat=lat)).json()["owner"]
    assert owner == {"responder_id": "w3", "name": "何春梅", "kind": "grid_worker", "on_duty": True}
    # Another worker's colleague, and another township's.
    for username in ("worker", "town"):
        assert (await centre.get(username, "/locate", lon=lon, lat=lat)).json()["owner"] is None
        many = (await centre.post(username, "/locate", {"points": [middle(G5), middle(G1)]})).json()
        assert [item["owner"] for item in many["items"]] == [None, "w1"]
        assert set(many["owners"]) == {"w1"}
    nobody = (await centre.get("operator", "/locate", lon=middle(G3)[0], lat=middle(G3)[1])).json()
    assert nobody["owner"] is None


async def test_the_responsible_department_of_each_point(
    centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = Responsibility(
        [
            ResponsibilityRule("traffic", "交警大队"),
            ResponsibilityRule("traffic", "石台乡", division="340604011"),
        ]
    )
    monkeypatch.setattr(centre.core.district, "responsibility", rules)
    body = {"points": [middle(G1), middle(G8), (100.0, 30.0)], "category": "traffic"}
    items = (await centre.post("operator", "/locate", body)).json()["items"]
    assert [item["department"] for item in items] == ["交警大队", "石台乡", "交警大队"]
    body["category"] = "nonsense"
    assert error(await centre.post("operator", "/locate", body), 422, "malformed")["field"] == "category"


async def test_points_that_are_none_are_refused_by_name(centre: Centre) -> None:
    bad: list[tuple[object, str]] = [
        ([[181, 0]], "points.0.0"),
        ([[0, 91]], "points.0.1"),
        ([[0]], "points.0.1"),
        ([[0, 1, 2]], "points.0"),
        ("x", "points"),
        ([[0, 0]] * 20_001, "points"),
        ([["x", 1]], "points.0.0"),
    ]
    for points, field in bad:
        answer = await centre.post("operator", "/locate", {"points": points})
        assert error(answer, 422, "malformed")["field"] == field


async def test_none_and_twenty_thousand(centre: Centre) -> None:
    assert (await centre.post("operator", "/locate", {"points": []})).json()["items"] == []
    points = [(round(116.80 + n * 2e-6, 6), 33.905) for n in range(20_000)]
    items = (await centre.post("operator", "/locate", {"points": points})).json()["items"]
    assert len(items) == 20_000
    assert {item["areas"]["4"] for item in items} == {G1, G3, G5, G8[:14] + "1"}
    assert error(await centre.post("admin", "/locate", {"points": []}), 403, "forbidden")
