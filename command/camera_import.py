"""Cameras brought in from a list: bad rows are named with row and column, and never stop the good ones.

`read_cameras` reads and checks a file by itself, `check_hosts` looks its hosts up. What a list says nothing about
stays as it is with a camera that is known already.
"""

import asyncio
import hashlib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeVar, get_args
from urllib.parse import unquote, urlsplit

import msgspec

from command.camera_tables import Row, read_table
from command.cameras import Camera, Network, checked_text
from command.cameras.sources import NETWORKED, admit, bare, checked
from command.district import District
from command.errors import Malformed
from gis.crs import WGS84, lonlat_from
from gis.errors import CrsMismatch
from gis.tables import split_list
from streams.source import Admission, Protocol, Source

T = TypeVar("T")

HOSTS_AT_ONCE: Final = 16
_NETWORK_WORDS: Final[Mapping[str, Network]] = {
    "xueliang": "xueliang",
    "雪亮": "xueliang",
    "雪亮工程": "xueliang",
    "bureau": "bureau",
    "公安": "bureau",
    "公安自建": "bureau",
    "公安网": "bureau",
    "自建": "bureau",
    "social": "social",
    "社会": "social",
    "社会面": "social",
    "社会资源": "social",
    "社会单位": "social",
}
_YES: Final = frozenset({"1", "true", "yes", "y", "是", "有", "可控", "球机", "√"})
_NO: Final = frozenset({"0", "false", "no", "n", "否", "无", "不可控", "枪机", "×"})
_URL: Final = re.compile(r"(?i)[a-z][a-z0-9+.-]*://")
_GB_ID: Final = re.compile(r"[0-9]{20}")
_SOURCE_CELLS: Final = frozenset(
    {"protocol", "host", "port", "path", "username", "password", "transport", "device_id", "channel_id"}
)


@dataclass(frozen=True, slots=True)
class CellError:
    """What is wrong with a row.

    Attributes:
        row: Its number after the header, from 1, empty rows counted.
        column: As the file calls it, or our own name where it has none.
        code: A word for programs.
        reason: For a person.
    """

    row: int
    column: str
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class CameraFile:
    """What a file holds.

    Attributes:
        cameras: Good rows, in file order.
        sources: Camera id → where its media comes from, where the file says so.
        errors: What is wrong with the other rows, by row.
        columns: Header as written → what it was understood as.
        rows: Camera id → its row.
    """

    cameras: list[Camera]
    sources: dict[str, Source] = field(repr=False)
    errors: list[CellError]
    columns: Mapping[str, str]
    rows: Mapping[str, int]


class _Bad(Exception):
    def __init__(self, column: str, code: str, reason: str) -> None:
        super().__init__(reason)
        self.column = column
        self.code = code
        self.reason = reason


def read_cameras(
    content: bytes,
    district: District,
    *,
    name: str = "cameras",
    crs: str | None = None,
    encoding: str | None = None,
    known: Mapping[str, Camera] | None = None,
) -> CameraFile:
    """Read a CSV, XLSX or GeoJSON file of cameras.

    The GB number, or else name and place, tells whether one is known already.

    Args:
        content: The file.
        district: To find grid, area and station by the place.
        name: What to call the file.
        crs: Of the positions: None is WGS-84; "GCJ-02" and "BD-09" are converted.
        encoding: Of text; None guesses.
        known: Cameras of the registry by id.

    Raises:
        BadFile: It cannot be read at all.
        CrsMismatch: The reference system is unknown.
    """
    lonlat_from(crs or WGS84, [], [])
    table = read_table(content, name, encoding)
    written = {canonical: header for header, canonical in table.columns.items()}
    registry = known or {}
    numbers = {camera.gb_id: camera for camera in registry.values() if camera.gb_id is not None}
    cameras: dict[str, Camera] = {}
    sources: dict[str, Source] = {}
    rows: dict[str, int] = {}
    errors: list[CellError] = []
    for row in table.rows:
        try:
            camera, source = _camera(row, district, crs or WGS84, registry, numbers)
            if camera.id in cameras:
                raise _Bad("gb_id" if camera.gb_id else "name", "duplicate", f"与第 {rows[camera.id]} 行重复")
        except _Bad as bad:
            errors.append(CellError(row.number, written.get(bad.column, bad.column), bad.code, bad.reason))
            continue
        cameras[camera.id] = camera
        rows[camera.id] = row.number
        if source is not None:
            sources[camera.id] = source
    return CameraFile(list(cameras.values()), sources, errors, table.columns, rows)


