"""Who is responsible for what where (责任清单), over the departments' own sets of base grids (多网合一).

Nobody draws the district anew for a department: its grid is a set of base grids. A rule gives a category to a
department, in some base grids, in a department's grid, in a division, or everywhere. The most specific area
decides, then the smaller priority number, then a rule for the category before one for all, then the
department's name.
"""

import csv
import io
import os
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from gis.areas import GRID, AreaIndex
from gis.errors import BadFile
from gis.redraw import recoded
from gis.tables import RowError, read_table, split_list

PRIORITY: Final = 100
"""Of a rule that says nothing; a smaller number goes first."""
_TEXT: Final = 60
_RULE_COLUMNS: Final = ("category", "grids", "division", "department", "sla", "priority")
_DEPARTMENT_COLUMNS: Final = ("department", "code", "name", "grids")
SYNONYMS: Final[Mapping[str, tuple[str, ...]]] = {
    "category": ("事件类别", "事项类别", "案件类别", "类别"),
    "grids": ("基础网格", "网格编码", "网格", "所辖网格", "包含网格", "grid"),
    "division": ("区划", "区划编码", "适用区划", "适用区域", "范围"),
    "department": ("责任部门", "主责部门", "牵头部门", "部门", "单位"),
    "sla": ("时限", "处置时限"),
    "priority": ("优先级", "顺序"),
    "code": ("部门网格编码", "处置网格编码", "编码", "编号"),
    "name": ("部门网格名称", "处置网格名称", "名称"),
}
"""Columns, and what offices call them."""


@dataclass(frozen=True, slots=True)
class DepartmentGrid:
    """One grid of a department, made of base grids.

    Attributes:
        department: Its name, as it stands in an incident's `lead_department`.
        code: Unique among all departments' grids.
        name: As the department calls it.
        grids: Codes of the base grids.
    """

    department: str
    code: str
    name: str
    grids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ResponsibilityRule:
    """One line of the responsibility list.

    Attributes:
        category: Id or name of an incident category; "" for every one.
        department: Its name.
        grids: Codes of base grids or of departments' grids; empty: `division` says where.
        division: Code of an area of any tier; None with no grids: everywhere.
        sla: What the centre calls the time limit, kept for people.
        priority: The smaller goes first.
    """

    category: str
    department: str
    grids: tuple[str, ...] = ()
    division: str | None = None
    sla: str | None = None
    priority: int = PRIORITY


@dataclass(frozen=True, slots=True)
class Responsible:
    """Who is responsible, and by which rule. `tier` is that of the area that decided, 0 for everywhere."""

    department: str
    rule: ResponsibilityRule
    tier: int


