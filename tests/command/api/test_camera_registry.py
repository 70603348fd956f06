"""Administrators keep the registry: enter, correct, switch off, remove. Nobody else does."""

from __future__ import annotations

from typing import Any

import pytest

from command.cameras import Status
from tests.command.api.registry import PLACE, SOURCE, delete, put, register
from tests.command.api.test_incidents import error
from tests.fixtures import G3, G5, Centre

GB = "34060400001320000009"


async def source(centre: Centre, camera_id: str) -> dict[str, Any]:
    answer = await centre.get("admin", f"/cameras/{camera_id}/source")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_a_camera_is_entered_with_its_source(registry: Centre) -> None:
    made = await register(
        registry,
        gb_id=GB,
        ptz=True,
        tour_groups=["重点", "重点", "学校"],
        source={**SOURCE, "password": "s3cret"},
    )
    assert (made["grid"], made["area"], made["source"], made["has_password"]) == (G3, G3[:12], "rtsp", True)
    assert (made["tour_groups"], made["status"], made["ptz"]) == (["重点", "学校"], "unknown", True)
    kept = await source(registry, made["id"])
    assert (kept["host"], kept["port"], kept["path"], kept["username"]) == ("10.0.0.5", 0, "cam/1", "admin")
    assert (kept["has_password"], kept["password_readable"]) == (True, True)
    assert "password" not in kept
    error(await registry.get("admin", "/cameras/c1/source"), 404, "not_found")
    error(await registry.post("admin", "/cameras", {"name": "x", **PLACE, "gb_id": GB}), 409, "gb_id_taken")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"host": "192.168.1.1"}, "source.host"),
        ({"host": "169.254.169.254"}, "source.host"),
        ({"host": "no-such-host.invalid"}, "source.host"),
        ({"host": "10.0.0.5/../x"}, "source.host"),
        ({"host": ""}, "source.host"),
        ({"protocol": "hls"}, "source.protocol"),
        ({"protocol": "exec"}, "source.protocol"),
        ({"port": 65_536}, "source.port"),
        ({"path": "a\r\nb"}, "source.path"),
        ({"url": "rtsp://10.0.0.5/x"}, "source.url"),
    ],
)
async def test_a_source_that_is_not_allowed_names_the_field_and_the_host(
    registry: Centre, change: dict[str, Any], field: str
) -> None:
    body = {"name": "x", **PLACE, "source": {**SOURCE, "password": "canary", **change}}
    before = len(registry.core.board.cameras)
    told = error(await registry.post("admin", "/cameras", body), 422, "malformed")
    assert told["field"] == field
    if field == "source.host" and change["host"] and "/" not in change["host"]:
        assert change["host"] in told["detail"]
    assert "canary" not in str(told)
    assert len(registry.core.board.cameras) == before


async def test_a_correction_leaves_out_what_stays(registry: Centre) -> None:
    made = await register(registry, azimuth=90, fov=60, source={**SOURCE, "password": "s3cret"})
    path = f"/cameras/{made['id']}"
    changed = await put(registry, "admin", path, {"name": "改名", "expected_version": made["version"]})
    assert changed.status_code == 200, changed.text
    answer = changed.json()
    assert (answer["name"], answer["azimuth"], answer["source"]) == ("改名", 90, "rtsp")
    assert (answer["version"], answer["has_password"], answer["password_cleared"]) == (2, True, False)
    error(await put(registry, "admin", path, {"name": "x", "expected_version": 1}), 409, "stale_version")
    moved = (await put(registry, "admin", path, {"lon": 116.825, "lat": 33.905})).json()
    assert (moved["grid"], moved["area"]) == (G5, G5[:12])
    for body, field in (
        ({"name": ""}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"name": None}, "name"),
        ({"status": "live"}, "status"),
        ({"grid": "999"}, "grid"),
        ({"tour_groups": ["\x00"]}, "tour_groups"),
        ({"azimuth": 360}, "azimuth"),
    ):
        assert error(await put(registry, "admin", path, body), 422, "malformed")["field"] == field
    error(await put(registry, "admin", "/cameras/none", {"name": "x"}), 404, "not_found")


async def test_a_password_is_kept_cleared_or_replaced_and_the_answer_says_which(registry: Centre) -> None:
    made = await register(registry, source={**SOURCE, "password": "s3cret"})
    path = f"/cameras/{made['id']}"

    async def after(**change: Any) -> tuple[bool, bool]:
        answer = await put(registry, "admin", path, {"source": {**SOURCE, **change}})
        assert answer.status_code == 200, answer.text
        return answer.json()["has_password"], answer.json()["password_cleared"]

    assert await after(path="cam/2") == (True, False)
    assert await after(host="10.0.0.6") == (False, True)
    assert await after() == (False, False), "it does not come back"
    assert await after(password="again") == (True, False)
    assert await after(username="root") == (False, True)
    assert await after(username="root", password="x") == (True, False)
    assert await after(username="root", password="") == (False, False)
    gone = (await put(registry, "admin", path, {"source": None})).json()
    assert gone["source"] is None
    error(await registry.get("admin", f"{path}/source"), 404, "not_found")


