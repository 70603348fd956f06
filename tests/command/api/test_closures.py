from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2

from command.clock import rfc3339
from command.district import District
from tests.command.api.registry import put
from tests.command.api.test_incidents import error
from tests.fixtures import G1, Centre, Json, Keys, middle, open_centre

ACROSS = {
    "reason": "路面塌陷",
    "kind": "line",
    "coordinates": [[116.8030, 33.9075], [116.8070, 33.9075]],
}
"""Across the street that leads from G2 to the middle of G1."""


async def draw(centre: Centre, username: str = "operator", **more: Any) -> Json:
    answer = await centre.post(username, "/closures", {**ACROSS, **more})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def eta(centre: Centre, unit: str = "w2") -> float:
    """How long a unit takes to the middle of G1."""
    lon, lat = middle(G1)
    answer = await centre.get("dispatcher", "/nearest", lon=lon, lat=lat, kinds="all", limit=20)
    return next(float(row["eta_s"]) for row in answer.json()["items"] if row["responder_id"] == unit)


async def unreached(centre: Centre) -> float:
    """Metres of road of the county that nobody reaches within ten minutes."""
    answer = await centre.get("leader", "/coverage", minutes=10)
    assert answer.status_code == 200, answer.text
    return float(sum(gap["properties"]["road_m"] for gap in answer.json()["gaps"]["features"]))


def features(answer: httpx2.Response) -> dict[str, Json]:
    assert answer.status_code == 200, answer.text
    return {feature["id"]: feature for feature in answer.json()["features"]}


async def test_nearest_and_routes_go_around_at_once_and_back_when_it_ends(centre: Centre) -> None:
    free, before = await eta(centre), await unreached(centre)
    drawn = await draw(centre, ends_at=rfc3339(centre.clock.now() + timedelta(minutes=30)))
    assert (drawn["state"], drawn["roads"], drawn["areas"]) == ("in_force", ["纵1路"], [G1])
    closed = await eta(centre)
    assert closed > free + 30
    assert await unreached(centre) > before, "nobody drives along a closed road"
    (lon, lat), (to_lon, to_lat) = (116.805, 33.915), middle(G1)
    way = {"from_lon": lon, "from_lat": lat, "to_lon": to_lon, "to_lat": to_lat}
    route = (await centre.get("dispatcher", "/route", **way)).json()
    assert "纵1路" not in route["steps"][-2]["road"]
    feature = features(await centre.get("worker", "/closures.geojson"))[drawn["id"]]
    assert feature["properties"]["one_way"] is False
    (line,) = feature["geometry"]["coordinates"]
    assert sorted(line) == [[116.805, 33.905], [116.805, 33.91]]

    answer = await centre.post("operator", f"/closures/{drawn['id']}/end", {"reason": "抢修完成"})
    assert (answer.status_code, answer.json()["state"]) == (200, "ended")
    assert (await eta(centre), await unreached(centre)) == (free, before)
    assert features(await centre.get("worker", "/closures.geojson")) == {}
    error(await centre.post("operator", f"/closures/{drawn['id']}/end"), 409, "illegal_transition")
    for query, found in (({}, []), ({"state": "ended,planned"}, [drawn["id"]])):
        rows = (await centre.get("worker", "/closures", **query)).json()["items"]
        assert [row["id"] for row in rows] == found


async def test_only_one_direction_and_only_who_is_meant_is_stopped(centre: Centre) -> None:
    north = [[116.805, 33.9052], [116.805, 33.9098]]
    free = await eta(centre)
    drawn = await draw(centre, coordinates=north, direction="along")
    assert await eta(centre) == free, "w2 comes from the north"
    body = {**ACROSS, "coordinates": north, "direction": "against", "expected_version": 1}
    changed = await put(centre, "dispatcher", f"/closures/{drawn['id']}", body)
    assert (changed.status_code, changed.json()["version"]) == (200, 2)
    assert await eta(centre) > free
    (line,) = features(await centre.get("leader", "/closures.geojson"))[drawn["id"]]["geometry"][
        "coordinates"
    ]
    assert line[0][1] > line[-1][1], "drawn in the direction that is closed"
    error(await put(centre, "dispatcher", f"/closures/{drawn['id']}", body), 409, "stale_version")
    body |= {"profiles": ["car"], "expected_version": 2}
    assert (await put(centre, "dispatcher", f"/closures/{drawn['id']}", body)).status_code == 200
    assert await eta(centre) == free, "w2 rides a motorcycle"


