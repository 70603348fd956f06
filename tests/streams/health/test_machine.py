from dataclasses import replace
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from streams.health.machine import Condition, Finding, Machine, Step

INTERVAL_S = 300.0
OK = Finding("picture")
LOST = Finding("lost")
REFUSED = Finding("refused")
BARRED = Finding("barred")
BUSY = Finding("busy")


def fault(name: str, *, slow: bool = False) -> Finding:
    return Finding("picture", name, slow)  # type: ignore[arg-type]


BLURRED = fault("blurred")
COVERED = fault("covered")
_findings = st.sampled_from([OK, LOST, BUSY, BLURRED, COVERED, fault("frozen", slow=True), REFUSED])


def run(findings: list[Finding], confirm: int = 2, start: Condition | None = None) -> list[Step]:
    machine, condition, now_s, steps = Machine(confirm, INTERVAL_S), start or Condition(), 0.0, []
    for finding in findings:
        step = machine.check(condition, finding, now_s)
        condition = step.condition
        steps.append(step)
        now_s += 20.0 if step.soon else INTERVAL_S
    return steps


def said(steps: list[Step]) -> list[tuple[str, str | None]]:
    return [(s.condition.status, s.condition.fault) for s in steps if s.transition]


def test_the_first_healthy_picture_makes_a_camera_live() -> None:
    assert said(run([OK])) == [("live", None)]


def test_a_fault_is_reported_once_when_confirmed_and_repeated_soon_before() -> None:
    steps = run([OK, BLURRED, BLURRED, BLURRED, BLURRED])
    assert said(steps) == [("live", None), ("degraded", "blurred")]
    assert [step.soon for step in steps] == [False, True, False, False, False]


def test_a_camera_recovers() -> None:
    assert said(run([OK, LOST, LOST, LOST, OK, OK, OK, OK])) == [
        ("live", None),
        ("offline", "signal_lost"),
        ("live", None),
    ]


def test_wrong_credentials_are_said_at_once_and_not_tried_again() -> None:
    steps = run([OK, REFUSED])
    assert said(steps)[-1] == ("offline", "unauthorized")
    assert steps[-1].held
    machine = Machine(2, INTERVAL_S)
    assert not machine.wait(steps[-1].condition, 1e9).transition
    again = machine.check(steps[-1].condition, REFUSED, 1e9)
    assert again.held
    assert not again.transition


def test_what_we_may_not_open_is_held_too() -> None:
    steps = run([BARRED])
    assert said(steps) == [("offline", "signal_lost")]
    assert steps[0].held


def test_a_busy_recorder_says_nothing_about_the_camera() -> None:
    assert said(run([OK, BUSY, BUSY, BUSY, BUSY])) == [("live", None)]


def test_not_checked_for_three_intervals_is_stale_until_the_next_check() -> None:
    machine = Machine(2, INTERVAL_S)
    live = run([OK])[-1].condition
    assert not machine.wait(live, 3 * INTERVAL_S).transition
    stale = machine.wait(live, 3 * INTERVAL_S + 1)
    assert stale.transition
    assert stale.condition.status == "stale"
    assert not machine.wait(stale.condition, 9 * INTERVAL_S).transition
    back = machine.check(stale.condition, OK, 9 * INTERVAL_S)
    assert back.transition
    assert back.condition.status == "live"


def test_a_faulty_camera_comes_back_from_stale_as_it_was() -> None:
    machine = Machine(2, INTERVAL_S)
    stale = machine.wait(run([OK, BLURRED, BLURRED])[-1].condition, 9e4).condition
    back = machine.check(stale, BLURRED, 9e4 + 1)
    assert (back.condition.status, back.condition.fault, back.transition) == ("degraded", "blurred", True)


def test_a_slow_fault_takes_many_regular_checks() -> None:
    slow = fault("frozen", slow=True)
    steps = run([OK] + [slow] * 12)
    assert not any(step.soon for step in steps)
    assert said(steps) == [("live", None), ("degraded", "frozen")]
    assert not steps[11].transition
    assert steps[12].transition


def test_a_camera_whose_fault_has_no_name_twice_is_still_faulty() -> None:
    assert ("degraded", "covered") in said(run([OK, BLURRED, COVERED, BLURRED, COVERED]))


def test_a_person_may_say_that_it_is_well() -> None:
    machine = Machine(2, INTERVAL_S)
    step = machine.accept(run([OK, BLURRED, BLURRED])[-1].condition, 2000.0)
    assert step.transition
    assert step.condition.status == "live"
    assert not machine.accept(step.condition, 2001.0).transition


@given(st.integers(1, 4), st.sampled_from([BLURRED, LOST]), st.integers(1, 60))
def test_verdicts_that_alternate_change_nothing(confirm: int, odd: Finding, rounds: int) -> None:
    confirm = max(2, confirm)
    steps = run([OK, odd] * rounds + [OK], confirm)
    assert said(steps) == [("live", None)]


@given(st.lists(_findings, max_size=80), st.integers(1, 4))
def test_transitions_are_exactly_the_changes(findings: list[Finding], confirm: int) -> None:
    before: tuple[str, str | None] = ("unknown", None)
    for step in run(findings, confirm):
        now = (step.condition.status, step.condition.fault)
        assert step.transition == (now != before)
        assert (now[0] == "degraded") == (now[1] not in (None, "signal_lost", "unauthorized"))
        assert (now[0] == "offline") == (now[1] in ("signal_lost", "unauthorized"))
        before = now


@given(st.lists(_findings, max_size=60), st.sampled_from([OK, BLURRED, LOST]), st.integers(1, 4))
def test_whatever_was_before_a_lasting_state_is_reported_once_and_stays(
    findings: list[Finding], lasting: Finding, confirm: int
) -> None:
    steps = run(findings + [lasting] * (confirm + 8), confirm)
    tail = steps[len(findings) :]
    assert sum(step.transition for step in tail) <= 1
    assert not tail[-1].transition
    last = tail[-1].condition
    expected = {OK: "live", BLURRED: "degraded", LOST: "offline"}[lasting]
    assert last.status == expected
    assert not tail[-1].soon


@given(st.lists(st.sampled_from([BLURRED, BLURRED, OK, OK, LOST]), min_size=200, max_size=400))
def test_a_camera_that_keeps_changing_its_mind_is_reported_ever_more_rarely(findings: list[Finding]) -> None:
    steps = run(findings)
    runs = sum(1 for a, b in pairwise(findings) if a != b)
    assert len(said(steps)) <= 2 + runs // 2


def test_pairs_that_alternate_are_damped() -> None:
    steps = run([OK, OK, BLURRED, BLURRED] * 40)
    assert len(said(steps)) <= 6


def test_time_alone_is_never_a_fault() -> None:
    machine = Machine(2, INTERVAL_S)
    unknown = replace(Condition(), checked_s=10.0)
    assert machine.wait(unknown, 1e6).condition.status == "stale"
