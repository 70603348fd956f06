"""Part 1, conformance class Core: one test for each requirement, named after it."""

from __future__ import annotations

from datetime import datetime

import pytest

from tests.command.api.ogc.conftest import Site, hrefs
from tests.fixtures import CELL, COUNTY, G1, G2, G3, G4, G5, G6, G7, G8, SOUTH, WEST

CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
ALL = [
    "county",
    "township",
    "village",
    "grid",
    "beats",
    "places",
    "checkpoints",
    "cameras",
    "incidents",
    "responders",
    "closures",
]


def test_req_core_root_op(site: Site) -> None:
    assert site.get("").status_code == 200
    assert site.get("/").status_code == 200


def test_req_core_root_success(site: Site) -> None:
    content = site.json("")
    for rel in ("service-desc", "service-doc", "conformance", "data", "self", "alternate"):
        assert hrefs(content, rel), rel
    for link in content["links"]:
        assert site.follow(link["href"]).status_code == 200, link


def test_req_core_api_definition_op_and_success(site: Site) -> None:
    [desc] = hrefs(site.json(""), "service-desc")
    answer = site.follow(desc)
    assert answer.headers["content-type"] == "application/vnd.oai.openapi+json;version=3.0"
    assert answer.json()["openapi"].startswith("3.0.")
    [doc] = hrefs(site.json(""), "service-doc")
    assert site.follow(doc).headers["content-type"].startswith("text/html")


def test_req_core_conformance_op_and_success(site: Site) -> None:
    classes = site.json("/conformance")["conformsTo"]
    part1 = "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/"
    assert set(classes) == {
        *(part1 + name for name in ("core", "oas30", "html", "geojson")),
        "http://www.opengis.net/spec/ogcapi-features-2/1.0/conf/crs",
    }


def test_req_core_http(site: Site) -> None:
    assert site.get("/nowhere").status_code == 404
    assert site.get("/collections/cameras/items/none").status_code == 404

    async def post() -> int:
        client = await site.centre.as_("leader")
        return (await client.post("/ogc/collections")).status_code

    assert site.run(post()) == 405
    refused = site.get("/collections", headers={"accept": "image/png"})
    assert (refused.status_code, refused.json()["code"]) == (406, "NotAcceptable")


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/conformance",
        "/api",
        "/collections",
        "/collections/cameras",
        "/collections/cameras/items",
        "/collections/cameras/items/c1",
    ],
)
def test_req_core_query_param_unknown(site: Site, path: str) -> None:
    answer = site.get(path, unknown="1")
    assert (answer.status_code, answer.json()["code"]) == (400, "InvalidParameterValue")
    assert "unknown" in answer.json()["description"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("limit", value) for value in ("0", "-1", "x", "1.5", "", " 1", "9999999999")),
        *(("bbox", value) for value in ("1,2,3", "1,2,3,x", "1,2,3,4,5", "", "nan,0,1,1", "0,inf,1,1")),
        *(("bbox", value) for value in ("0,1,1,0", "0,0,1,91", "0,0,181,1", "1,2,3,4,5,6,7")),
        *(("datetime", value) for value in ("", "yesterday", "2026-13-01T00:00:00Z", "2026-11-22T00:00:00")),
        *(("datetime", value) for value in ("/", "../..", "2026-11-22T00:00:00Z/2026-11-21T00:00:00Z")),
        *(("datetime", value) for value in ("2026-11-22T00:00:00Z/x", "a/b/c", "2026-02-30", "20261122")),
        ("cursor", "c1"),
        ("cursor", "after."),
        ("cursor", "since.c1"),
        ("f", "xml"),
        ("f", ""),
        ("ptz", "yes"),
        ("enabled", "1"),
        ("name", "x" * 500),
    ],
)
def test_req_core_query_param_invalid(site: Site, name: str, value: str) -> None:
    answer = site.get("/collections/cameras/items", **{name: value})
    assert answer.status_code == 400, answer.text
    assert answer.json()["code"] == "InvalidParameterValue"
    assert answer.json()["description"].startswith(name)


def test_req_core_query_param_invalid_twice(site: Site) -> None:
    assert site.follow("/ogc/collections/cameras/items?limit=1&limit=2").status_code == 400
    assert site.get("/collections/grid/items", tier="four").status_code == 400


def test_req_core_crs84(site: Site) -> None:
    answer = site.get("/collections/cameras/items/c1")
    assert answer.json()["geometry"]["coordinates"] == [116.8151, 33.9052]
    assert answer.headers["content-crs"] == f"<{CRS84}>"


def test_req_core_fc_md_op_and_success(site: Site) -> None:
    assert [one["id"] for one in site.json("/collections")["collections"]] == ALL


