"""Real processes: started, killed, stopped dead, and none left behind."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import structlog

from streams.errors import StreamError
from streams.link import Link, LinkLost
from streams.supervisor import Process, Supervisor
from streams.wire import MediaSetup, VideoSettings
from tests.streams.waiting import until

BACK_S = 20.0  # the machine may be busy; by itself it takes one second, or four for a process that hangs


class Desk:
    """Who the processes of these tests work for."""

    def __init__(self) -> None:
        self.briefed: list[str] = []
        self.gone: list[str] = []
        self.refuse: Callable[[], None] = lambda: None

    def serve(self, process: Process, link: Link) -> None:
        pass

    async def brief(self, process: Process, link: Link) -> None:
        self.refuse()
        await link.call("setup", MediaSetup(name=process.name, settings=VideoSettings(), transcodes=0), bool)
        self.briefed.append(process.name)

    def media(self, process: Process, channel: int, flags: int, payload: bytes) -> None:
        pass

    def lost(self, process: Process) -> None:
        self.gone.append(process.name)


@asynccontextmanager
async def running(count: int = 2, desk: Desk | None = None, **options: float) -> AsyncIterator[Supervisor]:
    supervisor = Supervisor([Process("media", index) for index in range(count)], desk or Desk(), **options)
    with structlog.testing.capture_logs() as logs:
        supervisor.logs = logs  # type: ignore[attr-defined]
        await supervisor.start()
        try:
            yield supervisor
        finally:
            pids = [process.pid for process in supervisor.processes]
            await supervisor.stop()
            assert not any(pid is not None and alive(pid) for pid in pids)


def alive(pid: int) -> bool:
    """Whether there is such a process, a zombie too."""
    return Path(f"/proc/{pid}").exists()


def proc(pid: int | None, name: str) -> bytes:
    return Path(f"/proc/{pid}/{name}").read_bytes()


def children() -> set[int]:
    listed = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text()
    return {int(pid) for pid in listed.split()}


async def test_they_start_are_briefed_and_say_what_they_do() -> None:
    desk = Desk()
    before = children()
    async with running(2, desk) as supervisor:
        assert sorted(desk.briefed) == ["media-0", "media-1"]
        assert all(process.ready for process in supervisor.processes)
        assert len(children() - before) == 2
        await until(lambda: all(process.beat.rss_bytes for process in supervisor.processes))
        beat = supervisor.processes[0].beat
        assert beat.cpu_s > 0
        assert 0 < beat.open_files < 64
    assert children() == before
    assert desk.gone == []


async def test_their_command_lines_and_environments_hold_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YIPING_SECRETS__CAMERA_KEY", "canary-in-the-environment")
    async with running(1) as supervisor:
        pid = supervisor.processes[0].pid
        line = proc(pid, "cmdline").split(b"\0")
        assert line[1:5] == [b"-m", b"streams.worker", b"--role", b"media"]
        assert b"canary" not in proc(pid, "environ")
        assert b"YIPING" not in proc(pid, "environ")


@pytest.mark.slow
async def test_a_killed_one_comes_back_and_the_other_goes_on() -> None:
    desk = Desk()
    async with running(2, desk) as supervisor:
        logs = supervisor.logs  # type: ignore[attr-defined]
        victim, other = supervisor.processes
        pid, other_pid = victim.pid, other.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        await until(lambda: victim.pid != pid and victim.ready, BACK_S)
        assert desk.gone == ["media-0"]
        assert logs[0]["reason"] == "exited, code -9"
        assert desk.briefed.count("media-0") == 2
        assert victim.restarts == 1
        assert not alive(pid)
        assert other.pid == other_pid
        assert other.restarts == 0


@pytest.mark.slow
async def test_one_that_hangs_is_replaced() -> None:
    desk = Desk()
    async with running(2, desk, hang_s=1.5) as supervisor:
        victim, other = supervisor.processes
        pid = victim.pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        await until(lambda: victim.pid != pid and victim.ready, BACK_S)
        assert not alive(pid)
        assert desk.gone == ["media-0"]
        assert other.restarts == 0


@pytest.mark.slow
async def test_being_held_up_ourselves_kills_nobody() -> None:
    async with running(1, hang_s=1.0) as supervisor:
        time.sleep(2.5)  # noqa: ASYNC251  what this test is about
        await asyncio.sleep(0.6)
        assert supervisor.processes[0].restarts == 0


async def test_stopping_ends_one_that_does_not_listen() -> None:
    async with running(1, hang_s=60.0) as supervisor:
        pid = supervisor.processes[0].pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        waiting = asyncio.ensure_future(supervisor.processes[0].call("probe", None, int, timeout_s=60))
        await asyncio.sleep(0)
        await supervisor.stop()
        assert not alive(pid)
        with pytest.raises(LinkLost):
            await waiting


@pytest.mark.slow
async def test_one_that_keeps_dying_is_tried_less_and_less() -> None:
    supervisor = Supervisor(
        [Process("media", 0)], Desk(), command=(sys.executable, "-c", "raise SystemExit(3)")
    )
    with structlog.testing.capture_logs() as logs:
        await supervisor.start()
        assert not supervisor.processes[0].ready
        with pytest.raises(LinkLost):
            await supervisor.processes[0].call("probe", None, int)
        supervisor.processes[0].note("watch", None)
        await until(lambda: len(logs) >= 4)
        before = children()
        await supervisor.stop()
        assert len(children()) <= len(before)
    waits = [entry["back_in_s"] for entry in logs]
    assert waits[0] == 0
    assert waits[3] >= 1.0
    assert logs[0]["reason"] == "exited, code 3"


@pytest.mark.slow
async def test_one_that_cannot_be_briefed_is_replaced() -> None:
    desk = Desk()
    tries = []

    def refuse() -> None:
        tries.append(1)
        if len(tries) < 3:
            raise StreamError("the port is taken")

    desk.refuse = refuse
    async with running(1, desk) as supervisor:
        await until(lambda: supervisor.processes[0].ready, BACK_S)
    assert len(tries) == 3
    assert desk.gone == []


async def test_a_program_that_is_not_there() -> None:
    supervisor = Supervisor([Process("media", 0)], Desk(), command=("/nonexistent/python",))
    with structlog.testing.capture_logs() as logs:
        await supervisor.start()
        await supervisor.stop()
    assert logs[0]["reason"].startswith("cannot be started")


@pytest.mark.slow
async def test_a_worker_does_not_outlive_its_parent() -> None:
    script = """
import asyncio, sys
from tests.streams.test_supervisor import Desk
from streams.supervisor import Process, Supervisor
async def main():
    supervisor = Supervisor([Process("media", 0)], Desk())
    await supervisor.start()
    print(supervisor.processes[0].pid, flush=True)
    await asyncio.sleep(60)
asyncio.run(main())
"""
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[2]
    )
    assert parent.stdout is not None
    pid = int(await asyncio.wait_for(parent.stdout.readline(), BACK_S))
    assert alive(pid)
    parent.kill()
    await parent.wait()
    await until(lambda: not alive(pid), BACK_S)
