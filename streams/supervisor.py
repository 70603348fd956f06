"""The processes for video: started, watched, and started again.

Each has one end of a socket pair and nothing else from us: what it must know travels over the link, never through
its command line or environment. One that exits, or is not heard of for `hang_s`, is replaced at once; one
that keeps dying is replaced more and more slowly. None of it touches the others.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import socket
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal, Protocol, TypeVar

import structlog

from streams.errors import StreamError
from streams.link import Link, LinkLost
from streams.wire import Beat

__all__ = ["Owner", "Process", "Role", "Supervisor"]

log = structlog.get_logger("streams.supervisor")

T = TypeVar("T")
Role = Literal["media", "gb", "health", "onvif"]

_START_S: Final = 30.0
"""A process may take this long until it says hello: imports on a machine under load."""
_LOOK_S: Final = 0.25
_BYE_S: Final = 4.0
_STEADY_S: Final = 30.0
_FIRST_WAIT_S: Final = 0.25
_MOST_WAIT_S: Final = 30.0
_ENVIRONMENT: Final = (
    "PATH",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TZ",
    "HOME",
    "TMPDIR",
    "LD_LIBRARY_PATH",
    "VIRTUAL_ENV",
)


class Owner(Protocol):
    """Who the processes work for."""

    def serve(self, process: Process, link: Link) -> None:
        """Serve, on a new link, what this process may call."""

    async def brief(self, process: Process, link: Link) -> None:
        """Tell a process that just started what it must know."""

    def media(self, process: Process, channel: int, flags: int, payload: bytes) -> None:
        """Take a piece of media."""

    def lost(self, process: Process) -> None:
        """A process that was in service is gone; another one takes its place soon."""


class Process:
    """A place for one process of ours.

    Attributes:
        name: For logs and figures, e.g. ``media-0``.
        role: What it does.
        index: Among its role.
        ready: It runs and knows all it must.
        restarts: How often it had to be replaced.
        beat: What it last said of itself.
    """

    def __init__(self, role: Role, index: int) -> None:
        self.role: Role = role
        self.index = index
        self.name = f"{role}-{index}"
        self.ready = False
        self.restarts = 0
        self.beat = Beat()
        self.pid: int | None = None
        self.link: Link | None = None
        self.expected = True
        """Its end would be a fault."""

    async def call(self, name: str, argument: object, answer: type[T], *, timeout_s: float = 10.0) -> T:
        """Call a method of it.

        Raises:
            StreamError: What the method raised, or that the process is not there.
        """
        if not self.ready or self.link is None:
            raise LinkLost(f"the {self.role} process is being started")
        return await self.link.call(name, argument, answer, timeout_s=timeout_s)

    def note(self, name: str, argument: object) -> None:
        """Tell it something; dropped while it is not there, since it will be briefed anew."""
        if self.ready and self.link is not None:
            self.link.note(name, argument)


class Supervisor:
    """Keeps processes running.

    Args:
        processes: Which.
        owner: Who they work for.
        hang_s: One not heard of for so long is replaced.
        log_level: Of their log lines.
        command: How a process is started, up to its arguments.
    """

    def __init__(
        self,
        processes: Sequence[Process],
        owner: Owner,
        *,
        hang_s: float = 3.0,
        log_level: str = "info",
        command: Sequence[str] = (sys.executable, "-m", "streams.worker"),
    ) -> None:
        self.processes = tuple(processes)
        self._owner = owner
        self._hang_s = hang_s
        self._log_level = log_level
        self._command = tuple(command)
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = False

    async def start(self) -> None:
        """Start all; returns when each is ready or its first try has failed."""
        loop = asyncio.get_running_loop()
        tried = []
        for process in self.processes:
            first = asyncio.Event()
            tried.append(first.wait())
            self._tasks.append(loop.create_task(self._keep(process, first), name=f"keep {process.name}"))
        await asyncio.gather(*tried)

    async def stop(self) -> None:
        """End all; no process is left when this returns."""
        self._stopping = True
        for process in self.processes:
            if process.link is not None:
                process.link.close()
        if self._tasks:
            _, left = await asyncio.wait(self._tasks, timeout=_BYE_S)
            for task in left:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()

    async def _keep(self, process: Process, first: asyncio.Event) -> None:
        failures = 0
        while not self._stopping:
            started_s = time.monotonic()
            reason = await self._run(process, first)
            first.set()
            if self._stopping:
                return
            lived_s = time.monotonic() - started_s
            failures = 1 if lived_s >= _STEADY_S else failures + 1
            wait_s = 0.0
            if failures > 1:
                wait_s = min(_MOST_WAIT_S, _FIRST_WAIT_S * 2 ** min(failures - 1, 16))
                wait_s *= 0.5 + 0.5 * random.random()
            log.warning(
                "process lost",
                process=process.name,
                reason=reason,
                lived_s=round(lived_s, 1),
                back_in_s=round(wait_s, 1),
            )
            process.restarts += 1
            await asyncio.sleep(wait_s)

    async def _run(self, process: Process, first: asyncio.Event) -> str:
        """Run one process to its end and return why it ended."""
        gone = asyncio.Event()
        hello = asyncio.Event()
        link = Link(
            lambda channel, flags, payload: self._owner.media(process, channel, flags, payload), gone.set
        )
        link.serve("hello", None, lambda _: hello.set())  # type: ignore[arg-type]
        link.serve("beat", Beat, lambda beat: setattr(process, "beat", beat))
        self._owner.serve(process, link)
        try:
            child = await self._spawn(process, link)
        except OSError as error:
            return f"cannot be started: {error.strerror}"
        reason = "stopped"
        try:
            process.pid, process.link = child.pid, link
            if self._stopping:
                return reason
            reason = await self._serve(process, link, hello, gone, first)
        finally:
            was_ready, process.ready, process.link, process.pid = process.ready, False, None, None
            process.beat = Beat()
            link.close()
            code = await _end(child, wait_s=0.0 if reason == "hangs" else _BYE_S / 2)
            if was_ready and not self._stopping:
                self._owner.lost(process)
        return f"{reason}, code {code}" if reason == "exited" else reason

    async def _serve(
        self, process: Process, link: Link, hello: asyncio.Event, gone: asyncio.Event, first: asyncio.Event
    ) -> str:
        if not await _either(hello, gone, _START_S):
            return "exited" if gone.is_set() else "did not start"
        try:
            await self._owner.brief(process, link)
        except StreamError as error:
            return "exited" if gone.is_set() else f"not briefed: {error}"
        process.ready = True
        first.set()
        if process.restarts:
            log.info("process back", process=process.name, restarts=process.restarts)
        looked_s = time.monotonic()
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_S):
                    await gone.wait()
                    return "exited"
            now_s = time.monotonic()
            if now_s - looked_s > 4 * _LOOK_S:
                # We were held up ourselves; what the process said meanwhile is still unread.
                link.heard_s = max(link.heard_s, now_s - self._hang_s / 2)
            looked_s = now_s
            if now_s - link.heard_s > self._hang_s:
                return "hangs"

    async def _spawn(self, process: Process, link: Link) -> asyncio.subprocess.Process:
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                child = await asyncio.create_subprocess_exec(
                    *self._command,
                    "--role",
                    process.role,
                    "--name",
                    process.name,
                    "--fd",
                    str(theirs.fileno()),
                    "--log-level",
                    self._log_level,
                    stdin=asyncio.subprocess.DEVNULL,
                    pass_fds=(theirs.fileno(),),
                    env=_environment(),
                )
        except BaseException:
            ours.close()
            raise
        ours.setblocking(False)
        await asyncio.get_running_loop().create_unix_connection(lambda: link, sock=ours)
        return child


def _environment() -> dict[str, str]:
    """What a process gets of ours: nothing that may hold a secret."""
    kept = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    here = str(Path(__file__).resolve().parent.parent)
    paths = [here, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    return {**kept, "PYTHONPATH": os.pathsep.join(dict.fromkeys(paths)), "PYTHONUNBUFFERED": "1"}


async def _either(wanted: asyncio.Event, unwanted: asyncio.Event, timeout_s: float) -> bool:
    """Wait for either of two; return whether it was the wanted one."""
    waits = [asyncio.ensure_future(event.wait()) for event in (wanted, unwanted)]
    try:
        await asyncio.wait(waits, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
    return wanted.is_set()


async def _end(child: asyncio.subprocess.Process, *, wait_s: float) -> int:
    """See that a process is gone, by force after a while, and return its exit code."""

    async def ended() -> int:
        if wait_s:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    return await child.wait()
        if child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
        return await child.wait()

    # Also while we are being cancelled: a child that is not waited for stays a zombie.
    task = asyncio.ensure_future(ended())
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        with contextlib.suppress(ProcessLookupError):
            if child.returncode is None:
                child.kill()
        await asyncio.wait([task])
        raise
