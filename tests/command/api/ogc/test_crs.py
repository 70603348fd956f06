"""Part 2, conformance class Coordinate Reference Systems by Reference."""

from __future__ import annotations

import re

import pyproj
import pytest

from tests.command.api.ogc.conftest import Site
from tests.fixtures import G1, G5

EPSG = "http://www.opengis.net/def/crs/EPSG/0/"
CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
SYSTEMS = {
    CRS84: "OGC:CRS84",
    EPSG + "4326": "EPSG:4326",
    EPSG + "4490": "EPSG:4490",
    EPSG + "3857": "EPSG:3857",
}
LON, LAT = 116.8151, 33.9052
"""Of camera c1."""


def test_req_crs_crs_uri(site: Site) -> None:
    for one in site.json("/collections")["collections"]:
        assert all(re.fullmatch(r"http://www\.opengis\.net/def/crs/[\w./]+", uri) for uri in one["crs"])


def test_req_crs_fc_md_crs_list(site: Site) -> None:
    for one in site.json("/collections")["collections"]:
        assert one["crs"] == list(SYSTEMS)
        # Without heights the default is this one.
        assert one["crs"][0] == CRS84


def test_req_crs_fc_md_storage_crs_and_valid_value(site: Site) -> None:
    for one in site.json("/collections")["collections"]:
        assert one["storageCrs"] in one["crs"]


def test_req_crs_fc_md_crs_list_global(site: Site) -> None:
    content = site.json("/collections")
    for one in content["collections"]:
        assert set(one["crs"]) <= set(content["crs"])


def test_req_crs_fc_bbox_crs_definition_and_fc_crs_definition(site: Site) -> None:
    parameters = site.json("/api")["components"]["parameters"]
    for name in ("bbox-crs", "crs"):
        assert (parameters[name]["in"], parameters[name]["required"]) == ("query", False)
        assert (parameters[name]["style"], parameters[name]["explode"]) == ("form", False)
        assert parameters[name]["schema"]["type"] == "string"
        assert parameters[name]["schema"]["format"] == "uri"


@pytest.mark.parametrize("uri", [EPSG + "4979", "EPSG:4326", "x", "", CRS84 + "h", "GCJ-02"])
def test_req_crs_fc_bbox_crs_valid_value_and_fc_crs_valid_value(site: Site, uri: str) -> None:
    box = {"bbox": "116.8,33.9,116.9,34.0"}
    assert site.get("/collections/cameras/items", **box, bbox_crs=uri).status_code == 400
    assert site.get("/collections/cameras/items", crs=uri).status_code == 400
    assert site.get("/collections/cameras/items/c1", crs=uri).status_code == 400


def test_req_crs_fc_bbox_crs_valid_default_value(site: Site) -> None:
    box = "116.80,33.90,116.81,33.91"
    assert site.ids("incidents", bbox=box) == site.ids("incidents", bbox=box, bbox_crs=CRS84)
    assert site.ids("incidents", bbox=box) == [site.incidents[0]]


@pytest.mark.parametrize("uri", SYSTEMS)
def test_req_crs_fc_bbox_crs_action(site: Site, uri: str) -> None:
    move = pyproj.Transformer.from_crs("OGC:CRS84", SYSTEMS[uri]).transform
    low, high = move(116.8201, 33.9001), move(116.8299, 33.9099)
    box = ",".join(map(str, (*low, *high)))
    assert site.ids("grid", bbox=box, bbox_crs=uri) == [G5]
    assert site.ids("incidents", bbox=box, bbox_crs=uri) == [site.incidents[1]]
    assert site.ids("cameras", bbox=box, bbox_crs=uri) == ["c2"]


@pytest.mark.parametrize("box", ["116,33,117,34", "33,116,34"])
def test_req_crs_fc_bbox_crs_action_reads_the_order_of_the_axes(site: Site, box: str) -> None:
    # Longitude first is off the globe where latitude comes first.
    assert site.get("/collections/grid/items", bbox=box, bbox_crs=EPSG + "4326").status_code == 400
    assert site.get("/collections/grid/items", bbox="3e7,0,4e7,1", bbox_crs=EPSG + "3857").status_code == 400


def test_req_crs_fc_crs_default_value(site: Site) -> None:
    assert (
        site.json("/collections/grid/items")["features"]
        == site.json("/collections/grid/items", crs=CRS84)["features"]
    )


@pytest.mark.parametrize("uri", SYSTEMS)
def test_req_crs_fc_crs_action(site: Site, uri: str) -> None:
    wanted = pyproj.Transformer.from_crs("OGC:CRS84", SYSTEMS[uri]).transform(LON, LAT)
    by = 0.006 if uri.endswith("3857") else 1e-7
    [listed] = site.json("/collections/cameras/items", crs=uri, name="渡口街北")["features"]
    alone = site.json("/collections/cameras/items/c1", crs=uri)
    for feature in (listed, alone):
        assert feature["geometry"]["coordinates"] == pytest.approx(wanted, abs=by)
    corners = site.json(f"/collections/grid/items/{G1}", crs=uri)["geometry"]["coordinates"][0]
    corner = pyproj.Transformer.from_crs("OGC:CRS84", SYSTEMS[uri]).transform(116.80, 33.90)
    assert any(list(point) == pytest.approx(corner, abs=by) for point in corners)


@pytest.mark.parametrize("uri", [None, *SYSTEMS])
def test_req_crs_ogc_crs_header_and_header_value(site: Site, uri: str | None) -> None:
    query = {} if uri is None else {"crs": uri}
    for path in ("/collections/grid/items", "/collections/cameras/items/c1"):
        for form in ("json", "html"):
            answer = site.get(path, f=form, **query)
            assert answer.headers["content-crs"] == f"<{uri or CRS84}>"


def test_req_crs_geojson_pages_and_links_keep_the_system(site: Site) -> None:
    content = site.json("/collections/grid/items", crs=EPSG + "4326", limit=2)
    [following] = [link["href"] for link in content["links"] if link["rel"] == "next"]
    answer = site.follow(following)
    assert answer.headers["content-crs"] == f"<{EPSG}4326>"
    first = answer.json()["features"][0]["geometry"]["coordinates"][0][0]
    assert first[0] < 90 < first[1]
    for link in site.json("/collections/cameras/items/c1", crs=EPSG + "4326")["links"]:
        if link["rel"] == "self":
            assert site.follow(link["href"]).headers["content-crs"] == f"<{EPSG}4326>"
