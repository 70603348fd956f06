"""People on the move: patrols and pauses, what their receivers make of it, and when each reports."""

from __future__ import annotations

import heapq
import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from command.demo.simulator.rates import Movement
from command.demo.simulator.roads import LonLat, Moment, Roads, Trip, shifted
from command.demo.simulator.timing import Timing, draw

MOST_KEPT: Final = 40
_DRIFT: Final = 0.85
"""How much of a receiver's error is still there at the next fix: it wanders, it does not jump."""
_NEXT_STOP_TRIES: Final = 3


@dataclass(frozen=True, slots=True)
class Fix:
    """One position as a receiver tells it; ``at`` seconds since 1970, battery 0 to 1."""

    at: float
    lon: float
    lat: float
    speed_kmh: float
    heading_deg: float
    accuracy_m: float
    battery: float


class Person:
    """One responder of ``simulator.json``.

    Attributes:
        on_duty: As the service says; off duty nothing moves and nothing is reported.
        human: A person has this responder's field page open: the simulator keeps its hands off.
        job: The assignment that decides where to go, None on patrol.
    """

    def __init__(
        self, row: Mapping[str, Any], stops: Sequence[LonLat], rates: Movement, rng: random.Random, now: float
    ) -> None:
        self.id = str(row["responder_id"])
        self.unit = int(row["unit"])
        self.name = str(row["name"])
        self.kind = str(row["kind"])
        self.profile = str(row["profile"])
        self.username = str(row["username"])
        self.password = str(row["password"])
        self.token = str(row["token"])
        self.device_id = str(row["device_id"])
        self.grids = tuple(row.get("grids") or ())
        self.home: LonLat | None = tuple(row["home"]) if row.get("home") else None
        self.on_duty = False
        self.human = False
        self.job: str | None = None
        self.dead_until = 0.0
        self.kept: list[Fix] = []
        self.pace = draw(rng, rates.pace)
        self._rates = rates
        self._rng = rng
        self._stops = list(stops)
        self._place = self.home or (stops[0] if stops else (0.0, 0.0))
        self._heading = rng.uniform(0.0, 360.0)
        self._trip: Trip | None = None
        self._left_at = now
        self._until = now + rng.uniform(0.0, rates.pause_s[1] / 2)
        self._error = (0.0, 0.0)
        self._noise_m = draw(rng, rates.noise_m)
        self._battery = draw(rng, rates.battery)
        self._battery_per_s = draw(rng, rates.battery_per_hour) / 3600.0
        self._since = now

    @property
    def busy(self) -> bool:
        """Whether a job decides where to go."""
        return self.job is not None

    def moment(self, now: float) -> Moment:
        """Return where this person truly is."""
        if self._trip is None:
            return Moment(*self._place, self._heading, 0.0)
        return self._trip.at(now - self._left_at)

    def travelling(self, now: float) -> bool:
        """Whether a trip is under way."""
        return self._trip is not None and now - self._left_at < self._trip.duration_s

    def travel(self, trip: Trip, now: float) -> None:
        """Leave now."""
        self._trip, self._left_at = trip, now

    def stand(self, now: float, seconds: float = 0.0) -> None:
        """Stop where one is, for at least so long."""
        here = self.moment(now)
        self._place, self._heading, self._trip = here.place, here.heading_deg, None
        self._until = now + seconds

    def put(self, place: LonLat) -> None:
        """Begin somewhere else than at home."""
        self._place, self._trip = place, None

    def wander(self, roads: Roads, now: float) -> None:
        """Go on patrolling: pause after a trip, leave after a pause; neither on a job nor for a human."""
        if self.busy or self.human or self.travelling(now):
            return
        if self._trip is not None:
            rest = self._rng.random() < self._rates.rest_share
            self.stand(now, draw(self._rng, self._rates.rest_s if rest else self._rates.pause_s))
        elif now >= self._until:
            trip = self._next_trip(roads)
            if trip is None:
                self.stand(now, draw(self._rng, self._rates.pause_s))
            else:
                self.travel(trip, now)

    def _next_trip(self, roads: Roads) -> Trip | None:
        if len(self._stops) < 4:
            wanted = 6 - len(self._stops)
            self._stops += roads.near(self.profile, self._place, self._rates.stroll_m, wanted, self._rng)
        for stop in self._rng.sample(self._stops, min(_NEXT_STOP_TRIES, len(self._stops))):
            limit = self._rates.trip_limit_s
            trip = roads.trip(self.profile, self._place, stop, pace=self.pace, limit_s=limit)
            if trip is not None and 20.0 < trip.distance_m:
                return trip
        return None

    def fix(self, now: float) -> Fix:
        """Return what the receiver says now."""
        here = self.moment(now)
        # A standing receiver averages its error away, a moving one does not.
        sigma = self._noise_m * (1.0 if here.speed_kmh > 1 else 0.4)
        spread = sigma * math.sqrt(1 - _DRIFT**2)
        east, north = self._error
        self._error = (
            _DRIFT * east + self._rng.gauss(0, spread),
            _DRIFT * north + self._rng.gauss(0, spread),
        )
        lon, lat = shifted(here.place, *self._error)
        heading = (here.heading_deg + self._rng.gauss(0, 3.0)) % 360
        charge = max(0.04, self._battery - (now - self._since) * self._battery_per_s)
        speed = max(0.0, here.speed_kmh + self._rng.gauss(0, 0.8)) if here.speed_kmh > 0 else 0.0
        return Fix(now, lon, lat, speed, heading, draw(self._rng, self._rates.accuracy_m), charge)