def test_req_core_fc_md_links(site: Site) -> None:
    content = site.json("/collections")
    assert {link["type"] for link in content["links"]} == {"application/json", "text/html"}
    for link in content["links"]:
        assert link["rel"] in ("self", "alternate")
        assert site.follow(link["href"]).headers["content-type"].startswith(link["type"])


def test_req_core_fc_md_items_and_items_links(site: Site) -> None:
    for one in site.json("/collections")["collections"]:
        items = [link for link in one["links"] if link["rel"] == "items"]
        assert {link["type"] for link in items} == {"application/geo+json", "text/html"}
        assert all(link["title"] and link["href"] for link in items)
        assert one["itemType"] == "feature"


def test_req_core_fc_md_extent(site: Site) -> None:
    for one in site.json("/collections")["collections"]:
        features = site.json(f"/collections/{one['id']}/items")["features"]
        placed = [feature for feature in features if feature["geometry"] is not None]
        if not placed:
            assert "spatial" not in one.get("extent", {})
            continue
        west, south, east, north = one["extent"]["spatial"]["bbox"][0]
        assert one["extent"]["spatial"]["crs"] == CRS84
        box = f"{west - 1e-7},{south - 1e-7},{east + 1e-7},{north + 1e-7}"
        within = site.ids(one["id"], bbox=box, limit=1000)
        assert within == [feature["id"] for feature in placed]
    [incidents] = [one for one in site.json("/collections")["collections"] if one["id"] == "incidents"]
    begins, ends = incidents["extent"]["temporal"]["interval"][0]
    assert (begins, ends) == ("2026-11-22T03:00:01.000Z", None)


def test_req_core_sfc_md_op_and_success(site: Site) -> None:
    for one in site.json("/collections")["collections"]:
        alone = site.json(f"/collections/{one['id']}")
        assert alone == one
    assert site.get("/collections/none").status_code == 404


def test_req_core_fc_op(site: Site) -> None:
    for name in ALL:
        answer = site.get(f"/collections/{name}/items")
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/geo+json"


def test_req_core_fc_limit_definition(site: Site) -> None:
    limit = site.json("/api")["components"]["parameters"]["limit"]
    assert (limit["in"], limit["required"], limit["explode"]) == ("query", False, False)
    assert limit["schema"] == {"type": "integer", "minimum": 1, "maximum": 5_000, "default": 100}


def test_req_core_fc_limit_response_1(site: Site) -> None:
    assert len(site.ids("grid", limit=3)) == 3
    assert len(site.ids("grid", limit=8)) == 8
    # More than is given at once is no mistake.
    assert len(site.ids("grid", limit=1_000_000)) == 8


def test_req_core_fc_bbox_definition(site: Site) -> None:
    bbox = site.json("/api")["components"]["parameters"]["bbox"]
    assert (bbox["in"], bbox["style"], bbox["explode"]) == ("query", "form", False)
    assert bbox["schema"]["items"] == {"type": "number"}
    assert bbox["schema"]["oneOf"] == [{"minItems": 4, "maxItems": 4}, {"minItems": 6, "maxItems": 6}]


def test_req_core_fc_bbox_response(site: Site) -> None:
    def box(column: float, row: float, size: float = 0.2) -> str:
        west, south = WEST + CELL * column, SOUTH + CELL * row
        return f"{west},{south},{west + CELL * size},{south + CELL * size}"

    assert site.ids("grid", bbox=box(0.4, 0.4)) == [G1]
    # A rim is enough.
    assert site.ids("grid", bbox=box(0.4, 0.8)) == [G1, G2]
    assert site.ids("grid", bbox=box(0.9, 0.9)) == sorted([G1, G2, G3, G4])
    assert site.ids("cameras", bbox=box(2, 0, 1)) == ["c2"]
    assert site.ids("incidents", bbox=box(2, 0, 1)) == [site.incidents[1]]
    assert site.ids("closures", bbox=box(0.9, 0.2)) == [site.closure]
    assert site.ids("closures", bbox=box(1.2, 0.2)) == []
    # With heights, and over the date line: around the globe the other way.
    assert site.ids("grid", bbox="116.801,33.901,-5,116.802,33.902,9000") == [G1]
    assert site.ids("grid", bbox="170,-80,-170,80") == []
    assert site.ids("grid", bbox="116.0,33.0,115.0,34.0") == sorted([G1, G2, G3, G4, G5, G6, G7, G8])
    # Who is nowhere is in no box.
    assert "w2" not in site.ids("responders", bbox="-180,-90,180,90")
    assert "w2" in site.ids("responders")


def test_req_core_fc_time_definition(site: Site) -> None:
    time = site.json("/api")["components"]["parameters"]["datetime"]
    assert (time["in"], time["required"], time["schema"]) == ("query", False, {"type": "string"})


