"""Which fields each kind of file has, and by which names people call them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from gis.tables import SYNONYMS

Synonyms = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class KindSpec:
    """What a kind of file holds.

    Attributes:
        fields: Canonical field → other names, the required fields first.
        required: Fields without which no row can be taken.
        shape: "polygon", "point", or "" for plain tables.
        result: Name of the result file.
        lists: Fields that hold several names or codes.
    """

    fields: Synonyms
    required: tuple[str, ...]
    shape: str
    result: str
    lists: tuple[str, ...] = ()


def _of(*names: str, **more: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    return {**{name: SYNONYMS.get(name, ()) for name in names}, **more}


_POSITION: Final = {
    "lon": (
        *SYNONYMS["lon"],
        "东经",
        "经度坐标",
        "gps经度",
        "点位经度",
        "wgs84经度",
        "jd",
        "coordx",
        "xcoord",
    ),
    "lat": (
        *SYNONYMS["lat"],
        "北纬",
        "纬度坐标",
        "gps纬度",
        "点位纬度",
        "wgs84纬度",
        "wd",
        "coordy",
        "ycoord",
    ),
    "wkt": ("geometry", "geom", "shape", "几何", "图形", "空间数据", "thegeom"),
}
_GRIDS: Final = (
    "网格",
    "所辖网格",
    "负责网格",
    "所属网格",
    "网格编码",
    "网格编号",
    "包含网格",
    "基础网格",
    "grid",
    "gridcode",
)

SPECS: Final[Mapping[str, KindSpec]] = {
    "areas": KindSpec(
        {
            "code": (
                *SYNONYMS["code"],
                "xzqdm",
                "qhdm",
                "zldwdm",
                "xzdm",
                "bm",
                "dm",
                "gridcode",
                "regioncode",
                "社区编码",
                "村编码",
            ),
            "name": (
                *SYNONYMS["name"],
                "xzqmc",
                "qhmc",
                "zldwmc",
                "mc",
                "xzqhmc",
                "gridname",
                "社区名称",
                "村名",
                "村名称",
                "乡镇名称",
            ),
            **_of("tier", "parent", "label", "chief", "workers", "beat", "households"),
            **_POSITION,
        },
        ("code", "name"),
        "polygon",
        "result.gpkg",
        ("workers",),
    ),
    "beats": KindSpec(
        {
            "code": ("警格编号", "警格编码", "警区编号", "警务区编号", *SYNONYMS["code"]),
            "name": ("警格名称", "警区名称", "警务区名称", "警务区", *SYNONYMS["name"]),
            **_of("station"),
            "grids": _GRIDS,
            **_POSITION,
        },
        ("code", "name"),
        "polygon",
        "result.geojson",
        ("grids",),
    ),
}


def key(name: str) -> str:
    """A header without what people vary: case, spaces, dashes, units in brackets.

    >>> key("经度 (°)"), key("Grid_Code*")
    ('经度', 'gridcode')
    """
    return re.sub(r"[\s_\-*:：]+|[(（\[【].*$", "", name.strip().lower())


def guess(columns: Iterable[str], spec: KindSpec, chosen: Mapping[str, str] | None = None) -> dict[str, str]:
    """Guess which column means which field.

    Args:
        columns: As the file names them.
        spec: Of the kind.
        chosen: What a person decided, column → field or "".

    Returns:
        Every column → field, "" for those that mean none; a field is given away once, to the better name.

    >>> guess(["网格编码", "网格名称", "备注"], SPECS["areas"])
    {'网格编码': 'code', '网格名称': 'name', '备注': ''}
    """
    names = list(columns)
    meant = {name: field for name, field in (chosen or {}).items() if name in names}
    taken = {field for field in meant.values() if field}
    exact = {key(field): field for field in spec.fields}
    others: dict[str, tuple[int, str]] = {}
    for field, synonyms in spec.fields.items():
        for rank, other in enumerate(synonyms):
            others.setdefault(key(other), (rank, field))
    for name in names:
        field = exact.get(key(name))
        if name not in meant and field is not None and field not in taken:
            meant[name] = field
            taken.add(field)
    ranked = sorted((others[key(name)], name) for name in names if name not in meant and key(name) in others)
    for (_, field), name in ranked:
        if field not in taken:
            meant[name] = field
            taken.add(field)
    for name in names:
        if name not in meant:
            field = _cut_name(name, spec, taken)
            meant[name] = field
            if field:
                taken.add(field)
    return {name: meant[name] for name in names}


def _cut_name(name: str, spec: KindSpec, taken: set[str]) -> str:
    """The field of a header that a shapefile cut to ten bytes."""
    short = key(name)
    if not (9 <= len(name.encode()) <= 10 or len(name.encode("gb18030")) == 10):
        return ""
    for field, synonyms in spec.fields.items():
        if field not in taken and any(key(other).startswith(short) for other in (field, *synonyms)):
            return field
    return ""
