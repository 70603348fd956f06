"""Travel times by another hand: nothing shared with the product but its table of speeds and of turn costs.

It reads the extract by itself, keeps every node of every way, searches from segment to segment with `heapq` and
looks at each turn when it is taken. A *state* is a segment (way, from node, to node) with the restrictions over
ways that somebody on it is still bound by.
"""

from __future__ import annotations

import heapq
import math
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import pairwise

import osmium
import pyproj

from gis.roads import Profile
from gis.roads.profiles import TurnCosts

GEOD = pyproj.Geod(ellps="WGS84")
NO = {"no", "private", "agricultural", "forestry", "emergency", "psv", "customers", "delivery"}
OPEN_BARRIERS = frozenset(
    "gate lift_gate swing_gate toll_booth cattle_grid border_control kerb entrance height_restrictor "
    "sally_port arch yes spikes bump_gate checkpoint sliding_gate retaining_wall hedge city_wall "
    "guard_rail handrail".split()
)
FORBIDDEN_TURN_S = 60.0
SAME_LIGHTS_M = 40.0
HEADING_M = 12.0

Segment = tuple[int, int, int]
State = tuple[Segment, frozenset[tuple[int, int]]]
Turn = tuple[int, int | tuple[int, ...], int, str]
"""From way, via node or ways, to way, kind."""
FREE: frozenset[tuple[int, int]] = frozenset()


