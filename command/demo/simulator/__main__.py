"""``python -m command.demo.simulator --url http://127.0.0.1:8000 --data DIR``: play until told to stop."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import sys
from pathlib import Path
from typing import Final

import structlog

from command.demo.simulator.town import Town, load_town
from command.logs import get_logger, redact

PARENT_LOOK_S: Final = 0.5
STOP_S: Final = 1.2
SUMMARY_S: Final = 60.0


def main() -> None:
    """Read the arguments and play."""
    parser = argparse.ArgumentParser(prog="command.demo.simulator", description=__doc__)
    parser.add_argument("--url", required=True, help="the service, such as http://127.0.0.1:8000")
    parser.add_argument(
        "--data", required=True, type=Path, help="folder with simulator.json and the district"
    )
    said = parser.parse_args()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            structlog.processors.format_exc_info,
            redact,
            structlog.processors.JSONRenderer(ensure_ascii=False, default=str),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    parent = os.getppid()
    try:
        town = load_town(said.data, said.url)
    except (OSError, ValueError, KeyError) as error:
        sys.stderr.write(f"simulator: {error}\n")
        sys.exit(1)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(play(town, parent))
    # Nothing is left to save, and taking the geometry libraries down costs a busy machine another second or two.
    sys.stderr.flush()
    os._exit(0)


async def play(town: Town, parent: int) -> None:
    """Run the town until a signal comes or the program that started this one is gone."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    tasks = [
        asyncio.create_task(town.run()),
        asyncio.create_task(_orphaned(parent, stop)),
        asyncio.create_task(_summaries(town)),
    ]
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait([*tasks, stopped], return_when=asyncio.FIRST_COMPLETED)
    for task in [*tasks, stopped]:
        task.cancel()
    await asyncio.wait(tasks, timeout=STOP_S)


async def _orphaned(parent: int, stop: asyncio.Event) -> None:
    while True:
        await asyncio.sleep(PARENT_LOOK_S)
        if os.getppid() != parent:
            stop.set()


async def _summaries(town: Town) -> None:
    log = get_logger("command.demo.simulator")
    used = time_used()
    while True:
        await asyncio.sleep(SUMMARY_S)
        before, used = used, time_used()
        log.info("simulator", cpu_percent=round(100 * (used - before) / SUMMARY_S, 1), **town.figures())


def time_used() -> float:
    """Return the processor seconds of this process so far."""
    spent = os.times()
    return spent.user + spent.system


if __name__ == "__main__":
    main()
