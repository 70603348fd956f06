"""Vehicles whose place is a function of the time alone: the same moment, the same picture."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from streams.synthetic.canvas import Lit, Pixels
from streams.synthetic.ground import Ground
from streams.synthetic.sprites import PAINTS, VehicleKind, View, vehicle

_KINDS: tuple[VehicleKind, ...] = ("car", "car", "car", "car", "car", "van", "van", "truck", "bus")


@lru_cache(maxsize=4096)
def _vehicle_of(seed: int, number: int, trucks: bool) -> tuple[VehicleKind, int, float]:
    chance = random.Random(f"{seed}/{number}")
    kind = chance.choice(_KINDS if trucks else _KINDS[:7])
    paint = (
        chance.choice(PAINTS)
        if kind in ("car", "van")
        else chance.choice((0x6D8A76, 0x7B8794, 0x9A6A43, 0x8C8F92))
    )
    return kind, paint, chance.random()


@dataclass(frozen=True, slots=True)
class Flow:
    """An endless row of vehicles with gaps.

    Attributes:
        seed: Of kinds, colours and gaps.
        every_s: Mean time between two.
        speed_m_s: Of all of them: nobody overtakes.
        length_m: Of the visible way.
        share: Of places in the row that are taken.
        trucks: Whether there are buses and trucks among them.
    """

    seed: int
    every_s: float
    speed_m_s: float
    length_m: float
    share: float = 0.7
    trucks: bool = True

    def at(self, at: float) -> Iterator[tuple[VehicleKind, int, float]]:
        """Yield kind, colour and metres travelled of those on the way."""
        last = int(at / self.every_s)
        for number in range(last, last - int(self.length_m / self.speed_m_s / self.every_s) - 2, -1):
            kind, paint, luck = _vehicle_of(self.seed, number, self.trucks)
            if luck >= self.share:
                continue
            travelled = (at - (number + 0.55 * luck / self.share) * self.every_s) * self.speed_m_s
            if 0 <= travelled <= self.length_m:
                yield kind, paint, travelled


@dataclass(frozen=True, slots=True)
class Signal:
    """A traffic light: green, amber and red in a fixed cycle.

    Attributes:
        cycle_s: From green to green.
        green_s: How long it is green.
        offset_s: When it turns green within the cycle.
    """

    cycle_s: float = 44.0
    green_s: float = 17.0
    offset_s: float = 0.0

    def colour(self, at: float) -> str:
        """Return ``green``, ``amber`` or ``red``."""
        since = (at - self.offset_s) % self.cycle_s
        return "green" if since < self.green_s else "amber" if since < self.green_s + 3 else "red"


@dataclass(frozen=True, slots=True)
class Queue:
    """Vehicles that come to a light, wait while it is red, and drive on.

    Attributes:
        seed: Of kinds and colours.
        signal: The light.
        before_m: Visible way to the stop line.
        after_m: Visible way behind it.
        most: Vehicles in a cycle.
        speed_m_s: Of those who drive.
    """

    seed: int
    signal: Signal
    before_m: float
    after_m: float
    most: int = 4
    speed_m_s: float = 9.0

    def at(self, at: float) -> Iterator[tuple[VehicleKind, int, float]]:
        """Yield kind, colour and metres from the stop line, negative before it."""
        cycle = int((at - self.signal.offset_s) // self.signal.cycle_s)
        for which in (cycle + 1, cycle, cycle - 1):
            green_at = which * self.signal.cycle_s + self.signal.offset_s
            chance = random.Random(f"{self.seed}/{which}")
            back = 0.0
            for place in range(chance.randint(1, self.most)):
                kind, paint, luck = _vehicle_of(self.seed, which * 16 + place, True)
                long = 11.5 if kind == "bus" else 9.0 if kind == "truck" else 6.2
                arrives = green_at - (self.most - place) * 4.5 - 3 + 2 * luck
                where = self._place(at, arrives, green_at + 0.8 + 1.1 * place, back)
                if -self.before_m <= where <= self.after_m:
                    yield kind, paint, where - 2.5
                back += long

    def _place(self, at: float, arrives: float, leaves: float, back: float) -> float:
        speed, brake_s, start_s = self.speed_m_s, 3.0, 3.5
        if at < arrives:
            left = arrives - at
            if left < brake_s:  # braking evenly
                return -back - speed * left * left / (2 * brake_s)
            return -back - speed * (left - brake_s / 2)
        if at < leaves:
            return -back
        gone = at - leaves
        if gone < start_s:
            return -back + speed * gone * gone / (2 * start_s)
        return -back + speed * (gone - start_s / 2)


def along(
    picture: Pixels, lit: Lit, ground: Ground, flow: Flow, at: float, x: float, near: float, *, away: bool
) -> None:
    """Draw a flow on a lane that runs away from us, or towards us."""
    placed = [
        (near + (travelled if away else flow.length_m - travelled), kind, paint)
        for kind, paint, travelled in flow.at(at)
    ]
    view: View = "rear" if away else "front"
    for z, kind, paint in sorted(placed, reverse=True):
        vehicle(picture, lit, kind, view, paint, ground.at(x, z), ground.scale(z))


def across(
    picture: Pixels, lit: Lit, ground: Ground, flow: Flow, at: float, z: float, *, rightwards: bool
) -> None:
    """Draw a flow on a lane that crosses the picture at a distance."""
    half = flow.length_m / 2
    for kind, paint, travelled in flow.at(at):
        x = travelled - half if rightwards else half - travelled
        view: View = "right" if rightwards else "left"
        vehicle(picture, lit, kind, view, paint, ground.at(x, z), ground.scale(z))
