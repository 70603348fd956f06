"""Layers as files that others open: GeoPackage, GeoJSON, XLSX and CSV, in WGS-84 or GCJ-02.

Which datum a file is in is said inside it and, because GeoJSON and CSV have no place for it, in each row. Whatever
people typed stays text: a spreadsheet runs none of it.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from gis.crs import GCJ02, WGS84
from gis.errors import BadFile
from gis.projecting import CRS84, Geometry, Target, geojson, out, projected, target

Format = Literal["gpkg", "geojson", "xlsx", "csv"]
FORMATS: Final[tuple[Format, ...]] = ("gpkg", "geojson", "xlsx", "csv")
Datum = Literal["WGS-84", "GCJ-02"]
DATUMS: Final[tuple[Datum, ...]] = ("WGS-84", "GCJ-02")
Kind = Literal["text", "integer", "number", "flag", "moment", "day", "list"]
Value = str | int | float | bool | tuple[str, ...] | None

MOST_SHEET_ROWS: Final = 1_048_575
"""What a spreadsheet holds below its header."""
_MOST_CELL: Final = 32_767
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""How a text begins that some spreadsheet takes for a formula."""
_DEGREES: Final = "0.0000000"
_MOMENT: Final = "yyyy-mm-dd hh:mm:ss"

_GCJ02_WKT: Final = (
    'GEOGCS["GCJ-02 (shifted, not WGS 84)",DATUM["GCJ-02",SPHEROID["WGS 84",6378137,298.257223563]],'
    'PRIMEM["Greenwich",0],UNIT["degree",0.0174532925199433],AXIS["Longitude",EAST],AXIS["Latitude",NORTH]]'
)
"""No authority has a number for it: a name of its own keeps it from being taken for WGS-84."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        name: Of the column.
        kind: Moments are RFC 3339 in UTC, days ISO 8601; both come as text.
        title: In words.
    """

    name: str
    kind: Kind
    title: str


@dataclass(frozen=True, slots=True)
class LayerTable:
    """What is written.

    Attributes:
        name: Plain; becomes the layer's.
        title: In words.
        shape: Of the geometries, where they are all alike.
        columns: Without the geometry.
        rows: One value for each column.
        shapes: Where each row stands, WGS-84; None where it stands nowhere.
        facts: Said about the whole: who made it, when, what was left out.
        zone: In which spreadsheets show moments; everything else keeps them in UTC.
    """

    name: str
    title: str
    shape: Literal["Point", "MultiPolygon", "Any"]
    columns: Sequence[Column]
    rows: Sequence[Sequence[Value]]
    shapes: Sequence[Geometry | None]
    facts: Mapping[str, str]
    zone: tzinfo = UTC


def write_layer(path: Path, table: LayerTable, form: Format, datum: Datum = "WGS-84") -> None:
    """Write a layer, whole or not at all.

    Args:
        path: Replaced if it is there.
        table: What.
        form: The kind of file; the name says nothing.
        datum: Of the coordinates.

    Raises:
        BadFile: More rows than a spreadsheet holds, or what writes GeoPackages refuses.
        OSError: The file cannot be written.
    """
    part = path.with_name(f".part-{os.getpid()}-{path.name}")
    try:
        _WRITERS[form](part, table, datum)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def inert(text: str) -> str:
    """A text that no spreadsheet takes for a formula.

    >>> inert("=1+1"), inert("1-1")
    ("'=1+1", '1-1')
    """
    return f"'{text}" if text.lstrip(" \u3000").startswith(_FORMULA) or text.startswith(_FORMULA) else text


def _target(datum: Datum) -> Target:
    return target(GCJ02) if datum == GCJ02 else CRS84


def _shown(value: Value) -> str | int | float | bool | None:
    return "、".join(value) if isinstance(value, tuple) else value


# -- tables -----------------------------------------------------------------------------------------------


