"""Ten drawn scenes, what is healthy about them and what is not; the rates are what counts."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from streams.health.compare import Change, compare_samples
from streams.health.judge import MOST_TOLERANCE, judge, light_of
from streams.health.measures import Measures, measure
from streams.health.references import Memory, learned
from streams.picture import decode
from streams.synthetic.faults import PICTURE_FAULTS
from streams.synthetic.scenes import Scene
from streams.synthetic.sites import KINDS
from streams.synthetic.studio import Spoiled
from tests.streams.health.scenes import FAULTY, HEALTHY, SCENES, Picture, coded, written
from tests.streams.pictures import key_frame

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
_NO_CLOCK = ("blue screen", "grey screen")
_FEW = ("street", "dyke", "yard_ir")


def _seen(pixels: Picture, moving: int, *, clock: bool = True) -> Measures:
    return measure(coded(written(pixels, moving) if clock else pixels))


def _memory(scene: Callable[[int], Picture]) -> Memory:
    first = _seen(scene(1), 1)
    return Memory(references={light_of(first): learned(first, 0.0)})


def _table(names: tuple[str, ...]) -> tuple[Counter[str], dict[str, Counter[str]]]:
    """False alarms by fault, and for each kind of fault what it was taken for."""
    alarms: Counter[str] = Counter()
    found: dict[str, Counter[str]] = {kind: Counter() for kind in FAULTY}
    for name in names:
        memory, later = _memory(SCENES[name]), SCENES[name](2)
        for change in HEALTHY.values():
            m = _seen(change(later), 2)
            verdict = judge(m, memory.reference_for(light_of(m), m.mean), None, {})
            if verdict.fault is not None:
                alarms[verdict.fault] += 1
        for kind, (_, spoil) in FAULTY.items():
            m = _seen(spoil(later), 2, clock=kind not in _NO_CLOCK)
            verdict = judge(m, memory.reference_for(light_of(m), m.mean), None, {})
            found[kind][verdict.fault or "missed"] += 1
    return alarms, found


def test_faults_of_a_few_scenes_are_found() -> None:
    alarms, found = _table(_FEW)
    assert not alarms
    for kind, (fault, _) in FAULTY.items():
        assert found[kind][fault] == len(_FEW), (kind, found[kind])


@pytest.mark.slow
def test_faults_are_found_and_health_is_left_alone() -> None:
    alarms, found = _table(tuple(SCENES))
    assert len(SCENES) * len(HEALTHY) == 50
    assert alarms.total() <= 1, alarms
    missed = sum(counts["missed"] for counts in found.values())
    named = sum(found[kind][fault] for kind, (fault, _) in FAULTY.items())
    assert missed <= 1, found
    assert named >= 0.98 * len(SCENES) * len(FAULTY), found
    for kind, (fault, _) in FAULTY.items():
        assert found[kind][fault] >= 9, (kind, found[kind])


@pytest.mark.slow
@pytest.mark.parametrize("light", [1.0, 0.45, 0.0])
def test_the_cameras_of_the_demo_are_judged_right(light: float) -> None:
    """Another hand's scenes, coded as a camera does. Limits were set with these in view: no proof of anything."""
    wrong: list[tuple[object, ...]] = []
    looked = 0
    for kind in KINDS[::2]:
        scene, memory = Scene(kind, 1, UTC, hour=light), Memory()
        before: Measures | None = None

        def look(planes: NDArray[np.uint8]) -> Measures:
            frame = key_frame(np.asarray(cv2.cvtColor(planes, cv2.COLOR_YUV2BGR_I420)), NOON)
            return measure(decode(frame.track, frame.nals))

        for turn in range(4):
            m = look(scene.picture(NOON.timestamp() + 300 * turn))
            reference = memory.reference_for(light_of(m), m.mean)
            change = None if before is None else compare_samples(before.sample, m.sample)
            verdict = judge(m, reference, change, {})
            wrong += [(kind, "healthy", verdict)] if verdict.fault is not None else []
            memory.references.setdefault(light_of(m), learned(m, 0.0))
            before = m
            looked += 1
        assert before is not None
        at = NOON.timestamp() + 1200
        for fault in sorted(PICTURE_FAULTS):
            spoiled = Spoiled(scene, fault, at)  # type: ignore[arg-type]
            first = look(spoiled.picture(at)) if fault == "frozen" else before
            m = look(spoiled.picture(at + 20))
            change = compare_samples(first.sample, m.sample)
            verdict = judge(m, memory.reference_for(light_of(m), m.mean), change, {})
            wrong += [(kind, fault, verdict)] if verdict.fault != fault else []
            looked += 1
    assert looked == 84
    assert len(wrong) <= 1, wrong