async def check_hosts(found: CameraFile, admission: Admission) -> CameraFile:
    """Return the file without the rows whose source the administrator does not allow, which become errors.

    A name is looked up once, however many cameras have it.
    """
    slots = asyncio.Semaphore(HOSTS_AT_ONCE)
    refused: dict[tuple[str, str], Malformed] = {}
    written = {canonical: header for header, canonical in found.columns.items()}

    def target(source: Source) -> tuple[str, str]:
        return (source.protocol, source.host if source.protocol in NETWORKED else source.path)

    async def one(source: Source) -> None:
        async with slots:
            try:
                await admit(source, admission)
            except Malformed as error:
                refused[target(source)] = error

    await asyncio.gather(*(one(s) for s in {target(s): s for s in found.sources.values()}.values()))
    if not refused:
        return found
    errors = list(found.errors)
    for camera_id, source in found.sources.items():
        error = refused.get(target(source))
        if error is not None:
            column = error.field.removeprefix("source.")
            errors.append(
                CellError(
                    found.rows[camera_id], written.get(column, column), "not_allowed", _refusal(error, source)
                )
            )
    bad = {camera_id for camera_id, source in found.sources.items() if target(source) in refused}
    return replace(
        found,
        cameras=[camera for camera in found.cameras if camera.id not in bad],
        sources={camera_id: source for camera_id, source in found.sources.items() if camera_id not in bad},
        errors=sorted(errors, key=lambda e: e.row),
    )


def changed_sources(found: CameraFile, kept: Mapping[str, Source]) -> dict[str, Source]:
    """Return the sources that say something new, given those kept without their passwords."""
    return {
        camera_id: source
        for camera_id, source in found.sources.items()
        if source.password is not None or bare(source) != kept.get(camera_id)
    }


def _refusal(error: Malformed, source: Source) -> str:
    match error.field:
        case "source.host":
            return f"{source.host} 不在允许的网段内或无法解析（cameras.allowed_networks）：{error.detail}"
        case "source.protocol":
            return f"协议 {source.protocol} 未获允许（cameras.allowed_protocols）"
        case _:
            return error.detail


def _camera(
    row: Row,
    district: District,
    crs: str,
    known: Mapping[str, Camera],
    numbers: Mapping[str, Camera],
) -> tuple[Camera, Source | None]:
    cells = row.cells
    name = _name(cells, "name", 80)
    if not name:
        raise _Bad("name", "missing", "没有名称")
    gb_id = _gb_id(row)
    lon, lat = _position(cells, crs)
    # Ids stand in addresses, where a name's own slashes and question marks would mean something.
    place = hashlib.sha256(f"{name} {lon:.5f} {lat:.5f}".encode()).hexdigest()[:20]
    camera_id = f"c_{gb_id or place}"
    old = numbers.get(gb_id) if gb_id is not None else known.get(camera_id)
    said: dict[str, Any] = {"name": name, "lon": lon, "lat": lat, **_facts(cells, district)}
    if old is None or (old.lon, old.lat) != (lon, lat):
        grid, area, station = district.ground_of(lon, lat)
        said.setdefault("grid", grid)
        said.setdefault("area", area)
        if station is not None:
            said.setdefault("station", station)
    source = _source(row, gb_id)
    if old is not None:
        return msgspec.structs.replace(old, **said, gb_id=gb_id or old.gb_id), source
    return Camera(id=camera_id, gb_id=gb_id, **said), source


def _facts(cells: Mapping[str, str], district: District) -> dict[str, Any]:
    """Return what the row says beside name, number and place; an empty cell of a column that is there says null."""
    said: dict[str, Any] = {}
    if "network" in cells:
        word = cells["network"].lower() or "xueliang"
        if word not in _NETWORK_WORDS:
            raise _Bad("network", "unknown_value", f"{_shown(word)} 不是 xueliang、bureau、social 之一")
        said["network"] = _NETWORK_WORDS[word]
    for column, most in (("site_type", 40), ("station", 60)):
        if column in cells:
            said[column] = _name(cells, column, most) or None
    for column, low, high in (
        ("azimuth", 0.0, 360.0),
        ("fov", 0.0, 360.0),
        ("height_m", 0.0, 1_000.0),
        ("tilt", -90.0, 90.0),
        ("range_m", 0.0, 50_000.0),
    ):
        if column in cells:
            said[column] = _number(cells, column, low, high)
    if said.get("azimuth") == 360.0:
        said["azimuth"] = 0.0
    for column in ("fov", "range_m"):
        if said.get(column) == 0.0:
            said[column] = None
    if "ptz" in cells:
        said["ptz"] = _flag(cells["ptz"])
    for column in ("grid", "area"):
        code = next(iter(split_list(cells.get(column))), None)
        if code is not None:
            if code not in district.areas:
                raise _Bad(column, "unknown_value", f"没有编码为 {_shown(code)} 的网格或区划")
            said[column] = code
    if "tour_groups" in cells:
        groups = split_list(cells["tour_groups"])
        if len(groups) > 20:
            raise _Bad("tour_groups", "too_long", "最多 20 个分组")
        said["tour_groups"] = tuple(_text("tour_groups", group, 40) for group in groups)
    return said


