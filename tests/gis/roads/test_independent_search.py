"""Travel times against a second implementation that shares nothing with ours but the table of speeds.

The second one reads the extract by itself, keeps every node of every way, searches from segment to segment
with `heapq` and looks at each turn when it takes it.
"""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np
import osmium
import pyproj
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gis.roads import PROFILES, RoadGraph
from gis.roads.read import RoadFacts, RoadWay, TurnRestriction

DATA = Path(__file__).parents[3] / "../shared/data/osm"
GEOD = pyproj.Geod(ellps="WGS84")
NO = {"no", "private", "agricultural", "forestry", "emergency", "psv", "customers", "delivery"}
OPEN_BARRIERS = frozenset(
    "gate lift_gate swing_gate toll_booth cattle_grid border_control kerb entrance height_restrictor "
    "sally_port arch yes spikes bump_gate checkpoint sliding_gate retaining_wall hedge city_wall "
    "guard_rail handrail".split()
)


@dataclass
class SecondOpinion:
    """Segments (way, from node, to node) with seconds; turns are judged as they are taken."""

    seconds: dict[tuple[int, int, int], float] = field(default_factory=dict)
    position: dict[int, tuple[float, float]] = field(default_factory=dict)
    uses: Counter[int] = field(default_factory=Counter)
    barriers: set[int] = field(default_factory=set)
    turns: list[tuple[int, int, int, str]] = field(default_factory=list)
    no_way_back: set[tuple[int, int, int]] = field(default_factory=set)

    def add_way(self, way: int, nodes: list[int], ahead: float, back: float) -> None:
        self.uses.update(nodes)
        self.uses.update([nodes[0], nodes[-1]])
        for a, b in pairwise(nodes):
            metres = GEOD.inv(*self.position[a], *self.position[b])[2]
            for kmh, key in ((ahead, (way, a, b)), (back, (way, b, a))):
                if kmh > 0:
                    self.seconds[key] = metres / (kmh / 3.6)

    def finish(self) -> None:
        self.into: dict[int, list[tuple[int, int, int]]] = defaultdict(list)
        self.out_of: dict[int, list[tuple[int, int, int]]] = defaultdict(list)
        for segment in self.seconds:
            self.into[segment[2]].append(segment)
            self.out_of[segment[1]].append(segment)
        self.rules: dict[tuple[int, int], list[tuple[int, str]]] = defaultdict(list)
        for from_way, via, to_way, kind in self.turns:
            takes = any(s[0] == from_way for s in self.into[via]) and any(
                s[0] == to_way for s in self.out_of[via]
            )
            if takes:
                self.rules[from_way, via].append((to_way, kind))

        self.bar_dodging()

    def bar_dodging(self) -> None:
        """Where a restricted turn has been taken, nobody turns round at the next three junctions."""
        frontier = {
            after
            for way, via in self.rules
            for before in self.into[via]
            if before[0] == way
            for after in self.out_of[via]
            if self.may_turn(before, after)
        }
        for _ in range(3):
            onward = set()
            for segment in frontier:
                end = segment
                while self.uses[end[2]] < 2 and end[2] not in self.barriers:
                    end = next(s for s in self.out_of[end[2]] if s[2] != end[1])
                back = (end[0], end[2], end[1])
                ahead = [s for s in self.out_of[end[2]] if s != back and self.may_turn(end, s)]
                if ahead:
                    self.no_way_back.add(end)
                onward.update(ahead)
            frontier = onward

    def forbidden(self, before: tuple[int, int, int], after: tuple[int, int, int]) -> bool:
        only = []
        for to_way, kind in self.rules.get((before[0], before[2]), ()):
            back = after == (before[0], before[2], before[1])
            if kind.startswith("only_"):
                only.append(to_way)
            elif after[0] == to_way and (back or not (kind == "no_u_turn" and before[0] == to_way)):
                return True
        return bool(only) and after[0] not in only

    def may_turn(self, before: tuple[int, int, int], after: tuple[int, int, int]) -> bool:
        node = before[2]
        back = after == (before[0], before[2], before[1])
        if node in self.barriers:
            return back
        if back and (self.uses[node] < 2 or before in self.no_way_back):
            return False
        if self.forbidden(before, after):
            return False
        if back and (before[0], node) in self.rules:
            others = (s for s in self.out_of[node] if s != after)
            return all(self.forbidden(before, other) for other in others)
        return True

    def seconds_to(self, way: int, a: int, b: int) -> dict[tuple[int, int, int], float]:
        """Seconds from the END of each segment to the middle of the segment a-b."""
        best: dict[tuple[int, int, int], float] = {}
        heap: list[tuple[float, tuple[int, int, int]]] = []

        def reach(after: tuple[int, int, int], cost: float) -> None:
            for before in self.into[after[1]]:
                if before not in best and self.may_turn(before, after):
                    heapq.heappush(heap, (cost, before))

        for last in ((way, a, b), (way, b, a)):
            if last in self.seconds:
                reach(last, self.seconds[last] / 2)
        while heap:
            cost, segment = heapq.heappop(heap)
            if segment in best:
                continue
            best[segment] = cost
            reach(segment, cost + self.seconds[segment])
        return best


