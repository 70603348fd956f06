"""Travel times against a second implementation that shares nothing with ours but the table of speeds and costs."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gis.roads import PROFILES, Profile, RoadGraph
from gis.roads.read import NodeWait, RoadFacts, RoadWay, TurnRestriction
from tests.gis.roads.second_opinion import Reader, SecondOpinion, between

DATA = Path(__file__).parents[3] / "../shared/data/osm"
CAR = PROFILES["car"]
PLAIN = replace(CAR, turns=None, signals_s=0.0, barrier_s={})
UNRESTRICTED = replace(CAR, restriction_modes=())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("extract", "profile"),
    [("liechtenstein", CAR), ("monaco", PLAIN), ("andorra", UNRESTRICTED)],
)
def test_real_extract_agrees_with_a_second_implementation(extract: str, profile: Profile) -> None:
    path = DATA / f"{extract}.osm.pbf"
    if not path.exists():
        pytest.skip("the real extracts are not beside this checkout")
    graph = RoadGraph.from_pbf(path, profile)
    reader = Reader(profile, restrictions=bool(profile.restriction_modes))
    reader.apply_file(str(path))
    opinion = reader.opinion
    opinion.finish()
    if profile.restriction_modes:
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
            assert ours[source] == pytest.approx(expected, rel=5e-4, abs=0.1), (
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
        onward = draw(st.sampled_from([way for way in ways if via in way.nodes]))
        if draw(st.booleans()) or onward is first:
            restrictions.append(TurnRestriction(first.id, via, onward.id, draw(kinds)))
        else:
            far = onward.nodes[onward.nodes[0] == via]
            last = draw(
                st.sampled_from([way for way in ways if far in way.nodes and way is not onward] or [first])
            )
            restrictions.append(TurnRestriction(first.id, 0, last.id, draw(kinds), (onward.id,)))
    spots = st.sampled_from(sorted(node.values()))
    barriers = frozenset(draw(st.lists(spots, max_size=1)))
    lights = draw(
        st.dictionaries(spots, st.builds(NodeWait, st.just(7.0), st.sampled_from([0, 1, -1])), max_size=3)
    )
    waits = {spot: wait for spot, wait in lights.items() if spot not in barriers}
    return RoadFacts(ways, barriers, restrictions, Counter(), waits)


@settings(max_examples=60, deadline=None)
@given(facts=towns(), seed=st.integers(0, 10**6), profile=st.sampled_from([CAR, PLAIN]))
def test_small_towns_agree_with_a_second_implementation(
    facts: RoadFacts, seed: int, profile: Profile
) -> None:
    if not facts.ways:
        return
    graph = RoadGraph.from_facts(facts, profile)
    opinion = SecondOpinion(barriers=set(facts.barriers), costs=profile.turns)
    for way in facts.ways:
        opinion.position.update(zip(way.nodes, zip(way.lon, way.lat, strict=True), strict=True))
        opinion.add_way(way.id, list(way.nodes), way.forward_kmh, way.backward_kmh)
    opinion.turns = [(r.from_way, r.via_ways or r.via_node, r.to_way, r.kind) for r in facts.restrictions]
    opinion.waits = {node: (wait.seconds, wait.direction) for node, wait in facts.waits.items()}
    opinion.finish()
    usable = [way for way, ok in zip(facts.ways, graph.arrays.snappable, strict=True) if ok]
    if not usable:
        return
    target = usable[seed % len(usable)]
    middle = [((w.lon[0] + w.lon[1]) / 2, (w.lat[0] + w.lat[1]) / 2) for w in usable]
    lon, lat = np.array(middle).T
    field = graph.field_to(*middle[usable.index(target)])
    ours = field.seconds(graph.snap(lon, lat))
    truth = opinion.seconds_to(target.id, *target.nodes)
    for row, way in enumerate(usable):
        if way is target:
            assert ours[row] == pytest.approx(0.0, abs=1e-5)
        else:
            expected = between(truth, opinion, way.id, *way.nodes)
            assert ours[row] == pytest.approx(expected, rel=2e-4, abs=0.02, nan_ok=True)
            route = field.route(*middle[row])
            assert (route is None) == np.isnan(expected)
            if route is not None:
                assert sum(step.duration_s for step in route.steps) == pytest.approx(route.duration_s)
