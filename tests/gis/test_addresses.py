"""House numbers of an extract: read once each, kept in a file, and the nearest one found."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import osmium
import pytest
from osmium.osm.mutable import Node, Way

from gis.addresses import NO_ADDRESSES, Addresses, read_addresses
from gis.crs import distance_m
from gis.errors import BadFile

STREET = {"addr:street": "人民路"}


def write_extract(path: Path) -> Path:
    """A street with houses: as points, as an outline, twice the same, and without a street."""
    with osmium.SimpleWriter(str(path)) as writer:
        for number, (lon, lat, tags) in enumerate(
            [
                (116.80, 33.90, {**STREET, "addr:housenumber": "12"}),
                (116.8004, 33.9003, {**STREET, "addr:housenumber": "12", "name": "小店"}),
                (116.82, 33.90, {**STREET, "addr:housenumber": "12"}),
                (116.801, 33.90, {**STREET, "addr:housenumber": "14号"}),
                (116.81, 33.91, {"addr:place": "桥头村", "addr:housenumber": "3组7号"}),
                (116.81, 33.92, {"addr:full": "  石台镇  东门 5 号 "}),
                (116.81, 33.93, {"addr:housenumber": "99"}),
                (116.70, 33.80, {}),
                (116.71, 33.80, {}),
                (116.71, 33.81, {}),
                (116.70, 33.81, {}),
            ],
            start=1,
        ):
            writer.add_node(Node(id=number, version=1, location=(lon, lat), tags=tags))
        house = {"building": "yes", "addr:street": "Bahnhofstrasse", "addr:housenumber": "7a"}
        writer.add_way(Way(id=1, version=1, nodes=[8, 9, 10, 11, 8], tags=house))
        writer.add_way(Way(id=2, version=1, nodes=[901, 902], tags=house))
    return path


@pytest.fixture
def houses(tmp_path: Path) -> Addresses:
    return read_addresses(write_extract(tmp_path / "town.osm.pbf"))


def test_each_house_is_read_once_and_as_people_write_it(houses: Addresses) -> None:
    # A shop in number 12 is number 12; two kilometres on begins another 人民路.
    assert houses.labels == (
        "Bahnhofstrasse 7a",
        "人民路12号",
        "人民路12号",
        "人民路14号",
        "桥头村3组7号",
        "石台镇 东门 5 号",
    )
    assert (houses.lon[0], houses.lat[0]) == pytest.approx((116.705, 33.805), abs=1e-7)


def test_the_nearest_house_is_found_only_where_it_is_near(houses: Addresses) -> None:
    found = houses.near(116.8011, 33.9001, 30.0)
    assert found is not None
    assert found.label == "人民路14号"
    assert found.away_m == pytest.approx(float(distance_m(116.8011, 33.9001, 116.801, 33.90)), abs=0.05)
    assert houses.near(116.8011, 33.9004, 30.0) is None
    assert NO_ADDRESSES.near(116.8, 33.9, 1e6) is None


def test_a_file_keeps_them_to_the_centimetre(houses: Addresses, tmp_path: Path) -> None:
    houses.save(tmp_path / "addresses.npz")
    again = Addresses.load(tmp_path / "addresses.npz")
    assert again.labels == houses.labels
    assert np.abs(again.lon - houses.lon).max() < 1e-7
    assert [path.name for path in tmp_path.glob("*.part")] == []
    NO_ADDRESSES.save(tmp_path / "none.npz")
    assert len(Addresses.load(tmp_path / "none.npz")) == 0


@pytest.mark.parametrize("keep", [0, 40, 0.5])
def test_a_damaged_file_is_named(houses: Addresses, tmp_path: Path, keep: float) -> None:
    path = tmp_path / "addresses.npz"
    houses.save(path)
    content = path.read_bytes()
    path.write_bytes(content[: int(keep if keep >= 1 else keep * len(content))])
    with pytest.raises(BadFile, match=r"addresses\.npz"):
        Addresses.load(path)
    path.write_bytes(b"lon,lat\n")
    with pytest.raises(BadFile):
        Addresses.load(path)


def test_what_is_no_map_is_refused(tmp_path: Path) -> None:
    (tmp_path / "cut.osm.pbf").write_bytes(b"no map")
    with pytest.raises(BadFile):
        read_addresses(tmp_path / "cut.osm.pbf")
