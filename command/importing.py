"""Files of our own making into a district folder, and people out of a table."""

import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final, get_args

from command import district as names
from command.district import District
from command.responders import KINDS, Kind, Profile, Responder
from command.row_faults import BadCell, RowFault, shown
from gis.roads.extract import build_all
from gis.tables import read_table, split_list

_KIND_WORDS: Final[Mapping[str, Kind]] = {
    "民警": "police",
    "警察": "police",
    "社区民警": "police",
    "网格员": "grid_worker",
    "专职网格员": "grid_worker",
    "兼职网格员": "grid_worker",
    "网格长": "grid_chief",
    "调解员": "mediator",
    "人民调解员": "mediator",
    "应急队员": "emergency_member",
    "志愿者": "volunteer",
    "街长": "street_chief",
}
_PROFILE_WORDS: Final[Mapping[str, Profile]] = {
    "汽车": "car",
    "警车": "car",
    "电动车": "motorcycle",
    "摩托车": "motorcycle",
    "步行": "foot",
}
MOST_NAME_CHARS: Final = 40
_PART_TIME: Final = frozenset({"part_time", "兼职"})


def lay_roads(folder: Path, extract: Path) -> None:
    """Make roads, basemap, house numbers and footprints of an extract of our own, in this process.

    Raises:
        GisError: The extract cannot be used.
    """
    build_all(extract, folder)
    shutil.copyfile(extract, folder / names.ROADS)


def set_about(folder: Path, about: names.About) -> None:
    """Write what the district is called."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"name": about.name, "code": about.code, "prefix": about.prefix}, ensure_ascii=False)
    (folder / names.ABOUT).write_text(text, "utf-8")


def read_responders(
    path: Path, district: District, taken_units: Iterable[int], known: Sequence[Responder]
) -> tuple[list[Responder], list[RowFault]]:
    """Judge the people of a table of our own making. The same name and phone is the same person as before.

    Args:
        path: CSV with the columns ``name, kind`` and, where there are any, ``phone, grids, beat, station, …``;
            kinds, means of travel and employment by our own words or in Chinese. A column ``row`` numbers the
            rows as the file they come from did, otherwise they are counted from 1.
        district: To check the grids against.
        taken_units: Unit numbers in use.
        known: People already on the roster.
    """
    faults: list[RowFault] = []
    ids = {(p.name, p.phone): p for p in known}
    next_unit = max(taken_units, default=0) + 1
    people: dict[tuple[str, str | None], Responder] = {}
    first: dict[tuple[str, str | None], int] = {}
    for count, cells in enumerate(read_table(path), start=1):
        number = int(cells.get("row") or count)
        try:
            person = _responder(cells, district)
            same = (person.name, person.phone)
            if same in people:
                raise BadCell("name", "duplicate", first=first[same])
        except BadCell as bad:
            faults.append(bad.at(number))
            continue
        old = ids.get(same)
        unit = old.unit if old is not None else next_unit
        next_unit += old is None
        key = old.id if old is not None else f"r_{unit:05d}"
        fields = {name: getattr(person, name) for name in person.__struct_fields__}
        people[same] = Responder(**{**fields, "id": key, "unit": unit})
        first[same] = number
    return list(people.values()), faults


def _responder(values: Mapping[str, str], district: District) -> Responder:
    name = values.get("name", "")
    if not 1 <= len(name) <= MOST_NAME_CHARS:
        raise BadCell("name", "person_name", most=MOST_NAME_CHARS)
    word = values.get("kind") or "grid_worker"
    kind = _KIND_WORDS.get(word) or next((one for one in KINDS if one == word), None)
    if kind is None:
        raise BadCell("kind", "person_kind", text=shown(word))
    grids = split_list(values.get("grids"))
    if unknown := [code for code in grids if code not in district.areas]:
        raise BadCell("grids", "unknown_area", text=shown(unknown[0]))
    profile: Profile = "car" if kind == "police" else "motorcycle"
    travel = values.get("profile", "")
    profile = _PROFILE_WORDS.get(travel, profile)
    for option in get_args(Profile):
        if travel == option:
            profile = option
    area = district.areas.area(grids[0]).parent if grids else None
    return Responder(
        id="",
        unit=0,
        name=name,
        kind=kind,
        employment="part_time" if values.get("employment", "") in _PART_TIME else "full_time",
        phone=values.get("phone") or None,
        station=values.get("station") or values.get("department") or None,
        grids=grids,
        beat=values.get("beat") or None,
        area=values.get("area") or area,
        skills=split_list(values.get("skills")),
        profile=profile,
        device_id=values.get("device_id") or None,
    )
