"""Most people are on duty, and the demo's own field accounts always."""

from __future__ import annotations

import random
from pathlib import Path

from command.demo.simulator.people import Crew, Person
from command.demo.simulator.shifts import Shifts
from tests.command.demo.played import RATES, FakeAccount, FakeTime, Outbox, crew_of, person


def roster(tmp_path: Path, count: int = 20) -> tuple[Shifts, FakeAccount, Crew]:
    time = FakeTime()
    people: list[Person] = [
        person(
            f"r_{n}",
            kind="police" if n in (7, 8) else "grid_worker",
            username="worker" if n == 9 else f"u{n}",
        )
        for n in range(count)
    ]
    crew = crew_of(people, time, Outbox(), tmp_path)

    def take(path: str, body: object) -> None:
        key = path.split("/")[2]
        assert isinstance(body, dict)
        crew.people[key].on_duty = bool(body["on_duty"])

    account = FakeAccount(time, react=take)
    return Shifts(account, crew, RATES.shifts, time, random.Random(1)), account, crew


async def test_three_quarters_begin_and_cars_are_manned(tmp_path: Path) -> None:
    shifts, account, crew = roster(tmp_path)
    await shifts.begin()
    on = {p.id for p in crew.people.values() if p.on_duty}
    assert len(on) == 15
    assert {"r_7", "r_8", "r_9"} <= on
    assert all(body["until"].endswith("Z") for _, _, body in account.asked)


async def test_who_is_on_duty_already_stays(tmp_path: Path) -> None:
    shifts, account, crew = roster(tmp_path)
    for n in range(15):
        crew.people[f"r_{n}"].on_duty = n != 9
    await shifts.begin()
    # One place was free, and it is the field account's.
    assert account.paths() == ["/responders/r_9/shift"]
    await shifts.begin()
    assert len(account.asked) == 1


async def test_a_change_sends_one_and_relieves_one_who_is_free(tmp_path: Path) -> None:
    shifts, account, crew = roster(tmp_path, 11)
    for somebody in crew.people.values():
        somebody.on_duty = somebody.id != "r_0"
        somebody.job = None if somebody.id in ("r_0", "r_5", "r_9") else "a_1"
    await shifts.change()
    asked = {path.split("/")[2]: body["on_duty"] for _, path, body in account.asked}
    assert asked == {"r_0": True, "r_5": False}


async def test_a_responder_played_by_a_person_keeps_the_own_shift(tmp_path: Path) -> None:
    shifts, account, crew = roster(tmp_path, 2)
    crew.people["r_0"].human = crew.people["r_1"].human = True
    crew.people["r_1"].on_duty = True
    await shifts.change()
    assert account.asked == []
