from streams.gb28181.allowance import Allowance


def test_a_few_at_once_and_then_slowly():
    now = 0.0
    allowance = Allowance(3, 0.5, clock=lambda: now)
    assert [allowance.may("a") for _ in range(5)] == [True, True, True, False, False]
    assert allowance.may("b")
    now = 2.0
    assert [allowance.may("a") for _ in range(2)] == [True, False]
    assert allowance.refused == 3


def test_what_is_remembered_is_bounded():
    allowance = Allowance(1, 1)
    for number in range(12_000):
        allowance.may(str(number))
    assert len(allowance._left) == 10_000
