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
_ZONE = re.compile(r"^[A-Z]{2}:(?:zone:?)?(\d+)$")
# What stands for a number: the limits of the country's road traffic law where no sign says another.
_IMPLIED_KMH = {
    "walk": 7.0,
    "CN:walk": 7.0,
    "CN:living_street": 20.0,
    "CN:urban": 50.0,
    "CN:rural": 70.0,
    "CN:expressway": 100.0,
    "CN:motorway": 120.0,
}
_DURATION = re.compile(r"^(?:(\d+):)?(\d{1,3})(?::(\d{2}))?$")
_ISO_DURATION = re.compile(r"^PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?$")
_MOST_BOARDING_S = 3600.0

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
class TurnCosts:
    """What turns cost a vehicle in traffic that keeps to the right.

    Attributes:
        bend_deg: Changes of heading, rising, at which `bend_kmh` is given.
        bend_kmh: Speed at which they are taken; in between it is interpolated.
        braking_m_s2: How fast it slows down and speeds up.
        gives_way_s: Waiting to turn left where traffic comes the other way on a faster road.
        gives_way_deg: Turns to the left beyond this wait.
        gives_way_kmh: Roads at least this fast count.
        included_s: Loss that the speed of a road has in it already.
        most_s: No turn costs more.
    """

    bend_deg: tuple[float, ...] = (25.0, 90.0, 150.0)
    bend_kmh: tuple[float, ...] = (50.0, 18.0, 8.0)
    braking_m_s2: float = 1.5
    gives_way_s: float = 2.0
    gives_way_deg: float = 45.0
    gives_way_kmh: float = 35.0
    included_s: float = 1.0
    most_s: float = 10.0


@dataclass(frozen=True, slots=True)
class Profile:
    """A means of travel.

    Attributes:
        name: Key in `PROFILES`.
        speed_kmh: Speed by `highway` class; a class that is missing may not be used.
        access_keys: OSM access tags from the most specific to the general.
        restriction_modes: Names by which turn restrictions mean or except this traveller; empty: none apply.
        obeys_oneway: Whether `oneway` binds it.
        oneway_keys: The tags that say for it whether a way is one-way, the most specific first.
        maxspeed_factor: Share of a signed limit that is driven on average; None ignores signed limits.
        top_kmh: No road is travelled faster.
        closed_barriers: `barrier` values that it cannot pass.
        ferry_kmh: Speed of a ferry without a stated duration.
        boarding_s: Waiting for a ferry without a stated interval, and boarding it.
        signals_s: Mean wait at traffic lights.
        barrier_s: Time to pass a barrier that lets it through, by `barrier`.
        turns: What turns cost; None nothing.
    """

    name: str
    speed_kmh: Mapping[str, float]
    access_keys: tuple[str, ...]
    restriction_modes: tuple[str, ...]
    obeys_oneway: bool
    oneway_keys: tuple[str, ...]
    maxspeed_factor: float | None
    top_kmh: float
    closed_barriers: frozenset[str] = field(default=_CLOSED_BARRIERS)
    ferry_kmh: float = 8.0
    boarding_s: float = 300.0
    signals_s: float = 4.0
    barrier_s: Mapping[str, float] = field(default_factory=dict)
    turns: TurnCosts | None = None

    def may_pass(self, tags: Tags) -> bool:
        """Whether a barrier node can be passed."""
        for key in self.access_keys:
            if key in tags:
                return tags[key] not in _DENIED
        if tags.get("bollard") == "rising":
            return True
        return tags.get("barrier") not in self.closed_barriers and tags.get("locked") != "yes"

    def wait_s(self, tags: Tags) -> float:
        """What passing a node costs: traffic lights, a barrier that has to open.

        >>> PROFILES["car"].wait_s({"highway": "traffic_signals"})
        4.0
        """
        lights = self.signals_s if tags.get("highway") == "traffic_signals" else 0.0
        kind = "bollard:rising" if tags.get("bollard") == "rising" else tags.get("barrier", "")
        return lights + self.barrier_s.get(kind, 0.0)

    def ferry_boarding_s(self, tags: Tags) -> float:
        """Waiting for a ferry and boarding it: half of its interval where one is stated."""
        interval = parse_duration_s(tags.get("interval"))
        return self.boarding_s if interval is None else min(interval / 2.0, _MOST_BOARDING_S)

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
        oneway = next((tags[key] for key in self.oneway_keys if key in tags), None)
        if oneway is None and self.obeys_oneway and _implies_oneway(tags):
            oneway = "yes"
        if oneway == "reversible":
            return False, False
        ahead = oneway not in ("-1", "reverse")
        back = oneway not in ("yes", "true", "1")
        return ahead and self._may_go(tags, "forward"), back and self._may_go(tags, "backward")

    def _may_go(self, tags: Tags, direction: str) -> bool:
        for key in self.access_keys:
            if f"{key}:{direction}" in tags:
                return tags[f"{key}:{direction}"] not in _DENIED
            if key in tags:
                break  # what is said of this traveller goes before what is said of everybody in one direction
        return True

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
    """A signed speed limit in km/h; of several the lowest. None where no number is meant, as by "signals".

    >>> parse_speed_kmh("60"), parse_speed_kmh("30 mph"), parse_speed_kmh("CN:urban"), parse_speed_kmh("none")
    (60.0, 48.28032, 50.0, None)
    >>> parse_speed_kmh("DE:zone:30"), parse_speed_kmh("80;60")
    (30.0, 60.0)
    """
    limits = []
    for part in (text or "").split(";"):
        word = part.strip()
        zone = _ZONE.match(word)
        found = _SPEED.match(zone[1] if zone else word)
        if found is not None and float(found[1]) > 0.0:
            limits.append(float(found[1]) * _UNIT_KMH[found[2]])
        elif word in _IMPLIED_KMH:
            limits.append(_IMPLIED_KMH[word])
    return min(limits, default=None)


