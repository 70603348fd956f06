"""Drafts in a process of their own: starting it, listening to it, ending it, and taking its results."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Final

import msgspec

from gis.intake.model import (
    KINDS,
    Choices,
    Draft,
    Given,
    Message,
    Progress,
    Reference,
    Refusal,
    Refused,
    Request,
)
from gis.intake.unpack import MAX_BYTES, SHAPEFILE_PARTS

TIMEOUT_S: Final = 900.0
SILENCE_S: Final = 0.9
"""After so long without a word the last progress is told again."""
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
_KEPT_COMPLAINT: Final = 4096


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
    if choices.kind not in KINDS:
        raise _refused(called, "bad_kind", f"不认识的类别 {choices.kind}", f"unknown kind {choices.kind!r}")
    await asyncio.to_thread(_look, source, called)
    folder.mkdir(parents=True, exist_ok=True)
    # Root's worker becomes nobody, who may not enter the folders above ours.
    root = os.geteuid() == 0
    work = Path(tempfile.mkdtemp(prefix="yiping-draft-" if root else ".draft-", dir=None if root else folder))
    try:
        if root:
            os.chown(work, 65534, 65534)
        progress(Progress(0.0, "waiting"))
        await _work(source, work, choices, reference, progress, called)
        found = await asyncio.to_thread(_take, work, folder)
    finally:
        await asyncio.shield(asyncio.to_thread(shutil.rmtree, work, True))
    progress(Progress(1.0, "done", found.rows, found.rows))
    return found


def _refused(called: str, code: str, zh: str, en: str) -> Refused:
    return Refused(called, Refusal(code, en, zh))


def _look(source: Path, called: str) -> None:
    try:
        size = source.stat().st_size
    except OSError as error:
        reason = error.strerror or "cannot be opened"
        raise _refused(called, "not_found", f"文件打不开：{reason}", reason) from error
    if size > MAX_BYTES:
        most = MAX_BYTES >> 20
        raise _refused(called, "too_large", f"文件超过 {most} MB", f"is larger than {most} MiB")


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
    home = Path(__file__).parents[2]
    paths = [str(home), *(entry for entry in sys.path if entry.endswith("site-packages"))]
    return {
        "PATH": os.defpath,
        "LC_ALL": "C.UTF-8",
        "PYTHONPATH": os.pathsep.join(dict.fromkeys(paths)),
        "TMPDIR": str(work),
        # Only the drivers of the formats we read: others follow references to files and machines.
        "OGR_SKIP": _skipped_drivers(),
        "GDAL_SKIP": "VRT",
        "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": ".none",
        "GDAL_HTTP_TIMEOUT": "1",
        "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
        "GDAL_NUM_THREADS": "1",
        "OGR_GEOJSON_MAX_OBJ_SIZE": "200",
        "OGR_ENABLE_PARTIAL_REPROJECTION": "NO",
        "SHAPE_RESTORE_SHX": "YES",
        "SHAPE_ENCODING": "",
        "PROJ_NETWORK": "OFF",
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "ARROW_DEFAULT_MEMORY_POOL": "system",
        "MALLOC_ARENA_MAX": "2",
    }


async def _work(
    source: Path,
    work: Path,
    choices: Choices,
    reference: Reference,
    progress: Callable[[Progress], None],
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
        (work / "request.json").write_bytes(msgspec.json.encode(request, enc_hook=str))
        (work / "request.json").chmod(0o644)
        environment = await asyncio.to_thread(_environment, work)
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-s",
            "-P",
            "-m",
            "gis.intake.worker",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            pass_fds=fds,
            cwd=work,
            env=environment,
            start_new_session=True,
        )
    complaint = asyncio.create_task(_tail(process.stderr))
    try:
        async with asyncio.timeout(TIMEOUT_S):
            ended = await _listen(process, progress, called)
    except TimeoutError:
        raise _refused(
            called, "too_slow", f"{TIMEOUT_S:.0f} 秒内没有读完", f"was not read within {TIMEOUT_S:.0f} s"
        ) from None
    finally:
        # The group, so that nothing it started outlives it.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await asyncio.shield(process.wait())
        last = await asyncio.shield(complaint)
    if not ended:
        raise _died(called, process.returncode, last)


async def _tail(stream: asyncio.StreamReader | None) -> str:
    assert stream is not None
    kept = b""
    while block := await stream.read(_KEPT_COMPLAINT):
        kept = (kept + block)[-_KEPT_COMPLAINT:]
    return kept.decode("utf-8", "replace")


async def _listen(
    process: asyncio.subprocess.Process, progress: Callable[[Progress], None], called: str
) -> bool:
    """Pass progress on until the worker ends; whether it said that it was done."""
    assert process.stdout is not None
    last = Progress(0.0, "waiting")
    line = asyncio.ensure_future(process.stdout.readline())
    try:
        while True:
            done, _ = await asyncio.wait((line,), timeout=SILENCE_S)
            if not done:
                progress(last)
                continue
            text = line.result()
            if not text:
                return False
            message = msgspec.json.decode(text, type=Message)
            if message.error is not None:
                raise Refused(called, message.error)
            if message.done:
                return True
            if message.progress is not None:
                last = message.progress
                progress(last)
            line = asyncio.ensure_future(process.stdout.readline())
    except msgspec.MsgspecError as error:
        raise _refused(called, "crashed", "读取程序应答异常", "its reader gave no sensible answer") from error
    finally:
        line.cancel()


def _died(called: str, code: int | None, complaint: str) -> Refused:
    if code == -signal.SIGXCPU:
        return _refused(called, "too_slow", "处理时间超过限制", "takes more processor time than it may")
    if "MemoryError" in complaint or "bad_alloc" in complaint:
        return _refused(called, "too_large", "文件太大，内存不够", "needs more memory than it may have")
    lines = [line for line in complaint.strip().splitlines() if line.strip()]
    last = lines[-1][:300] if lines else f"ended with {code}"
    return _refused(called, "crashed", f"读取程序异常退出（{last}）", f"its reader broke off ({last})")


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
