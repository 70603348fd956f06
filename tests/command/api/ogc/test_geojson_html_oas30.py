"""Part 1, conformance classes GeoJSON, HTML and OpenAPI 3.0."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest
import shapely

from tests.command.api.ogc.conftest import Site

PAGES = (
    "",
    "/conformance",
    "/api",
    "/collections",
    "/collections/grid",
    "/collections/grid/items",
    "/collections/cameras/items/c1",
)


def test_req_geojson_definition(site: Site) -> None:
    for path in ("/collections/grid/items", "/collections/cameras/items/c1"):
        for headers in ({"accept": "application/geo+json"}, {"accept": "application/json"}, {}):
            answer = site.get(path, headers=headers)
            assert answer.headers["content-type"] == "application/geo+json"


def test_req_geojson_content(site: Site) -> None:
    for one in site.json("/collections")["collections"]:
        content = site.json(f"/collections/{one['id']}/items")
        assert content["type"] == "FeatureCollection"
        assert isinstance(content["links"], list)
        for feature in content["features"]:
            assert set(feature) == {"type", "id", "geometry", "properties"}
            assert feature["type"] == "Feature"
            if feature["geometry"] is None:
                continue
            shape = shapely.geometry.shape(feature["geometry"])
            assert shape.is_valid
            assert 116 < shape.centroid.x < 118
            assert 33 < shape.centroid.y < 35
            for polygon in shapely.get_parts(shape) if "Polygon" in shape.geom_type else ():
                assert shapely.is_ccw(polygon.exterior)


class Reading(HTMLParser):
    """What a page is made of."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.tags: set[str] = set()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag not in ("meta", "link", "br"):
            self.open.append(tag)
        for name, value in attrs:
            assert name not in ("style", "onclick"), (tag, name)
            if name == "href" and tag == "a":
                self.links.append(value or "")
            if name in ("src", "href") and tag != "a":
                self.loaded.append(value or "")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("path", PAGES)
def test_req_html_definition_and_content(site: Site, path: str) -> None:
    by_header = site.get(path, headers={"accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"})
    by_name = site.get(path, f="html")
    for answer in (by_header, by_name):
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
    page = Reading()
    page.feed(by_name.text)
    assert page.open == []
    # Nothing from elsewhere, no script.
    assert page.tags.isdisjoint({"script", "img", "iframe", "style"})
    assert all(address.startswith("/static/") for address in page.loaded)
    # Everything that the other form links to can be reached.
    if path != "/api":
        machine = site.json(path, f="json")
        wanted = {re.sub(r"\?.*", "", link["href"]) for link in machine["links"]}
        assert wanted <= {re.sub(r"\?.*", "", href) for href in page.links}
    for href in page.links[:12]:
        assert site.follow(href).status_code == 200, href


def test_req_html_content_shows_every_property_and_no_markup_of_others(site: Site) -> None:
    page = site.get("/collections/cameras/items", f="html").text
    assert "渡口街北" in page
    assert "gb_id" in page
    feature = site.get("/collections/incidents/items/" + site.incidents[0], f="html").text
    assert "道路塌陷" in feature
    assert "116.805" in feature

    # What a person typed is text.
    for path in ("/collections/incidents/items", f"/collections/incidents/items/{site.incidents[2]}"):
        page = site.get(path, f="html").text
        assert "&lt;script&gt;" in page
        assert "<script" not in page
    refused = site.get("/collections/grid/items", name="<script>alert(1)</script>", f="html")
    assert refused.status_code == 200
    assert "<script>" not in refused.text


# -- OpenAPI 3.0 ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def definition(site: Site) -> dict[str, Any]:
    return site.json("/api")


def test_req_oas30_oas_definition_1(site: Site) -> None:
    answer = site.get("/api", headers={"accept": "application/vnd.oai.openapi+json;version=3.0"})
    assert answer.headers["content-type"] == "application/vnd.oai.openapi+json;version=3.0"
    assert site.get("/api", f="html").headers["content-type"].startswith("text/html")


