from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from command import cameras
from command.cameras import Camera
from command.district import District
from command.errors import Unavailable
from command.events import SYSTEM
from command.responders import decide_register
from command.search import Hit, Search, Type
from gis.addresses import Addresses
from gis.areas import AreaIndex
from gis.nearest import NearestByRoad
from gis.text import fold, readings
from tests.command.world import World
from tests.fixtures import G1, PEOPLE
from tests.streams.waiting import until

HERE = (116.80, 33.90, 116.81, 33.91)


def anybody(_kind: Type, _key: str) -> bool:
    return True


class Office:
    """A world whose events the box hears."""

    def __init__(self, district: District, picks: Path | None = None) -> None:
        self.world = World(units=())
        self.world.take(lambda picture, context: decide_register(picture, list(PEOPLE), context), SYSTEM)
        self.world.add_camera()
        self.world.report("it", title="三桥路口积水")
        self.search = Search(self.world.board, district, picks)
        self._heard = len(self.world.events)

    def hear(self) -> None:
        for event in self.world.events[self._heard :]:
            self.search.apply(event)
        self._heard = len(self.world.events)

    def camera(
        self, key: str, name: str, lon: float = 116.8, lat: float = 33.9, gb_id: str | None = None
    ) -> None:
        camera = Camera(id=key, name=name, lon=lon, lat=lat, grid=G1, gb_id=gb_id)
        self.world.take(lambda p, c: cameras.decide_register(p, [camera], c), SYSTEM)
        self.hear()

    def find(self, query: str, limit: int = 20, **more: object) -> list[tuple[str, str]]:
        return found(self.search.find(query, anybody, limit, **more))  # type: ignore[arg-type]


@pytest.fixture
def office(district: District) -> Office:
    return Office(district)


def found(hits: list[Hit]) -> list[tuple[str, str]]:
    return [(hit.type, hit.id) for hit in hits]


@pytest.mark.parametrize(
    "query", ["周巧云", "zhouqiaoyun", "zqy", " 周巧云 ", "ZQY", "周qy", "巧", "zhou qiao"]
)
def test_a_person_is_found_by_characters_pinyin_and_initials(office: Office, query: str) -> None:
    assert ("responder", "w1") in office.find(query)


def test_each_kind_is_found_with_where_it_is(office: Office) -> None:
    queries = ("三桥", "渡口街北", "高建军", "和平路")
    kinds = {hit.type: hit for query in queries for hit in office.search.find(query, anybody)}
    assert {"area", "incident", "place", "responder", "camera"} <= set(kinds)
    places = {hit.name: hit for hit in office.search.find("三桥", anybody)}
    assert (places["三桥中学"].lon, places["三桥中学"].detail) == (116.805, "和平路1号")
    assert places["三桥镇"].lon is not None
    assert "乡镇" in places["三桥镇"].detail
    assert kinds["responder"].lon is None, "where somebody is stands nowhere in the search"


def test_roads_are_found_with_the_village_they_are_in(office: Office) -> None:
    (road, *_), village = [h for h in office.search.find("路", anybody) if h.type == "road"], "340604001001"
    assert road.lon is not None
    assert road.detail.endswith(("社区", "村"))
    (same, *_) = office.search.find(road.name, lambda kind, key: kind == "road" or key != village)
    assert same.detail != "东河社区", "nobody learns of an area that is not theirs"


@pytest.mark.parametrize("query", ["QS-1122-0001", "qs-1122-0001", "0001", "qs1122"])
def test_an_incident_is_found_by_its_number(office: Office, query: str) -> None:
    assert ("incident", "it") in office.find(query)


def test_numbers_are_found_by_their_beginning(office: Office) -> None:
    office.camera("gb", "无名", gb_id="34060400001320000077")
    assert office.find("34060400001320000077") == [("camera", "gb")]
    assert office.find("0077") == [("camera", "gb")]
    assert office.find("077") == [], "three digits in the middle of a number name nothing"
    assert office.find("340604010")[:2] == [("area", "340604010"), ("area", "340604010001")]


def test_addresses_are_found_and_without_one_the_road(office: Office) -> None:
    assert office.find("和平路1号") == [("place", "0")]
    road = next(h for h in office.search.find("路", anybody) if h.type == "road")
    hits = office.search.find(f"{road.name}4711号", anybody)
    assert [(hit.type, hit.name, hit.fit) for hit in hits] == [("road", road.name, "road")]


