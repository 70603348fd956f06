from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gis.text import alike, fold, fold_all, readings, typed
from gis.traditional import SIMPLIFIED, TRADITIONAL


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("馬龍門廣場東側", "马龙门广场东侧"),
        ("裏外臺灣醫院", "里外台湾医院"),
        ("Ａ１ 栋（东）", "a1栋东"),
        ("Malbun-Straße", "malbunstrasse"),
        (" \t%'; -- ", ""),
        ("①号线", "1号线"),
    ],
)
def test_one_way_of_writing(written: str, folded: str) -> None:
    assert fold(written) == folded


def test_the_table_of_traditional_characters() -> None:
    assert len(TRADITIONAL) == len(SIMPLIFIED) == len(set(TRADITIONAL)) > 2_500
    # Folding twice changes nothing: no simplified form is itself folded further.
    assert not set(TRADITIONAL) & set(SIMPLIFIED)


@given(st.lists(st.text(st.sampled_from("馬路A1 \n-栋é"), max_size=6), max_size=6))
def test_many_are_folded_as_one_is(texts: list[str]) -> None:
    codes = fold_all(texts)
    lines = "".join(map(chr, codes.tolist())).split("\n")
    assert codes.dtype == np.uint32
    if texts:
        assert lines == ["", *map(fold, texts), ""]


def test_every_reading_counts() -> None:
    assert {"zhao", "chao"} <= set(readings("朝"))
    assert {"lv", "lu"} <= set(readings("绿"))
    assert readings("7") == readings("q") == readings("\x00") == ()


def test_sounds_alike() -> None:
    assert alike("zhong") == alike("zong") == alike("zon")
    assert alike("chang") == alike("can")
    assert alike("nan") == alike("lang")
    assert alike("ren") != alike("lun")


def test_what_was_typed() -> None:
    query = typed("  Xi'an 路  ")
    assert (query.text, query.breaks, query.words) == ("xian路", {2, 4}, ("xian", "路"))
    assert query.sounds
    assert not typed("路 12").sounds
    assert typed("长" * 500).text == "长" * 64
    assert typed(" ' ").text == ""
