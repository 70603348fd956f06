"""Posts over the API: vacancies rolled up the tiers, and who shall fill them."""

from __future__ import annotations

from typing import Any

from tests.command.api.test_incidents import error
from tests.fixtures import COUNTY, G1, G2, G3, G4, G5, G6, G7, G8, Centre


async def put(centre: Centre, username: str, path: str, body: dict[str, Any]) -> Any:
    return await (await centre.as_(username)).put(f"/api/v1{path}", json=body)


async def test_vacancies_by_grid_and_counted_up_the_tiers(centre: Centre) -> None:
    found = (await centre.get("operator", "/staffing", tier=2)).json()
    workers = [row for row in found["items"] if row["post"] == "grid_worker"]
    assert [(row["grid"], row["missing"]) for row in workers] == [(G3, 1), (G4, 1), (G7, 1), (G8, 1)]
    assert found["figures"]["posts"] == found["figures"]["filled"] + found["figures"]["missing"] == 8
    assert (found["figures"]["people"], found["figures"]["shared"]) == (3, 1)
    assert (found["figures"]["staffed_grids"], found["figures"]["full_time_grids"]) == (4, 3)
    rows = {row["code"]: row for row in found["tiers"]}
    assert list(rows) == ["340604001", "340604010", "340604011"]
    assert (rows["340604001"]["grids"], rows["340604001"]["missing"]) == (4, 2)
    assert (rows["340604010"]["missing"], rows["340604011"]["missing"]) == (0, 2)
    township = (await centre.get("operator", "/staffing", area="340604011", tier=3)).json()
    assert [row["code"] for row in township["tiers"]] == ["340604011001"]
    assert township["figures"]["grids"] == 2
    # Restricted accounts see the posts of their own area only.
    town = (await centre.get("town", "/staffing", tier=1)).json()
    assert (town["figures"]["grids"], town["tiers"]) == (4, [])
    error(await centre.get("town", "/staffing", area=G8), 404, "not_found")
    error(await centre.get("operator", "/staffing", area="none"), 404, "not_found")


async def test_vacancies_come_in_pages(centre: Centre) -> None:
    rows: list[Any] = []
    query: dict[str, Any] = {"limit": 3}
    for _ in range(9):
        page = (await centre.get("operator", "/staffing", **query)).json()
        rows += page["items"]
        if page["next"] is None:
            break
        query["cursor"] = page["next"]
    assert rows == (await centre.get("operator", "/staffing")).json()["items"]


async def test_posts_are_filled_from_the_administration(centre: Centre) -> None:
    people = (await centre.get("admin", "/staffing/people", q="周")).json()["items"]
    assert [(row["responder_id"], row["grids"]) for row in people] == [("w1", [G1])]
    assert "phone" not in people[0]
    answer = await put(centre, "admin", f"/staffing/{G3}", {"workers": ["w1", "w2"]})
    assert answer.status_code == 200, answer.text
    row = answer.json()
    assert [person["responder_id"] for person in row["workers"]] == ["w1", "w2"]
    assert (row["posts"], row["filled"], row["missing"]) == (1, 1, 0)
    assert G3 in centre.core.board.responders["w1"].grids
    await put(centre, "admin", f"/staffing/{G3}", {"workers": ["w2"]})
    assert list(centre.core.board.responders["w1"].grids) == [G1]
    assert list(centre.core.board.responders["w2"].grids) == [G2, G3]
    assert (await centre.get("operator", f"/staffing/{G3}")).json()["workers"][0]["name"] == "林国栋"
    overview = (await centre.get("operator", f"/areas/{G3[:12]}/overview")).json()
    assert overview["figures"]["posts"] == 2
    assert overview["figures"]["posts_missing"] == overview["figures"]["vacant_grids"] == 1
    assert {row["grid"] for row in overview["vacancies"] if row["post"] == "grid_worker"} == {G4}


async def test_what_is_refused(centre: Centre) -> None:
    error(await put(centre, "dispatcher", f"/staffing/{G3}", {"workers": []}), 403, "forbidden")
    error(await centre.get("operator", "/staffing/people"), 403, "forbidden")
    error(await put(centre, "admin", f"/staffing/{G3}", {"workers": ["nobody"]}), 404, "not_found")
    error(await put(centre, "admin", "/staffing/none", {"workers": []}), 404, "not_found")
    assert (
        error(await put(centre, "admin", f"/staffing/{G3}", {"workers": ["p1"]}), 422, "malformed")["field"]
        == "workers"
    )
    assert (
        error(await put(centre, "admin", f"/staffing/{COUNTY}", {"workers": []}), 422, "malformed")["field"]
        == "code"
    )
    error(await put(centre, "admin", f"/staffing/{G3}", {"workers": ["w1"] * 51}), 422, "malformed")
    assert centre.core.board.responders["w3"].grids == (G5, G6)
