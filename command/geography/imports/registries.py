"""Files of cameras and of people: read like every other file, entered into the registry as events."""

import asyncio
import csv
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final, Protocol

import msgspec

from command import camera_import, importing
from command.board import Board
from command.camera_operations import CameraOperations
from command.cameras import Camera
from command.events import Actor
from command.geography.imports.appliers import Applied, NothingTaken, Tell, drafted
from command.geography.imports.issues import Issue, add_issues
from command.geography.imports.jobs import UPLOAD, Job
from command.geography.keeper import Keeper
from command.responders import Responder
from command.store.sources import Sources
from gis.intake import Draft, Progress
from streams.source import Admission

AT_ONCE: Final = 500
"""Entered in one command: each is an event that every screen takes."""
HIDDEN: Final = frozenset({"password", "username", "host", "path"})
"""Fields whose values never leave the draft's folder."""
_BEFORE: Final = "before.json"


class People(Protocol):
    """What a roster can do (`command.operations.Operations`)."""

    async def register_responders(self, actor: Actor, people: list[Responder]) -> object:
        """Enter people; known ids keep shift and job."""
        ...

    async def withdraw_responders(self, actor: Actor, responder_ids: list[str]) -> int:
        """Take people off the roster again with whom nothing has happened."""
        ...


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
        """Read the file, then judge each row as the registry would."""
        draft = await drafted(self._keeper, source, folder, job, tell)
        if draft.needs:
            return _without_secrets(draft)
        found = await self._read(folder, draft)
        called = {column.field: column.name for column in draft.columns}
        problems = [
            (error.row, f"{called.get(error.column, error.column)}：{error.reason}") for error in found.errors
        ]
        return _without_secrets(await asyncio.to_thread(_judge, folder, draft, problems))

    async def apply(self, job: Job, folder: Path, actor: Actor, tell: Tell) -> Applied:
        """Enter the good rows; what was there before is remembered for `undo`.

        Raises:
            NothingTaken: There is no good row.
        """
        assert job.draft is not None
        found = await self._read(folder, job.draft)
        if not found.cameras:
            raise NothingTaken(f"No row of {job.filename} is a camera that can be registered.")
        before = {camera.id: self._board.cameras.get(camera.id) for camera in found.cameras}
        sources = camera_import.changed_sources(found, await self._sources.kept_all())
        await asyncio.to_thread(_remember, folder, before)
        for first in range(0, len(found.cameras), AT_ONCE):
            some = found.cameras[first : first + AT_ONCE]
            theirs = {camera.id: sources[camera.id] for camera in some if camera.id in sources}
            await self._operations.register(actor, some, sources=theirs)
            tell(Progress(first / len(found.cameras), "applying", first, len(found.cameras)))
        # Passwords stood in what was sent; they are sealed in the registry now and nowhere else.
        await asyncio.to_thread(_erase, folder)
        return Applied(None, _counts(job.draft, before))

    async def undo(self, job: Job, folder: Path, actor: Actor) -> None:
        """Take out the new ones and give the others their facts back; sources stay as they were brought in."""
        del job
        stored = await asyncio.to_thread((folder / _BEFORE).read_bytes)
        before = msgspec.json.decode(stored, type=dict[str, Camera | None])
        for camera_id, camera in before.items():
            if camera is None and camera_id in self._board.cameras:
                await self._operations.remove(actor, camera_id)
        await self._operations.register(actor, [camera for camera in before.values() if camera is not None])

    async def _read(self, folder: Path, draft: Draft) -> camera_import.CameraFile:
        content = await asyncio.to_thread((folder / draft.result).read_bytes)
        found = await asyncio.to_thread(
            camera_import.read_cameras,
            content,
            self._keeper.atlas.district,
            name=draft.result,
            encoding="utf-8",
            known=dict(self._board.cameras),
        )
        return await camera_import.check_hosts(found, self._admission)


