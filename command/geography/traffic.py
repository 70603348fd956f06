"""Keeps the district in force closed where roads are closed now.

The desk knows the closures, the atlas has the district. Whenever either changes, a district without the closed
lanes is made outside the event loop and put in force; nearest, routes, arrival times and coverage all use it from
then on, because each of them asks for the district in force.
"""

import asyncio
from collections.abc import Mapping
from typing import Final

import structlog

from command.closures import Closure, in_force
from command.district import District
from command.events import Event
from command.geography.atlas import Atlas

log = structlog.get_logger("traffic")

SETTLE_S: Final = 2.0
"""How long somebody who asks for a way waits for a closure that is being put in force."""
AGAIN_S: Final = 1.0


class Traffic:
    """Puts closures in force.

    Args:
        closures: The board's closures by id.
        atlas: The district in force; followed.
    """

    def __init__(self, closures: Mapping[str, Closure], atlas: Atlas) -> None:
        self._closures = closures
        self._atlas = atlas
        self._wake = asyncio.Event()
        self._settled = asyncio.Event()
        self._settled.set()
        atlas.follow(self._take_district)

    def apply(self, event: Event) -> None:
        """Follow the closures."""
        if "closures" in event.changes:
            self._look()

    async def settled(self) -> None:
        """Wait until the closures of the board are in force, briefly: what is not then is not worth waiting for."""
        if not self._settled.is_set():
            try:
                await asyncio.wait_for(self._settled.wait(), SETTLE_S)
            except TimeoutError:
                log.warning("closures not in force yet")

    async def run(self) -> None:
        """Put in force whatever changes, until cancelled."""
        self._look()
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                await self._put()
            except Exception:
                log.exception("closures could not be put in force")
                await asyncio.sleep(AGAIN_S)
                self._wake.set()

    async def _put(self) -> None:
        district, wanted = self._atlas.district, in_force(self._closures.values())
        if wanted != district.closures:
            closed = await asyncio.to_thread(district.with_closures, wanted)
            if self._atlas.district is not district:
                # An import came in between: the next round closes its roads.
                self._wake.set()
                return
            self._atlas.replace(closed)
            log.info("closures in force", closures=len(wanted))
        self._look()

    def _take_district(self, _district: District) -> None:
        self._look()

    def _look(self) -> None:
        if in_force(self._closures.values()) == self._atlas.district.closures:
            self._settled.set()
        else:
            self._settled.clear()
            self._wake.set()
