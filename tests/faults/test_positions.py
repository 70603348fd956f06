"""Duplicated, reordered, late and absurd position reports through the real endpoint."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest

from tests.fixtures import G1, Centre, middle


def reports(centre: Centre) -> list[dict[str, Any]]:
    """Return a drive of five reports, one every ten seconds, the last of them now."""
    centre.clock.advance(60)
    now = centre.clock.now().timestamp()
    lon, lat = middle(G1)
    return [
        {"lon": lon + 0.0005 * n, "lat": lat, "fix_at": now - 10 * (4 - n), "device_id": "phone-1"}
        for n in range(5)
    ]


async def where(centre: Centre) -> tuple[float, float, float]:
    centre.core.tracking.positions.settle()
    row = (await centre.get("dispatcher", "/responders/w1")).json()
    return row["lon"], row["lat"], row["fix_age_s"]


async def test_every_order_and_repetition_ends_at_the_same_place(centre: Centre) -> None:
    drive = reports(centre)
    lon, lat = middle(G1)
    async with centre.anonymous(authorization=f"Bearer {centre.keys.device}") as phone:
        for order in itertools.islice(itertools.permutations(range(5)), 0, 120, 11):
            for n in (*order, *order[:2]):
                answer = await phone.post("/api/v1/positions", json=drive[n])
                assert answer.status_code == 200, answer.text
            assert await where(centre) == pytest.approx((lon + 0.002, lat, 0.0))


async def test_absurd_reports_are_refused_alone_and_move_nothing(centre: Centre) -> None:
    lon, lat = middle(G1)
    now = centre.clock.now().timestamp()
    before = await where(centre)
    absurd: list[dict[str, Any]] = [
        {"lon": 181, "lat": lat},
        {"lon": lon, "lat": -91},
        {"lon": 0, "lat": 0, "fix_at": now + 86_400},
        {"lon": lon, "lat": lat, "fix_at": 0},
        {"lon": lon, "lat": lat, "fix_at": 1e308},
        {"lon": 1e308, "lat": 1e308},
        {"lat": lat},
        {"lon": "east", "lat": lat},
        {"lon": None, "lat": None},
        {"lon": lon, "lat": lat, "fix_at": "yesterday"},
    ]
    async with centre.anonymous(authorization=f"Bearer {centre.keys.device}") as phone:
        for report in absurd:
            answer = await phone.post("/api/v1/positions", json=report)
            assert answer.status_code in (200, 422), (report, answer.text)
            assert answer.json().get("accepted", 0) == 0, report
        for raw in (b"", b"{", b"NaN", b'{"lon": NaN, "lat": 1}', b"[" * 5_000, b"\xff\xfe", b'"x"'):
            answer = await phone.post("/api/v1/positions", content=raw)
            assert answer.status_code in (400, 422), (raw[:20], answer.text)
        assert await where(centre) == before
        # A batch keeps what is good in it.
        batch = [*absurd, {"lon": lon + 0.0005, "lat": lat}]
        answer = await phone.post("/api/v1/positions", content=json.dumps(batch))
        assert answer.status_code == 200, answer.text
        assert answer.json()["accepted"] == 1
    assert (await where(centre))[0] == pytest.approx(lon + 0.0005)


async def test_a_jump_is_doubted_until_three_good_fixes(centre: Centre) -> None:
    lon, lat = middle(G1)

    async def report(east: float) -> tuple[bool, list[str]]:
        centre.clock.advance(10)
        async with centre.anonymous(authorization=f"Bearer {centre.keys.device}") as phone:
            await phone.post("/api/v1/positions", json={"lon": lon + east, "lat": lat, "accuracy_m": 5})
        centre.core.tracking.positions.settle()
        row = (await centre.get("dispatcher", "/responders/w1")).json()
        near = (await centre.get("dispatcher", "/nearest", lon=lon, lat=lat, limit=100)).json()["items"]
        return row["suspect"], [one["responder_id"] for one in near]

    doubted, near = await report(0.05)
    assert doubted
    assert "w1" not in near
    seen = [await report(0.05 + 0.0001 * n) for n in range(1, 5)]
    assert not seen[-1][0]
    assert "w1" in seen[-1][1]


async def test_nobody_is_tracked_off_duty(centre: Centre) -> None:
    lon, lat = middle(G1)
    assert (await centre.post("worker", "/responders/w1/shift", {"on_duty": False})).status_code == 200
    centre.clock.advance(5)
    async with centre.anonymous(authorization=f"Bearer {centre.keys.device}") as phone:
        answer = await phone.post("/api/v1/positions", json={"lon": lon, "lat": lat})
        assert answer.json()["accepted"] == 0
    centre.core.tracking.positions.settle()
    assert "lon" not in (await centre.get("dispatcher", "/responders/w1")).json()
