"""Drafts in a process of their own: starting it, listening to it, ending it, and taking its results."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Final

import msgspec

from gis.apart.confinement import NOBODY
from gis.apart.messages import Progress
from gis.apart.supervision import Teller, bare_environment, refused, supervise
from gis.intake.model import KINDS, Choices, Draft, Given, Reference, Request
from gis.intake.unpack import MAX_BYTES, SHAPEFILE_PARTS

RESULTS: Final = (
    "draft.json",
    "preview.geojson",
    "issues.csv",
    "result.gpkg",
    "result.geojson",
    "result.csv",
    "original.gpkg",
)
ALLOWED_DRIVERS: Final = ("GPKG", "GeoJSON", "FlatGeobuf", "ESRI Shapefile")


async def draft(
    source: Path,
    folder: Path,
    choices: Choices,
    reference: Reference,
    progress: Callable[[Progress], None],
    *,
    name: str | None = None,
) -> Draft:
    """Read a file, guess what it is, check it and leave the results in a folder.

    Cancelling the task ends the process and removes what it wrote; results of an earlier draft stay until this one
    is done.

    Args:
        source: The file; a shapefile beside its parts by its `.shp`.
        folder: For the results; made if it is not there.
        choices: What a person decided; everything else is guessed.
        reference: What is in force.
        progress: Told at least once a second.
        name: What to call the file; its own name by default.

    Returns:
        What was found. Files in the folder: `preview.geojson`, `issues.csv`, the result, `draft.json`, and
        `original.gpkg` where shapes were repaired.

    Raises:
        Refused: The file cannot be drafted at all.
    """
    called = name or source.name
    teller = Teller(progress)
    if choices.kind not in KINDS:
        raise refused(called, "bad_kind", f"不认识的类别 {choices.kind}", f"unknown kind {choices.kind!r}")
    ticking = asyncio.create_task(teller.tick())
    try:
        await asyncio.to_thread(_look, source, called)
        work = await asyncio.to_thread(_make_work, folder)
        try:
            await _work(source, work, choices, reference, teller.tell, called)
            found = await asyncio.to_thread(_take, work, folder)
        finally:
            await asyncio.shield(asyncio.to_thread(shutil.rmtree, work, True))
    finally:
        ticking.cancel()
    progress(Progress(1.0, "done", found.rows, found.rows))
    return found


def _make_work(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    if os.geteuid() != 0:
        return Path(tempfile.mkdtemp(prefix=".draft-", dir=folder))
    # Root's worker becomes nobody, who may not enter the folders above ours.
    work = Path(tempfile.mkdtemp(prefix="yiping-draft-"))
    os.chown(work, NOBODY, NOBODY)
    return work


def _look(source: Path, called: str) -> None:
    try:
        size = source.stat().st_size
    except OSError as error:
        reason = error.strerror or "cannot be opened"
        raise refused(called, "not_found", f"文件打不开：{reason}", reason) from error
    if size > MAX_BYTES:
        most = MAX_BYTES >> 20
        raise refused(called, "too_large", f"文件超过 {most} MB", f"is larger than {most} MiB")


def _parts(source: Path) -> list[tuple[str, Path]]:
    """The file itself, and beside a bare `.shp` the parts that belong to it."""
    with source.open("rb") as stream:
        if stream.read(4) != b"\x00\x00\x27\x0a":
            return [("in", source)]
    found = [("in.shp", source)]
    for suffix in SHAPEFILE_PARTS[1:]:
        for part in (source.with_suffix(suffix), source.with_suffix(suffix.upper())):
            if part.is_file():
                found.append((f"in{suffix}", part))
                break
    return found


@lru_cache(maxsize=1)
def _skipped_drivers() -> str:
    # Imported here because loading the library takes a quarter of a second.
    import pyogrio

    others = sorted(set(pyogrio.list_drivers()) - set(ALLOWED_DRIVERS))
    return ",".join(dict.fromkeys((*others, "OGR_VRT", "VRT", "LIBKML", "KML", "CSV", "HTTP")))


def _environment(work: Path) -> dict[str, str]:
    return bare_environment(work) | {
        # Only the drivers of the formats we read: others follow references to files and machines.
        "OGR_SKIP": _skipped_drivers(),
        "GDAL_SKIP": "VRT",
        "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": ".none",
        "GDAL_HTTP_TIMEOUT": "1",
        "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
        "GDAL_NUM_THREADS": "1",
        "OGR_GEOJSON_MAX_OBJ_SIZE": "200",
        "OGR_ENABLE_PARTIAL_REPROJECTION": "NO",
        "SHAPE_ENCODING": "",
        "PROJ_NETWORK": "OFF",
        "ARROW_DEFAULT_MEMORY_POOL": "system",
    }


def _prepare(work: Path, request: Request) -> dict[str, str]:
    path = work / "request.json"
    path.write_bytes(msgspec.json.encode(request, enc_hook=str))
    path.chmod(0o644)
    return _environment(work)


async def _work(
    source: Path,
    work: Path,
    choices: Choices,
    reference: Reference,
    tell: Callable[[Progress], None],
    called: str,
) -> None:
    with contextlib.ExitStack() as stack:
        files, fds = [], []
        for part_name, path in await asyncio.to_thread(_parts, source):
            descriptor = os.open(path, os.O_RDONLY)
            stack.callback(os.close, descriptor)
            fds.append(descriptor)
            files.append(Given(descriptor, part_name))
        request = Request(choices=choices, source=called, files=tuple(files), reference=reference)
        environment = await asyncio.to_thread(_prepare, work, request)
        await supervise("gis.intake.worker", work, environment, tell, called, fds=fds)


def _take(work: Path, folder: Path) -> Draft:
    """Move results over; what this draft did not make is not there any more."""
    found = msgspec.json.decode((work / "draft.json").read_bytes(), type=Draft)
    for name in RESULTS:
        source, target = work / name, folder / name
        if source.is_file() and not source.is_symlink():
            if source.stat().st_dev == folder.stat().st_dev and os.geteuid() != 0:
                os.replace(source, target)
            else:
                part = folder / f".{name}.part"
                shutil.copyfile(source, part)
                os.replace(part, target)
        else:
            target.unlink(missing_ok=True)
    return found
