from __future__ import annotations

from tests.command.api.registry import delete, put
from tests.command.api.test_incidents import error
from tests.fixtures import Centre

DEVICE = "34060400001110000001"
CANARY = "canary-5d1f"


async def test_devices_are_kept_with_a_password_that_nobody_reads(registry: Centre) -> None:
    path = f"/gb/devices/{DEVICE}"
    made = await put(registry, "admin", path, {"name": "一号录像机", "password": CANARY})
    assert (made.status_code, made.json()["has_password"]) == (200, True)
    renamed = await put(registry, "admin", path, {"name": "二号录像机"})
    listed = await registry.get("admin", "/gb/devices")
    (row,) = listed.json()["items"]
    assert (row["name"], row["has_password"]) == ("二号录像机", True)
    assert [d.password for d in await registry.core.sources.load_devices()] == [CANARY]
    assert not (await put(registry, "admin", path, {"name": "x", "password": ""})).json()["has_password"]
    audit = await registry.get("admin", "/audit")
    assert [e["action"] for e in audit.json()["items"]].count("gb_device.saved") == 3
    for answer in (made, renamed, listed, audit):
        assert CANARY not in answer.text
    assert (await delete(registry, "admin", path)).status_code == 204
    error(await delete(registry, "admin", path), 404, "not_found")


async def test_only_administrators_and_only_twenty_digits(registry: Centre) -> None:
    for username in ("operator", "leader", "police", "worker"):
        error(await registry.get(username, "/gb/devices"), 403, "forbidden")
        error(await put(registry, username, f"/gb/devices/{DEVICE}", {"name": "x"}), 403, "forbidden")
    for device, body, field in (
        ("123", {"name": "x"}, "device_id"),
        (DEVICE, {"name": ""}, "name"),
        (DEVICE, {"name": "a\nb"}, "name"),
        (DEVICE, {"name": "x", "password": "a\nb"}, "password"),
        (DEVICE, {"name": "x", "password": CANARY * 20}, "password"),
    ):
        told = error(await put(registry, "admin", f"/gb/devices/{device}", body), 422, "malformed")
        assert told["field"] == field
        assert CANARY not in str(told)