def between(
    field_s: dict[tuple[int, int, int], float], opinion: SecondOpinion, way: int, a: int, b: int
) -> float:
    """From the middle of the segment a-b, nan when there is no way."""
    options = [
        opinion.seconds[s] / 2 + field_s[s]
        for s in ((way, a, b), (way, b, a))
        if s in opinion.seconds and s in field_s
    ]
    return min(options, default=float("nan"))


def car_tags(tags: dict[str, str]) -> tuple[float, float] | None:
    base = PROFILES["car"].speed_kmh.get(tags.get("highway", ""))
    if base is None or tags.get("area") == "yes" or tags.get("route") == "ferry":
        return None
    access = next((tags[k] for k in ("motorcar", "motor_vehicle", "vehicle", "access") if k in tags), "yes")
    if access in NO or ("impassable" in tags and access == "yes"):
        return None
    limit = tags.get("maxspeed", "")
    kmh = float(limit) * 0.8 if limit.isdigit() else base
    assert not {"maxspeed:forward", "maxspeed:backward"} & set(tags) or not limit or limit.isdigit()
    ahead = float(tags["maxspeed:forward"]) * 0.8 if tags.get("maxspeed:forward", "").isdigit() else kmh
    back = float(tags["maxspeed:backward"]) * 0.8 if tags.get("maxspeed:backward", "").isdigit() else kmh
    ahead, back = min(ahead, 110.0), min(back, 110.0)
    oneway = tags.get("oneway:motorcar", tags.get("oneway"))
    if oneway is None and (
        tags.get("junction") in ("roundabout", "circular") or tags["highway"] == "motorway"
    ):
        oneway = "yes"
    if oneway in ("yes", "1", "true"):
        return ahead, 0.0
    if oneway in ("-1", "reverse"):
        return 0.0, back
    return None if oneway == "reversible" else (ahead, back)


class Reader(osmium.SimpleHandler):
    def __init__(self) -> None:
        super().__init__()
        self.opinion = SecondOpinion()

    def node(self, n: osmium.osm.Node) -> None:
        self.opinion.position[n.id] = (n.location.lon, n.location.lat)
        tags = dict(n.tags)
        if "barrier" in tags:
            access = [tags[k] for k in ("motorcar", "motor_vehicle", "vehicle", "access") if k in tags]
            shut = access[0] in NO if access else tags["barrier"] not in OPEN_BARRIERS
            if shut and tags.get("bollard") != "rising":
                self.opinion.barriers.add(n.id)

    def way(self, w: osmium.osm.Way) -> None:
        speeds = car_tags(dict(w.tags))
        nodes = [n.ref for n in w.nodes if n.ref in self.opinion.position]
        nodes = [n for k, n in enumerate(nodes) if k == 0 or nodes[k - 1] != n]
        if speeds is not None and len(nodes) > 1:
            self.opinion.add_way(w.id, nodes, *speeds)

    def relation(self, r: osmium.osm.Relation) -> None:
        tags = dict(r.tags)
        kind = tags.get("restriction:motorcar", tags.get("restriction", ""))
        if tags.get("type") != "restriction" or not kind.startswith(("no_", "only_")):
            return
        if {"motorcar", "motor_vehicle"} & set(tags.get("except", "").split(";")):
            return
        by_role = defaultdict(list)
        for member in r.members:
            by_role[member.role].append(member)
        if [m.type for m in by_role["via"]] == ["n"]:
            self.opinion.turns += [
                (f.ref, by_role["via"][0].ref, t.ref, kind) for f in by_role["from"] for t in by_role["to"]
            ]


