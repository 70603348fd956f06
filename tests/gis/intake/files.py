"""Files as offices send them, and a draft of one in this process."""

from __future__ import annotations

import csv
import io
import json
import os
import struct
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import numpy as np
import shapely

from gis.intake import Choices, Draft, Reference, inforce, pipeline
from gis.intake.model import Given, Request

Row = tuple[Mapping[str, object], Any]

COUNTY = shapely.box(117.0, 34.0, 117.4, 34.4)


def division() -> list[Row]:
    """One county, one town, two villages and four grids that fit."""
    town, west, east = (
        shapely.box(w, 34.0, e, 34.2) for w, e in ((117.0, 117.4), (117.0, 117.2), (117.2, 117.4))
    )
    rows: list[Row] = [
        ({"编码": "340601", "名称": "烈山区", "层级": "区"}, COUNTY),
        ({"编码": "340601001", "名称": "桥头镇", "层级": "镇"}, town),
        ({"编码": "340601001001", "名称": "桥西村", "层级": "村"}, west),
        ({"编码": "340601001002", "名称": "桥东村", "层级": "村"}, east),
    ]
    for n in range(4):
        village = 1 + n // 2
        code = f"340601001{village:03d}{n:03d}"
        shape = shapely.box(117.0 + 0.1 * n, 34.0, 117.1 + 0.1 * n, 34.2)
        rows.append(({"编码": code, "名称": f"第{n}网格", "层级": "网格"}, shape))
    return rows


def geojson(path: Path, rows: Sequence[Row]) -> Path:
    features = [
        {
            "type": "Feature",
            "properties": dict(fields),
            "geometry": shape
            if shape is None or isinstance(shape, dict)
            else shapely.geometry.mapping(shape),
        }
        for fields, shape in rows
    ]
    path.write_text(
        json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False), "utf-8"
    )
    return path


def by_library(path: Path, rows: Sequence[Row], driver: str, *, crs: str = "EPSG:4490", **more: Any) -> Path:
    import pyogrio

    names = list(rows[0][0])
    pyogrio.raw.write(
        str(path),
        geometry=shapely.to_wkb(np.array([shape for _, shape in rows], dtype=object)),
        field_data=[np.array([fields[name] for fields, _ in rows], dtype=object) for name in names],
        fields=names,
        driver=driver,
        geometry_type="Polygon",
        crs=crs,
        **more,
    )
    return path


def shapefile(
    folder: Path, rows: Sequence[Row], *, encoding: str = "gb18030", crs: str = "EPSG:4490"
) -> Path:
    """A shapefile without .cpg; returns the .shp."""
    folder.mkdir(exist_ok=True)
    path = by_library(folder / "a.shp", rows, "ESRI Shapefile", encoding=encoding, crs=crs)
    (folder / "a.cpg").unlink()
    return path


