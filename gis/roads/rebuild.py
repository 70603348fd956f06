"""Roads and basemap made anew from an extract, in a process of their own, while the old ones stay in force.

`build_roads` leaves files in a folder; whoever asked puts them in force together.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from gis.apart.confinement import NOBODY
from gis.apart.messages import Progress, Refusal, Refused
from gis.apart.supervision import bare_environment, supervise
from gis.errors import BadFile, GisError, NoRoads
from gis.roads.extract import MADE, RoadsBuilt, graph_name
from gis.roads.read import osm_file

TIMEOUT_S: Final = 3600.0
MAX_BYTES: Final = 4 << 30


async def build_roads(
    pbf: Path,
    folder: Path,
    progress: Callable[[Progress], None],
    *,
    name: str | None = None,
    timeout_s: float = TIMEOUT_S,
) -> RoadsBuilt:
    """Make road graphs and the basemap of an OpenStreetMap extract.

    The extract is read by an unprivileged process with limits on memory and time; no event loop and no other thread
    of this one is held up. Cancelling the task ends that process and leaves nothing behind.

    Args:
        pbf: `.osm.pbf` (or OSM XML) file, known by its content.
        folder: For the results; made if it is not there. Files of an earlier build are replaced only once all
            are made.
        progress: Told at least once a second; stages are "roads-car" and so on, "basemap" and "done".
        name: What to call the file in errors; its own name by default.
        timeout_s: How long it may take.

    Raises:
        Refused: The file is empty, cut off, no extract, without any road, or it takes too long.
    """
    called = name or pbf.name
    size = await asyncio.to_thread(_look, pbf, called)
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    # Root's worker becomes nobody, who may not enter the folders above ours.
    root = os.geteuid() == 0
    work = Path(tempfile.mkdtemp(prefix="yiping-roads-" if root else ".roads-", dir=None if root else folder))
    try:
        progress(Progress(0.0, "waiting", 0, size))
        await asyncio.to_thread(_hand_over, pbf, work, root)
        await supervise(
            "gis.roads.worker", work, bare_environment(work), progress, called, timeout_s=timeout_s
        )
        built = await asyncio.to_thread(_take, work, folder)
    finally:
        await asyncio.shield(asyncio.to_thread(shutil.rmtree, work, True))
    progress(Progress(1.0, "done"))
    return built


def _look(pbf: Path, called: str) -> int:
    """Refuse at once what needs no reading; returns the size."""
    try:
        size = pbf.stat().st_size
    except OSError as error:
        reason = error.strerror or "cannot be opened"
        raise Refused(called, Refusal("not_found", reason, f"文件打不开：{reason}")) from error
    if size > MAX_BYTES:
        most = MAX_BYTES >> 30
        raise Refused(called, Refusal("too_large", f"is larger than {most} GiB", f"文件超过 {most} GB"))
    try:
        osm_file(pbf)
    except BadFile as error:
        raise Refused(called, refusal(error)) from error
    return size


def refusal(error: GisError) -> Refusal:
    """What to tell of an extract that cannot be used, without the names of our folders."""
    if isinstance(error, NoRoads):
        return Refusal("no_roads", "holds no road", "文件里没有可用的道路")
    if not isinstance(error, BadFile):
        return Refusal("failed", str(error), "底图生成失败")
    reason = error.reason
    if "damaged" in reason:
        return Refusal("truncated_file", reason, "文件损坏或不完整（可能没有下载完）")
    if "empty" in reason:
        return Refusal("empty_file", reason, "文件是空的")
    return Refusal("wrong_type", reason, "不是 OpenStreetMap 数据（需要 .osm.pbf）")


def _hand_over(pbf: Path, work: Path, root: bool) -> None:
    """Give the worker a copy of its own: it opens the file by name, several times."""
    shutil.copyfile(pbf, work / "in")
    (work / "in").chmod(0o600)
    if root:
        os.chown(work / "in", NOBODY, NOBODY)
        os.chown(work, NOBODY, NOBODY)


def _take(work: Path, folder: Path) -> RoadsBuilt:
    """Move the results over, names checked: the worker has had its hands on a stranger's file."""
    built = msgspec.json.decode((work / "built.json").read_bytes(), type=RoadsBuilt, dec_hook=_path)
    files: dict[str, Path] = {}
    for name in (*map(graph_name, built.profiles), *MADE):
        source = work / Path(name).name
        if not source.is_file() or source.is_symlink():
            continue
        part = folder / f".{source.name}.part"
        shutil.copyfile(source, part)
        files[source.name] = part
    for name, part in files.items():
        os.replace(part, folder / name)
        files[name] = folder / name
    for name in built.absent:
        (folder / Path(name).name).unlink(missing_ok=True)
    return msgspec.structs.replace(built, files=files)


def _path(kind: type, value: object) -> object:
    if kind is Path and isinstance(value, str):
        return Path(value)
    raise NotImplementedError(kind)
