"""Roads and basemap made by the worker process from extracts good and bad."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

import pytest

from gis.apart.messages import Progress, Refused
from gis.roads import PROFILES, RoadGraph
from gis.roads.framing import why_broken
from gis.roads.rebuild import build_roads
from gis.synthetic.osm import Extract
from gis.synthetic.plane import Projection


def extract(path: Path, streets: int = 6, *, highway: str = "residential") -> Path:
    """A few streets across each other as a PBF, large enough to be cut in the middle of something."""
    town = Extract()
    for k in range(streets):
        town.line([(100.0 * k, 100.0 * j) for j in range(streets)], {"highway": highway, "name": f"{k}街"})
        town.line([(100.0 * i, 100.0 * k) for i in range(streets)], {"highway": highway, "name": f"{k}路"})
    town.write(path, Projection(117.0, 34.0))
    return path


def silent(_progress: Progress) -> None:
    pass


def left_behind() -> set[str]:
    return {path.name for path in Path(tempfile.gettempdir()).glob("yiping-roads-*")}


async def test_graphs_and_basemap_are_made_by_the_worker(tmp_path: Path) -> None:
    told: list[Progress] = []
    before = left_behind()
    source = extract(tmp_path / "x.pbf").rename(tmp_path / "name tells nothing")
    built = await build_roads(source, tmp_path / "out", told.append)
    graphs = {f"roads-{name}.npz" for name in PROFILES}
    assert set(built.files) == {*graphs, "basemap.pmtiles", "addresses.npz", "buildings.npz"}
    graph = RoadGraph.load(built.files["roads-car.npz"])
    assert (graph.edges, graph.junctions) == (60, 36)
    found = built.profiles["car"]
    assert (found.edges, found.junctions, found.skipped) == (60, 36, {})
    assert found.length_km == pytest.approx(6.0, rel=0.01)
    assert built.basemap["transportation"] == 12
    assert built.bounds == pytest.approx(graph.bounds)
    assert built.files["basemap.pmtiles"].read_bytes().startswith(b"PMTiles")
    assert [one.share for one in told] == sorted(one.share for one in told)
    assert {one.stage for one in told} >= {"roads-car", "roads-foot", "basemap", "done"}
    assert left_behind() == before
    assert {path.name for path in (tmp_path / "out").iterdir()} == set(built.files)


async def test_an_extract_for_walkers_only_says_so(tmp_path: Path) -> None:
    built = await build_roads(extract(tmp_path / "f.pbf", highway="footway"), tmp_path / "out", silent)
    assert set(built.profiles) == {"foot"}
    assert built.absent == ("roads-car.npz", "roads-motorcycle.npz")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty_file"),
        (b"<?xml version='1.0'?><gpx></gpx>", "wrong_type"),
        (b"PK\x03\x04 a zip", "wrong_type"),
        (b"<?xml version='1.0'?><osm version='0.6'><node id='1' lat='1' l", "truncated_file"),
        (None, "truncated_file"),
        (b"<?xml version='1.0'?><osm version='0.6'></osm>", "no_roads"),
    ],
)
async def test_bad_extracts_are_refused_and_the_old_files_stay(
    tmp_path: Path, content: bytes | None, code: str
) -> None:
    if content is None:
        whole = extract(tmp_path / "whole.pbf", 12).read_bytes()
        content = whole[: len(whole) * 2 // 3]
    bad, out = tmp_path / "bad.osm.pbf", tmp_path / "out"
    bad.write_bytes(content)
    out.mkdir()
    (out / "roads-car.npz").write_bytes(b"old")
    with pytest.raises(Refused) as refused:
        await build_roads(bad, out, silent, name="道路.osm.pbf")
    assert refused.value.code == code
    assert refused.value.detail_zh
    assert str(tmp_path) not in str(refused.value)
    assert [path.read_bytes() for path in out.iterdir()] == [b"old"]


async def test_cancelling_ends_the_worker_and_leaves_nothing(tmp_path: Path) -> None:
    before, started = left_behind(), asyncio.Event()
    task = asyncio.create_task(
        build_roads(extract(tmp_path / "x.pbf"), tmp_path / "out", lambda _progress: started.set())
    )
    await started.wait()
    await asyncio.sleep(0.3)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert list((tmp_path / "out").iterdir()) == []
    assert left_behind() == before
    with pytest.raises(Refused, match="absent"):
        await build_roads(tmp_path / "absent.pbf", tmp_path / "out", silent)


def test_every_cut_but_one_between_blocks_is_seen(tmp_path: Path) -> None:
    whole = extract(tmp_path / "whole.pbf", 4)
    content = whole.read_bytes()
    assert why_broken(whole) is None
    cut = tmp_path / "cut.pbf"
    unseen = []
    for size in range(1, len(content)):
        cut.write_bytes(content[:size])
        if why_broken(cut) is None:
            unseen.append(size)
    assert len(unseen) <= 3
    for noise in (b"\xff" * 40, content + b"\0", content[:60] + b"\xff" * 200):
        cut.write_bytes(noise)
        assert why_broken(cut) is not None
