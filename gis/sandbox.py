"""Reading a map file in a process that can do no harm."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gis.errors import BadFile

MAX_BYTES = 1024**3
TIMEOUT_S = 180.0
_WORKER = Path(__file__).with_name("ogr_worker.py")
_SHAPEFILE_PARTS = (".shp", ".shx", ".dbf", ".prj", ".cpg")


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer of a map file.

    Attributes:
        crs: What the file declares, for instance "EPSG:4326", or None.
        rows: Column name to value, one mapping a feature.
        wkb: Geometry of each feature, None where it has none.
    """

    crs: str | None
    rows: list[dict[str, Any]]
    wkb: list[bytes | None]


def read_layer(path: Path | str, *, layer: str | None = None, encoding: str | None = None) -> Layer:
    """Read one layer of a GeoJSON, GeoPackage or shapefile.

    Args:
        path: The file; a shapefile by its `.shp`.
        layer: Name of the layer; None takes the first.
        encoding: Of the text in a shapefile; None guesses UTF-8, then GB 18030.

    Raises:
        BadFile: It is none of the three kinds, too large, broken, or took too long.
    """
    source = Path(path)
    suffix = _sniff(source)
    with tempfile.TemporaryDirectory(prefix="yiping-read-") as folder:
        # A copy under a name of ours: the reader sees neither the caller's folder nor its other files.
        copy = Path(folder) / f"input{suffix}"
        parts = _SHAPEFILE_PARTS if suffix == ".shp" else (suffix,)
        for part in parts:
            sibling = source if part == suffix else _sibling(source, part)
            if sibling is not None:
                shutil.copyfile(sibling, copy.with_suffix(part))
                copy.with_suffix(part).chmod(0o644)
        Path(folder).chmod(0o755)
        if suffix == ".shp" and encoding is None:
            encoding = _guess_dbf_encoding(copy)
        return _run(source, copy, layer or "", encoding or "")


def _sniff(path: Path) -> str:
    """The kind of file by its first bytes, never by its name: ".geojson", ".gpkg" or ".shp"."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(512)
    except OSError as error:
        raise BadFile(str(path), "file", error.strerror or "cannot be opened") from error
    if size > MAX_BYTES:
        raise BadFile(str(path), "file", f"larger than {MAX_BYTES // 1024**2} MiB")
    if start.startswith(b"SQLite format 3\0"):
        return ".gpkg"
    if start.startswith(b"\x00\x00\x27\x0a"):
        return ".shp"
    if start.removeprefix(b"\xef\xbb\xbf").lstrip().startswith((b"{", b"[")):
        return ".geojson"
    raise BadFile(str(path), "file", "is neither GeoJSON, nor GeoPackage, nor a shapefile")


def _sibling(path: Path, suffix: str) -> Path | None:
    for candidate in (path.with_suffix(suffix), path.with_suffix(suffix.upper())):
        if candidate.is_file():
            return candidate
    return None


def _guess_dbf_encoding(shp: Path) -> str | None:
    dbf = shp.with_suffix(".dbf")
    if shp.with_suffix(".cpg").exists() or not dbf.exists():
        return None
    raw = dbf.read_bytes()
    records = raw[int.from_bytes(raw[8:10], "little") :]
    try:
        records.decode("utf-8")
    except UnicodeDecodeError:
        return "gb18030"
    return "utf-8"


def _run(source: Path, copy: Path, layer: str, encoding: str) -> Layer:
    environment = {
        "PATH": os.defpath,
        "LC_ALL": "C.UTF-8",
        "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry.endswith("site-packages")),
        # VRT files name other files to read; curl would fetch them from elsewhere.
        "OGR_SKIP": "OGR_VRT",
        "GDAL_SKIP": "VRT",
        "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": ".none",
        "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR" if copy.suffix != ".shp" else "FALSE",
        "OGR_GEOJSON_MAX_OBJ_SIZE": "200",
        "OPENBLAS_NUM_THREADS": "1",
    }
    command = [sys.executable, "-s", str(_WORKER), str(copy), layer, encoding]
    with contextlib.ExitStack() as stack:
        child = stack.enter_context(
            subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=environment,
                cwd=copy.parent,
            )
        )
        try:
            out, complaint = child.communicate(timeout=TIMEOUT_S)
        except subprocess.TimeoutExpired:
            child.kill()
            raise BadFile(str(source), "file", f"not read within {TIMEOUT_S:.0f} s") from None
    if child.returncode != 0:
        lines = complaint.decode("utf-8", "replace").strip().splitlines()
        reason = (
            lines[-1].replace(str(copy), source.name) if lines else f"reader ended with {child.returncode}"
        )
        raise BadFile(str(source), "file", reason)
    return _unpack(out)


def _unpack(out: bytes) -> Layer:
    (size,) = struct.unpack_from(">Q", out)
    header = json.loads(out[8 : 8 + size])
    columns: list[str] = header["columns"]
    sizes: list[int] = header["wkb_sizes"]
    wkb: list[bytes | None] = []
    at = 8 + size
    for length in sizes:
        wkb.append(out[at : at + length] or None)
        at += length
    count = len(sizes) or (len(header["values"][0]) if columns else 0)
    rows = [dict(zip(columns, values, strict=True)) for values in zip(*header["values"], strict=True)]
    if not columns:
        rows = [{} for _ in range(count)]
    return Layer(header["crs"], rows, wkb or [None] * count)
