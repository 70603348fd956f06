"""The process a draft is made in: what it may not do, how it is heard, and how it ends."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gis import intake
from gis.area_files import load_areas, write_areas
from gis.intake import Choices, Progress, Reference, Refused, engine
from tests.gis.intake.files import division, drafted, geojson, shapefile

HERE = Choices(kind="areas", crs="EPSG:4326")


def processes_in(folder: Path) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if Path(os.readlink(entry / "cwd")).is_relative_to(folder):
                    found.append(int(entry.name))
            except OSError:
                continue
    return found


def everything_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*"))


async def test_a_draft_leaves_its_results_and_nothing_else(tmp_path: Path) -> None:
    told: list[Progress] = []
    folder = tmp_path / "job"
    source = geojson(tmp_path / "村界.geojson", division())
    draft = await intake.draft(source, folder, HERE, Reference(), told.append)
    assert {path.name for path in folder.iterdir()} == {
        "draft.json",
        "issues.csv",
        "preview.geojson",
        "result.gpkg",
    }
    assert len(load_areas(folder / "result.gpkg")) == draft.taken == 8
    shares = [one.share for one in told]
    assert shares == sorted(shares)
    assert (shares[-1], told[-1].done) == (1.0, 8)
    assert {"unpacking", "reading", "guessing", "checking", "writing"} <= {one.stage for one in told}
    # A second draft takes the place of the first, results it does not make included.
    (folder / "original.gpkg").write_bytes(b"of the draft before")
    areas = Reference(areas_file=folder / "result.gpkg", current_file=folder / "result.gpkg")
    write_areas(folder / "district.gpkg", load_areas(folder / "result.gpkg"))
    areas = Reference(areas_file=folder / "district.gpkg", current_file=folder / "district.gpkg")
    more = geojson(
        tmp_path / "more.geojson", [({"编码": "340601002", "名称": "新镇", "层级": "镇"}, division()[1][1])]
    )
    merge = Choices(kind="areas", crs="EPSG:4326", mode="merge", rows="all")
    assert (await intake.draft(more, folder, merge, areas, told.append)).taken == 1
    assert len(load_areas(folder / "result.gpkg")) == 9
    assert not (folder / "original.gpkg").exists()


async def test_a_shapefile_beside_its_parts(tmp_path: Path) -> None:
    shp = shapefile(tmp_path / "s", division())
    shp.with_suffix(".dbf").rename(shp.with_suffix(".DBF"))
    draft = await intake.draft(shp, tmp_path / "job", Choices(kind="areas"), Reference(), lambda _: None)
    assert (draft.format, draft.layer, draft.taken, draft.encoding.used) == ("shapefile", "a", 8, "gb18030")


async def test_what_is_refused_before_and_after_the_process_starts(tmp_path: Path) -> None:
    folder = tmp_path / "job"

    async def code(source: Path, kind: str = "areas") -> str:
        with pytest.raises(Refused) as caught:
            await intake.draft(source, folder, Choices(kind=kind), Reference(), lambda _: None)
        assert caught.value.path == source.name
        return caught.value.code

    bad = tmp_path / "bad.geojson"
    bad.write_text("<OGRVRTDataSource/>", "utf-8")
    assert await code(bad) == "vrt"
    assert await code(tmp_path / "absent.zip") == "not_found"
    assert await code(bad, "dragons") == "bad_kind"
    assert list(folder.iterdir()) == []


async def test_a_draft_that_is_cancelled_leaves_no_process_and_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    started = asyncio.Event()
    folder = tmp_path / "job"
    source = geojson(tmp_path / "a.geojson", division() * 200)

    def tell(progress: Progress) -> None:
        if progress.stage != "waiting":
            started.set()

    task = asyncio.create_task(intake.draft(source, folder, HERE, Reference(), tell))
    await asyncio.wait_for(started.wait(), 60)
    assert processes_in(tmp_path)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert processes_in(tmp_path) == []
    assert everything_in(tmp_path) == ["a.geojson", "job"]


async def test_progress_is_told_though_the_worker_is_silent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    times: list[float] = []
    monkeypatch.setattr(engine, "TICK_S", 0.1)
    script = tmp_path / "silent.py"
    script.write_text("import time; time.sleep(30)", "utf-8")
    environment = engine.bare_environment(tmp_path) | {"PYTHONPATH": str(tmp_path)}
    with pytest.raises(Refused) as caught:
        await engine.supervise(
            "silent", tmp_path, environment, lambda _: times.append(time.monotonic()), "x", timeout_s=1.0
        )
    assert caught.value.code == "too_slow"
    assert len(times) >= 3


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("print('not json', flush=True)", "crashed"),
        ("raise MemoryError", "too_large"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGXCPU)", "too_slow"),
        ("import os; os.abort()", "crashed"),
        ("print('x' * 200_000, flush=True)", "crashed"),
    ],
)
async def test_a_worker_that_dies_is_an_error_with_a_name(tmp_path: Path, body: str, code: str) -> None:
    (tmp_path / "dying.py").write_text(body, "utf-8")
    environment = engine.bare_environment(tmp_path) | {"PYTHONPATH": str(tmp_path)}
    with pytest.raises(Refused) as caught:
        await engine.supervise("dying", tmp_path, environment, lambda _: None, "x")
    assert caught.value.code == code


INSIDE = """
import os, resource, socket, subprocess, sys
from pathlib import Path
from gis.intake.confinement import confine
import gis.intake.worker
gis.intake.worker.warm_up()
import pyogrio, numpy, ctypes
landlock = ctypes.CDLL(None).syscall(444, None, 0, 1)
confine(Path.cwd())

