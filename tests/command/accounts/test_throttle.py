import pytest
from hypothesis import given
from hypothesis import strategies as st

from command.accounts import throttle as throttle_module
from command.accounts.throttle import SPRAY_FACTOR, LoginThrottle
from command.clock import ManualClock
from command.errors import TooManyRequests
from command.setting_sections import SecuritySettings

SETTINGS = SecuritySettings()
FREE = SETTINGS.login_free_tries


def wait_s(throttle: LoginThrottle, username: str = "wang", address: str = "10.0.0.1") -> float:
    try:
        throttle.begin(username, address)
    except TooManyRequests as refused:
        return refused.retry_after_s
    return 0.0


def test_a_few_wrong_ones_are_free_then_the_wait_doubles_up_to_the_limit() -> None:
    clock = ManualClock()
    throttle = LoginThrottle(SETTINGS, clock)
    assert [wait_s(throttle) for _ in range(FREE)] == [0.0] * FREE
    waits = []
    for _ in range(9):
        wait = wait_s(throttle)
        waits.append(wait)
        clock.advance(wait)
        assert wait_s(throttle) == 0.0
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_a_try_that_comes_too_early_does_not_prolong_the_wait() -> None:
    clock = ManualClock()
    throttle = LoginThrottle(SETTINGS, clock)
    for _ in range(FREE):
        wait_s(throttle)
    first = wait_s(throttle)
    assert first > 0
    for _ in range(100):
        assert wait_s(throttle) <= first


def test_nobody_is_kept_out_by_somebody_elsewhere() -> None:
    throttle = LoginThrottle(SETTINGS, ManualClock())
    for _ in range(FREE * 2):
        wait_s(throttle, "wang", "10.6.6.6")
    assert wait_s(throttle, "wang", "10.6.6.6") > 0
    assert wait_s(throttle, "wang", "10.0.0.1") == 0
    assert wait_s(throttle, "li", "10.6.6.6") == 0


def test_case_and_setting_the_clock_do_not_help() -> None:
    clock = ManualClock()
    throttle = LoginThrottle(SETTINGS, clock)
    for _ in range(FREE):
        wait_s(throttle)
    assert wait_s(throttle, "WANG") > 0
    clock.set_wall(clock.now().replace(year=2027))
    assert wait_s(throttle) > 0


def test_success_forgets_and_so_does_time() -> None:
    clock = ManualClock()
    throttle = LoginThrottle(SETTINGS, clock)
    for _ in range(FREE):
        wait_s(throttle)
    throttle.succeeded("wang", "10.0.0.1")
    assert wait_s(throttle) == 0
    for _ in range(FREE):
        wait_s(throttle)
    assert wait_s(throttle) > 0
    clock.advance(SETTINGS.login_forget_s + 1)
    assert wait_s(throttle) == 0


def test_one_guess_at_each_of_many_accounts_is_slowed_too() -> None:
    throttle = LoginThrottle(SETTINGS, ManualClock())
    waits = [wait_s(throttle, f"user{n}") for n in range(FREE * SPRAY_FACTOR + 1)]
    assert waits[-1] > 0
    assert not any(waits[:-1])


def test_a_whole_centre_behind_one_address_can_sign_in() -> None:
    throttle = LoginThrottle(SETTINGS, ManualClock())
    for n in range(500):
        assert wait_s(throttle, f"user{n}") == 0
        throttle.succeeded(f"user{n}", "10.0.0.1")


def test_the_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle_module, "MAX_KEYS", 10)
    throttle = LoginThrottle(SETTINGS, ManualClock())
    for n in range(100):
        wait_s(throttle, f"user{n}", f"10.0.0.{n}")
    assert len(throttle._counts) == 10


@given(st.lists(st.floats(0, 100), max_size=60))
def test_the_wait_never_exceeds_the_limit(pauses: list[float]) -> None:
    clock = ManualClock()
    throttle = LoginThrottle(SETTINGS, clock)
    for pause in pauses:
        assert wait_s(throttle) <= SETTINGS.login_max_wait_s
        clock.advance(pause)
