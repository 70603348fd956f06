from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from command.approaches import KEPT, ApproachBook
from command.district import ABOUT, AREAS, PLACES, About, Approaches, District, load_district
from gis.errors import GisError
from gis.roads import Blockage
from tests.fixtures import COUNTY, G1, G5, G8, middle


def test_a_loaded_county_has_its_parts(district: District) -> None:
    assert district.about == About("八格县", COUNTY, "QS")
    assert len(district.areas.of_tier(4)) == 8
    assert [place.name for place in district.places] == ["三桥中学", "县医院"]
    assert set(district.nearest.graphs) == {"car", "motorcycle", "foot"}
    assert district.basemap is None
    assert district.bounds == pytest.approx((116.80, 33.90, 116.84, 33.92))


def test_a_point_is_placed(district: District) -> None:
    place = district.place_at(*middle(G5), {G5: "w3"})
    assert (place.grid, place.village, place.township) == (G5, G5[:12], "340604010")
    assert (place.beat, place.owner) == ("B-2", "w3")
    assert district.place_at(*middle(G1), {}).owner is None
    outside = district.place_at(100.0, 30.0, {})
    assert outside.grid is outside.address is None


def test_an_address_names_the_place_and_the_nearest_road(district: District) -> None:
    assert district.address_at(116.8022, 33.9101) == "东河社区 和平路"
    assert district.road_at(116.8025, 33.9125) is None  # no road within 150 m
    assert district.address_at(116.8025, 33.9125) == "东河社区"


def test_the_settings_words_go_before_the_files(district_folder: Path) -> None:
    assert load_district(district_folder, About("", "", "XX")).about == About("八格县", COUNTY, "XX")


def test_an_empty_folder_is_a_district_that_will_grow(tmp_path: Path) -> None:
    empty = load_district(tmp_path)
    assert empty.about == About("未命名区县", "", "YP")
    assert empty.bounds is None
    assert empty.basemap is None
    assert empty.place_at(116.8, 33.9, {}).grid is None
    (travel,) = Approaches(empty, 116.8, 33.9).travel(["car"], [116.81], [33.9])
    assert travel.method == "straight_line"
    assert travel.eta_s is not None
    assert travel.eta_s > 60
    assert Approaches(empty, 116.8, 33.9).route("car", 116.81, 33.9) is None
    assert empty.profile_for("foot") is None


def test_the_top_areas_name_serves_where_none_was_given(district_folder: Path, tmp_path: Path) -> None:
    shutil.copy(district_folder / AREAS, tmp_path / AREAS)
    assert load_district(tmp_path).about == About("八格县", COUNTY, "YP")
    assert not (tmp_path / ABOUT).exists()


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    (tmp_path / AREAS).write_bytes(b"not a geopackage")
    with pytest.raises(GisError):
        load_district(tmp_path)


def test_each_means_of_travel_takes_its_own_time(district: District) -> None:
    approaches = Approaches(district, *middle(G8))
    lon, lat = middle(G1)
    car, foot = approaches.travel(["car", "foot"], [lon, lon], [lat, lat])
    assert car.eta_s is not None
    assert foot.eta_s is not None
    assert foot.eta_s > 2 * car.eta_s
    assert (car.method, foot.method) == ("road", "road")
    assert approaches.to("car") is approaches.to("car")
    route = approaches.route("car", lon, lat)
    assert route is not None
    assert route.duration_s == pytest.approx(car.eta_s, rel=0.01)


class TestApproachBook:
    def test_a_field_is_made_once_per_place(self, district: District) -> None:
        book = ApproachBook(lambda: district)
        assert book.at(*middle(G1)) is book.at(*middle(G1))
        assert book.at(*middle(G1)) is not book.at(*middle(G5))
        assert len(book) == 2

    def test_the_least_recently_asked_goes_first(self, district: District) -> None:
        book = ApproachBook(lambda: district)
        first = book.at(116.8, 33.9)
        second = book.at(116.8, 33.91)
        for n in range(KEPT - 1):
            book.at(116.8, 33.9)
            book.at(116.81 + n * 1e-5, 33.9)
        assert len(book) == KEPT
        assert book.at(116.8, 33.9) is first
        assert book.at(116.8, 33.91) is not second

    def test_new_roads_make_new_fields(self, district: District, tmp_path: Path) -> None:
        now = [district]
        book = ApproachBook(lambda: now[0])
        old = book.at(*middle(G1))
        now[0] = load_district(tmp_path)
        assert book.at(*middle(G1)) is not old
        assert len(book) == 1


def test_closed_roads_stay_closed_when_another_part_is_imported(district: District, tmp_path: Path) -> None:
    (west, south), (east, north) = middle(G1), middle(G8)
    around = ((west, south), (east, south), (east, north), (west, north))
    closed = district.with_closures([Blockage("polygon", around, buffer_m=50.0)])
    assert closed.areas is district.areas
    assert closed.roads is district.roads is district.nearest
    assert closed.with_closures(closed.closures) is closed
    assert closed.with_closures([]).nearest is district.nearest
    # The road keeps its name, and nobody is sent over it.
    assert closed.road_at(116.8022, 33.9101) == district.road_at(116.8022, 33.9101)
    places = tmp_path / PLACES
    places.write_text("name,category,lon,lat\n新医院,hospital,116.81,33.91\n", "utf-8")
    later = load_district(district.folder, files={PLACES: places}, base=closed)
    assert [place.name for place in later.places] == ["新医院"]
    for one in (closed, later):
        spot, target = middle(G1), middle(G8)
        before = district.approach(*target, "car").seconds_at(*spot)
        assert one.approach(*target, "car").seconds_at(*spot) != before
        assert one.closures == closed.closures
