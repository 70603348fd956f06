from __future__ import annotations

import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from command.search import wishes
from command.search.wishes import Nearby, read_nearby, split_type


def test_examples_in_docstrings() -> None:
    assert doctest.testmod(wishes).failed == 0


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("三桥中学附近", Nearby("三桥中学", None, None)),
        ("三桥中学周边的事件", Nearby("三桥中学", "incident", None)),
        ("三桥中学附近有医院吗", Nearby("三桥中学", None, "医院")),
        ("near 三桥中学", Nearby("三桥中学", None, None)),
        ("CCTV Near 三桥中学", Nearby("三桥中学", "camera", None)),
        ("roads close to 三桥中学", Nearby("三桥中学", "road", None)),
        ("附近", Nearby("", None, None)),
        ("cameras near", Nearby("", "camera", None)),
    ],
)
def test_what_is_near(text: str, wish: Nearby) -> None:
    assert read_nearby(text) == wish


@pytest.mark.parametrize("text", ["", "人民路", "nearby", "linear road", "三桥 摄像头"])
def test_no_such_wish(text: str) -> None:
    assert read_nearby(text) is None


@given(st.text(max_size=40))
def test_nothing_breaks_it(text: str) -> None:
    read_nearby(text)
    split_type(text)