@dataclass
class SecondOpinion:
    """Segments with seconds; turns are judged as they are taken."""

    seconds: dict[Segment, float] = field(default_factory=dict)
    metres: dict[Segment, float] = field(default_factory=dict)
    position: dict[int, tuple[float, float]] = field(default_factory=dict)
    uses: Counter[int] = field(default_factory=Counter)
    arms: Counter[int] = field(default_factory=Counter)
    barriers: set[int] = field(default_factory=set)
    turns: list[Turn] = field(default_factory=list)
    waits: dict[int, tuple[float, int]] = field(default_factory=dict)
    ahead: set[Segment] = field(default_factory=set)
    roundabouts: set[int] = field(default_factory=set)
    costs: TurnCosts | None = None

    def add_way(self, way: int, nodes: list[int], ahead: float, back: float) -> None:
        self.uses.update(nodes)
        self.uses.update([nodes[0], nodes[-1]])
        for a, b in pairwise(nodes):
            self.arms.update([a, b])
            self.ahead.add((way, a, b))
            metres = GEOD.inv(*self.position[a], *self.position[b])[2]
            for kmh, key in ((ahead, (way, a, b)), (back, (way, b, a))):
                if kmh > 0:
                    self.seconds[key] = metres / (kmh / 3.6)
                    self.metres[key] = metres

    def finish(self) -> None:
        self.into: dict[int, list[Segment]] = defaultdict(list)
        self.out_of: dict[int, list[Segment]] = defaultdict(list)
        for segment in self.seconds:
            self.into[segment[2]].append(segment)
            self.out_of[segment[1]].append(segment)
        vias = {via for _, via, _, _ in self.turns if isinstance(via, int)}
        self.cuts = {n for n, k in self.uses.items() if k > 1} | self.barriers | set(self.waits) | vias
        self.rules: dict[tuple[int, int], list[tuple[int, str]]] = defaultdict(list)
        self.over_ways: list[tuple[int, tuple[int, ...], int, str]] = []
        for from_way, via, to_way, kind in self.turns:
            if not isinstance(via, int):
                self.over_ways.append((from_way, via, to_way, kind))
                continue
            takes = any(s[0] == from_way for s in self.into[via]) and any(
                s[0] == to_way for s in self.out_of[via]
            )
            if takes and via not in self.barriers:
                self.rules[from_way, via].append((to_way, kind))
        self.no_way_back: set[Segment] = set()
        self.bound = {s for way, via in self.rules for s in self.into[via] if s[0] == way}
        self.states()
        self.bar_dodging()
        self.link()

    # The road as a chain of segments up to the next junction

    def on(self, segment: Segment) -> list[Segment]:
        """A segment and those that follow it up to the next junction, or whatever else cuts a road."""
        chain = [segment]
        while chain[-1][2] not in self.cuts:
            ahead = [s for s in self.out_of[chain[-1][2]] if s[0] == segment[0] and s[2] != chain[-1][1]]
            chain.append(ahead[0])
        return chain

    def before(self, segment: Segment) -> list[Segment]:
        """A segment and those before it back to the last junction, nearest first."""
        chain = [segment]
        while chain[-1][1] not in self.cuts:
            back = [s for s in self.into[chain[-1][1]] if s[0] == segment[0] and s[1] != chain[-1][2]]
            chain.append(back[0])
        return chain

    def heading(self, segment: Segment, *, arriving: bool) -> float:
        """Over the last or the first metres of the road at the junction."""
        chain = self.before(segment) if arriving else self.on(segment)
        here = spot = self.position[segment[2] if arriving else segment[1]]
        left = HEADING_M
        for one in chain:
            far = self.position[one[1] if arriving else one[2]]
            if self.metres[one] >= left:
                share = left / self.metres[one]
                spot = (spot[0] + share * (far[0] - spot[0]), spot[1] + share * (far[1] - spot[1]))
                break
            left -= self.metres[one]
            spot = far
        first, last = (spot, here) if arriving else (here, spot)
        return float(GEOD.inv(*first, *last)[0])

    # What a turn costs and whether it may be made

    def turn_s(self, before: Segment, after: Segment) -> float:
        back = after == (before[0], before[2], before[1])
        if self.costs is None or back or self.arms[before[2]] < 3 or before[2] in self.barriers:
            return 0.0
        if before[0] in self.roundabouts and after[0] in self.roundabouts:
            return 0.0
        c = self.costs
        turn = self.heading(after, arriving=False) - self.heading(before, arriving=True)
        turn = (turn + 180.0) % 360.0 - 180.0
        bend = abs(turn)
        corner = c.bend_kmh[0]
        for (d0, v0), (d1, v1) in pairwise(zip(c.bend_deg, c.bend_kmh, strict=True)):
            if bend >= d1:
                corner = v1
            elif bend > d0:
                corner = v0 + (v1 - v0) * (bend - d0) / (d1 - d0)
        kmh = [3.6 * self.metres[s] / self.seconds[s] if self.seconds[s] else 0.0 for s in (before, after)]
        lost = sum((v - corner) ** 2 / 3.6 / (2 * c.braking_m_s2 * v) for v in kmh if v > corner)
        if turn < -c.gives_way_deg and max(kmh) >= c.gives_way_kmh:
            lost += c.gives_way_s
        return min(max(lost - c.included_s, 0.0), c.most_s)

    def wait_s(self, before: Segment) -> float:
        seconds, facing = self.waits.get(before[2], (0.0, 0))
        if seconds == 0.0 or (facing and (facing == 1) != (before in self.ahead)):
            return 0.0
        road = self.before(before)
        if road[-1][1] in self.waits and sum(self.metres[s] for s in road) < SAME_LIGHTS_M:
            return 0.0
        return seconds

    def forbidden(self, before: Segment, after: Segment) -> bool:
        only = []
        for to_way, kind in self.rules.get((before[0], before[2]), ()):
            back = after == (before[0], before[2], before[1])
            if kind.startswith("only_"):
                only.append(to_way)
            elif after[0] == to_way and (back or not (kind == "no_u_turn" and before[0] == to_way)):
                return True
        return bool(only) and after[0] not in only

    def may_turn(self, before: Segment, after: Segment) -> bool:
        node = before[2]
        back = after == (before[0], before[2], before[1])
        if node in self.barriers:
            return back
        if back and node not in self.cuts:
            return False
        if self.forbidden(before, after):
            return False
        if back and before in self.no_way_back:
            others = (s for s in self.out_of[node] if s != after)
            return all(self.forbidden(before, other) for other in others)
        return True

    def bar_dodging(self) -> None:
        """Nobody turns round to save a turn, unless the way there and back takes longer than it saves."""
        saves: dict[int, float] = defaultdict(float)
        for node in self.cuts:
            for before in self.into[node]:
                dearest = max((self.turn_s(before, after) for after in self.out_of[node]), default=0.0)
                if dearest > 0.0:
                    self.no_way_back.add(before)
                if before in self.bound:
                    self.no_way_back.add(before)
                    dearest = FORBIDDEN_TURN_S
                saves[node] = max(saves[node], dearest)
        heap = [(-worth, node) for node, worth in saves.items() if worth > 0.0]
        heapq.heapify(heap)
        while heap:
            worth, node = heapq.heappop(heap)
            if -worth < saves[node]:
                continue
            for first in self.out_of[node]:
                chain = self.on(first)
                back = sum(self.seconds.get((w, b, a), math.inf) for w, a, b in chain)
                left = -worth - back - sum(self.seconds[s] for s in chain)
                if left > 0.0:
                    self.no_way_back.add(chain[-1])
                    if left > saves[chain[-1][2]]:
                        saves[chain[-1][2]] = left
                        heapq.heappush(heap, (-left, chain[-1][2]))

    # Restrictions over ways

    def next_state(self, state: State, after: Segment) -> State | None:
        """The state after a turn that is allowed as far as nodes go, or None where a way forbids it."""
        before, active = state
        going: set[tuple[int, int]] = set()
        for rule, at in active:
            _, via, to_way, kind = self.over_ways[rule]
            if at == len(via) - 1:
                leaves = [s for s in self.out_of[before[2]] if s[0] == to_way and s[2] != before[1]]
                if leaves and kind.startswith("only_") and after[0] != to_way:
                    return None
                if leaves and after in leaves and kind.startswith("no_"):
                    return None
            back = after == (before[0], before[2], before[1])
            if after[0] == via[at] and not back:
                going.add((rule, at))
            elif at + 1 < len(via) and after[0] == via[at + 1]:
                going.add((rule, at + 1))
        for rule, (from_way, via, _, _) in enumerate(self.over_ways):
            if before[0] == from_way and after[0] == via[0]:
                going.add((rule, 0))
        return after, frozenset(going)

    def states(self) -> None:
        """Every state there is, and which follow which; those on which a restriction acts bind their roads."""
        todo: list[State] = [(segment, FREE) for segment in self.seconds]
        self.follows: dict[State, list[State]] = {}
        while todo:
            state = todo.pop()
            if state in self.follows:
                continue
            self.follows[state] = []
            for after in self.out_of[state[0][2]]:
                found = self.next_state(state, after)
                if found is not None:
                    self.follows[state].append(found)
                    todo.append(found)
        for rule, (from_way, _, _, _) in enumerate(self.over_ways):
            for state in list(self.follows):
                if state[0][0] == from_way:
                    self._bind(rule, [state])

    def _bind(self, rule: int, path: list[State]) -> None:
        """Mark the roads of a restriction, from the one it starts on to where it acts."""
        _, via, to_way, _ = self.over_ways[rule]
        last, active = path[-1]
        acts = any(s[0] == to_way and s[2] != last[1] for s in self.out_of[last[2]])
        if (rule, len(via) - 1) in active and acts:
            self.bound.update(segment for segment, _ in path)
        for after in self.follows[path[-1]]:
            if any(one == rule for one, _ in after[1]) and after not in path and len(path) < 200:
                self._bind(rule, [*path, after])

    def link(self) -> None:
        """Turn the states round for the search."""
        self.preceding: dict[State, list[tuple[State, float]]] = defaultdict(list)
        for state, followers in self.follows.items():
            for after in followers:
                if self.may_turn(state[0], after[0]):
                    cost = self.wait_s(state[0]) + self.turn_s(state[0], after[0])
                    self.preceding[after].append((state, cost))

    def seconds_to(self, way: int, a: int, b: int) -> dict[Segment, float]:
        """Seconds from the END of each segment, come by freely, to the middle of the segment a-b."""
        best: dict[State, float] = {}
        heap: list[tuple[float, int, State]] = []

        def reach(after: State, cost: float) -> None:
            for before, turn in self.preceding[after]:
                if before not in best:
                    heapq.heappush(heap, (cost + turn, len(heap), before))

        targets = {(way, a, b), (way, b, a)}
        for state in self.follows:
            if state[0] in targets:
                reach(state, self.seconds[state[0]] / 2)
        while heap:
            cost, _, state = heapq.heappop(heap)
            if state in best:
                continue
            best[state] = cost
            reach(state, cost + self.seconds[state[0]])
        return {segment: cost for (segment, active), cost in best.items() if not active}


