"""The service's side of a process apart: starting it, listening to it, and ending it with all that it started."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from gis.apart.messages import Message, Progress, Refusal, Refused

TIMEOUT_S: Final = 900.0
TICK_S: Final = 0.6
"""After so long without a word the last progress is told again."""
_KEPT_COMPLAINT: Final = 4096


def bare_environment(work: Path) -> dict[str, str]:
    """What every worker needs to start: our code and nothing of the service's own environment."""
    home = Path(__file__).parents[2]
    paths = [str(home), *(entry for entry in sys.path if entry.endswith("site-packages"))]
    return {
        "PATH": os.defpath,
        "LC_ALL": "C.UTF-8",
        "PYTHONPATH": os.pathsep.join(dict.fromkeys(paths)),
        "TMPDIR": str(work),
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "MALLOC_ARENA_MAX": "2",
    }


async def supervise(
    module: str,
    work: Path,
    environment: Mapping[str, str],
    tell: Callable[[Progress], None],
    called: str,
    *,
    fds: Sequence[int] = (),
    timeout_s: float = TIMEOUT_S,
) -> None:
    """Run a worker that speaks `gis.apart.messages.Message` to its end; with it ends everything that it started.

    Args:
        module: Run with ``python -m``.
        work: Its current folder.
        environment: All it gets.
        tell: Told at least once a second.
        called: What to call the file in errors.
        fds: Open files handed on.
        timeout_s: How long it may take.

    Raises:
        Refused: It said so, died, or took too long.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-s",
        "-P",
        "-m",
        module,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        pass_fds=fds,
        cwd=work,
        env=environment,
        start_new_session=True,
    )
    teller = Teller(tell)
    complaint = asyncio.create_task(_tail(process.stderr))
    ticking = asyncio.create_task(teller.tick())
    try:
        async with asyncio.timeout(timeout_s):
            ended = await _listen(process, teller.tell, called)
    except TimeoutError:
        raise refused(
            called, "too_slow", f"{timeout_s:.0f} 秒内没有读完", f"was not read within {timeout_s:.0f} s"
        ) from None
    finally:
        ticking.cancel()
        # The group, so that nothing it started outlives it.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await asyncio.shield(process.wait())
        last = await asyncio.shield(complaint)
    if not ended:
        raise _died(called, process.returncode, last)


async def _tail(stream: asyncio.StreamReader | None) -> str:
    assert stream is not None
    kept = b""
    while block := await stream.read(_KEPT_COMPLAINT):
        kept = (kept + block)[-_KEPT_COMPLAINT:]
    return kept.decode("utf-8", "replace")


async def _listen(process: asyncio.subprocess.Process, tell: Callable[[Progress], None], called: str) -> bool:
    """Pass progress on until the worker ends; whether it said that it was done."""
    assert process.stdout is not None
    try:
        while line := await process.stdout.readline():
            message = msgspec.json.decode(line, type=Message)
            if message.error is not None:
                raise Refused(called, message.error)
            if message.done:
                return True
            if message.progress is not None:
                tell(message.progress)
    except (msgspec.MsgspecError, ValueError) as error:  # a line without end is a ValueError
        raise refused(called, "crashed", "读取程序应答异常", "its reader gave no sensible answer") from error
    return False


def _died(called: str, code: int | None, complaint: str) -> Refused:
    if code == -signal.SIGXCPU:
        return refused(called, "too_slow", "处理时间超过限制", "takes more processor time than it may")
    if "MemoryError" in complaint or "bad_alloc" in complaint:
        return refused(called, "too_large", "文件太大，内存不够", "needs more memory than it may have")
    lines = [line for line in complaint.strip().splitlines() if line.strip()]
    last = lines[-1][:300] if lines else f"ended with {code}"
    return refused(called, "crashed", f"读取程序异常退出（{last}）", f"its reader broke off ({last})")


class Teller:
    """Tells progress on, and the last one again where there is nothing new."""

    def __init__(self, progress: Callable[[Progress], None]) -> None:
        self._progress = progress
        self._last = Progress(0.0, "waiting")
        self._told_at = 0.0

    def tell(self, progress: Progress) -> None:
        """Tell something new."""
        self._last = progress
        self._told_at = time.monotonic()
        self._progress(progress)

    async def tick(self) -> None:
        """Tell the last again and again until cancelled."""
        while True:
            if time.monotonic() - self._told_at > TICK_S:
                self.tell(self._last)
            await asyncio.sleep(TICK_S / 2)


def refused(called: str, code: str, zh: str, en: str) -> Refused:
    """Make the error that names a file and says why it cannot be used."""
    return Refused(called, Refusal(code, en, zh))
