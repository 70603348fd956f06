"""Which clips there are. The pictures themselves are files; this is the list of them and where they stand.

A clip's folder is named by its own generated id: nothing that anybody typed reaches a path.
"""

import asyncio
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import msgspec
import sqlalchemy as sa

from command.clock import Clock, rfc3339
from command.store import schema
from command.store.database import Database
from streams.clips import ClipDone, ClipManifest

State = Literal["recording", "ready", "failed"]
INTERRUPTED: Final = "interrupted"
"""Why a clip failed that was being written when the service ended."""


@dataclass(frozen=True, slots=True)
class Clip:
    """One clip of one camera.

    Attributes:
        state: ``recording``: being written; ``failed``: there is no file, `reason` says why.
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
        """Write a clip down and make its folder; returns the file to write."""
        values = {name: getattr(clip, name) for name in Clip.__slots__}
        values["manifests"] = msgspec.json.encode(clip.manifests)
        await self._database.write(
            lambda connection: connection.execute(sa.insert(schema.clips).values(**values))
        )
        folder = self.folder_of(clip.id)
        folder.mkdir(parents=True, exist_ok=True)
        return folder / "clip.mp4"

    async def finish(self, done: ClipDone) -> Clip | None:
        """Write down what came of it; returns the clip, None when it is gone."""
        table = schema.clips
        manifests = done.manifests
        values: dict[str, Any] = {"state": "ready" if manifests else "failed", "reason": done.reason}
        if manifests:
            values |= {
                "started_at": rfc3339(manifests[0].from_),
                "ended_at": rfc3339(manifests[-1].to),
                "size": sum(manifest.size for manifest in manifests),
                "manifests": msgspec.json.encode(manifests),
            }
        else:
            await asyncio.to_thread(shutil.rmtree, self.folder_of(done.clip_id), ignore_errors=True)
        mine = (table.c.id == done.clip_id) & (table.c.state == "recording")
        statement = sa.update(table).where(mine).values(**values)
        await self._database.write(lambda connection: connection.execute(statement))
        return await self.get(done.clip_id)

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

    async def interrupt_all(self) -> int:
        """Give up, at the start, what an earlier process was still writing; returns how many."""
        table = schema.clips
        statement = (
            sa.update(table)
            .where(table.c.state == "recording")
            .values(state="failed", reason=INTERRUPTED, ended_at=rfc3339(self._clock.now()))
        )
        return await self._database.write(lambda connection: connection.execute(statement).rowcount)

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


def _clip(row: sa.Row[Any]) -> Clip:
    values = dict(row._mapping)
    values["manifests"] = msgspec.json.decode(values["manifests"], type=tuple[ClipManifest, ...])
    return Clip(**values)