@pytest.mark.parametrize(
    ("query", "fit"),
    [
        ("三橋中學", "written"),
        ("三乔中学", "heard"),
        ("三桥钟学", "heard"),
        ("三桥大学", "slipped"),
        ("sanqiaozhognxue", "slipped"),
    ],
)
def test_the_answer_says_how_it_fits(office: Office, query: str, fit: str) -> None:
    best = office.search.find(query, anybody)[0]
    assert (best.id, best.fit) == ("0", fit)


def test_what_may_not_be_known_is_not_found(office: Office) -> None:
    def may(kind: Type, key: str) -> bool:
        return kind != "incident" and key != "340604001"

    assert found(office.search.find("三桥", may)) == [("place", "0"), ("beat", "B-1")]
    # What is hidden does not even keep the box from guessing further.
    assert office.search.find("三桥路口积水", may) == []


def test_the_limit_holds_and_incidents_come_first(office: Office) -> None:
    for n in range(8):
        office.world.report(f"more{n}", title="三桥", lon=116.9)
    office.hear()
    hits = office.search.find("三桥", anybody, limit=5)
    assert len(hits) == 5
    assert {hit.type for hit in hits} == {"incident"}
    assert [hit.id for hit in hits] == sorted(hit.id for hit in hits), "equal ones by id"


@pytest.mark.parametrize(
    "query", ["", "   ", "不存在的名字", "\x00", "%", "'; DROP TABLE incidents --", "附近", "near "]
)
def test_nothing_finds_nothing(office: Office, query: str) -> None:
    assert office.find(query) == []


def test_nearer_things_come_first(office: Office) -> None:
    office.camera("west", "岗亭", 116.805)
    office.camera("east", "岗亭", 116.835)
    assert office.find("岗亭") == [("camera", "east"), ("camera", "west")]
    assert office.find("岗亭", view=HERE) == [("camera", "west"), ("camera", "east")]
    west = office.search.find("岗亭", anybody, view=HERE)[0]
    assert west.distance_m == pytest.approx(555, abs=5)
    assert office.search.find("岗亭", anybody)[0].distance_m is None


def test_what_was_picked_comes_first_the_next_time(
    office: Office, district: District, tmp_path: Path
) -> None:
    office = Office(district, tmp_path / "picks.json")
    for key in ("a", "b"):
        office.camera(key, "岗亭")
    assert office.find("岗亭") == [("camera", "a"), ("camera", "b")]
    office.search.pick("camera", "b")
    assert office.find("岗亭") == [("camera", "b"), ("camera", "a")]
    office.search.picks.save()
    again = Office(district, tmp_path / "picks.json")
    for key in ("a", "b"):
        again.camera(key, "岗亭")
    assert again.find("岗亭") == [("camera", "b"), ("camera", "a")]


def test_only_the_types_asked_for(office: Office) -> None:
    assert {kind for kind, _ in office.find("三桥", types={"area", "incident"})} == {"area", "incident"}
    assert office.find("三桥", types={"camera"}) == []
    assert office.find("三桥 网格 地点") == []
    assert {kind for kind, _ in office.find("三桥 地点")} == {"place"}


@pytest.mark.parametrize("query", ["116.8061,33.9071", "33.9071 116.8061", "116°48'21.96\"E 33°54'25.56\"N"])
def test_a_point_is_found(office: Office, query: str) -> None:
    (hit,) = office.search.find(query, anybody, view=HERE)
    assert (hit.type, hit.id) == ("point", "116.806100,33.907100")
    assert "东河社区" in hit.detail
    assert hit.distance_m is not None
    (hidden,) = office.search.find(query, lambda kind, key: kind != "area")
    assert "东河社区" not in hidden.detail


def test_a_point_of_another_datum(office: Office) -> None:
    (hit,) = office.search.find("116.8061,33.9071 GCJ-02", anybody)
    assert hit.detail.startswith("GCJ-02 → WGS-84")
    assert hit.lon == pytest.approx(116.8006, abs=2e-3)


