"""Who calls: citizens, grid workers with a photo, the police, sensors; and who rates the outcome later."""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from command.demo.simulator.clients import Account
from command.demo.simulator.colleague import OPEN, Colleague
from command.demo.simulator.errands import Errands
from command.demo.simulator.feed import Picture
from command.demo.simulator.people import Crew, Person
from command.demo.simulator.photos import photo
from command.demo.simulator.rates import Callers as CallerRates
from command.demo.simulator.roads import metres
from command.demo.simulator.script import Phrases, Script, Told
from command.demo.simulator.timing import Timing, draw, seconds_of

ORDINARY: Final = frozenset({"III", "IV", "none"})
BY_FIELD: Final = {"grid_worker": "grid_worker", "patrol": "grid_worker", "police": "police"}
"""Source → kind of the responder who reports it over the own account."""
BY_MACHINE: Final = frozenset({"alarm", "video"})
NUMBERED: Final = frozenset({"hotline", "public_report"})
"""Sources whose reports carry a telephone number."""
PICTURED: Final = frozenset({"grid_worker", "patrol", "public_report"})
FIRST: Final = (
    (frozenset({"III"}), "hotline"),
    (frozenset({"IV"}), "grid_worker"),
    (frozenset({"III"}), "police"),
    (frozenset({"IV"}), "public_report"),
    (frozenset({"III"}), None),
    (frozenset({"II"}), None),
    (frozenset({"IV"}), "hotline"),
    (frozenset({"III"}), "grid_worker"),
)
"""What is open when the demo begins, in this order; the first ones are taken on at once."""
GRAVE_CHANCE: Final = 0.12
I_AMONG_GRAVE: Final = 0.1
SELF_HANDLED_CHANCE: Final = 0.2


