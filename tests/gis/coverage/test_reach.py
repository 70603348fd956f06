"""Times against a search from every single sample, and what must hold of any town."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy import ndimage

from gis.areas import Area, AreaIndex
from gis.coverage.gaps import BUFFER_M, gaps
from gis.coverage.gaps import _outlines as outlines_of
from gis.coverage.reach import HORIZON_S, Ground, Reach, Times
from gis.coverage.rollup import GridFacts, Rollup
from gis.coverage.samples import ground_samples
from gis.coverage.search import TwoNearest
from gis.coverage.siting import one_more
from gis.nearest import straight_line_s
from gis.roads import PROFILES, RoadGraph
from gis.roads.read import RoadFacts, RoadWay, TurnRestriction

WEST, SOUTH, EAST, NORTH = 117.0, 34.0, 117.04, 34.04
SIDE, STEP_DEG = 5, 0.01


def lattice(*, profile: str = "car", slow: float = 1.0, plain: bool = False) -> RoadGraph:
    """Five by five streets, some of them one-way and some turns forbidden, or a plain one."""
    ways = []
    for line in range(2 * SIDE):
        row = line % SIDE
        nodes = [row * SIDE + n if line < SIDE else n * SIDE + row for n in range(SIDE)]
        ways.append(
            RoadWay(
                id=line,
                nodes=tuple(nodes),
                lon=tuple(WEST + STEP_DEG * (n % SIDE) for n in nodes),
                lat=tuple(SOUTH + STEP_DEG * (n // SIDE) for n in nodes),
                forward_kmh=40.0 * slow,
                backward_kmh=0.0 if line in (1, 3, 6) and not plain else 30.0 * slow,
                duration_s=None,
                name=f"{line}街",
                road_class="residential",
            )
        )
    banned = [TurnRestriction(2, 12, 7, "no_left_turn"), TurnRestriction(7, 12, 2, "no_right_turn")]
    return RoadGraph.from_facts(
        RoadFacts(ways, frozenset(), [] if plain else banned, Counter()), PROFILES[profile]
    )


def division() -> AreaIndex:
    """A county of two villages with eight grids each, overhanging the streets a little."""
    edge = 0.002
    xs, ys = np.linspace(WEST - edge, EAST + edge, 5), np.linspace(SOUTH - edge, NORTH + edge, 5)
    areas = [Area("C", "县", 1, None, "县", shapely.box(xs[0], ys[0], xs[4], ys[4]))]
    for v in range(2):
        outline = shapely.box(xs[2 * v], ys[0], xs[2 * v + 2], ys[4])
        areas.append(Area(f"V{v}", f"{v}村", 3, "C", "村", outline))
    for n in range(16):
        i, j = n % 4, n // 4
        cell = shapely.box(xs[i], ys[j], xs[i + 1], ys[j + 1])
        areas.append(Area(f"V{i // 2}G{n:02d}", f"{n}格", 4, f"V{i // 2}", "网格", cell))
    return AreaIndex(areas)


AREAS = division()
GROUND = Ground(AREAS, {"car": lattice()})
spot = st.tuples(
    st.floats(WEST - 0.001, EAST + 0.001, allow_nan=False),
    st.floats(SOUTH - 0.001, NORTH + 0.001, allow_nan=False),
)
crowd = st.lists(spot, max_size=6)
quick = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def reach_of(spots: list[tuple[float, float]], ground: Ground = GROUND) -> Reach:
    return ground.reach([x for x, _ in spots], [y for _, y in spots])


@quick
@given(st.lists(spot, min_size=1, max_size=4), st.data())
def test_times_agree_with_a_search_to_each_sample(
    spots: list[tuple[float, float]], data: st.DataObject
) -> None:
    reach, samples = reach_of(spots), GROUND.samples
    for n in data.draw(st.lists(st.integers(0, len(samples) - 1), min_size=3, max_size=3)):
        lon, lat = samples.frame.to_lonlat(samples.x[n : n + 1], samples.y[n : n + 1])
        field = GROUND.graphs["car"].field_to(float(lon[0]), float(lat[0]))
        alone = [field.seconds_at(x, y) for x, y in spots]
        assert reach.seconds[n] == pytest.approx(np.nanmin(alone), abs=0.05)


@quick
@given(crowd, spot)
def test_one_more_never_takes_longer(spots: list[tuple[float, float]], extra: tuple[float, float]) -> None:
    few, more = reach_of(spots), reach_of([*spots, extra])
    assert (more.seconds <= few.seconds + 1e-9).all()
    for seconds in (60, 180, 300, 600):
        assert (more.times.within(seconds) >= few.times.within(seconds) - 1e-6).all()


@quick
@given(crowd)
def test_more_minutes_never_reach_less(spots: list[tuple[float, float]]) -> None:
    times = reach_of(spots).times
    within = np.array([times.within(seconds) for seconds in range(0, HORIZON_S + 1, 60)])
    assert (np.diff(within, axis=0) >= -1e-9).all()
    assert times.total == pytest.approx(
        np.bincount(GROUND.samples.grid, GROUND.samples.weight, minlength=GROUND.samples.grids)
    )


@quick
@given(st.lists(spot, min_size=1, max_size=6), st.data())
def test_without_somebody_as_if_never_there(spots: list[tuple[float, float]], data: st.DataObject) -> None:
    reach = reach_of(spots)
    gone = data.draw(st.integers(0, len(spots) - 1))
    rest = reach_of(spots[:gone] + spots[gone + 1 :])
    np.testing.assert_allclose(reach.seconds_without(gone), rest.seconds, rtol=0, atol=1e-6)
    # A sum of rounded-up seconds may differ where a time lies on the whole second.
    lost = reach.times_without(gone)
    assert lost.total == pytest.approx(reach.times.total)
    assert np.abs(lost.within(300) - rest.times.within(300)).max() < 41.0


def test_nobody_and_nowhere() -> None:
    empty = reach_of([])
    assert np.isinf(empty.seconds).all()
    assert empty.times.share(600).max() == 0.0
    assert np.isnan(empty.times.quantile(0.5)).all()
    away = GROUND.reach([float("nan"), 100.0], [34.0, 20.0])
    assert away.off_road.tolist() == [True, True]
    assert np.isinf(away.seconds).all()
    assert np.isinf(away.seconds_without(0)).all()
    with pytest.raises(IndexError):
        away.seconds_without(2)
    bare = Ground(AreaIndex([]), {"car": lattice()})
    assert len(bare.samples) == 0
    assert reach_of([(WEST, SOUTH)], bare).times.metres.shape == (0, HORIZON_S + 2)


def test_two_at_one_place_tie_without_loss() -> None:
    twins = reach_of([(117.015, 34.02), (117.015, 34.02)])
    for gone in (0, 1):
        np.testing.assert_array_equal(twins.seconds_without(gone), twins.seconds)
        np.testing.assert_allclose(twins.times_without(gone).metres, twins.times.metres, atol=1e-6)


def test_each_travels_by_its_own_means() -> None:
    ground = Ground(AREAS, {"car": lattice(), "foot": lattice(profile="foot", slow=0.1)})
    fast, slow = (117.005, 34.0), (117.035, 34.03)
    mixed = ground.reach([fast[0], slow[0]], [fast[1], slow[1]], ["car", "foot"])
    by_car = reach_of([fast], ground)
    on_foot = ground.reach(*slow, ["foot"])
    np.testing.assert_allclose(mixed.seconds, np.minimum(by_car.seconds, on_foot.seconds), atol=1e-6)
    np.testing.assert_allclose(mixed.seconds_without(0), on_foot.seconds, atol=1e-6)
    np.testing.assert_allclose(mixed.seconds_without(1), by_car.seconds, atol=1e-6)
    # Who travels by a means without roads of its own goes by car.
    boat = ground.reach(*fast, ["boat"])
    np.testing.assert_array_equal(boat.seconds, by_car.seconds)


def test_without_roads_the_straight_line_is_marked() -> None:
    ground = Ground(AREAS, {})
    assert ground.method == "straight_line"
    assert ground.samples.weight.sum() == pytest.approx(AREAS.area_km2("C") * 1e6, rel=1e-3)
    reach = ground.reach([117.02], [34.02])
    nearest = int(np.argmin(reach.seconds))
    at = ground.samples.frame.to_xy([117.02], [34.02])
    metres = np.hypot(ground.samples.x[nearest] - at[0][0], ground.samples.y[nearest] - at[1][0])
    assert reach.seconds[nearest] == pytest.approx(float(straight_line_s(metres)))
    assert np.isinf(reach.seconds_without(0)).all()
    assert np.isinf(ground.reach([], []).seconds).all()
    assert one_more(reach, 60.0) == []
    thin = Area("T", "窄格", 4, None, "网格", shapely.box(117.0, 34.0, 117.0001, 34.0001))
    assert len(ground_samples(AreaIndex([thin]))) == 1
    assert len(ground_samples(AreaIndex([]))) == 0


def test_quantiles_are_weighted_by_length() -> None:
    table = np.zeros((1, HORIZON_S + 2))
    table[0, [30, 31, HORIZON_S]] = 1.0, 98.0, 1.0
    times = Times(table)
    assert times.quantile(0.01).tolist() == [30.0]
    assert times.quantile(0.5).tolist() == [31.0]
    assert times.quantile(1.0).tolist() == [float(HORIZON_S)]
    assert times.share(-5).tolist() == [0.0]
    assert times.share(10**6).tolist() == [1.0]


def test_repeated_offers_leave_the_two_nearest() -> None:
    rng = np.random.default_rng(4)
    at, who = rng.integers(0, 20, 400), rng.integers(0, 7, 400).astype(np.int32)
    seconds = rng.integers(1, 50, 400).astype(np.float64)
    found = TwoNearest(20)
    for part in np.array_split(np.arange(400), 9):
        found.offer(at[part], seconds[part], who[part])
    for place in range(20):
        best = sorted(min(seconds[(at == place) & (who == w)], default=np.inf) for w in range(7))
        assert (found.first_s[place], found.second_s[place]) == (best[0], best[1])


def test_gaps_hold_the_missed_road_and_only_near_it() -> None:
    reach = reach_of([(117.0, 34.0)])
    missed = reach.seconds > 180
    found = gaps(GROUND.samples, missed)
    assert sum(gap.road_m for gap in found) == pytest.approx(GROUND.samples.weight[missed].sum())
    assert found == sorted(found, key=lambda gap: -gap.road_m)
    samples = GROUND.samples
    lon, lat = samples.frame.to_lonlat(samples.x, samples.y)
    everything = shapely.union_all([gap.outline for gap in found])
    inside = shapely.intersects_xy(everything, lon, lat)
    assert inside[missed].all()
    flat = samples.frame.project(everything)
    road = shapely.multipoints(np.column_stack([samples.x[missed], samples.y[missed]]))
    assert shapely.hausdorff_distance(flat, road) < 2.5 * BUFFER_M
    feature = found[0].feature(tuple(grid.code for grid in AREAS.grids))
    assert feature["properties"]["grids"] == sorted(feature["properties"]["grids"])
    assert gaps(GROUND.samples, np.zeros(len(GROUND.samples), np.bool_)) == []
    one = np.arange(len(GROUND.samples)) == 7
    assert gaps(GROUND.samples, one) == []  # twenty metres are no gap
    assert len(gaps(GROUND.samples, one, least_m=1.0)) == 1


@quick
@given(arrays(np.bool_, st.tuples(st.integers(1, 9), st.integers(1, 9))))
def test_outlines_hold_the_middle_of_each_square_and_no_other(mask: NDArray[np.bool_]) -> None:
    piece, pieces = ndimage.label(mask)
    found = outlines_of(np.asarray(piece, np.int32), 100.0, 200.0, 10.0)
    assert sorted(found) == list(range(1, pieces + 1))
    row, column = np.indices(mask.shape)
    for number, outline in found.items():
        assert shapely.is_valid(outline)
        inside = shapely.contains_xy(outline, 105.0 + 10.0 * column, 205.0 + 10.0 * row)
        np.testing.assert_array_equal(inside, piece == number)


def test_one_more_keeps_its_promise() -> None:
    # At a junction a unit may snap to the wrong end of a one-way street; here there is none.
    ground = Ground(AREAS, {"car": lattice(plain=True)})
    here, gained = [(117.0, 34.0)], 0.0
    reach = reach_of(here, ground)
    posts = one_more(reach, 150.0, posts=3, candidates=40)
    assert len(posts) == 3
    for post in posts:
        assert post.gain_m == pytest.approx(sum(post.grids.values()))
        here.append((post.lon, post.lat))
        gained += post.gain_m
        now = ground.samples.weight[reach_of(here, ground).seconds <= 150.0].sum()
        assert now - ground.samples.weight[reach.seconds <= 150.0].sum() == pytest.approx(gained, rel=0.01)
    assert [post.gain_m for post in posts] == sorted((post.gain_m for post in posts), reverse=True)
    assert one_more(reach_of([(117.02, 34.02)]), float(HORIZON_S)) == []
    assert one_more(reach_of([]), 150.0, candidates=40)[0].gain_m > 0


def test_a_village_is_the_sum_of_its_grids() -> None:
    reach = reach_of([(117.012, 34.0)])
    n = len(AREAS.grids)
    staffed = np.arange(n) % 2 == 0
    facts = GridFacts(
        reach.times, staffed, staffed, np.full(n, 100.0), np.full(n, 25.0), np.ones(n, np.int64)
    )
    rollup = Rollup(AREAS)
    figures = {one.code: one for one in rollup.figures(facts, (180, 300))}
    assert list(figures)[:3] == ["C", "V0", "V1"]
    county, villages = figures["C"], [figures["V0"], figures["V1"]]
    assert (county.grids, county.staffed, county.watched, county.seen) == (16, 8, 16, 0.25)
    assert county.road_m == pytest.approx(sum(one.road_m for one in villages))
    assert county.reach[180] == pytest.approx(
        sum((one.reach[180] or 0) * one.road_m for one in villages) / county.road_m
    )
    assert county.reached[300] == sum(one.reached[300] for one in villages)
    assert county.median_s == float(Times(reach.times.metres.sum(axis=0)[None]).quantile(0.5)[0])
    assert county.unreached == 0.0
    assert rollup.figures(facts, (180,), ()) == []
    with pytest.raises(KeyError):
        rollup.figures(facts, (180,), ("absent",))
    lonely = AreaIndex([Area("1", "无路", 4, None, "网格", shapely.box(0, 0, 1, 1))])
    nobody, zero = np.zeros(1, np.bool_), np.zeros(1)
    none = GridFacts(Times(np.zeros((1, HORIZON_S + 2))), nobody, nobody, zero, zero, np.zeros(1, np.int64))
    figure = Rollup(lonely).figures(none, (300,))[0]
    assert (figure.reach, figure.unreached, figure.median_s, figure.seen) == ({300: None}, None, None, None)


def test_closed_roads_are_out_of_reach_and_open_again() -> None:
    """A view of the ground says what a ground made of the closed graph alone says, in either order of asking."""
    graph = lattice()
    shut = graph.closed(np.arange(8, 24))
    spots = [(117.012, 34.0), (117.03, 34.031)]
    whole = Ground(AREAS, {"car": graph})
    before = reach_of(spots, whole).seconds
    closed = whole.with_closures({"car": shut})
    reach = reach_of(spots, closed)
    assert len(reach.seconds) == len(before)
    samples = closed.samples
    on_closed = np.isin(samples.edge, np.arange(4, 12))
    assert np.isinf(reach.seconds[on_closed]).all()
    assert np.isfinite(before[on_closed]).any()
    assert (reach.seconds >= before - 1e-9).all()
    for n in np.flatnonzero(~on_closed)[::25].tolist():
        lon, lat = samples.frame.to_lonlat(samples.x[n : n + 1], samples.y[n : n + 1])
        field = shut.field_to(float(lon[0]), float(lat[0]))
        expected = np.nanmin([field.seconds_at(x, y) for x, y in spots])
        assert reach.seconds[n] == pytest.approx(expected, abs=0.05)
    two = reach.two_nearest
    assert np.array_equal(two.first_s, reach.seconds)
    again = reach_of(spots, closed.with_closures({"car": graph}))
    assert np.array_equal(again.seconds, before)
    asked_closed_first = Ground(AREAS, {"car": graph}).with_closures({"car": shut})
    assert np.array_equal(reach_of(spots, asked_closed_first).seconds, reach.seconds)
