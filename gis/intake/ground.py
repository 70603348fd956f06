"""Checks of shapes against each other: common ground, bare ground, and ground outside the area above."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from gis.intake import borders, nesting
from gis.intake.inforce import InForce
from gis.intake.issues import RANK, Issue
from gis.intake.model import Choices, Why
from gis.intake.table import Fault, Sheet
from gis.intake.tree import Tree

SLIGHT: Final = 0.01
"""Share of an area up to which an overlap is worth knowing, but no reason to leave the area out."""
SLIGHTLY_OUTSIDE: Final = 0.05
Numbers = NDArray[np.int64]
Tell = Callable[[float], None]


def check_ground(
    sheet: Sheet, choices: Choices, force: InForce, tree: Tree | None, tell: Tell
) -> tuple[int, list[Why]]:
    """Compare the shapes of each tier, repairing borders first where that was asked for.

    Returns:
        How many shapes a repair changed, and remarks on the file.
    """
    mended, notes = 0, []
    tiers = _by_tier(sheet)
    weight = sum(len(rows) for rows in tiers.values()) or 1
    done = 0
    for tier, rows in tiers.items():
        if "coverage" in choices.repair:
            mended += _repair(sheet, rows, choices.snap_m)
        start, part = done / weight, len(rows) / weight

        def within(share: float, start: float = start, part: float = part) -> None:
            tell(0.8 * (start + part * share))

        if not _fit(sheet, rows, tier, choices, force, within):
            notes.append(
                Why(
                    f"第 {tier} 级边界几乎都不重合，未逐一查找缝隙；可先修整边界",
                    f"hardly any borders of tier {tier} coincide: no gaps were looked for; repair borders first",
                )
            )
        done += len(rows)
    if tree is not None:
        _inside_parents(sheet, tree, force)
    tell(1.0)
    return mended, notes


def _by_tier(sheet: Sheet) -> dict[int, Numbers]:
    """Rows by tier that count on the map today: sound, and not of the past."""
    today = datetime.now(UTC).astimezone().date().isoformat()
    end = sheet.text("valid_to")
    sound = (sheet.issues.worst < RANK["error"]) & ((end == "") | (end >= today))
    known = sheet.known()
    known = known[sound[known]]
    if sheet.tiers is None:
        return {0: known} if len(known) else {}
    tier = sheet.tiers.tier[known]
    return {int(n): known[tier == n] for n in np.unique(tier).tolist()}


def _repair(sheet: Sheet, rows: Numbers, snap_m: float) -> int:
    assert sheet.shapes is not None
    if len(rows) < 2:
        return 0
    shapes, changed = borders.cleaned(sheet.shapes[rows], snap_m)
    for n in changed.tolist():
        row = int(rows[n])
        sheet.original.setdefault(row, sheet.shapes[row])
        sheet.shapes[row] = shapes[n]
        sheet.issues.add(
            Issue(
                row,
                "note",
                "overlap",
                "边界已与相邻图形修整一致",
                "its borders were made one with its neighbours'",
            )
        )
    return len(changed)


def _fit(sheet: Sheet, rows: Numbers, tier: int, choices: Choices, force: InForce, tell: Tell) -> bool:
    """Report overlaps and bare ground among the rows of a tier; whether gaps were looked for."""
    assert sheet.shapes is not None
    shapes, others = sheet.shapes[rows], np.zeros(0, np.int64)
    if choices.mode == "merge" and tier:
        # Neighbours that stay in force, unless the file brings them anew.
        coming = set(sheet.text("code").tolist())
        others = np.array(
            [n for n in force.of_tier(tier).tolist() if force.codes[n] not in coming], dtype=np.int64
        )
        shapes = np.concatenate((shapes, force.shapes[others]))
    fit = borders.examine(shapes, tell)

    def called(n: int) -> tuple[str, str]:
        if n >= len(rows):
            code = force.codes[others[n - len(rows)]]
            return f"现行的 {code}", f"{code}, which is in force"
        number, code = int(sheet.numbers[rows[n]]), sheet.text("code")[rows[n]]
        return f"第 {number} 行（{code}）", f"row {number} ({code})"

    for overlap in fit.overlaps:
        first, second = sorted((overlap.a, overlap.b))
        if first >= len(rows):
            continue
        # Of two in the file the later one is in question, of one in force the new one.
        mine, other = (second, first) if second < len(rows) else (first, second)
        zh, en = called(other)
        slight = overlap.share < SLIGHT
        middle = shapely.point_on_surface(overlap.shape)
        texts = (
            f"与{zh}重叠 {overlap.area_m2:,.0f} 平方米（{overlap.share:.1%}）",
            f"overlaps {en} by {overlap.area_m2:,.0f} m² ({overlap.share:.1%})",
        )
        sheet.issues.add(
            Issue(int(rows[mine]), "note" if slight else "warning", "overlap", *texts, middle.x, middle.y)
        )
        sheet.faults.append(Fault("overlap", overlap.shape, overlap.area_m2, *texts))
    for bare in fit.bare:
        near = [n for n in bare.neighbours if n < len(rows)]
        if not near:
            continue
        code = "gap" if bare.is_gap else "hole"
        word = ("缝隙", "a gap") if bare.is_gap else ("空洞", "a hole")
        among = [called(n) for n in bare.neighbours if n != near[0]][:3]
        with_zh = "、".join(zh for zh, _ in among)
        with_en = ", ".join(en for _, en in among)
        size = f"{bare.area_m2:,.0f}"
        texts = (
            f"与{with_zh}之间有{word[0]} {size} 平方米（宽约 {bare.width_m:,.1f} 米）"
            if among
            else f"内部有{word[0]} {size} 平方米",
            f"leaves {word[1]} of {size} m², about {bare.width_m:,.1f} m wide, beside {with_en}"
            if among
            else f"has {word[1]} of {size} m² in it",
        )
        middle = shapely.point_on_surface(bare.shape)
        sheet.issues.add(Issue(int(rows[near[0]]), "note", code, *texts, middle.x, middle.y))
        sheet.faults.append(Fault(code, bare.shape, bare.area_m2, *texts))
    return fit.gaps_sought


def _inside_parents(sheet: Sheet, tree: Tree, force: InForce) -> None:
    """Report areas that reach beyond the area above them."""
    assert sheet.shapes is not None
    known = np.concatenate(list(_by_tier(sheet).values()) or [np.zeros(0, np.int64)])
    above = tree.above[known]
    parents = np.full(len(known), None, dtype=object)
    inside = above >= 0
    parents[inside] = sheet.shapes[above[inside]]
    for n in np.flatnonzero(~inside).tolist():
        row = force.row_of.get(tree.parent[known[n]])
        parents[n] = None if row is None else force.shapes[row]
    there = np.flatnonzero(~shapely.is_missing(parents))
    for outside in nesting.outside(sheet.shapes[known[there]], parents[there]):
        row = int(known[there[outside.child]])
        slight = outside.share < SLIGHTLY_OUTSIDE
        parent = tree.parent[row]
        sheet.issues.add(
            Issue(
                row,
                "note" if slight else "warning",
                "outside_parent",
                f"有 {outside.area_m2:,.0f} 平方米（{outside.share:.1%}）超出上级 {parent} 的边界",
                f"{outside.area_m2:,.0f} m² ({outside.share:.1%}) of it lie outside {parent}, the area above",
            )
        )
