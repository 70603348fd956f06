"""MANSCDP, the XML that GB/T 28181 devices and platforms exchange inside MESSAGE, SUBSCRIBE and NOTIFY.

Reading is generous where devices are known to be wrong (a declared encoding that lies, bare ampersands, control
characters, times in six spellings) and strict where harm could come: no document type, no entities, bounded size.
"""

import math
import re
import secrets
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Final, Literal, NoReturn
from xml.sax.saxutils import escape

from streams.gb28181.messages import GbAlarm, GbChannel, GbPreset, Recording

CONTENT_TYPE: Final = "Application/MANSCDP+xml"
CHINA: Final = timezone(timedelta(hours=8))
"""Times on this wire carry no zone; they are China's."""

CatalogEvent = Literal["ON", "OFF", "VLOST", "DEFECT", "ADD", "DEL", "UPDATE"]
_EVENTS: Final[dict[str, CatalogEvent]] = {
    "ON": "ON",
    "OFF": "OFF",
    "VLOST": "VLOST",
    "DEFECT": "DEFECT",
    "ADD": "ADD",
    "DEL": "DEL",
    "UPDATE": "UPDATE",
}
_MOST_BYTES: Final = 512 << 10
_MOST_ITEMS: Final = 10_000
_MOST_TEXT: Final = 255
_DECLARATION: Final = re.compile(rb"^\s*<\?xml[^>]{0,200}\?>")
_ENCODING: Final = re.compile(rb"encoding\s*=\s*[\"']([A-Za-z0-9_.-]{1,20})[\"']", re.IGNORECASE)
_ILLEGAL: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_BARE_AMPERSAND: Final = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#\d{1,7}|#x[0-9A-Fa-f]{1,6});)")
_TIME: Final = re.compile(
    r"(\d{4})-?(\d{1,2})-?(\d{1,2})[T ]?(\d{1,2}):?(\d{2}):?(\d{2})(?:\.\d+)?\s*(Z|[+-]\d{2}:?\d{2})?"
)
_CAMERA_TYPES: Final = ("131", "132")


class MalformedXml(ValueError):
    """The body is no document of ours."""


@dataclass(frozen=True, slots=True)
class Document:
    """One message.

    Attributes:
        root: ``Notify``, ``Response``, ``Query`` or ``Control``.
        command: CmdType.
        sn: Serial number, which an answer repeats; empty without.
        device_id: Whom it is about.
        element: All of it.
    """

    root: str
    command: str
    sn: str
    device_id: str
    element: ET.Element

    def text(self, path: str) -> str:
        """Return the cleaned text at a path, or an empty string."""
        return _text(self.element, path)

    @property
    def total(self) -> int:
        """SumNum: how many items all pages together hold; −1 when it does not say."""
        return _integer(self.text("SumNum"), -1)

    def items(self) -> list[ET.Element]:
        """Return the items of this page."""
        return self.element.findall("*/Item")[:_MOST_ITEMS]


class _Tree(ET.TreeBuilder):
    def doctype(self, name: str, pubid: str | None, system: str | None) -> NoReturn:
        raise MalformedXml("a document type is not allowed")


def parse(body: bytes) -> Document:
    """Read a body.

    Raises:
        MalformedXml: It is none of ours, too long, or brings a document type.
    """
    if len(body) > _MOST_BYTES:
        raise MalformedXml("too long")
    text = _ILLEGAL.sub("", decode(body)).strip()
    try:
        element = _element(text)
    except ET.ParseError:
        try:
            element = _element(_BARE_AMPERSAND.sub("&amp;", text))
        except ET.ParseError as error:
            raise MalformedXml(f"not well-formed: {error}") from None
    command = _text(element, "CmdType")
    if element.tag not in ("Notify", "Response", "Query", "Control") or not command:
        raise MalformedXml("no message of this protocol")
    return Document(
        str(element.tag), command, _text(element, "SN")[:20], _text(element, "DeviceID")[:32], element
    )


def decode(body: bytes) -> str:
    """Return the text without its declaration, whatever encoding it really has.

    UTF-8 is taken for UTF-8, also where GB2312 is declared, if all of its characters are such that GB2312 cannot
    have produced them by chance; GB18030 covers GB2312 and GBK.
    """
    declaration = _DECLARATION.match(body)
    declared = _ENCODING.search(declaration[0]) if declaration else None
    body = body[declaration.end() :] if declaration else body
    body = body.removeprefix(b"\xef\xbb\xbf")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return body.decode("gb18030", "replace")
    utf8 = declared is None or declared[1].lower().startswith(b"utf")
    if utf8 or all(ord(letter) < 0x80 or ord(letter) >= 0x2000 for letter in text):
        return text
    return body.decode("gb18030", "replace")


def build(root: str, command: str, device_id: str, inner: str = "", *, sn: str | None = None) -> bytes:
    """Write a message; ``inner`` is finished XML."""
    text = (
        f"<{root}>\r\n<CmdType>{command}</CmdType>\r\n<SN>{sn or new_sn()}</SN>\r\n"
        f"<DeviceID>{escape(device_id)}</DeviceID>\r\n{inner}</{root}>\r\n"
    )
    try:
        return b'<?xml version="1.0" encoding="GB2312"?>\r\n' + text.encode("gb2312")
    except UnicodeEncodeError:
        return b'<?xml version="1.0" encoding="GB18030"?>\r\n' + text.encode("gb18030", "replace")


