"""Who reads what: by session, by name and password, by a reader's token."""

from __future__ import annotations

import asyncio
import base64

import httpx2
import pytest

from command.accounts.tokens import TokenRequest
from tests.command.api.ogc.conftest import Site
from tests.fixtures import G1, HOMES, PASSWORD, Centre, middle


def basic(name: str, password: str = PASSWORD) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def positions(site: Site, user: str) -> dict[str, list[float] | None]:
    features = site.json("/collections/responders/items", user)["features"]
    return {one["id"]: one["geometry"] and one["geometry"]["coordinates"] for one in features}


def test_a_collection_that_is_not_for_one_is_not_there(site: Site) -> None:
    for user, hidden in (
        ("admin", {"incidents", "closures"}),
        ("worker", {"cameras"}),
        ("dispatcher", set()),
    ):
        offered = {one["id"] for one in site.json("/collections", user)["collections"]}
        assert offered.isdisjoint(hidden)
        for name in hidden:
            for path in ("", "/items", "/items/x"):
                assert site.get(f"/collections/{name}{path}", user).status_code == 404
            described = site.json("/api", user)["paths"]
            assert not [path for path in described if path.startswith(f"/collections/{name}")]


def test_features_are_those_that_the_reader_may_see(site: Site) -> None:
    first, second, third = site.incidents
    assert site.ids("incidents", "town") == [first]
    assert site.ids("incidents", "worker") == [first]
    assert site.ids("incidents", "dept") == []
    assert site.ids("cameras", "town") == ["c1"]
    assert site.ids("cameras", "dept") == ["c2"]
    assert site.ids("township", "town") == ["340604001"]
    assert site.ids("county", "town") == []
    assert site.ids("beats", "town") == ["B-1"]
    assert [f["properties"]["name"] for f in site.json("/collections/places/items", "town")["features"]] == [
        "三桥中学"
    ]
    # Roads are closed for everybody who drives.
    assert site.ids("closures", "worker") == [site.closure]
    for user, path in (
        ("town", f"incidents/items/{second}"),
        ("worker", f"incidents/items/{third}"),
        ("town", "cameras/items/c2"),
        ("town", "township/items/340604010"),
        ("worker", "responders/items/w3"),
        ("dept", "cameras/items/c1"),
    ):
        assert site.get(f"/collections/{path}", user).status_code == 404, (user, path)
    # Neither a box nor the number of matches tells of what is hidden.
    [camera] = [one for one in site.json("/collections", "town")["collections"] if one["id"] == "cameras"]
    assert camera["extent"]["spatial"]["bbox"] == [[116.8151, 33.9052, 116.8151, 33.9052]]
    assert site.json("/collections/cameras/items", "town")["numberMatched"] == 1
    assert "spatial" not in site.json("/collections/incidents", "town")["extent"]
    assert site.ids("cameras", "town", name="十里铺路口") == []


def test_a_position_is_shown_on_duty_to_those_who_may_know_it(site: Site) -> None:
    seen = positions(site, "dispatcher")
    assert seen["w1"] == list(middle(HOMES["w1"]))
    assert seen["w2"] is None  # off duty
    assert set(positions(site, "operator").values()) == {None}
    assert set(positions(site, "admin").values()) == {None}
    assert set(positions(site, "worker")) == {"w1"}
    person = site.json("/collections/responders/items/w2", "dispatcher")
    assert person["geometry"] is None
    assert person["properties"]["fix_age_s"] is None


@pytest.mark.parametrize("user", ["leader", "dispatcher", "admin"])
def test_no_contact_number_device_or_source_goes_out(site: Site, user: str) -> None:
    for one in site.json("/collections", user)["collections"]:
        for form in ("json", "html"):
            text = site.get(f"/collections/{one['id']}/items", user, f=form, limit=1000).text
            for secret in ("0472", "1390000", "phone-", "trace_code", "reporter", "password", "rtsp"):
                assert secret not in text, (one["id"], secret)


def test_nobody_gets_anything_but_the_question_who_it_is(site: Site) -> None:
    for path in ("", "/conformance", "/api", "/collections", "/collections/grid/items", "/collections/none"):
        answer = site.get(path, user=None)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Basic ")
        assert answer.json()["code"] == "unauthenticated"
    for wrong in (
        {"authorization": "Basic"},
        {"authorization": "Basic %%%"},
        {"authorization": "Basic " + base64.b64encode(b"leader").decode()},
        {"authorization": "Basic " + base64.b64encode(b"leader:").decode()},
        {"authorization": "Basic " + base64.b64encode(b"\xff:\xff").decode()},
        {"authorization": "Basic " + "QQ" * 2_000},
        {"authorization": "Digest x"},
        bearer("yt_wrong"),
        bearer(site.centre.keys.integration),
        bearer(site.centre.keys.device),
        bearer(site.centre.keys.kiosk),
        basic("x", "yt_wrong"),
        basic("x", site.centre.keys.integration),
    ):
        assert site.get("/collections", user=None, headers=wrong).status_code == 401, wrong


