from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gis.names import NameIndex, Stage
from gis.text import fold, readings, typed

NAMES = [
    "朝阳路",
    "重庆路",
    "人民医院",
    "人民路",
    "新人民路小学",
    "A1 栋",
    "长安街",
    "人民路",
    "西安门",
    "先锋街",
    "綠洲",
]
INDEX = NameIndex(NAMES)
CHARACTERS = "人民路朝阳重庆行长乐绿Ab1"


def names(query: str, stage: Stage = "written", limit: int = 10) -> list[str]:
    return [match.name for match in INDEX.search(query, stage=stage, limit=limit)]


def test_characters_pinyin_and_initials() -> None:
    assert names("人民路") == ["人民路", "人民路", "新人民路小学"]
    assert names("医") == ["人民医院"]
    assert names("rml") == ["人民路", "人民路", "新人民路小学"]
    assert names("renmin lu") == ["人民路", "人民路", "新人民路小学"]
    assert names("yiyuan") == names("yy") == ["人民医院"], "from any syllable on"
    assert names("a1") == ["A1 栋"]
    assert names("renmin", limit=1) == ["人民路"]


def test_a_syllable_is_found_before_it_is_finished() -> None:
    assert names("renminy") == names("renminyiy") == ["人民医院"]
    assert names("chaoy") == ["朝阳路"]


def test_mixtures() -> None:
    assert names("人民yy") == names("人min医y") == names("ren民yiyuan") == ["人民医院"]
    assert names("a1dong") == ["A1 栋"]


def test_other_readings_are_found() -> None:
    assert names("chaoyang") == names("zhaoyang") == ["朝阳路"]
    assert names("chongqing") == ["重庆路"]
    assert names("changan") == ["长安街"]
    assert names("lvzhou") == names("luzhou") == names("lüzhou") == ["綠洲"]


def test_traditional_and_simplified_are_one() -> None:
    assert names("醫院") == ["人民医院"]
    assert names("绿洲") == ["綠洲"]


def test_a_space_or_an_apostrophe_parts_syllables() -> None:
    assert names("xi'an") == names("xi an") == ["西安门"]
    assert names("xian") == ["西安门", "先锋街"]


def test_words_in_any_order() -> None:
    assert names("小学 人民") == ["新人民路小学"]
    assert names("xiaoxue renmin") == ["新人民路小学"]
    assert names("小学 医院") == []


@pytest.mark.parametrize("query", ["仁明路", "人明路", "renminglu", "renminnu"])
def test_what_sounds_alike(query: str) -> None:
    assert names(query) == []
    assert names(query, "heard")[0] == "人民路"


def test_r_and_l_are_told_apart() -> None:
    assert names("lenminlu", "heard") == []


@pytest.mark.parametrize(
    "query", ["人民璐", "人口路", "民人路", "renmilu", "renmjnlu", "renminllu", "rnemin", "新人路小学"]
)
def test_one_slip(query: str) -> None:
    assert names(query) == []
    assert "人民" in names(query, "slipped")[0]


def test_two_slips_are_one_too_many() -> None:
    assert names("入口璐", "slipped") == names("rxnmjn", "slipped") == []
    assert names("人璐", "slipped") == names("ru", "slipped") == [], "too short to guess at"


def test_a_number_is_not_guessed_at() -> None:
    index = NameIndex(["34020000001320000001"])
    assert [m.number for m in index.search("0001")] == [0]
    assert index.search("34020000001320000002", stage="slipped") == []


def test_nothing_to_find() -> None:
    for query in ("", " -", "xyz", "\x00", "没有", "长" * 80, "a" * 500, "enenenenenenenenenenenenenenen"):
        assert names(query) == [], query
    empty = NameIndex([])
    assert len(empty) == 0
    assert empty.search("人") == []
    assert NameIndex(["", "---"]).search("人") == []


def test_a_thing_with_several_lines_is_found_by_each_and_once() -> None:
    index = NameIndex(["东门岗", "和平路1号", "340604001"], [0, 0, 1], [0.0, 8.0, 0.0], [1, 1, 4])
    assert np.isfinite(index.scores(typed("和平"))).tolist() == [True, False]
    assert np.isfinite(index.scores(typed("340604"))).tolist() == [False, True]
    assert np.isfinite(index.scores(typed("6040"))).tolist() == [False, True]
    assert not np.isfinite(index.scores(typed("604"))).any(), "numbers are found by their beginning"
    assert np.isfinite(index.scores(typed("东门 和平"))).tolist() == [True, False]


def test_names_do_not_run_into_each_other() -> None:
    index = NameIndex(["人民", "路口"])
    assert index.search("民路") == []
    assert [m.name for m in index.search("人民x路", stage="slipped")] == []


@given(st.lists(st.text(st.sampled_from(CHARACTERS), max_size=5), max_size=6), st.randoms())
@settings(max_examples=60)
def test_every_name_is_found_by_each_character_its_pinyin_and_its_initials(
    given_names: list[str], pick: random.Random
) -> None:
    index = NameIndex(given_names)
    for number, name in enumerate(given_names):
        folded = fold(name)
        if not folded:
            continue
        said = [pick.choice(readings(c) or (c,)) for c in folded]
        for query in (name, *folded, " ".join(said), "".join(said), "".join(s[0] for s in said)):
            # One Latin letter is an initial, and finds what begins with it.
            if len(query) == 1 and query.isascii() and query.isalpha() and query not in folded:
                continue
            assert number in {m.number for m in index.search(query, limit=100)}, (name, query)


@given(
    st.lists(st.text(st.sampled_from("人民路口"), max_size=5), max_size=8),
    st.text(st.sampled_from("人民路口"), min_size=1),
)
def test_characters_are_found_exactly_where_they_are(given_names: list[str], query: str) -> None:
    found = {m.number for m in NameIndex(given_names).search(query, limit=100)}
    assert found == {n for n, name in enumerate(given_names) if query in name}
