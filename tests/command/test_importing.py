"""Files brought in: whole or not at all, bad rows named, known people and cameras recognised."""

from __future__ import annotations

from pathlib import Path

import pytest

from command import importing
from command.district import (
    ADDRESSES,
    BASEMAP,
    BUILDINGS,
    ROADS,
    District,
    graph_file,
    load_district,
)
from gis.errors import GisError
from tests.fixtures import (
    G1,
    G5,
    write_roads_file,
)


def test_an_extract_that_cannot_be_used_leaves_the_old_roads(tmp_path: Path) -> None:
    folder = tmp_path / "district"
    folder.mkdir()
    (folder / ROADS).write_bytes(b"old")
    roads = tmp_path / "roads.osm.pbf"
    roads.write_bytes(b"no map")
    with pytest.raises(GisError):
        importing.import_roads(folder, roads, dry_run=False)
    assert [path.name for path in folder.iterdir()] == [ROADS]
    assert (folder / ROADS).read_bytes() == b"old"


def test_roads_make_a_graph_per_means_of_travel_and_a_basemap(tmp_path: Path) -> None:
    roads = write_roads_file(tmp_path / "roads.osm.pbf")
    told: list[float] = []
    folder = tmp_path / "district"
    dry = importing.import_roads(
        folder, roads, dry_run=True, progress=lambda share, _what: told.append(share)
    )
    assert dry.taken > 0
    assert not folder.exists()
    assert told == sorted(told)
    assert told[-1] == 1.0
    done = importing.import_roads(folder, roads, dry_run=False)
    assert set(done.notes["edges"]) == {"car", "motorcycle", "foot"}  # type: ignore[call-overload]
    names = {path.name for path in folder.iterdir()}
    assert names == {
        ADDRESSES,
        BASEMAP,
        BUILDINGS,
        ROADS,
        *(graph_file(name) for name in ("car", "motorcycle", "foot")),
    }
    loaded = load_district(folder)
    assert loaded.basemap == folder / BASEMAP
    assert loaded.bounds is not None


def people(path: Path, *rows: str) -> Path:
    path.write_text("name,kind,phone,grids,skills,employment\n" + "\n".join(rows) + "\n", "utf-8")
    return path


def test_people_are_numbered_recognised_and_refused_by_row(tmp_path: Path, district: District) -> None:
    path = people(
        tmp_path / "people.csv",
        f"周巧云,grid_worker,13900000001,{G1}、{G5},first_aid、swim,part_time",
        "高建军,police,13900000011,,,",
        "某人,wizard,1,,,",
        "无格,grid_worker,2,999,,",
        ",police,3,,,",
        "高建军,police,13900000011,,,",
    )
    first, errors = importing.read_responders(path, district, (), (), None)
    assert [person.name for person in first] == ["周巧云", "高建军"]
    worker, officer = first
    assert (worker.id, worker.unit, worker.profile, worker.area) == ("r_00001", 1, "motorcycle", G1[:12])
    assert (worker.grids, worker.skills, worker.employment) == ((G1, G5), ("first_aid", "swim"), "part_time")
    assert (officer.profile, officer.unit) == ("car", 2)
    assert [error.row for error in errors] == [3, 4, 5, 6]
    assert "kind" in errors[0].reason
    again, _ = importing.read_responders(
        people(tmp_path / "more.csv", "新人,police,5,,,", "周巧云,grid_worker,13900000001,,,"),
        district,
        [person.unit for person in first],
        first,
        None,
    )
    assert [(person.id, person.unit) for person in again] == [("r_00003", 3), ("r_00001", 1)]
