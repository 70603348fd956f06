"""The units in the field: each answers what it is sent, as itself, over its own session.

What a unit will do with an assignment is drawn once from the assignment's id, so the same seed plays the same
evening. A responder whose field page a person has open is left alone altogether: steps, messages and tracker.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from command.demo.simulator.clients import Account
from command.demo.simulator.errands import Errands
from command.demo.simulator.feed import Entity, Picture
from command.demo.simulator.people import Crew, Person
from command.demo.simulator.photos import photo
from command.demo.simulator.plans import Plan, plan_of
from command.demo.simulator.rates import Workers as WorkerRates
from command.demo.simulator.roads import LonLat, metres
from command.demo.simulator.script import Phrases
from command.demo.simulator.timing import Timing
from command.logs import get_logger

log = get_logger(__name__)

ORDER: Final = ("dispatched", "delivered", "signed", "en_route", "on_scene")
"""States in which an assignment holds its unit, in order."""


class Workers:
    """All units.

    Args:
        picture: What one feed shows.
        crew: The people, whom this sends about.
        account_of: The account of a person.
        rates: How they answer.
        phrases: What they write.
        seed: Of the demo.
        timing: Time.
        errands: Where their doings run.
    """

    def __init__(
        self,
        picture: Picture,
        crew: Crew,
        account_of: Callable[[Person], Account],
        rates: WorkerRates,
        phrases: Phrases,
        seed: int,
        timing: Timing,
        errands: Errands,
    ) -> None:
        self._picture = picture
        self._crew = crew
        self._account_of = account_of
        self._rates = rates
        self._phrases = phrases
        self._seed = seed
        self._timing = timing
        self._errands = errands
        self._rng = random.Random(f"{seed}:workers")
        self._seen_human: dict[str, float] = {}
        self.jobs = 0
        picture.listen(self.notice)

    def notice(self, type_: str, data: Mapping[str, Any]) -> None:
        """Look at what the feed says."""
        changes = data.get("changes", {})
        if type_ == "presence":
            self.meet()
        elif type_ == "snapshot":
            self._adopt(self._picture.assignments.values())
        elif "assignments" in changes:
            self._adopt(entity for entity in changes["assignments"].values() if entity is not None)

    def meet(self) -> None:
        """Note which responders are played by people now; step back in where they left a while ago."""
        now = self._timing.now()
        for row in self._picture.presence:
            # Our own sessions never open a field page, so whoever has one open is a person.
            person = self._crew.people.get(row.get("responder_id") or "")
            if person is not None and row.get("page") == "field":
                self._seen_human[person.id] = now
                if not person.human:
                    person.human = True
                    person.stand(now)
                    log.info("a person took over", responder_id=person.id)
        here = {row.get("responder_id") for row in self._picture.presence if row.get("page") == "field"}
        for key, seen_at in list(self._seen_human.items()):
            if key in here:
                self._seen_human[key] = now
            elif now - seen_at > self._rates.human_grace_s:
                del self._seen_human[key]
                self._crew.people[key].human = False
                self._adopt(self._picture.assignments.values())

    async def run(self) -> None:
        """Watch for people who left, until cancelled."""
        while True:
            await self._timing.sleep(5.0)
            self.meet()

    def _adopt(self, assignments: Any) -> None:
        for entity in assignments:
            person = self._crew.people.get(entity["responder_id"])
            if person is None or person.human or entity["state"] not in ORDER:
                continue
            key = entity["id"]
            if self._errands.start(f"job {key}", partial(self.play, key, person)):
                self.jobs += 1

    # One job

    async def play(self, key: str, person: Person) -> None:
        """Do one assignment from wherever it stands to its end."""
        plan = plan_of(key, self._seed, self._rates)
        account = self._account_of(person)
        person.job = key
        try:
            if await self._answer(key, person, account, plan) and await self._drive(
                key, person, account, plan
            ):
                await self._work(key, person, account, plan)
        finally:
            # The next job may have begun before the answer to the last step of this one was back.
            if person.job == key:
                person.job = None
                person.stand(self._timing.now(), 20.0)

    def _state(self, key: str) -> str:
        return str(self._picture.assignments.get(key, {}).get("state", "gone"))

    def _holds(self, key: str, person: Person) -> bool:
        return self._state(key) in ORDER and not person.human

    def _before(self, key: str, state: str) -> bool:
        now = self._state(key)
        return now in ORDER and ORDER.index(now) < ORDER.index(state)

    async def _wait(self, key: str, person: Person, seconds: float) -> bool:
        """Let time pass; False when the job was taken away meanwhile."""
        end = self._timing.now() + seconds
        while (left := end - self._timing.now()) > 0:
            await self._timing.sleep(min(left, self._rates.look_every_s))
            if not self._holds(key, person):
                return False
        return self._holds(key, person)

    async def _step(self, key: str, command: str, account: Account, **words: str) -> bool:
        answer = await account.post(f"/assignments/{key}/{command}", words)
        if not answer.ok:
            log.info("step refused", command=command, status=answer.status, error=answer.body.get("error"))
        return answer.ok

    async def _answer(self, key: str, person: Person, account: Account, plan: Plan) -> bool:
        # In a dead spot the phone hears nothing until it is out again.
        deaf_s = max(0.0, person.dead_until - self._timing.now())
        if self._before(key, "delivered"):
            if not await self._wait(key, person, max(plan.deliver_s, deaf_s)):
                return False
            if not await self._step(key, "deliver", account):
                return False
        if self._before(key, "signed"):
            if plan.answer == "silence" or not await self._wait(key, person, plan.answer_s):
                return False
            if plan.answer == "decline":
                await self._step(key, "decline", account, reason=self._phrases.say(self._rng, "declines"))
                return False
            if not await self._step(key, "sign", account):
                return False
        if self._before(key, "en_route"):
            return await self._wait(key, person, plan.depart_s) and await self._step(key, "en_route", account)
        return self._holds(key, person)

    async def _drive(self, key: str, person: Person, account: Account, plan: Plan) -> bool:
        target = self._target(key)
        if target is None:
            return False
        now = self._timing.now()
        here = person.moment(now).place
        person.travel(self._crew.roads.surely(person.profile, here, target, pace=0.95 * person.pace), now)
        while person.travelling(now) and metres(here, target) > self._rates.arrive_m:
            if not await self._wait(key, person, self._rates.look_every_s):
                return False
            now = self._timing.now()
            here = person.moment(now).place
        person.stand(now, plan.work_s)
        if plan.leave_to_service:
            end = now + self._rates.leave_to_service_s
            while self._before(key, "on_scene") and self._timing.now() < end:
                if not await self._wait(key, person, self._rates.look_every_s):
                    return False
        if self._before(key, "on_scene"):
            return await self._step(key, "on_scene", account)
        return self._holds(key, person)

    async def _work(self, key: str, person: Person, account: Account, plan: Plan) -> None:
        if not await self._wait(key, person, plan.work_s * 0.6):
            return
        incident = self._incident(key)
        if plan.photo and incident is not None:
            drawn = random.Random(f"{self._seed}:{key}:photo")
            picture = await asyncio.to_thread(photo, "scene", drawn, 320)
            await account.upload(f"/incidents/{incident['id']}/photos", "处置后.png", picture)
        if not await self._wait(key, person, plan.work_s * 0.4):
            return
        if self._before(key, "on_scene") and not await self._step(key, "on_scene", account):
            return  # the desk doubted the arrival; said once more, then the desk decides
        kind = str(incident["category"]) if incident is not None else "any"
        await self._step(key, "finish", account, feedback=self._phrases.say(self._rng, "feedback", kind))

    def _incident(self, key: str) -> Entity | None:
        assignment = self._picture.assignments.get(key)
        return None if assignment is None else self._picture.incidents.get(assignment["incident_id"])

    def _target(self, key: str) -> LonLat | None:
        incident = self._incident(key)
        return None if incident is None else (float(incident["lon"]), float(incident["lat"]))
