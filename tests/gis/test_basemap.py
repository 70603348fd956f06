from __future__ import annotations

import json
import subprocess
from pathlib import Path

import osmium
import pytest
from osmium.osm.mutable import Node, Way

from gis import basemap
from gis.errors import BadFile, ToolFailed

OSM = """<?xml version="1.0" encoding="UTF-8"?><osm version="0.6">
<node id="1" version="1" lon="117.0" lat="34.0"/><node id="2" version="1" lon="117.01" lat="34.0"/>
<node id="3" version="1" lon="117.01" lat="34.01"/><node id="4" version="1" lon="117.0" lat="34.01"/>
<node id="5" version="1" lon="117.005" lat="34.005"><tag k="place" v="village"/><tag k="name" v="Bridge"/>
<tag k="name:zh" v="桥头村"/></node>
<way id="1" version="1"><nd ref="1"/><nd ref="2"/><tag k="highway" v="primary"/>
<tag k="bridge" v="yes"/></way>
<way id="2" version="1"><nd ref="1"/><nd ref="2"/><nd ref="3"/><nd ref="1"/><tag k="building" v="yes"/>
<tag k="building:levels" v="6"/><tag k="amenity" v="school"/><tag k="name" v="小学"/></way>
<way id="3" version="1"><nd ref="1"/><nd ref="2"/><nd ref="3"/><nd ref="4"/><nd ref="1"/>
<tag k="natural" v="water"/></way>
<way id="4" version="1"><nd ref="3"/><nd ref="99"/><tag k="waterway" v="river"/></way>
<way id="5" version="1"><nd ref="3"/><nd ref="4"/><tag k="waterway" v="drain"/><tag k="name" v="小沟"/></way>
</osm>"""


def write(tmp_path: Path, text: str = OSM) -> Path:
    path = tmp_path / "town.osm"
    path.write_text(text, encoding="utf-8")
    return path


def test_layers_and_fields(tmp_path: Path) -> None:
    counts = basemap.write_layers(write(tmp_path), tmp_path)
    assert counts == {"water": 1, "waterway": 1, "building": 1, "transportation": 1, "place": 1, "poi": 1}
    read = {
        layer: [json.loads(line) for line in (tmp_path / f"{layer}.geojsonl").read_text("utf-8").splitlines()]
        for layer in counts
    }
    assert read["transportation"][0]["properties"] == {"class": "primary", "bridge": 1}
    assert read["transportation"][0]["tippecanoe"] == {"minzoom": 8, "maxzoom": 14}
    assert read["place"][0]["properties"] == {"class": "village", "name": "桥头村"}
    assert read["building"][0]["properties"] == {"levels": 6}
    assert read["building"][0]["geometry"]["type"] == "MultiPolygon"
    assert read["poi"][0]["properties"] == {"class": "school", "name": "小学"}
    assert read["waterway"][0]["properties"] == {"class": "ditch", "name": "小沟"}


def test_tiles_are_built_with_progress(tmp_path: Path) -> None:
    told: list[float] = []
    out = tmp_path / "out.pmtiles"
    basemap.build_basemap(write(tmp_path), out, progress=lambda share, _what: told.append(share))
    assert out.read_bytes().startswith(b"PMTiles")
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out.pmtiles", "town.osm"]


def test_lakes_and_hills_are_named_by_points(tmp_path: Path) -> None:
    extract = tmp_path / "hills.osm.pbf"
    with osmium.SimpleWriter(str(extract)) as writer:
        for number, spot in enumerate(
            [(117.0, 34.0), (117.01, 34.0), (117.01, 34.01), (117.0, 34.01)], start=1
        ):
            writer.add_node(Node(id=number, version=1, location=spot))
        peak = {"natural": "peak", "name": "Stone", "name:zh": "青石山"}
        writer.add_node(Node(id=5, version=1, location=(117.02, 34.0), tags=peak))
        lake = {"natural": "water", "name": "镜湖"}
        writer.add_way(Way(id=1, version=1, nodes=[1, 2, 3, 4, 1], tags=lake))
    basemap.write_layers(extract, tmp_path)
    rows = [json.loads(line) for line in (tmp_path / "poi.geojsonl").read_text("utf-8").splitlines()]
    named = {row["properties"]["name"]: row for row in rows}
    assert named["青石山"]["properties"]["class"] == "peak"
    assert named["镜湖"]["properties"]["class"] == "water"
    assert named["镜湖"]["geometry"]["coordinates"] == [117.005, 34.005]
    river = {"natural": "water", "water": "river", "name": "大河"}
    assert basemap._lake_name(river) is None, "a river is named along its line"