class Outlet(Protocol):
    """Where fixes go."""

    def send(self, person: Person, fix: Fix) -> None:
        """Take a fix; never waits."""
        ...


class Crew:
    """Everybody, and the one loop that moves and reports them.

    Args:
        people: All of them.
        roads: What they travel on.
        outlet: Where reports go.
        rates: How they move.
        timing: Time.
        rng: Chance.
    """

    def __init__(
        self,
        people: Sequence[Person],
        roads: Roads,
        outlet: Outlet,
        rates: Movement,
        timing: Timing,
        rng: random.Random,
    ) -> None:
        self.people = {person.id: person for person in people}
        self.roads = roads
        self._outlet = outlet
        self._rates = rates
        self._timing = timing
        self._rng = rng
        now = timing.now()
        self._due = [
            (now + rng.uniform(0, rates.report_every_s[1]), number, person)
            for number, person in enumerate(people)
        ]
        heapq.heapify(self._due)

    async def run(self) -> None:
        """Report whoever is due, until cancelled."""
        while True:
            now = self._timing.now()
            self.round(now)
            due = self._due[0][0] if self._due else now + 1.0
            # Wake for several at once: a wake-up costs more than a report a tenth of a second late.
            await self._timing.sleep(min(1.0, max(0.1, due - now)))

    def round(self, now: float) -> None:
        """Move and report everybody who is due."""
        while self._due and self._due[0][0] <= now:
            due, number, person = self._due[0]
            step = draw(self._rng, self._rates.report_every_s)
            # After a pause of the machine nobody reports a burst of missed fixes.
            heapq.heapreplace(self._due, (max(due, now - 1.0) + step, number, person))
            if person.on_duty and not person.human:
                person.wander(self.roads, now)
                self._report(person, now, step)
            elif person.kept:
                person.kept.clear()

    def _report(self, person: Person, now: float, step_s: float) -> None:
        if now < person.dead_until:
            if not person.kept or now - person.kept[-1].at >= self._rates.kept_fix_every_s:
                person.kept = [*person.kept[1 - MOST_KEPT :], person.fix(now)]
            return
        for late in person.kept:
            self._outlet.send(person, late)
        person.kept.clear()
        self._outlet.send(person, person.fix(now))
        if not person.busy and self._rng.random() < self._rates.dead_spots_per_hour * step_s / 3600.0:
            person.dead_until = now + draw(self._rng, self._rates.dead_spot_s)

    def on_duty(self) -> list[Person]:
        """Return those who are on duty and played by the simulator."""
        return [person for person in self.people.values() if person.on_duty and not person.human]

    def follow_roster(self, responders: Mapping[str, Mapping[str, Any]]) -> None:
        """Take over from the service who is on duty."""
        for key, person in self.people.items():
            row = responders.get(key)
            person.on_duty = bool(row and row["on_duty"])