def between(field_s: dict[Segment, float], opinion: SecondOpinion, way: int, a: int, b: int) -> float:
    """From the middle of the segment a-b, nan when there is no way."""
    options = [
        opinion.seconds[s] / 2 + field_s[s]
        for s in ((way, a, b), (way, b, a))
        if s in opinion.seconds and s in field_s
    ]
    return min(options, default=float("nan"))


def car_tags(profile: Profile, tags: dict[str, str]) -> tuple[float, float] | None:
    base = profile.speed_kmh.get(tags.get("highway", ""))
    if base is None or tags.get("area") == "yes" or tags.get("route") == "ferry":
        return None
    access = next((tags[k] for k in ("motorcar", "motor_vehicle", "vehicle", "access") if k in tags), "yes")
    if access in NO or ("impassable" in tags and access == "yes"):
        return None
    limits = [float(part) for part in tags.get("maxspeed", "").split(";") if part.isdigit()]
    kmh = min(limits) * 0.8 if limits else base
    ahead = float(tags["maxspeed:forward"]) * 0.8 if tags.get("maxspeed:forward", "").isdigit() else kmh
    back = float(tags["maxspeed:backward"]) * 0.8 if tags.get("maxspeed:backward", "").isdigit() else kmh
    ahead, back = min(ahead, 110.0), min(back, 110.0)
    oneway = next((tags[k] for k in ("oneway:motorcar", "oneway:motor_vehicle", "oneway") if k in tags), None)
    if oneway is None and (
        tags.get("junction") in ("roundabout", "circular") or tags["highway"] == "motorway"
    ):
        oneway = "yes"
    if oneway in ("yes", "1", "true"):
        back = 0.0
    elif oneway in ("-1", "reverse"):
        ahead = 0.0
    elif oneway == "reversible":
        return None
    for key in ("motor_vehicle", "vehicle", "access"):
        ahead = 0.0 if tags.get(f"{key}:forward") in NO else ahead
        back = 0.0 if tags.get(f"{key}:backward") in NO else back
    return ahead, back


