"""GDAL's own client reads the service over a real socket.

GDAL works in a process of its own: it holds the interpreter's lock while it waits for an answer, and the service
that should give it would never get its turn.
"""

from __future__ import annotations

import asyncio
import math
import multiprocessing
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import numpy as np
import pyogrio
import pytest
import shapely
import uvicorn

from command.accounts.tokens import TokenRequest
from tests.command.api.ogc.conftest import Site
from tests.fixtures import G1, G2, GRIDS, PASSWORD

pytestmark = pytest.mark.skipif(
    "OAPIF" not in pyogrio.list_drivers(), reason="this GDAL has no OGC API – Features driver"
)
OPTIONS = ("GDAL_HTTP_AUTH", "GDAL_HTTP_BEARER", "GDAL_HTTP_USERPWD")


@pytest.fixture(scope="module")
def address(site: Site) -> Iterator[str]:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(site.centre.app, log_config=None, lifespan="off"))
    # The service runs already; this only gives it a socket.
    serving = asyncio.run_coroutine_threadsafe(server.serve(sockets=[listener]), site.loop)
    try:
        yield f"OAPIF:http://127.0.0.1:{listener.getsockname()[1]}/ogc"
    finally:
        server.should_exit = True
        serving.result(20)
        listener.close()


class Gdal:
    """GDAL in a process of its own, at one address."""

    def __init__(self, site: Site, address: str, process: ProcessPoolExecutor) -> None:
        self._site = site
        self._address = address
        self._process = process

    def ask(self, call: Callable[..., Any], *given: Any, **options: Any) -> Any:
        """Call a function of pyogrio there."""
        return self._process.submit(call, *given, **options).result(60)

    def sign(self, **options: str | None) -> None:
        """Say with which of `OPTIONS` it signs in; with none of the others."""
        self.ask(
            pyogrio.set_gdal_config_options,
            {**dict.fromkeys(OPTIONS), **options, "GDAL_HTTP_TIMEOUT": "20"},
        )

    def as_reader(self, area: str | None = None) -> None:
        """Let it send a reader's token."""
        tokens = self._site.centre.core.parts.tokens
        token, _ = self._site.run(tokens.issue(TokenRequest("reader", "GDAL", area=area), "admin"))
        self.sign(GDAL_HTTP_AUTH="BEARER", GDAL_HTTP_BEARER=token)

    def layers(self) -> list[str]:
        return [str(name) for name, _ in self.ask(pyogrio.list_layers, self._address)]

    def info(self, layer: str) -> dict[str, Any]:
        return dict(self.ask(pyogrio.read_info, self._address, layer=layer))

    def read(self, layer: str, **options: Any) -> tuple[dict[str, Any], Any, dict[str, Any]]:
        """Return what is said of a layer, its geometries, and its columns by name."""
        meta, _, wkb, columns = self.ask(pyogrio.raw.read, self._address, layer=layer, **options)
        return meta, shapely.from_wkb(wkb), dict(zip(meta["fields"].tolist(), columns, strict=True))

    def cameras(self, **options: str) -> dict[str, shapely.Point]:
        meta, shapes, columns = self.read("cameras", **options)
        if "CRS" in options:
            assert meta["crs"] == options["CRS"]
        return dict(zip(columns["id"], shapes, strict=True))


@pytest.fixture(scope="module")
def gdal(site: Site, address: str) -> Iterator[Gdal]:
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        yield Gdal(site, address, process)


def test_gdal_lists_reads_pages_and_narrows(site: Site, gdal: Gdal) -> None:
    gdal.as_reader()
    assert {"county", "grid", "cameras", "incidents", "responders", "closures"} <= set(gdal.layers())
    # Three to a page: it must follow the links.
    _, shapes, columns = gdal.read("grid", PAGE_SIZE="3")
    assert sorted(columns["code"]) == sorted(GRIDS)
    places = {area.code: area.geometry for area in site.centre.core.district.areas.grids}
    for code, shape in zip(columns["code"], shapes, strict=True):
        assert shapely.symmetric_difference(shape, places[code]).area < 1e-12
    _, _, columns = gdal.read("grid", bbox=(116.802, 33.908, 116.804, 33.912))
    assert sorted(columns["code"]) == [G1, G2]
    info = gdal.info("cameras")
    assert info["features"] == 3
    assert np.allclose(info["total_bounds"], (116.8151, 33.905, 116.835, 33.915))
    _, shapes, columns = gdal.read("incidents")
    assert sorted(columns["id"]) == sorted(site.incidents)
    assert {shape.geom_type for shape in shapes} == {"Point"}


def test_gdal_reads_other_systems_in_their_own_order(gdal: Gdal) -> None:
    gdal.as_reader()
    plain = gdal.cameras()["c1"]
    assert (plain.x, plain.y) == pytest.approx((116.8151, 33.9052), abs=1e-7)
    # Latitude comes first on the wire. EPSG:4326 is not tried: GDAL takes it for CRS84 and asks for that.
    assert gdal.cameras(CRS="EPSG:4490")["c1"].distance(plain) < 1e-7
    moved = gdal.cameras(CRS="EPSG:3857")["c1"]
    assert moved.x == pytest.approx(6_378_137 * math.radians(plain.x), abs=0.01)
    assert moved.y == pytest.approx(6_378_137 * math.asinh(math.tan(math.radians(plain.y))), abs=0.01)


def test_gdal_sees_what_its_reader_may(gdal: Gdal) -> None:
    gdal.as_reader(area="340604001")
    assert set(gdal.cameras()) == {"c1"}
    gdal.sign(GDAL_HTTP_USERPWD=f"town:{PASSWORD}")
    assert set(gdal.cameras()) == {"c1"}
    gdal.sign()
    with pytest.raises(pyogrio.errors.DataSourceError):
        gdal.layers()
