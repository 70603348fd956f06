from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from command import summary
from command.cameras import Camera, Status
from command.clock import rfc3339
from command.incidents import Incident
from command.policy import LimitsS, Stages
from tests.command.world import person

HERE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)  # noon in the district


def at(hour: int, minute: int = 0, day: int = 22) -> str:
    """Return a moment of the local day in the wire's form."""
    return rfc3339(datetime(2026, 11, day, hour, minute, tzinfo=HERE))


def incident(key: str = "i", **more: Any) -> Incident:
    fields: dict[str, Any] = {"state": "reported", "reported_at": at(9), "level": "III", **more}
    return Incident(
        id=key, code="QS-1122-0001", trace_code="X", title="x", category="traffic", source="console",
        lon=0, lat=0, **fields,
    )  # fmt: skip


def test_the_day_is_the_local_day() -> None:
    rows = [incident(reported_at=at(0, 0)), incident(reported_at=at(23, 59, day=21)), incident()]
    today = summary.today_of(rows, NOW, HERE)
    assert today["reported"] == 2
    hours = today["hours"]
    assert isinstance(hours, list)
    assert (len(hours), hours[0], hours[9], sum(hours)) == (24, 1, 1, 2)


@pytest.mark.parametrize("left_out", [{"exercise": True}, {"state": "merged"}, {"state": "cancelled"}])
def test_exercises_merged_and_cancelled_ones_do_not_count(left_out: dict[str, Any]) -> None:
    today = summary.today_of([incident(**left_out), incident()], NOW, HERE)
    assert today["reported"] == 1


def test_every_rate_is_two_numbers() -> None:
    done = {"state": "closed", "accepted_at": at(9, 1)}
    rows = [
        incident(**done, closed_at=at(10), due=Stages(handle=at(10))),
        incident(**done, closed_at=at(10, 1), due=Stages(handle=at(10))),
        incident(**{**done, "state": "archived"}, closed_at=at(10)),
        incident(state="handling", accepted_at=at(9, 1)),
        incident(),
    ]
    today = summary.today_of(rows, NOW, HERE)
    assert today["closed_of_accepted"] == {"n": 3, "d": 4}
    assert today["on_time"] == {"n": 1, "d": 2}
    assert (today["accepted"], today["closed"]) == (4, 3)
    assert today["by_state"] == {"closed": 2, "archived": 1, "handling": 1, "reported": 1}


def test_without_anything_there_is_no_rate() -> None:
    today = summary.today_of([], NOW, HERE)
    assert today["closed_of_accepted"] == {"n": 0, "d": 0}
    assert today["hours"] == [0] * 24


@pytest.mark.parametrize(
    ("state", "due", "arrived", "late"),
    [
        ("reported", {"accept": at(11, 59)}, None, True),
        ("reported", {"accept": at(12, 1)}, None, False),
        ("reported", {}, None, False),
        ("dispatched", {"sign": at(11)}, None, True),
        ("handling", {"arrive": at(11), "handle": at(20)}, None, True),
        ("handling", {"arrive": at(11), "handle": at(20)}, at(10), False),
        ("handling", {"handle": at(11)}, at(10), True),
        ("handling", {"handle": at(11)}, None, True),
        ("accepted", {}, None, False),
        ("accepted", {"sign": at(11)}, None, True),
        ("handled", {"handle": at(11)}, at(10), False),
        ("suspended", {"handle": at(11)}, at(10), False),
        ("closed", {"handle": at(11)}, at(10), False),
    ],
)
def test_overdue_is_about_the_stage_it_is_in(
    state: str, due: dict[str, str], arrived: str | None, late: bool
) -> None:
    assert summary.overdue(incident(state=state, due=Stages(**due), arrived_at=arrived), NOW) is late


def test_villages_are_ranked_only_with_enough_to_compare() -> None:
    def some(village: str | None, n: int, closed: int) -> list[Incident]:
        return [
            incident(village=village, accepted_at=at(9), state="closed" if k < closed else "handling")
            for k in range(n)
        ]

    rows = [*some("v1", 5, 4), *some("v2", 10, 8), *some("v3", 4, 4), *some(None, 9, 9), *some("v4", 6, 6)]
    ranked = summary.villages_of(rows, {"v1": "东河社区"})
    assert [(row["code"], row["n"], row["d"]) for row in ranked] == [
        ("v4", 6, 6),
        ("v2", 8, 10),
        ("v1", 4, 5),
    ]
    assert ranked[2]["name"] == "东河社区"


def test_people_are_counted_by_kind() -> None:
    people = [person("r1"), person("r2"), person("r3", on_duty=False), person("r4", kind="mediator")]
    assert summary.on_duty_of(people, frozenset({1, 3})) == {
        "by_kind": {
            "police": {"total": 3, "on": 2, "online": 1},
            "mediator": {"total": 1, "on": 1, "online": 0},
        }
    }


def test_cameras_are_counted_for_both_rates() -> None:
    camera = Camera(id="c", name="x", lon=0, lat=0)
    rows = [
        camera,
        *(msgspec.structs.replace(camera, status=Status.LIVE) for _ in range(3)),
        msgspec.structs.replace(camera, status=Status.DEGRADED, fault="blurred"),
        msgspec.structs.replace(camera, status=Status.STALE),
        msgspec.structs.replace(camera, status=Status.OFFLINE, fault="signal_lost"),
        msgspec.structs.replace(camera, status=Status.DISABLED, enabled=False),
    ]
    found = summary.cameras_of(rows)
    assert found["camera_online"] == {"n": 4, "d": 7}  # of those not switched off
    assert found["camera_intact"] == {"n": 3, "d": 8}  # of all
    assert (found["online"], found["unknown"], found["total"], found["enabled"]) == (4, 1, 8, 7)
    assert found["by_status"] == {
        "unknown": 1, "live": 3, "degraded": 1, "stale": 1, "offline": 1, "disabled": 1
    }  # fmt: skip
    assert found["faults"] == {"blurred": 1, "signal_lost": 1}
    nothing = summary.cameras_of([])
    assert nothing["camera_online"] == nothing["camera_intact"] == {"n": 0, "d": 0}


def test_response_times_are_medians_by_level_beside_the_limit() -> None:
    limits = LimitsS(sign=120, arrive=600)
    rows = [
        incident(
            level="I", limits_s=limits, dispatched_at=at(10), signed_at=at(10, n), arrived_at=at(10, n + 5)
        )
        for n in (1, 2, 9)
    ]
    rows += [
        incident(level="I", limits_s=limits, dispatched_at=at(10)),
        incident(level="I", limits_s=limits, dispatched_at=at(10), signed_at=at(11), exercise=True),
        incident(level="IV", signed_at=at(11)),
    ]
    assert summary.response_of(rows) == {
        "sign": {"I": {"median_s": 120.0, "n": 3, "limit_s": 120}},
        "arrive": {"I": {"median_s": 420.0, "n": 3, "limit_s": 600}},
    }