def test_without_a_reference_only_the_gross_faults_count() -> None:
    for name in _FEW:
        later = SCENES[name](2)
        for change in HEALTHY.values():
            assert judge(_seen(change(later), 2), None, None, {}).fault is None
        for kind in ("black", "blue screen", "grey screen", "covered", "snow"):
            fault, spoil = FAULTY[kind]
            m = _seen(spoil(later), 2, clock=kind not in _NO_CLOCK)
            assert judge(m, None, None, {}).fault == fault, (name, kind)


def test_a_camera_that_turns_is_never_called_moved() -> None:
    memory, later = _memory(SCENES["street"]), SCENES["street"](2)
    for kind in ("knocked", "turned away"):
        m = _seen(FAULTY[kind][1](later), 2)
        reference = memory.reference_for(light_of(m), m.mean)
        assert judge(m, reference, None, {}).fault == "moved"
        assert judge(m, reference, None, {}, movable=True).fault is None


def test_tolerance_lets_a_camera_go_further_and_at_last_mutes_the_fault() -> None:
    memory, later = _memory(SCENES["street"]), SCENES["street"](2)
    m = _seen(FAULTY["knocked"][1](later), 2)
    reference = memory.reference_for(light_of(m), m.mean)
    assert judge(m, reference, None, {"moved": 1.5}).fault == "moved"
    assert judge(m, reference, None, {"moved": MOST_TOLERANCE}).fault is None
    black = _seen(FAULTY["black"][1](later), 2)
    assert judge(black, None, None, {"black": MOST_TOLERANCE}).fault != "black"
    for _ in range(4):
        memory.tolerate("moved")
    assert memory.tolerance["moved"] == MOST_TOLERANCE


@pytest.mark.parametrize(
    ("change", "fault", "slow"),
    [
        (Change(0.0, 0.0), "frozen", False),
        (Change(1.0, 3.0), "frozen", False),
        (Change(1.0, 90.0), "frozen", True),  # a clock runs over a dead sensor, or a still place: wait
        (Change(2.0, 9.0), None, False),
        (Change(40.0, 160.0), None, False),
    ],
)
def test_a_picture_that_does_not_change_is_frozen(change: Change, fault: str | None, slow: bool) -> None:
    verdict = judge(_seen(SCENES["street"](1), 1), None, change, {})
    assert (verdict.fault, verdict.slow) == (fault, slow)


def test_at_night_an_empty_place_with_a_running_clock_is_not_frozen() -> None:
    m = _seen(SCENES["yard_ir"](1), 1)
    assert light_of(m) == "ir"
    assert judge(m, None, Change(1.0, 90.0), {}).fault is None
    assert judge(m, None, Change(0.0, 0.0), {}).fault == "frozen"


def test_a_false_alarm_of_frozen_wants_pictures_that_are_the_very_same() -> None:
    m = _seen(SCENES["street"](1), 1)
    assert judge(m, None, Change(1.0, 1.0), {"frozen": 1.5}).fault is None
    assert judge(m, None, Change(0.0, 0.0), {"frozen": 1.5}).fault == "frozen"


def test_dazzled_by_the_sun_is_no_fault_and_teaches_nothing() -> None:
    memory, later = _memory(SCENES["street"]), SCENES["street"](2)
    m = _seen(later * 2.5 + 90, 2)
    verdict = judge(m, memory.reference_for(light_of(m), m.mean), None, {})
    assert verdict.fault is None
    assert not verdict.teaches


def test_lights_are_told_apart() -> None:
    street = SCENES["street"](1)
    assert light_of(_seen(street, 1)) == "day"
    assert light_of(_seen(street * 0.55, 1)) == "dusk"
    assert light_of(_seen(street * 0.3, 1)) == "night"
    grey = np.repeat(street.mean(axis=2, keepdims=True), 3, axis=2)
    assert light_of(_seen(grey, 1)) == "ir"
