"""The process a draft is made in: what it may not do, how it is heard, and how it ends."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from gis import intake
from gis.area_files import load_areas, write_areas
from gis.intake import Choices, Progress, Reference, Refused
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


def test_the_same_draft_in_this_process_for_comparison(tmp_path: Path) -> None:
    """Tests elsewhere make drafts without the process; this is the same code."""
    assert drafted(geojson(tmp_path / "a.geojson", division()), crs="EPSG:4326").draft.taken == 8
