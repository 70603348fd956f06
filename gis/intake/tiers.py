"""Which of the four tiers a row belongs to, from words, numbers, codes or names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

WORDS: Final[Mapping[int, tuple[str, ...]]] = {
    1: ("county", "district", "县", "区", "县级", "区县", "市", "旗", "县市区"),
    2: (
        "township",
        "town",
        "subdistrict",
        "乡镇",
        "镇",
        "乡",
        "街道",
        "镇街",
        "乡镇街道",
        "园区",
        "片区",
        "办事处",
        "苏木",
    ),
    3: ("village", "community", "村", "社区", "村社", "村居", "村社区", "行政村", "居委会", "村委会", "嘎查"),
    4: ("grid", "网格", "小组", "组", "村民小组", "微网格", "自然村", "屯", "小区"),
}
LABEL: Final = {1: "区县", 2: "乡镇", 3: "村社", 4: "网格"}
TIER_OF_WORD: Final = {word: tier for tier, words in WORDS.items() for word in words}
_CODE_LENGTH: Final = {6: 1, 9: 2, 12: 3}
_SUFFIXES: Final = (
    (("网格", "小组", "组", "格"), 4),
    (("社区", "村", "居委会", "村委会"), 3),
    (("街道", "镇", "乡", "片区", "办事处", "开发区", "园区"), 2),
    (("县", "区", "市", "旗"), 1),
)


@dataclass(frozen=True, slots=True)
class Tiers:
    """Tier of each row (0: unknown), its label, how that was found, and what each label was taken for."""

    tier: NDArray[np.int32]
    label: NDArray[np.object_]
    source: str
    meaning: dict[str, int]


def assign(
    tier: Sequence[str] | None,
    label: Sequence[str] | None,
    code: Sequence[str],
    name: Sequence[str],
    chosen: Mapping[str, int],
    default: int | None,
) -> Tiers:
    """Give each row its tier.

    Args:
        tier: The column that was taken for it, a number or a word a row.
        label: The column of tier words.
        code: Codes; their length tells a division's tier (6, 9, 12 digits, more for grids).
        name: Names; their last characters tell too.
        chosen: Word → tier, as a person decided.
        default: For rows that nothing tells.
    """
    count = len(code)
    found = np.zeros(count, dtype=np.int32)
    labels = np.full(count, "", dtype=object)
    meaning: dict[str, int] = {}
    source = "default"
    for column in (tier, label):
        if column is None:
            continue
        told = _meanings(set(column) - {""}, chosen)
        values = np.asarray(column, dtype=object)
        for word, number in told.items():
            rows = (values == word) & (found == 0)
            found[rows] = number
            if not word.isdigit():
                labels[(values == word) & (labels == "")] = word
                meaning[word] = number
        if told:
            source = "column"
    if label is not None:
        words = np.asarray(label, dtype=object)
        labels = np.where((labels == "") & (words != ""), words, labels)
    if not (found > 0).all():
        digits = [len(one) if one.isdigit() else 0 for one in code]
        by_length = np.array([_CODE_LENGTH.get(n, 4 if n > 12 else 0) for n in digits], dtype=np.int32)
        if tier is None and label is None and (by_length > 0).mean() > 0.5:
            found, source = np.where(found == 0, by_length, found), "code"
        if tier is None and label is None and not (found > 0).all():
            by_name = np.array([_by_name(one) for one in name], dtype=np.int32)
            if source == "default" and (by_name > 0).any():
                source = "name"
            found = np.where(found == 0, by_name, found)
    if default is not None:
        found = np.where(found == 0, np.int32(default), found)
    blank = labels == ""
    for number, word in LABEL.items():
        labels[blank & (found == number)] = word
    for word in sorted({str(one) for one in labels.tolist()} - {""}):
        rows = found[labels == word]
        if word not in meaning and (rows > 0).any():
            meaning[word] = int(rows.max())
    return Tiers(found.astype(np.int32), labels, source, meaning)


def _meanings(words: set[str], chosen: Mapping[str, int]) -> dict[str, int]:
    """What each word of a column means, together: 片区 moves the town above it up."""
    meaning = {}
    for word in words:
        tier = chosen.get(word)
        if tier is None and word.isdigit() and word in ("1", "2", "3", "4"):
            tier = int(word)
        if tier is None:
            tier = TIER_OF_WORD.get(word.lower())
        if tier is not None:
            meaning[word] = tier
    plain = words - set(chosen)
    towns = plain & {"镇", "乡", "街道", "乡镇"}
    if "片区" in plain and towns and not any(tier == 1 for tier in meaning.values()):
        for word in towns:
            meaning[word] = 1
    return meaning


def _by_name(name: str) -> int:
    for suffixes, tier in _SUFFIXES:
        if name.endswith(suffixes):
            return tier
    return 0