def _spots(table: LayerTable, datum: Datum) -> list[tuple[float, float] | None]:
    """A point of each row, seven digits after the point: where it is, or somewhere inside."""
    lon, lat = np.full(len(table.shapes), np.nan), np.full(len(table.shapes), np.nan)
    for n, shape in enumerate(table.shapes):
        if isinstance(shape, tuple):
            lon[n], lat[n] = shape
        elif shape is not None:
            inside = shape.representative_point()
            lon[n], lat[n] = inside.x, inside.y
    x, y = out(_target(datum), lon, lat)
    return [
        None if a != a else (round(a, 7), round(b, 7)) for a, b in zip(x.tolist(), y.tolist(), strict=True)
    ]


def _write_csv(path: Path, table: LayerTable, datum: Datum) -> None:
    outlines = table.shape != "Point"
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        head = [inert(column.name) for column in table.columns] + ["lon", "lat", "crs"]
        writer.writerow(head + (["wkt"] if outlines else []))
        for row, spot, shape in zip(table.rows, _spots(table, datum), table.shapes, strict=True):
            cells = [inert(v) if isinstance(v := _shown(value), str) else v for value in row]
            lon, lat = ("", "") if spot is None else (f"{spot[0]:.7f}", f"{spot[1]:.7f}")
            whole = [_wkt(shape, datum)] if outlines else []
            writer.writerow([*(_flag(cell) for cell in cells), lon, lat, datum, *whole])


def _flag(cell: object) -> object:
    return str(cell).lower() if isinstance(cell, bool) else cell


def _wkt(shape: Geometry | None, datum: Datum) -> str:
    if shape is None:
        return ""
    whole = shapely.Point(shape) if isinstance(shape, tuple) else shape
    return shapely.to_wkt(projected(whole, _target(datum), rounded=True), rounding_precision=7)


def _write_xlsx(path: Path, table: LayerTable, datum: Datum) -> None:
    # Imported here: a tenth of a second that no other path needs.
    import xlsxwriter

    if len(table.rows) > MOST_SHEET_ROWS:
        raise BadFile(table.name, "rows", f"more than the {MOST_SHEET_ROWS:,} that a spreadsheet holds")
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "nan_inf_to_errors": False,
    }
    # Its scratch files lie beside the result, where there is room for them.
    book = xlsxwriter.Workbook(str(path), {**options, "tmpdir": str(path.parent)})
    try:
        bold = book.add_format({"bold": True})
        degrees = book.add_format({"num_format": _DEGREES})
        moment = book.add_format({"num_format": _MOMENT})
        sheet = book.add_worksheet(f"{table.title} {datum}"[:31])
        sheet.freeze_panes(1, 0)
        for n, name in enumerate([*(column.name for column in table.columns), "lon", "lat"]):
            sheet.write_string(0, n, name, bold)
        last = len(table.columns)
        for number, (row, spot) in enumerate(zip(table.rows, _spots(table, datum), strict=True), start=1):
            for n, (column, value) in enumerate(zip(table.columns, row, strict=True)):
                cell = _shown(value)
                if cell is None:
                    continue
                if isinstance(cell, bool):
                    sheet.write_boolean(number, n, cell)
                elif isinstance(cell, int | float):
                    sheet.write_number(number, n, cell)
                elif column.kind == "moment" and (at := _moment(cell)) is not None:
                    sheet.write_datetime(number, n, at.astimezone(table.zone).replace(tzinfo=None), moment)
                else:
                    sheet.write_string(number, n, cell[:_MOST_CELL])
            if spot is not None:
                sheet.write_number(number, last, spot[0], degrees)
                sheet.write_number(number, last + 1, spot[1], degrees)
        about = book.add_worksheet("说明")
        lines = {"坐标系": datum, "时间": str(table.zone), **table.facts}
        lines |= {column.name: column.title for column in table.columns}
        for n, (name, text) in enumerate(lines.items()):
            about.write_string(n, 0, name, bold)
            about.write_string(n, 1, text)
    finally:
        book.close()