@pytest.mark.slow
@pytest.mark.parametrize("extract", ["liechtenstein", "monaco"])
def test_real_extract_agrees_with_a_second_implementation(extract: str) -> None:
    path = DATA / f"{extract}.osm.pbf"
    if not path.exists():
        pytest.skip("the real extracts are not beside this checkout")
    graph = RoadGraph.from_pbf(path)
    reader = Reader()
    reader.apply_file(str(path))
    opinion = reader.opinion
    opinion.finish()
    assert opinion.rules, "the extract must hold turn restrictions, or it proves less than it says"

    rng = np.random.default_rng(20)
    segments = sorted(opinion.seconds)
    chosen = [segments[k] for k in rng.choice(len(segments), 260, replace=False)]
    middle = [
        [(p + q) / 2 for p, q in zip(opinion.position[a], opinion.position[b], strict=True)]
        for _, a, b in chosen
    ]
    lon, lat = np.array(middle).T
    snaps = graph.snap(lon, lat)
    # Where ways cross on bridges a midpoint may lie on two roads, and cut-off roads take no part.
    same = (snaps.offset_m < 0.05) & (graph.arrays.way[snaps.edge] == [way for way, _, _ in chosen])
    usable = np.flatnonzero(same)
    assert len(usable) > 200

    compared = 0
    for target in usable[:6]:
        truth = opinion.seconds_to(*chosen[target])
        ours = graph.field_to(lon[target], lat[target]).seconds(snaps)
        for source in usable[6:]:
            expected = between(truth, opinion, *chosen[source])
            if chosen[source][0] == chosen[target][0]:
                continue  # on one way the straight piece between the two is a case of its own
            assert ours[source] == pytest.approx(expected, rel=2e-4, abs=0.05), (
                chosen[source],
                chosen[target],
            )
            compared += 1
    assert compared > 1000


@st.composite
def towns(draw: st.DrawFn) -> RoadFacts:
    """Crooked little street nets: a grid of crossings, one-ways, barriers, turn restrictions."""
    side = 4
    position = {
        (i, j): (
            117.0 + 0.002 * i + draw(st.integers(-5, 5)) * 1e-5,
            34.0 + 0.002 * j + draw(st.integers(-5, 5)) * 1e-5,
        )
        for i in range(side)
        for j in range(side)
    }
    node = {place: 10 * place[0] + place[1] + 1 for place in position}
    links = [((i, j), (i + 1, j)) for i in range(side - 1) for j in range(side)]
    links += [((i, j), (i, j + 1)) for i in range(side) for j in range(side - 1)]
    ways = []
    for number, (a, b) in enumerate(links):
        kind = draw(st.sampled_from(["both", "both", "both", "one", "none"]))
        if kind == "none":
            continue
        kmh = draw(st.sampled_from([20.0, 40.0, 60.0]))
        ways.append(
            RoadWay(
                id=100 + number,
                nodes=(node[a], node[b]),
                lon=(position[a][0], position[b][0]),
                lat=(position[a][1], position[b][1]),
                forward_kmh=kmh,
                backward_kmh=kmh if kind == "both" else 0.0,
                duration_s=None,
                name="",
                road_class="residential",
            )
        )
    kinds = st.sampled_from(["no_left_turn", "no_straight_on", "no_u_turn", "only_right_turn"])
    restrictions = []
    for _ in range(draw(st.integers(0, 6))):
        if len(ways) < 2:
            break
        first = draw(st.sampled_from(ways))
        via = draw(st.sampled_from(first.nodes))
        onward = [way for way in ways if via in way.nodes]
        restrictions.append(TurnRestriction(first.id, via, draw(st.sampled_from(onward)).id, draw(kinds)))
    barriers = frozenset(draw(st.lists(st.sampled_from(sorted(node.values())), max_size=1)))
    return RoadFacts(ways, barriers, restrictions, Counter())


@settings(max_examples=100, deadline=None)
@given(facts=towns(), seed=st.integers(0, 10**6))
def test_small_towns_agree_with_a_second_implementation(facts: RoadFacts, seed: int) -> None:
    if not facts.ways:
        return
    graph = RoadGraph.from_facts(facts, PROFILES["car"])
    opinion = SecondOpinion(barriers=set(facts.barriers))
    for way in facts.ways:
        opinion.position.update(zip(way.nodes, zip(way.lon, way.lat, strict=True), strict=True))
        opinion.add_way(way.id, list(way.nodes), way.forward_kmh, way.backward_kmh)
    opinion.turns = [(r.from_way, r.via_node, r.to_way, r.kind) for r in facts.restrictions]
    opinion.finish()
    usable = [way for way, ok in zip(facts.ways, graph.arrays.snappable, strict=True) if ok]
    if not usable:
        return
    target = usable[seed % len(usable)]
    middle = [((w.lon[0] + w.lon[1]) / 2, (w.lat[0] + w.lat[1]) / 2) for w in usable]
    lon, lat = np.array(middle).T
    ours = graph.field_to(*middle[usable.index(target)]).seconds(graph.snap(lon, lat))
    truth = opinion.seconds_to(target.id, *target.nodes)
    for row, way in enumerate(usable):
        if way is target:
            assert ours[row] == pytest.approx(0.0, abs=1e-5)
        else:
            expected = between(truth, opinion, way.id, *way.nodes)
            assert ours[row] == pytest.approx(expected, rel=1e-4, nan_ok=True)
