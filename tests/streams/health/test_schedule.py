"""The schedule against a simulated world: nothing waits for ever, nothing exceeds its bounds."""

import heapq
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.health.schedule import Schedule


def simulate(
    schedule: Schedule,
    until_s: float,
    takes_s: dict[str, float],
    *,
    failing: frozenset[str] = frozenset(),
) -> list[tuple[float, str]]:
    """Run checks that take as long as said; return who was begun when."""
    begun: list[tuple[float, str]] = []
    busy: list[tuple[float, str]] = []
    now_s = 0.0
    while now_s <= until_s:
        for id in schedule.begin(now_s):
            begun.append((now_s, id))
            heapq.heappush(busy, (now_s + takes_s.get(id, 0.5), id))
        next_s = schedule.next_s()
        soonest = [t for t in (next_s, busy[0][0] if busy else None) if t is not None]
        if not soonest:
            break
        now_s = max(now_s, min(soonest))
        while busy and busy[0][0] <= now_s:
            _, id = heapq.heappop(busy)
            schedule.finish(id, now_s, failed=id in failing)
    return begun


def test_every_camera_has_its_turn_each_interval_and_the_load_is_even() -> None:
    schedule = Schedule(300.0, 65, 1000.0, 0.0)
    schedule.configure({f"camera {i}": f"host {i}" for i in range(1500)}, 0.0)
    begun = simulate(schedule, 899.99, {})
    counts = Counter(id for _, id in begun)
    assert set(counts.values()) == {3}
    per_10_s = Counter(int(at // 10) for at, _ in begun)
    assert max(per_10_s.values()) < 85  # 50 on average
    assert min(per_10_s.values()) > 20


def test_one_recorder_is_opened_no_faster_than_allowed() -> None:
    schedule = Schedule(60.0, 65, 2.0, 0.0)
    schedule.configure({f"channel {i}": "recorder" for i in range(64)}, 0.0)
    begun = simulate(schedule, 600.0, {})
    for (before, _), (after, _) in pairwise(begun):
        assert after - before >= 0.499
    assert set(Counter(id for _, id in begun).values()) <= {9, 10, 11}


def test_cameras_that_hang_do_not_delay_the_others() -> None:
    hosts = {f"well {i}": f"host {i}" for i in range(200)} | {f"dead {i}": f"dead {i}" for i in range(200)}
    dead = frozenset(id for id in hosts if id.startswith("dead"))
    schedule = Schedule(60.0, 10, 1000.0, 0.0)
    schedule.configure(hosts, 0.0)
    begun = simulate(schedule, 1200.0, dict.fromkeys(dead, 12.0) | {}, failing=dead)
    late = Counter(id for at, id in begun if at >= 600 and id not in dead)
    assert len(late) == 200
    # 200 × 12 s in every minute would take forty places; there are ten, and five remain for those that answer.
    assert min(late.values()) >= 8


def test_a_slow_sweep_goes_round_more_slowly_and_fairly() -> None:
    schedule = Schedule(10.0, 2, 1000.0, 0.0)
    schedule.configure({f"camera {i}": f"host {i}" for i in range(50)}, 0.0)
    begun = simulate(schedule, 500.0, {f"camera {i}": 1.0 for i in range(50)})
    counts = Counter(id for _, id in begun)
    assert len(counts) == 50
    assert max(counts.values()) - min(counts.values()) <= 2


def test_a_held_camera_waits_for_its_configuration() -> None:
    schedule = Schedule(10.0, 4, 1000.0, 0.0)
    schedule.configure({"a": "h"}, 0.0)
    assert list(schedule.begin(11.0)) == ["a"]
    schedule.finish("a", 11.0, held=True)
    assert list(schedule.begin(1000.0)) == []
    schedule.configure({"a": "h"}, 1000.0)
    assert list(schedule.begin(1000.0)) == []
    schedule.configure({"a": "h"}, 1000.0, changed=["a"])
    assert list(schedule.begin(1000.0)) == ["a"]
    schedule.finish("a", 1001.0, held=True)
    schedule.release("a", 1001.0)
    assert list(schedule.begin(1012.0)) == ["a"]


def test_a_doubtful_camera_comes_again_soon() -> None:
    schedule = Schedule(300.0, 4, 1000.0, 0.0)
    schedule.configure({"a": "h"}, 0.0)
    assert list(schedule.begin(300.0)) == ["a"]
    schedule.finish("a", 301.0, again_s=20.0)
    assert schedule.next_s() == pytest.approx(321.0)
    assert list(schedule.begin(320.0)) == []
    assert list(schedule.begin(321.0)) == ["a"]


def test_a_camera_that_moves_or_goes_while_it_is_checked() -> None:
    schedule = Schedule(300.0, 4, 1000.0, 0.0)
    schedule.configure({"a": "h", "b": "g"}, 0.0)
    assert set(schedule.begin(300.0)) == {"a", "b"}
    schedule.configure({"a": "elsewhere"}, 300.0)
    schedule.finish("a", 301.0)
    schedule.finish("b", 301.0)
    assert len(schedule) == 1
    assert list(schedule.begin(301.0)) == ["a"]
    schedule.finish("a", 302.0)
    assert schedule.running == 0


_steps = st.lists(
    st.one_of(
        st.tuples(st.just("wait"), st.integers(0, 40)),
        st.tuples(st.just("finish"), st.integers(0, 30)),
        st.tuples(st.just("cameras"), st.integers(0, 30)),
        st.tuples(st.just("move"), st.integers(0, 30)),
    ),
    max_size=60,
)


@settings(max_examples=60)
@given(steps=_steps, parallel=st.integers(1, 5), per_host=st.integers(1, 4))
def test_bounds_hold_and_nobody_is_lost(steps: list[tuple[str, int]], parallel: int, per_host: int) -> None:
    schedule = Schedule(20.0, parallel, float(per_host), 0.0)
    hosts: dict[str, str] = {}
    running: dict[str, str] = {}
    now_s = 0.0
    for what, n in steps:
        if what == "wait":
            now_s += n / 4
        elif what == "finish" and running:
            id = sorted(running)[n % len(running)]
            del running[id]
            schedule.finish(id, now_s, failed=n % 3 == 0, held=False, again_s=2.0 if n % 5 == 0 else None)
        elif what == "cameras":
            hosts = {str(i): hosts.get(str(i), f"h{i % 3}") for i in range(n)}
            schedule.configure(hosts, now_s)
        elif what == "move" and hosts:
            hosts[sorted(hosts)[n % len(hosts)]] = f"h{n % 4}"
            schedule.configure(hosts, now_s)
        for id in schedule.begin(now_s):
            assert id in hosts
            assert id not in running
            running[id] = hosts[id]
        assert schedule.running == len(running) <= parallel
    for id in list(running):
        schedule.finish(id, now_s)
    seen = {id for _, id in _drain(schedule, now_s, 80.0 + 40.0)}
    assert seen == set(hosts)


def _drain(schedule: Schedule, now_s: float, for_s: float) -> list[tuple[float, str]]:
    begun, end_s = [], now_s + for_s
    while now_s <= end_s:
        for id in schedule.begin(now_s):
            begun.append((now_s, id))
        for _, id in begun[-schedule.running :] if schedule.running else []:
            schedule.finish(id, now_s)
        now_s += 0.25
    return begun
