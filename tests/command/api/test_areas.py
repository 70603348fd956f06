"""Areas, points, and the community page: whole for the desks, without what others may not know."""

from __future__ import annotations

from typing import Any

from tests.command.api.test_incidents import error
from tests.fixtures import COUNTY, G1, G2, G3, G5, G8, Centre, middle


async def test_the_tree_is_listed_by_tier_parent_box_and_sight(centre: Centre) -> None:
    async def codes(username: str = "operator", **query: Any) -> list[str]:
        answer = await centre.get(username, "/areas", **query)
        assert answer.status_code == 200, answer.text
        return [row["code"] for row in answer.json()["items"]]

    assert len(await codes()) == 16
    assert await codes(tier=2) == ["340604001", "340604010", "340604011"]
    assert await codes(parent="340604001001") == [G1, G2]
    assert await codes(tier=4, bbox="116.821,33.901,116.829,33.909") == [G5]
    assert await codes("town", tier=2) == ["340604001"]
    # Whoever keeps the areas reads their names, and nothing of what happens in them.
    assert await codes("admin", tier=2) == ["340604001", "340604010", "340604011"]
    error(await centre.get("admin", "/areas/340604001001/overview"), 403, "forbidden")
    for query, field in (({"bbox": "1,2"}, "bbox"), ({"tier": 0}, "tier"), ({"tier": "x"}, "tier")):
        assert error(await centre.get("operator", "/areas", **query), 422, "malformed")["field"] == field
    row = (await centre.get("operator", f"/areas/{G1}")).json()
    assert (row["name"], row["tier"], row["parent"], row["beat"]) == ("第1网格", 4, G1[:12], "B-1")
    assert row["geometry"]["type"] in ("Polygon", "MultiPolygon")
    listed = (await centre.get("operator", "/areas", tier=1, geometry="true")).json()["items"][0]
    assert "coordinates" in listed["geometry"]
    error(await centre.get("operator", "/areas/none"), 404, "not_found")
    error(await centre.get("operator", "/areas/none/overview"), 404, "not_found")


async def test_outlines_for_the_map_are_cached_by_their_content(centre: Centre) -> None:
    answer = await centre.get("operator", "/areas.geojson", tier=4)
    features = answer.json()["features"]
    vacant = {feature["id"] for feature in features if feature["properties"]["vacant"]}
    assert len(features) == 8
    assert vacant == {G3, G3[:12] + "002", G8[:12] + "001", G8}
    client = await centre.as_("operator")
    again = await client.get(
        "/api/v1/areas.geojson?tier=4", headers={"if-none-match": answer.headers["etag"]}
    )
    assert (again.status_code, again.content) == (304, b"")
    assert (await centre.get("operator", "/areas.geojson", tier=3)).headers["etag"] != answer.headers["etag"]


async def test_a_point_lies_in_one_area_of_each_tier(centre: Centre) -> None:
    lon, lat = middle(G5)
    found = (await centre.get("worker", "/locate", lon=lon, lat=lat)).json()
    assert {tier: area["code"] for tier, area in found["areas"].items()} == {
        "1": COUNTY,
        "2": "340604010",
        "3": "340604010001",
        "4": G5,
    }
    assert found["beat"] == {"code": "B-2", "name": "东警格", "station": "石台派出所"}
    assert found["address"].startswith("十里铺村")
    outside = (await centre.get("operator", "/locate", lon=100, lat=30)).json()
    nothing = {"areas": {}, "beat": None, "owner": None, "address": None}
    assert outside == {**nothing, "departments": [], "responsible": None}
    for query in ({"lon": 181, "lat": 1}, {"lat": 1}, {"lon": "nan", "lat": 1}, {"lon": "inf", "lat": 1}):
        assert error(await centre.get("operator", "/locate", **query), 422, "malformed")["field"] == "lon"


async def test_the_community_page_tells_who_is_there_and_what_is_open(centre: Centre) -> None:
    incident = await centre.report(grid=G1)
    await centre.report(grid=G8)
    page = (await centre.get("dispatcher", "/areas/340604001001/overview")).json()
    assert [step["code"] for step in page["path"]] == [COUNTY, "340604001", "340604001001"]
    figures = page["figures"]
    assert (figures["grids"], figures["vacant_grids"], figures["staff"], figures["on_duty"]) == (2, 0, 2, 2)
    assert figures["open_incidents"] == 1
    assert page["incidents"] == [incident["id"]]
    assert page["nearest"][0]["responder_id"] in ("w1", "w2")
    assert figures["fastest_s"] == page["nearest"][0]["eta_s"] or figures["fastest_s"] is not None
    kinds = [row["kind"] for row in page["people"]]
    assert kinds == ["grid_chief", "grid_worker", "grid_worker", "police"]
    assert {row["phone"] for row in page["people"][1:]} == {"13900000001", "13900000002", "13900000011"}
    assert page["coverage"]["staffed"] == {"n": 2, "d": 2}
    assert page["coverage"]["reach_5min"] == {"n": 2, "d": 2}
    assert page["beat"]["code"] == "B-1"
    empty = (await centre.get("dispatcher", "/areas/340604001002/overview")).json()
    assert [row["vacant"] for row in empty["people"]] == [False, True, True, False]
    assert empty["coverage"]["staffed"] == {"n": 0, "d": 2}
    assert empty["cameras"] == ["c1"]
    grid = (await centre.get("dispatcher", f"/areas/{G1}/overview")).json()
    assert grid["figures"]["grids"] == 1


async def test_the_community_page_hides_what_one_may_not_know(centre: Centre) -> None:
    await centre.report(grid=G1)
    # Operators see who is on duty, but not where anybody is.
    page = (await centre.get("operator", "/areas/340604001001/overview")).json()
    assert page["nearest"] == []
    assert page["coverage"]["reach_5min"]["d"] == 2
    assert {row["responder_id"] for row in page["people"]} == {None, "w1", "w2", "p1"}
    # A worker sees the own name and number, not the colleagues'.
    page = (await centre.get("worker", "/areas/340604001001/overview")).json()
    assert {row["responder_id"] for row in page["people"]} == {None, "w1"}
    assert {row["responder_id"] for row in page["nearest"]} == {"w1"}
    text = (await centre.get("worker3", "/areas/340604001001/overview")).text
    assert "1390000000" not in text.replace("13900000003", "")
    assert "周巧云" not in text
    # Another town's page is not there.
    error(await centre.get("town", "/areas/340604011/overview"), 404, "not_found")
    error(await centre.get("town", f"/areas/{G8}"), 404, "not_found")
    assert (await centre.get("town", "/areas/340604001/overview")).status_code == 200


async def test_a_long_list_comes_in_pages(centre: Centre) -> None:
    found: list[str] = []
    query: dict[str, Any] = {"limit": 3}
    for _ in range(9):
        answer = (await centre.get("operator", "/areas", **query)).json()
        found += [row["code"] for row in answer["items"]]
        if answer["next"] is None:
            break
        query["cursor"] = answer["next"]
    assert len(found) == 16
    assert found == sorted(set(found))