@pytest.mark.parametrize(
    "query",
    [
        "三桥中学附近的摄像头",
        "cameras near 三桥中学",
        "三桥中学周边监控",
        "靠近三桥中学的摄像头",
        "摄像头 near sanqiaozhongxue",
    ],
)
def test_what_is_near_something(office: Office, query: str) -> None:
    office.camera("close", "甲", 116.806, 33.907)
    office.camera("closer", "乙", 116.8051, 33.907)
    office.camera("far", "丙", 116.9, 33.99)
    hits = office.search.find(query, anybody)
    assert found(hits)[:2] == [("camera", "closer"), ("camera", "close")]
    assert ("camera", "far") not in found(hits)
    assert [hit.fit for hit in hits] == ["near"] * len(hits)
    assert hits[0].distance_m == pytest.approx(9.2, abs=0.2)


def test_near_without_a_type_or_with_a_name(office: Office) -> None:
    assert ("place", "1") in office.find("三桥中学附近")
    assert ("place", "0") not in office.find("三桥中学附近"), "not the thing itself"
    assert office.find("三桥中学附近的医院") == [("place", "1")]
    assert office.find("116.805,33.907 附近的医院") == [("place", "1")]
    assert office.find("附近的医院", view=HERE) == [("place", "1")]
    assert office.find("没有的地方附近的医院") == []


def test_near_something_that_may_not_be_known(office: Office) -> None:
    office.camera("close", "甲", 116.806, 33.907)
    hits = office.search.find("三桥路口积水附近的摄像头", lambda kind, key: kind != "incident")
    assert hits == []


def test_changes_are_found_once_the_box_heard_of_them(office: Office) -> None:
    assert office.find("柳树沟") == []
    office.camera("c3", "柳树沟口")
    assert office.find("柳树沟") == [("camera", "c3")]
    camera = office.world.board.cameras["c3"]
    facts = {"name": "杨树沟口", "lon": camera.lon, "lat": camera.lat}
    office.world.take(
        lambda p, c: cameras.decide_register(p, [Camera(id="c3", grid=G1, **facts)], c),
        SYSTEM,  # type: ignore[arg-type]
    )
    office.hear()
    assert office.find("杨树沟") == [("camera", "c3")]
    assert [hit.fit for hit in office.search.find("柳树沟", anybody)] == ["slipped"], "the old name is gone"


