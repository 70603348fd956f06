"""That a demo district's departments follow from its areas, and that every category has somebody in the lead."""

from __future__ import annotations

import shapely

from command.demo import offices
from command.geography.responsibility import Responsibility
from command.policy import load_policy
from command.resources import config_dir
from gis.areas import GRID, Area, AreaIndex
from gis.files import Place


def division() -> AreaIndex:
    """Three townships in a row, each a community and a village of two grids."""
    areas = [Area("64", "澄溪县", 1, None, "县", shapely.box(0, 0, 12, 1))]
    for t, name in enumerate(("汀口镇", "枫圩镇", "栗水经开区")):
        areas.append(Area(f"64{t}", name, 2, "64", "镇", shapely.box(4 * t, 0, 4 * t + 4, 1)))
        for u, label in enumerate(("社区", "村")):
            left = 4 * t + 2 * u
            areas.append(
                Area(f"64{t}{u}", f"{name}{label}", 3, f"64{t}", label, shapely.box(left, 0, left + 2, 1))
            )
            areas += [
                Area(
                    f"64{t}{u}{g}",
                    f"{g}格",
                    GRID,
                    f"64{t}{u}",
                    "网格",
                    shapely.box(left + g, 0, left + g + 1, 1),
                )
                for g in (0, 1)
            ]
    return AreaIndex(areas)


BANK = Place("澄溪河上段1号堤", "river_bank", "", 3.5, 0.5)
HIGHWAY = Place("S214 省道老碾路路口", "junction", "", 6.5, 0.5)
LANE = Place("老芦路", "road", "", 10.5, 0.5)


def test_departments_make_their_grids_of_base_grids() -> None:
    areas, plan = division(), offices.load_plan(config_dir() / "demo")
    own = {grid.code: grid for grid in offices.departments_of(plan, areas, [BANK, HIGHWAY, LANE])}
    assert own["CG01"].grids == ("64000", "64001")
    assert (own["CG02"].department, own["CG02"].name) == ("县城管局", "枫圩执法中队")
    # Two townships share an office, the third has one alone; base grids are in several departments' at once.
    assert len(own["SC01"].grids) == 8
    assert own["SC02"].name == "栗水经开区市场监管所"
    assert own["SW01"].grids == ("64011",)
    assert own["JT01"].grids == ("64110",)
    assert {code[:2] for code in own} == {"CG", "ZJ", "SC", "YJ", "SW", "JT"}  # no hill, no ranger


def test_the_smaller_area_decides_and_every_category_has_a_lead() -> None:
    areas, plan = division(), offices.load_plan(config_dir() / "demo")
    own = offices.departments_of(plan, areas, [BANK, HIGHWAY])
    rules = offices.rules_of(plan, areas, own)
    duty = Responsibility(rules, own)
    categories = load_policy(config_dir()).categories
    assert {rule.category for rule in rules} - {""} <= set(categories)

    def lead(category: str, lon: float) -> str:
        found = duty.responsible(category, areas.locate(lon, 0.5).areas)
        assert found is not None
        return found.department

    assert lead("city_event", 0.5) == "县城管局"
    assert lead("city_event", 2.5) == "汀口镇人民政府"
    assert lead("city_event", 10.5) == "栗水经开区管委会"
    assert (lead("environment", 3.5), lead("environment", 2.5)) == ("县水务局", "澄溪县生态环境分局")
    assert (lead("city_component", 6.5), lead("city_component", 7.5)) == ("县交通局", "枫圩镇人民政府")
    assert lead("other", 0.5) == "县综治中心"
    assert all(lead(category, 0.5) for category in categories)
    assert offices.rules_of(plan, areas, own) == rules
