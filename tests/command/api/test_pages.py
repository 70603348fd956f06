from __future__ import annotations

import re

import pytest

from tests.command.api.test_incidents import error
from tests.fixtures import Centre

LOCAL = re.compile(r"""(?:src|href)\s*=\s*["'](https?:)?//""")


@pytest.mark.parametrize("path", ["/", "/wall", "/field", "/video", "/lead", "/admin", "/login", "/docs"])
async def test_pages_come_from_here_and_from_nowhere_else(centre: Centre, path: str) -> None:
    async with centre.anonymous() as client:
        answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/html")
    assert not LOCAL.search(answer.text)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_everything_a_page_names_is_there(centre: Centre) -> None:
    async with centre.anonymous() as client:
        for page in ("/", "/wall", "/field", "/video", "/lead", "/admin", "/login"):
            text = (await client.get(page)).text
            for name in re.findall(r"""(?:src|href)=["'](/[^"'#?]+)["']""", text):
                answer = await client.get(name)
                assert answer.status_code in (200, 303), (page, name)
                if name.endswith((".js", ".mjs")):
                    assert answer.headers["content-type"].startswith("text/javascript")


async def test_a_wall_opens_by_its_address_and_sees_no_more_than_a_wall(centre: Centre) -> None:
    async with centre.anonymous() as client:
        themed = await client.get("/wall", params={"kiosk": centre.keys.kiosk, "theme": "coverage"})
        assert (themed.status_code, themed.headers["location"]) == (303, "/wall?theme=coverage")
        answer = await client.get("/wall", params={"kiosk": centre.keys.kiosk})
        assert (answer.status_code, answer.headers["location"]) == (303, "/wall")
        session = (await client.get("/api/v1/session")).json()
        assert session["user"]["role"] == "wall"
        body = {"title": "x", "category": "other", "lon": 116.8, "lat": 33.9}
        error(await client.post("/api/v1/incidents", json=body), 403, "forbidden")
    async with centre.anonymous() as client:
        error(await client.get("/wall", params={"kiosk": "wrong"}), 401, "unauthenticated")


async def test_without_roads_there_is_no_basemap(centre: Centre) -> None:
    client = await centre.as_("operator")
    error(await client.get("/tiles/basemap.pmtiles"), 404, "not_found")
    async with centre.anonymous() as stranger:
        error(await stranger.get("/tiles/basemap.pmtiles"), 401, "unauthenticated")


async def test_what_is_not_there_is_404_in_the_one_form(centre: Centre) -> None:
    async with centre.anonymous() as client:
        error(await client.get("/api/v1/nothing"), 404, "not_found")
        for path in ("/static/../command/server.py", "/static/%2e%2e/pyproject.toml", "/static/none.js"):
            assert (await client.get(path)).status_code == 404
        error(await client.put("/api/v1/incidents"), 405, "method_not_allowed")
