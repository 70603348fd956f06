"""Bringing a division of 101,101 areas in: four tiers, 3.5 million corners, as GeoJSON in GCJ-02.

The draft is whole: unpacked, read, guessed, moved to WGS-84, every row checked, preview, list of issues and the new
district file written, in a process of its own. Then the same file goes through the running service, which another
client asks for incidents, areas and places all the while. The peer reads with the same library and goes row by row,
as a script would: make shapely objects, move them, look at validity and duplicates, and intersect neighbours; it
finds no gaps, makes no preview and looks at no tree.

    python -m bench.gis.intake
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx2
import numpy as np
import pyogrio
import shapely
from numpy.typing import NDArray

from bench.rig import free_port, installed
from command.accounts.users import NewUser
from command.core import open_core
from command.settings import load_settings
from gis import intake
from gis.crs import by_columns, gcj02_from_wgs84, wgs84_from_gcj02
from gis.intake import Choices, Progress, Reference

SIDE = 310
"""Grids along each side; five by five are a village, thirty-one by thirty-one a town."""
PER_VILLAGE, PER_TOWN = 5, 31
COUNT = 101_101
CORNERS = 7
CELL_DEG = 0.003
PASSWORD = "bench-password-1"
ASKED = ("/incidents", "/areas?tier=2", "/search?q=5%E9%95%87", "/places?near=117.2,33.2", "/session")
AFTER_S = 10.0
"""The search takes the new names in once the district is in force."""
TARGET_S, TARGET_MB, TARGET_P95_MS = 30.0, 1000.0, 300.0


# -- the division -----------------------------------------------------------------------------------------


def grids() -> NDArray[np.object_]:
    """Cells with crooked borders that neighbours share corner by corner."""
    rng = np.random.default_rng(1)
    x, y = np.meshgrid(np.arange(SIDE + 1.0), np.arange(SIDE + 1.0), indexing="ij")
    x, y = x + rng.uniform(-0.2, 0.2, x.shape), y + rng.uniform(-0.2, 0.2, y.shape)

    def between(a: tuple[slice, slice], b: tuple[slice, slice]) -> NDArray[np.float64]:
        along = np.linspace(0.0, 1.0, CORNERS + 1)[:-1]
        dx, dy = (x[b] - x[a])[..., None], (y[b] - y[a])[..., None]
        aside = rng.uniform(-0.06, 0.06, (*x[a].shape, CORNERS))
        aside[..., 0] = 0.0
        return np.stack(
            (x[a][..., None] + dx * along - dy * aside, y[a][..., None] + dy * along + dx * aside), axis=-1
        )

    every, first, last = slice(None), slice(None, -1), slice(1, None)
    east, north = between((first, every), (last, every)), between((every, first), (every, last))

    def back(side: NDArray[np.float64], end: tuple[slice, slice]) -> NDArray[np.float64]:
        start = np.stack((x[end], y[end]), axis=-1)[..., None, :]
        return np.concatenate((start, side[..., :0:-1, :]), axis=-2)

    ring = (
        east[:, :-1],
        north[1:],
        back(east[:, 1:], (last, last)),
        back(north[:-1], (first, last)),
    )
    corners = np.concatenate(ring, axis=-2)
    corners = np.concatenate((corners, corners[..., :1, :]), axis=-2) * CELL_DEG + (117.0, 33.0)
    return np.asarray(shapely.polygons(corners.reshape(-1, *corners.shape[-2:])))


def write_division(path: Path) -> None:
    """Write the county, its towns, villages and grids."""
    cells = grids()
    i, j = np.divmod(np.arange(len(cells)), SIDE)
    town = i // PER_TOWN * 10 + j // PER_TOWN
    village = (i % PER_TOWN // PER_VILLAGE) * 10 + j % PER_TOWN // PER_VILLAGE
    rows: list[tuple[str, str, str, object]] = [("340501", "甲县", "县", shapely.coverage_union_all(cells))]
    for t in np.unique(town).tolist():
        code = f"340501{t + 1:03d}"
        rows.append((code, f"第{t + 1}镇", "镇", shapely.coverage_union_all(cells[town == t])))
        for v in np.unique(village[town == t]).tolist():
            inside = np.flatnonzero((town == t) & (village == v))
            below = f"{code}{v + 1:03d}"
            rows.append((below, f"{t + 1}镇{v + 1}村", "村", shapely.coverage_union_all(cells[inside])))
            rows += [
                (f"{below}{n + 1:03d}", f"第{n + 1}网格", "网格", cells[m]) for n, m in enumerate(inside)
            ]
    shapes = np.array([shape for *_, shape in rows], dtype=object)
    columns = [np.array(column, dtype=object) for column in list(zip(*rows, strict=True))[:3]]
    pyogrio.raw.write(
        str(path),
        geometry=shapely.to_wkb(shapely.transform(shapes, by_columns(gcj02_from_wgs84))),
        field_data=columns,
        fields=["编码", "名称", "层级"],
        driver="GeoJSON",
        geometry_type="Polygon",
        crs="EPSG:4326",
        COORDINATE_PRECISION=9,
    )


# -- the draft --------------------------------------------------------------------------------------------


def draft(path: Path) -> None:
    """Make a draft and print what it took; in a process of its own, whose only child is the draft's."""
    last, silence = time.perf_counter(), 0.0

    def tell(_progress: Progress) -> None:
        nonlocal last, silence
        silence, last = max(silence, time.perf_counter() - last), time.perf_counter()

    choices = Choices(kind="areas", crs="GCJ-02")
    began = time.perf_counter()
    found = asyncio.run(intake.draft(path, path.with_name("draft"), choices, Reference(), tell))
    took = time.perf_counter() - began
    peak_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1000.0
    print(f"  {'draft: all checks, preview, new district file':<52}{took:8.1f} s    target {TARGET_S:.0f}")
    print(f"  {'  memory of its process':<52}{peak_mb:8.0f} MB   target {TARGET_MB:.0f}")
    print(f"  {'  longest silence between two words of progress':<52}{silence:8.2f} s    target 1")
    if found.taken != COUNT:
        sys.exit(f"only {found.taken} of {COUNT} rows were taken")


