"""KML and KMZ: places with their names, data and shapes, by the small parser of the standard library.

Nothing that points elsewhere is followed: a document type is refused by the parser, and network links by us.
"""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any, Final
from xml.parsers import expat

import numpy as np
import pyarrow as pa
import shapely
from shapely.errors import GEOSException
from shapely.geometry.base import BaseGeometry

from gis.apart.messages import Refused, refuse
from gis.intake.model import Encoding, Layer, Why
from gis.intake.rows import Rows, Shapes

_SHAPES: Final = ("Point", "LineString", "LinearRing", "Polygon")
_TEXT: Final = ("name", "description", "coordinates", "SimpleData", "value", "address", "phoneNumber")
MOST_DEPTH: Final = 200
_TAGS: Final = re.compile(r"<[^>]*>")


class _Reader:
    """Collects placemarks as their elements end."""

    def __init__(self) -> None:
        self.rows: list[dict[str, str]] = []
        self.shapes: list[BaseGeometry | None] = []
        self.bad: list[int] = []
        self.links = 0
        self._path: list[str] = []
        self._folders: list[str] = []
        self._row: dict[str, str] | None = None
        self._parts: list[BaseGeometry] = []
        self._shell: Any = None
        self._holes: list[Any] = []
        self._broken = False
        self._text: list[str] | None = None
        self._key = ""

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        tag = tag.rpartition(":")[2]
        if len(self._path) >= MOST_DEPTH:
            raise refuse("broken_file", "KML 嵌套太深", "is nested too deep")
        self._path.append(tag)
        if tag in ("Folder", "Document"):
            self._folders.append("")
        elif tag == "Placemark":
            self._row, self._parts, self._broken = {}, [], False
            folder = "/".join(part for part in self._folders if part)
            if folder:
                self._row["folder"] = folder
        elif tag == "NetworkLink":
            self.links += 1
        elif tag == "Polygon":
            self._shell, self._holes = None, []
        elif tag in ("Data", "SimpleData"):
            self._key = attributes.get("name", "")
        if tag in _TEXT:
            self._text = []

    def data(self, text: str) -> None:
        if self._text is not None:
            self._text.append(text)

    def end(self, tag: str) -> None:
        tag = tag.rpartition(":")[2]
        self._path.pop()
        text = "".join(self._text).strip() if self._text is not None and tag in _TEXT else ""
        if tag in _TEXT:
            self._text = None
        above = self._path[-1] if self._path else ""
        if tag in ("Folder", "Document"):
            self._folders.pop()
        elif tag == "name" and above in ("Folder", "Document"):
            self._folders[-1] = text
        if self._row is None:
            return
        if tag in ("name", "description", "address", "phoneNumber") and above == "Placemark":
            self._row[tag] = _plain(text)
        elif tag in ("SimpleData", "value") and self._key:
            self._row[self._key] = text
        elif tag == "coordinates":
            self._coordinates(above, text)
        elif tag == "Polygon":
            self._polygon()
        elif tag == "Placemark":
            self._finish()

    def _coordinates(self, above: str, text: str) -> None:
        try:
            points = np.array(
                [[float(v) for v in word.split(",")[:2]] for word in text.split()], dtype=np.float64
            )
            points = points.reshape(-1, 2)
        except ValueError:
            self._broken = True
            return
        if above == "Point" and len(points):
            self._parts.append(shapely.Point(points[0]))
        elif above == "LineString" and len(points) > 1:
            self._parts.append(shapely.LineString(points))
        elif above == "LinearRing":
            place = self._path[-2] if len(self._path) > 1 else ""
            if len(points) < 3:
                self._broken = True
            elif place == "innerBoundaryIs":
                self._holes.append(points)
            elif place == "outerBoundaryIs":
                self._shell = points
        elif len(points):
            self._broken = True

    def _polygon(self) -> None:
        if self._shell is None:
            return
        try:
            self._parts.append(shapely.Polygon(self._shell, self._holes))
        except (GEOSException, ValueError):
            self._broken = True

    def _finish(self) -> None:
        assert self._row is not None
        if self._broken:
            self.bad.append(len(self.rows))
        self.shapes.append(None if self._broken else _together(self._parts))
        self.rows.append(self._row)
        self._row = None


def _together(parts: list[BaseGeometry]) -> BaseGeometry | None:
    if len(parts) < 2:
        return parts[0] if parts else None
    polygons = [part for part in parts if isinstance(part, shapely.Polygon)]
    if len(polygons) == len(parts):
        return shapely.MultiPolygon(polygons)
    points = [part for part in parts if isinstance(part, shapely.Point)]
    if len(points) == len(parts):
        return shapely.MultiPoint(points)
    return shapely.GeometryCollection(parts)


def _plain(text: str) -> str:
    return html.unescape(_TAGS.sub(" ", text)).strip() if "<" in text else text


def read(path: Path, name: str) -> Rows:
    """Read every place of a document, in its order; the folder it stands in is a column.

    Raises:
        Refused: It has a document type, is not well-formed before its first place, or holds links alone.
    """
    reader = _Reader()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.data

    def forbid(*_: object) -> int:
        raise refuse("dtd", "XML 带有文档类型声明（DTD），已拒绝", "declares a DTD, which is refused")

    parser.StartDoctypeDeclHandler = forbid
    parser.EntityDeclHandler = forbid
    parser.ExternalEntityRefHandler = forbid
    cut = None
    try:
        with path.open("rb") as stream:
            parser.ParseFile(stream)
    except Refused:
        raise
    except (expat.ExpatError, LookupError, ValueError) as error:
        if not reader.rows:
            raise refuse(
                "broken_file", f"XML 不完整或有误（{error}）", f"is not well-formed ({error})"
            ) from error
        cut = Why(
            f"文件在第 {len(reader.rows) + 1} 个地标处中断，其后的内容丢失（{error}）",
            f"the file breaks off within place {len(reader.rows) + 1}; what followed is lost ({error})",
        )
    if reader.links and not reader.rows:
        raise refuse(
            "remote",
            "KML 只有网络链接，内容在别处，已拒绝",
            "holds only links to other places, which are not followed",
        )
    columns = list(dict.fromkeys(key for row in reader.rows for key in row))
    rows = Rows(
        format="kml",
        layers=(Layer(name, len(reader.rows)),),
        layer=name,
        columns={
            key: pa.array([row.get(key, "") for row in reader.rows], type=pa.string()) for key in columns
        },
        shapes=_array(reader.shapes),
        numbers=np.arange(1, len(reader.rows) + 1),
        encoding=Encoding("utf-8", False),
        declared="EPSG:4326",
        unreadable=np.array(reader.bad, dtype=np.int64),
    )
    if cut is not None:
        rows.cut_at_end(cut)
    if reader.links:
        rows.notes.append(
            Why(f"{reader.links} 个网络链接未读取", f"{reader.links} network links were not followed")
        )
    return rows


def _array(shapes: list[BaseGeometry | None]) -> Shapes:
    array: Shapes = np.empty(len(shapes), dtype=object)
    array[:] = shapes
    return array
