"""Who may see what of each layer, for exports and map programs alike."""

import asyncio
import contextlib
import shutil
from bisect import bisect_left
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from command.accounts.access import Access, Principal
from command.board import Board, Entity
from command.clock import rfc3339
from command.district import District
from command.errors import Malformed, TooManyRequests
from command.incidents import Incident
from command.layers.catalogue import AREAS, BEATS, CHECKPOINTS, INCIDENTS, PLACES, TIERS
from command.layers.extract import Wish, within
from command.layers.items import Fact, Shelves, Sight, extent_of, of_board, of_district, of_incident
from command.layers.model import Item, Layer
from command.responders import Responder
from command.store.database import Database
from command.store.glance import incidents_between
from command.tracking import Tracking
from gis.projecting import Box

MOST_INCIDENTS: Final = 500_000
"""In one export; more are taken out by months."""
_OF_DISTRICT: Final = frozenset(layer.id for layer in (AREAS, BEATS, PLACES, CHECKPOINTS, *TIERS.values()))
_AT_ONCE: Final = 2
_WAITING: Final = 6


class LayerDesk:
    """The layers of a running service.

    Args:
        board: Live things.
        tracking: Where responders are.
        access: The rule who sees what.
        district: The one in force.
        database: All incidents.
        folder: For files on their way out; made when needed.
    """

    def __init__(
        self,
        board: Board,
        tracking: Tracking,
        access: Access,
        district: Callable[[], District],
        database: Database,
        folder: Path,
    ) -> None:
        self._board = board
        self._tracking = tracking
        self._access = access
        self._district = district
        self._database = database
        self._shelves = Shelves()
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._asking = 0
        self.folder = folder

    def sight(self, me: Principal) -> Sight:
        """Return what somebody may see."""
        fixes = self._tracking.fixes()
        rules = self._access.view_for(me, self._lookup)

        def position(person: Responder) -> Fact | None:
            if not person.on_duty or not self._access.sees_position(me, person, self._lookup):
                return None
            fix = fixes.get(person.unit)
            return None if fix is None else (fix.lon, fix.lat, fix.age_s, fix.suspect)

        return Sight(
            sees=lambda kind, entity: rules.sees(kind, "", entity),
            covers=lambda code: self._access.covers(me, code),
            whole=self._access.viewer(me).area is None,
            position=position,
        )

    def items(self, layer: Layer, sight: Sight) -> Sequence[Item]:
        """Return the things of a layer that somebody may see, by id; not for incidents. Blocking: in a thread."""
        if layer.id in _OF_DISTRICT:
            return of_district(layer, self._shelves, self._district(), sight)
        return of_board(layer, self._board, sight)

    def extras(self, layer: Layer) -> Sequence[str]:
        """Return the names of what a centre's own files say of a layer's things beyond our fields. Blocking."""
        if layer.id not in _OF_DISTRICT:
            return ()
        return self._shelves.shelf(layer, self._district()).extras

    def extent(self, layer: Layer, sight: Sight) -> Box | None:
        """Return a box around the things of a layer that somebody may see; not for incidents. Blocking."""
        if layer.id in _OF_DISTRICT and sight.whole:
            return self._shelves.shelf(layer, self._district()).extent
        return extent_of(self.items(layer, sight))

    def item(self, layer: Layer, sight: Sight, key: str) -> Item | None:
        """Return one thing of a layer, None where there is none to be seen; not for incidents. Blocking."""
        items = self.items(layer, sight)
        at = bisect_left(items, key, key=lambda item: item.id)
        return items[at] if at < len(items) and items[at].id == key else None

    async def incident(self, sight: Sight, key: str) -> Item | None:
        """Return an incident, live or past; None where there is none to be seen."""
        found = self._board.incidents.get(key)
        if found is None:
            where = sa.column("id") == key
            found = await self._database.read(
                lambda connection: next(incidents_between(connection, None, None, where), None)
            )
        if found is None or not sight.sees("incidents", found):
            return None
        return of_incident(found)

    async def taken(self, wish: Wish, me: Principal) -> list[Item]:
        """Return the things that somebody takes out.

        Raises:
            Malformed: They are too many.
        """
        sight = self.sight(me)
        if wish.layer is not INCIDENTS:
            items = await asyncio.to_thread(self.items, wish.layer, sight)
            return await asyncio.to_thread(within, items, wish.area)
        since = None if wish.since is None else rfc3339(wish.since)
        until = None if wish.until is None else rfc3339(wish.until)

        def read(connection: sa.Connection) -> list[Incident]:
            found = []
            for incident in incidents_between(connection, since, until):
                if sight.sees("incidents", incident):
                    found.append(incident)
                    if len(found) > MOST_INCIDENTS:
                        raise Malformed(
                            "from", f"more than {MOST_INCIDENTS:,} incidents; choose a shorter time"
                        )
            return found

        incidents = await self._database.read(read)
        return within(map(of_incident, incidents), wish.area)

    def forget_files(self) -> None:
        """Remove files that an earlier process left half given."""
        shutil.rmtree(self.folder, ignore_errors=True)

    @contextlib.asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Wait for a place among those who take something out now: two at a time, a few may wait.

        Raises:
            TooManyRequests: Too many wait already.
        """
        if self._asking >= _AT_ONCE + _WAITING:
            raise TooManyRequests(5.0, "Too many exports at once; try again in a moment.")
        self._asking += 1
        try:
            async with self._slots:
                yield
        finally:
            self._asking -= 1

    def _lookup(self, kind: str, key: str) -> Entity | None:
        return self._board.kind(kind).get(key)
