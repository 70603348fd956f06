"""The parts of the simulator put together."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter, defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from command.demo.simulator.callers import Callers
from command.demo.simulator.clients import Api, SignedIn
from command.demo.simulator.colleague import OPEN, Colleague
from command.demo.simulator.errands import Errands, keep
from command.demo.simulator.feed import Feed, Picture
from command.demo.simulator.gateway import Gateway, Radio
from command.demo.simulator.letters import Letters
from command.demo.simulator.machine import Machine
from command.demo.simulator.people import Crew, Person
from command.demo.simulator.rates import Rates, load_rates
from command.demo.simulator.roads import LonLat, Roads
from command.demo.simulator.script import Phrases, Scene, Script, Template, load_scenes, load_templates
from command.demo.simulator.shifts import Shifts
from command.demo.simulator.timing import RealTiming, Timing
from command.demo.simulator.trackers import Phones
from command.demo.simulator.workers import Workers
from command.resources import config_dir

STOPS_PER_PERSON = 14


class Town:
    """Everybody and everything that is played.

    Args:
        url: Of the service.
        facts: ``simulator.json``.
        rates: How lively.
        roads: The district's.
        scenes: Where things happen.
        templates: What happens.
        phrases: What is said.
        timing: Time.
    """

    def __init__(
        self,
        url: str,
        facts: Mapping[str, Any],
        rates: Rates,
        roads: Roads,
        scenes: list[Scene],
        templates: tuple[Template, ...],
        phrases: Phrases,
        timing: Timing,
    ) -> None:
        seed = int(facts["seed"])
        self._timing = timing
        self._rates = rates
        self.api = Api(url, rates.network, timing)
        self.picture = Picture()
        self.errands = Errands()
        self._accounts: dict[str, SignedIn] = {}
        desks = {
            name: SignedIn(self.api, desk["username"], desk["password"])
            for name, desk in facts["desks"].items()
        }
        token = facts.get("integration_token")
        self.phones = Phones(url, rates.trackers, timing, random.Random(f"{seed}:phones"))
        self.gateway = None if token is None else Gateway(url, token, rates.trackers, timing)
        self.supervisor = desks["supervisor"]
        people = _people(facts, scenes, rates, random.Random(f"{seed}:people"), timing.now())
        radio = Radio(self.phones, self.gateway)
        self.crew = Crew(people, roads, radio, rates.movement, timing, random.Random(f"{seed}:crew"))
        self.picture.listen(self._follow)
        self.feed = Feed(desks["colleague"], self.api.url, self.picture, timing)
        self.shifts = Shifts(
            self.supervisor, self.crew, rates.shifts, timing, random.Random(f"{seed}:shifts")
        )
        self.workers = Workers(
            self.picture, self.crew, self.account_of, rates.workers, phrases, seed, timing, self.errands
        )
        Letters(self.picture, self.crew, self.account_of, rates.workers, phrases, seed, timing, self.errands)
        self.colleague = Colleague(
            desks["colleague"], self.picture, self.feed.look_at, rates.colleague, phrases, seed, timing
        )
        # What happens differs between two starts: the day goes on, it does not begin again.
        chance = random.Random(f"{seed}:{int(timing.now())}")
        self.callers = Callers(
            Script(templates, scenes, phrases, chance),
            desks["operator"],
            None if token is None else Machine(self.api, token),
            self.crew,
            self.account_of,
            self.colleague,
            self.picture,
            rates.callers,
            phrases,
            timing,
            chance,
            self.errands,
        )

    def account_of(self, person: Person) -> SignedIn:
        """Return a person's own account; it signs in when first used."""
        if person.id not in self._accounts:
            self._accounts[person.id] = SignedIn(self.api, person.username, person.password)
        return self._accounts[person.id]

    def _follow(self, type_: str, data: Mapping[str, Any]) -> None:
        if type_ == "snapshot" or "responders" in data.get("changes", {}):
            self.crew.follow_roster(self.picture.responders)

    async def run(self) -> None:
        """Play until cancelled."""
        try:
            async with asyncio.TaskGroup() as parts:
                parts.create_task(keep("feed", self.feed.run, self._timing))
                await self.feed.ready.wait()
                await self._take_places()
                for name, work in (
                    ("crew", self.crew.run),
                    ("phones", self.phones.run),
                    ("shifts", self.shifts.run),
                    ("workers", self.workers.run),
                    ("colleague", self.colleague.run),
                    ("callers", self._call),
                ):
                    parts.create_task(keep(name, work, self._timing))
                if self.gateway is not None:
                    parts.create_task(keep("gateway", self.gateway.run, self._timing))
        finally:
            await self.errands.close()
            await self.api.aclose()

    async def _call(self) -> None:
        await self.shifts.begun.wait()
        await self.callers.run()

    async def _take_places(self) -> None:
        """Go on where the service last saw people: nobody jumps home because this program began anew."""
        answer = await self.supervisor.get("/responders", limit=5000)
        for row in answer.body.get("items", []):
            person = self.crew.people.get(row["id"])
            if person is not None and row.get("lon") is not None:
                person.put((row["lon"], row["lat"]))

    def figures(self) -> dict[str, object]:
        """Return what the summary line says."""
        states = Counter(i["state"] for i in self.picture.incidents.values() if i["state"] in OPEN)
        return {
            "on_duty": sum(person.on_duty for person in self.crew.people.values()),
            "played_by_people": sum(person.human for person in self.crew.people.values()),
            "positions": self.phones.accepted + (self.gateway.accepted if self.gateway else 0),
            "positions_refused": self.phones.refused,
            "open_incidents": dict(states),
            "reported": self.callers.reported,
            "dispatched": self.colleague.dispatched,
            "closed": self.colleague.closed,
            "jobs": self.workers.jobs,
            "requests": self.api.requests,
            "given_up": self.api.failures,
            "feed_reconnects": self.feed.reconnects,
        }


def _people(
    facts: Mapping[str, Any], scenes: list[Scene], rates: Rates, rng: random.Random, now: float
) -> list[Person]:
    """Make the people; each patrols among the scenes of the own grids and the own door."""
    by_grid: dict[str, list[LonLat]] = defaultdict(list)
    for scene in scenes:
        by_grid[scene.grid].append(scene.place)
    people = []
    for row in facts["responders"]:
        stops = [place for code in row.get("grids") or () for place in by_grid.get(code, ())]
        stops = rng.sample(stops, min(STOPS_PER_PERSON, len(stops)))
        if row.get("home"):
            stops.append(tuple(row["home"]))
        people.append(Person(row, stops, rates.movement, rng, now))
    return people


def load_town(data: Path, url: str) -> Town:
    """Read everything.

    Args:
        data: The demo's folder.
        url: Of the service.

    Raises:
        OSError: A file is missing.
        ValueError: One does not say what it should.
        KeyError: ``simulator.json`` lacks something.
    """
    config = config_dir() / "demo"
    facts = json.loads((data / "simulator.json").read_text("utf-8"))
    homes = [tuple(row["home"]) for row in facts["responders"] if row.get("home")]
    return Town(
        url,
        facts,
        load_rates(config),
        Roads(data / "district"),
        load_scenes(data, homes),
        load_templates(config),
        Phrases.load(config),
        RealTiming(),
    )
