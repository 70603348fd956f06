"""Files brought in: whole or not at all, bad rows named, known people and cameras recognised."""

from __future__ import annotations

from pathlib import Path

from command import importing
from command.district import (
    District,
)
from tests.fixtures import (
    G1,
    G5,
)


def people(path: Path, *rows: str) -> Path:
    path.write_text("name,kind,phone,grids,skills,employment\n" + "\n".join(rows) + "\n", "utf-8")
    return path


def test_people_are_what_offices_call_them(tmp_path: Path, district: District) -> None:
    path = tmp_path / "people.csv"
    path.write_text("name,kind,phone,profile,employment\n周巧云,网格员,1,步行,兼职\n高建军,民警,2,电动车,\n")
    people, errors = importing.read_responders(path, district, (), ())
    assert [(p.kind, p.profile, p.employment) for p in people] == [
        ("grid_worker", "foot", "part_time"),
        ("police", "motorcycle", "full_time"),
    ]
    assert errors == []


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
    first, errors = importing.read_responders(path, district, (), ())
    assert [person.name for person in first] == ["周巧云", "高建军"]
    worker, officer = first
    assert (worker.id, worker.unit, worker.profile, worker.area) == ("r_00001", 1, "motorcycle", G1[:12])
    assert (worker.grids, worker.skills, worker.employment) == ((G1, G5), ("first_aid", "swim"), "part_time")
    assert (officer.profile, officer.unit) == ("car", 2)
    assert [(fault.row, fault.field, fault.code) for fault in errors] == [
        (3, "kind", "person_kind"),
        (4, "grids", "unknown_area"),
        (5, "name", "person_name"),
        (6, "name", "duplicate"),
    ]
    assert ("wizard" in errors[0].zh, "wizard" in errors[0].en) == (True, True)
    assert (errors[3].zh, errors[3].en) == ("与第 2 行重复", "the same as row 2")
    again, _ = importing.read_responders(
        people(tmp_path / "more.csv", "新人,police,5,,,", "周巧云,grid_worker,13900000001,,,"),
        district,
        [person.unit for person in first],
        first,
    )
    assert [(person.id, person.unit) for person in again] == [("r_00003", 3), ("r_00001", 1)]
