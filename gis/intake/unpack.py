"""From a file of unknown kind to plain files under names of ours: told apart by content, unpacked within limits.

Runs in the worker. Nothing an archive says of itself is believed: sizes are counted while unpacking, names decide
nothing but which parts belong together, and nothing is ever written under a name from outside.
"""

from __future__ import annotations

import errno
import os
import stat
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, Final

from gis.apart.messages import Refused, refuse
from gis.intake.model import Given

MAX_BYTES: Final = 1 << 30
MAX_UNPACKED_BYTES: Final = 1 << 30
MAX_MEMBERS: Final = 2_000
MAX_RATIO: Final = 150
RATIO_FROM_BYTES: Final = 8 << 20
"""Below this a high ratio is no attack: a table of blanks packs very well."""
SHAPEFILE_PARTS: Final = (".shp", ".shx", ".dbf", ".prj", ".cpg")
_BLOCK: Final = 1 << 20
_LOOK: Final = 4096


@dataclass(frozen=True, slots=True)
class Member:
    """One layer's files: suffix → path in the working folder."""

    name: str
    format: str
    paths: dict[str, Path]
    rows: int | None = None


@dataclass(slots=True)
class Unpacked:
    """What a file turned out to hold: one member a layer, or one that holds layers itself."""

    members: list[Member] = field(default_factory=list)


def unpack(files: Sequence[Given], source: str) -> Unpacked:
    """Copy what was handed over into the working folder, opening an archive on the way.

    Args:
        files: Open descriptors; several only for a shapefile beside its parts.
        source: What the file is called; says nothing about what it is.

    Raises:
        Refused: Too large, an archive that is dangerous, or nothing this can read.
    """
    if len(files) > 1:
        paths = {Path(given.name).suffix: _receive(given, Path(f"in{n}")) for n, given in enumerate(files)}
        return Unpacked([_shapefile(_stem(source), paths)])
    path = _receive(files[0], Path("in0"))
    with path.open("rb") as stream:
        start = stream.read(_LOOK)
    if start.startswith(b"PK"):
        return _archive(path, source)
    return Unpacked([_plain(path, start, _stem(source))])


def _stem(name: str) -> str:
    return PurePosixPath(name).stem or name


def _receive(given: Given, path: Path) -> Path:
    with os.fdopen(given.fd, "rb") as source, path.open("wb") as target:
        _copy(source, target, MAX_BYTES)
    return path


def _copy(source: IO[bytes], target: IO[bytes], most: int) -> int:
    done = 0
    while block := source.read(_BLOCK):
        done += len(block)
        if done > most:
            raise refuse("too_large", f"文件超过 {most >> 20} MB", f"is larger than {most >> 20} MiB")
        target.write(block)
    return done


# -- telling apart ----------------------------------------------------------------------------------------


def sniff(start: bytes) -> str:
    """Name the format of a file by its first bytes.

    Raises:
        Refused: It is a known kind that is refused, or an unknown one.

    >>> sniff(b'{"type": "FeatureCollection"')
    'geojson'
    >>> sniff("名称,经度".encode("gbk"))
    'csv'
    """
    if start.startswith(b"SQLite format 3\0"):
        return "geopackage"
    if start.startswith(b"\x00\x00\x27\x0a"):
        return "shapefile"
    if start.startswith(b"fgb\x03fgb"):
        return "flatgeobuf"
    if start.startswith(b"\xd0\xcf\x11\xe0"):
        raise refuse(
            "old_excel",
            "旧版 Excel（.xls），请另存为 .xlsx 或 CSV",
            "is an old Excel workbook (.xls); save it as .xlsx or CSV",
        )
    plain = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    wide = start[:2] in (b"\xff\xfe", b"\xfe\xff")
    if wide:
        plain = start.decode("utf-16", "replace").lstrip().encode()
    if plain.startswith((b"{", b"[")):
        return "geojson"
    if plain.startswith(b"<"):
        return _xml(plain)
    if not plain:
        raise refuse("empty", "文件是空的", "is empty")
    if b"\0" in start and not wide:
        raise refuse(
            "unknown_format",
            "不认识的文件格式；可用：SHP（zip）、GPKG、GeoJSON、KML、KMZ、FlatGeobuf、CSV、XLSX",
            "is none of zipped SHP, GPKG, GeoJSON, KML, KMZ, FlatGeobuf, CSV and XLSX",
        )
    return "csv"


