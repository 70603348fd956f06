"""Rows as they are said: words, numbers, stretches."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gis.intake.picking import among, parse, stretches, word

ROWS = st.integers(1, 60)
SAID = st.lists(ROWS | st.tuples(ROWS, ROWS).map(lambda pair: (min(pair), max(pair))), max_size=12)


@given(SAID)
def test_the_same_rows_however_they_are_said(said: list[int | tuple[int, int]]) -> None:
    meant = {row for one in said for row in (range(one[0], one[1] + 1) if isinstance(one, tuple) else (one,))}
    found = stretches(said)
    assert [row for first, last in found for row in range(first, last + 1)] == sorted(meant)
    # As few as there are: between two there is a row that was not meant.
    assert all(later[0] > earlier[1] + 1 for earlier, later in itertools.pairwise(found))
    numbers = np.arange(1, 61)
    assert set(numbers[among(numbers, said)].tolist()) == meant
    if found:
        assert parse(",".join(f"{first}-{last}" for first, last in found)) == found


def test_a_stretch_is_never_counted_out() -> None:
    assert parse("1-2000000000") == ((1, 2_000_000_000),)
    assert among(np.array([7, 2_000_000_001]), [(1, 2_000_000_000)]).tolist() == [True, False]


@pytest.mark.parametrize(
    "text", ["", "0", "5-1", "1-", "-3", "a", "1,,2", "1.5", "1-2-3", "9" * 30, "2147483648"]
)
def test_what_is_no_row_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="row"):
        parse(text)


def test_words() -> None:
    assert [word(one) for one in ("good", "warned", "all", "bad", "")] == [
        "good",
        "warned",
        "all",
        None,
        None,
    ]
