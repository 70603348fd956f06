"""What trackers may send, who may send it, and what they are told."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx2
import numpy as np
import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from command.api.ingest import Grant, IngestApp, IngestServices, SessionGrant
from command.clock import ManualClock, rfc3339
from command.telemetry.records import HEADER, MAGIC, UPLINK, UPLINK_RECORD
from command.telemetry.state import Positions
from command.telemetry.units import Fix

Json = dict[str, Any]


@dataclass(frozen=True)
class Issued:
    kind: str
    responder_id: str | None
    device_id: str | None


class Tokens:
    def __init__(self) -> None:
        self.live: dict[str, Grant] = {
            "mine": Issued("device", "r1", "phone-1"),
            "city": Issued("integration", None, None),
            "screen": Issued("kiosk", None, None),
        }

    def lookup(self, token: str | None) -> Grant | None:
        return self.live.get(token or "")


class Roster:
    def unit_of(self, responder_id: str) -> int | None:
        return {"r1": 1, "r2": 2}.get(responder_id)

    def unit_of_device(self, device_id: str) -> int | None:
        return {"phone-1": 1, "phone-2": 2}.get(device_id)


async def behind(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 418, "headers": []})
    await send({"type": "http.response.body", "body": b""})


class Service:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.now = self.clock.now().timestamp()
        self.positions = Positions()
        self.positions.set_on_duty(1, True)
        self.positions.register(2)
        self.tokens = Tokens()
        self.services = IngestServices(self.positions, self.tokens, Roster(), self.clock)
        self.client = TestClient(IngestApp(behind, self.services))

    def fix(self, unit: int = 1) -> Fix | None:
        self.positions.settle()
        return self.positions.fix(unit)

    def positions_post(self, content: object, token: str | None = "mine") -> httpx2.Response:
        headers = {} if token is None else {"authorization": f"Bearer {token}"}
        return self.client.post("/api/v1/positions", json=content, headers=headers)


@pytest.fixture
def service() -> Service:
    return Service()


def osmand(service: Service, **fields: object) -> Json:
    return {"id": "phone-1", "token": "mine", "lat": "27.1", "lon": "105.2", **fields}


# OsmAnd


@pytest.mark.parametrize(
    "moment",
    [
        lambda now: int(now),
        lambda now: int(now * 1000),
        lambda now: rfc3339(ManualClock().now()),
        lambda now: rfc3339(ManualClock().now()).replace("Z", "+00:00"),
    ],
    ids=["seconds", "milliseconds", "iso", "iso with offset"],
)
def test_osmand_query_with_every_kind_of_time(service: Service, moment: Any) -> None:
    fields = osmand(service, timestamp=moment(service.now), speed=10, bearing=90, accuracy=5, batt=80)
    answer = service.client.get("/tracker/osmand", params=fields)
    assert (answer.status_code, answer.json()) == (200, {"accepted": 1})
    fix = service.fix()
    assert fix is not None
    assert (fix.lon, fix.lat) == pytest.approx((105.2, 27.1))
    assert fix.fix_at == service.now
    assert (fix.speed_kmh, fix.heading_deg, fix.accuracy_m) == pytest.approx((18.52, 90, 5))
    assert fix.battery == pytest.approx(0.8)


def test_osmand_form_with_deviceid_and_no_time(service: Service) -> None:
    fields = {"deviceid": "phone-1", "lat": "27.1", "lon": "105.2"}
    answer = service.client.post("/tracker/osmand", data=fields, headers=basic("mine"))
    assert answer.json() == {"accepted": 1}
    fix = service.fix()
    assert fix is not None
    assert fix.fix_at == service.now
    assert fix.speed_kmh is None


def test_traccar_client_json(service: Service) -> None:
    body = {
        "location": {
            "timestamp": rfc3339(service.clock.now()),
            "coords": {"latitude": 27.1, "longitude": 105.2, "accuracy": 4, "speed": 10, "heading": -1},
            "battery": {"level": 0.5, "is_charging": False},
            "is_moving": True,
        },
        "device_id": "phone-1",
    }
    answer = service.client.post("/tracker/osmand?token=mine", json=body)
    assert answer.json() == {"accepted": 1}
    fix = service.fix()
    assert fix is not None
    assert (fix.speed_kmh, fix.heading_deg, fix.battery) == (36.0, None, 0.5)


@pytest.mark.parametrize(
    ("change", "field"),
    [({"lat": "north"}, "lat"), ({"lon": ""}, "lon"), ({"timestamp": "yesterday"}, "timestamp")],
)
def test_what_cannot_be_read_names_the_field(service: Service, change: Json, field: str) -> None:
    answer = service.client.get("/tracker/osmand", params=osmand(service, **change))
    assert answer.status_code == 400
    body = answer.json()
    assert (body["error"], body["field"]) == ("malformed", field)
    assert body["request_id"]
    assert service.fix() is None


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"lat": "91"}, "out_of_range"),
        ({"lat": "nan"}, "not_finite"),
        ({"timestamp": "99999999999"}, "future"),
        ({"timestamp": "1000"}, "too_old"),
    ],
)
def test_poison_is_set_aside_and_not_asked_for_again(service: Service, change: Json, reason: str) -> None:
    answer = service.client.get("/tracker/osmand", params=osmand(service, **change))
    assert (answer.status_code, answer.json()) == (200, {"accepted": 0, "reason": reason})
    assert service.services.refused == {reason: 1, "quarantined": 1}
    assert [note["path"] for note in service.services.quarantine] == ["/tracker/osmand"]
    assert service.fix() is None


def test_off_duty_is_told_but_not_an_error(service: Service) -> None:
    service.positions.set_on_duty(1, False)
    answer = service.client.get("/tracker/osmand", params=osmand(service))
    assert (answer.status_code, answer.json()) == (200, {"accepted": 0, "reason": "off_duty"})
    assert not service.services.quarantine
    assert service.fix() is None


# Who


def basic(password: str) -> Mapping[str, str]:
    return {"authorization": "Basic " + base64.b64encode(f"anybody:{password}".encode()).decode()}


@pytest.mark.parametrize("path", ["/tracker/osmand", "/tracker/owntracks", "/api/v1/positions"])
@pytest.mark.parametrize("token", [None, "wrong", "screen"])
def test_no_or_wrong_token(service: Service, path: str, token: str | None) -> None:
    headers = {} if token is None else {"authorization": f"Bearer {token}"}
    answer = service.client.post(path, json={"_type": "location", "lat": 1, "lon": 1}, headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (401, "unauthenticated")


def test_damaged_basic_credentials(service: Service) -> None:
    answer = service.client.get("/tracker/osmand", headers={"authorization": "Basic %%%"})
    assert answer.status_code == 401


def test_nobody_reports_for_another_device(service: Service) -> None:
    service.positions.set_on_duty(2, True)
    answers = [
        service.client.get("/tracker/osmand", params=osmand(service, id="phone-2")),
        service.positions_post({"device_id": "phone-2", "lon": 105.0, "lat": 27.0}),
        service.positions_post({"responder_id": "r2", "lon": 105.0, "lat": 27.0}),
        service.positions_post([{"lon": 105.0, "lat": 27.0}, {"responder_id": "r2", "lon": 1, "lat": 2}]),
    ]
    assert [(a.status_code, a.json()["error"]) for a in answers] == [(403, "forbidden")] * 4
    assert service.fix(2) is None


def test_an_integration_reports_for_anybody(service: Service) -> None:
    service.positions.set_on_duty(2, True)
    reports = [
        {"device_id": "phone-1", "lon": 105.0, "lat": 27.0},
        {"responder_id": "r2", "lon": 105.1, "lat": 27.0},
        {"device_id": "unknown", "lon": 105.1, "lat": 27.0},
        {"lon": 105.1, "lat": 27.0},
    ]
    answer = service.positions_post(reports, "city")
    assert answer.json() == {
        "accepted": 2,
        "refused": 2,
        "refusals": [
            {"index": 2, "reason": "unknown_unit"},
            {"index": 3, "reason": "malformed", "field": "device_id"},
        ],
        "reason": "unknown_unit",
    }
    assert service.fix(1) is not None
    assert service.fix(2) is not None


def test_a_field_user_reports_from_the_browser(service: Service) -> None:
    async def session(scope: Any) -> Grant | None:
        signed_in = any(name == b"cookie" for name, _ in scope["headers"])
        return SessionGrant("r1") if signed_in else None

    service.services.session = session
    answer = service.client.post(
        "/api/v1/positions",
        json={"lon": 105.0, "lat": 27.0, "speed": 10, "heading": 45, "accuracy": 8},
        headers={"cookie": "yiping=1"},
    )
    assert answer.json() == {"accepted": 1}
    assert service.positions_post({"lon": 105.0, "lat": 27.0}, None).status_code == 401
    fix = service.fix()
    assert fix is not None
    assert (fix.speed_kmh, fix.heading_deg, fix.accuracy_m) == (36, 45, 8)


# OwnTracks


def test_owntracks_location(service: Service) -> None:
    body = {"_type": "location", "lat": 27.1, "lon": 105.2, "tst": int(service.now), "vel": 30, "batt": 50}
    answer = service.client.post("/tracker/owntracks", json=body, headers=basic("mine"))
    assert (answer.status_code, answer.json()) == (200, [])
    fix = service.fix()
    assert fix is not None
    assert (fix.speed_kmh, fix.battery) == (30, 0.5)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b'{"_type":"lwt","tst":1}',
        b"not json",
        b"[]",
        b'{"_type":"location","lat":1}',
        b'{"_type":"location","lat":95,"lon":1,"tst":"x"}',
    ],
)
def test_owntracks_is_always_answered_with_a_list(service: Service, body: bytes) -> None:
    answer = service.client.post("/tracker/owntracks?token=mine", content=body)
    assert (answer.status_code, answer.json()) == (200, [])
    assert service.fix() is None


# Our own interface


@pytest.mark.parametrize(
    ("content", "field"),
    [
        ({"lat": 27.0}, "lon"),
        ({"lon": 105.0, "lat": "27"}, "lat"),
        ({"lon": 181, "lat": 27.0}, "lon"),
        ({"lon": 105.0, "lat": -90.5}, "lat"),
        ({"lon": 105.0, "lat": 27.0, "fix_at": "soon"}, "fix_at"),
        ("text", "body"),
    ],
)
def test_one_malformed_report(service: Service, content: object, field: str) -> None:
    answer = service.positions_post(content)
    assert (answer.status_code, answer.json()["error"], answer.json()["field"]) == (422, "malformed", field)


def test_a_bad_report_does_not_hold_back_the_others(service: Service) -> None:
    good = {"lon": 105.0, "lat": 27.0, "fix_at": rfc3339(service.clock.now())}
    answer = service.positions_post([{"lon": "x", "lat": 1}, good, {**good, "lon": 999}])
    assert answer.status_code == 200
    assert answer.json() == {
        "accepted": 1,
        "refused": 2,
        "refusals": [
            {"index": 0, "reason": "malformed", "field": "lon"},
            {"index": 2, "reason": "out_of_range"},
        ],
        "reason": "malformed",
    }
    assert service.services.refused["quarantined"] == 1


def test_what_is_too_much(service: Service) -> None:
    assert service.positions_post([{"lon": 1, "lat": 1}] * 10_001).status_code == 413
    assert service.positions_post([{"lon": 1, "lat": 1}] * 10_001 + [{}]).status_code == 413
    huge = service.client.post("/api/v1/positions", content=b" " * 5_000_000)
    assert (huge.status_code, huge.json()["error"]) == (413, "too_large")
    assert service.client.post("/tracker/osmand", content=b"x" * 70_000).status_code == 413


def test_broken_json_in_a_batch(service: Service) -> None:
    headers = {"authorization": "Bearer mine"}
    answer = service.client.post("/api/v1/positions", content=b'[{"lon":', headers=headers)
    assert answer.status_code == 422


@pytest.mark.parametrize(
    ("method", "path"),
    [("PUT", "/tracker/osmand"), ("GET", "/tracker/owntracks"), ("GET", "/api/v1/positions")],
)
def test_other_methods(service: Service, method: str, path: str) -> None:
    assert service.client.request(method, path).status_code == 405


def test_other_paths_go_on(service: Service) -> None:
    assert service.client.get("/api/v1/incidents").status_code == 418


# Gateways


def uplink(
    service: Service, rows: list[tuple[int, ...]], flags: int = UPLINK, count: int | None = None
) -> bytes:
    records = np.array(rows, UPLINK_RECORD)
    head = HEADER.pack(MAGIC, 1, flags, len(rows) if count is None else count, 9, service.now)
    return head + records.tobytes()


def test_a_gateway_is_told_its_counts(service: Service) -> None:
    rows = [
        (1, 1_052_000_000, 271_000_000, 2500, 64, 36, 5, 80),
        (2, 1_052_000_000, 271_000_000, 0, 0, 255, 255, 255),
        (77, 0, 0, 0, 0, 255, 255, 255),
    ]
    with service.client.websocket_connect("/api/v1/gateway?token=city") as ws:
        ws.send_bytes(uplink(service, rows))
        assert ws.receive_json() == {
            "type": "ack",
            "rev": 9,
            "accepted": 1,
            "refused": {"off_duty": 1, "unknown_unit": 1},
        }
    fix = service.fix()
    assert fix is not None
    assert fix.fix_at == service.now - 2.5
    assert (fix.speed_kmh, fix.heading_deg, fix.accuracy_m) == (36, 90, 10)


@pytest.mark.parametrize(("token", "code"), [("mine", 4003), ("wrong", 4001)])
def test_a_gateway_needs_an_integration_token(service: Service, token: str, code: int) -> None:
    with (
        pytest.raises(WebSocketDisconnect) as refused,
        service.client.websocket_connect("/api/v1/gateway", headers={"authorization": f"Bearer {token}"}),
    ):
        pass
    assert refused.value.code == code


def test_a_gateway_that_speaks_something_else_is_closed(service: Service) -> None:
    row = (1, 0, 0, 0, 0, 0, 0, 0)
    for frame in (b"", b"x" * 24, uplink(service, [row], flags=0), uplink(service, [row], count=2)):
        with service.client.websocket_connect("/api/v1/gateway?token=city") as ws:
            ws.send_bytes(frame)
            with pytest.raises(WebSocketDisconnect) as closed:
                ws.receive_json()
            assert closed.value.code == 1008


def test_a_revoked_token_ends_the_gateway(service: Service) -> None:
    with service.client.websocket_connect("/api/v1/gateway?token=city") as ws:
        del service.tokens.live["city"]
        service.clock.advance(3)
        ws.send_bytes(uplink(service, [(1, 0, 0, 0, 0, 0, 0, 0)]))
        with pytest.raises(WebSocketDisconnect) as closed:
            ws.receive_json()
        assert closed.value.code == 4001
