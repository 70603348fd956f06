"""What each kind of file needs: how it is drafted, put in force, and taken back."""

import asyncio
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from command import district as names
from command.errors import YipingError
from command.events import Actor
from command.geography.imports.jobs import Job
from command.geography.keeper import Keeper
from command.geography.revisions import Change
from gis import intake
from gis.intake import Draft, Progress, Reference

Tell = Callable[[Progress], None]

FILE_OF: Final[Mapping[str, str]] = {
    "areas": names.AREAS,
    "beats": names.BEATS,
    "places": names.PLACES,
    "checkpoints": names.CHECKPOINTS,
    "rules": names.RULES,
    "departments": names.DEPARTMENTS,
}
"""Kinds that are files of the district, under their plain names."""

KINDS: Final = (*FILE_OF, "cameras", "responders", "roads")


class NothingTaken(YipingError):
    """Not one row of the file can be used."""

    code = "nothing_taken"


@dataclass(frozen=True, slots=True)
class Applied:
    """What applying did.

    Attributes:
        revision: The revision it made, where the kind is kept as files.
        counts: Taken, new, changed, left out.
    """

    revision: int | None
    counts: Mapping[str, int] = field(default_factory=dict)


class Applier(Protocol):
    """How one kind of file is brought in."""

    async def draft(self, source: Path, folder: Path, job: Job, tell: Tell) -> Draft | None:
        """Read and judge the file; results are left in `folder`."""
        ...

    async def apply(self, job: Job, folder: Path, actor: Actor, tell: Tell) -> Applied:
        """Put the last draft in force."""
        ...

    async def undo(self, job: Job, folder: Path, actor: Actor) -> None:
        """Take back what `apply` did."""
        ...


class FileApplier:
    """A kind that is one file of the district.

    Args:
        kind: A key of `FILE_OF`.
        keeper: Puts files in force.
    """

    def __init__(self, kind: str, keeper: Keeper) -> None:
        self._kind = kind
        self._keeper = keeper

    async def draft(self, source: Path, folder: Path, job: Job, tell: Tell) -> Draft:
        """Read and judge the file against what is in force."""
        return await drafted(self._keeper, source, folder, job, tell)

    async def apply(self, job: Job, folder: Path, actor: Actor, tell: Tell) -> Applied:
        """Put the drafted file in force as a revision.

        Raises:
            NothingTaken: The draft took no row.
            GisError: What was drafted is no district; the old one stays in force.
        """
        draft = job.draft
        if draft is None or not draft.taken:
            raise NothingTaken(f"No row of {job.filename} can be taken as {job.kind}.")
        tell(Progress(0.9, "applying", draft.taken, draft.taken))
        file = FILE_OF[self._kind]
        # A copy: the draft stays for a second look, and for another try when this one is refused.
        staged = folder / f"staged-{file}"
        await asyncio.to_thread(shutil.copyfile, folder / draft.result, staged)
        counts = {"rows": draft.rows, "taken": draft.taken, "left_out": draft.rows - draft.taken}
        note = f"{job.filename}"
        change = Change(self._kind, note, actor.id, actor.name, counts)
        revision = await self._keeper.put({file: staged}, change, actor)
        return Applied(revision.number, counts)

    async def undo(self, job: Job, folder: Path, actor: Actor) -> None:
        """Bring back the file that this one replaced."""
        del folder
        assert job.revision is not None
        await self._keeper.undo(job.revision, actor)


async def drafted(keeper: Keeper, source: Path, folder: Path, job: Job, tell: Tell) -> Draft:
    """Draft a file against what is in force."""
    reference = reference_of(keeper, job.kind)
    return await intake.draft(source, folder, job.choices, reference, tell, name=job.filename)


def reference_of(keeper: Keeper, kind: str) -> Reference:
    """Return what a new file is held against: the areas and the roads in force."""
    district = keeper.atlas.district

    def there(name: str) -> Path | None:
        path = district.folder / name
        return path if path.exists() else None

    return Reference(
        areas_file=there(names.AREAS),
        current_file=there(FILE_OF[kind]) if kind in FILE_OF else None,
        roads_file=there(names.graph_file("car")),
        bounds=district.bounds,
    )
