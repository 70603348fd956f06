from __future__ import annotations

from tests.fixtures import Centre


async def test_places_are_listed_by_kind_box_and_sight(centre: Centre) -> None:
    async def names(username: str = "operator", **query: object) -> list[str]:
        answer = await centre.get(username, "/places", **query)
        assert answer.status_code == 200, answer.text
        return [row["name"] for row in answer.json()["items"]]

    assert await names() == ["三桥中学", "县医院"]
    assert await names(kind="学校") == ["三桥中学"]
    assert await names(bbox="116.82,33.91,116.83,33.92") == ["县医院"]
    assert await names("town") == ["三桥中学"]
    page = (await centre.get("operator", "/places", limit=1)).json()
    assert (len(page["items"]), page["next"]) == (1, "1")
    assert (await centre.get("operator", "/checkpoints")).json() == {"items": [], "next": None}
