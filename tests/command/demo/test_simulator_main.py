"""The program ends when it is told to, and when whoever started it is gone."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import cast

import pytest

from command.demo.simulator import __main__ as program
from command.demo.simulator.town import Town


class Idle:
    """A town in which nothing happens."""

    def __init__(self) -> None:
        self.ended = False

    async def run(self) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            self.ended = True

    def figures(self) -> dict[str, object]:
        return {}


async def test_a_signal_ends_it() -> None:
    town = Idle()
    asyncio.get_running_loop().call_later(0.05, os.kill, os.getpid(), signal.SIGTERM)
    async with asyncio.timeout(5):
        await program.play(cast("Town", town), os.getppid())
    assert town.ended


async def test_the_end_of_the_parent_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "PARENT_LOOK_S", 0.01)
    town = Idle()
    async with asyncio.timeout(5):
        await program.play(cast("Town", town), os.getppid() + 1)
    assert town.ended
