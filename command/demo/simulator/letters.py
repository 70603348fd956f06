"""Messages from the centre: each phone gets them, its owner reads them and sometimes answers."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from command.demo.simulator.clients import Account
from command.demo.simulator.errands import Errands
from command.demo.simulator.feed import Entity, Picture
from command.demo.simulator.people import Crew, Person
from command.demo.simulator.rates import Workers as WorkerRates
from command.demo.simulator.roads import metres
from command.demo.simulator.script import Phrases
from command.demo.simulator.timing import Timing, draw

APART_S: Final = 0.15
"""A message to hundreds does not ring hundreds of phones in the same second."""
ANSWERED: Final = 20
"""Of a message to many, only the first so many people may answer."""
DRIVE_M_PER_MIN: Final = 400.0


class Letters:
    """Receipts and replies of everybody the simulator plays.

    Args:
        picture: What the feed shows.
        crew: The people.
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
        picture.listen(self.notice)

    def notice(self, type_: str, data: Mapping[str, Any]) -> None:
        """Take every new message to those it is for."""
        if type_ != "message.sent":
            return
        for message in data.get("changes", {}).get("messages", {}).values():
            for number, responder_id in enumerate(message["to"] if message is not None else ()):
                person = self._crew.people.get(responder_id)
                if person is not None and person.on_duty and not person.human:
                    self._errands.start(
                        f"message {message['id']} {responder_id}",
                        partial(self.receive, message, person, number),
                    )

    async def receive(self, message: Entity, person: Person, number: int = 0) -> None:
        """Receive, read and perhaps answer one message, as the so-many-th of its readers."""
        rng = random.Random(f"{self._seed}:{message['id']}:{person.id}")
        account = self._account_of(person)
        await self._timing.sleep(APART_S * number + draw(rng, self._rates.message_delivered_s))
        if not await _receipt(message, person, account, "delivered"):
            return
        await self._timing.sleep(draw(rng, self._rates.message_read_s))
        if not await _receipt(message, person, account, "read"):
            return
        if number >= ANSWERED or rng.random() >= self._rates.reply_share:
            return
        await self._timing.sleep(draw(rng, self._rates.reply_s))
        if not person.human:
            await account.post("/messages/reply", self.reply(message, person, rng))

    def reply(self, message: Entity, person: Person, rng: random.Random) -> dict[str, object]:
        """Return what somebody answers, by what they are doing now."""
        row = self._picture.responders.get(person.id, {})
        job = self._picture.assignments.get(str(row.get("assignment_id")))
        incident = None if job is None else self._picture.incidents.get(job["incident_id"])
        if job is None or incident is None:
            return {"body": self._phrases.say(rng, "replies", "patrol")}
        if job["state"] == "on_scene":
            body = self._phrases.say(rng, "replies", "on_scene")
        else:
            here = person.moment(self._timing.now()).place
            away = metres(here, (float(incident["lon"]), float(incident["lat"])))
            minutes = max(1, round(away / DRIVE_M_PER_MIN))
            body = self._phrases.say(rng, "replies", "under_way", minutes=minutes)
        about = {"incident_id": incident["id"]} if message.get("incident_id") == incident["id"] else {}
        return {"body": body, **about}


async def _receipt(message: Entity, person: Person, account: Account, what: str) -> bool:
    """Send a receipt, unless a person plays this responder by now."""
    return not person.human and (await account.post(f"/messages/{message['id']}/{what}")).ok
