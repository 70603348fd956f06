"""Roads into a district folder, and people out of a table. Other files come in by `command.geography.imports`."""

import json
import os
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args

from command import district as names
from command.district import District
from command.errors import Malformed
from command.responders import KINDS, Profile, Responder
from gis.addresses import read_addresses
from gis.basemap import build_basemap
from gis.buildings import read_buildings
from gis.roads.graph import RoadGraph
from gis.roads.profiles import PROFILES
from gis.tables import PointRow, RowError, point_rows, split_list

Progress = Callable[[float, str], None]


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did: how many rows were taken, and what is wrong with the others."""

    what: str
    taken: int
    errors: tuple[RowError, ...] = ()
    notes: dict[str, object] = field(default_factory=dict)


def unseen(_share: float, _what: str) -> None:
    """Show no progress."""


def import_roads(folder: Path, path: Path, *, dry_run: bool, progress: Progress = unseen) -> Imported:
    """Read roads from an OSM PBF: one graph per means of travel, and the basemap.

    Raises:
        GisError: The extract cannot be used; the old roads and basemap stay.
    """
    graphs = {}
    for number, (name, profile) in enumerate(PROFILES.items()):
        progress(0.1 * number, f"路网 {name}")
        graphs[name] = RoadGraph.from_pbf(path, profile)
    notes: dict[str, object] = {
        "edges": {name: graph.edges for name, graph in graphs.items()},
        "length_km": round(graphs["car"].length_km, 1),
        "skipped": graphs["car"].skipped,
    }
    if not dry_run:
        folder.mkdir(parents=True, exist_ok=True)
        counts = build_basemap(
            path, folder / names.BASEMAP, progress=lambda share, what: progress(0.3 + 0.6 * share, what)
        )
        for name, graph in graphs.items():
            graph.save(folder / names.graph_file(name))
        houses = read_addresses(path)
        houses.save(folder / names.ADDRESSES)
        notes["addresses"] = len(houses)
        footprints = read_buildings(path)
        footprints.save(folder / names.BUILDINGS)
        notes["buildings"] = len(footprints)
        part = folder / (names.ROADS + ".part")
        shutil.copyfile(path, part)
        os.replace(part, folder / names.ROADS)
        notes["basemap"] = counts
    progress(1.0, "完成")
    return Imported("roads", graphs["car"].edges, (), notes)


def set_about(folder: Path, about: names.About) -> None:
    """Write what the district is called."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"name": about.name, "code": about.code, "prefix": about.prefix}, ensure_ascii=False)
    (folder / names.ABOUT).write_text(text, "utf-8")


def read_responders(
    path: Path, district: District, taken_units: Iterable[int], known: Sequence[Responder], crs: str | None
) -> tuple[list[Responder], list[RowError]]:
    """Read people from a CSV. The same name and phone is the same person as before.

    Args:
        path: Columns ``name, kind`` and, where there are any, ``phone, grids, beat, station, skills, …``.
        district: To check the grids against.
        taken_units: Unit numbers in use.
        known: People already on the roster.
        crs: Of home positions, if the file has any.
    """
    rows, errors = point_rows(path, crs=crs)
    ids = {(p.name, p.phone): p for p in known}
    next_unit = max(taken_units, default=0) + 1
    people: dict[tuple[str, str | None], Responder] = {}
    for row in rows:
        try:
            person = _responder(row, district)
        except Malformed as error:
            errors.append(RowError(row.row, f"{error.field}: {error.detail}"))
            continue
        if (person.name, person.phone) in people:
            errors.append(RowError(row.row, f"{person.name} 重复"))
            continue
        old = ids.get((person.name, person.phone))
        unit = old.unit if old is not None else next_unit
        next_unit += old is None
        key = old.id if old is not None else f"r_{unit:05d}"
        fields = {name: getattr(person, name) for name in person.__struct_fields__}
        people[person.name, person.phone] = Responder(**{**fields, "id": key, "unit": unit})
    return list(people.values()), sorted(errors, key=lambda error: error.row)


def _responder(row: PointRow, district: District) -> Responder:
    values = row.values
    name = values.get("name", "").strip()
    if not name or len(name) > 40:
        raise Malformed("name", "a name has 1 to 40 characters")
    kind = values.get("kind", "").strip() or "grid_worker"
    for known in KINDS:
        if kind == known:
            break
    else:
        raise Malformed("kind", f"{kind!r} is not one of {', '.join(KINDS)}")
    grids = split_list(values.get("grids"))
    if unknown := [code for code in grids if code not in district.areas]:
        raise Malformed("grids", f"no area {unknown[0]}")
    profile: Profile = "car" if kind == "police" else "motorcycle"
    for option in get_args(Profile):
        if values.get("profile", "").strip() == option:
            profile = option
    area = district.areas.area(grids[0]).parent if grids else None
    return Responder(
        id="",
        unit=0,
        name=name,
        kind=known,
        employment="part_time" if values.get("employment", "").strip() == "part_time" else "full_time",
        phone=values.get("phone", "").strip() or None,
        station=(values.get("station") or values.get("department") or "").strip() or None,
        grids=grids,
        beat=values.get("beat", "").strip() or None,
        area=values.get("area", "").strip() or area,
        skills=split_list(values.get("skills")),
        profile=profile,
        device_id=values.get("device_id", "").strip() or None,
    )
