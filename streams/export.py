"""A clip to give away: the viewer's name, the time and the centre burned into every picture, with a new manifest.

Encoding takes a processor, so it runs in a process of its own with low priority, ``python -m streams.export``,
which is told on its standard input what to do and says on its standard output how far it is. The clip itself is
read, checked against its manifest and never changed.
"""

import asyncio
import contextlib
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from streams.clips import ClipFailed, ClipManifest, DiskFull, manifest_path
from streams.errors import Stalled

_SILENT_S: Final = 60.0
_LINE_BYTES: Final = 1 << 20


class ExportOrder(msgspec.Struct, frozen=True, kw_only=True):
    """What to export, for whom and why.

    Attributes:
        source: The clip's file; its manifest lies beside it.
        target: The file to write, ending in ``.mp4``.
        lines: Burned in, one below the other. ``{time}`` becomes the moment each picture was taken.
        by: Who exports it.
        purpose: Why.
        at: When, aware.
        zone_min: Minutes that the clocks on the wall are ahead of UTC.
        fonts: Font files, and folders of pieces with a ``faces.json``.
    """

    source: str
    target: str
    lines: tuple[str, ...]
    by: str
    purpose: str
    at: datetime
    zone_min: int = 480
    fonts: tuple[str, ...] = ()


class ExportManifest(msgspec.Struct, frozen=True, kw_only=True):
    """What an exported file is.

    Attributes:
        file: Its name.
        sha256: Of the whole file, in hexadecimal.
        size: In bytes.
        frames: Number of pictures.
        by: Who exported it.
        purpose: Why.
        at: When.
        lines: What is burned in.
        source: Manifest of the clip it was made from.
    """

    file: str
    sha256: str
    size: int
    frames: int
    by: str
    purpose: str
    at: datetime
    lines: tuple[str, ...]
    source: ClipManifest


class Said(msgspec.Struct, kw_only=True):
    """One line of what the process says: how far it is, the result, or why there is none."""

    share: float | None = None
    manifest: ExportManifest | None = None
    reason: str | None = None
    detail: str | None = None


class Exports:
    """Runs exports, so many at a time.

    Args:
        most: At once; others wait.
    """

    def __init__(self, most: int = 1) -> None:
        self._places = asyncio.Semaphore(most)

    async def export(
        self, order: ExportOrder, on_progress: Callable[[float], None] = lambda share: None
    ) -> ExportManifest:
        """Export a clip; cancelling ends the process and leaves no file.

        Args:
            order: What to do.
            on_progress: Called with the share that is done, 0 to 1.

        Raises:
            StreamError: Why it failed; no file is left.
        """
        async with self._places:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "streams.export",
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                limit=_LINE_BYTES,
            )
            try:
                return await _follow(process, order, on_progress)
            except BaseException:
                await _end(process)
                _clean(Path(order.target))
                raise
            finally:
                await _end(process)


async def _follow(
    process: asyncio.subprocess.Process, order: ExportOrder, on_progress: Callable[[float], None]
) -> ExportManifest:
    assert process.stdin is not None
    assert process.stdout is not None
    with contextlib.suppress(ConnectionError):
        process.stdin.write(msgspec.json.encode(order))
        process.stdin.write_eof()
    while True:
        try:
            async with asyncio.timeout(_SILENT_S):
                line = await process.stdout.readline()
        except TimeoutError:
            raise Stalled(f"the export has stood still for {_SILENT_S:g} s") from None
        if not line:
            raise ClipFailed("the export ended without a result")
        try:
            said = msgspec.json.decode(line, type=Said)
        except msgspec.MsgspecError:
            raise ClipFailed("the export says what nobody understands") from None
        if said.manifest is not None:
            return said.manifest
        if said.reason is not None:
            kind = DiskFull if said.reason == DiskFull.code else ClipFailed
            raise kind(said.detail or said.reason)
        if said.share is not None:
            on_progress(said.share)


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    await asyncio.shield(process.wait())


def _clean(target: Path) -> None:
    for path in (target, manifest_path(target), part_of(target)):
        path.unlink(missing_ok=True)


def part_of(target: Path) -> Path:
    """Return the name a file has while it is written."""
    return target.with_name(f"{target.name}.part")


if __name__ == "__main__":
    from streams.burning import main

    main()
