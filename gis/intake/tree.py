"""Checks of codes and parents: is every row named, once, and under something that exists."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from gis.intake.inforce import InForce
from gis.intake.issues import RANK, Issue
from gis.intake.table import Sheet

MOST_NAME_CHARS: Final = 100
MOST_CODE_CHARS: Final = 40
_WORD: Final = {"code": "编码", "name": "名称", "tier": "层级"}


def check_names(sheet: Sheet, required: Iterable[str], *, unique: bool) -> None:
    """Report rows without a required field, names that cannot be names, and codes that stand twice.

    Args:
        sheet: The rows.
        required: Fields that may not be empty.
        unique: Whether a code may stand only once (on the same day).
    """
    issues = sheet.issues
    for name in required:
        empty = np.flatnonzero(sheet.text(name) == "")
        word = _WORD.get(name, name)
        issues.add_rows(empty, "error", "missing_field", f"没有{word}", f"there is no {name}")
    for name, most in (("name", MOST_NAME_CHARS), ("code", MOST_CODE_CHARS)):
        for row, value in enumerate(sheet.text(name).tolist()):
            if len(value) > most or not value.isprintable():
                word = _WORD[name]
                issues.add(
                    Issue(
                        row,
                        "error",
                        "bad_name",
                        f"{word}太长或含有控制字符",
                        f"the {name} is too long or not printable",
                    )
                )
    if unique:
        _codes_once(sheet)


def _codes_once(sheet: Sheet) -> None:
    codes = sheet.text("code")
    seen: dict[str, list[int]] = {}
    start, end = sheet.text("valid_from"), sheet.text("valid_to")
    usable = sheet.issues.worst < RANK["error"]
    for row, code in enumerate(codes.tolist()):
        if not code or not usable[row]:
            continue
        others = seen.setdefault(code, [])
        same = next((n for n in others if _same_days(start[n], end[n], start[row], end[row])), None)
        if same is None:
            others.append(row)
            continue
        number = int(sheet.numbers[same])
        sheet.issues.add(
            Issue(
                row,
                "error",
                "duplicate_code",
                f"编码 {code} 与第 {number} 行重复",
                f"row {number} has the code {code} already",
            )
        )


def _same_days(a_from: str, a_to: str, b_from: str, b_to: str) -> bool:
    return (a_from or "0") <= (b_to or "9") and (b_from or "0") <= (a_to or "9")


class Tree:
    """Who is above whom, as row numbers.

    Attributes:
        parent: Code above each row, "" at the top.
        above: Row of the parent, -1 where it is in force and not in the file, or not at all.
        guessed: How many parents were not in the file.
    """

    def __init__(self, sheet: Sheet, inforce: InForce) -> None:
        assert sheet.tiers is not None
        self._sheet = sheet
        self._inforce = inforce
        codes = sheet.text("code")
        usable = sheet.issues.worst < RANK["error"]
        self.row_of = {code: n for n, code in reversed(list(enumerate(codes.tolist()))) if code and usable[n]}
        self.parent: NDArray[np.object_] = sheet.text("parent").copy()
        self.parent[self.parent == codes] = ""
        self._names()
        self.guessed = self._guess()
        self.above = np.array([self.row_of.get(code, -1) for code in self.parent.tolist()], dtype=np.int64)

    def _names(self) -> None:
        """Parents given by name instead of code, where the name is one area's alone."""
        parent = self.parent
        strange = [
            n
            for n, code in enumerate(parent.tolist())
            if code and code not in self.row_of and code not in self._inforce.row_of
        ]
        if not strange:
            return
        name, tier = self._sheet.text("name"), self._tier
        by_name: dict[str, list[int]] = {}
        for n, one in enumerate(name.tolist()):
            by_name.setdefault(one, []).append(n)
        code = self._sheet.text("code")
        for n in strange:
            fits = [m for m in by_name.get(parent[n], ()) if tier[m] < tier[n]]
            if len(fits) == 1:
                parent[n] = code[fits[0]]

    @property
    def _tier(self) -> NDArray[np.int32]:
        assert self._sheet.tiers is not None
        return self._sheet.tiers.tier

    def _guess(self) -> int:
        """Fill parents that the file leaves out: by the longest code that begins theirs, else by where they lie."""
        codes, tier = self._sheet.text("code"), self._tier
        empty = np.flatnonzero((self.parent == "") & (tier > 1) & (codes != ""))
        tier_of = {**self._inforce.tier_of, **{code: int(tier[n]) for code, n in self.row_of.items()}}
        open_ = []
        for row in empty.tolist():
            code = codes[row]
            for length in range(len(code) - 1, 1, -1):
                above = tier_of.get(code[:length])
                if above is not None and 0 < above < tier[row]:
                    self.parent[row] = code[:length]
                    break
            else:
                open_.append(row)
        if open_:
            self._guess_by_place(np.array(open_, dtype=np.int64))
        return int((self.parent[empty] != "").sum())

    def _guess_by_place(self, rows: NDArray[np.int64]) -> None:
        sheet, tier, codes = self._sheet, self._tier, self._sheet.text("code")
        assert sheet.shapes is not None
        there = rows[~shapely.is_missing(sheet.shapes[rows])]
        points = shapely.point_on_surface(sheet.shapes[there])
        for level in (3, 2, 1):
            still = self.parent[there] == ""
            candidates = np.flatnonzero((tier == level) & (sheet.issues.worst < RANK["error"]))
            candidates = candidates[~shapely.is_missing(sheet.shapes[candidates])]
            shapes = sheet.shapes[candidates]
            their_codes = codes[candidates]
            other = self._inforce.of_tier(level)
            if len(other):
                shapes = np.concatenate((shapes, self._inforce.shapes[other]))
                their_codes = np.concatenate((their_codes, self._inforce.codes[other]))
            if not len(shapes):
                continue
            hits = shapely.STRtree(shapes).query(points, predicate="intersects")
            for n, found in zip(hits[0].tolist(), hits[1].tolist(), strict=True):
                if still[n] and tier[there[n]] > level and self.parent[there[n]] == "":
                    self.parent[there[n]] = their_codes[found]

    def check(self) -> None:
        """Report parents that are nowhere, of no higher tier, or whose code theirs does not begin with."""
        sheet, tier, codes = self._sheet, self._tier, self._sheet.text("code")
        tiers_there = set(tier[tier > 0].tolist()) | set(self._inforce.tier_of.values())
        top = min(tiers_there, default=1)
        numeric = 0
        mismatched = []
        for row, parent in enumerate(self.parent.tolist()):
            if not parent:
                if tier[row] > top and codes[row]:
                    sheet.issues.add(
                        Issue(
                            row,
                            "warning",
                            "orphan",
                            "没有上级，也推断不出",
                            "there is no area above it, and none can be inferred",
                        )
                    )
                continue
            above = self.row_of.get(parent)
            level = int(tier[above]) if above is not None else self._inforce.tier_of.get(parent)
            if level is None:
                sheet.issues.add(
                    Issue(
                        row,
                        "warning",
                        "orphan",
                        f"上级 {parent} 不在文件中，也不在现行区划中",
                        f"the area above, {parent}, is neither in the file nor in force",
                    )
                )
                continue
            if tier[row] and level >= tier[row]:
                sheet.issues.add(
                    Issue(
                        row,
                        "error",
                        "orphan",
                        f"上级 {parent} 的层级不在其上",
                        f"the area above, {parent}, is of no higher tier",
                    )
                )
            if codes[row].isdigit() and parent.isdigit():
                numeric += 1
                if not codes[row].startswith(
                    parent.rstrip("0") if len(parent) == len(codes[row]) else parent
                ):
                    mismatched.append(row)
        # Where most codes do not begin with their parent's, that is how codes are made there.
        severity: str = "warning" if len(mismatched) * 2 < max(numeric, 1) or len(mismatched) < 3 else "note"
        for row in mismatched:
            parent = self.parent[row]
            sheet.issues.add(
                Issue(
                    row,
                    "warning" if severity == "warning" else "note",
                    "code_parent_mismatch",
                    f"编码 {codes[row]} 不以上级编码 {parent} 开头",
                    f"the code {codes[row]} does not begin with its parent's, {parent}",
                )
            )
