from __future__ import annotations

import json
from pathlib import Path

import pytest
import shapely

from gis.areas import Beat
from gis.errors import BadFile
from gis.files import Place, load_beats, load_places, write_beats

WEST = shapely.box(117.0, 34.0, 117.1, 34.1)
BOTH = shapely.MultiPolygon([WEST, shapely.box(117.2, 34.0, 117.3, 34.1)])


def test_beats_survive_a_round_trip(tmp_path: Path) -> None:
    beats = [Beat("B2", "一警格", "桥头派出所", WEST, ("G1", "G2")), Beat("B1", "二警格", "", BOTH)]
    write_beats(tmp_path / "beats.geojson", beats)
    loaded = load_beats(tmp_path / "beats.geojson")
    assert [(b.code, b.name, b.station, b.grids) for b in loaded] == [
        ("B2", "一警格", "桥头派出所", ("G1", "G2")),
        ("B1", "二警格", "", ()),
    ]
    assert loaded[0].geometry.equals(WEST)
    assert loaded[1].geometry.equals(BOTH)
    assert [path.name for path in tmp_path.iterdir()] == ["beats.geojson"]


def test_beats_by_other_hands(tmp_path: Path) -> None:
    path = tmp_path / "beats.geojson"
    fields = {"code": "B1", "name": "甲", "station": None, "grids": None}
    feature = {"type": "Feature", "properties": fields, "geometry": shapely.geometry.mapping(WEST)}
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}), "utf-8")
    assert load_beats(path) == [Beat("B1", "甲", "", WEST)]
    point = {**feature, "geometry": {"type": "Point", "coordinates": [117, 34]}}
    for document in (
        "{",
        "[]",
        "{}",
        json.dumps({"features": [point]}),
        json.dumps({"features": [{**feature, "geometry": None}]}),
        json.dumps({"features": [{**feature, "properties": {"name": "甲"}}]}),
    ):
        path.write_text(document, "utf-8")
        with pytest.raises(BadFile, match=r"beats\.geojson"):
            load_beats(path)
    with pytest.raises(BadFile):
        load_beats(tmp_path / "absent.geojson")


def test_places(tmp_path: Path) -> None:
    path = tmp_path / "places.csv"
    path.write_text(
        "row,name,kind,address,level,lon,lat\n"
        '1,桥头小学,学校,"桥头路1号，南门",,117.0,34.0\n2,,学校,,,117,34\n3,无处,,,,,\n4,桥,,,,117.5,34.5\n',
        "utf-8-sig",
    )
    assert load_places(path) == [
        Place("桥头小学", "学校", "桥头路1号，南门", 117.0, 34.0),
        Place("桥", "", "", 117.5, 34.5),
    ]
    for content in (b"a,b\n1,2\n", b"name,lon,lat\nx,y,z\n", b"\xff\xfe\xff"):
        path.write_bytes(content)
        with pytest.raises(BadFile, match=r"places\.csv"):
            load_places(path)
    with pytest.raises(BadFile):
        load_places(tmp_path / "absent.csv")