async def test_many_changes_are_tidied_and_none_is_lost(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("command.search.box._MOST_CHANGED", 3)
    office.search.warm()
    for n in range(6):
        office.camera(f"n{n}", f"柳树沟{n}")
    assert len(office.find("柳树沟")) == 6
    assert office.search.untidy
    await office.search.tidy()
    assert not office.search.untidy
    office.camera("n9", "柳树沟九")
    assert len(office.find("柳树沟")) == 7
    assert office.find("柳树沟九") == [("camera", "n9")]


def test_the_same_thing_is_named_once(office: Office) -> None:
    office.world.report("twice", title="QS-1122-0001")
    office.hear()
    keys = [hit.id for hit in office.search.find("QS-1122-0001", anybody)]
    assert len(keys) == len(set(keys))


@given(seen=st.sets(st.sampled_from(["a", "b", "c", "d"])), cut=st.integers(1, 5), how=st.integers(0, 3))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_everything_visible_and_nothing_else(office: Office, seen: set[str], cut: int, how: int) -> None:
    names = {"a": "朝阳门岗", "b": "朝阳门北岗", "c": "重庆路朝阳门", "d": "老朝阳门"}
    if "a" not in office.world.board.cameras:
        for key, name in names.items():
            office.camera(key, name)
    part = names["a"][:cut] if cut < 4 else "朝阳门"
    said = [readings(c)[-1 if how == 2 else 0] for c in fold(part)]
    query = (part, "".join(said), "".join(s[0] for s in said), part[0] + "".join(said[1:]))[how]
    hits = office.search.find(query, lambda kind, key: kind == "camera" and key in seen)
    assert {hit.id for hit in hits} <= seen
    if len(query) > 1 or not query.isascii():
        assert {hit.id for hit in hits} == seen & {k for k, v in names.items() if part in v}


# -- house numbers, beats, and another district ---------------------------------------------------------------


def with_houses(district: District, labels: dict[str, tuple[float, float]]) -> District:
    lon, lat = (np.array(values, dtype=np.float64) for values in zip(*labels.values(), strict=True))
    return District(
        district.folder,
        district.about,
        district.areas,
        district.roads,
        district.places,
        addresses=Addresses(list(labels), lon, lat),
    )


HOUSES = {
    "和平路12号": (116.805, 33.9071),
    "和平路120号": (116.8051, 33.9071),
    "和平路1212号": (116.8052, 33.9071),
    "新和平路12号": (116.806, 33.9071),
    "桥头村3组7号": (116.809, 33.909),
}


@pytest.mark.parametrize(
    "query",
    [
        "和平路12号",
        "和平路 12",
        "和平路12",
        "hepinglu12",
        "heping lu 12",
        "hepinglu12hao",
        "hpl12",
        "和平路１２號",
    ],
)
def test_a_house_is_found_by_its_number_before_longer_ones(district: District, query: str) -> None:
    # What is seen lies about number 1212, and still number 12 is what was asked for.
    view = (116.8052, 33.9071, 116.8052, 33.9071)
    hits = Office(with_houses(district, HOUSES)).search.find(query, anybody, view=view)
    assert (hits[0].type, hits[0].name, hits[0].fit) == ("address", "和平路12号", "written")


def test_houses_come_after_all_else_where_no_number_was_typed(district: District) -> None:
    office = Office(with_houses(district, HOUSES))
    kinds = [kind for kind, _ in office.find("和平路")]
    assert kinds[0] == "road"
    assert kinds.index("place") < kinds.index("address"), kinds
    assert {kind for kind, _ in office.find("和平路", types={"address"})} == {"address"}
    assert "address" not in {kind for kind, _ in office.find("和平路附近")}


def test_a_number_that_is_not_there_gives_the_road_and_the_numbers_next_to_it(district: District) -> None:
    hits = Office(with_houses(district, HOUSES)).search.find("和平路115号", anybody)
    assert [(hit.name, hit.fit) for hit in hits[:3]] == [
        ("和平路", "road"),
        ("和平路120号", "house"),
        ("和平路12号", "house"),
    ]


def test_a_beat_is_found_by_name_station_and_code(office: Office) -> None:
    beat = office.search._district.areas.beats[0]
    for query in (beat.name, beat.code):
        assert ("beat", beat.code) in office.find(query)
    hit = next(hit for hit in office.search.find(beat.name, anybody) if hit.type == "beat")
    assert hit.detail == beat.station
    assert office.search._district.areas.locate(hit.lon or 0, hit.lat or 0).beat == beat.code


async def test_looking_goes_on_beside_the_loop_while_things_change(office: Office) -> None:
    """Many ask in threads while cameras come and go: nothing breaks, and in the end every change is seen."""
    asked = [asyncio.create_task(office.search.ask("岗亭", anybody)) for _ in range(24)]
    for number in range(40):
        office.camera(f"n{number % 20}", f"岗亭{number}")
        if number % 8 == 0:
            asked.append(asyncio.create_task(office.search.ask("岗亭", anybody, 100)))
        await asyncio.sleep(0)
    await asyncio.gather(*asked)
    names = {hit.name for hit in await office.search.ask("岗亭", anybody, 100)}
    assert names == {f"岗亭{number}" for number in range(20, 40)}


async def test_too_many_at_once_are_turned_away(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("command.search.box.MOST_WAITING", 2)
    office.search.warm()
    with office.search._lock:
        waiting = [asyncio.create_task(office.search.ask("桥", anybody)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(Unavailable):
            await office.search.ask("桥", anybody)
    assert all(await asyncio.gather(*waiting))


async def test_another_district_is_found_once_it_is_in_force(district: District) -> None:
    office = Office(district)
    assert office.find("桥头村3组7号") == []
    office.search.pick("camera", "c1")
    following = asyncio.create_task(office.search.run())
    try:
        office.search.take_district(with_houses(district, HOUSES))
        await until(lambda: office.find("桥头村3组7号"))
        assert office.find("渡口街北") == [("camera", "c1")], "people, cameras and incidents stay"
        # The old one again: what is gone is not found, by whatever name.
        office.search.take_district(district)
        await until(lambda: not office.find("桥头村3组7号"))
    finally:
        following.cancel()


def test_the_first_import_moves_the_frame(district: District) -> None:
    """Distances of an empty folder are taken from nowhere."""
    empty = District(district.folder, district.about, AreaIndex([]), NearestByRoad(None))
    office = Office(empty)
    assert office.find("渡口街北") == [("camera", "c1")]
    office.search.follow(district)
    first = office.search.find("附近的摄像头", anybody, view=HERE)
    assert [hit.id for hit in first] == ["c1"]
    assert office.find("三桥中学") == [("place", "0")]
