"""The responsibility list at work: on a new incident, on another category, and at a point of the map."""

from __future__ import annotations

import copy
import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from command.district import DEPARTMENTS, RULES, District, load_district
from command.geography.responsibility import DepartmentGrid, Responsibility, ResponsibilityRule
from gis.areas import AreaIndex
from tests.command.api.test_incidents import error
from tests.command.office import Office, open_office
from tests.command.world import DISPATCHER
from tests.fixtures import G1, G2, G5, Centre, middle

LIST = Responsibility(
    [
        ResponsibilityRule("traffic", "交警大队"),
        ResponsibilityRule("市容秩序", "城管局", grids=("CG1",), sla="2 小时", priority=5),
        ResponsibilityRule("city_event", "三桥镇", division=G1[:9]),
    ],
    [DepartmentGrid("城管局", "CG1", "城管一片", (G1,))],
)


@pytest.fixture
async def office(district: District) -> AsyncIterator[Office]:
    listed = copy.copy(district)
    listed.responsibility = LIST
    async with open_office(listed) as opened:
        yield opened


async def test_a_report_is_led_by_who_is_responsible_there(office: Office) -> None:
    assert (await office.report(G1)).lead_department == "交警大队"
    assert (await office.report(G1, category="city_event")).lead_department == "城管局"
    assert (await office.report(G2, category="city_event")).lead_department == "三桥镇"
    assert (await office.report(G5, category="city_event")).lead_department is None
    assert (await office.report(lon=100.0, lat=30.0, address="K12")).lead_department == "交警大队"


async def test_another_category_brings_its_department_unless_somebody_chose_one(office: Office) -> None:
    async def classify(incident_id: str, command: str, **texts: str) -> str | None:
        await office.do.move(DISPATCHER, incident_id, command, texts)
        return office.board.incidents[incident_id].lead_department

    incident = await office.report(G1)
    assert await classify(incident.id, "accept", level="III") == "交警大队"
    assert await classify(incident.id, "classify", category="city_event") == "城管局"
    assert await classify(incident.id, "classify", category="medical") is None
    assert await classify(incident.id, "classify", category="traffic") == "交警大队"
    assert (
        await classify(incident.id, "classify", category="city_event", lead_department="住建局") == "住建局"
    )
    assert await classify(incident.id, "classify", category="traffic") == "住建局"


async def test_a_point_tells_its_departments_and_who_is_responsible(centre: Centre) -> None:
    district = copy.copy(centre.core.keeper.atlas.district)
    district.responsibility = LIST
    centre.core.keeper.atlas.replace(district)
    lon, lat = middle(G1)
    found = (await centre.get("operator", "/locate", lon=lon, lat=lat, category="city_event")).json()
    assert found["departments"] == [{"department": "城管局", "code": "CG1", "name": "城管一片"}]
    assert found["responsible"] == {
        "department": "城管局",
        "area": G1,
        "tier": 4,
        "sla": "2 小时",
        "priority": 5,
    }
    everywhere = (await centre.get("operator", "/locate", lon=lon, lat=lat, category="traffic")).json()
    assert (everywhere["responsible"]["tier"], everywhere["responsible"]["area"]) == (None, None)
    nobody = (await centre.get("operator", "/locate", lon=lon, lat=lat, category="medical")).json()
    assert nobody["responsible"] is None
    error(await centre.get("operator", "/locate", lon=lon, lat=lat, category="weather"), 422, "malformed")
    incident = await centre.report()
    assert incident["lead_department"] == "交警大队"


def test_the_lists_are_files_of_the_district(district: District, tmp_path: Path) -> None:
    folder = tmp_path / "district"
    shutil.copytree(district.folder, folder)
    (folder / RULES).write_text(f"类别,部门,网格\n交通事故,交警大队,\n,城管局,CG1\n,谁,{G5}\n", "utf-8")
    (folder / DEPARTMENTS).write_text(f"部门,编码,名称,网格\n城管局,CG1,一片,{G1}\n", "utf-8")
    loaded = load_district(folder)
    assert len(loaded.rules) == 3
    assert loaded.departments[0].name == "一片"
    decided = {grid: loaded.responsible("traffic", "交通事故", *middle(grid)) for grid in (G1, G2, G5)}
    assert {grid: found and found.department for grid, found in decided.items()} == {
        G1: "城管局",
        G2: "交警大队",
        G5: "谁",
    }
    again = load_district(folder, files={RULES: None}, base=loaded)
    assert again.rules == ()
    assert again.areas is loaded.areas
    assert load_district(folder, files={}, base=again).responsibility is again.responsibility


def test_the_day_decides_which_areas_are_in_force(district: District) -> None:
    assert district.on_day(date(2020, 1, 1)) is district  # nothing was different then
    ended = [
        replace(area, valid_to=date(2026, 1, 1)) if area.code == G1 else area for area in district.areas.every
    ]
    later = district.with_areas(AreaIndex(ended, district.areas.beats, on=date(2026, 1, 2)))
    assert G1 not in later.areas
    assert later.nearest is district.nearest
    then = later.on_day(date(2026, 1, 1))
    assert G1 in then.areas
    assert then.on_day(date(2020, 1, 1)) is then