def tags(*pairs: tuple[str, object]) -> str:
    """Return one line of XML for each (name, value) whose value is not None."""
    return "".join(
        f"<{name}>{escape(_ILLEGAL.sub('', str(value)))}</{name}>\r\n"
        for name, value in pairs
        if value is not None
    )


def new_sn() -> str:
    """Return a serial number."""
    return str(secrets.randbelow(900_000) + 100_000)


def wire_time(at: datetime) -> str:
    """Return an aware time as the wire has it."""
    return at.astimezone(CHINA).strftime("%Y-%m-%dT%H:%M:%S")


def read_time(text: str) -> datetime | None:
    """Return an aware time (UTC), or None when the text is none."""
    found = _TIME.fullmatch(text.strip())
    if not found:
        return None
    zone: timezone = CHINA
    if found[7] == "Z":
        zone = UTC
    elif found[7]:
        sign = -1 if found[7][0] == "-" else 1
        offset = timedelta(hours=int(found[7][1:3]), minutes=int(found[7][-2:]))
        if offset >= timedelta(hours=24):
            return None
        zone = timezone(sign * offset)
    try:
        year, month, day, hour, minute, second = (int(found[index]) for index in range(1, 7))
        return datetime(year, month, day, hour, minute, second, tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def channel(item: ET.Element) -> GbChannel | None:
    """Return the catalogue entry of an item, or None without an id."""
    id = _text(item, "DeviceID")[:32]
    if not id:
        return None
    lon, lat = _place(item)
    return GbChannel(
        channel_id=id,
        name=_text(item, "Name"),
        parent_id=_text(item, "ParentID").rpartition("/")[2][:32],
        camera=len(id) == 20 and id[10:13] in _CAMERA_TYPES,
        online=_text(item, "Status").upper() not in ("OFF", "OFFLINE", "VLOST", "DEFECT"),
        civil_code=_text(item, "CivilCode")[:20],
        lon=lon,
        lat=lat,
        ptz_type=_integer(_text(item, "PTZType") or _text(item, "Info/PTZType"), 0),
        manufacturer=_text(item, "Manufacturer"),
        model=_text(item, "Model"),
        address=_text(item, "Address"),
    )


def changes(document: Document) -> list[tuple[CatalogEvent, GbChannel]]:
    """Return what a catalogue notification says; an item without a known event counts as an update."""
    found: list[tuple[CatalogEvent, GbChannel]] = []
    for item in document.items():
        entry = channel(item)
        if entry is not None:
            found.append((_EVENTS.get(_text(item, "Event").upper(), "UPDATE"), entry))
    return found


def recordings(document: Document) -> list[Recording]:
    """Return the pieces of one RecordInfo page; those without usable times are left out."""
    found = []
    for item in document.items():
        start, end = read_time(_text(item, "StartTime")), read_time(_text(item, "EndTime"))
        if start is None or end is None or end < start:
            continue
        size = _integer(_text(item, "FileSize"), -1)
        found.append(
            Recording(
                start=start,
                end=end,
                name=_text(item, "Name"),
                file_path=_text(item, "FilePath"),
                size=None if size < 0 else size,
            )
        )
    return found


def presets(document: Document) -> list[GbPreset]:
    """Return the presets of one PresetQuery page."""
    found = []
    for item in document.items():
        number = _integer(_text(item, "PresetID"), 0)
        if 1 <= number <= 255:
            found.append(GbPreset(preset=number, name=_text(item, "PresetName")))
    return found


def alarm(document: Document, device_id: str, now: datetime) -> GbAlarm:
    """Return the alarm of a notification by ``device_id``."""
    lon, lat = _place(document.element)
    return GbAlarm(
        device_id=device_id,
        channel_id=document.device_id,
        priority=_integer(document.text("AlarmPriority"), 0),
        method=_integer(document.text("AlarmMethod"), 0),
        kind=_integer(document.text("AlarmType") or document.text("Info/AlarmType"), 0),
        at=read_time(document.text("AlarmTime")) or now,
        description=document.text("AlarmDescription"),
        lon=lon,
        lat=lat,
    )


def page(list_name: str, total: int, items: Sequence[str]) -> str:
    """Return the inner XML of one page of a list (the device's side)."""
    body = "".join(f"<Item>\r\n{item}</Item>\r\n" for item in items)
    return f'<SumNum>{total}</SumNum>\r\n<{list_name} Num="{len(items)}">\r\n{body}</{list_name}>\r\n'


def pages(items: Iterable[str], size: int) -> list[list[str]]:
    """Cut items into pages; no items make one empty page."""
    every = list(items)
    return [every[at : at + size] for at in range(0, len(every), size)] or [[]]


def _element(text: str) -> ET.Element:
    # A document type is refused by the builder before anything in it is read.
    parser = ET.XMLParser(target=_Tree())
    parser.feed(text)
    element = parser.close()
    assert isinstance(element, ET.Element)
    return element


def _text(element: ET.Element, path: str) -> str:
    return (element.findtext(path) or "").strip()[:_MOST_TEXT]


def _integer(text: str, default: int) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 15 else default


def _place(element: ET.Element) -> tuple[float | None, float | None]:
    try:
        lon, lat = float(_text(element, "Longitude")), float(_text(element, "Latitude"))
    except ValueError:
        return None, None
    if not (math.isfinite(lon) and math.isfinite(lat) and abs(lon) <= 180 and abs(lat) <= 90):
        return None, None
    return (None, None) if lon == 0 == lat else (lon, lat)