def _source(row: Row, gb_id: str | None) -> Source | None:
    """Return where the row says that the media comes from, or None where it says nothing."""
    cells = {column: text for column, text in row.cells.items() if column in _SOURCE_CELLS and text}
    if not cells.keys() & {"protocol", "host", "path"}:
        return None
    cells = _apart(cells)
    word = cells.get("protocol", "rtsp").lower()
    protocol: Protocol
    for protocol in get_args(Protocol):
        if word in (protocol, protocol.replace("gb28181", "gb/t28181"), protocol.replace("gb28181", "国标")):
            break
    else:
        raise _Bad("protocol", "unknown_value", f"不认识协议 {_shown(word)}")
    if protocol == "gb28181":
        source = Source(
            protocol=protocol,
            device_id=cells.get("device_id") or gb_id,
            channel_id=cells.get("channel_id") or gb_id,
        )
    else:
        source = Source(
            protocol=protocol,
            host=cells.get("host", ""),
            port=_port(cells.get("port", "")),
            path=cells.get("path", ""),
            username=cells.get("username"),
            password=cells.get("password"),
            transport="udp" if cells.get("transport", "").lower() == "udp" else "tcp",
        )
    try:
        return checked(source)
    except Malformed as error:
        raise _Bad(error.field.removeprefix("source."), "malformed", error.detail) from None


def _apart(cells: dict[str, str]) -> dict[str, str]:
    """Take an address that stands whole in one cell apart into its fields; what has a cell of its own counts."""
    column = next((c for c in ("path", "host") if _URL.match(cells.get(c, ""))), None)
    if column is None:
        return cells
    try:
        parts = urlsplit(cells[column])
        port = parts.port
    except ValueError:
        raise _Bad(column, "malformed", "不是可以拆开的地址") from None
    path = parts.path.lstrip("/") + (f"?{parts.query}" if parts.query else "")
    scheme = parts.scheme.lower()
    if scheme in ("http", "https"):
        scheme = "hls" if parts.path.lower().endswith(".m3u8") else "http-flv"
    found = {
        "protocol": scheme,
        "host": parts.hostname or "",
        "port": "" if port is None else str(port),
        "username": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
    }
    rest = {c: text for c, text in cells.items() if c != column}
    whole = {**{c: text for c, text in found.items() if text}, **rest, "path": path}
    if column == "host" and cells.get("path"):
        whole["path"] = cells["path"]
    return whole


def _position(cells: Mapping[str, str], crs: str) -> tuple[float, float]:
    if not cells.get("lon") and not cells.get("lat"):
        raise _Bad("lon", "missing", "没有经纬度")
    values = []
    for column in ("lon", "lat"):
        text = cells.get(column, "")
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise _Bad(column, "not_a_number", f"经纬度不是数字：{_shown(text)}")
        values.append(value)
    x, y = values
    if x == 0.0 and y == 0.0:
        raise _Bad("lon", "out_of_range", "经纬度是 0, 0")
    try:
        lon, lat = lonlat_from(crs, x, y)
    except CrsMismatch:
        raise _Bad("lon", "out_of_range", f"经纬度超出范围：{x:g}, {y:g}（是否颠倒或坐标系有误？）") from None
    return float(lon), float(lat)


def _gb_id(row: Row) -> str | None:
    text = row.cells.get("gb_id", "")
    if not text:
        return None
    if "gb_id" in row.lossy:
        raise _Bad("gb_id", "not_digits", "国标编号存成了数字，末几位已丢失；请把该列设为文本")
    if _GB_ID.fullmatch(text) is None:
        raise _Bad("gb_id", "not_digits", f"国标编号是 20 位数字，不是 {_shown(text)}")
    return text


def _number(cells: Mapping[str, str], column: str, low: float, high: float) -> float | None:
    text = cells[column]
    if not text:
        return None
    try:
        value = float(text.rstrip("°度米mM"))
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise _Bad(column, "not_a_number", f"不是数字：{_shown(text)}")
    if not low <= value <= high:
        raise _Bad(column, "out_of_range", f"应在 {low:g} 到 {high:g} 之间，不是 {value:g}")
    return value


def _port(text: str) -> int:
    if not text:
        return 0
    if not (text.isascii() and text.isdigit() and 0 < int(text[:9]) <= 65_535 and len(text) <= 5):
        raise _Bad("port", "out_of_range", f"端口是 1 到 65535，不是 {_shown(text)}")
    return int(text)


def _flag(text: str) -> bool:
    word = text.lower()
    if word and word not in _YES and word not in _NO:
        raise _Bad("ptz", "unknown_value", f"是或否，不是 {_shown(text)}")
    return word in _YES


def _name(cells: Mapping[str, str], column: str, most: int) -> str:
    text = cells.get(column, "")
    return _text(column, text, most) if text else ""


def _text(column: str, text: str, most: int) -> str:
    try:
        return checked_text(column, text, most)
    except Malformed:
        if len(text.strip()) > most:
            raise _Bad(column, "too_long", f"最多 {most} 个字") from None
        raise _Bad(column, "control_character", "含有控制字符或改变文字方向的字符") from None


def _shown(text: str) -> str:
    """Return a cell's text as an error may repeat it: short, and with nothing that acts."""
    return ascii(text[:40]) if not text[:40].isprintable() else repr(text[:40])