def _xml(start: bytes) -> str:
    upper = start.upper()
    if b"<!DOCTYPE" in upper or b"<!ENTITY" in upper:
        raise refuse("dtd", "XML 带有文档类型声明（DTD），已拒绝", "declares a DTD, which is refused")
    if b"OGRVRT" in upper or b"<VRTDATASET" in upper:
        raise refuse(
            "vrt", "这是引用其他文件的 VRT，已拒绝", "is a VRT, which refers to other files; it is refused"
        )
    if b"<KML" in upper:
        return "kml"
    raise refuse("unknown_format", "是 XML，但不是 KML", "is XML, but not KML")


def _plain(path: Path, start: bytes, name: str) -> Member:
    kind = sniff(start)
    if kind == "shapefile":
        return _shapefile(name, {".shp": path})
    return Member(name, kind, {"": path})


def _shapefile(name: str, paths: dict[str, Path]) -> Member:
    """A shapefile under one stem, as its reader wants it; rows by the table's own header."""
    if ".shp" not in paths:
        raise refuse("missing_part", "缺少 .shp 文件", "there is no .shp among the parts")
    with paths[".shp"].open("rb") as stream:
        if stream.read(4) != b"\x00\x00\x27\x0a":
            raise refuse("broken_file", "不是 shapefile（.shp 文件头不对）", "its .shp is no shapefile")
    stem = paths[".shp"].name
    placed = {suffix: path.rename(path.with_name(f"{stem}{suffix}")) for suffix, path in paths.items()}
    rows = None
    if ".dbf" in placed:
        with placed[".dbf"].open("rb") as stream:
            header = stream.read(8)
        rows = int.from_bytes(header[4:8], "little")
    return Member(name, "shapefile", placed, rows)


# -- archives ---------------------------------------------------------------------------------------------

_MAP_SUFFIXES: Final = (".gpkg", ".geojson", ".json", ".kml", ".fgb", ".csv", ".txt")
_NESTED: Final = (".zip", ".kmz", ".xlsx", ".7z", ".rar", ".gz", ".tar", ".tgz")


def _archive(path: Path, source: str) -> Unpacked:
    try:
        with zipfile.ZipFile(path) as archive:
            infos = _examined(archive.infolist())
            names = {info.filename for info in infos}
            if "[Content_Types].xml" in names and any(name.startswith("xl/") for name in names):
                _drain(archive, infos)
                return Unpacked([Member(_stem(source), "xlsx", {"": path})])
            return _members(archive, infos, source)
    except (Refused, MemoryError):
        raise
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise
        raise _damaged(error) from error
    except Exception as error:  # each way to pack has errors of its own
        raise _damaged(error) from error


def _damaged(error: Exception) -> Refused:
    return refuse("broken_archive", f"压缩包已损坏（{error}）", f"is a damaged archive ({error})")


def _examined(infos: Sequence[zipfile.ZipInfo]) -> list[zipfile.ZipInfo]:
    """Refuse an archive by its directory, before a byte is unpacked."""
    if len(infos) > MAX_MEMBERS:
        raise refuse("zip_bomb", f"压缩包里文件超过 {MAX_MEMBERS} 个", f"holds more than {MAX_MEMBERS} files")
    total = 0
    kept = []
    for info in infos:
        name = member_name(info)
        parts = PurePosixPath(name.replace("\\", "/")).parts
        if name.startswith(("/", "\\")) or ".." in parts or ":" in name or "\0" in name:
            raise refuse(
                "unsafe_archive", f"压缩包里的路径不安全：{name!r}", f"holds the unsafe path {name!r}", name
            )
        if stat.S_ISLNK(info.external_attr >> 16):
            raise refuse(
                "unsafe_archive", f"压缩包里有符号链接：{name}", f"holds a symbolic link, {name}", name
            )
        if info.flag_bits & 1:
            raise refuse("encrypted", "压缩包有密码，请解密后再导入", "is encrypted; unpack it first", name)
        if info.is_dir() or parts[0] == "__MACOSX" or parts[-1].startswith("."):
            continue
        total += info.file_size
        if total > MAX_UNPACKED_BYTES or _suspicious(info.file_size, info.compress_size):
            raise _bomb()
        kept.append(info)
    return kept