async def counted(centre: Centre, action: str) -> int:
    items = (await centre.get("leader", "/audit")).json()["items"]
    return sum(row["action"] == action for row in items)


async def ask(centre: Centre, headers: dict[str, str], path: str = "/ogc/collections") -> httpx2.Response:
    async with centre.anonymous(**headers) as client:
        return await client.get(path)


async def test_a_password_signs_in_once_however_much_is_asked_and_ends_with_the_account(
    centre: Centre,
) -> None:
    await centre.as_("leader")
    before = await counted(centre, "session.opened")
    answers = await asyncio.gather(*(ask(centre, basic("town")) for _ in range(6)))
    assert [answer.status_code for answer in answers] == [200] * 6
    assert (await ask(centre, basic("town"))).status_code == 200
    assert await counted(centre, "session.opened") == before + 1
    assert not any("set-cookie" in answer.headers for answer in answers)
    found = await ask(centre, basic("town"), "/ogc/collections/cameras/items")
    assert [feature["id"] for feature in found.json()["features"]] == ["c1"]
    # It is no key to anything else.
    assert (await ask(centre, basic("town"), "/api/v1/cameras")).status_code == 401
    [user] = [u for u in (await centre.get("admin", "/users")).json()["items"] if u["username"] == "town"]
    assert (await centre.post("admin", f"/users/{user['id']}/disable")).status_code == 200
    assert (await ask(centre, basic("town"))).status_code == 401


async def test_wrong_passwords_are_slowed_down_and_recorded(centre: Centre) -> None:
    before = await counted(centre, "session.refused")
    statuses = [(await ask(centre, basic("dept", f"wrong-{n}"))).status_code for n in range(12)]
    assert statuses[0] == 401
    assert statuses[-1] == 429
    refused = await ask(centre, basic("dept"))
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) >= 1
    assert await counted(centre, "session.refused") == before + statuses.count(401)


async def test_a_readers_token_reads_its_area_and_opens_nothing_else(centre: Centre) -> None:
    issued = await centre.post(
        "admin", "/tokens", {"kind": "reader", "label": "规划处 QGIS", "area": "340604001"}
    )
    assert issued.status_code == 201, issued.text
    token = issued.json()["token"]
    for headers in (bearer(token), basic("anything", token)):
        found = await ask(centre, headers, "/ogc/collections/grid/items?limit=1")
        assert [feature["id"] for feature in found.json()["features"]] == [G1]
        assert found.json()["numberMatched"] == 4
        people = (await ask(centre, headers, "/ogc/collections/responders/items")).json()["features"]
        assert {person["id"] for person in people} == {"w1", "w2", "p1"}
        assert {person["geometry"]["type"] for person in people} == {"Point"}
        assert (await ask(centre, headers, "/ogc/collections/grid/items/340604010001001")).status_code == 404
        for path in ("/api/v1/areas", "/api/v1/cameras/c1/snapshot.jpg", "/api/v1/exports/areas.csv"):
            assert (await ask(centre, headers, path)).status_code == 401
    async with centre.anonymous(**bearer(token)) as client:
        assert (await client.post("/api/v1/positions", json={"lon": 1, "lat": 1})).status_code in (401, 403)
    whole, record = await centre.core.parts.tokens.issue(TokenRequest("reader", "GDAL"), "admin")
    found = await ask(centre, bearer(whole), "/ogc/collections/grid/items?limit=1")
    assert found.json()["numberMatched"] == 8
    await centre.core.parts.tokens.revoke(record.id, "admin")
    assert (await ask(centre, bearer(whole))).status_code == 401


async def test_links_carry_the_name_that_was_asked_for(centre: Centre) -> None:
    client = await centre.as_("leader")
    found = await client.get("/ogc", headers={"host": "localhost:9000"})
    assert all(link["href"].startswith("http://localhost:9000/ogc") for link in found.json()["links"])
    refused = await client.get("/ogc", headers={"host": "evil.example"})
    assert refused.status_code == 400
