"""Cameras brought in from a list: bad rows are named with row and column, and never stop the good ones.

What strangers send is read by `gis.intake` in a process apart; here its rows are judged as the registry would, and
`check_hosts` looks their hosts up. What a list says nothing about stays as it is with a camera that is known.
"""

import asyncio
import csv
import hashlib
import io
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, get_args
from urllib.parse import unquote, urlsplit

import msgspec

from command.cameras import Camera, Network, checked_text
from command.cameras.sources import NETWORKED, admit, bare, checked
from command.district import District
from command.errors import Malformed
from command.row_faults import BadCell, RowFault, shown
from gis.apart.messages import refuse
from gis.tables import split_list
from streams.source import Admission, Protocol, Source

MOST_CAMERAS: Final = 50_000
MOST_GROUPS: Final = 20
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
class CameraFile:
    """What a file holds.

    Attributes:
        cameras: Good rows, in file order.
        sources: Camera id → where its media comes from, where the file says so.
        faults: What is wrong with the other rows, by row.
        rows: Camera id → its row.
    """

    cameras: list[Camera]
    sources: dict[str, Source] = field(repr=False)
    faults: list[RowFault]
    rows: Mapping[str, int]


def read_cameras(
    content: bytes, district: District, *, known: Mapping[str, Camera] | None = None
) -> CameraFile:
    """Judge the rows of a table of our own making (`gis.intake`, `gis.synthetic`) as the registry would.

    The GB number, or else name and place, tells whether one is known already.

    Args:
        content: CSV in UTF-8 under our names of the columns, places in WGS-84 degrees; a column ``row`` numbers
            the rows as the file they come from did, otherwise they are counted from 1.
        district: To find grid, area and station by the place.
        known: Cameras of the registry by id.

    Raises:
        Refused: There are too many.
    """
    registry = known or {}
    numbers = {camera.gb_id: camera for camera in registry.values() if camera.gb_id is not None}
    cameras: dict[str, Camera] = {}
    sources: dict[str, Source] = {}
    rows: dict[str, int] = {}
    faults: list[RowFault] = []
    table = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""), restval="")
    for count, cells in enumerate(table, start=1):
        if count > MOST_CAMERAS:
            raise refuse(
                "too_many_rows",
                f"超过 {MOST_CAMERAS:,} 路摄像头，请分开导入",
                f"holds more than {MOST_CAMERAS:,} cameras; bring them in by parts",
            )
        number = int(cells.pop("row", count))
        try:
            camera, source = _camera(cells, district, registry, numbers)
            if camera.id in cameras:
                raise BadCell("gb_id" if camera.gb_id else "name", "duplicate", first=rows[camera.id])
        except BadCell as bad:
            faults.append(bad.at(number))
            continue
        cameras[camera.id] = camera
        rows[camera.id] = number
        if source is not None:
            sources[camera.id] = source
    return CameraFile(list(cameras.values()), sources, faults, rows)


async def check_hosts(found: CameraFile, admission: Admission) -> CameraFile:
    """Return the file without the rows whose source the administrator does not allow, which become errors.

    A name is looked up once, however many cameras have it.
    """
    slots = asyncio.Semaphore(HOSTS_AT_ONCE)
    refused: dict[tuple[str, str], BadCell] = {}

    def target(source: Source) -> tuple[str, str]:
        return (source.protocol, source.host if source.protocol in NETWORKED else source.path)

    async def one(source: Source) -> None:
        async with slots:
            try:
                await admit(source, admission)
            except Malformed as error:
                name = error.field.removeprefix("source.")
                refused[target(source)] = BadCell(
                    name,
                    f"not_allowed.{name}",
                    host=source.host,
                    protocol=source.protocol,
                    detail=error.detail,
                )

    await asyncio.gather(*(one(s) for s in {target(s): s for s in found.sources.values()}.values()))
    if not refused:
        return found
    bad = {
        camera_id: refused[target(source)]
        for camera_id, source in found.sources.items()
        if target(source) in refused
    }
    faults = [*found.faults, *(fault.at(found.rows[camera_id]) for camera_id, fault in bad.items())]
    return replace(
        found,
        cameras=[camera for camera in found.cameras if camera.id not in bad],
        sources={camera_id: source for camera_id, source in found.sources.items() if camera_id not in bad},
        faults=sorted(faults, key=lambda fault: fault.row),
    )


def changed_sources(found: CameraFile, kept: Mapping[str, Source]) -> dict[str, Source]:
    """Return the sources that say something new, given those kept without their passwords."""
    return {
        camera_id: source
        for camera_id, source in found.sources.items()
        if source.password is not None or bare(source) != kept.get(camera_id)
    }


