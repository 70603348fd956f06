"""Drafts in a process of their own: starting it, listening to it, ending it, and taking its results."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final

import msgspec

from gis.intake.confinement import NOBODY
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
TICK_S: Final = 0.6
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
    teller = _Teller(progress)
    if choices.kind not in KINDS:
        raise _refused(called, "bad_kind", f"不认识的类别 {choices.kind}", f"unknown kind {choices.kind!r}")
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


class _Teller:
    """Tells progress on, and the last one again where there is nothing new."""

    def __init__(self, progress: Callable[[Progress], None]) -> None:
        self._progress = progress
        self._last = Progress(0.0, "waiting")
        self._told_at = 0.0

    def tell(self, progress: Progress) -> None:
        self._last = progress
        self._told_at = time.monotonic()
        self._progress(progress)

    async def tick(self) -> None:
        while True:
            if time.monotonic() - self._told_at > TICK_S:
                self.tell(self._last)
            await asyncio.sleep(TICK_S / 2)


def _make_work(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    if os.geteuid() != 0:
        return Path(tempfile.mkdtemp(prefix=".draft-", dir=folder))
    # Root's worker becomes nobody, who may not enter the folders above ours.
    work = Path(tempfile.mkdtemp(prefix="yiping-draft-"))
    os.chown(work, NOBODY, NOBODY)
    return work


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


def bare_environment(work: Path) -> dict[str, str]:
    """What every worker needs to start: our code and nothing of the service's own environment."""
    home = Path(__file__).parents[2]
    paths = [str(home), *(entry for entry in sys.path if entry.endswith("site-packages"))]
    return {
        "PATH": os.defpath,
        "LC_ALL": "C.UTF-8",
        "PYTHONPATH": os.pathsep.join(dict.fromkeys(paths)),
        "TMPDIR": str(work),
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "MALLOC_ARENA_MAX": "2",
    }


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


async def supervise(
    module: str,
    work: Path,
    environment: Mapping[str, str],
    tell: Callable[[Progress], None],
    called: str,
    *,
    fds: Sequence[int] = (),
    timeout_s: float = TIMEOUT_S,
) -> None:
    """Run a worker that speaks `gis.intake.model.Message` to its end; with it ends everything that it started.

    Args:
        module: Run with ``python -m``.
        work: Its current folder.
        environment: All it gets.
        tell: Told at least once a second.
        called: What to call the file in errors.
        fds: Open files handed on.
        timeout_s: How long it may take.

    Raises:
        Refused: It said so, died, or took too long.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-s",
        "-P",
        "-m",
        module,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        pass_fds=fds,
        cwd=work,
        env=environment,
        start_new_session=True,
    )
    teller = _Teller(tell)
    complaint = asyncio.create_task(_tail(process.stderr))
    ticking = asyncio.create_task(teller.tick())
    try:
        async with asyncio.timeout(timeout_s):
            ended = await _listen(process, teller.tell, called)
    except TimeoutError:
        raise _refused(
            called, "too_slow", f"{timeout_s:.0f} 秒内没有读完", f"was not read within {timeout_s:.0f} s"
        ) from None
    finally:
        ticking.cancel()
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


async def _listen(process: asyncio.subprocess.Process, tell: Callable[[Progress], None], called: str) -> bool:
    """Pass progress on until the worker ends; whether it said that it was done."""
    assert process.stdout is not None
    try:
        while line := await process.stdout.readline():
            message = msgspec.json.decode(line, type=Message)
            if message.error is not None:
                raise Refused(called, message.error)
            if message.done:
                return True
            if message.progress is not None:
                tell(message.progress)
    except (msgspec.MsgspecError, ValueError) as error:  # a line without end is a ValueError
        raise _refused(called, "crashed", "读取程序应答异常", "its reader gave no sensible answer") from error
    return False


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
