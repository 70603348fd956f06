"""Small things done beside each other: owned by one task, none of them able to stop the others."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final

from command.demo.simulator.timing import Timing
from command.logs import get_logger

log = get_logger(__name__)

MOST: Final = 2_000
_PAUSES_S: Final = (1.0, 30.0)


class Errands:
    """Tasks by name; a second one of the same name is not started while the first runs."""

    def __init__(self) -> None:
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def __len__(self) -> int:
        return len(self._tasks)

    def running(self, name: str) -> bool:
        """Whether this one is under way."""
        return name in self._tasks

    def start(self, name: str, work: Callable[[], Coroutine[Any, Any, None]]) -> bool:
        """Begin, unless it runs already or there are too many."""
        if name in self._tasks or len(self._tasks) >= MOST:
            return False
        task = asyncio.create_task(self._guarded(name, work), name=name)
        self._tasks[name] = task
        task.add_done_callback(lambda _done: self._tasks.pop(name, None))
        return True

    async def _guarded(self, name: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        try:
            await work()
        except Exception:
            log.exception("errand failed", errand=name)

    async def close(self) -> None:
        """Stop them all."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def keep(name: str, work: Callable[[], Coroutine[Any, Any, None]], timing: Timing) -> None:
    """Run something that should never end; when it fails say so and begin again after a growing pause."""
    pause = _PAUSES_S[0]
    while True:
        began = timing.now()
        try:
            await work()
        except Exception:
            log.exception("part failed", part=name)
        if timing.now() - began > 60.0:
            pause = _PAUSES_S[0]
        await timing.sleep(pause)
        pause = min(2 * pause, _PAUSES_S[1])
