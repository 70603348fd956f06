"""One layer of an unpacked file as columns and shapes. Runs in the worker, after its privileges are gone."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyogrio
import shapely

from gis.apart.messages import Refused, refuse
from gis.intake import encodings, kml, shapefile, sheets
from gis.intake.model import Choices, Encoding, Layer, Why
from gis.intake.rows import Cut, Rows, Shapes
from gis.intake.unpack import Member, Unpacked

MOST_ROWS: Final = 1_000_000
MOST_COLUMNS: Final = 500
_NAMES: Final = {
    "geopackage": "in.gpkg",
    "geojson": "in.geojson",
    "flatgeobuf": "in.fgb",
}


def read(found: Unpacked, choices: Choices) -> Rows:
    """Read the chosen layer, or the one with the most rows.

    Raises:
        Refused: There is no such layer, it is empty, or the file is damaged beyond its rows.
    """
    member = _member(found, choices.layer)
    read_one: Callable[[Member, Choices], Rows] = {
        "shapefile": _shapefile,
        "geojson": _geojson,
        "geopackage": _by_library,
        "flatgeobuf": _by_library,
        "kml": lambda one, _: kml.read(one.paths[""], one.name),
        "csv": lambda one, chosen: sheets.read_csv(one.paths[""], one.name, chosen),
        "xlsx": lambda one, chosen: sheets.read_xlsx(one.paths[""], chosen),
    }[member.format]
    rows = read_one(member, choices)
    if member.format in ("geojson", "flatgeobuf"):
        # Their one layer goes by the name of our copy.
        rows.layer = member.name
        rows.layers = (Layer(member.name, len(rows), rows.layers[0].geometry),)
    if len(found.members) > 1:
        rows.layers = tuple(Layer(one.name, one.rows) for one in found.members)
        rows.layer = member.name
    if not len(rows):
        raise refuse("no_rows", "文件里没有数据行", "holds no rows", f"layer {rows.layer}")
    if len(rows) > MOST_ROWS:
        raise refuse("too_many_rows", f"超过 {MOST_ROWS:,} 行", f"holds more than {MOST_ROWS:,} rows")
    return rows


def _member(found: Unpacked, wanted: str | None) -> Member:
    members = found.members
    if len(members) == 1:
        return members[0]
    if wanted is None:
        return max(members, key=lambda member: member.rows or 0)
    for member in members:
        if member.name == wanted:
            return member
    raise no_layer(wanted, [member.name for member in members])


def no_layer(wanted: str, there: Sequence[str]) -> Refused:
    """Make the error for a layer that is not there."""
    names = "、".join(there)
    return refuse(
        "no_layer", f"没有图层 {wanted}，只有：{names}", f"has no layer {wanted!r}, only {', '.join(there)}"
    )


# -- by the library ---------------------------------------------------------------------------------------


def _by_library(member: Member, choices: Choices) -> Rows:
    path = member.paths[""].rename(_NAMES[member.format])
    if member.format == "geopackage":
        _plain_database(path)
    try:
        return library_rows(path, member.format, choices.layer)
    except Refused:
        raise
    except Exception as error:
        raise broken(error) from error


def broken(error: Exception) -> Refused:
    """Make the error for a file the library cannot read."""
    text = " ".join(str(error).split())[:300]
    return refuse("broken_file", f"文件已损坏，无法读取（{text}）", f"cannot be read ({text})")


def _plain_database(path: Path) -> None:
    """Refuse a GeoPackage with tables that are programs in disguise."""

    def text(raw: bytes) -> str:
        return raw.decode("utf-8", "replace")

    try:
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as database:
            database.text_factory = text
            statements = [
                str(row[0] or "").lower()
                for row in database.execute("SELECT sql FROM sqlite_master LIMIT 10000")
            ]
            tables = {
                str(row[0]).lower()
                for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            }
    except (sqlite3.Error, UnicodeDecodeError) as error:  # the message of an error is text of the file too
        raise broken(error) from error
    for statement in statements:
        if "virtual table" in statement and not any(
            f"using {kind}" in statement for kind in ("rtree", "fts")
        ):
            raise refuse(
                "unsafe_database",
                "GeoPackage 里有虚拟表，已拒绝",
                "holds a virtual table, which is refused",
            )
    if "gpkg_contents" not in tables:
        raise refuse(
            "unknown_format", "是 SQLite 数据库，但不是 GeoPackage", "is a database, but no GeoPackage"
        )


def library_rows(path: Path, kind: str, wanted: str | None) -> Rows:
    """Read a layer through the library, all columns and shapes at once."""
    listed = [(str(name), "" if shape is None else str(shape)) for name, shape in pyogrio.list_layers(path)]
    if not listed:
        raise refuse("no_layer", "文件里没有图层", "holds no layer")
    counts = (
        [int(pyogrio.read_info(path, layer=name)["features"]) for name, _ in listed]
        if len(listed) > 1
        else [None]
    )
    layers = tuple(Layer(name, count, shape) for (name, shape), count in zip(listed, counts, strict=True))
    if wanted is None or len(layers) == 1:
        chosen = max(layers, key=lambda layer: (bool(layer.geometry), layer.rows or 0)).name
    elif wanted in [layer.name for layer in layers]:
        chosen = wanted
    else:
        raise no_layer(wanted, [layer.name for layer in layers])
    meta, table = pyogrio.raw.read_arrow(path, layer=chosen)
    geometry = str(meta["geometry_name"] or "wkb_geometry")
    names = [str(name) for name in meta["fields"]]
    if len(names) > MOST_COLUMNS:
        raise refuse("too_many_columns", f"超过 {MOST_COLUMNS} 列", f"has more than {MOST_COLUMNS} columns")
    shapes, bad = (None, np.zeros(0, np.int64))
    if geometry in table.column_names:
        shapes, bad = shapes_from(table.column(geometry))
    rows = table.num_rows
    columns, undecoded = {}, np.zeros(0, np.int64)
    for name in names:
        if name in table.column_names:
            columns[name], wrong = _sound_text(table.column(name).combine_chunks())
            undecoded = np.union1d(undecoded, wrong)
    if len(layers) == 1:
        layers = (Layer(layers[0].name, rows, layers[0].geometry),)
    return Rows(
        format=kind,
        layers=layers,
        layer=chosen,
        columns=columns,
        shapes=shapes,
        numbers=np.arange(1, rows + 1),
        encoding=Encoding("utf-8", False),
        declared=None if meta["crs"] is None else str(meta["crs"]),
        unreadable=bad,
        undecoded=undecoded,
    )


def _sound_text(column: pa.Array) -> tuple[pa.Array, Any]:
    """A column whose text is text, and the rows where it was not: the library hands on what it finds."""
    if not pa.types.is_string(column.type):
        return column, np.zeros(0, np.int64)
    try:
        column.validate(full=True)
    except pa.ArrowInvalid:
        raw = column.view(pa.binary()).to_pylist()
        texts = [None if cell is None else cell.decode("utf-8", "replace") for cell in raw]
        wrong = [n for n, text in enumerate(texts) if text is not None and encodings.LOST in text]
        return pa.array(texts, type=pa.string()), np.array(wrong, dtype=np.int64)
    return column, np.zeros(0, np.int64)


def shapes_from(column: Any) -> tuple[Shapes, Any]:
    """Shapes of a WKB column, and the rows whose bytes are none."""
    raw = column.to_numpy() if isinstance(column, pa.ChunkedArray) else column.to_numpy(zero_copy_only=False)
    raw = np.asarray(raw, dtype=object)
    shapes: Shapes = shapely.force_2d(shapely.from_wkb(raw, on_invalid="fix"))
    there = np.array([value is not None for value in raw.tolist()], dtype=bool)
    return shapes, np.flatnonzero(there & shapely.is_missing(shapes))


# -- shapefile --------------------------------------------------------------------------------------------


def _shapefile(member: Member, choices: Choices) -> Rows:
    paths = member.paths
    table = shapefile.Table(paths[".dbf"], choices.encoding, paths.get(".cpg")) if ".dbf" in paths else None
    # The library sees the shapes alone; what the others say of them is no business of it.
    folder = Path("shp")
    folder.mkdir()
    for suffix in (".shp", ".shx"):
        if suffix in paths:
            paths[suffix].rename(folder / f"in{suffix}")
    count, beyond, short = shapefile.bounds_of_records(folder / "in.shp", folder / "in.shx")
    try:
        meta, shapes_table = pyogrio.raw.read_arrow(folder / "in.shp", columns=[])
    except Exception as error:
        raise broken(error) from error
    shapes, bad = shapes_from(shapes_table.column(str(meta["geometry_name"] or "wkb_geometry")))
    stated = table.stated if table is not None else count
    rows = max(count, stated, len(shapes)) if stated < MOST_ROWS else count
    missing = shapefile.cut(count, stated, beyond, short)
    if missing is not None:
        have = min(count, stated, table.rows if table is not None else count)
        missing = Cut(np.union1d(missing.rows[missing.rows < rows], np.arange(have, rows)), missing.why)
    elif table is not None and table.cut_short:
        why = Why(
            f".dbf 应有 {table.stated} 行，只有 {table.rows} 行：文件被截断",
            f"its .dbf should have {table.stated} rows and has {table.rows}: it is cut short",
        )
        missing = Cut(np.arange(table.rows, rows), why)
    padded = np.full(rows, None, dtype=object)
    padded[: len(shapes)] = shapes
    keep = np.ones(rows, dtype=bool)
    notes = []
    columns: dict[str, pa.Array] = {}
    if table is not None:
        keep[: table.rows] = ~table.deleted
        if gone := int(table.deleted.sum()):
            notes.append(
                Why(
                    f"{gone} 行在 .dbf 中已标为删除，未读",
                    f"{gone} rows are marked deleted and were left out",
                )
            )
        fill = rows - table.rows
        for name, column in table.columns.items():
            whole = pa.concat_arrays([column, pa.nulls(fill, column.type)]) if fill > 0 else column
            columns[name] = whole.filter(pa.array(keep))
    at = np.cumsum(keep) - 1
    if missing is not None:
        missing = Cut(at[missing.rows[keep[missing.rows]]], missing.why)
    undecoded = np.array(sorted(table.undecoded if table is not None else ()), dtype=np.int64)
    return Rows(
        format="shapefile",
        layers=(Layer(member.name, rows),),
        layer=member.name,
        columns=columns,
        shapes=padded[keep],
        numbers=np.flatnonzero(keep) + 1,
        encoding=table.encoding if table is not None else Encoding("utf-8", False),
        declared=_projection(paths.get(".prj")),
        unreadable=at[bad[keep[bad]]],
        undecoded=at[undecoded[keep[undecoded]]],
        cut=missing,
        notes=notes,
    )


def _projection(path: Path | None) -> str | None:
    if path is None:
        return None
    text = path.read_bytes()[:20_000].decode("utf-8", "replace").strip("\ufeff \r\n\0")
    return text or None


# -- GeoJSON ----------------------------------------------------------------------------------------------


def _geojson(member: Member, choices: Choices) -> Rows:
    path = member.paths[""].rename(_NAMES["geojson"])
    with path.open("rb") as stream:
        start = stream.read(2)
    if start in (b"\xff\xfe", b"\xfe\xff"):
        path.write_bytes(path.read_bytes().decode("utf-16", "replace").encode())
    encoding = _as_utf8(path, choices.encoding)
    try:
        rows = library_rows(path, "geojson", None)
    except Refused:
        raise
    except Exception as error:
        whole = _mended(path)
        if whole is None:
            raise broken(error) from error
        try:
            rows = library_rows(path, "geojson", None)
        except Exception as again:
            raise broken(again) from again
        why = Why(
            f"文件在第 {whole + 1} 个要素处中断，其后的内容丢失",
            f"the file ends within feature {whole + 1}; what followed is lost",
        )
        rows.cut_at_end(why)
    rows.encoding = encoding
    return rows


def _as_utf8(path: Path, wanted: str | None) -> Encoding:
    """GeoJSON is UTF-8 by its standard, and GBK by the hand of some exporters."""
    raw = path.read_bytes()
    encoding = encodings.choose(raw, wanted)
    first = encoding.used.split(">")[0]
    if first != "utf-8" and wanted != encoding.used:
        path.write_bytes(raw.decode(first, "replace").encode())
    elif first not in ("utf-8", "latin-1") and ">" not in encoding.used:
        path.write_bytes(raw.decode(first, "replace").encode())
    return encoding


def _mended(path: Path) -> int | None:
    """Close a document that ends in the middle of a feature; the number of whole features, or None."""
    text = path.read_bytes().decode("utf-8", "replace").lstrip("\ufeff")
    at = text.find('"features"')
    at = text.find("[", at) + 1 if at >= 0 else 0
    if at <= 0:
        return None
    decoder = json.JSONDecoder()
    features, end = 0, at
    while True:
        while at < len(text) and text[at] in " \t\r\n,":
            at += 1
        try:
            _, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            break
        features, end = features + 1, at
    if not features:
        return None
    path.write_bytes((text[:end] + "]}").encode())
    return features
