"""The second desk helps and never gets in a person's way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from command.demo.simulator.clients import Answer
from command.demo.simulator.colleague import Colleague
from command.demo.simulator.feed import Picture
from command.demo.simulator.script import Phrases
from command.demo.simulator.timing import moment
from command.resources import config_dir
from tests.command.demo.played import RATES, START, FakeAccount, FakeTime, change, incident

QUIET = msgspec.structs.replace(RATES.colleague, message_share=0.0, note_share=0.0)


class Room:
    """One colleague at work."""

    def __init__(self) -> None:
        self.time = FakeTime()
        self.picture = Picture()
        self.account = FakeAccount(self.time, react=self.take)
        self.account.answers["/nearest"] = Answer(
            200,
            {
                "items": [
                    {"responder_id": f"r_{n}", "status": "busy" if n == 1 else "free"} for n in (1, 2, 3)
                ]
            },
        )
        self.looked: list[str | None] = []
        phrases = Phrases.load(config_dir() / "demo")
        self.colleague = Colleague(self.account, self.picture, self.look_at, QUIET, phrases, 1, self.time)

    async def look_at(self, key: str | None) -> None:
        self.looked.append(key)

    def take(self, path: str, _body: Mapping[str, Any]) -> None:
        _, kind, key, command = path.split("/")
        if kind == "incidents" and command == "claim":
            row = {**self.picture.incidents[key], "claimed_by": self.account.user_id}
            change(self.picture, "incident.claimed", self.account.user_id, incidents={key: row})

    def report(self, key: str = "i_1", **fields: Any) -> None:
        change(self.picture, "incident.reported", "u_operator", incidents={key: incident(key, **fields)})

    async def after(self, seconds: float) -> list[str]:
        self.time.seconds = START + seconds
        chosen = self.colleague.choose()
        if chosen is not None:
            await self.colleague.attend(chosen["id"])
        return self.account.paths()


async def test_an_ordinary_incident_is_left_to_people_for_a_minute_or_two() -> None:
    room = Room()
    room.report()
    assert await room.after(59.0) == []
    assert await room.after(121.0) == ["/incidents/i_1/claim", "GET /nearest", "/incidents/i_1/dispatch"]
    assert room.account.asked[-1][2] == {"responder_ids": ["r_2"]}
    assert room.looked == ["i_1", None]


async def test_a_grave_one_waits_four_minutes_and_gets_two_units() -> None:
    room = Room()
    room.report(level="I")
    assert await room.after(220.0) == []
    await room.after(271.0)
    assert room.account.asked[-1][2] == {"responder_ids": ["r_2", "r_3"]}


async def test_what_hurries_is_taken_on_at_once() -> None:
    room = Room()
    room.report()
    room.colleague.hurry.add("i_1")
    assert "/incidents/i_1/dispatch" in await room.after(1.0)


@pytest.mark.parametrize("state", ["reported", "accepted", "handled"])
async def test_what_another_desk_claimed_is_never_touched(state: str) -> None:
    room = Room()
    room.report(state=state, claimed_by="u_person", handled_at=moment(START))
    assert await room.after(9999.0) == []


async def test_what_a_person_acted_on_is_left_alone_for_a_quarter_of_an_hour() -> None:
    room = Room()
    room.report()
    change(room.picture, "incident.acknowledged", "u_person", incidents={"i_1": incident()})
    assert await room.after(600.0) == []
    assert await room.after(901.0) != []


async def test_what_a_person_has_open_is_left_alone() -> None:
    room = Room()
    room.report()
    row = {"user_id": "u_p", "page": "console", "responder_id": None}
    room.picture.meet([{**row, "viewing": {"kind": "incident", "id": "i_1"}}])
    assert await room.after(500.0) == []
    room.picture.meet([{**row, "viewing": None}])
    assert await room.after(501.0) != []


async def test_a_person_who_steps_in_during_the_reading_wins() -> None:
    room = Room()
    room.report()
    taken = incident(claimed_by="u_person")
    room.time.at(
        121.1, lambda: change(room.picture, "incident.claimed", "u_person", incidents={"i_1": taken})
    )
    assert await room.after(121.0) == []
    assert room.looked == ["i_1", None]


async def test_a_lost_race_for_a_unit_is_tried_again_soon() -> None:
    room = Room()
    room.report()
    room.account.answers["/incidents/i_1/dispatch"] = Answer(409, {"error": "already_assigned"})
    await room.after(121.0)
    assert room.colleague.dispatched == 0
    soon = room.time.now() - START
    assert (await room.after(soon + 1.0)).count("/incidents/i_1/dispatch") == 1
    assert (await room.after(soon + 6.0)).count("/incidents/i_1/dispatch") == 2


async def test_what_the_service_offers_by_itself_is_not_dispatched_twice() -> None:
    room = Room()
    room.report(state="accepted", attention="declined")
    assert await room.after(300.0) == []
    room.report(state="accepted", attention="ruling")
    assert "/incidents/i_1/dispatch" in await room.after(301.0)


async def test_handled_is_checked_and_closed() -> None:
    room = Room()
    room.report(state="handled", handled_at=moment(START))
    assert await room.after(19.0) == []
    assert await room.after(71.0) == ["/incidents/i_1/check_pass"]
    assert room.account.asked[-1][2]["disposition"]


async def test_a_double_is_merged_into_the_first() -> None:
    room = Room()
    room.report("i_0", state="handling")
    room.report("i_1", suspects=["i_0"])
    assert await room.after(121.0) == ["/incidents/i_1/merge"]
    assert room.account.asked[-1][2] == {"into": "i_0"}


async def test_a_double_of_what_a_person_works_on_is_left_to_that_person() -> None:
    room = Room()
    room.report("i_0", state="handling", claimed_by="u_person")
    room.report("i_1", suspects=["i_0"])
    assert await room.after(500.0) == []
    room.report("i_0", state="closed", claimed_by="u_person")
    assert "/incidents/i_1/dispatch" in await room.after(501.0)


async def test_a_question_is_answered_by_telephone() -> None:
    room = Room()
    room.report(level="none", category="consultation")
    assert await room.after(121.0) == [
        "/incidents/i_1/claim",
        "/incidents/i_1/accept",
        "/incidents/i_1/close",
    ]


async def test_the_kinds_of_the_category_come_first_and_then_anybody() -> None:
    room = Room()
    room.report(category="traffic", level="III")
    room.account.answers["/nearest"] = Answer(200, {"items": []})
    await room.after(121.0)
    asked = [query for _, path, query in room.account.asked if path == "GET /nearest"]
    assert [query.get("kinds") for query in asked] == ["police", None]
