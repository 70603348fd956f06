"""`yiping export` beside the running service."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pyogrio
import pytest
import typer

from command.cli.taking import export
from command.errors import Malformed, NotFound
from tests.fixtures import G1, G5, Centre


def state(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        # The readers' marks in shared memory are not data.
        if path.is_file() and not path.name.endswith("-shm")
    }


async def test_it_reads_beside_the_service_and_writes_nothing_there(centre: Centre, tmp_path: Path) -> None:
    first = await centre.report(grid=G1, reporter_contact="13812340472")
    centre.clock.advance(3_600)
    second = await centre.report(grid=G5)
    before = state(centre.data)

    def ids(name: str, what: str, **options: str) -> list[str]:
        export(what, tmp_path / name, data=centre.data, **options)
        found = json.loads((tmp_path / name).read_text("utf-8"))["features"]
        return sorted(one["properties"].get("id") or one["properties"].get("code") for one in found)

    assert ids("i.geojson", "incidents") == sorted([first["id"], second["id"]])
    # 11:30 in the district, which the command counts in where no offset is given.
    assert ids("i.geojson", "incidents", since="2026-11-22T11:30") == [second["id"]]
    assert ids("i.geojson", "incidents", until="2026-11-22T03:30:00Z") == [first["id"]]
    assert ids("i.geojson", "incidents", area="340604010") == [second["id"]]
    assert ids("c.geojson", "cameras") == ["c1", "c2", "c3"]
    assert ids("r.geojson", "responders") == ["e1", "p1", "p2", "w1", "w2", "w3"]
    assert len(ids("a.geojson", "areas")) == 16
    assert ids("b.geojson", "beats", crs="gcj02") == ["B-1", "B-2"]
    export("places", tmp_path / "p.gpkg", data=centre.data, crs="GCJ-02")
    assert pyogrio.read_info(tmp_path / "p.gpkg")["layer_name"] == "places_gcj02"
    people = json.loads((tmp_path / "r.geojson").read_text("utf-8"))["features"]
    assert {person["geometry"] for person in people} == {None}
    assert b"0472" not in (tmp_path / "i.geojson").read_bytes()
    assert b"1390000" not in (tmp_path / "r.geojson").read_bytes()
    assert state(centre.data) == before


def test_what_makes_no_sense_is_refused(data_folder: Path, tmp_path: Path) -> None:
    for what, name, options in (
        ("people", "x.csv", {}),
        ("areas", "x.shp", {}),
        ("areas", "x.csv", {"crs": "BD-09"}),
    ):
        with pytest.raises(typer.BadParameter):
            export(what, tmp_path / name, data=data_folder, **options)
    with pytest.raises(Malformed, match="2026-11-22"):
        export("incidents", tmp_path / "x.csv", data=data_folder, since="yesterday")
    with pytest.raises(Malformed):
        export("areas", tmp_path / "x.csv", data=data_folder, since="2026-11-22")
    with pytest.raises(NotFound):
        export("areas", tmp_path / "x.csv", data=data_folder, area="none")
    with pytest.raises(FileNotFoundError, match="no data yet"):
        export("cameras", tmp_path / "x.csv", data=tmp_path / "empty")
    with pytest.raises(FileNotFoundError):
        export("areas", tmp_path / "no" / "folder" / "x.csv", data=data_folder)
    assert list(tmp_path.glob("*.csv")) == []