def peer(path: Path) -> None:
    """The same, row by row; prints how many it found good."""
    frames = installed("geopandas")
    if frames is None:
        meta, _, wkb, values = pyogrio.raw.read(path)
        columns = dict(zip(meta["fields"], values, strict=True))
        rows = map(shapely.from_wkb, wkb)
    else:
        table = frames.read_file(path)
        columns = {name: table[name].to_numpy() for name in table.columns.drop("geometry")}
        rows = iter(table.geometry)
    shapes, codes, seen, good = [], columns["编码"], set(), 0
    for shape in rows:
        shapes.append(shapely.transform(shape, by_columns(wgs84_from_gcj02)))
    tree = shapely.STRtree(shapes)
    tier = [len(code) for code in codes]
    for n, shape in enumerate(shapes):
        fine = shape.is_valid and codes[n] not in seen
        seen.add(codes[n])
        for m in tree.query(shape):
            if m > n and tier[m] == tier[n] and shape.intersects(shapes[m]):
                fine = fine and shape.intersection(shapes[m]).area < 1e-10
        good += fine
    pyogrio.raw.write(
        str(path.with_suffix(".gpkg")),
        geometry=np.array([shapely.to_wkb(shape) for shape in shapes], dtype=object),
        field_data=list(columns.values()),
        fields=list(columns),
        driver="GPKG",
        geometry_type="Unknown",
        crs="EPSG:4326",
    )
    print(f"  peer: {good} rows are good, read by {'pyogrio' if frames is None else 'geopandas'}")


def apart(what: str, path: Path) -> tuple[float, float]:
    """Do something in a process of its own; its seconds and megabytes."""
    began = time.perf_counter()
    with subprocess.Popen([sys.executable, "-m", "bench.gis.intake", what, str(path)]) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(process.returncode)
    return time.perf_counter() - began, usage.ru_maxrss / 1000.0


# -- through the service ----------------------------------------------------------------------------------


