"""What the simulated trackers send is what the service's own readers understand."""

from __future__ import annotations

import json
import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from command.api import trackers as service
from command.demo.simulator.gateway import Gateway, Radio
from command.demo.simulator.people import Fix, Person
from command.demo.simulator.rates import load_rates
from command.demo.simulator.timing import RealTiming
from command.demo.simulator.trackers import Phones, gateway_frame, osmand, owntracks, traccar
from command.resources import config_dir
from command.telemetry.records import HEADER, MAGIC, UPLINK, UPLINK_RECORD, VERSION

RATES = load_rates(config_dir() / "demo")
AT = 1_795_000_000.25

fixes = st.builds(
    Fix,
    at=st.floats(AT, AT + 1e6).map(lambda at: round(at, 3)),
    lon=st.floats(-180, 180),
    lat=st.floats(-90, 90),
    speed_kmh=st.floats(0, 140),
    heading_deg=st.floats(0, 359.9),
    accuracy_m=st.floats(1, 90),
    battery=st.floats(0.02, 1.0),
)


@given(fixes)
def test_osmand_is_read_as_sent(fix: Fix) -> None:
    sent = service.osmand(service.form_fields(osmand("phone-1 ä", fix).encode()), 0.0)
    assert sent.device_id == "phone-1 ä"
    assert sent.report.lon == pytest.approx(fix.lon, abs=1e-7)
    assert sent.report.lat == pytest.approx(fix.lat, abs=1e-7)
    assert sent.report.fix_at == pytest.approx(fix.at, abs=0.0011)
    assert sent.report.speed_kmh == pytest.approx(fix.speed_kmh, abs=0.02)
    assert sent.report.heading_deg == pytest.approx(fix.heading_deg, abs=0.06)
    assert sent.report.accuracy_m == pytest.approx(fix.accuracy_m, abs=0.06)
    assert sent.report.battery == pytest.approx(fix.battery, abs=0.001)


@given(fixes)
def test_traccar_client_is_read_as_sent(fix: Fix) -> None:
    sent = service.traccar_json(traccar("phone-1", fix), 0.0)
    assert sent.device_id == "phone-1"
    assert sent.report.fix_at == pytest.approx(fix.at, abs=0.0011)
    assert sent.report.lon == pytest.approx(fix.lon, abs=1e-7)
    assert sent.report.speed_kmh == pytest.approx(fix.speed_kmh, abs=0.02)
    assert sent.report.battery == pytest.approx(fix.battery, abs=0.001)


@given(fixes)
def test_owntracks_is_read_as_sent_in_whole_numbers(fix: Fix) -> None:
    report = service.owntracks(owntracks("phone-1", fix), 0.0)
    assert report is not None
    assert report.fix_at == int(fix.at)
    assert report.lat == pytest.approx(fix.lat, abs=1e-7)
    assert report.speed_kmh == pytest.approx(fix.speed_kmh, abs=0.51)
    assert report.battery == pytest.approx(max(0.02, fix.battery), abs=0.006)


@given(st.lists(st.tuples(st.integers(0, 2**32 - 1), fixes), max_size=5))
def test_a_gateway_frame_has_the_layout_of_the_service(rows: list[tuple[int, Fix]]) -> None:
    as_of = AT + 2e6
    frame = gateway_frame(rows, 7, as_of)
    assert HEADER.unpack_from(frame) == (MAGIC, VERSION, UPLINK, len(rows), 7, as_of)
    assert len(frame) == HEADER.size + len(rows) * UPLINK_RECORD.itemsize
    for record, (unit, fix) in zip(
        np.frombuffer(frame, UPLINK_RECORD, offset=HEADER.size), rows, strict=True
    ):
        assert record["unit"] == unit
        assert record["lon"] == pytest.approx(fix.lon * 1e7, abs=1)
        assert record["lat"] == pytest.approx(fix.lat * 1e7, abs=1)
        assert as_of - record["age_ms"] / 1000 == pytest.approx(fix.at, abs=0.002)
        assert int(record["heading"]) * 360 / 256 == pytest.approx(fix.heading_deg, abs=0.8) or (
            record["heading"] == 0 and fix.heading_deg > 359
        )
        assert record["speed"] == round(fix.speed_kmh)
        assert record["battery"] == round(fix.battery * 100)


def person(kind: str = "grid_worker", profile: str = "foot", key: str = "r_1") -> Person:
    row = {
        "responder_id": key,
        "unit": 5,
        "name": "周巧云",
        "kind": kind,
        "profile": profile,
        "username": "u1",
        "password": "x",
        "token": "yt_abc",
        "device_id": "phone-5",
        "home": [106.9, 37.2],
        "grids": [],
    }
    return Person(row, [], RATES.movement, random.Random(1), AT)


def phones(**shares: float) -> Phones:
    rates = replace_section(**{"osmand": 0.0, "traccar": 0.0, "owntracks": 0.0, **shares})
    return Phones("http://127.0.0.1:8123", rates, RealTiming(), random.Random(1))


def replace_section(**fields: float):  # type: ignore[no-untyped-def]
    import msgspec

    return msgspec.structs.replace(RATES.trackers, **fields)


FIX = Fix(AT, 106.9, 37.2, 18.0, 90.0, 5.0, 0.8)


def test_requests_carry_the_token_where_the_protocol_puts_it() -> None:
    query = phones(osmand=1.0).request(person(), FIX)
    assert query.startswith(b"GET /tracker/osmand?id=phone-5&")
    assert b"\r\nHost: 127.0.0.1:8123\r\n" in query
    assert b"Authorization: Bearer yt_abc" in query
    client = phones(traccar=1.0).request(person(), FIX)
    head, _, body = client.partition(b"\r\n\r\n")
    assert head.startswith(b"POST /tracker/osmand ")
    assert f"Content-Length: {len(body)}".encode() in head
    assert json.loads(body)["device_id"] == "phone-5"
    tracks = phones(owntracks=1.0).request(person(), FIX)
    assert tracks.startswith(b"POST /tracker/owntracks ")
    assert b"Authorization: Basic cGhvbmUtNTp5dF9hYmM=" in tracks


def test_a_phone_keeps_its_protocol() -> None:
    some = phones(osmand=0.5, traccar=0.3, owntracks=0.2)
    spoken = {key: some.protocol(person(key=key)) for key in map(str, range(60))}
    assert set(spoken.values()) == {"osmand", "traccar", "owntracks"}
    assert all(some.protocol(person(key=key)) == protocol for key, protocol in spoken.items())


def test_what_waits_too_long_is_dropped_and_counted() -> None:
    some = Phones("http://127.0.0.1:1", replace_section(queue=3), RealTiming(), random.Random(1))
    for second in range(5):
        some.send(person(), replace(FIX, at=AT + second))
    assert some.lost == 2


def test_police_cars_use_the_gateway_and_nobody_else_does() -> None:
    sent: list[str] = []

    class Spy(Phones):
        def send(self, person: Person, fix: Fix) -> None:
            sent.append("phone")

    class SpyGateway(Gateway):
        def send(self, person: Person, fix: Fix) -> None:
            sent.append("gateway")

    spy = Spy("http://127.0.0.1:1", RATES.trackers, RealTiming(), random.Random(1))
    radio = Radio(spy, SpyGateway("http://127.0.0.1:1", "t", RATES.trackers, RealTiming()))
    radio.send(person("police", "car"), FIX)
    radio.send(person("police", "motorcycle"), FIX)
    radio.send(person("emergency_member", "car"), FIX)
    Radio(spy, None).send(person("police", "car"), FIX)
    assert sent == ["gateway", "phone", "phone", "phone"]
