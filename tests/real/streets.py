"""Places on the streets of a real extract, and travel times between them by the second implementation.

Nothing here touches the product's search: the extract is read, searched and walked by the code that
``tests/gis/roads/test_independent_search.py`` holds it against.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import shapely

from gis.roads import PROFILES
from tests.gis.roads.second_opinion import Reader, SecondOpinion, between

Segment = tuple[int, int, int]
"""Way, from node, to node."""


@dataclass(frozen=True)
class Spot:
    """The middle of a street segment."""

    segment: Segment
    lon: float
    lat: float


class Streets:
    """The car streets of an extract."""

    def __init__(self, extract: Path) -> None:
        reader = Reader(PROFILES["car"])
        reader.apply_file(str(extract))
        self.opinion: SecondOpinion = reader.opinion
        self.opinion.finish()
        self._segments = sorted(self.opinion.seconds)
        ends = np.array([[self.opinion.position[a], self.opinion.position[b]] for _, a, b in self._segments])
        self.bounds = (*ends.min(axis=(0, 1)).tolist(), *ends.max(axis=(0, 1)).tolist())
        self._tree = shapely.STRtree([shapely.LineString(pair) for pair in ends])

    def spot(self, segment: Segment) -> Spot:
        """The middle of a segment."""
        (x1, y1), (x2, y2) = (self.opinion.position[node] for node in segment[1:])
        return Spot(segment, (x1 + x2) / 2, (y1 + y2) / 2)

    def alone(self, spot: Spot) -> bool:
        """Whether no other street is within about three metres, so that nobody can mean another."""
        near = self._tree.query(shapely.Point(spot.lon, spot.lat), predicate="dwithin", distance=3e-5)
        way, a, b = spot.segment
        return {self._segments[k] for k in near} <= {(way, a, b), (way, b, a)}

    def seconds_to(self, target: Spot) -> dict[Segment, float]:
        """The travel field to a spot."""
        return self.opinion.seconds_to(*target.segment)

    def seconds(self, field: dict[Segment, float], start: Spot) -> float:
        """Travel time from a spot by a field, nan when there is no way."""
        return between(field, self.opinion, *start.segment)

    def reached_from(self, start: Spot) -> set[Segment]:
        """Segments that can be driven to from a spot."""
        way, a, b = start.segment
        found = {s for s in ((way, a, b), (way, b, a)) if s in self.opinion.seconds}
        frontier = list(found)
        while frontier:
            before = frontier.pop()
            for after in self.opinion.out_of[before[2]]:
                if after not in found and self.opinion.may_turn(before, after):
                    found.add(after)
                    frontier.append(after)
        return found

    def spots(self, seed: int, count: int, hub: Spot | None = None) -> list[Spot]:
        """Spots spread by chance, each on a way of its own, all connected with each other both ways."""
        rng = np.random.default_rng(seed)
        order = [self._segments[k] for k in rng.permutation(len(self._segments))]
        if hub is None:
            hub = next(
                spot
                for spot in map(self.spot, order)
                if len(self.reached_from(spot)) > 0.5 * len(self._segments)
                and len(self.seconds_to(spot)) > 0.5 * len(self._segments)
            )
        field, reached = self.seconds_to(hub), self.reached_from(hub)
        found: list[Spot] = []
        ways: set[int] = set()
        for spot in map(self.spot, order):
            way, a, b = spot.segment
            if way in ways or not self.alone(spot) or math.isnan(self.seconds(field, spot)):
                continue
            if (way, a, b) not in reached and (way, b, a) not in reached:
                continue
            ways.add(way)
            found.append(spot)
            if len(found) == count:
                return found
        raise ValueError(f"the extract holds only {len(found)} such spots")

    def approach(self, spot: Spot, seconds: int) -> list[tuple[float, float]]:
        """Where somebody was who arrives at a spot now, one position a second, the spot itself last."""
        way, a, b = spot.segment
        position, speed_s = self.opinion.position, self.opinion.seconds
        track = [(0.0, (spot.lon, spot.lat)), (speed_s[way, a, b] / 2, position[a])]
        segment: Segment = spot.segment
        while track[-1][0] < seconds:
            before = [s for s in self.opinion.into[segment[1]] if self.opinion.may_turn(s, segment)]
            if not before:
                break
            segment = min(before)
            track.append((track[-1][0] + speed_s[segment], position[segment[1]]))
        ages = np.arange(min(seconds, int(track[-1][0])), -1, -1)
        at = [age for age, _ in track]
        lon = np.interp(ages, at, [xy[0] for _, xy in track])
        lat = np.interp(ages, at, [xy[1] for _, xy in track])
        return list(zip(lon.tolist(), lat.tolist(), strict=True))
