"""Whoever changes the geography does it through here: checked, written down, in force, and told to everybody."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import date
from pathlib import Path

import msgspec
import structlog

from command.cameras import Camera
from command.desk import Command, Desk
from command.district import About, District, load_district
from command.events import SYSTEM, Actor
from command.geography.atlas import Atlas
from command.geography.model import THE_DISTRICT, decide_changed, decide_day
from command.geography.portions import portions
from command.geography.revisions import Change, NotUndoable, Revision, Revisions
from gis.areas import AreaIndex

log = structlog.get_logger("geography")


class Keeper:
    """Serialises changes of the district.

    Args:
        atlas: The district in force.
        revisions: The history of its files.
        desk: Where the change is told.
        overrides: What the settings call the district.
        place_cameras: Enters cameras whose grid changed (`CameraOperations.register`).
        today: The day in the district, which decides which versions of areas are in force.
    """

    def __init__(
        self,
        atlas: Atlas,
        revisions: Revisions,
        desk: Desk,
        overrides: About,
        place_cameras: Callable[[Actor, list[Camera]], Awaitable[object]],
        today: Callable[[], date],
    ) -> None:
        self.atlas = atlas
        self.revisions = revisions
        self._desk = desk
        self._overrides = overrides
        self._place_cameras = place_cameras
        self._today = today
        self._lock = asyncio.Lock()

    async def put(
        self,
        files: Mapping[str, Path | None],
        change: Change,
        actor: Actor,
        *,
        expected: int | None = None,
        areas: AreaIndex | None = None,
    ) -> Revision:
        """Put new files in force, or nothing.

        Args:
            files: Plain name → the new file (it is moved away); None takes the file out.
            change: What it says in the history.
            actor: Who does it.
            expected: Revision that the files were made from.
            areas: What the files hold of areas and beats, where the caller has that at hand.

        Raises:
            StaleVersion: Another revision came into force meanwhile.
            GisError: The files are no district; the old ones stay in force.
        """
        async with self._lock:
            return await self._put(files, change, actor, expected, None, areas)

    async def undo(self, number: int, actor: Actor) -> Revision:
        """Take a revision back.

        Raises:
            NotFound: There is none with this number.
            NotUndoable: It cannot be taken back any more.
        """
        async with self._lock:
            mine = await asyncio.to_thread(self.revisions.get, number)
            reason = await asyncio.to_thread(self.revisions.why_not_undo, number)
            if reason is not None:
                raise NotUndoable(f"Revision {number} cannot be undone: {reason}.")
            files = await asyncio.to_thread(self.revisions.restored, mine)
            change = Change(mine.change.what, mine.change.note, actor.id, actor.name, mine.change.counts)
            return await self._put(files, change, actor, None, number)

    async def turn_day(self) -> bool:
        """Put in force what holds from today on; returns whether anything is different."""
        async with self._lock:
            index = self.atlas.district.areas
            now = await asyncio.to_thread(index.on_day, self._today())
            if now is index:
                return False
            # Not what was there before the wait: roads may have been closed meanwhile.
            district = self.atlas.district.with_areas(now)
            self.atlas.replace(district)
            log.info("areas of another day", day=self._today().isoformat())
            current = await asyncio.to_thread(lambda: self.revisions.current)
            await self._desk.submit(
                Command(SYSTEM, lambda picture, context: decide_day(picture, current, context))
            )
            await self._move_cameras(district, SYSTEM)
            return True

    async def tell_at_start(self) -> None:
        """Tell the pages of what was changed while the service was down."""
        current = await asyncio.to_thread(lambda: self.revisions.current)
        known = self._desk.board.geography.get(THE_DISTRICT)
        if current and (known is None or known.revision != current):
            await self._tell(await asyncio.to_thread(self.revisions.get, current), SYSTEM)

    async def _put(
        self,
        files: Mapping[str, Path | None],
        change: Change,
        actor: Actor,
        expected: int | None,
        undoes: int | None,
        areas: AreaIndex | None = None,
    ) -> Revision:
        old = self.atlas.district
        # Loaded before it is written down: what does not load never comes into force.
        district = await asyncio.to_thread(
            load_district,
            old.folder,
            self._overrides,
            files=files,
            base=old,
            day=self._today(),
            areas=areas,
        )
        revision = await asyncio.to_thread(
            self.revisions.commit, files, change, expected=expected, undoes=undoes
        )
        self.atlas.replace(district)
        log.info("district changed", revision=revision.number, what=change.what, by=actor.id)
        await self._tell(revision, actor)
        if district.areas is not old.areas:
            await self._move_cameras(district, actor)
        return revision

    async def _tell(self, revision: Revision, actor: Actor) -> None:
        note = revision.change.note

        await self._desk.submit(
            Command(
                actor,
                lambda picture, context: decide_changed(
                    picture, revision.number, revision.files, note, context
                ),
            )
        )

    async def _move_cameras(self, district: District, actor: Actor) -> None:
        """Cameras stand where they stand; the grid around them may be another now."""
        cameras = list(self._desk.board.cameras.values())
        moved = await asyncio.to_thread(_moved, district, cameras)
        for some in portions(moved):
            await self._place_cameras(actor, list(some))


def _moved(district: District, cameras: list[Camera]) -> list[Camera]:
    found = []
    for camera in cameras:
        grid, area, station = district.ground_of(camera.lon, camera.lat)
        if (grid, area) != (camera.grid, camera.area):
            found.append(
                msgspec.structs.replace(
                    camera, grid=grid, area=area, station=camera.station if station is None else station
                )
            )
    return found
