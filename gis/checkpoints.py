"""Checkpoints (卡口) on the roads into a district: where they are, how important, on which ring."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gis.tables import RowError, point_rows, split_list

LEVELS: Final = ("A", "B", "C")
_NOT_STAFFED: Final = frozenset({"", "0", "否", "无", "无人", "n", "no", "false"})


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One checkpoint.

    Attributes:
        code: Unique; its name where the file gives none.
        name: Never empty.
        level: "A", "B" or "C", "" when unknown.
        ring: Which ring around the centre, in words; may be empty.
        station: The police station it belongs to; may be empty.
        staffed: Whether somebody stands there.
        cameras: Ids or GB numbers of its cameras.
        lon: Degrees, EPSG:4326.
        lat: Degrees.
    """

    code: str
    name: str
    level: str
    ring: str
    station: str
    staffed: bool
    cameras: tuple[str, ...]
    lon: float
    lat: float


def read_checkpoints(path: Path) -> tuple[list[Checkpoint], list[RowError]]:
    """Read checkpoints from the CSV of a district.

    Args:
        path: Columns `name, lon, lat` and, where there are any, `code, level, ring, station, staffed, cameras`;
            WGS-84.

    Returns:
        Checkpoints in file order, and the rows that were dropped.

    Raises:
        BadFile: It cannot be read.
    """
    rows, errors = point_rows(path, needs_position=True)
    found: dict[str, Checkpoint] = {}
    for row in rows:
        name = row.values.get("name", "").strip()
        code = row.values.get("code", "").strip() or name
        level = row.values.get("level", row.values.get("tier", "")).strip().upper().removesuffix("级")
        if not name or row.lon is None or row.lat is None:
            errors.append(RowError(row.row, "没有名称"))
        elif code in found:
            errors.append(RowError(row.row, f"编码 {code} 重复"))
        elif level and level not in LEVELS:
            errors.append(RowError(row.row, f"等级 {level!r} 不是 A、B、C 之一"))
        else:
            found[code] = Checkpoint(
                code=code,
                name=name,
                level=level,
                ring=row.values.get("ring", "").strip(),
                station=row.values.get("station", "").strip(),
                staffed=row.values.get("staffed", "").strip().lower() not in _NOT_STAFFED,
                cameras=split_list(row.values.get("cameras")),
                lon=row.lon,
                lat=row.lat,
            )
    return list(found.values()), sorted(errors, key=lambda error: error.row)
