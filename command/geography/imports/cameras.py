"""Files of cameras: read like every other file, judged as the registry would, entered into it as events.

They hold passwords. What was sent and what was read of it is sealed on the disk, and gone once it is in force; what
it replaced is sealed too, and stays for `undo`.
"""

import asyncio
import contextlib
import os
import shutil
from pathlib import Path
from typing import Final

import msgspec

from command import camera_import
from command.board import Board
from command.camera_operations import CameraOperations
from command.cameras import Camera
from command.events import Actor
from command.geography.imports.appliers import Applied, NothingTaken, Tell, drafted
from command.geography.imports.issues import FILE as ISSUES
from command.geography.imports.jobs import UPLOAD, Job
from command.geography.imports.judging import PREVIEW, counts_of, judge
from command.geography.imports.sealing import SealedFiles, sealed_path
from command.geography.keeper import Keeper
from command.geography.portions import portions
from command.store.sources import SealedSource, Sources
from gis.intake import Draft, Progress
from streams.source import Admission

_BEFORE: Final = "before"
_READING: Final = ".reading"
"""Within the folder of a draft: where it stands in plain while it is made."""
_SHOWN: Final = (PREVIEW, ISSUES)


class Before(msgspec.Struct, frozen=True):
    """What an import replaced.

    Attributes:
        cameras: Camera id → the camera as it was, None for a new one.
        sources: Ids of known cameras that got another source → the one they had, None for those without.
        brought: Camera id → the source that the import left with it: what is otherwise by now is not ours to undo.
    """

    cameras: dict[str, Camera | None]
    sources: dict[str, SealedSource | None]
    brought: dict[str, SealedSource] = {}


class CameraApplier:
    """Cameras, with their sources.

    Args:
        keeper: The district they stand in.
        board: Those that are registered.
        operations: Enters them.
        sources: Where their media comes from.
        admission: What the administrator allows.
    """

    def __init__(
        self,
        keeper: Keeper,
        board: Board,
        operations: CameraOperations,
        sources: Sources,
        admission: Admission,
    ) -> None:
        self._keeper = keeper
        self._board = board
        self._operations = operations
        self._sources = sources
        self._admission = admission

    async def draft(self, source: Path, folder: Path, job: Job, tell: Tell) -> Draft:
        """Read the file, then judge each row as the registry would.

        Raises:
            Refused: It cannot be read at all.
            Sealed: It was sealed with a key that is another by now.
        """
        files, reading = self._files(job), folder / _READING
        await asyncio.to_thread(files.take, source)
        try:
            with contextlib.ExitStack() as stack:
                plain = await asyncio.to_thread(stack.enter_context, files.opened(source))
                draft = await drafted(self._keeper, plain, reading, job, tell)
            content = await asyncio.to_thread((reading / draft.result).read_bytes)
            if not draft.needs:
                found = await self._judged(content)
                draft = await asyncio.to_thread(judge, reading, draft, found.faults)
            await asyncio.to_thread(files.write, folder / draft.result, content)
            for name in _SHOWN:
                await asyncio.to_thread(os.replace, reading / name, folder / name)
        finally:
            await asyncio.shield(asyncio.to_thread(shutil.rmtree, reading, True))
        return draft

    async def apply(self, job: Job, folder: Path, actor: Actor, tell: Tell) -> Applied:
        """Enter the good rows; what was there before is remembered for `undo`.

        Raises:
            NothingTaken: There is no good row.
            Sealed: They were sealed with a key that is another by now.
        """
        assert job.draft is not None
        files = self._files(job)
        found = await self._judged(await asyncio.to_thread(files.read, folder / job.draft.result))
        if not found.cameras:
            raise NothingTaken(f"No row of {job.filename} is a camera that can be registered.")
        sources = camera_import.changed_sources(found, await self._sources.kept_all())
        cameras = {camera.id: self._board.cameras.get(camera.id) for camera in found.cameras}
        replaced = [camera_id for camera_id in sources if cameras[camera_id] is not None]
        had = await self._sources.sealed(set(replaced))
        before = Before(cameras, {camera_id: had.get(camera_id) for camera_id in replaced})
        await asyncio.to_thread(_remember, files, folder, before)
        done, total = 0, len(found.cameras)
        for some in portions(found.cameras):
            theirs = {camera.id: sources[camera.id] for camera in some if camera.id in sources}
            await self._operations.register(actor, some, sources=theirs)
            done += len(some)
            tell(Progress(done / total, "applying", done, total))
        before = msgspec.structs.replace(before, brought=await self._sources.sealed(set(replaced)))
        await asyncio.to_thread(_remember, files, folder, before)
        await asyncio.to_thread(_erase, folder)
        return Applied(None, counts_of(job.draft, cameras))

    async def undo(self, job: Job, folder: Path, actor: Actor) -> None:
        """Take out the new ones; give the others their facts back, and their sources unless changed since.

        Raises:
            Sealed: What was replaced was sealed with a key that is another by now.
        """
        stored = await asyncio.to_thread(self._files(job).read, folder / _BEFORE)
        before = msgspec.json.decode(stored, type=Before)
        for camera_id, camera in before.cameras.items():
            if camera is None and camera_id in self._board.cameras:
                await self._operations.remove(actor, camera_id)
        now = await self._sources.sealed(before.sources.keys())
        sources = {
            camera_id: source
            for camera_id, source in before.sources.items()
            if now.get(camera_id) == before.brought.get(camera_id)
        }
        known = [camera for camera in before.cameras.values() if camera is not None]
        for some in portions(known):
            theirs = {camera.id: sources[camera.id] for camera in some if camera.id in sources}
            await self._operations.put_back(actor, some, theirs)

    async def _judged(self, content: bytes) -> camera_import.CameraFile:
        found = await asyncio.to_thread(
            camera_import.read_cameras,
            content,
            self._keeper.atlas.district,
            known=dict(self._board.cameras),
        )
        return await camera_import.check_hosts(found, self._admission)

    def _files(self, job: Job) -> SealedFiles:
        return SealedFiles(self._sources.box, f"import:{job.id}")


def _remember(files: SealedFiles, folder: Path, before: Before) -> None:
    files.write(folder / _BEFORE, msgspec.json.encode(before))


def _erase(folder: Path) -> None:
    """Take out what was sent and everything made of it, except how to undo it."""
    keep = sealed_path(folder / _BEFORE)
    for path in folder.iterdir():
        if path != keep:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    sealed_path(folder.parent / UPLOAD).unlink(missing_ok=True)
