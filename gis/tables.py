"""Tables of points and people as offices keep them: CSV, UTF-8 or GB 18030, columns in Chinese or English."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gis.crs import WGS84, lonlat_from
from gis.errors import BadFile, CrsMismatch

_LIST = re.compile(r"[,，、;；|\s]+")

# Canonical column, then the other names it goes by. Compared without case, spaces, dashes and underscores.
SYNONYMS: Mapping[str, tuple[str, ...]] = {
    "code": (
        "编码",
        "代码",
        "编号",
        "行政区划代码",
        "区划代码",
        "网格编码",
        "网格编号",
        "警格编号",
        "adcode",
        "id",
    ),
    "name": ("名称", "姓名", "网格名称", "行政区名称", "警格名称", "摄像头名称", "设备名称", "点位名称"),
    "tier": ("层级", "级别", "等级", "level"),
    "parent": ("上级", "上级编码", "上级代码", "父级编码", "所属", "所属编码", "parentcode", "pid"),
    "label": ("类型", "类别名称", "层级名称"),
    "chief": ("网格长", "负责人", "书记", "主任", "长"),
    "workers": ("网格员", "专职网格员", "worker"),
    "beat": ("警格", "警格编码", "所属警格", "beatcode"),
    "households": ("户数", "household"),
    "posts": ("岗位数", "编制数", "应配人数", "网格员编制"),
    "valid_from": ("有效期起", "启用日期", "生效日期", "开始日期", "validfrom"),
    "valid_to": ("有效期止", "停用日期", "失效日期", "结束日期", "validto"),
    "grids": ("网格", "所辖网格", "负责网格", "所属网格", "grid"),
    "station": ("派出所", "所属派出所", "policestation"),
    "kind": ("人员类型", "岗位", "职务", "种类", "分类", "网格类别", "class", "type"),
    "phone": ("电话", "手机", "手机号", "联系电话", "mobile", "tel"),
    "address": ("地址", "详细地址", "addr"),
    "lon": ("经度", "lng", "long", "longitude", "x"),
    "lat": ("纬度", "latitude", "y"),
    "gb_id": ("国标编码", "国标编号", "国标id", "设备编码", "gbid"),
    "device_id": ("设备号", "终端编号", "imei", "deviceid"),
    "network": ("网络", "所属网络", "来源"),
    "azimuth": ("方位角", "朝向", "heading", "bearing"),
    "fov": ("视场角", "视角", "fieldofview"),
    "protocol": ("协议",),
    "host": ("ip", "ip地址", "主机"),
    "port": ("端口",),
    "path": ("路径", "流地址", "码流"),
}


@dataclass(frozen=True, slots=True)
class RowError:
    """Something wrong with one row.

    Attributes:
        row: 1 for the first data row (a header is not counted); 0 for the file as a whole.
        reason: For a person.
        dropped: False when the row was kept with a correction.
    """

    row: int
    reason: str
    dropped: bool = True


@dataclass(frozen=True, slots=True)
class PointRow:
    """One row of a table of cameras, responders or places.

    Attributes:
        row: 1 for the first data row.
        lon: Degrees, EPSG:4326, or None where the row has no position.
        lat: Degrees.
        values: Canonical column name (others unchanged) to text.
    """

    row: int
    lon: float | None
    lat: float | None
    values: dict[str, str]


def _key(name: str) -> str:
    return re.sub(r"[\s_\-]+", "", name.strip().lower())


_CANONICAL = {_key(name): name for name in SYNONYMS}
_OTHERS = {_key(other): name for name, others in SYNONYMS.items() for other in others}


def canonical_columns(columns: Iterable[str]) -> dict[str, str]:
    """Column name to canonical name; unknown ones keep theirs, and a canonical name is given away only once.

    >>> canonical_columns(["编码", "名称", "备注"])
    {'编码': 'code', '名称': 'name', '备注': '备注'}
    """
    names = list(columns)
    meant = {name: _CANONICAL[_key(name)] for name in names if _key(name) in _CANONICAL}
    taken = set(meant.values())
    for name in names:
        if name not in meant:
            guess = _OTHERS.get(_key(name), name)
            meant[name] = name if guess in taken else guess
            taken.add(meant[name])
    return {name: meant[name] for name in names}


def split_list(value: object) -> tuple[str, ...]:
    """A cell that holds several names or codes.

    >>> split_list("王芳、李强")
    ('王芳', '李强')
    >>> split_list(None)
    ()
    """
    if value is None:
        return ()
    if isinstance(value, list | tuple):
        return tuple(str(part).strip() for part in value if str(part).strip())
    text = str(value).strip()
    if text.startswith("[") and text.endswith("]"):
        text = text[1:-1].replace('"', " ").replace("'", " ")
    return tuple(part for part in _LIST.split(text) if part)


def decode_text(raw: bytes, encoding: str | None = None) -> str:
    """Text of a file: the declared encoding, else UTF-8 (with or without its mark), else GB 18030.

    Raises:
        UnicodeDecodeError: It is none of them.

    >>> decode_text("名称".encode("gbk"))
    '名称'
    """
    if encoding is not None:
        return raw.decode(encoding)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("gb18030")


def read_table(path: Path | str, *, encoding: str | None = None) -> list[dict[str, str]]:
    """Read a CSV file.

    Args:
        path: Separated by comma, semicolon or tab, the first row naming the columns.
        encoding: None guesses UTF-8, then GB 18030.

    Returns:
        One mapping a row, columns as the file names them, cells stripped, rows without any text left out.

    Raises:
        BadFile: It cannot be opened, is not text in a known encoding, or has no header.
    """
    try:
        text = decode_text(Path(path).read_bytes(), encoding)
    except OSError as error:
        raise BadFile(str(path), "file", error.strerror or "cannot be opened") from error
    except (UnicodeDecodeError, LookupError) as error:
        raise BadFile(str(path), "file", "is not text in UTF-8 or GB 18030") from error
    if "\0" in text:
        raise BadFile(str(path), "file", "is not a text file")
    header = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=header.count)
    try:
        rows = list(csv.reader(io.StringIO(text), delimiter=delimiter))
    except csv.Error as error:
        raise BadFile(str(path), "file", str(error)) from error
    if not rows or not any(cell.strip() for cell in rows[0]):
        raise BadFile(str(path), "header", "the first row must name the columns")
    columns = [cell.strip() for cell in rows[0]]
    return [
        {column: (row[n].strip() if n < len(row) else "") for n, column in enumerate(columns) if column}
        for row in rows[1:]
        if any(cell.strip() for cell in row)
    ]


def point_rows(
    path: Path | str, *, crs: str | None = None, encoding: str | None = None, needs_position: bool = False
) -> tuple[list[PointRow], list[RowError]]:
    """Read a CSV of cameras, responders or places.

    Args:
        path: See `read_table`; columns are recognised by their Chinese and English names.
        crs: Of the positions: None is WGS-84; "GCJ-02" and "BD-09" are converted.
        encoding: See `read_table`.
        needs_position: Drop rows without a position instead of keeping them with None.

    Returns:
        Rows in file order, and what is wrong with the others.

    Raises:
        BadFile: See `read_table`.
        CrsMismatch: The reference system is unknown.
    """
    lonlat_from(crs or WGS84, [], [])
    table = read_table(path, encoding=encoding)
    names = canonical_columns(table[0]) if table else {}
    kept: list[PointRow] = []
    errors: list[RowError] = []
    for number, cells in enumerate(table, start=1):
        values = {names[column]: cell for column, cell in cells.items()}
        try:
            position = _position(values, crs or WGS84)
        except ValueError as error:
            errors.append(RowError(number, str(error)))
            continue
        if position is None and needs_position:
            errors.append(RowError(number, "没有经纬度"))
            continue
        lon, lat = position if position is not None else (None, None)
        kept.append(PointRow(number, lon, lat, values))
    return kept, errors


def _position(values: Mapping[str, Any], crs: str) -> tuple[float, float] | None:
    """Position of a row, None without one; ValueError says what is wrong with it."""
    texts = [str(values.get(name) or "").strip() for name in ("lon", "lat")]
    if not any(texts):
        return None
    try:
        x, y = (float(text) for text in texts)
    except ValueError:
        raise ValueError(f"经纬度不是数字：{texts[0]!r}, {texts[1]!r}") from None
    if not (np.isfinite(x) and np.isfinite(y)) or (x == 0.0 and y == 0.0):
        raise ValueError(f"经纬度无效：{x}, {y}")
    try:
        lon, lat = lonlat_from(crs, x, y)
    except CrsMismatch:
        raise ValueError(f"经纬度超出范围：{x}, {y}（是否颠倒或坐标系有误？）") from None
    return float(lon), float(lat)