def measure_service(path: Path, data: Path) -> None:
    """Send the file to a running service, apply it, and ask for other things all the while."""
    core = open_core(load_settings(None, data_dir=data))

    async def prepare() -> None:
        await core.parts.accounts.load()
        for role in ("admin", "dispatcher"):
            await core.parts.accounts.add(NewUser(role, role, role), PASSWORD, "bench", known_password=True)

    asyncio.run(prepare())
    core.close()
    port = free_port()
    command = [sys.executable, "-m", "command.cli", "serve", "--data", str(data), "--port", str(port)]
    with (data / "log.txt").open("ab") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            asyncio.run(_through(port, path))
        finally:
            process.terminate()


async def _through(port: int, path: Path) -> None:
    base = f"http://127.0.0.1:{port}/api/v1"
    async with (
        httpx2.AsyncClient(base_url=base, timeout=120) as client,
        httpx2.AsyncClient(base_url=base, timeout=120) as desk,
    ):
        await _signed_in(client, "admin")
        await _signed_in(desk, "dispatcher")
        waits: dict[str, list[float]] = {"before": [], "draft": [], "apply": [], "after": []}
        phase = "before"

        async def ask() -> None:
            while True:
                for url in ASKED:
                    began = time.perf_counter()
                    (await desk.get(url)).raise_for_status()
                    waits[phase].append((time.perf_counter() - began) * 1000.0)
                    await asyncio.sleep(0.02)

        asking = asyncio.create_task(ask())
        await asyncio.sleep(2.0)
        phase = "draft"
        began = time.perf_counter()
        form = {"kind": "areas", "choices": json.dumps({"crs": "GCJ-02"})}
        with path.open("rb") as stream:
            job: dict[str, str] = (
                await client.post("/imports", data=form, files={"file": ("a.geojson", stream)})
            ).json()
        job = await _settled(client, job["id"])
        print(f"  {'through the service: sent and drafted':<52}{time.perf_counter() - began:8.1f} s")
        phase = "apply"
        began = time.perf_counter()
        await client.post(f"/imports/{job['id']}/apply", json={})
        job = await _settled(client, job["id"])
        print(f"  {'  put in force: ' + str(job['state']):<52}{time.perf_counter() - began:8.1f} s")
        phase = "after"
        await asyncio.sleep(AFTER_S)
        asking.cancel()
        for name, times in waits.items():
            p95 = statistics.quantiles(times, n=20)[-1] if len(times) > 1 else float("nan")
            what = f"  the API {name}: p95 of {len(times)}, worst {max(times, default=0):.0f} ms"
            print(f"  {what:<52}{p95:8.0f} ms   target {TARGET_P95_MS:.0f}")


async def _signed_in(client: httpx2.AsyncClient, username: str) -> None:
    for _ in range(300):
        try:
            body = {"username": username, "password": PASSWORD}
            (await client.post("/session", json=body)).raise_for_status()
            return
        except httpx2.TransportError:
            await asyncio.sleep(0.2)
    sys.exit("the service did not answer")


async def _settled(client: httpx2.AsyncClient, job_id: str) -> dict[str, str]:
    while True:
        job: dict[str, str] = (await client.get(f"/imports/{job_id}")).json()
        if job["state"] not in ("reading", "applying"):
            return job
        await asyncio.sleep(0.25)


def main() -> None:
    """Measure everything, or do one part of it."""
    if len(sys.argv) == 3:
        {"write": write_division, "draft": draft, "peer": peer}[sys.argv[1]](Path(sys.argv[2]))
        return
    with tempfile.TemporaryDirectory(prefix="yiping-bench-") as name:
        path = Path(name) / "division.geojson"
        apart("write", path)
        print(f"import: {COUNT} areas, {path.stat().st_size / 1e6:.0f} MB of GeoJSON in GCJ-02", flush=True)
        took, _ = apart("draft", path)
        measure_service(path, path.with_name("data"))
        theirs, peak_mb = apart("peer", path)
        print(
            f"  {'peer: the library, then row by row, fewer checks':<52}{theirs:8.1f} s    {theirs / took:.1f} x"
        )
        print(f"  {'  memory of its process':<52}{peak_mb:8.0f} MB")


if __name__ == "__main__":
    main()
