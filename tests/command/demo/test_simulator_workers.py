"""What a unit does with an assignment, second by second."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest

from command.demo.simulator.errands import Errands
from command.demo.simulator.feed import Picture
from command.demo.simulator.people import Person
from command.demo.simulator.plans import Plan, plan_of
from command.demo.simulator.rates import Workers as WorkerRates
from command.demo.simulator.roads import metres
from command.demo.simulator.script import Phrases
from command.demo.simulator.workers import Workers
from command.resources import config_dir
from tests.command.demo.played import (
    RATES,
    FakeAccount,
    FakeTime,
    Outbox,
    assignment,
    change,
    crew_of,
    incident,
    person,
)

PHRASES = Phrases.load(config_dir() / "demo")
REACHED = {
    "deliver": "delivered",
    "sign": "signed",
    "decline": "declined",
    "en_route": "en_route",
    "on_scene": "on_scene",
    "finish": "finished",
}


class Field:
    """One unit, one assignment, and a service that takes every step."""

    def __init__(self, tmp_path: Path, rates: WorkerRates = RATES.workers) -> None:
        self.time = FakeTime()
        self.picture = Picture()
        self.person: Person = person()
        self.person.on_duty = True
        self.account = FakeAccount(self.time, react=self.take)
        self.errands = Errands()
        self.crew = crew_of([self.person], self.time, Outbox(), tmp_path)
        self.workers = Workers(
            self.picture,
            self.crew,
            lambda _person: self.account,
            rates,
            PHRASES,
            1,
            self.time,
            self.errands,
        )
        self.picture.incidents["i_1"] = incident(state="dispatched", assignments=["a_1"])
        self.picture.assignments["a_1"] = assignment()

    def take(self, path: str, _body: Mapping[str, Any]) -> None:
        command = path.rsplit("/", 1)[1]
        if command in REACHED:
            self.become(REACHED[command])

    def become(self, state: str) -> None:
        change(self.picture, "assignment.x", assignments={"a_1": assignment(state=state)})

    async def play(self) -> None:
        # As an errand, as the workers themselves start it: or they would begin the same job beside us.
        assert self.errands.start("job a_1", partial(self.workers.play, "a_1", self.person))
        while self.errands.running("job a_1"):  # noqa: ASYNC110  the errand has no event to wait for
            await asyncio.sleep(0)

    def steps(self) -> list[str]:
        return [p.rsplit("/", 1)[1] for p in self.account.paths() if p.startswith("/assignments/")]


def certain(**fields: float) -> WorkerRates:
    sure = {"decline_share": 0.0, "silent_share": 0.0, "leave_to_service_share": 0.0, "photo_share": 0.0}
    return msgspec.structs.replace(RATES.workers, **{**sure, **fields})


async def test_a_job_from_the_offer_to_the_end(tmp_path: Path) -> None:
    field = Field(tmp_path, certain())
    await field.play()
    assert field.steps() == ["deliver", "sign", "en_route", "on_scene", "finish"]
    at = {path.rsplit("/", 1)[1]: seconds for seconds, path, _ in field.account.asked}
    assert 0.5 <= at["deliver"] <= 2.0
    assert 3.0 <= at["sign"] - at["deliver"] <= 12.0
    assert 2.0 <= at["en_route"] - at["sign"] <= 9.0
    # 177 m on foot, at 4.5 km/h, up to thirty metres before the place.
    assert 90.0 <= at["on_scene"] - at["en_route"] <= 165.0
    assert 60.0 <= at["finish"] - at["on_scene"] <= 180.0 + 1.0
    here = field.person.moment(field.time.now()).place
    assert metres(here, (incident()["lon"], incident()["lat"])) <= RATES.workers.arrive_m
    assert field.account.asked[-1][2]["feedback"]
    assert not field.person.busy


async def test_a_refusal_has_a_reason_and_ends_it(tmp_path: Path) -> None:
    field = Field(tmp_path, certain(decline_share=1.0))
    await field.play()
    assert field.steps() == ["deliver", "decline"]
    assert field.account.asked[-1][2]["reason"]


async def test_a_silent_unit_gets_the_offer_and_says_nothing(tmp_path: Path) -> None:
    field = Field(tmp_path, certain(silent_share=1.0))
    await field.play()
    assert field.steps() == ["deliver"]
    assert not field.person.busy


async def test_in_a_dead_spot_the_offer_waits_until_it_ends(tmp_path: Path) -> None:
    field = Field(tmp_path, certain())
    field.person.dead_until = field.time.now() + 25.0
    await field.play()
    assert field.account.asked[0][0] >= 25.0


@pytest.mark.parametrize("state", ["recalled", "timed_out", "released", "reassigned"])
async def test_a_job_taken_away_on_the_road_is_dropped(tmp_path: Path, state: str) -> None:
    field = Field(tmp_path, certain())
    field.time.at(40.0, lambda: field.become(state))
    await field.play()
    assert field.steps() == ["deliver", "sign", "en_route"]
    assert field.time.now() - 1_795_000_000.0 < 45.0


async def test_the_services_own_proposal_may_hold_first(tmp_path: Path) -> None:
    field = Field(tmp_path, certain(leave_to_service_share=1.0))
    field.time.at(150.0, lambda: field.become("on_scene"))
    await field.play()
    assert field.steps() == ["deliver", "sign", "en_route", "finish"]


async def test_a_proposal_that_never_comes_is_said_after_all(tmp_path: Path) -> None:
    field = Field(tmp_path, certain(leave_to_service_share=1.0))
    await field.play()
    assert field.steps() == ["deliver", "sign", "en_route", "on_scene", "finish"]


async def test_a_restart_goes_on_where_the_job_stands(tmp_path: Path) -> None:
    field = Field(tmp_path, certain())
    field.picture.assignments["a_1"] = assignment(state="en_route")
    await field.play()
    assert field.steps() == ["on_scene", "finish"]


async def test_a_photo_comes_before_the_end(tmp_path: Path) -> None:
    field = Field(tmp_path, certain(photo_share=1.0))
    await field.play()
    assert field.account.paths()[-2:] == ["/incidents/i_1/photos", "/assignments/a_1/finish"]


async def test_a_job_that_begins_before_the_last_one_has_ended_is_kept(tmp_path: Path) -> None:
    field = Field(tmp_path, certain())
    react = field.account.react

    def at_once(path: str, body: Mapping[str, Any]) -> None:
        react(path, body)
        if path.endswith("/finish"):
            field.person.job = "a_2"  # the next dispatch is faster than the answer

    field.account.react = at_once
    await field.play()
    assert field.person.job == "a_2"


def presence(responder_id: str = "r_1", page: str = "field") -> list[dict[str, Any]]:
    return [{"user_id": "u_h", "page": page, "responder_id": responder_id, "viewing": None}]


async def test_a_person_at_the_field_page_takes_over_in_the_middle(tmp_path: Path) -> None:
    field = Field(tmp_path, certain())
    field.time.at(8.0, lambda: field.picture.meet(presence()))
    await field.play()
    assert "finish" not in field.steps()
    assert field.time.now() - 1_795_000_000.0 < 12.0
    assert field.person.human


async def test_a_responder_played_by_a_person_is_never_answered_for(tmp_path: Path) -> None:
    field = Field(tmp_path, certain())
    field.picture.meet(presence())
    change(field.picture, "assignment.dispatched", assignments={"a_1": assignment()})
    assert len(field.errands) == 0
    field.picture.meet(presence(page="console", responder_id="r_2"))
    field.time.seconds += RATES.workers.human_grace_s - 1
    field.workers.meet()
    assert field.person.human
    field.time.seconds += 2
    field.workers.meet()
    assert not field.person.human
    assert field.errands.running("job a_1")
    await field.errands.close()


async def test_each_assignment_is_played_once(tmp_path: Path) -> None:
    field = Field(tmp_path, certain())
    change(field.picture, "assignment.dispatched", assignments={"a_1": assignment()})
    change(field.picture, "assignment.delivered", assignments={"a_1": assignment(state="delivered")})
    field.picture.replace({"assignments": {"a_1": assignment(state="delivered")}})
    assert len(field.errands) == 1
    await field.errands.close()


def test_the_same_assignment_has_the_same_plan_and_shares_hold() -> None:
    assert plan_of("a_9", 4, RATES.workers) == plan_of("a_9", 4, RATES.workers)
    plans: list[Plan] = [plan_of(f"a_{n}", 1, RATES.workers) for n in range(3000)]
    assert 0.035 < sum(plan.answer == "decline" for plan in plans) / 3000 < 0.065
    assert 0.025 < sum(plan.answer == "silence" for plan in plans) / 3000 < 0.055
