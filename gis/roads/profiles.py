"""Who may use which road, and how fast: one table per means of travel."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

Tags = Mapping[str, str]

_DENIED = frozenset(
    {"no", "private", "agricultural", "forestry", "emergency", "psv", "customers", "delivery"}
)
# A barrier that stops a vehicle unless its own tags say otherwise. Gates, lift gates, toll booths and so on
# are passed: the people who answer calls in a district have them opened.
_CLOSED_BARRIERS = frozenset(
    "bollard block jersey_barrier cycle_barrier motorcycle_barrier chain fence wall log debris stile "
    "turnstile kissing_gate full-height_turnstile hampshire_gate horse_stile planter rope".split()
)
_FOOT_CLOSED_BARRIERS = frozenset({"wall", "fence"})
_SPEED = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*(km/h|kmh|kph|mph|knots)?\s*$")
_UNIT_KMH = {None: 1.0, "km/h": 1.0, "kmh": 1.0, "kph": 1.0, "mph": 1.609344, "knots": 1.852}
_DURATION = re.compile(r"^(?:(\d+):)?(\d{1,3})(?::(\d{2}))?$")

_CAR_KMH = {
    "motorway": 90.0,
    "motorway_link": 45.0,
    "trunk": 80.0,
    "trunk_link": 40.0,
    "primary": 60.0,
    "primary_link": 30.0,
    "secondary": 50.0,
    "secondary_link": 25.0,
    "tertiary": 40.0,
    "tertiary_link": 20.0,
    "unclassified": 30.0,
    "residential": 25.0,
    "living_street": 12.0,
    "service": 15.0,
    "road": 20.0,
}
_MOTORCYCLE_KMH = {name: min(kmh, 50.0) for name, kmh in _CAR_KMH.items() if not name.startswith("motorway")}
_MOTORCYCLE_KMH |= {"living_street": 15.0, "service": 18.0, "track": 15.0}
_FOOT_KMH = dict.fromkeys(
    "trunk trunk_link primary primary_link secondary secondary_link tertiary tertiary_link unclassified "
    "residential living_street service road track path footway pedestrian cycleway bridleway".split(),
    5.0,
) | {"steps": 3.0}


@dataclass(frozen=True, slots=True)
class Profile:
    """A means of travel.

    Attributes:
        name: Key in `PROFILES`.
        speed_kmh: Speed by `highway` class; a class that is missing may not be used.
        access_keys: OSM access tags from the most specific to the general.
        restriction_modes: Names by which turn restrictions mean or except this traveller; empty: none apply.
        obeys_oneway: Whether `oneway` binds it.
        oneway_key: The tag that overrides `oneway` for it.
        maxspeed_factor: Share of a signed limit that is driven on average; None ignores signed limits.
        top_kmh: No road is travelled faster.
        closed_barriers: `barrier` values that it cannot pass.
        ferry_kmh: Speed of a ferry without a stated duration.
    """

    name: str
    speed_kmh: Mapping[str, float]
    access_keys: tuple[str, ...]
    restriction_modes: tuple[str, ...]
    obeys_oneway: bool
    oneway_key: str
    maxspeed_factor: float | None
    top_kmh: float
    closed_barriers: frozenset[str] = field(default=_CLOSED_BARRIERS)
    ferry_kmh: float = 8.0

    def may_pass(self, tags: Tags) -> bool:
        """Whether a barrier node can be passed."""
        for key in self.access_keys:
            if key in tags:
                return tags[key] not in _DENIED
        if tags.get("bollard") == "rising":
            return True
        return tags.get("barrier") not in self.closed_barriers

    def speeds_kmh(self, tags: Tags) -> tuple[float, float] | None:
        """Speed along and against the drawing direction of a way; 0 where it may not be travelled.

        Returns:
            None when the way may not be used at all. Ferries with a `duration` are timed by the caller.

        >>> PROFILES["car"].speeds_kmh({"highway": "residential", "oneway": "yes", "maxspeed": "40"})
        (32.0, 0.0)
        >>> PROFILES["car"].speeds_kmh({"highway": "footway"})
        """
        if tags.get("route") == "ferry":
            base = self.ferry_kmh if self._ferry_takes(tags) else None
        else:
            base = self.speed_kmh.get(tags.get("highway", ""))
        if base is None or tags.get("area") == "yes" or not self._may_use(tags):
            return None
        ahead, back = self._directions(tags)
        return (
            self._kmh(tags, base, "maxspeed:forward") if ahead else 0.0,
            self._kmh(tags, base, "maxspeed:backward") if back else 0.0,
        )

    def _may_use(self, tags: Tags) -> bool:
        for key in self.access_keys:
            if key in tags:
                return tags[key] not in _DENIED
        return tags.get("impassable") != "yes"

    def _ferry_takes(self, tags: Tags) -> bool:
        if not self.obeys_oneway:
            return True
        # A ferry carries vehicles only where it says so: most small ones take people.
        return any(tags.get(key) in ("yes", "designated") for key in self.access_keys[:-1])

    def _directions(self, tags: Tags) -> tuple[bool, bool]:
        oneway = tags.get(self.oneway_key)
        if oneway is None and self.obeys_oneway:
            oneway = tags.get("oneway")
            if oneway is None and _implies_oneway(tags):
                oneway = "yes"
        if oneway in ("yes", "true", "1"):
            return True, False
        if oneway in ("-1", "reverse"):
            return False, True
        if oneway == "reversible":
            return False, False
        return True, True

    def _kmh(self, tags: Tags, base: float, directed: str) -> float:
        kmh = base
        if tags.get("route") == "ferry":
            return kmh  # the boat keeps its own pace, whoever is on it
        if self.maxspeed_factor is not None:
            signed = parse_speed_kmh(tags.get(directed) or tags.get("maxspeed"))
            if signed is not None:
                kmh = signed * self.maxspeed_factor
        return min(kmh, self.top_kmh)


def _implies_oneway(tags: Tags) -> bool:
    return tags.get("junction") in ("roundabout", "circular") or tags.get("highway") == "motorway"


def parse_speed_kmh(text: str | None) -> float | None:
    """A signed speed limit in km/h, or None for what is no plain number above zero.

    >>> parse_speed_kmh("60"), parse_speed_kmh("30 mph"), parse_speed_kmh("CN:urban")
    (60.0, 48.28032, None)
    """
    found = _SPEED.match(text or "")
    if found is None or float(found[1]) <= 0.0:
        return None
    return float(found[1]) * _UNIT_KMH[found[2]]


def parse_duration_s(text: str | None) -> float | None:
    """An OSM `duration` ("HH:MM", "HH:MM:SS" or minutes) in seconds, or None.

    >>> parse_duration_s("00:12"), parse_duration_s("90"), parse_duration_s("soon")
    (720.0, 5400.0, None)
    """
    found = _DURATION.match((text or "").strip())
    if found is None:
        return None
    hours, minutes, seconds = int(found[1] or 0), int(found[2]), int(found[3] or 0)
    total = hours * 3600.0 + minutes * 60.0 + seconds
    return total if total > 0 else None


PROFILES: Mapping[str, Profile] = {
    "car": Profile(
        name="car",
        speed_kmh=_CAR_KMH,
        access_keys=("motorcar", "motor_vehicle", "vehicle", "access"),
        restriction_modes=("motorcar", "motor_vehicle", "vehicle"),
        obeys_oneway=True,
        oneway_key="oneway:motorcar",
        maxspeed_factor=0.8,
        top_kmh=110.0,
    ),
    "motorcycle": Profile(
        name="motorcycle",
        speed_kmh=_MOTORCYCLE_KMH,
        access_keys=("motorcycle", "motor_vehicle", "vehicle", "access"),
        restriction_modes=("motorcycle", "motor_vehicle", "vehicle"),
        obeys_oneway=True,
        oneway_key="oneway:motorcycle",
        maxspeed_factor=0.8,
        top_kmh=50.0,
        closed_barriers=_CLOSED_BARRIERS - {"bollard", "block", "cycle_barrier"},
    ),
    "foot": Profile(
        name="foot",
        speed_kmh=_FOOT_KMH,
        access_keys=("foot", "access"),
        restriction_modes=(),
        obeys_oneway=False,
        oneway_key="oneway:foot",
        maxspeed_factor=None,
        top_kmh=5.0,
        closed_barriers=_FOOT_CLOSED_BARRIERS,
    ),
}
