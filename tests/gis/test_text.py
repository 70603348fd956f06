from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gis.text import NameIndex, pinyin_keys

NAMES = ["朝阳路", "重庆路", "人民医院", "人民路", "新人民路小学", "A1 栋", "长安街", "人民路"]


def names(query: str, **more: int) -> list[str]:
    return [match.name for match in NameIndex(NAMES).search(query, **more)]


def test_characters_pinyin_and_initials() -> None:
    assert names("人民路") == ["人民路", "人民路", "新人民路小学"]
    assert names("医") == ["人民医院"]
    assert names("rml") == ["人民路", "人民路"]
    assert names("renmin lu") == ["人民路", "人民路"]
    assert names("a1") == ["A1 栋"]
    assert names("renmin", limit=1) == ["人民路"]


def test_other_readings_are_found() -> None:
    assert names("chaoyang") == names("zhaoyang") == ["朝阳路"]
    assert names("chongqing") == ["重庆路"]
    assert names("changan") == ["长安街"]


def test_nothing_to_find() -> None:
    assert names("") == names(" -") == names("xyz") == []
    assert len(NameIndex([])) == 0


def test_readings_stay_few() -> None:
    keys = pinyin_keys("重长朝行乐都重长朝行乐都")
    assert 1 <= len(keys.full) <= 16


@given(st.lists(st.text(st.sampled_from("人民路朝阳重庆Ab1"), max_size=5), max_size=6), st.integers(0, 5))
def test_every_name_finds_itself(given_names: list[str], which: int) -> None:
    index = NameIndex(given_names)
    if which < len(given_names) and given_names[which]:
        best = index.search(given_names[which])
        assert best[0].name.lower() == given_names[which].lower()
        for key in pinyin_keys(given_names[which]).full:
            assert which in {match.number for match in index.search(key)}
