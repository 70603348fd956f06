"""A process for video: ``python -m streams.worker --role media|gb|health|onvif --name NAME --fd N``.

The descriptor is one end of a socket pair; what the process must know comes over it. It ends when the other end
is gone, and never outlives its parent.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import ctypes
import gc
import logging
import os
import re
import resource
import signal
import socket
import sys
import time
from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import Final

import structlog
import uvloop
from structlog.typing import EventDict

from streams.link import Link
from streams.wire import Beat

__all__ = ["beats", "main"]

log = structlog.get_logger("streams.worker")

_ROLES: Final = {
    "media": "streams.media_role",
    "gb": "streams.gb28181.process",
    "health": "streams.health.process",
    "onvif": "streams.onvif.process",
}
_LEVELS: Final = {name.lower(): level for name, level in logging.getLevelNamesMapping().items()}
_ACCOUNT: Final = re.compile(r"(?<=://)[^/\s@\"']+(?=@)")
_PR_SET_PDEATHSIG: Final = 1
_BEAT_S: Final = 1.0
_BYE_S: Final = 2.0


async def beats(link: Link, read: Callable[[], Beat], every_s: float = _BEAT_S) -> None:
    """Say each second that this process lives, and what it does."""
    while True:
        link.note("beat", read())
        await asyncio.sleep(every_s)


def own_figures() -> Beat:
    """Return what any process can say of itself."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    with open("/proc/self/statm", encoding="ascii") as statm:
        pages = int(statm.read().split()[1])
    return Beat(
        cpu_s=usage.ru_utime + usage.ru_stime + children.ru_utime + children.ru_stime,
        rss_bytes=pages * resource.getpagesize(),
        open_files=len(os.listdir("/proc/self/fd")),
    )


async def run(role: str, fd: int) -> None:
    """Do a role's work until the other end of the descriptor is gone."""
    lost = asyncio.Event()
    link = Link(on_lost=lost.set)
    connection = socket.socket(fileno=fd)
    connection.setblocking(False)
    serve: Callable[[Link], Awaitable[None]] = import_module(_ROLES[role]).run
    loop = asyncio.get_running_loop()
    await loop.create_unix_connection(lambda: link, sock=connection)
    work = asyncio.ensure_future(serve(link))
    await asyncio.sleep(0)  # what it serves is served before the other end hears of us
    link.note("hello", None)
    tasks = [work, asyncio.ensure_future(lost.wait())]
    if role != "media":  # which says more of itself
        tasks.append(asyncio.ensure_future(beats(link, own_figures)))
    done, left = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in left:
        task.cancel()
    if left:
        await asyncio.wait(left, timeout=_BYE_S)
    link.close()
    for task in done:
        task.result()


def main() -> None:
    """Run the process."""
    parser = argparse.ArgumentParser(prog="streams.worker")
    parser.add_argument("--role", choices=sorted(_ROLES), required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--fd", type=int, required=True)
    parser.add_argument("--log-level", default="info")
    arguments = parser.parse_args()
    parent = os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit("the parent is gone")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core file would hold passwords
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which then closes the link
    _log(arguments.name, arguments.log_level)
    # Pictures come and go by the thousand and hold no cycles: looking for some at every 700 objects is wasted.
    gc.set_threshold(50_000, 20, 20)
    with contextlib.suppress(asyncio.CancelledError):
        uvloop.run(run(arguments.role, arguments.fd))
    logging.shutdown()
    # Threads of libraries that still wait for a camera must not hold the process up.
    os._exit(0)


def _without_credentials(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Take accounts out of addresses that a library or a device may have put into a message."""
    for key, value in event.items():
        if isinstance(value, str):
            event[key] = _ACCOUNT.sub("[redacted]", value)
    return event


def _log(name: str, level: str) -> None:
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            structlog.processors.format_exc_info,
            _without_credentials,
            structlog.processors.JSONRenderer(ensure_ascii=False, default=str),
        ],
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS.get(level.lower(), logging.INFO)),
        cache_logger_on_first_use=False,
    )
    structlog.contextvars.bind_contextvars(process=name, started_s=round(time.time()))


if __name__ == "__main__":
    main()
