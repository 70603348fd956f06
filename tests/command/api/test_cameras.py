from __future__ import annotations

from tests.command.api.test_incidents import error
from tests.fixtures import G3, Centre


async def test_each_sees_the_cameras_they_may(centre: Centre) -> None:
    async def seen(username: str) -> list[str]:
        return [row["id"] for row in (await centre.get(username, "/cameras")).json()["items"]]

    for username in ("operator", "dispatcher", "leader"):
        assert await seen(username) == ["c1", "c2", "c3"]
    assert await seen("town") == ["c1"]
    assert await seen("dept") == ["c2"]  # the bureau's net
    error(await centre.get("worker", "/cameras"), 403, "forbidden")
    error(await centre.get("dept", "/cameras/c1"), 404, "not_found")
    error(await centre.get("dispatcher", "/cameras/none"), 404, "not_found")


async def test_lists_and_neighbours(centre: Centre) -> None:
    async def ids(path: str, **query: object) -> list[str]:
        answer = await centre.get("dispatcher", path, **query)
        assert answer.status_code == 200, answer.text
        return [row["id"] for row in answer.json()["items"]]

    assert await ids("/cameras", area="340604010") == ["c2"]
    assert await ids("/cameras", area="340604011") == ["c3"]
    assert await ids("/cameras", q="十里") == ["c2"]
    assert await ids("/cameras", q="34060400001320000001") == ["c1"]
    assert await ids("/cameras", status="unknown", limit=2) == ["c1", "c2"]
    assert await ids("/cameras", bbox="116.81,33.90,116.83,33.92") == ["c1", "c2"]
    assert await ids("/cameras/near", lon=116.835, lat=33.915, limit=2) == ["c3", "c2"]
    near = (await centre.get("dispatcher", "/cameras/near", lon=116.835, lat=33.915)).json()["items"]
    assert near[0]["distance_m"] == 0
    first = (await centre.get("dispatcher", "/cameras", limit=2)).json()
    assert await ids("/cameras", cursor=first["next"]) == ["c3"]
    answer = await centre.get("dispatcher", "/cameras/near", lon="x", lat=1)
    assert error(answer, 422, "malformed")["field"] == "lon"


async def test_what_looks_at_the_place_comes_before_what_is_nearer(centre: Centre) -> None:
    # c1 stands at 116.8151, 33.9052 and looks east, 60 degrees wide.
    for name, lon, azimuth in (
        ("east", 116.8153, 90.0),
        ("west", 116.81545, 270.0),
        ("blind", 116.81548, None),
    ):
        body = {"name": name, "lon": lon, "lat": 33.9052, "azimuth": azimuth, "fov": 60}
        assert (await centre.post("admin", "/cameras", body)).status_code == 201
    near = (await centre.get("dispatcher", "/cameras/near", lon=116.8155, lat=33.9052, limit=4)).json()[
        "items"
    ]
    assert [(row["name"], row["in_view"]) for row in near] == [
        ("east", True),
        ("渡口街北", True),
        ("blind", False),
        ("west", False),
    ]
    assert [row["distance_m"] for row in near] == sorted(row["distance_m"] for row in near[:2]) + sorted(
        row["distance_m"] for row in near[2:]
    )


async def test_lists_by_group_and_by_several_states(centre: Centre) -> None:
    body = {"name": "校门", "lon": 116.8151, "lat": 33.9052, "tour_groups": ["学校"]}
    made = (await centre.post("admin", "/cameras", body)).json()["id"]
    await centre.core.operations.cameras.health_changed("c1", "offline", "signal_lost")
    await centre.core.operations.cameras.health_changed("c2", "live", None)

    async def ids(**query: object) -> list[str]:
        return [row["id"] for row in (await centre.get("dispatcher", "/cameras", **query)).json()["items"]]

    assert await ids(group="学校") == [made]
    assert await ids(group="无") == []
    assert await ids(status="offline,live") == ["c1", "c2"]
    assert await ids(status="offline") == ["c1"]


async def test_an_administrator_registers_cameras(centre: Centre) -> None:
    body = {"name": "新点位", "lon": 116.8151, "lat": 33.9052, "azimuth": 90, "fov": 60}
    for username in ("dispatcher", "leader", "worker", "dept"):
        error(await centre.post(username, "/cameras", body), 403, "forbidden")
    answer = await centre.post("admin", "/cameras", body, **{"idempotency-key": "k"})
    assert answer.status_code == 201, answer.text
    camera = answer.json()
    assert (camera["grid"], camera["status"], camera["version"]) == (G3, "unknown", 1)
    again = await centre.post("admin", "/cameras", body, **{"idempotency-key": "k"})
    assert again.json()["id"] == camera["id"]
    assert (await centre.get("dispatcher", f"/cameras/{camera['id']}")).json()["name"] == "新点位"
    for change, field in (
        ({"name": ""}, "name"),
        ({"gb_id": "123"}, "gb_id"),
        ({"lon": 181}, "lon"),
        ({"network": "private"}, "network"),
        ({"azimuth": 360}, "azimuth"),
        ({"fov": 0}, "fov"),
        ({"status": "online"}, "status"),
    ):
        answer = await centre.post("admin", "/cameras", {**body, **change})
        assert error(answer, 422, "malformed")["field"] == field
