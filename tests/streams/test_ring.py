"""The last seconds of every camera, within bounds."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from streams.ring import MOST_FRAGMENTS, Budget, Ring


def fill(ring: Ring, seconds: float, *, start_s: float = 0.0, gop: int = 10, size: int = 100) -> float:
    """Add pictures, ten a second, and return when the next one would come."""
    for number in range(round(seconds * 10)):
        at_s = start_s + number / 10
        ring.add(bytes(size), key=number % gop == 0, at_s=at_s, at_unix_s=1e9 + at_s)
    return start_s + seconds


def span_s(ring: Ring) -> float:
    groups = ring.groups()
    return groups[-1].end_s - groups[0].start_s


@dataclass
class Heard:
    pieces: list[tuple[str, bytes]] = field(default_factory=list)

    def init(self, data: bytes) -> None:
        self.pieces.append(("init", data))

    def fragment(self, data: bytes, at_unix_s: float, *, key: bool) -> None:
        self.pieces.append(("key" if key else "more", data))


def test_whole_groups_that_cover_the_time_asked_for() -> None:
    budget = Budget(1 << 20)
    ring = Ring(budget, 3.0)
    ring.begin(b"init")
    fill(ring, 10)
    assert 3.0 <= span_s(ring) <= 4.5
    assert all(group.init == b"init" for group in ring.groups())
    assert all(len(group.fragments) == len(group.times) for group in ring.groups())
    assert ring.size == budget.held == sum(group.size for group in ring.groups())
    assert len(ring.present()) == 10


def test_only_the_present_group_without_a_time() -> None:
    ring = Ring(Budget(1 << 20), 0.0)
    ring.begin(b"init")
    fill(ring, 5.5)
    assert len(ring) == 1
    assert len(ring.present()) == 5


def test_nothing_before_the_first_key_frame_or_init_segment() -> None:
    ring = Ring(Budget(1 << 20), 30.0)
    ring.add(b"x", key=True, at_s=0, at_unix_s=0)
    ring.begin(b"init")
    ring.add(b"x", key=False, at_s=0, at_unix_s=0)
    assert len(ring) == 0
    assert ring.present() == []


def test_the_largest_gives_way_first() -> None:
    budget = Budget(60_000)
    small, large = Ring(budget, 30.0), Ring(budget, 30.0)
    for ring in (small, large):
        ring.begin(b"init")
    for second in range(10):
        fill(small, 1, start_s=second, size=100)
        fill(large, 1, start_s=second, size=1500)
    assert budget.held <= budget.most
    assert len(small) == 10
    assert len(large) < 4
    assert large.present()


def test_a_single_group_larger_than_everything_waits_for_the_next_key_frame() -> None:
    budget = Budget(5_000)
    ring = Ring(budget, 30.0)
    ring.begin(b"init")
    fill(ring, 6, gop=100)
    assert budget.held <= budget.most
    assert ring.present() == []  # its beginning alone would be a picture that stands still
    fill(ring, 1, start_s=6)
    assert len(ring.present()) == 10


def test_an_endless_group_is_cut_off() -> None:
    ring = Ring(Budget(1 << 30), 30.0)
    ring.begin(b"init")
    for number in range(MOST_FRAGMENTS + 100):
        ring.add(b"x", key=number == 0, at_s=number / 25, at_unix_s=0)
    assert ring.present() == []
    assert len(ring.groups()[0].fragments) == MOST_FRAGMENTS


def test_a_new_description_begins_another_group_and_the_old_one_stays_for_clips() -> None:
    ring = Ring(Budget(1 << 20), 30.0)
    heard = Heard()
    ring.follow(heard)
    ring.begin(b"one")
    fill(ring, 1)
    ring.begin(b"two")
    assert ring.present() == []
    ring.add(b"lost", key=False, at_s=1, at_unix_s=1)
    fill(ring, 1, start_s=1)
    assert [group.init for group in ring.groups()] == [b"one", b"two"]
    assert [kind for kind, _ in heard.pieces if kind != "more"] == ["init", "key", "init", "key"]
    ring.unfollow(heard)
    count = len(heard.pieces)
    ring.pause()
    ring.add(b"x", key=True, at_s=3, at_unix_s=3)
    assert len(heard.pieces) == count
    assert len(ring) == 2
    ring.clear()
    assert ring.size == 0


@given(
    st.lists(st.tuples(st.integers(0, 3), st.booleans(), st.integers(1, 3000), st.floats(0, 2)), max_size=200)
)
def test_the_books_are_right_and_the_bound_holds(steps: list[tuple[int, bool, int, float]]) -> None:
    budget = Budget(20_000)
    rings = [Ring(budget, 5.0) for _ in range(4)]
    for ring in rings:
        ring.begin(b"init")
    now_s = 0.0
    for which, key, size, gap_s in steps:
        now_s += gap_s
        rings[which].add(bytes(size), key=key, at_s=now_s, at_unix_s=now_s)
        assert budget.held == sum(ring.size for ring in rings)
        assert budget.held <= budget.most
        for ring in rings:
            assert ring.size == sum(group.size for group in ring.groups())
            assert not ring.present() or ring.groups()[-1].fragments is ring.present()
    for ring in rings:
        ring.clear()
    assert budget.held == 0