@pytest.mark.parametrize(
    ("said", "numbers"),
    [
        ("2026-11-22T04:00:02Z", [1]),
        ("2026-11-22T04:00:00Z", []),
        ("2026-11-22T03:30:00Z/..", [1, 2]),
        ("2026-11-22T03:30:00Z/", [1, 2]),
        ("../2026-11-22T04:30:00Z", [0, 1]),
        ("/2026-11-22T04:30:00Z", [0, 1]),
        ("2026-11-22T11:30:00+08:00/2026-11-22T12:30:00+08:00", [1]),
        ("2026-11-22t03:00:01z/2026-11-22T05:00:03.500Z", [0, 1, 2]),
        ("2026-11-22", [0, 1, 2]),
        ("2026-11-21/2026-11-21", []),
    ],
)
def test_req_core_fc_time_response(site: Site, said: str, numbers: list[int]) -> None:
    assert site.ids("incidents", datetime=said) == sorted(site.incidents[n] for n in numbers)


def test_req_core_fc_time_response_of_spans_and_of_what_has_no_time(site: Site) -> None:
    assert site.ids("closures", datetime="2026-11-22T08:00:00Z/..") == [site.closure]
    assert site.ids("closures", datetime="../2026-11-22T03:00:00Z") == []
    assert len(site.ids("grid", datetime="1999-01-01")) == 8


def test_req_core_fc_response(site: Site) -> None:
    both = site.ids("cameras", bbox="116.82,33.90,116.84,33.92", network="social")
    assert both == ["c3"]
    assert site.ids("incidents", state="accepted") == [site.incidents[1]]
    assert site.ids("incidents", state="accepted", grid=G1) == []
    assert site.ids("grid", parent=G5[:12]) == [G5, G6]
    assert site.ids("township", tier="2", name="三桥镇") == ["340604001"]
    assert site.ids("responders", on_duty="false") == ["w2"]
    assert site.ids("county") == [COUNTY]


def test_req_core_fc_links_and_rel_type(site: Site) -> None:
    content = site.json("/collections/cameras/items")
    kinds = {"self": "application/geo+json", "alternate": "text/html", "collection": "application/json"}
    assert {link["rel"]: link["type"] for link in content["links"]} == kinds
    for link in content["links"]:
        assert site.follow(link["href"]).headers["content-type"].startswith(link["type"])


@pytest.mark.parametrize("name", ["grid", "incidents"])
def test_req_core_fc_links_lead_through_all_pages_and_back(site: Site, name: str) -> None:
    everything = site.ids(name)
    content = site.json(f"/collections/{name}/items", limit=2, bbox="116,33,118,35")
    assert not hrefs(content, "prev")
    seen = [[feature["id"] for feature in content["features"]]]
    while hrefs(content, "next"):
        content = site.follow(hrefs(content, "next")[0]).json()
        seen.append([feature["id"] for feature in content["features"]])
    assert [key for page in seen for key in page] == everything
    assert {len(page) for page in seen[:-1]} == {2}
    back = [seen[-1]]
    while hrefs(content, "prev"):
        content = site.follow(hrefs(content, "prev")[0]).json()
        assert hrefs(content, "next")
        back.insert(0, [feature["id"] for feature in content["features"]])
    assert [key for page in back for key in page] == everything
    # In the other form the links stay in that form.
    page = site.get(f"/collections/{name}/items", limit=2, f="html").text
    assert "f=html" in page
    assert "cursor=after." in page


def test_req_core_fc_timestamp(site: Site) -> None:
    stamp = site.json("/collections/grid/items")["timeStamp"]
    assert datetime.fromisoformat(stamp).tzinfo is not None


def test_req_core_fc_number_matched_and_returned(site: Site) -> None:
    content = site.json("/collections/grid/items", limit=3)
    assert (content["numberMatched"], content["numberReturned"]) == (8, 3)
    content = site.json("/collections/incidents/items", limit=2, datetime="2026-11-22T03:30:00Z/..")
    assert (content["numberMatched"], content["numberReturned"]) == (2, 2)
    # Whoever does not see all of them is not told how many there are.
    content = site.json("/collections/incidents/items", "town")
    assert "numberMatched" not in content
    assert content["numberReturned"] == 1


def test_req_core_f_op_and_success(site: Site) -> None:
    for name in ALL:
        features = site.json(f"/collections/{name}/items")["features"]
        for feature in features[:2]:
            alone = site.json(f"/collections/{name}/items/{feature['id']}")
            links = alone.pop("links")
            assert alone == feature
            assert links


def test_req_core_f_links(site: Site) -> None:
    content = site.json("/collections/cameras/items/c1")
    assert {link["rel"] for link in content["links"]} == {"self", "alternate", "collection"}
    for link in content["links"]:
        assert site.follow(link["href"]).status_code == 200