class Responsibility:
    """All rules and departments' grids of one district.

    Args:
        rules: In any order.
        departments: In any order.

    >>> rules = [ResponsibilityRule("traffic", "交警大队"), ResponsibilityRule("traffic", "桥头镇", division="01")]
    >>> at = Responsibility(rules).responsible("traffic", {2: "01", 4: "0101"})
    >>> (at.department, at.tier)
    ('桥头镇', 2)
    """

    def __init__(
        self,
        rules: Iterable[ResponsibilityRule] = (),
        departments: Iterable[DepartmentGrid] = (),
    ) -> None:
        self.rules = tuple(rules)
        self.departments = tuple(sorted(departments, key=lambda grid: (grid.department, grid.code)))
        self._by_category: dict[str, list[ResponsibilityRule]] = {}
        for rule in self.rules:
            self._by_category.setdefault(rule.category, []).append(rule)
        self._sets = {grid.code: frozenset(grid.grids) for grid in self.departments}
        self._of_grid: dict[str, list[DepartmentGrid]] = {}
        for grid in self.departments:
            for code in dict.fromkeys(grid.grids):
                self._of_grid.setdefault(code, []).append(grid)

    def departments_at(self, areas: Mapping[int, str]) -> tuple[DepartmentGrid, ...]:
        """The departments' grids that hold the base grid of a place, by department and code."""
        return tuple(self._of_grid.get(areas.get(GRID, ""), ()))

    def responsible(
        self, category: str, areas: Mapping[int, str], *, called: str | None = None
    ) -> Responsible | None:
        """Who is responsible for a category at a place.

        Args:
            category: Id of the category.
            areas: Codes of the areas of the place by tier, as `AreaIndex.locate` gives them.
            called: The category's name, by which rules may call it too.

        Returns:
            None where no rule reaches.
        """
        found: list[tuple[int, int, bool, str, ResponsibilityRule]] = []
        for name in dict.fromkeys((category, called or category, "")):
            for rule in self._by_category.get(name, ()):
                tier = self._reach(rule, areas)
                if tier is not None:
                    found.append((-tier, rule.priority, not name, rule.department, rule))
        if not found:
            return None
        tier, *_, rule = min(found, key=lambda row: row[:4])
        return Responsible(rule.department, rule, -tier)

    def _reach(self, rule: ResponsibilityRule, areas: Mapping[int, str]) -> int | None:
        """The tier of the area by which a rule holds at a place, 0 for everywhere; None where it does not."""
        if rule.grids:
            grid = areas.get(GRID)
            holds = grid is not None and any(
                grid == code or grid in self._sets.get(code, ()) for code in rule.grids
            )
            return GRID if holds else None
        if rule.division is None:
            return 0
        return next((tier for tier, code in areas.items() if code == rule.division), None)

    def recoded(self, codes: Mapping[str, tuple[str, ...]]) -> "Responsibility":
        """The same where areas are mentioned by other codes: merged ones by one, a split one by two."""

        def division(code: str | None) -> str | None:
            new = codes.get(code or "", (code,))
            return code if code in new else new[0]

        return Responsibility(
            [
                replace(rule, grids=recoded(rule.grids, codes), division=division(rule.division))
                for rule in self.rules
            ],
            [replace(grid, grids=recoded(grid.grids, codes)) for grid in self.departments],
        )


def responsible_department(
    category: str,
    areas: Mapping[int, str],
    rules: Iterable[ResponsibilityRule],
    departments: Iterable[DepartmentGrid] = (),
) -> str | None:
    """Name of the responsible department; see `Responsibility.responsible`, which is faster for many."""
    found = Responsibility(rules, departments).responsible(category, areas)
    return None if found is None else found.department


def read_rules(
    path: Path,
    *,
    categories: Mapping[str, str] | None = None,
    areas: AreaIndex | None = None,
    departments: Iterable[DepartmentGrid] = (),
) -> tuple[list[ResponsibilityRule], list[RowError]]:
    """Read the responsibility list from CSV.

    Args:
        path: Columns `department` and, where there are any, `category, grids, division, sla, priority`, or their
            usual Chinese names.
        categories: Id → name; a rule for any other category is reported. None: any will do.
        areas: Areas that exist; a rule for any other is reported. None: any will do.
        departments: Whose codes `grids` may name too.

    Returns:
        Rules in file order, and what is wrong with which row.

    Raises:
        BadFile: It cannot be read, or names no department.
    """
    rules: list[ResponsibilityRule] = []
    errors: list[RowError] = []
    known = None if areas is None else {area.code for area in areas.every} | {d.code for d in departments}
    ids = {name: key for key, name in (categories or {}).items()}
    for number, row in _rows(path, ("department",)):
        try:
            category = row.get("category", "")
            category = ids.get(category, "" if category in ("*", "全部", "所有") else category)
            rule = ResponsibilityRule(
                category=category,
                department=_text(row, "department", "没有责任部门"),
                grids=split_list(row.get("grids")),
                division=row.get("division") or None,
                sla=row.get("sla") or None,
                priority=_priority(row.get("priority", "")),
            )
            if categories is not None and category and category not in categories:
                raise ValueError(f"没有事件类别 {category!r}")
        except ValueError as error:
            errors.append(RowError(number, str(error)))
            continue
        rules.append(rule)
        if rule.grids and rule.division:
            errors.append(RowError(number, "同时写了网格和区划，以网格为准", dropped=False))
        errors += _unknown(number, (*rule.grids, *([rule.division] if rule.division else ())), known)
    return rules, errors