def tried(what):
    try:
        what()
    except (OSError, RuntimeError) as error:
        return type(error).__name__
    return "done"

Path("own").write_text("x")
print(landlock)
limits = (resource.RLIMIT_AS, resource.RLIMIT_CPU, resource.RLIMIT_CORE)
print(os.geteuid(), *(resource.getrlimit(n)[0] for n in limits))
print(tried(lambda: Path(sys.argv[1]).read_text()), tried(lambda: Path("/etc/passwd").read_text()))
print(tried(lambda: Path("/tmp/elsewhere").write_text("x")), tried(lambda: subprocess.run(["/bin/true"])))
port = int(sys.argv[2])
print(tried(lambda: socket.socket(socket.AF_INET).connect(("127.0.0.1", port))))
vrt = Path("x.vrt")
layer = '<OGRVRTLayer name="own"><SrcDataSource>own.csv</SrcDataSource></OGRVRTLayer>'
vrt.write_text(f"<OGRVRTDataSource>{layer}</OGRVRTDataSource>")
Path("own.csv").write_text("a,b\\n1,2\\n")
far = f"/vsicurl/http://127.0.0.1:{port}/a.geojson"
print(*(tried(lambda p=p: pyogrio.raw.read(p)) for p in ("x.vrt", "own.csv", far)))
"""


def test_what_the_worker_may_not_do(tmp_path: Path) -> None:
    import socket

    work = engine._make_work(tmp_path / "job")
    secret = tmp_path / "secret"
    secret.write_text("x", "utf-8")
    secret.chmod(0o644)
    with socket.create_server(("127.0.0.1", 0)) as server:
        done = subprocess.run(
            [sys.executable, "-s", "-P", "-c", INSIDE, str(secret), str(server.getsockname()[1])],
            cwd=work,
            env=engine._environment(work),
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    landlock, limits, reads, writes, connects, library = done.stdout.splitlines()
    uid, memory, cpu, core = map(int, limits.split())
    assert uid == 65534 or os.geteuid() != 0
    assert (memory, cpu, core) == (3 << 30, 600, 0)
    assert library.split() == ["DataSourceError"] * 3
    if os.geteuid() == 0:
        assert connects != "done"
    if int(landlock) < 1:
        pytest.skip("the kernel has no Landlock")
    assert reads.split() == ["PermissionError", "PermissionError"]
    assert writes.split() == ["PermissionError", "PermissionError"]
    assert connects != "done"


def test_the_same_draft_in_this_process_for_comparison(tmp_path: Path) -> None:
    """Tests elsewhere make drafts without the process; this is the same code."""
    assert drafted(geojson(tmp_path / "a.geojson", division()), crs="EPSG:4326").draft.taken == 8