def _camera(
    cells: Mapping[str, str],
    district: District,
    known: Mapping[str, Camera],
    numbers: Mapping[str, Camera],
) -> tuple[Camera, Source | None]:
    name = _name(cells, "name", 80)
    if not name:
        raise BadCell("name", "missing")
    gb_id = cells.get("gb_id") or None
    if gb_id is not None and _GB_ID.fullmatch(gb_id) is None:
        raise BadCell("gb_id", "gb_id", text=shown(gb_id))
    lon, lat = _position(cells)
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
    source = _source(cells, gb_id)
    if old is not None:
        return msgspec.structs.replace(old, **said, gb_id=gb_id or old.gb_id), source
    return Camera(id=camera_id, gb_id=gb_id, **said), source


def _facts(cells: Mapping[str, str], district: District) -> dict[str, Any]:
    """Return what the row says beside name, number and place; an empty cell of a column that is there says null."""
    said: dict[str, Any] = {}
    if "network" in cells:
        word = cells["network"].lower() or "xueliang"
        if word not in _NETWORK_WORDS:
            raise BadCell("network", "unknown_word", text=shown(word), known="xueliang, bureau, social")
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
                raise BadCell(column, "unknown_area", text=shown(code))
            said[column] = code
    if "tour_groups" in cells:
        groups = split_list(cells["tour_groups"])
        if len(groups) > MOST_GROUPS:
            raise BadCell("tour_groups", "too_many_groups", most=MOST_GROUPS)
        said["tour_groups"] = tuple(_text("tour_groups", group, 40) for group in groups)
    return said


def _source(row: Mapping[str, str], gb_id: str | None) -> Source | None:
    """Return where the row says that the media comes from, or None where it says nothing."""
    cells = {column: text for column, text in row.items() if column in _SOURCE_CELLS and text}
    if not cells.keys() & {"protocol", "host", "path"}:
        return None
    cells = _apart(cells)
    word = cells.get("protocol", "rtsp").lower()
    protocol: Protocol
    for protocol in get_args(Protocol):
        if word in (protocol, protocol.replace("gb28181", "gb/t28181"), protocol.replace("gb28181", "国标")):
            break
    else:
        known = ", ".join(get_args(Protocol))
        raise BadCell("protocol", "unknown_word", text=shown(word), known=known)
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
        raise BadCell(error.field.removeprefix("source."), error.field, detail=error.detail) from None


def _apart(cells: dict[str, str]) -> dict[str, str]:
    """Take an address that stands whole in one cell apart into its fields; what has a cell of its own counts."""
    column = next((c for c in ("path", "host") if _URL.match(cells.get(c, ""))), None)
    if column is None:
        return cells
    try:
        parts = urlsplit(cells[column])
        port = parts.port
    except ValueError:
        raise BadCell(column, "address") from None
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


def _position(cells: Mapping[str, str]) -> tuple[float, float]:
    texts = [cells.get(column) or "" for column in ("lon", "lat")]
    if not any(texts):
        raise BadCell("lon", "missing")
    lon, lat = (_decimal(text) for text in texts)
    # What is no number lies in no range either.
    if not (-180.0 <= lon <= 180.0 and -90.0 <= lat <= 90.0) or lon == lat == 0.0:
        raise BadCell("lon", "place", lon=shown(texts[0]), lat=shown(texts[1]))
    return lon, lat


def _number(cells: Mapping[str, str], column: str, low: float, high: float) -> float | None:
    text = cells[column]
    if not text:
        return None
    value = _decimal(text.rstrip("°度米mM"))
    if not math.isfinite(value):
        raise BadCell(column, "not_a_number", text=shown(text))
    if not low <= value <= high:
        raise BadCell(column, "out_of_range", low=f"{low:g}", high=f"{high:g}", value=f"{value:g}")
    return value


def _decimal(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _port(text: str) -> int:
    if not text:
        return 0
    if not (text.isascii() and text.isdigit() and 0 < int(text[:9]) <= 65_535 and len(text) <= 5):
        raise BadCell("port", "source.port")
    return int(text)


def _flag(text: str) -> bool:
    word = text.lower()
    if word and word not in _YES and word not in _NO:
        raise BadCell("ptz", "yes_or_no", text=shown(text))
    return word in _YES


def _name(cells: Mapping[str, str], column: str, most: int) -> str:
    text = cells.get(column) or ""
    return _text(column, text, most) if text else ""


def _text(column: str, text: str, most: int) -> str:
    try:
        return checked_text(column, text, most)
    except Malformed:
        if len(text.strip()) > most:
            raise BadCell(column, "too_long", most=most) from None
        raise BadCell(column, "control_character") from None