class Callers:
    """Makes incidents.

    Args:
        script: What happens.
        operator: Takes the calls.
        sensors: Reports alarms; None where there is no integration token.
        crew: Field staff who report themselves.
        account_of: Their accounts.
        colleague: Who takes the first incidents on.
        picture: To see how many are open.
        rates: How often.
        phrases: What is written.
        timing: Time.
        rng: Chance.
        errands: For photos and ratings.
    """

    def __init__(
        self,
        script: Script,
        operator: Account,
        sensors: Account | None,
        crew: Crew,
        account_of: Callable[[Person], Account],
        colleague: Colleague,
        picture: Picture,
        rates: CallerRates,
        phrases: Phrases,
        timing: Timing,
        rng: random.Random,
        errands: Errands,
    ) -> None:
        self._script = script
        self._operator = operator
        self._sensors = sensors
        self._crew = crew
        self._account_of = account_of
        self._colleague = colleague
        self._picture = picture
        self._rates = rates
        self._phrases = phrases
        self._timing = timing
        self._rng = rng
        self._errands = errands
        # More people live through more, but nobody's demo wants ten times the calls.
        self._scale = min(4.0, max(1.0, math.sqrt(len(crew.people) / rates.people)))
        self._grave_at = timing.now()
        self.reported = 0
        picture.listen(self.notice)

    async def run(self) -> None:
        """Begin with what is open already, then let things happen until cancelled."""
        await self._timing.sleep(self._rates.first_after_s)
        for number in range(max(0, self._rates.starters - self._open())):
            levels, source = FIRST[number % len(FIRST)]
            told = self._script.happen(levels, self._rates.aside_m, source)
            key = None if told is None else await self.tell(told)
            if key is not None and number < self._rates.starters_under_way:
                self._colleague.hurry.add(key)
            await self._timing.sleep(self._rates.starter_every_s)
        while True:
            faster = 2.0 if self._open() < self._rates.few_open * self._scale else 1.0
            await self._timing.sleep(draw(self._rng, self._rates.every_s) / self._scale / faster)
            told = self.next()
            if told is not None:
                await self.tell(told)

    def _open(self, *, claimed_by_others: bool = True) -> int:
        own = (None, self._colleague.user_id)
        return sum(
            incident["state"] in OPEN and (claimed_by_others or incident["claimed_by"] in own)
            for incident in self._picture.incidents.values()
        )

    def next(self) -> Told | None:
        """Return what happens now, or None while enough is open."""
        most = round(self._rates.max_open * self._scale)
        if self._open(claimed_by_others=False) >= most:
            return None
        if self._open() >= round(self._rates.hard_max_open * self._scale):
            return None
        now = self._timing.now()
        if self._rng.random() < self._rates.duplicate_share:
            recent = [
                incident
                for incident in self._picture.incidents.values()
                if incident["state"] in ("reported", "accepted", "dispatched", "handling")
                and incident["parent_id"] is None
                and now - (seconds_of(incident["reported_at"]) or 0.0) < self._rates.duplicate_age_s
            ]
            if recent:
                known = self._rng.choice(sorted(recent, key=lambda incident: str(incident["id"])))
                return self._script.again(known, self._rates.duplicate_m)
        levels = ORDINARY
        if now - self._grave_at >= self._rates.grave_every_s and self._rng.random() < GRAVE_CHANCE:
            levels = frozenset({"I" if self._rng.random() < I_AMONG_GRAVE else "II"})
            self._grave_at = now
        return self._script.happen(levels, self._rates.aside_m)

    async def tell(self, told: Told) -> str | None:
        """Report something as whoever noticed it.

        Returns:
            The incident's id, or None when the service did not take it.
        """
        reporter, account = self._reporter(told)
        body = told.body()
        if told.source not in NUMBERED:
            body["reporter_contact"] = None
        answer = await account.post("/incidents", body)
        if not answer.ok:
            return None
        self.reported += 1
        key = str(answer.body["id"])
        if told.source in PICTURED:
            self._errands.start(f"photo {key}", partial(self._photo, account, key, told))
        if (
            reporter is not None
            and told.source == "grid_worker"
            and told.level in ("IV", "none")
            and self._rng.random() < SELF_HANDLED_CHANCE
        ):
            self._errands.start(f"settle {key}", partial(self._settle, account, key))
        return key

    def _reporter(self, told: Told) -> tuple[Person | None, Account]:
        if told.source in BY_MACHINE and self._sensors is not None:
            return None, self._sensors
        kind = BY_FIELD.get(told.source)
        now = self._timing.now()
        staff = [person for person in self._crew.on_duty() if person.kind == kind and not person.busy]
        if not staff:
            return None, self._operator
        # Whoever looks after the grid, else whoever is nearest, happened to pass by.
        person = min(
            staff, key=lambda p: (told.grid not in p.grids, metres(p.moment(now).place, told.place), p.id)
        )
        return person, self._account_of(person)

    async def _photo(self, account: Account, key: str, told: Told) -> None:
        await self._timing.sleep(draw(self._rng, (1.0, 6.0)))
        drawn = random.Random(f"{key}:photo")
        picture = await asyncio.to_thread(photo, told.photo, drawn, self._rates.photo_px)
        await account.upload(f"/incidents/{key}/photos", "现场.png", picture)

    async def _settle(self, account: Account, key: str) -> None:
        await self._timing.sleep(draw(self._rng, (8.0, 25.0)))
        incident = self._picture.incidents.get(key)
        if incident is not None and incident["state"] == "reported" and incident["claimed_by"] is None:
            words = self._phrases.say(self._rng, "self_handled")
            await account.post(f"/incidents/{key}/self_close", {"note": words})

    # Ratings

    def notice(self, type_: str, data: Mapping[str, Any]) -> None:
        """Let the public rate some of what was closed."""
        if type_ != "incident.closed":
            return
        for key, incident in data.get("changes", {}).get("incidents", {}).items():
            numbered = incident is not None and incident["source"] in NUMBERED
            if numbered and self._rng.random() < self._rates.rated_share:
                self._errands.start(f"rate {key}", partial(self._rate, key))

    async def _rate(self, key: str) -> None:
        await self._timing.sleep(draw(self._rng, self._rates.rated_after_s))
        incident = self._picture.incidents.get(key)
        if incident is not None and incident["state"] == "closed":
            score = self._rng.choices((5, 4, 3, 2), (62, 28, 8, 2))[0]
            await self._operator.post(f"/incidents/{key}/evaluate", {"score": score})