def _suspicious(unpacked: int, packed: int) -> bool:
    return unpacked > RATIO_FROM_BYTES and unpacked > MAX_RATIO * max(packed, 1)


def _bomb() -> Exception:
    return refuse(
        "zip_bomb",
        f"压缩包解开后超过 {MAX_UNPACKED_BYTES >> 20} MB 或压缩比异常，已拒绝",
        f"unpacks to more than {MAX_UNPACKED_BYTES >> 20} MiB or is packed too well to be data",
    )


def member_name(info: zipfile.ZipInfo) -> str:
    """A member's name as its author saw it: archives made on Chinese Windows hold GBK and do not say so."""
    if info.flag_bits & 0x800:
        return info.orig_filename
    try:
        raw = info.orig_filename.encode("cp437")
    except UnicodeEncodeError:
        return info.orig_filename
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return info.orig_filename


def _blocks(archive: zipfile.ZipFile, info: zipfile.ZipInfo, budget: list[int]) -> Iterator[bytes]:
    """Unpack a member, counting what really comes out of all of them."""
    done = 0
    with archive.open(info) as stream:
        while block := stream.read(_BLOCK):
            done += len(block)
            budget[0] -= len(block)
            if budget[0] < 0 or _suspicious(done, info.compress_size):
                raise _bomb()
            yield block


def _drain(archive: zipfile.ZipFile, infos: Iterable[zipfile.ZipInfo]) -> None:
    budget = [MAX_UNPACKED_BYTES // 4]  # a workbook's cells take several times their text in memory
    for info in infos:
        for _ in _blocks(archive, info, budget):
            pass


def _members(archive: zipfile.ZipFile, infos: Sequence[zipfile.ZipInfo], source: str) -> Unpacked:
    budget = [MAX_UNPACKED_BYTES]
    count = 0

    def extract(info: zipfile.ZipInfo) -> Path:
        nonlocal count
        count += 1
        path = Path(f"m{count}")
        with path.open("wb") as target:
            for block in _blocks(archive, info, budget):
                target.write(block)
        return path

    by_stem: dict[str, dict[str, zipfile.ZipInfo]] = {}
    for info in infos:
        pure = PurePosixPath(member_name(info).replace("\\", "/"))
        by_stem.setdefault(str(pure.with_suffix("")).lower(), {})[pure.suffix.lower()] = info
    members = []
    for parts in by_stem.values():
        if ".shp" not in parts:
            continue
        name = str(PurePosixPath(member_name(parts[".shp"]).replace("\\", "/")).with_suffix(""))
        paths: dict[str, Path] = {
            suffix: extract(parts[suffix]) for suffix in SHAPEFILE_PARTS if suffix in parts
        }
        members.append(_shapefile(name, paths))
    if members:
        return Unpacked(_short_names(members))
    nested = None
    for info in infos:
        name = member_name(info)
        suffix = PurePosixPath(name).suffix.lower()
        if suffix in _NESTED:
            nested = nested or name
        if suffix not in _MAP_SUFFIXES:
            continue
        path = extract(info)
        with path.open("rb") as stream:
            start = stream.read(_LOOK)
        if start.startswith(b"PK"):
            nested = nested or name
            continue
        members.append(_plain(path, start, str(PurePosixPath(name).with_suffix(""))))
    # A note beside the data is text too.
    members = [one for one in members if one.format != "csv"] or members
    if members:
        return Unpacked(_short_names(members))
    if nested is not None:
        raise refuse(
            "nested_archive",
            f"压缩包里还有压缩包（{nested}），请先解开",
            f"holds another archive ({nested}); unpack it first",
            nested,
        )
    raise refuse(
        "no_layer",
        f"{source} 里没有 SHP、GPKG、GeoJSON、KML、FlatGeobuf 或 CSV",
        "holds no SHP, GPKG, GeoJSON, KML, FlatGeobuf or CSV",
    )


def _short_names(members: list[Member]) -> list[Member]:
    """Name layers by their file alone where that tells them apart."""
    short = [PurePosixPath(member.name).name for member in members]
    if len(set(short)) < len(short):
        return members
    return [Member(n, m.format, m.paths, m.rows) for n, m in zip(short, members, strict=True)]
