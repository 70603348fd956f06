"""The departments of a demo district: which base grids are whose, and who is responsible for what where.

What there is stands in ``config/demo/departments.toml``; where it is follows from the district's areas and places,
so that the same district has the same departments. The files are those a centre brings in itself.
"""

import tomllib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, Literal

import msgspec

from command.geography.responsibility import (
    PRIORITY,
    DepartmentGrid,
    ResponsibilityRule,
    read_departments,
    read_rules,
    write_departments,
    write_rules,
)
from command.policy import load_policy
from command.resources import config_dir
from gis.area_files import load_areas
from gis.areas import GRID, TOWNSHIP, Area, AreaIndex
from gis.files import Place, load_places
from gis.synthetic import DistrictFiles

FILE: Final = "departments.toml"
Grounds = Literal["communities", "villages", "every"]
_COMMUNITY: Final = "社区"
_TOWNSHIPS: Final = "townships"
_NAMED_AT_MOST: Final = 2
"""So many townships stand in a grid's name, before it says 等."""


class _Office(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A department that has grids of its own."""

    code: str
    name: str
    grid: str
    of: Grounds
    townships: int
    places: tuple[str, ...] = ()
    named: tuple[str, ...] = ()


class _Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A line of the responsibility list; in every township, where `at` says so, one."""

    category: str
    department: str
    sla: str
    at: str = ""
    priority: int = PRIORITY


class Plan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What ``departments.toml`` says."""

    department: tuple[_Office, ...]
    rule: tuple[_Line, ...]


def load_plan(folder: Path) -> Plan:
    """Read the plan of the departments.

    Args:
        folder: ``config/demo``.

    Raises:
        ValueError: Something is missing, of the wrong kind, or unknown.
    """
    try:
        return msgspec.convert(tomllib.loads((folder / FILE).read_text("utf-8")), Plan)
    except (msgspec.ValidationError, tomllib.TOMLDecodeError) as error:
        raise ValueError(f"{folder / FILE}: {error}") from None


def departments_of(plan: Plan, areas: AreaIndex, places: Sequence[Place]) -> list[DepartmentGrid]:
    """Return each department's own grids; every one of them is made of base grids of neighbouring townships."""
    townships = _townships(areas)
    found = []
    for office in plan.department:
        mine: defaultdict[int, list[Area]] = defaultdict(list)
        marked = _marked(office, areas, places)
        for grid in areas.grids:
            position = townships.get(_township(areas, grid))
            if (
                position is not None
                and _counts(office, areas, grid)
                and (marked is None or grid.code in marked)
            ):
                mine[position // max(1, office.townships)].append(grid)
        for serial, (_, grids) in enumerate(sorted(mine.items()), start=1):
            names = list(dict.fromkeys(areas.area(_township(areas, grid)).name for grid in grids))
            found.append(
                DepartmentGrid(
                    department=office.name.format(**_words(areas)),
                    code=f"{office.code}{serial:02d}",
                    name=office.grid.format(area=_together(names), **_words(areas)),
                    grids=tuple(grid.code for grid in grids),
                )
            )
    return found


def rules_of(plan: Plan, areas: AreaIndex, departments: Sequence[DepartmentGrid]) -> list[ResponsibilityRule]:
    """Return the responsibility list. A rule for grids of a department that has none here is left out."""
    rules = []
    for line in plan.rule:
        plain = ResponsibilityRule(line.category, line.department, sla=line.sla, priority=line.priority)
        if line.at == _TOWNSHIPS:
            for code in _townships(areas):
                name = line.department.format(government=_government(areas.area(code)), **_words(areas))
                rules.append(replace(plain, department=name, division=code))
            continue
        grids = tuple(grid.code for grid in departments if line.at and grid.code.startswith(line.at))
        if grids or not line.at:
            name = line.department.format(**_words(areas))
            rules.append(replace(plain, department=name, grids=grids))
    return rules


def lay_out(files: DistrictFiles, rules: Path, departments: Path) -> None:
    """Write the responsibility list and the departments' grids of a district, and read them as a centre's would be.

    Args:
        files: The district's own.
        rules: Where the list goes.
        departments: Where the departments' grids go.

    Raises:
        ValueError: The plan and the categories or the areas do not go together.
    """
    plan, policy = load_plan(config_dir() / "demo"), load_policy(config_dir())
    areas = AreaIndex(load_areas(files.areas))
    own = departments_of(plan, areas, load_places(files.places))
    write_departments(departments, own)
    write_rules(rules, rules_of(plan, areas, own))
    read, faults = read_departments(departments, areas=areas)
    faults += read_rules(rules, categories=policy.categories, areas=areas, departments=read)[1]
    if faults:
        raise ValueError(f"{FILE} makes bad rows: {faults[:3]}")


def county_word(name: str) -> str:
    """Return what stands before the offices of a county or a district.

    >>> county_word("澄溪县"), county_word("栗山区")
    ('县', '区')
    """
    return "区" if name.endswith("区") else "县"


def _words(areas: AreaIndex) -> Mapping[str, str]:
    name = next((area.name for area in areas.areas if area.parent is None), "")
    word = county_word(name)
    return {"name": name, "word": word, "police": "区公安分局" if word == "区" else "县公安局"}


def _townships(areas: AreaIndex) -> dict[str, int]:
    """Return the townships, and where each stands in their order."""
    codes = sorted(area.code for area in areas.areas if area.tier == TOWNSHIP)
    return {code: position for position, code in enumerate(codes)}


def _township(areas: AreaIndex, grid: Area) -> str:
    return next((area.code for area in areas.ancestors(grid.code) if area.tier == TOWNSHIP), "")


def _counts(office: _Office, areas: AreaIndex, grid: Area) -> bool:
    if office.of == "every":
        return True
    urban = grid.parent is not None and areas.area(grid.parent).label == _COMMUNITY
    return urban == (office.of == "communities")


def _marked(office: _Office, areas: AreaIndex, places: Sequence[Place]) -> frozenset[str] | None:
    """Return the base grids with such a place as the department looks for; None where it looks for none."""
    if not office.places:
        return None
    wanted = [
        place
        for place in places
        if place.kind in office.places
        and (not office.named or any(word in place.name for word in office.named))
    ]
    codes = (areas.locate(place.lon, place.lat).areas.get(GRID) for place in wanted)
    return frozenset(code for code in codes if code is not None)


def _together(names: Sequence[str]) -> str:
    short = [name.rstrip("镇乡") if len(name) > 2 else name for name in names]
    return "、".join(short[:_NAMED_AT_MOST]) + ("等" if len(short) > _NAMED_AT_MOST else "")


def _government(township: Area) -> str:
    if township.name.endswith("街道"):
        return f"{township.name}办事处"
    return f"{township.name}{'管委会' if township.name.endswith('区') else '人民政府'}"
