"""What callers tell must be something the service takes, at places the district has."""

from __future__ import annotations

import random
import struct
import zlib
from itertools import pairwise
from pathlib import Path

import pytest

from command.demo.simulator.photos import photo
from command.demo.simulator.rates import load_rates
from command.demo.simulator.roads import metres
from command.demo.simulator.script import Phrases, Scene, Script, Template, load_scenes, load_templates
from command.policy import load_policy
from command.resources import config_dir

DEMO = config_dir() / "demo"
TEMPLATES = load_templates(DEMO)
POLICY = load_policy(config_dir())
SCENE_KINDS = {
    *(
        "junction",
        "school",
        "kindergarten",
        "market",
        "hospital",
        "river_bank",
        "bridge",
        "hill",
        "reservoir",
    ),
    *("village", "hamlet", "community", "park", "bus_station", "government"),
}


def scenes() -> list[Scene]:
    return [
        Scene(kind, f"{kind}一号", (106.9 + 0.01 * n, 37.2), f"桥头镇 {kind}", f"64029910000100{n}")
        for n, kind in enumerate(sorted(SCENE_KINDS))
    ]


def test_there_are_many_templates_and_every_level_has_some() -> None:
    assert len(TEMPLATES) >= 60
    assert {template.level for template in TEMPLATES} == {"I", "II", "III", "IV", "none"}
    assert {template.category for template in TEMPLATES} == set(POLICY.categories)
    assert len({template.title for template in TEMPLATES}) == len(TEMPLATES)


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.title)
def test_the_service_would_take_it(template: Template) -> None:
    POLICY.check_category(template.category)
    POLICY.check_level(template.level)
    assert template.sources
    for source in template.sources:
        POLICY.check_source(source)
    assert set(template.at) <= SCENE_KINDS
    assert template.at
    assert 1 <= len(template.title) <= 24
    assert template.weight > 0
    text = template.text.format(place="桥头街路口", side="东侧", m=40, few=3)
    assert "{" not in text
    assert 15 <= len(text) <= 300


def test_a_report_is_near_its_scene_and_carries_a_number_of_the_demo() -> None:
    rng = random.Random(7)
    places = scenes()
    script = Script(TEMPLATES, places, Phrases.load(DEMO), rng)
    told = [script.happen(frozenset({"III", "IV"}), (0.0, 35.0)) for _ in range(80)]
    for one in told:
        assert one is not None
        assert min(metres(one.place, scene.place) for scene in places) <= 36.0
        assert one.contact is not None
        assert one.contact.startswith("138")
        assert len(one.contact) == 11
        assert set(one.body()) <= {
            *("title", "category", "level", "source", "lon", "lat", "description", "address"),
            "reporter_contact",
        }
    # The same thing does not happen twice in a row.
    titles = [one.title for one in told if one is not None]
    assert all(a != b for a, b in pairwise(titles))


def test_the_same_seed_tells_the_same_story() -> None:
    def story() -> list[str]:
        script = Script(TEMPLATES, scenes(), Phrases.load(DEMO), random.Random(3))
        return [told.text for _ in range(20) if (told := script.happen(frozenset({"IV"}), (0, 35)))]

    assert story() == story()


def test_a_second_caller_tells_of_the_same_thing_close_by() -> None:
    script = Script(TEMPLATES, scenes(), Phrases.load(DEMO), random.Random(1))
    known = {
        "title": "井盖缺失",
        "category": "city_component",
        "level": "II",
        "lon": 106.9,
        "lat": 37.2,
        "address": "桥头街 12 号",
    }
    again = script.again(known, (15.0, 80.0))
    assert again.title == known["title"]
    assert again.level == "III"
    assert 14.0 <= metres(again.place, (106.9, 37.2)) <= 81.0


def test_nothing_happens_where_no_scene_fits() -> None:
    script = Script(TEMPLATES, [], Phrases.load(DEMO), random.Random(1))
    assert script.happen(frozenset({"IV"}), (0, 1)) is None


def test_a_district_without_scenes_falls_back_on_places_and_then_on_homes(tmp_path: Path) -> None:
    homes = [(106.9, 37.2)]
    assert [scene.place for scene in load_scenes(tmp_path, homes)] == homes
    (tmp_path / "district").mkdir()
    (tmp_path / "district" / "places.csv").write_text(
        "name,kind,lon,lat,address,grid\n老街,junction,106.91,37.21,老街 1 号,\n", "utf-8"
    )
    assert [(scene.kind, scene.name) for scene in load_scenes(tmp_path, homes)] == [("junction", "老街")]


def test_every_phrase_can_be_said() -> None:
    phrases, rng = Phrases.load(DEMO), random.Random(1)
    for occasion in ("feedback", "declines", "orders", "notes", "dispositions", "again", "self_handled"):
        for category in (*POLICY.categories, "any"):
            said = phrases.say(rng, occasion, category, place="老街")
            assert 2 <= len(said) <= 120
            assert "{" not in said
    for doing in ("under_way", "on_scene", "patrol"):
        assert phrases.say(rng, "replies", doing, minutes=4)


def test_the_rates_are_complete_and_a_slip_in_them_is_named(tmp_path: Path) -> None:
    rates = load_rates(DEMO)
    assert set(rates.colleague.kinds) <= set(POLICY.categories)
    text = (DEMO / "simulator.toml").read_text("utf-8").replace("silent_share", "silent_shares")
    (tmp_path / "simulator.toml").write_text(text, "utf-8")
    with pytest.raises(ValueError, match="silent_share"):
        load_rates(tmp_path)


@pytest.mark.parametrize("subject", sorted({template.photo for template in TEMPLATES}))
def test_photos_are_png_of_the_asked_width_and_fit_the_limit(subject: str) -> None:
    content = photo(subject, random.Random(2), 64)
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", content[16:24])
    assert (width, height) == (64, 48)
    start = content.index(b"IDAT") + 4
    length = struct.unpack(">I", content[start - 8 : start - 4])[0]
    assert len(zlib.decompress(content[start : start + length])) == 48 * (1 + 64 * 3)
    assert photo(subject, random.Random(2), 64) == content