class ResponderApplier:
    """People and units.

    Args:
        keeper: The district whose grids they look after.
        board: The roster.
        people: Enters them.
    """

    def __init__(self, keeper: Keeper, board: Board, people: People) -> None:
        self._keeper = keeper
        self._board = board
        self._people = people

    async def draft(self, source: Path, folder: Path, job: Job, tell: Tell) -> Draft:
        """Read the file, then judge each row as the roster would."""
        draft = await drafted(self._keeper, source, folder, job, tell)
        if draft.needs:
            return draft
        _, errors = await self._read(folder, draft)
        return await asyncio.to_thread(_judge, folder, draft, errors)

    async def apply(self, job: Job, folder: Path, actor: Actor, tell: Tell) -> Applied:
        """Enter the good rows; what was there before is remembered for `undo`.

        Raises:
            NothingTaken: There is no good row.
        """
        assert job.draft is not None
        people, _ = await self._read(folder, job.draft)
        if not people:
            raise NothingTaken(f"No row of {job.filename} is a person who can be entered.")
        before = {person.id: self._board.responders.get(person.id) for person in people}
        await asyncio.to_thread(_remember, folder, before)
        for first in range(0, len(people), AT_ONCE):
            await self._people.register_responders(actor, people[first : first + AT_ONCE])
            tell(Progress(first / len(people), "applying", first, len(people)))
        return Applied(None, _counts(job.draft, before))

    async def undo(self, job: Job, folder: Path, actor: Actor) -> None:
        """Take off who is new and has done nothing yet, and give the others their facts back."""
        del job
        stored = await asyncio.to_thread((folder / _BEFORE).read_bytes)
        before = msgspec.json.decode(stored, type=dict[str, Responder | None])
        await self._people.withdraw_responders(
            actor, [key for key, person in before.items() if person is None]
        )
        await self._people.register_responders(
            actor, [person for person in before.values() if person is not None]
        )

    async def _read(self, folder: Path, draft: Draft) -> tuple[list[Responder], list[tuple[int, str]]]:
        known = list(self._board.responders.values())
        people, errors = await asyncio.to_thread(
            importing.read_responders,
            folder / draft.result,
            self._keeper.atlas.district,
            [person.unit for person in known],
            known,
            None,
        )
        return people, [(error.row, error.reason) for error in errors]


def _judge(folder: Path, draft: Draft, problems: Iterable[tuple[int, str]]) -> Draft:
    """Add what the registry finds wrong, under the row numbers of the file that was sent."""
    with (folder / draft.result).open(encoding="utf-8-sig", newline="") as stream:
        rows = [int(row["row"]) for row in csv.DictReader(stream)]
    issues = [
        Issue(row=rows[n - 1], severity="error", issue="bad_value", detail_zh=why, detail_en=why)
        for n, why in problems
    ]
    return add_issues(folder, draft, issues)


def _without_secrets(draft: Draft) -> Draft:
    """The draft without sample values of the columns that say how to get into a camera."""
    columns = tuple(
        msgspec.structs.replace(column, sample=("••••",) if column.sample else ())
        if column.field in HIDDEN
        else column
        for column in draft.columns
    )
    return msgspec.structs.replace(draft, columns=columns)


def _remember(folder: Path, before: Mapping[str, Camera | Responder | None]) -> None:
    (folder / _BEFORE).write_bytes(msgspec.json.encode(before))


def _erase(folder: Path) -> None:
    """Take out what was sent and everything made of it, except how to undo it."""
    for path in folder.iterdir():
        if path.name != _BEFORE:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    (folder.parent / UPLOAD).unlink(missing_ok=True)


def _counts(draft: Draft, before: Mapping[str, object]) -> dict[str, int]:
    new = sum(held is None for held in before.values())
    return {
        "rows": draft.rows,
        "taken": len(before),
        "new": new,
        "changed": len(before) - new,
        "left_out": draft.rows - len(before),
    }