async def test_desks_close_roads_in_their_own_area_and_nobody_else_does(centre: Centre) -> None:
    for username in ("dept", "police", "worker", "admin"):
        for path in ("/closures", "/closures/preview"):
            error(await centre.post(username, path, ACROSS), 403, "forbidden")
    assert (await centre.get("admin", "/closures")).status_code == 403
    mine = await draw(centre, "town")
    elsewhere = [[116.8270, 33.9075], [116.8330, 33.9075]]
    error(await centre.post("town", "/closures", {**ACROSS, "coordinates": elsewhere}), 403, "forbidden")
    over = [[116.8170, 33.9075], [116.8230, 33.9075]]
    error(await centre.post("town", "/closures", {**ACROSS, "coordinates": over}), 403, "forbidden")
    other = await draw(centre, "leader", coordinates=elsewhere)
    error(await centre.post("town", f"/closures/{other['id']}/end"), 403, "forbidden")
    error(await put(centre, "town", f"/closures/{other['id']}", ACROSS), 403, "forbidden")
    error(
        await put(centre, "town", f"/closures/{mine['id']}", {**ACROSS, "coordinates": over}),
        403,
        "forbidden",
    )
    rows = (await centre.get("town", "/closures")).json()["items"]
    assert {row["id"] for row in rows} == {mine["id"], other["id"]}, "closed roads are closed for everybody"
    box = (await centre.get("town", "/closures", bbox="116.82,33.90,116.84,33.92")).json()["items"]
    assert [row["id"] for row in box] == [other["id"]]


async def test_a_preview_says_what_a_drawing_would_close_and_closes_nothing(centre: Centre) -> None:
    free = await eta(centre)
    drawing = {key: ACROSS[key] for key in ("kind", "coordinates")}
    told = (await centre.post("town", "/closures/preview", drawing)).json()
    assert (told["roads"], told["allowed"], len(told["geometry"]["coordinates"])) == (["纵1路"], True, 1)
    empty = {**drawing, "coordinates": [[116.8022, 33.9072], [116.8028, 33.9078]]}
    told = (await centre.post("operator", "/closures/preview", empty)).json()
    assert (told["roads"], told["length_m"], told["geometry"]["coordinates"]) == ([], 0.0, [])
    told = error(await centre.post("operator", "/closures", {**ACROSS, **empty}), 422, "malformed")
    assert told["field"] == "coordinates"
    wide = {"kind": "line", "coordinates": [[116.8170, 33.9075], [116.8230, 33.9075]]}
    assert (await centre.post("town", "/closures/preview", wide)).json()["allowed"] is False
    assert await eta(centre) == free
    assert centre.core.board.closures == {}


async def test_what_makes_no_sense_names_its_field(centre: Centre) -> None:
    for more, field in (
        ({"coordinates": [[116.8, 33.9]]}, "coordinates"),
        ({"coordinates": [[116.8, 133.9], [116.9, 33.9]]}, "coordinates"),
        ({"coordinates": []}, "coordinates"),
        ({"kind": "polygon"}, "coordinates"),
        ({"direction": "up"}, "direction"),
        ({"profiles": []}, "profiles"),
        ({"ends_at": "2020-01-01T00:00:00Z"}, "ends_at"),
        ({"ends_at": "2030-01-01T00:00:00"}, "ends_at"),
        ({"reason": " "}, "reason"),
    ):
        told = error(await centre.post("operator", "/closures", {**ACROSS, **more}), 422, "malformed")
        assert told["field"].startswith(field), (more, told)
    error(await centre.get("operator", "/closures/x_absent"), 404, "not_found")
    assert (await centre.get("operator", "/closures", state="open")).status_code == 422


async def test_the_same_wish_twice_closes_once(centre: Centre) -> None:
    headers = {"Idempotency-Key": "closure-1"}
    first = await centre.post("operator", "/closures", ACROSS, **headers)
    again = await centre.post("operator", "/closures", ACROSS, **headers)
    assert first.json()["id"] == again.json()["id"]
    assert len(centre.core.board.closures) == 1
    error(
        await centre.post("operator", "/closures", {**ACROSS, "reason": "别的"}, **headers),
        409,
        "idempotency_reuse",
    )


async def test_a_restart_finds_the_roads_closed(
    data_folder: Path, prepared: tuple[Path, Keys], district: District
) -> None:
    async with open_centre(data_folder, prepared[1], district) as first:
        free = await eta(first)
        await draw(first, ends_at=rfc3339(first.clock.now() + timedelta(minutes=30)))
        closed = await eta(first)
    assert closed > free
    async with open_centre(data_folder, prepared[1], district, first.clock) as second:
        assert len(second.core.district.closures) == 1
        assert await eta(second) == closed
    first.clock.advance(3600)
    async with open_centre(data_folder, prepared[1], district, first.clock) as third:
        async with asyncio.timeout(20):
            while third.core.district.closures:  # noqa: ASYNC110  (the watch's next look)
                await asyncio.sleep(0.05)
        (ended,) = third.core.board.closures.values()
        assert (ended.state, ended.ended_by) == ("ended", "system")
