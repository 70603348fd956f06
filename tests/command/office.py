"""Operations and the watch over the county of eight grids, with a log in memory and positions set by hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from command.board import Board
from command.clock import ManualClock
from command.desk import Desk
from command.dispatch import Fix
from command.district import District
from command.events import SYSTEM, Event
from command.incidents import Incident
from command.operations import Operations
from command.proposals import Proposals
from command.settings import Settings
from command.store.log import MemoryLog
from command.store.secret_box import SecretBox
from command.watch import Eta, Watch
from tests.command.world import DISPATCHER, OPERATOR, POLICY, START, check_picture, unit_actor
from tests.fixtures import G1, HOMES, ON_DUTY, PEOPLE, middle


class Fixes:
    """Positions as a test sets them."""

    def __init__(self) -> None:
        self.by_unit: dict[int, Fix] = {}

    def fixes(self) -> Mapping[int, Fix]:
        return self.by_unit


class Office:
    """One desk, its people, and a watch that looks when told to."""

    def __init__(self, district: District, **settings: Any) -> None:
        self.clock = ManualClock(START)
        self.log = MemoryLog()
        self.events: list[Event] = []
        self.settings = Settings(data_dir=Path("/nonexistent"), **settings)
        self.fixes = Fixes()
        self.desk = Desk(Board("memory"), self.log, self.clock, self.events.append)
        self.proposals = Proposals(self.desk.board, self.fixes, lambda: district, self.settings)
        self.do = Operations(
            self.desk, self.settings, POLICY, self.proposals, lambda: district, SecretBox(bytes(32))
        )
        self.etas: list[Eta] = []
        self.purged: list[str] = []
        self.watch = Watch(
            self.do, self.log, self.clock, self.settings, self.fixes.fixes, self._take_etas, self._purge
        )

    def _take_etas(self, etas: Sequence[Eta]) -> None:
        self.etas += etas

    async def _purge(self, now: str) -> int:
        self.purged.append(now)
        return 0

    @property
    def board(self) -> Board:
        return self.desk.board

    def place(self, responder: str, lon: float, lat: float, age_s: float = 0.0, **more: Any) -> None:
        """Let a unit be seen at a point."""
        self.fixes.by_unit[self.board.responders[responder].unit] = Fix(lon, lat, age_s, **more)

    async def report(self, grid: str = G1, **more: Any) -> Incident:
        """Report an incident in the middle of a grid."""
        lon, lat = middle(grid)
        fields = {"title": "道路塌陷", "category": "traffic", "level": "III", "source": "hotline"}
        outcome = await self.do.report(OPERATOR, **{**fields, "lon": lon, "lat": lat, **more})
        return self.board.incidents[outcome.answer["id"]]

    async def dispatch(self, incident: Incident, *units: str) -> list[str]:
        """Send units; returns the ids of their assignments."""
        outcome = await self.do.dispatch(DISPATCHER, incident.id, units)
        return [row["assignment_id"] for row in outcome.answer["assignments"]]

    async def say(self, assignment: str, *steps: str, text: str | None = None) -> None:
        """Let the unit say these steps."""
        who = unit_actor(self.board.assignments[assignment].responder_id)
        for step in steps:
            await self.do.step(who, assignment, step, text)

    async def look(self, after_s: float = 0.0) -> list[str]:
        """Let time pass and the watch look once; returns the types of what happened."""
        self.clock.advance(after_s)
        seen = len(self.events)
        await self.watch.round()
        check_picture(self.board)
        return [event.type for event in self.events[seen:]]


@asynccontextmanager
async def open_office(district: District, **settings: Any) -> AsyncIterator[Office]:
    """Open an office with everybody of the county on duty and seen at home."""
    office = Office(district, **settings)
    serving = asyncio.create_task(office.desk.run())
    try:
        await office.do.people.register(SYSTEM, PEOPLE)
        for key in ON_DUTY:
            await office.do.people.shift(SYSTEM, key, on_duty=True)
        for key, grid in HOMES.items():
            office.place(key, *middle(grid))
        yield office
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
