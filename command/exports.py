"""Clips to give away: encoded anew with the name of whoever takes them, one at a time, and gone after a day.

What an export is lives as long as the process; a restart forgets those under way, and the next purge their files.
"""

import asyncio
import contextlib
import shutil
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Literal
from zoneinfo import ZoneInfo

import structlog

from command.accounts.access import Principal
from command.clock import Clock, rfc3339
from command.errors import NotFound, TooManyRequests
from command.ids import new_id
from command.store.clips import Clip, Clips
from streams.errors import StreamError
from streams.export import ExportManifest, ExportOrder, Exports

log = structlog.get_logger("exports")

KEPT_S: Final = 86_400.0
MOST_WAITING: Final = 20
_FOLDER: Final = "exports"


@dataclass(slots=True)
class Export:
    """One export, as far as it is.

    Attributes:
        share: What is done, 0 to 1.
        reason: Error code, once it failed.
    """

    id: str
    clip_id: str
    part: int
    user_id: str
    at: datetime
    path: Path
    state: Literal["working", "ready", "failed"] = "working"
    share: float = 0.0
    reason: str | None = None
    manifest: ExportManifest | None = None


class ClipExports:
    """All exports of one process.

    Args:
        clips: Where the clips are.
        clock: Time.
        zone: Of the times burned in.
        centre: The centre's name, burned in.
        fonts: Folder of the letters.
    """

    def __init__(self, clips: Clips, clock: Clock, zone: str, centre: str, fonts: Path) -> None:
        self._clips = clips
        self._clock = clock
        self._zone = ZoneInfo(zone)
        self._centre = centre
        self._fonts = fonts
        self._work = Exports()
        self._known: dict[str, Export] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, me: Principal, clip: Clip, part: int, purpose: str, camera_name: str) -> Export:
        """Begin an export; it waits for those before it.

        Raises:
            NotFound: The clip has no such file.
            TooManyRequests: Too many wait already.
        """
        if not 1 <= part <= len(clip.manifests):
            raise NotFound("clip", clip.id, "The clip has no such file, or is not ready.")
        self._forget_old()
        if len(self._tasks) >= MOST_WAITING:
            raise TooManyRequests(30, "Too many exports are waiting.")
        now = self._clock.now()
        folder = self._clips.folder_of(clip.id)
        key = new_id("e")
        path = folder / _FOLDER / f"{key}.mp4"
        export = Export(key, clip.id, part, me.user_id, now, path)
        local = now.astimezone(self._zone)
        offset = local.utcoffset() or timedelta()
        order = ExportOrder(
            source=str((folder / clip.manifests[part - 1].file).resolve()),
            target=str(path.resolve()),
            lines=(
                f"{self._centre}  {camera_name}  {{time}}",
                f"{me.name}  {local:%Y-%m-%d %H:%M:%S}  {purpose}",
            ),
            by=me.name,
            purpose=purpose,
            at=now,
            zone_min=int(offset.total_seconds() // 60),
            fonts=(str(self._fonts),),
        )
        self._known[key] = export
        task = asyncio.get_running_loop().create_task(self._run(export, order))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return export

    def of(self, me: Principal, clip_id: str, export_id: str) -> Export:
        """Return an export to whoever began it; it bears their name.

        Raises:
            NotFound: There is none, or it is somebody else's.
        """
        export = self._known.get(export_id)
        if export is None or export.clip_id != clip_id or export.user_id != me.user_id:
            raise NotFound("export", export_id)
        return export

    async def close(self) -> None:
        """End those under way; no file is left of them."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _run(self, export: Export, order: ExportOrder) -> None:
        def progress(share: float) -> None:
            export.share = share

        export.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            export.manifest = await self._work.export(order, progress)
        except StreamError as error:
            export.state, export.reason = "failed", error.code
            log.warning("export failed", export=export.id, clip=export.clip_id, reason=str(error))
        except BaseException:
            export.state, export.reason = "failed", "interrupted"
            raise
        else:
            export.state, export.share = "ready", 1.0

    def _forget_old(self) -> None:
        now = self._clock.now()
        for key, export in tuple(self._known.items()):
            if (now - export.at).total_seconds() > KEPT_S and export.state != "working":
                del self._known[key]
                for path in export.path.parent.glob(f"{key}.*"):
                    with contextlib.suppress(OSError):
                        path.unlink()


def forget_exports(folder: Path) -> None:
    """Delete, at the start, the files of exports that an earlier process made: nobody can ask for them."""
    for exports in folder.glob(f"*/{_FOLDER}"):
        shutil.rmtree(exports, ignore_errors=True)


def wire(export: Export) -> dict[str, object]:
    """Return an export as it goes over the wire."""
    return {
        "export_id": export.id,
        "clip_id": export.clip_id,
        "part": export.part,
        "at": rfc3339(export.at),
        "state": export.state,
        "share": round(export.share, 3),
        "reason": export.reason,
        "size": None if export.manifest is None else export.manifest.size,
        "sha256": None if export.manifest is None else export.manifest.sha256,
    }
