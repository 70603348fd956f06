"""`yiping export` beside the running service."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import pwd
import shutil
from pathlib import Path

import pyogrio
import pytest
import typer

from command.accounts import notes
from command.accounts.notes import FOLDER, login_name
from command.cli import taking
from command.cli.taking import export
from command.core import DATABASE, open_core
from command.errors import Malformed, NotFound, Unavailable
from command.store.database import Database
from tests.fixtures import G1, G5, Centre, settings_for


def files(folder: Path) -> dict[str, str]:
    """Hashes of all but the database, into which the service writes its record."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith(DATABASE)
    }


async def test_it_reads_beside_the_service_which_records_it(
    centre: Centre, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notes, "ROUND_S", 0.02)
    first = await centre.report(grid=G1, reporter_contact="13812340472")
    centre.clock.advance(3_600)
    second = await centre.report(grid=G5)
    before = files(centre.data)

    async def ids(name: str, what: str, **options: str) -> list[str]:
        await asyncio.to_thread(export, what, tmp_path / name, data=centre.data, **options)
        found = json.loads((tmp_path / name).read_text("utf-8"))["features"]
        return sorted(one["properties"].get("id") or one["properties"].get("code") for one in found)

    assert await ids("i.geojson", "incidents") == sorted([first["id"], second["id"]])
    # 11:30 in the district, which the command counts in where no offset is given.
    assert await ids("i.geojson", "incidents", since="2026-11-22T11:30") == [second["id"]]
    assert await ids("i.geojson", "incidents", until="2026-11-22T03:30:00Z") == [first["id"]]
    assert await ids("i.geojson", "incidents", area="340604010") == [second["id"]]
    assert await ids("c.geojson", "cameras") == ["c1", "c2", "c3"]
    assert await ids("r.geojson", "responders") == ["e1", "p1", "p2", "w1", "w2", "w3"]
    assert len(await ids("a.geojson", "areas")) == 16
    assert await ids("b.geojson", "beats", crs="gcj02") == ["B-1", "B-2"]
    await asyncio.to_thread(export, "places", tmp_path / "p.gpkg", data=centre.data, crs="GCJ-02")
    assert pyogrio.read_info(tmp_path / "p.gpkg")["layer_name"] == "places_gcj02"
    people = json.loads((tmp_path / "r.geojson").read_text("utf-8"))["features"]
    assert {person["geometry"] for person in people} == {None}
    assert b"0472" not in (tmp_path / "i.geojson").read_bytes()
    assert b"1390000" not in (tmp_path / "r.geojson").read_bytes()
    assert files(centre.data) == before
    audit = centre.core.parts.audit
    entries = [entry for entry in await audit.recent() if entry.action == "data.exported"]
    assert len(entries) == 9
    newest = entries[0]
    assert (newest.actor, newest.object) == ("cli", "places:340604")
    assert newest.data == {
        "format": "gpkg",
        "crs": "GCJ-02",
        "rows": pyogrio.read_info(tmp_path / "p.gpkg")["features"],
        "from": None,
        "to": None,
        "file": str(tmp_path / "p.gpkg"),
        "os_user": pwd.getpwuid(os.getuid()).pw_name,
        "login": login_name(),
    }
    assert entries[5].object == "incidents:340604010"
    assert (await audit.verify()).ok


def recorded(data: Path) -> list[tuple[str, str, int]]:
    core = open_core(settings_for(data))
    try:
        entries = asyncio.run(core.parts.audit.recent())
        assert asyncio.run(core.parts.audit.verify()).ok
        return [(one.actor, one.object, one.data["rows"]) for one in entries if one.action == "data.exported"]
    finally:
        core.close()


def test_without_a_service_it_records_by_itself(data_folder: Path, tmp_path: Path) -> None:
    export("beats", tmp_path / "b.csv", data=data_folder)
    export("cameras", tmp_path / "c.csv", data=data_folder)
    assert recorded(data_folder) == [("cli", "cameras:340604", 3), ("cli", "beats:340604", 2)]


def test_files_alone_are_recorded_too(data_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    shutil.copytree(data_folder / "district", tmp_path / "new" / "district")
    export("beats", tmp_path / "b.csv", data=tmp_path / "new")
    assert recorded(tmp_path / "new") == [("cli", "beats:340604", 2)]


def test_what_cannot_be_recorded_is_not_written(
    data_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "b.csv"
    database = Database(data_folder / DATABASE)  # another command, say, which takes no notes
    try:
        with pytest.raises(Unavailable, match="audit-notes"):
            export("beats", target, data=data_folder)
        (data_folder / FOLDER).mkdir()
        monkeypatch.setattr(taking, "RECORDED_WITHIN_S", 0.2)
        with pytest.raises(Unavailable, match="did not record"):
            export("beats", target, data=data_folder)
    finally:
        database.close()
    assert not target.exists()
    assert list((data_folder / FOLDER).iterdir()) == []


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
