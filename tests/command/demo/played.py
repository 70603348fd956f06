"""What the simulator's tests share: time that moves when somebody waits, accounts that note what was asked."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from command.demo.simulator.clients import Answer
from command.demo.simulator.feed import Picture
from command.demo.simulator.people import Crew, Fix, Person
from command.demo.simulator.rates import Rates, load_rates
from command.demo.simulator.roads import Roads
from command.demo.simulator.timing import moment
from command.resources import config_dir

RATES: Rates = load_rates(config_dir() / "demo")
START = 1_795_000_000.0
HOME = (106.9, 37.2)


class FakeTime:
    """Sleeping moves the clock; `after` lets something happen on the way."""

    def __init__(self) -> None:
        self.seconds = START
        self._plans: list[tuple[float, Callable[[], None]]] = []

    def now(self) -> float:
        return self.seconds

    def at(self, seconds: float, what: Callable[[], None]) -> None:
        self._plans.append((START + seconds, what))

    async def sleep(self, seconds: float) -> None:
        self.seconds += max(0.0, seconds)
        for plan in [plan for plan in self._plans if plan[0] <= self.seconds]:
            self._plans.remove(plan)
            plan[1]()


@dataclass
class FakeAccount:
    """Says yes, notes when it was asked what, and lets the test react."""

    time: FakeTime
    user_id: str = "u_colleague"
    name: str = "调度席"
    asked: list[tuple[float, str, dict[str, Any]]] = field(default_factory=list)
    answers: dict[str, Answer] = field(default_factory=dict)
    react: Callable[[str, Mapping[str, Any]], None] = lambda _path, _body: None

    async def get(self, path: str, **query: str | float) -> Answer:
        self.asked.append((self.time.now() - START, f"GET {path}", dict(query)))
        return self.answers.get(path, Answer(200, {"items": []}))

    async def post(self, path: str, body: Mapping[str, object] | None = None) -> Answer:
        self.asked.append((self.time.now() - START, path, dict(body or {})))
        answer = self.answers.get(path, Answer(200, {"id": "i_new"}))
        if answer.ok:
            self.react(path, body or {})
        return answer

    async def upload(self, path: str, name: str, content: bytes) -> Answer:
        self.asked.append((self.time.now() - START, path, {"name": name, "size": len(content)}))
        return Answer(201)

    def paths(self) -> list[str]:
        return [path for _, path, _ in self.asked]


class Outbox:
    """Keeps the fixes that were sent."""

    def __init__(self) -> None:
        self.fixes: list[tuple[str, Fix]] = []

    def send(self, person: Person, fix: Fix) -> None:
        self.fixes.append((person.id, fix))


def person(key: str = "r_1", *, kind: str = "grid_worker", profile: str = "foot", **more: Any) -> Person:
    row = {
        "responder_id": key,
        "unit": int(key.rsplit("_", 1)[-1]),
        "name": "周巧云",
        "kind": kind,
        "profile": profile,
        "username": f"u{key}",
        "password": "x",
        "token": "yt_abc",
        "device_id": f"phone-{key}",
        "home": list(HOME),
        "grids": [],
        **more,
    }
    return Person(row, [HOME], RATES.movement, random.Random(key), START)


def crew_of(people: list[Person], time: FakeTime, outbox: Outbox, folder: Path) -> Crew:
    return Crew(people, Roads(folder), outbox, RATES.movement, time, random.Random(1))


def incident(key: str = "i_1", **fields: Any) -> dict[str, Any]:
    return {
        "id": key,
        "title": "井盖缺失",
        "category": "city_component",
        "level": "IV",
        "source": "hotline",
        "state": "reported",
        "lon": HOME[0] + 0.002,
        "lat": HOME[1],
        "address": "桥头街 12 号",
        "claimed_by": None,
        "acknowledged_by": None,
        "attention": None,
        "suspects": [],
        "parent_id": None,
        "assignments": [],
        "reported_at": moment(START),
        "handled_at": None,
        **fields,
    }


def assignment(key: str = "a_1", **fields: Any) -> dict[str, Any]:
    return {"id": key, "incident_id": "i_1", "responder_id": "r_1", "state": "dispatched", **fields}


def change(picture: Picture, type_: str, actor: str = "system", **kinds: dict[str, Any]) -> None:
    """Let an event arrive."""
    picture.apply(type_, {"changes": kinds, "actor": {"id": actor, "name": actor}})