def parse_duration_s(text: str | None) -> float | None:
    """An OSM `duration` ("HH:MM", "HH:MM:SS", minutes, or "PT20M") in seconds, or None.

    >>> parse_duration_s("00:12"), parse_duration_s("90"), parse_duration_s("soon")
    (720.0, 5400.0, None)
    """
    found = _ISO_DURATION.match((text or "").strip()) or _DURATION.match((text or "").strip())
    if found is None:
        return None
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    total = hours * 3600.0 + minutes * 60.0 + seconds
    return total if total > 0 else None


PROFILES: Mapping[str, Profile] = {
    "car": Profile(
        name="car",
        speed_kmh=_CAR_KMH,
        access_keys=("motorcar", "motor_vehicle", "vehicle", "access"),
        restriction_modes=("motorcar", "motor_vehicle", "vehicle"),
        obeys_oneway=True,
        oneway_keys=("oneway:motorcar", "oneway:motor_vehicle", "oneway:vehicle", "oneway"),
        maxspeed_factor=0.8,
        top_kmh=110.0,
        barrier_s={
            "toll_booth": 15.0,
            "lift_gate": 8.0,
            "swing_gate": 12.0,
            "sliding_gate": 12.0,
            "gate": 15.0,
            "border_control": 60.0,
            "bollard:rising": 8.0,
        },
        turns=TurnCosts(),
    ),
    "motorcycle": Profile(
        name="motorcycle",
        speed_kmh=_MOTORCYCLE_KMH,
        access_keys=("motorcycle", "motor_vehicle", "vehicle", "access"),
        restriction_modes=("motorcycle", "motor_vehicle", "vehicle"),
        obeys_oneway=True,
        oneway_keys=("oneway:motorcycle", "oneway:motor_vehicle", "oneway:vehicle", "oneway"),
        maxspeed_factor=0.8,
        top_kmh=50.0,
        signals_s=3.0,
        barrier_s={"toll_booth": 8.0, "lift_gate": 4.0, "swing_gate": 8.0, "sliding_gate": 8.0, "gate": 10.0}
        | {"border_control": 60.0, "bollard:rising": 2.0},
        turns=TurnCosts(braking_m_s2=2.0, gives_way_s=1.5),
        closed_barriers=_CLOSED_BARRIERS - {"bollard", "block", "cycle_barrier"},
    ),
    "foot": Profile(
        name="foot",
        speed_kmh=_FOOT_KMH,
        access_keys=("foot", "access"),
        restriction_modes=(),
        obeys_oneway=False,
        oneway_keys=("oneway:foot",),
        maxspeed_factor=None,
        top_kmh=5.0,
        signals_s=8.0,
        barrier_s={"border_control": 60.0},
        closed_barriers=_FOOT_CLOSED_BARRIERS,
    ),
}
