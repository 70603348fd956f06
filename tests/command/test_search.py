from __future__ import annotations

import pytest

from command.district import District
from command.search import Hit, Search
from tests.command.world import World
from tests.fixtures import G1


def anybody(_kind: str, _key: str) -> bool:
    return True


@pytest.fixture
def world(district: District) -> World:
    world = World(units=())
    from command.events import SYSTEM
    from command.responders import decide_register
    from tests.fixtures import PEOPLE

    world.take(lambda picture, context: decide_register(picture, list(PEOPLE), context), SYSTEM)
    world.add_camera()
    world.report("it", title="三桥路口积水")
    return world


@pytest.fixture
def search(world: World, district: District) -> Search:
    return Search(world.board, district)


def found(hits: list[Hit]) -> list[tuple[str, str]]:
    return [(hit.type, hit.id) for hit in hits]


@pytest.mark.parametrize("query", ["周巧云", "zhouqiaoyun", "zqy", " 周巧云 ", "ZQY"])
def test_a_person_is_found_by_characters_pinyin_and_initials(search: Search, query: str) -> None:
    assert ("responder", "w1") in found(search.find(query, anybody))


def test_each_kind_is_found_with_where_it_is(search: Search) -> None:
    kinds = {hit.type: hit for query in ("三桥", "渡口街北", "高建军") for hit in search.find(query, anybody)}
    assert set(kinds) == {"area", "incident", "place", "responder", "camera"}
    assert kinds["place"].name == "三桥中学"
    assert (kinds["place"].lon, kinds["place"].detail) == (116.805, "和平路1号")
    assert kinds["area"].lon is not None
    assert "乡镇" in kinds["area"].detail
    assert kinds["responder"].lon is None, "where somebody is stands nowhere in the search"


@pytest.mark.parametrize("query", ["QS-1122-0001", "qs-1122-0001", "0001"])
def test_an_incident_is_found_by_its_number(search: Search, query: str) -> None:
    assert ("incident", "it") in found(search.find(query, anybody))


def test_what_may_not_be_known_is_not_found(search: Search) -> None:
    assert found(search.find("三桥", lambda kind, key: kind != "incident" and key != "340604001")) == [
        ("place", "0")
    ]


def test_the_limit_holds_and_incidents_come_first(search: Search, world: World) -> None:
    for n in range(8):
        world.report(f"more{n}", title="三桥", lon=116.9)
    hits = search.find("三桥", anybody, limit=5)
    assert len(hits) == 5
    assert {hit.type for hit in hits} == {"incident"}


@pytest.mark.parametrize("query", ["", "   ", "不存在的名字", "\x00", "%", "'; DROP TABLE incidents --"])
def test_nothing_finds_nothing(search: Search, query: str) -> None:
    assert search.find(query, anybody) == []


def test_a_new_name_is_found_once_the_search_heard_of_it(search: Search, world: World) -> None:
    assert search.find("柳树沟", anybody) == []
    seen = len(world.events)
    world.add_camera("c2", site_type="road")
    from command import cameras
    from command.cameras import Camera
    from command.events import SYSTEM

    camera = Camera(id="c3", name="柳树沟口", lon=116.8, lat=33.9, grid=G1)
    world.take(lambda p, c: cameras.decide_register(p, [camera], c), SYSTEM)
    for event in world.events[seen:]:
        search.apply(event)
    assert found(search.find("柳树沟", anybody)) == [("camera", "c3")]


def test_the_same_thing_is_named_once(search: Search, world: World) -> None:
    world.report("twice", title="QS-1122-0001")
    keys = [hit.id for hit in search.find("QS-1122-0001", anybody)]
    assert len(keys) == len(set(keys))
