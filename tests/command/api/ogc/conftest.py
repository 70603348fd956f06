"""The whole service on a loop of its own, opened once for all of these tests, which only read it."""

from __future__ import annotations

import asyncio
import shutil
import threading
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import httpx2
import pytest

if TYPE_CHECKING:
    from command.district import District
    from tests.fixtures import Centre, Keys

T = TypeVar("T")
Json = dict[str, Any]


@dataclass
class Site:
    """The service, and what was put into it.

    Attributes:
        incidents: Ids of incidents in G1, G5 and G8, an hour apart from 03:00 on.
        closure: Id of a closed road.
    """

    centre: Centre
    loop: asyncio.AbstractEventLoop
    incidents: list[str]
    closure: str

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Do something on the service's loop."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    def get(
        self, path: str = "", user: str | None = "leader", headers: Json | None = None, **query: Any
    ) -> httpx2.Response:
        """Ask for a resource under /ogc; parameters with a dash are written with an underscore."""
        params = {name.replace("bbox_crs", "bbox-crs"): value for name, value in query.items()}

        async def ask() -> httpx2.Response:
            if user is None:
                async with self.centre.anonymous() as nobody:
                    return await nobody.get(f"/ogc{path}", params=params, headers=headers)
            client = await self.centre.as_(user)
            return await client.get(f"/ogc{path}", params=params, headers=headers)

        return self.run(ask())

    def follow(self, href: str, user: str = "leader") -> httpx2.Response:
        """Follow a link."""

        async def ask() -> httpx2.Response:
            return await (await self.centre.as_(user)).get(href)

        return self.run(ask())

    def json(self, path: str = "", user: str = "leader", **query: Any) -> Json:
        """Ask for a resource that is there."""
        answer = self.get(path, user, **query)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def ids(self, collection: str, user: str = "leader", **query: Any) -> list[str]:
        """The ids of a collection's features, in their order."""
        found = self.json(f"/collections/{collection}/items", user, **query)
        return [feature["id"] for feature in found["features"]]


def hrefs(content: Json, rel: str) -> list[str]:
    """Where the links of a kind lead."""
    return [link["href"] for link in content["links"] if link["rel"] == rel]


@pytest.fixture(scope="package")
def site(
    prepared: tuple[Path, Keys], district: District, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    from tests.fixtures import G1, G5, G8, open_centre

    data = Path(shutil.copytree(prepared[0], tmp_path_factory.mktemp("ogc") / "data"))
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    def run(work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, loop).result(60)

    async def furnish(centre: Centre) -> tuple[list[str], str]:
        incidents = []
        for grid, title in ((G1, "道路塌陷"), (G5, "路灯不亮"), (G8, "<script>alert(1)</script>")):
            found = await centre.report(grid=grid, title=title, reporter_contact="13812340472")
            incidents.append(found["id"])
            centre.clock.advance(3_600)
            # Everybody is still heard of.
            centre.place_all()
        accepted = await centre.post("dispatcher", f"/incidents/{incidents[1]}/accept", {})
        assert accepted.status_code == 200, accepted.text
        off = await centre.post("supervisor", "/responders/w2/shift", {"on_duty": False})
        assert off.status_code == 200, off.text
        body = {"kind": "line", "coordinates": [[116.81, 33.90], [116.81, 33.92]], "reason": "塌方"}
        closed = await centre.post("dispatcher", "/closures", body)
        assert closed.status_code == 201, closed.text
        return incidents, closed.json()["id"]

    opened = open_centre(data, prepared[1], district)
    centre = run(opened.__aenter__())
    try:
        incidents, closure = run(furnish(centre))
        yield Site(centre, loop, incidents, closure)
    finally:
        run(opened.__aexit__(None, None, None))
        run(loop.shutdown_default_executor())
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