def _moment(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo is not None else None


# -- maps -------------------------------------------------------------------------------------------------


def _write_geojson(path: Path, table: LayerTable, datum: Datum) -> None:
    to = _target(datum)
    names = [column.name for column in table.columns]
    head = {"type": "FeatureCollection", "name": _named(table.name, datum), "crs_name": datum, **table.facts}
    if datum == GCJ02:
        head["note"] = "Coordinates are GCJ-02, which GeoJSON has no way to declare: shift them before use."

    def features() -> Iterator[str]:
        for row, shape in zip(table.rows, table.shapes, strict=True):
            properties = {
                name: list(v) if isinstance(v, tuple) else v for name, v in zip(names, row, strict=True)
            }
            if datum == GCJ02:
                properties["crs"] = datum
            geometry = None if shape is None else geojson(shape, to)
            feature = {"type": "Feature", "properties": properties, "geometry": geometry}
            yield json.dumps(feature, ensure_ascii=False, allow_nan=False)

    with path.open("w", encoding="utf-8") as file:
        file.write(json.dumps(head, ensure_ascii=False)[:-1] + ', "features": [\n')
        for n, feature in enumerate(features()):
            file.write((",\n" if n else "") + feature)
        file.write("\n]}\n")


def _named(name: str, datum: Datum) -> str:
    return f"{name}_gcj02" if datum == GCJ02 else name


def _write_gpkg(path: Path, table: LayerTable, datum: Datum) -> None:
    # Imported here because loading the library takes a quarter of a second that no other path needs.
    import pyogrio

    path.unlink(missing_ok=True)
    to = _target(datum)
    columns = [_column(column, [row[n] for row in table.rows]) for n, column in enumerate(table.columns)]
    zones = {c.name: np.full(len(table.rows), 100) for c in table.columns if c.kind == "moment"}
    wkb: NDArray[np.object_] = np.empty(len(table.shapes), dtype=object)
    wkb[:] = [None if shape is None else shapely.to_wkb(_whole(shape, to)) for shape in table.shapes]
    try:
        pyogrio.raw.write(
            str(path),
            geometry=wkb,
            field_data=[values for values, _ in columns],
            field_mask=[mask for _, mask in columns],
            fields=[column.name if column.name != "fid" else "fid_" for column in table.columns],
            layer=_named(table.name, datum),
            driver="GPKG",
            geometry_type="Unknown" if table.shape == "Any" else table.shape,
            crs=_GCJ02_WKT if datum == GCJ02 else WGS84,
            gdal_tz_offsets=zones,
            dataset_metadata={"CRS": datum, **table.facts},
            layer_metadata={"IDENTIFIER": f"{table.title} {datum}", "DESCRIPTION": f"{table.title}, {datum}"},
        )
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError) as error:
        raise BadFile(table.name, "file", "the GeoPackage cannot be written") from error


def _whole(shape: Geometry, to: Target) -> BaseGeometry:
    if isinstance(shape, tuple):
        a, b = out(to, *shape)
        return shapely.Point(float(a), float(b))
    moved = projected(shape, to)
    return MultiPolygon([moved]) if isinstance(moved, Polygon) else moved


def _column(column: Column, values: Sequence[Value]) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Values as a typed column, and which of them are missing."""
    missing = np.array([value is None for value in values], dtype=np.bool_)
    make = _MAKERS.get(column.kind)
    if make is not None:
        return make(values), missing
    texts: NDArray[np.object_] = np.empty(len(values), dtype=object)
    texts[:] = [None if value is None else str(_shown(value)) for value in values]
    return texts, missing


def _moments(values: Sequence[Value]) -> NDArray[Any]:
    found = [_moment(value) if isinstance(value, str) else None for value in values]
    texts = ["NaT" if at is None else f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}"[:-3] for at in found]
    return np.array(texts, dtype="datetime64[ms]")


_MAKERS: Final[Mapping[str, Callable[[Sequence[Value]], NDArray[Any]]]] = {
    "integer": lambda values: np.array([value or 0 for value in values], dtype=np.int64),
    "number": lambda values: np.array(
        [np.nan if value is None else value for value in values], dtype=np.float64
    ),
    "flag": lambda values: np.array([bool(value) for value in values], dtype=np.bool_),
    "moment": _moments,
    "day": lambda values: np.array([value or "NaT" for value in values], dtype="datetime64[D]"),
}
_WRITERS: Final[Mapping[Format, Callable[[Path, LayerTable, Datum], None]]] = {
    "gpkg": _write_gpkg,
    "geojson": _write_geojson,
    "xlsx": _write_xlsx,
    "csv": _write_csv,
}
