from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely import box

from command.geography.responsibility import (
    DepartmentGrid,
    Responsibility,
    ResponsibilityRule,
    read_departments,
    read_rules,
    responsible_department,
    write_departments,
    write_rules,
)
from gis.areas import Area, AreaIndex
from gis.errors import BadFile

HERE = {1: "34", 2: "3401", 3: "340101", 4: "34010101"}
CITY = DepartmentGrid("城管局", "CG1", "城管一片", ("34010101", "34010102"))


def rule(department: str, **more: object) -> ResponsibilityRule:
    return ResponsibilityRule(**{"category": "city_event", "department": department, **more})  # type: ignore[arg-type]


def test_the_most_specific_area_decides() -> None:
    rules = [
        rule("区里", priority=1),
        rule("县", division="34", priority=1),
        rule("镇", division="3401", priority=1),
        rule("村", division="340101", priority=1),
        rule("格", grids=("34010101",), priority=9),
        rule("别处", grids=("999",), priority=0),
    ]
    expected = ["格", "村", "镇", "县", "区里"]
    for dropped, department in enumerate(expected):
        left = [one for one in rules if one.department not in expected[:dropped]]
        assert responsible_department("city_event", HERE, left) == department
    assert responsible_department("city_event", HERE, [rules[5]]) is None
    assert responsible_department("traffic", HERE, rules) is None


def test_then_priority_then_the_category_itself_then_the_name() -> None:
    assert (
        responsible_department("city_event", HERE, [rule("甲", priority=2), rule("乙", priority=1)]) == "乙"
    )
    every = rule("甲", category="")
    assert responsible_department("city_event", HERE, [every, rule("乙")]) == "乙"
    assert responsible_department("traffic", HERE, [every, rule("乙")]) == "甲"
    assert (
        responsible_department("city_event", HERE, [rule("丙"), rule("乙")]) == "丙"
    )  # 丙 U+4E19 < 乙 U+4E59


def test_a_department_s_own_grid_stands_for_its_base_grids() -> None:
    rules = [rule("城管局", grids=("CG1",)), rule("镇", division="3401")]
    responsibility = Responsibility(rules, [CITY])
    found = responsibility.responsible("city_event", HERE)
    assert found is not None
    assert (found.department, found.tier) == ("城管局", 4)
    elsewhere = responsibility.responsible("city_event", {**HERE, 4: "34010109"})
    assert elsewhere is not None
    assert elsewhere.department == "镇"
    assert responsibility.departments_at(HERE) == (CITY,)
    assert responsibility.departments_at({3: "340101"}) == ()


def test_a_rule_may_call_the_category_by_its_name() -> None:
    named = Responsibility([rule("城管局", category="市容秩序")])
    assert named.responsible("city_event", HERE) is None
    found = named.responsible("city_event", HERE, called="市容秩序")
    assert found is not None
    assert found.department == "城管局"


def test_merged_grids_are_named_by_the_one_that_stays_and_split_ones_by_both() -> None:
    before = Responsibility(
        [
            rule("镇", division="34010102"),
            rule("县", division="34"),
            rule("局", grids=("34010101", "34010102")),
        ],
        [CITY],
    )
    merged = before.recoded({"34010102": ("34010101",)})
    assert [one.grids for one in merged.rules] == [(), (), ("34010101",)]
    assert [one.division for one in merged.rules] == ["34010101", "34", None]
    assert merged.departments[0].grids == ("34010101",)
    split = before.recoded({"34010102": ("34010102", "34010103")})
    assert split.departments[0].grids == ("34010101", "34010102", "34010103")
    assert split.rules[0].division == "34010102"
    assert before.recoded({}).rules == before.rules


CODES = st.sampled_from(["34", "3401", "340101", "34010101", "other"])
RULES = st.builds(
    ResponsibilityRule,
    category=st.sampled_from(["city_event", "", "traffic"]),
    department=st.sampled_from(["甲", "乙", "丙"]),
    grids=st.lists(CODES, max_size=2).map(tuple),
    division=st.none() | CODES,
    priority=st.integers(0, 3),
)


@given(st.lists(RULES, max_size=8), st.randoms())
def test_the_order_of_the_file_says_nothing(rules: list[ResponsibilityRule], random: object) -> None:
    shuffled = list(rules)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    first = responsible_department("city_event", HERE, rules)
    assert responsible_department("city_event", HERE, shuffled) == first
    assert first is None or first in {one.department for one in rules if one.category != "traffic"}


def index() -> AreaIndex:
    return AreaIndex([Area("34010101", "一格", 4, None, "网格", box(0, 0, 1, 1))])


def test_rows_that_cannot_be_taken_are_named(tmp_path: Path) -> None:
    path = tmp_path / "rules.csv"
    path.write_text(
        "事件类别,责任部门,网格,适用区划,优先级\n"
        "市容秩序,城管局,34010101、CG1,,1\n"
        ",民政局,,,\n"
        "traffic,,,,\n"
        "天气,气象局,,,\n"
        "traffic,交警大队,,9999,高\n"
        "traffic,交警大队,34010101,9999,2\n",
        encoding="gb18030",
    )
    names = {"city_event": "市容秩序", "traffic": "交通事故"}
    rules, errors = read_rules(path, categories=names, areas=index(), departments=[CITY])
    assert [(r.category, r.department, r.grids, r.division, r.priority) for r in rules] == [
        ("city_event", "城管局", ("34010101", "CG1"), None, 1),
        ("", "民政局", (), None, 100),
        ("traffic", "交警大队", ("34010101",), "9999", 2),
    ]
    assert [(e.row, e.dropped, e.reason[:4]) for e in errors] == [
        (3, True, "没有责任"),
        (4, True, "没有事件"),
        (5, True, "优先级 "),
        (6, False, "同时写了"),
        (6, False, "没有编码"),
    ]
    write_rules(tmp_path / "again.csv", rules)
    again, errors = read_rules(tmp_path / "again.csv", categories=names)
    assert again == rules
    assert [(e.row, e.dropped) for e in errors] == [(3, False)]


def test_departments_survive_their_file(tmp_path: Path) -> None:
    path = tmp_path / "departments.csv"
    path.write_text(
        "row,department,code,name,grids\n1,城管局,CG1,城管一片,34010101|34010102\n2,城管局,CG1,,1\n3,城管局,CG2,,\n4,,CG3,,1\n",
        encoding="utf-8",
    )
    found, errors = read_departments(path, areas=index())
    assert found == [CITY]
    assert [(e.row, e.dropped) for e in errors] == [(1, False), (2, True), (3, True), (4, True)]
    write_departments(path, found)
    assert read_departments(path) == ([CITY], [])


def test_files_without_the_needed_columns_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "rules.csv"
    path.write_text("类别,网格\n1,2\n", encoding="utf-8")
    with pytest.raises(BadFile, match="department"):
        read_rules(path)
    with pytest.raises(BadFile, match="department, code"):
        read_departments(path)
    path.write_text("department\n", encoding="utf-8")
    assert read_rules(path) == ([], [])
