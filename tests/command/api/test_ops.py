import asyncio
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from prometheus_client.parser import text_string_to_metric_families

from command.api import ops
from command.api.ops import Figure, Figures
from command.settings import Settings
from tests.command.api.small_app import Service


async def test_alive_needs_nobody(service: Service) -> None:
    async with service.client() as client:
        answer = await client.get("/livez")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


async def test_ready_names_the_part_that_is_not(service: Service) -> None:
    async def fine() -> bool:
        return True

    def broken() -> bool:
        raise OSError("the disk is gone")

    async with service.client() as client:
        assert (await client.get("/readyz")).status_code == 200
        service.inner.state.checks = {"desk": lambda: True, "database": fine}
        answer = await client.get("/readyz")
        assert (answer.status_code, answer.json()["status"]) == (200, "ready")
        service.inner.state.checks = {"desk": lambda: False, "database": fine, "disk": broken}
        answer = await client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"] == {"desk": False, "database": True, "disk": False}
    assert "gone" not in answer.text


async def test_a_part_that_hangs_is_not_ready(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    async def never() -> bool:
        await asyncio.Event().wait()
        return True

    monkeypatch.setattr(ops, "_CHECK_S", 0.01)
    service.inner.state.checks = {"database": never}
    async with service.client() as client:
        assert (await client.get("/readyz")).json()["checks"] == {"database": False}


async def test_figures_count_requests_by_route_and_not_by_what_callers_invent(service: Service) -> None:
    service.figures.add(Figure("feed_clients", "Browsers.", lambda: 7))
    service.figures.add(Figure("broken", "Cannot tell.", lambda: 1 / 0))
    async with service.client() as client:
        for n in range(3):
            await client.get(f"/api/v1/items/{n}")
            await client.get(f"/nothing/{n}")
        await client.request("BREW", "/livez")
        text = (await client.get("/metrics")).text
    families = {family.name: family for family in text_string_to_metric_families(text)}
    assert families["yiping_feed_clients"].samples[0].value == 7
    assert families["yiping_broken"].samples[0].value != families["yiping_broken"].samples[0].value
    counts = {
        sample.labels["route"]: sample.value
        for sample in families["yiping_request_seconds"].samples
        if sample.name.endswith("_count")
    }
    assert counts["/api/v1/items/{n}"] == 3
    assert counts["unmatched"] == 3
    methods = {sample.labels["method"] for sample in families["yiping_requests"].samples}
    assert methods == {"GET", "OTHER"}


def test_figures_of_two_services_do_not_meet() -> None:
    Figures([Figure("x", "X.", lambda: 1)])
    Figures([Figure("x", "X.", lambda: 2)])


def test_the_standard_figures_of_a_whole_service_can_all_be_read(tmp_path: Path) -> None:
    from command.core import open_core
    from command.server import create_app

    core = open_core(Settings(data_dir=tmp_path))
    try:
        app: Any = create_app(core.settings, core=core)
        while not isinstance(app, FastAPI):
            app = app._app if hasattr(app, "_app") else app.app
        text = app.state.figures.text().decode()
    finally:
        core.close()
    gauges = [line for line in text.splitlines() if line.startswith("yiping_") and "{" not in line]
    assert {"yiping_sessions", "yiping_log_seq", "yiping_feed_clients"} <= {
        line.split()[0] for line in gauges
    }
    assert not [line for line in gauges if line.endswith("NaN")]