def test_nothing_to_draw_and_broken_extracts(tmp_path: Path) -> None:
    empty = write(tmp_path, '<osm version="0.6"><node id="1" version="1" lon="1" lat="1"/></osm>')
    with pytest.raises(BadFile, match="nothing that a map"):
        basemap.build_basemap(empty, tmp_path / "out.pmtiles")
    (tmp_path / "x.osm.pbf").write_bytes(b"\0\0\0\x0cnonsense")
    with pytest.raises(BadFile):
        basemap.build_basemap(tmp_path / "x.osm.pbf", tmp_path / "out.pmtiles")
    assert not (tmp_path / "out.pmtiles").exists()


def test_the_tool_missing_failing_or_hanging(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(script: str, match: str) -> None:
        tool = tmp_path / "tippecanoe"
        tool.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        tool.chmod(0o755)
        monkeypatch.setattr(basemap, "find_tippecanoe", lambda: tool)
        with pytest.raises(ToolFailed, match=match):
            basemap.build_basemap(write(tmp_path), tmp_path / "out.pmtiles")

    run("echo first >&2; echo out of luck >&2; exit 3", "out of luck")
    run("exit 4", "ended with 4")

    def hang(*args: object, **more: object) -> None:
        raise subprocess.TimeoutExpired("tippecanoe", 1.0)

    monkeypatch.setattr(subprocess, "run", hang)
    run("exit 0", "took longer")


def test_finding_the_tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert basemap.find_tippecanoe().name == "tippecanoe"
    monkeypatch.setattr(basemap.sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolFailed, match="not installed"):
        basemap.find_tippecanoe()
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "tippecanoe").write_text("#!/bin/sh\n", encoding="utf-8")
    (tmp_path / "bin" / "tippecanoe").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert basemap.find_tippecanoe() == tmp_path / "bin" / "tippecanoe"


@pytest.mark.parametrize(
    ("tags", "kept"),
    [
        ({"highway": "footway"}, ("transportation", 13, "path")),
        ({"highway": "residential", "area": "yes"}, None),
        ({"railway": "rail"}, ("transportation", 9, "rail")),
        ({"boundary": "administrative", "admin_level": "6"}, ("boundary", 5, None)),
        ({"boundary": "administrative", "admin_level": "8"}, ("boundary", 9, None)),
        ({"boundary": "administrative"}, None),
        ({}, None),
    ],
)
def test_lines(tags: dict[str, str], kept: tuple[str, int, str | None] | None) -> None:
    line = basemap.line_feature(tags)
    assert (None if line is None else (line[0], line[1], line[2].get("class"))) == kept


@pytest.mark.parametrize(
    ("tags", "layer", "kind"),
    [
        ({"landuse": "meadow"}, "landcover", "grass"),
        ({"natural": "wood"}, "landcover", "forest"),
        ({"leisure": "park"}, "landcover", "park"),
        ({"landuse": "reservoir"}, "water", None),
        ({"building": "yes"}, "building", None),
        ({"boundary": "administrative", "admin_level": "10"}, "boundary", None),
    ],
)
def test_areas(tags: dict[str, str], layer: str, kind: str | None) -> None:
    kept = basemap.area_feature(tags)
    assert kept is not None
    assert (kept[0], kept[2].get("class")) == (layer, kind)


def test_unknown_areas_and_points() -> None:
    assert basemap.area_feature({"building": "no"}) is None
    assert basemap.point_feature({"place": "village"}) is None
    assert basemap.point_feature({"amenity": "bench", "name": "x"}) is None
    assert basemap.point_feature({"amenity": "police", "name": "派出所"}) == (
        "poi",
        12,
        {"class": "police", "name": "派出所"},
    )
