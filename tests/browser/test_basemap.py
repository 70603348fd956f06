"""A customer's own map underneath: chosen, and ours in its place when its server is gone."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx2
from PIL import Image
from playwright.sync_api import expect

from tests.browser.conftest import OpenPage, phone_of
from tests.browser.guard import Guard
from tests.browser.pages import Console
from tests.browser.service import Service
from tests.browser.town import COOKIE, Town
from tests.gis.tiles.archive import archive

SHOWN = """() => {
  const { map } = window.yiping;
  return Boolean(map.getLayer('custom')) && map.isSourceLoaded('custom');
}"""
OURS = "() => !window.yiping.map.getLayer('custom') && Boolean(window.yiping.map.getLayer('road'))"


@contextmanager
def tile_server() -> Iterator[str]:
    """Plain tiles on loopback; gone when left."""
    out = io.BytesIO()
    Image.new("RGB", (256, 256), (200, 190, 160)).save(out, "PNG")

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(out.getvalue())

        def log_message(self, *_args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    serving.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/{{z}}/{{x}}/{{y}}.png?key=k"
    finally:
        server.shutdown()
        server.server_close()
        serving.join()


def test_a_customers_map_is_chosen_and_replaced_when_it_is_gone(
    open_as: OpenPage, town: Town, service: Service, guard: Guard
) -> None:
    cookie = {COOKIE: town.account("admin").token}
    with httpx2.Client(base_url=service.url, cookies=cookie, timeout=30, trust_env=False) as admin:
        with tile_server() as url:
            put = admin.put(
                "/api/v1/basemap/sources/custom", json={"url": url, "name": "县里的图", "crs": "GCJ-02"}
            )
            assert put.status_code == 200, put.text
            page = open_as("dispatcher")
            console = Console(page, map_ready=True)
            expect(console.find("base-own")).to_have_attribute("aria-checked", "true")
            console.find("base-custom").click()
            page.wait_for_function(SHOWN)
            expect(console.find("base-note")).to_have_count(0)
        with guard.allowing("503"):
            lon, lat, _ = console.view()
            console.look_at(lon + 0.05, lat + 0.03, 16)
            expect(console.find("base-note")).to_contain_text("县里的图")
            page.wait_for_function(OURS)
        assert admin.delete("/api/v1/basemap/sources/custom").status_code == 200


def test_an_archive_is_tried_put_in_force_seen_on_the_phone_and_stopped(
    open_as: OpenPage, town: Town, tmp_path: Path
) -> None:
    out = io.BytesIO()
    Image.new("RGB", (256, 256), (200, 190, 160)).save(out, "PNG")
    file = tmp_path / "县图.pmtiles"
    file.write_bytes(archive({(0, 0, 0): out.getvalue()}, kind=2))
    page = open_as("admin", "/admin?tab=basemap", viewport={"width": 1280, "height": 800})
    not_one = tmp_path / "县图.mbtiles"
    not_one.write_bytes(b"SQLite format 3\0" * 9)
    page.get_by_test_id("basemap-file").set_input_files(not_one)
    expect(page.get_by_test_id("basemap-fault")).to_contain_text("PMTiles")
    page.get_by_test_id("basemap-file").set_input_files(file)
    expect(page.get_by_test_id("looks").locator("figure")).to_have_attribute("data-outcome", "tile")
    page.wait_for_function("() => Boolean(window.yipingBaseMap?.getLayer('custom'))")
    page.get_by_test_id("field-attribution").fill("县自然资源局")
    page.get_by_test_id("field-preferred").check()
    page.get_by_test_id("apply-trial").click()
    expect(page.get_by_test_id("card-custom")).to_contain_text("县图")
    expect(page.get_by_test_id("looks")).to_have_count(0)

    phone = phone_of(open_as, town, next(iter(town.units)))
    expect(phone.locator(".credits")).to_have_text("县自然资源局")
    page.get_by_test_id("stop-custom").click()
    expect(page.get_by_test_id("card-custom")).to_have_count(0)
    expect(page.get_by_test_id("earlier").first).to_contain_text("县图")
    expect(phone.locator(".credits")).to_have_text("© OpenStreetMap")
