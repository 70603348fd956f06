"""Who is on duty: most people at the start, and now and then one comes and another goes."""

from __future__ import annotations

import asyncio
import random

from command.demo.simulator.clients import Account
from command.demo.simulator.people import Crew, Person
from command.demo.simulator.rates import Shifts as ShiftRates
from command.demo.simulator.timing import Timing, draw, moment


class Shifts:
    """The duty roster, kept by the supervisor.

    Args:
        account: The supervisor's.
        crew: Everybody.
        rates: How many and how often.
        timing: Time.
        rng: Chance.
    """

    def __init__(
        self, account: Account, crew: Crew, rates: ShiftRates, timing: Timing, rng: random.Random
    ) -> None:
        self._account = account
        self._crew = crew
        self._rates = rates
        self._timing = timing
        self._rng = rng
        self.begun = asyncio.Event()
        """Set once the first shifts have begun."""

    async def run(self) -> None:
        """Begin the shifts, then change them now and then, until cancelled."""
        await self.begin()
        self.begun.set()
        while True:
            await self._timing.sleep(draw(self._rng, self._rates.change_every_s))
            await self.change()

    async def begin(self) -> None:
        """Send people on duty until the share is met; those who are already stay."""
        people = list(self._crew.people.values())
        wanted = round(len(people) * self._rates.on_duty_share) - sum(p.on_duty for p in people)
        off = [person for person in people if not person.on_duty]
        self._rng.shuffle(off)
        # The patrol cars and the rescue teams are always manned.
        off.sort(key=lambda person: person.kind not in ("police", "emergency_member"))
        off.sort(key=lambda person: person.username not in self._rates.always)
        always = sum(person.username in self._rates.always for person in off)
        gate = asyncio.Semaphore(self._rates.at_once)

        async def one(person: Person) -> None:
            async with gate:
                await self._set(person, on_duty=True)

        await asyncio.gather(*(one(person) for person in off[: max(always, wanted)]))

    async def change(self) -> None:
        """Let one person come and another go."""
        people = list(self._crew.people.values())
        coming = [p for p in people if not p.on_duty and not p.human]
        going = [p for p in people if p.on_duty and not p.human and not p.busy]
        going = [p for p in going if p.username not in self._rates.always]
        if coming:
            await self._set(self._rng.choice(coming), on_duty=True)
        if coming and going:
            await self._set(self._rng.choice(going), on_duty=False)

    async def _set(self, person: Person, *, on_duty: bool) -> None:
        until = moment(self._timing.now() + draw(self._rng, self._rates.remaining_s)) if on_duty else None
        await self._account.post(f"/responders/{person.id}/shift", {"on_duty": on_duty, "until": until})
