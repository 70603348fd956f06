"""An OpenStreetMap extract: roads, basemap, house numbers and footprints, swapped together."""

import asyncio
import os
import shutil
from pathlib import Path
from typing import Final

import msgspec

from command import district as names
from command.events import Actor
from command.geography.imports.appliers import Applied, NothingTaken, Tell
from command.geography.imports.jobs import UPLOAD, Job
from command.geography.keeper import Keeper
from command.geography.revisions import Change
from gis.intake import Progress
from gis.roads.extract import RoadsBuilt
from gis.roads.rebuild import build_roads

_BUILT: Final = "built.json"


class RoadsApplier:
    """Roads and what comes with them.

    Args:
        keeper: Puts the files in force, all in one revision.
    """

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper

    async def draft(self, source: Path, folder: Path, job: Job, tell: Tell) -> None:
        """Make everything of the extract; the old roads stay in force meanwhile."""
        built = await build_roads(source, folder, tell, name=job.filename)
        (folder / _BUILT).write_bytes(msgspec.json.encode(built, enc_hook=str))
        job.counts = {
            **{f"edges_{name}": roads.edges for name, roads in built.profiles.items()},
            "length_km": round(max(roads.length_km for roads in built.profiles.values())),
            "addresses": built.addresses,
            "buildings": built.buildings,
        }

    async def apply(self, job: Job, folder: Path, actor: Actor, tell: Tell) -> Applied:
        """Put the files in force together.

        Raises:
            NothingTaken: They were not made.
        """
        try:
            stored = await asyncio.to_thread((folder / _BUILT).read_bytes)
        except FileNotFoundError:
            raise NothingTaken(f"Nothing was made of {job.filename}.") from None
        built = msgspec.json.decode(stored, type=RoadsBuilt, dec_hook=lambda kind, value: kind(value))
        tell(Progress(0.9, "applying"))
        staged: dict[str, Path | None] = dict.fromkeys(built.absent)
        for name in (*built.files, names.ROADS):
            staged[name] = folder / f"staged-{name}"
        await asyncio.to_thread(_stage, folder, staged, folder.parent / UPLOAD)
        change = Change("roads", job.filename, actor.id, actor.name, dict(job.counts))
        revision = await self._keeper.put(staged, change, actor)
        return Applied(revision.number, job.counts)

    async def undo(self, job: Job, folder: Path, actor: Actor) -> None:
        """Bring back the roads, basemap, house numbers and footprints that these replaced."""
        del folder
        assert job.revision is not None
        await self._keeper.undo(job.revision, actor)


def _stage(folder: Path, staged: dict[str, Path | None], upload: Path) -> None:
    """A second name for each file: the draft stays for another try when this one is refused."""
    for name, target in staged.items():
        if target is None:
            continue
        source = upload if name == names.ROADS else folder / name
        target.unlink(missing_ok=True)
        try:
            os.link(source, target)
        except OSError:
            shutil.copyfile(source, target)
