"""A full disk: nothing is written, everything is still read, and it goes on by itself."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from websockets.asyncio.client import connect

from tests.faults.serving import serving
from tests.fixtures import district_of

pytestmark = pytest.mark.slow


@pytest.fixture
def small_disk(tmp_path: Path, data_folder: Path) -> Iterator[Path]:
    """A data folder on a file system of twelve megabytes."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root")
    mount = tmp_path / "disk"
    mount.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(mount)], capture_output=True, text=True
    )
    if made.returncode:
        pytest.skip(f"a small file system cannot be mounted here: {made.stderr.strip()}")
    try:
        shutil.rmtree(district_of(data_folder))
        yield Path(shutil.copytree(data_folder, mount / "data"))
    finally:
        subprocess.run(["umount", "-l", str(mount)], check=True)


def fill(folder: Path) -> Path:
    """Fill the file system to its last byte."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12, 1):
            try:
                while True:
                    file.write(b"\0" * size)
            except OSError:
                continue
    return filler


async def test_writes_are_refused_reads_go_on_and_it_recovers(small_disk: Path) -> None:
    def post(title: str) -> httpx2.Response:
        body = {"title": title, "category": "other", "lon": 116.805, "lat": 33.905}
        return client.post("/api/v1/incidents", json=body)

    with serving(small_disk) as served, served.signed_in("supervisor") as client:
        before = post("之前").json()
        cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
        address = f"ws://127.0.0.1:{served.port}/api/v1/feed"
        headers = {"cookie": cookie, "origin": served.url}
        async with connect(address, additional_headers=headers) as feed:
            await feed.send(json.dumps({"type": "hello", "protocol": 1, "topics": ["incidents"]}))
            snapshot = json.loads(await feed.recv())
            assert before["id"] in snapshot["board"]["incidents"]
            filler = fill(small_disk.parent)
            refused = 0
            for n in range(300):
                answer = post(f"满 {n} {'长' * 60}")
                if answer.status_code == 201:
                    continue  # the log has some pages left
                assert (answer.status_code, answer.json()["error"]) == (507, "storage_full"), answer.text
                refused += 1
                if refused == 5:
                    break
            assert refused == 5, "the disk never filled"
            check_that_reading_goes_on(client, before["id"], small_disk)
            while json.loads(await asyncio.wait_for(feed.recv(), 10))["frame"] != "heartbeat":
                pass
            filler.unlink()
            answer = post("之后")
            assert answer.status_code == 201, answer.text
            while "之后" not in str(await asyncio.wait_for(feed.recv(), 10)):
                pass
        listed = client.get("/api/v1/incidents?limit=500").json()["items"]
        assert {"之前", "之后"} <= {row["title"] for row in listed}
    with serving(small_disk) as served, served.signed_in("supervisor") as client:
        after = client.get("/api/v1/incidents?limit=500").json()["items"]
        assert [row["id"] for row in after] == [row["id"] for row in listed]


def check_that_reading_goes_on(client: httpx2.Client, incident: str, data: Path) -> None:
    """Check what must work while nothing can be written."""
    files = {"file": ("a.png", b"\x89PNG\r\n\x1a\n" + b"\0" * 100_000)}
    answer = client.post(f"/api/v1/incidents/{incident}/photos", files=files)
    assert answer.status_code == 507, answer.text
    photos = data / "photos"
    assert not photos.exists() or list(photos.iterdir()) == []
    for path in ("/api/v1/incidents", f"/api/v1/incidents/{incident}", "/api/v1/areas", "/"):
        answer = client.get(path)
        assert answer.status_code == 200, (path, answer.text)
    assert client.get("/readyz").status_code == 503
    assert client.get("/livez").status_code == 200
