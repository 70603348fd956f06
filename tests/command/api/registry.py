"""A centre that may have cameras at 10.0.0.0/8 and on this machine, none of which is ever opened."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from command.district import District
from command.setting_sections import CameraSettings
from command.video import VideoDesk
from tests.fixtures import Centre, Keys, open_centre

PLACE = {"lon": 116.8151, "lat": 33.9052}
SOURCE = {"protocol": "rtsp", "host": "10.0.0.5", "path": "cam/1", "username": "admin"}


@asynccontextmanager
async def open_registry(
    data: Path, keys: Keys, district: District, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Centre]:
    """Serve a prepared data folder without the processes that open cameras."""

    async def nothing(_desk: VideoDesk) -> None:
        return

    monkeypatch.setattr(VideoDesk, "ensure_started", nothing)
    allowed = CameraSettings(
        allowed_networks=("10.0.0.0/8", "127.0.0.0/8"), allowed_protocols=("rtsp", "http-flv", "gb28181")
    )
    async with open_centre(data, keys, district, cameras=allowed) as opened:
        yield opened


async def put(
    centre: Centre, username: str, path: str, body: dict[str, Any] | None = None, **headers: str
) -> httpx2.Response:
    """Put something under /api/v1."""
    client = await centre.as_(username)
    return await client.put(f"/api/v1{path}", json=body or {}, headers=headers)


async def delete(centre: Centre, username: str, path: str, **query: Any) -> httpx2.Response:
    """Delete something under /api/v1."""
    return await (await centre.as_(username)).delete(f"/api/v1{path}", params=query)


async def register(centre: Centre, **more: Any) -> dict[str, Any]:
    """Register a camera; returns the answer."""
    answer = await centre.post("admin", "/cameras", {"name": "新点位", **PLACE, **more})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())
