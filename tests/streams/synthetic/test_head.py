"""The pan-tilt head."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from streams.synthetic.canvas import HEIGHT, WIDTH
from streams.synthetic.head import Head


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


speed = st.floats(-3, 3)


@given(st.lists(st.tuples(speed, speed, speed, st.floats(0, 20)), max_size=8))
def test_it_never_looks_outside_the_scene(moves: list[tuple[float, float, float, float]]) -> None:
    clock = Clock()
    head = Head(clock)
    for pan, tilt, zoom, wait in moves:
        head.move(pan, tilt, zoom)
        clock.now += wait
        left, top, width, height = head.aim().window()
        assert 0 <= left <= left + width <= WIDTH
        assert 0 <= top <= top + height <= HEIGHT
        assert width > 100


def test_it_moves_until_stopped() -> None:
    clock = Clock()
    head = Head(clock)
    head.move(1, 0, 0)
    clock.now += 1
    head.stop()
    turned = head.aim().pan
    clock.now += 10
    assert head.aim().pan == turned > 0.2
    head.move(0, 0, 1)
    clock.now += 1
    assert head.aim().zoom > 2


def test_presets() -> None:
    head = Head(Clock())
    head.step(0.5, 0.25, 0.1)
    assert head.store(9, "水尺")
    kept = head.aim()
    assert head.goto(2)
    assert head.aim() != kept
    assert head.goto(9)
    assert head.aim() == kept
    assert head.presets[9] == "水尺"
    head.forget(9)
    assert not head.goto(9)
    assert not head.store(0)
    assert not head.store(33)
