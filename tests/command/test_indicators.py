"""Indicators against cases counted by hand."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from command.assignments import Assignment
from command.clock import rfc3339
from command.incidents import Incident
from command.indicators import Span, below, counted, quantiles, rates, response, spans, took, trend
from command.policy import LimitsS, Stages
from tests.command.world import START

ZONE = ZoneInfo("Asia/Shanghai")
DAY = Span(START - timedelta(hours=11), START)


def at(hours: float) -> str:
    return rfc3339(START + timedelta(hours=hours))


def case(key: str, **more: Any) -> Incident:
    fields: dict[str, Any] = {
        "code": key,
        "trace_code": key,
        "title": "道路塌陷",
        "category": "traffic",
        "level": "III",
        "source": "hotline",
        "lon": 116.8,
        "lat": 33.9,
        "state": "accepted",
        "reported_at": at(-5),
        "accepted_at": at(-5),
        "township": "T1",
        "due": Stages(handle=at(-1)),
        "limits_s": LimitsS(sign=300, arrive=1200),
    }
    return msgspec.convert({"id": key, **fields, **more}, Incident, from_attributes=True)


def job(key: str, incident: str, sent: float, signed: float | None, there: float | None) -> Assignment:
    """Minutes after `START` less an hour."""

    def moment(minutes: float | None) -> str | None:
        return None if minutes is None else at(-1 + minutes / 60)

    return Assignment(
        id=key,
        incident_id=incident,
        responder_id="r1",
        state="on_scene",
        by="u",
        by_name="u",
        dispatched_at=moment(sent) or "",
        signed_at=moment(signed),
        on_scene_at=moment(there),
    )


def test_rates_by_hand() -> None:
    cases = [
        case("a", state="closed", closed_at=at(-2), score=5),
        case("b", state="evaluated", closed_at=at(-0.5), score=3, rework=1),
        case("c", dispatched_at=at(-3), returns=1),
        case("d", state="rejected", accepted_at=None),
        case("e", state="closed", accepted_at=at(-30), closed_at=at(-2), due=Stages(handle=at(5))),
        case("x", exercise=True),
        case("y", state="merged"),
        case("z", state="cancelled"),
    ]
    found = {code: (rate.n, rate.d) for code, rate in rates(counted(cases), DAY).items()}
    assert found == {
        "completion_rate": (2, 3),
        "due_closure_rate": (2, 3),
        "on_time_rate": (1, 3),
        "overdue_rate": (2, 3),
        "rework_rate": (1, 3),
        "valid_report_rate": (4, 5),
        "dispatch_accuracy": (0, 1),
        "satisfaction": (1, 2),
    }
    hours = trend(counted(cases), DAY, "day")
    assert len(hours) == 11
    assert sum(row["completion_rate"]["d"] for row in hours) == 3  # type: ignore[index]
    assert hours[6]["reported"] == 5
    assert hours[10]["on_time_rate"] == {"n": 1, "d": 3}


def test_the_clock_runs_from_the_first_dispatch_over_all_units() -> None:
    cases = [case("a"), case("b"), case("c", level="IV", limits_s=LimitsS(sign=7200)), case("none")]
    jobs = [
        job("a1", "a", 0, None, None),
        job("a2", "a", 4, 6, 18),
        job("b1", "b", 0, 1, 25),
        job("b2", "b", 2, 3, 10),
        job("c1", "c", 0, 30, None),
    ]
    ways = took(cases, jobs, DAY)
    assert [(way.incident.id, way.sign_s, way.arrive_s) for way in ways] == [
        ("a", 360.0, 1080.0),
        ("b", 60.0, 600.0),
        ("c", 1800.0, None),
    ]
    rows = response(ways, ways[:1])
    assert [(row["level"], row["step"], row["n"], row["waiting"], row["late"]) for row in rows] == [
        ("III", "sign", 2, 0, 1),
        ("III", "arrive", 2, 0, 0),
        ("IV", "sign", 1, 0, 0),
    ]
    assert (rows[0]["p50_s"], rows[0]["limit_s"], rows[0]["before_p50_s"]) == (210.0, 300, 360.0)
    assert rows[2]["before_p50_s"] is None
    parts = below(counted(cases), ways, DAY, {"T1": "三桥镇", "T2": "十里乡"}, lambda i: i.township)
    assert [(row["code"], row["arrivals"], row["arrive_p50_s"]) for row in parts] == [
        ("T1", 2, 840.0),
        ("T2", 0, None),
    ]
    assert took(cases, jobs, Span(START, START + timedelta(hours=1))) == []


@pytest.mark.parametrize(
    ("period", "now", "start", "before"),
    [
        ("day", "2026-03-02T10:30", "2026-03-02T00:00", ("2026-03-01T00:00", "2026-03-01T10:30")),
        ("week", "2026-03-04T10:30", "2026-03-02T00:00", ("2026-02-23T00:00", "2026-02-25T10:30")),
        ("month", "2026-03-05T01:00", "2026-03-01T00:00", ("2026-02-01T00:00", "2026-02-05T01:00")),
        ("month", "2026-01-31T01:00", "2026-01-01T00:00", ("2025-12-01T00:00", "2025-12-31T01:00")),
    ],
)
def test_the_period_before_ends_at_the_same_point(
    period: Any, now: str, start: str, before: tuple[str, str]
) -> None:
    def local(text: str) -> datetime:
        return datetime.fromisoformat(text).replace(tzinfo=ZONE)

    running, earlier = spans(period, local(now), ZONE)
    assert (running.start, running.end) == (local(start), local(now))
    assert (earlier.start, earlier.end) == (local(before[0]), local(before[1]))


def test_quantiles_are_interpolated() -> None:
    assert quantiles([10.0]) == (10.0, 10.0, 10.0)
    assert quantiles(list(range(11))) == (5.0, 7.5, 9.0)