async def test_a_camera_is_switched_off_and_removed(registry: Centre) -> None:
    made = await register(registry, source=SOURCE)
    path = f"/cameras/{made['id']}"
    off = (await registry.post("admin", f"{path}/enabled", {"enabled": False})).json()
    assert (off["enabled"], off["status"]) == (False, "disabled")
    near = (await registry.get("dispatcher", "/cameras/near", **PLACE, limit=50)).json()["items"]
    assert made["id"] not in {row["id"] for row in near}
    on = (await registry.post("admin", f"{path}/enabled", {"enabled": True})).json()
    assert (on["enabled"], on["status"], on["version"]) == (True, "unknown", 3)
    error(await delete(registry, "admin", path, expected_version=1), 409, "stale_version")
    gone = await delete(registry, "admin", path, expected_version=3)
    assert (gone.status_code, gone.json()["name"]) == (200, "新点位")
    error(await delete(registry, "admin", path), 404, "not_found")
    error(await registry.get("dispatcher", path), 404, "not_found")
    assert (await registry.get("dispatcher", "/search", q="新点位")).json()["items"] == []
    assert await registry.core.sources.load_sources() == []


async def test_the_registry_is_the_administrators_alone(registry: Centre) -> None:
    body = {"name": "x", **PLACE}
    for username in ("operator", "dispatcher", "supervisor", "leader", "dept", "police", "worker"):
        error(await registry.post(username, "/cameras", body), 403, "forbidden")
        error(await put(registry, username, "/cameras/c1", {"name": "x"}), 403, "forbidden")
        error(await delete(registry, username, "/cameras/c1"), 403, "forbidden")
        error(await registry.get(username, "/cameras/c1/source"), 403, "forbidden")
        error(await registry.post(username, "/cameras/c1/enabled", {"enabled": False}), 403, "forbidden")
    # Whoever keeps the registry reads it, and that is all.
    assert len((await registry.get("admin", "/cameras")).json()["items"]) == 3
    assert (await registry.get("admin", "/cameras/c1")).status_code == 200
    assert (await registry.get("admin", "/cameras/faults")).json()["items"] == []
    error(await registry.get("admin", "/cameras/near", **PLACE), 403, "forbidden")


async def test_the_same_request_again_has_no_second_effect(registry: Centre) -> None:
    body = {"name": "新点位", **PLACE, "source": {**SOURCE, "password": "s3cret"}}
    first = await registry.post("admin", "/cameras", body, **{"idempotency-key": "k"})
    again = await registry.post("admin", "/cameras", body, **{"idempotency-key": "k"})
    assert first.json() == again.json()
    other = {**body, "source": {**SOURCE, "password": "another"}}
    answer = await registry.post("admin", "/cameras", other, **{"idempotency-key": "k"})
    error(answer, 409, "idempotency_reuse")


async def test_faults_show_what_the_verdict_rests_on(registry: Centre) -> None:
    from dataclasses import dataclass, field
    from datetime import datetime

    @dataclass
    class Look:
        at: datetime
        light: str | None = "day"
        measures: dict[str, float] = field(default_factory=lambda: {"sharpness": 3.5})
        has_reference: bool = True

    do = registry.core.operations.cameras
    await do.health_changed("c1", "offline", "signal_lost")
    registry.clock.advance(60)
    await do.health_changed("c2", "degraded", "blurred")
    await do.health_changed("c3", Status.LIVE, None)
    do.looked["c2"] = Look(registry.clock.now())
    answer = (await registry.get("dispatcher", "/cameras/faults")).json()["items"]
    assert [(row["camera"]["id"], row["fault"]) for row in answer] == [
        ("c2", "blurred"),
        ("c1", "signal_lost"),
    ]
    assert answer[0]["measures"] == {"sharpness": 3.5}
    assert (answer[0]["light"], answer[0]["has_reference"]) == ("day", True)
    assert (answer[1]["measures"], answer[1]["light"], answer[1]["has_reference"]) == ({}, None, False)
    assert [r["camera"]["id"] for r in (await registry.get("town", "/cameras/faults")).json()["items"]] == [
        "c1"
    ]
    summary = (await registry.get("leader", "/wall/summary")).json()["cameras"]
    assert summary["camera_online"] == {"n": 2, "d": 3}
    assert summary["camera_intact"] == {"n": 1, "d": 3}
