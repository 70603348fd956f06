"""Which clips there are. The pictures themselves are files; this is the list of them and where they stand.

A clip's folder is named by its own generated id: nothing that anybody typed reaches a path.
"""

import asyncio
import contextlib
import errno
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import msgspec
import sqlalchemy as sa

from command.clock import Clock, rfc3339
from command.errors import StorageFull, Unavailable, YipingError
from command.store import schema
from command.store.database import Database
from streams.clips import ClipDone, ClipFailed, ClipManifest, verify

State = Literal["recording", "ready", "failed"]
INTERRUPTED: Final = "interrupted"
"""Why a clip failed, or ends early, that was being written when the service ended."""


@dataclass(frozen=True, slots=True)
class Clip:
    """One clip of one camera.

    Attributes:
        state: ``recording``: being written; ``failed``: there is no file to play, `reason` says why.
        started_at: Of the first picture; None before it is ready.
        ended_at: Of the last one.
        size: Bytes of all its files.
        manifests: One for each file; a camera that changed its picture's size begins another.
    """

    id: str
    camera_id: str
    incident_id: str | None
    state: State
    reason: str | None
    note: str
    created_by: str
    created_by_name: str
    created_at: str
    started_at: str | None
    ended_at: str | None
    size: int
    manifests: tuple[ClipManifest, ...]


class Clips:
    """The clips of one centre.

    Args:
        database: Where the list is.
        folder: Where the files are.
        clock: Time.
    """

    def __init__(self, database: Database, folder: Path, clock: Clock) -> None:
        self._database = database
        self._folder = folder
        self._clock = clock

    def folder_of(self, clip_id: str) -> Path:
        """Return where a clip's files are."""
        return self._folder / clip_id

    async def begin(self, clip: Clip) -> Path:
        """Make a clip's folder and write the clip down; returns the file to write.

        Raises:
            StorageFull: There is no room for even that.
            Unavailable: The folder cannot be made.
        """
        folder = self.folder_of(clip.id)
        try:
            folder.mkdir(parents=True)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise StorageFull from None
            raise Unavailable(f"The clip's folder cannot be made: {error.strerror}.") from None
        values = {name: getattr(clip, name) for name in Clip.__slots__}
        values["manifests"] = msgspec.json.encode(clip.manifests)
        try:
            await self._database.write(
                lambda connection: connection.execute(sa.insert(schema.clips).values(**values))
            )
        except YipingError:
            folder.rmdir()
            raise
        return folder / "clip.mp4"

    async def finish(self, done: ClipDone) -> Clip | None:
        """Write down what came of it; returns the clip, None when it is gone."""
        manifests = done.manifests
        values: dict[str, Any] = {"state": "failed", "reason": done.reason}
        if manifests:
            values |= _ready(manifests)
        else:
            await asyncio.to_thread(shutil.rmtree, self.folder_of(done.clip_id), ignore_errors=True)
        return await self._settle(done.clip_id, values)

    async def get(self, clip_id: str) -> Clip | None:
        """Return one clip."""
        query = sa.select(schema.clips).where(schema.clips.c.id == clip_id)
        row = await self._database.read(lambda connection: connection.execute(query).first())
        return None if row is None else _clip(row)

    async def list(
        self,
        *,
        incident_id: str | None = None,
        camera_id: str | None = None,
        before: tuple[str, str] | None = None,
        limit: int = 100,
    ) -> list[Clip]:
        """Return clips, newest first.

        Args:
            incident_id: Of this incident.
            camera_id: Of this camera.
            before: Creation time and id of the last one of the page before.
            limit: Most of them.
        """
        table = schema.clips
        query = sa.select(table).order_by(table.c.created_at.desc(), table.c.id.desc()).limit(limit)
        for column, wanted in ((table.c.incident_id, incident_id), (table.c.camera_id, camera_id)):
            if wanted is not None:
                query = query.where(column == wanted)
        if before is not None:
            at, key = before
            query = query.where((table.c.created_at < at) | ((table.c.created_at == at) & (table.c.id < key)))
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return [_clip(row) for row in rows]

    async def taken_bytes(self) -> int:
        """Return what all clips take."""
        query = sa.select(sa.func.coalesce(sa.func.sum(schema.clips.c.size), 0))
        return await self._database.read(lambda connection: int(connection.execute(query).scalar_one()))

    async def interrupt_all(self) -> Sequence[Clip]:
        """Settle, at the start, what an earlier process was still writing; returns these clips.

        Files that were finished make a clip, though nobody was told of them any more. Without one it has failed;
        what was written of it stays in its folder, unfinished, until it is purged, and counts for what clips take.
        """
        table = schema.clips
        query = sa.select(table.c.id).where(table.c.state == "recording")
        begun = await self._database.read(lambda connection: connection.execute(query).scalars().all())
        settled = []
        for clip_id in begun:
            manifests, size = await asyncio.to_thread(_found, self.folder_of(clip_id))
            failed = {"state": "failed", "ended_at": rfc3339(self._clock.now())}
            values = _ready(manifests) if manifests else failed
            clip = await self._settle(clip_id, {**values, "reason": INTERRUPTED, "size": size})
            if clip is not None:
                settled.append(clip)
        return settled

    async def purge(self, before: str) -> int:
        """Delete the clips made before a moment, files first; returns how many."""
        table = schema.clips
        old = table.c.created_at < before
        query = sa.select(table.c.id).where(old)
        due = await self._database.read(lambda connection: connection.execute(query).scalars().all())
        for clip_id in due:
            await asyncio.to_thread(shutil.rmtree, self.folder_of(clip_id), ignore_errors=True)
        if due:
            await self._database.write(lambda connection: connection.execute(sa.delete(table).where(old)))
        return len(due)

    async def _settle(self, clip_id: str, values: Mapping[str, Any]) -> Clip | None:
        """Write down what came of a clip, unless that has been."""
        table = schema.clips
        mine = (table.c.id == clip_id) & (table.c.state == "recording")
        statement = sa.update(table).where(mine).values(**values)
        await self._database.write(lambda connection: connection.execute(statement))
        return await self.get(clip_id)


def _ready(manifests: Sequence[ClipManifest]) -> dict[str, Any]:
    return {
        "state": "ready",
        "started_at": rfc3339(manifests[0].from_),
        "ended_at": rfc3339(manifests[-1].to),
        "size": sum(manifest.size for manifest in manifests),
        "manifests": msgspec.json.encode(manifests),
    }


def _found(folder: Path) -> tuple[list[ClipManifest], int]:
    """Return the manifests of the files that are complete and unchanged, and the bytes of all files."""
    manifests, size = [], 0
    for path in folder.glob("*.mp4*"):
        size += path.stat().st_size
        if path.suffix == ".mp4":
            with contextlib.suppress(ClipFailed):
                manifests.append(verify(path))
    return sorted(manifests, key=lambda manifest: manifest.part), size


def _clip(row: sa.Row[Any]) -> Clip:
    values = dict(row._mapping)
    values["manifests"] = msgspec.json.decode(values["manifests"], type=tuple[ClipManifest, ...])
    return Clip(**values)