class Reader(osmium.SimpleHandler):
    """Reads an extract for a car.

    Args:
        profile: Whose costs count.
        restrictions: Whether turn restrictions count.
    """

    def __init__(self, profile: Profile, *, restrictions: bool = True) -> None:
        super().__init__()
        self.profile = profile
        self.restrictions = restrictions
        self.opinion = SecondOpinion(costs=profile.turns)

    def node(self, n: osmium.osm.Node) -> None:
        self.opinion.position[n.id] = (n.location.lon, n.location.lat)
        tags = dict(n.tags)
        wait = self.profile.signals_s if tags.get("highway") == "traffic_signals" else 0.0
        facing = {"forward": 1, "backward": -1}.get(
            tags.get("traffic_signals:direction", tags.get("direction", "")) if wait else "", 0
        )
        if "barrier" in tags:
            access = [tags[k] for k in ("motorcar", "motor_vehicle", "vehicle", "access") if k in tags]
            shut = access[0] in NO if access else tags["barrier"] not in OPEN_BARRIERS
            shut |= not access and tags.get("locked") == "yes"
            if shut and (tags.get("bollard") != "rising" or access):
                self.opinion.barriers.add(n.id)
                return
            kind = "bollard:rising" if tags.get("bollard") == "rising" else tags["barrier"]
            wait += self.profile.barrier_s.get(kind, 0.0)
        if wait:
            self.opinion.waits[n.id] = (wait, facing)

    def way(self, w: osmium.osm.Way) -> None:
        tags = dict(w.tags)
        speeds = car_tags(self.profile, tags)
        nodes = [n.ref for n in w.nodes if n.ref in self.opinion.position]
        nodes = [n for k, n in enumerate(nodes) if k == 0 or nodes[k - 1] != n]
        if speeds not in (None, (0.0, 0.0)) and len(nodes) > 1:
            assert speeds is not None
            self.opinion.add_way(w.id, nodes, *speeds)
            if tags.get("junction") in ("roundabout", "circular"):
                self.opinion.roundabouts.add(w.id)

    def relation(self, r: osmium.osm.Relation) -> None:
        tags = dict(r.tags)
        kind = tags.get(
            "restriction:motorcar", tags.get("restriction:motor_vehicle", tags.get("restriction", ""))
        )
        if (
            tags.get("type") != "restriction"
            or not kind.startswith(("no_", "only_"))
            or not self.restrictions
        ):
            return
        if {"motorcar", "motor_vehicle"} & set(tags.get("except", "").split(";")):
            return
        by_role = defaultdict(list)
        for member in r.members:
            by_role[member.role].append(member)
        kinds = [m.type for m in by_role["via"]]
        if kinds == ["n"]:
            via: int | tuple[int, ...] = by_role["via"][0].ref
        elif kinds and set(kinds) == {"w"}:
            via = tuple(m.ref for m in by_role["via"])
        else:
            return
        self.opinion.turns += [(f.ref, via, t.ref, kind) for f in by_role["from"] for t in by_role["to"]]
