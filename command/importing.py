"""Files of our own making into a district folder, and people out of a table."""

import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final, get_args

from command import district as names
from command.district import District
from command.errors import Malformed
from command.responders import KINDS, Kind, Profile, Responder
from gis.roads.extract import build_all
from gis.tables import PointRow, RowError, point_rows, split_list

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
    path: Path, district: District, taken_units: Iterable[int], known: Sequence[Responder], crs: str | None
) -> tuple[list[Responder], list[RowError]]:
    """Read people from a CSV. The same name and phone is the same person as before.

    Args:
        path: Columns ``name, kind`` and, where there are any, ``phone, grids, beat, station, skills, …``; kinds,
            means of travel and employment by our own words or in Chinese.
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
            errors.append(RowError(row.row, error.detail))
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
        raise Malformed("name", "姓名为 1 到 40 个字")
    word = values.get("kind", "").strip() or "grid_worker"
    kind = _KIND_WORDS.get(word) or next((one for one in KINDS if one == word), None)
    if kind is None:
        raise Malformed(
            "kind", f"人员类型“{word}”不认识，应为民警、网格员、网格长、调解员、应急队员、志愿者或街长"
        )
    grids = split_list(values.get("grids"))
    if unknown := [code for code in grids if code not in district.areas]:
        raise Malformed("grids", f"现行区划中没有 {unknown[0]}")
    profile: Profile = "car" if kind == "police" else "motorcycle"
    travel = values.get("profile", "").strip()
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
        employment="part_time" if values.get("employment", "").strip() in _PART_TIME else "full_time",
        phone=values.get("phone", "").strip() or None,
        station=(values.get("station") or values.get("department") or "").strip() or None,
        grids=grids,
        beat=values.get("beat", "").strip() or None,
        area=values.get("area", "").strip() or area,
        skills=split_list(values.get("skills")),
        profile=profile,
        device_id=values.get("device_id", "").strip() or None,
    )