def test_req_oas30_oas_definition_2(definition: dict[str, Any]) -> None:
    assert set(definition) == {"openapi", "info", "servers", "security", "paths", "components"}
    assert definition["openapi"] == "3.0.3"
    assert {"title", "version"} <= set(definition["info"])
    operations = [methods["get"] for methods in definition["paths"].values()]
    names = [operation["operationId"] for operation in operations]
    assert len(names) == len(set(names))
    for path, methods in definition["paths"].items():
        declared = [
            resolve(definition, one)["name"]
            for one in methods["get"]["parameters"]
            if resolve(definition, one)["in"] == "path"
        ]
        assert declared == re.findall(r"\{(\w+)\}", path)
        assert all("description" in resolve(definition, r) for r in methods["get"]["responses"].values())
    for parameter in definition["components"]["parameters"].values():
        assert {"name", "in", "schema"} <= set(parameter)
    for reference in references(definition):
        assert resolve(definition, {"$ref": reference})


def resolve(document: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in part:
        return part
    found: Any = document
    for step in part["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    return dict(found)


def references(part: object) -> set[str]:
    if isinstance(part, dict):
        own = {part["$ref"]} if "$ref" in part else set()
        return own.union(*(references(value) for value in part.values()))
    return set().union(*(references(value) for value in part)) if isinstance(part, list) else set()


def test_req_oas30_oas_impl(site: Site, definition: dict[str, Any]) -> None:
    server = definition["servers"][0]["url"]
    ids = {"cameras": "c1", "grid": "340604001001001"}
    for path, methods in definition["paths"].items():
        name = path.split("/")[2] if path.count("/") > 1 else ""
        if "{" in path and name not in ids:
            continue
        href = server + path.replace("{featureId}", ids.get(name, ""))
        answer = site.follow(href)
        assert answer.status_code == 200, href
        assert answer.headers["content-type"] in methods["get"]["responses"]["200"]["content"]
        for parameter in methods["get"]["parameters"]:
            said = resolve(definition, parameter)
            if said["in"] == "query" and said["name"] == "f":
                assert said["schema"]["enum"] == ["json", "html"]


def test_req_oas30_completeness(site: Site, definition: dict[str, Any]) -> None:
    for path, methods in definition["paths"].items():
        statuses = set(methods["get"]["responses"])
        assert statuses == {"200", "400", "401", "404", "406", "429", "500"}, path
    offered = {one["id"] for one in site.json("/collections")["collections"]}
    assert offered == {path.split("/")[2] for path in definition["paths"] if path.startswith("/collections/")}
    # Each parameter that is described is understood.
    items = definition["paths"]["/collections/cameras/items"]["get"]["parameters"]
    names = {resolve(definition, one)["name"] for one in items}
    assert {"limit", "bbox", "bbox-crs", "datetime", "crs", "cursor", "f", "status", "network"} <= names


def test_req_oas30_exceptions_codes(site: Site, definition: dict[str, Any]) -> None:
    schema = definition["components"]["schemas"]["Exception"]
    assert schema["required"] == ["code"]
    for path, query, status in (
        ("/collections/grid/items", {"limit": "x"}, 400),
        ("/collections/none", {}, 404),
        ("/collections/cameras/items/none", {}, 404),
    ):
        answer = site.get(path, **query)
        assert answer.status_code == status
        assert answer.json()["code"]
        assert answer.json()["description"]
        assert answer.headers["content-type"] == "application/json"


def test_req_oas30_security(site: Site, definition: dict[str, Any]) -> None:
    schemes = definition["components"]["securitySchemes"]
    assert {(one["type"], one.get("scheme")) for one in schemes.values()} == {
        ("apiKey", None),
        ("http", "basic"),
        ("http", "bearer"),
    }
    assert {name for one in definition["security"] for name in one} == set(schemes)
    assert site.get("/collections", user=None).status_code == 401