def read_departments(
    path: Path, *, areas: AreaIndex | None = None
) -> tuple[list[DepartmentGrid], list[RowError]]:
    """Read the departments' grids from CSV: columns `department, code, grids` and `name`; else as `read_rules`."""
    found: list[DepartmentGrid] = []
    errors: list[RowError] = []
    seen: set[str] = set()
    known = None if areas is None else {area.code for area in areas.every}
    for number, row in _rows(path, ("department", "code", "grids")):
        try:
            code = _text(row, "code", "没有编码")
            grids = tuple(dict.fromkeys(split_list(row.get("grids"))))
            if not grids:
                raise ValueError("没有列出基础网格")
            if code in seen:
                raise ValueError(f"编码 {code} 重复")
            grid = DepartmentGrid(_text(row, "department", "没有部门"), code, row.get("name") or code, grids)
        except ValueError as error:
            errors.append(RowError(number, str(error)))
            continue
        seen.add(code)
        found.append(grid)
        errors += _unknown(number, grids, known)
    return found, errors


def write_rules(path: Path, rules: Sequence[ResponsibilityRule]) -> None:
    """Write the responsibility list, whole or not at all, as `read_rules` reads it."""
    rows = [
        (r.category, "、".join(r.grids), r.division or "", r.department, r.sla or "", r.priority)
        for r in rules
    ]
    _write(path, _RULE_COLUMNS, rows)


def write_departments(path: Path, departments: Sequence[DepartmentGrid]) -> None:
    """Write the departments' grids, whole or not at all, as `read_departments` reads them."""
    _write(
        path, _DEPARTMENT_COLUMNS, [(g.department, g.code, g.name, "、".join(g.grids)) for g in departments]
    )


def _rows(path: Path, needs: Collection[str]) -> list[tuple[int, dict[str, str]]]:
    table = read_table(path)
    columns = list(table[0]) if table else []
    plain = {re.sub(r"[\s_\-]+", "", column).lower(): column for column in reversed(columns)}
    meant: dict[str, str] = {}
    for field, others in SYNONYMS.items():
        column = next((plain[name] for name in (field, *others) if name in plain), None)
        if column is not None and column not in meant.values():
            meant[field] = column
    missing = [name for name in needs if name not in meant]
    if table and missing:
        raise BadFile(str(path), "header", f"no column for {', '.join(missing)}")
    return [
        (number, {field: row[column] for field, column in meant.items()})
        for number, row in enumerate(table, start=1)
    ]


def _text(row: Mapping[str, str], name: str, otherwise: str) -> str:
    text = row.get(name, "")
    if not text:
        raise ValueError(otherwise)
    if len(text) > _TEXT:
        raise ValueError(f"{text[:12]}… 超过 {_TEXT} 字")
    return text


def _priority(text: str) -> int:
    try:
        return int(float(text)) if text else PRIORITY
    except (ValueError, OverflowError):
        raise ValueError(f"优先级 {text!r} 不是数字") from None


def _unknown(number: int, codes: Iterable[str], known: Collection[str] | None) -> list[RowError]:
    if known is None:
        return []
    absent = [code for code in codes if code not in known]
    return [RowError(number, f"没有编码为 {'、'.join(absent[:5])} 的区域", dropped=False)] if absent else []


def _write(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(columns)
    table.writerows(rows)
    part = path.with_name(f".part-{path.name}")
    part.write_text(text.getvalue(), encoding="utf-8")
    os.replace(part, path)
