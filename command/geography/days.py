"""Boundaries change on a day that was decided before: at midnight what holds from then on comes into force."""

import asyncio
from datetime import date
from typing import Final
from zoneinfo import ZoneInfo

import structlog

from command.clock import Clock
from command.errors import YipingError
from command.geography.keeper import Keeper

log = structlog.get_logger("geography")

LOOK_S: Final = 30.0
"""How late after midnight it may be."""


def today_in(clock: Clock, timezone: str) -> date:
    """Return the day in a time zone."""
    return clock.now().astimezone(ZoneInfo(timezone)).date()


async def turn_days(keeper: Keeper, look_s: float = LOOK_S) -> None:
    """Look whether the day has turned, for ever."""
    while True:
        try:
            await keeper.turn_day()
        except YipingError as error:  # a full disk: what holds is in force, and told at the next change
            log.warning("the day was not told", reason=error.detail)
        await asyncio.sleep(look_s)
