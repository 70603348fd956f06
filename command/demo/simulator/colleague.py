"""The second dispatcher: somebody at another desk who takes what nobody has touched, and closes it afterwards.

It never touches an incident that another desk claimed, that a person acted on lately, or that a person has
open.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, Final

from command.demo.simulator.clients import Json
from command.demo.simulator.feed import Entity, Picture
from command.demo.simulator.hands import Desk, Hands
from command.demo.simulator.rates import Colleague as ColleagueRates
from command.demo.simulator.script import GRAVE, Phrases
from command.demo.simulator.timing import Timing, draw, seconds_of

OPEN: Final = ("reported", "accepted", "dispatched", "handling", "suspended", "handled")
ACTIVE: Final = ("dispatched", "delivered", "signed", "en_route", "on_scene")
TELEPHONE: Final = ("consultation", "enterprise", "other")
"""Answered by telephone when they have no level: nobody is sent."""
HURRY_S: Final = (0.3, 1.2)


class Colleague:
    """The desk.

    Args:
        me: The second dispatcher's account.
        picture: What its console shows.
        look_at: Shows the others which incident is open here; None for none.
        rates: How patient and how fast.
        phrases: What is written.
        seed: Of the demo.
        timing: Time.
    """

    def __init__(
        self,
        me: Desk,
        picture: Picture,
        look_at: Callable[[str | None], Any],
        rates: ColleagueRates,
        phrases: Phrases,
        seed: int,
        timing: Timing,
    ) -> None:
        self._me = me
        self._picture = picture
        self._look_at = look_at
        self._rates = rates
        self._phrases = phrases
        self._seed = seed
        self._timing = timing
        self._rng = random.Random(f"{seed}:colleague")
        self._not_before: dict[str, float] = {}
        self.hurry: set[str] = set()
        """Incidents to take on at once."""
        self.dispatched = 0
        self.closed = 0
        self._hands = Hands(me, picture, rates.abandoned_after_s, timing)

    @property
    def user_id(self) -> str:
        """The account behind the desk; empty before it signed in."""
        return self._me.user_id

    async def run(self) -> None:
        """Work through the queue, one incident at a time, until cancelled."""
        while True:
            await self._timing.sleep(self._rates.look_every_s)
            incident = self.choose()
            if incident is not None:
                await self.attend(incident["id"])

    def choose(self) -> Entity | None:
        """Return what to attend to next: what hurries, then the grave, then the oldest."""
        now = self._timing.now()
        ready = [
            incident
            for incident in self._picture.incidents.values()
            if incident["state"] in OPEN
            and self._not_before.get(incident["id"], 0.0) <= now
            and self.waits(incident, now)
            and self._hands.off(incident)
            and self._twin_is_free(incident)
        ]
        if not ready:
            return None
        return min(
            ready,
            key=lambda i: (i["id"] not in self.hurry, i["level"] not in GRAVE, i["reported_at"], i["id"]),
        )

    def waits(self, incident: Entity, now: float) -> bool:
        """Whether the incident is for the desk to act on and has waited long enough for a person."""
        rng = random.Random(f"{self._seed}:{incident['id']}")
        if incident["state"] == "handled":
            since = seconds_of(incident["handled_at"]) or now
            return now - since >= draw(rng, self._rates.check_after_s)
        if incident["state"] not in ("reported", "accepted"):
            return False
        if incident["attention"] in ("unanswered", "declined"):
            return False  # the service offers it to the next by itself
        patience = self._rates.grave_after_s if incident["level"] in GRAVE else self._rates.ordinary_after_s
        since = seconds_of(incident["reported_at"]) or now
        return incident["id"] in self.hurry or now - since >= draw(rng, patience)

    async def attend(self, key: str) -> None:
        """Open an incident, do what it needs, and close its page."""
        incident = self._picture.incidents[key]
        # Failing that, it is not tried again at once; success changes its state.
        self._not_before[key] = self._timing.now() + self._rates.retry_s
        await self._look_at(key)
        try:
            await self._pause(key, self._rates.read_s)
            if not self._still(key):
                return
            if incident["state"] == "handled":
                await self._close(incident, "check_pass")
            elif (twin := self._twin(incident)) is not None:
                await self._me.post(f"/incidents/{key}/merge", {"into": twin})
            elif await self._claim(incident):
                if incident["level"] == "none" and incident["category"] in TELEPHONE:
                    await self._telephone(incident)
                else:
                    await self._dispatch(incident)
        finally:
            self.hurry.discard(key)
            await self._look_at(None)

    async def _pause(self, key: str, span: tuple[float, float]) -> None:
        await self._timing.sleep(draw(self._rng, HURRY_S if key in self.hurry else span))

    def _still(self, key: str) -> bool:
        """Whether the incident is still open and nobody stepped in during the last pause."""
        incident = self._picture.incidents.get(key)
        return incident is not None and incident["state"] in OPEN and self._hands.off(incident)

    def _twin(self, incident: Entity) -> str | None:
        for key in incident["suspects"]:
            other = self._picture.incidents.get(key)
            if (
                other is not None
                and other["state"] in OPEN
                and other["category"] == incident["category"]
                and other["title"] == incident["title"]
                and other["parent_id"] is None
            ):
                return str(key)
        return None

    def _twin_is_free(self, incident: Entity) -> bool:
        """Whether no person works on the incident that this one doubles: they merge it themselves."""
        twin = self._twin(incident) if incident["state"] in ("reported", "accepted") else None
        return twin is None or self._hands.off(self._picture.incidents[twin])

    async def _claim(self, incident: Entity) -> bool:
        if incident["claimed_by"] == self._me.user_id:
            return True
        return (await self._me.post(f"/incidents/{incident['id']}/claim")).ok

    async def _telephone(self, incident: Entity) -> None:
        key = incident["id"]
        if incident["state"] == "reported" and not (await self._me.post(f"/incidents/{key}/accept")).ok:
            return
        await self._pause(key, self._rates.decide_s)
        if self._still(key):
            await self._close(incident, "close")

    async def _close(self, incident: Entity, command: str) -> None:
        words = self._phrases.say(self._rng, "dispositions", incident["category"])
        answer = await self._me.post(f"/incidents/{incident['id']}/{command}", {"disposition": words})
        self.closed += answer.ok

    async def _dispatch(self, incident: Entity) -> None:
        key = incident["id"]
        ranked = await self._ranked(incident)
        await self._pause(key, self._rates.decide_s)
        if not ranked or not self._still(key):
            return
        chosen = ranked[: 2 if incident["level"] in GRAVE else 1]
        units = [str(row["responder_id"]) for row in chosen]
        answer = await self._me.post(f"/incidents/{key}/dispatch", {"responder_ids": units})
        if not answer.ok:
            self._not_before[key] = self._timing.now() + 5.0  # somebody was faster with that unit
            return
        self.dispatched += 1
        if self._rng.random() < self._rates.message_share:
            order = self._phrases.say(self._rng, "orders")
            await self._me.post("/messages", {"to": units, "incident_id": key, "body": order})
        if self._rng.random() < self._rates.note_share:
            await self._me.post(f"/incidents/{key}/note", {"text": self._phrases.say(self._rng, "notes")})

    async def _ranked(self, incident: Entity) -> list[Json]:
        """Return the free units, nearest first, of the kinds the category asks for or else of any."""
        asked = {
            self._picture.assignments[key]["responder_id"]
            for key in incident["assignments"]
            if key in self._picture.assignments
        }
        wanted = self._rates.kinds.get(incident["category"], ())
        for kinds in dict.fromkeys((",".join(wanted), "")):
            query = {"kinds": kinds} if kinds else {}
            answer = await self._me.get("/nearest", incident_id=incident["id"], limit=8, **query)
            rows = [
                row
                for row in answer.body.get("items", [])
                if row["status"] == "free" and row["responder_id"] not in asked
            ]
            if rows:
                return rows
        return []