def zipped(path: Path, members: Mapping[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def zipped_on_chinese_windows(path: Path, members: Mapping[str, bytes]) -> Path:
    """Names in GBK and no mark that says so, which the library cannot write."""
    packed = {
        name: (zlib.compress(content)[2:-4], zlib.crc32(content), len(content))
        for name, content in members.items()
    }
    return raw_zip(path, packed)


def raw_zip(path: Path, members: Mapping[str, tuple[bytes, int, int]]) -> Path:
    """An archive of what is packed already: name → packed bytes, checksum and size as the directory states them."""
    out, directory = io.BytesIO(), io.BytesIO()
    for name, (packed, checksum, size) in members.items():
        raw = name.encode("gbk")
        head = struct.pack("<HHHHHIIIHH", 20, 0, 8, 0, 33, checksum, len(packed), size, len(raw), 0)
        directory.write(b"PK\x01\x02\x14\x00" + head + struct.pack("<HHHII", 0, 0, 0, 0, out.tell()) + raw)
        out.write(b"PK\x03\x04" + head + raw + packed)
    listing, count = directory.getvalue(), len(members)
    end = struct.pack("<HHHHIIH", 0, 0, count, count, len(listing), out.tell(), 0)
    path.write_bytes(out.getvalue() + listing + b"PK\x05\x06" + end)
    return path


def packed_zeros(mib: int) -> bytes:
    """That many MiB of nothing, packed; made of one MiB over and over."""
    packer = zlib.compressobj(wbits=-15)
    packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    one = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    return one * mib + packer.flush()


def shapefile_parts(shp: Path, stem: str) -> dict[str, bytes]:
    return {f"{stem}{part.suffix}": part.read_bytes() for part in sorted(shp.parent.glob(shp.stem + ".*"))}


def kml(placemarks: str, head: str = "") -> str:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>{head}<kml xmlns="http://www.opengis.net/kml/2.2">'
        f"<Document><name>d</name>{placemarks}</Document></kml>"
    )


def placemark(name: str, shape: Any, **data: str) -> str:
    ring = " ".join(f"{x},{y},0" for x, y in shape.exterior.coords)
    extra = "".join(
        f'<Data name="{key}"><value>{escape(value)}</value></Data>' for key, value in data.items()
    )
    return (
        f"<Placemark><name>{escape(name)}</name><ExtendedData>{extra}</ExtendedData><Polygon><outerBoundaryIs>"
        f"<LinearRing><coordinates>{ring}</coordinates></LinearRing></outerBoundaryIs></Polygon></Placemark>"
    )


def workbook(path: Path, rows: Sequence[Sequence[object]], name: str = "表一") -> Path:
    """The least that a spreadsheet program takes for a workbook."""
    cells = "".join(f"<row>{''.join(_cell(value) for value in row)}</row>" for row in rows)
    types = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    relations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    return zipped(
        path,
        {
            "[Content_Types].xml": (
                f'<Types xmlns="{package}/content-types"><Default Extension="xml" ContentType="application/xml"/>'
                f'<Override PartName="/xl/workbook.xml" ContentType="{types}.sheet.main+xml"/>'
                f'<Override PartName="/xl/s1.xml" ContentType="{types}.worksheet+xml"/></Types>'
            ).encode(),
            "_rels/.rels": (
                f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" '
                f'Type="{relations}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
            ).encode(),
            "xl/_rels/workbook.xml.rels": (
                f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" '
                f'Type="{relations}/worksheet" Target="s1.xml"/></Relationships>'
            ).encode(),
            "xl/workbook.xml": (
                f'<workbook xmlns="{main}" xmlns:r="{relations}"><sheets>'
                f'<sheet name="{name}" sheetId="1" r:id="r1"/></sheets></workbook>'
            ).encode(),
            "xl/s1.xml": f'<worksheet xmlns="{main}"><sheetData>{cells}</sheetData></worksheet>'.encode(),
        },
    )


def _cell(value: object) -> str:
    if isinstance(value, int | float):
        return f"<c><v>{value!r}</v></c>"
    return f'<c t="inlineStr"><is><t>{escape(str(value))}</t></is></c>'


class Drafted:
    """A draft and what it left in its folder."""

    def __init__(self, draft: Draft, folder: Path) -> None:
        self.draft = draft
        self.folder = folder

    @property
    def issues(self) -> list[dict[str, str]]:
        with (self.folder / "issues.csv").open(encoding="utf-8-sig", newline="") as stream:
            return list(csv.DictReader(stream))

    def told(self, code: str) -> list[tuple[int, str]]:
        """(row, severity) of each issue of a code."""
        return [(int(issue["row"]), issue["severity"]) for issue in self.issues if issue["issue"] == code]

    @property
    def table(self) -> list[dict[str, str]]:
        with (self.folder / "result.csv").open(encoding="utf-8", newline="") as stream:
            return list(csv.DictReader(stream))

    @property
    def preview(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads((self.folder / "preview.geojson").read_text("utf-8"))[
            "features"
        ]
        return found


def drafted(
    path: Path,
    kind: str = "areas",
    *,
    reference: Reference | None = None,
    **choices: Any,
) -> Drafted:
    """A draft without the process around it, in a folder beside the file."""
    folder = path.parent / f"draft-{len(list(path.parent.glob('draft-*')))}"
    folder.mkdir()
    before = Path.cwd()
    os.chdir(folder)
    try:
        parts = [path]
        if path.suffix == ".shp":
            parts += [
                p for p in sorted(path.parent.glob("a.*")) if p.suffix in (".shx", ".dbf", ".prj", ".cpg")
            ]
        files = tuple(
            Given(os.open(part, os.O_RDONLY), f"in{part.suffix}" if len(parts) > 1 else "in")
            for part in parts
        )
        request = Request(
            choices=Choices(kind=kind, **choices),
            source=path.name,
            files=files,
            reference=reference or Reference(),
        )
        return Drafted(pipeline.run(request, inforce.load(request.reference), lambda *_: None), folder)
    finally:
        os.chdir(before)
