"""The worker's side of a process apart: how far it is, several times a second, and how it ended."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from typing import Final

import msgspec

from gis.apart.messages import Message, Progress, Refusal
from gis.errors import GisError

BEAT_S: Final = 0.4


def take_stdout() -> int:
    """Keep standard output for messages and return it; whatever a library prints goes to standard error."""
    out = os.dup(1)
    os.dup2(2, 1)
    return out


class Beat:
    """Says how far the work is, several times a second, also while a long call runs."""

    def __init__(self, out: int) -> None:
        self._out = out
        self._lock = threading.Lock()
        self._state = Progress(0.0, "waiting")
        self._since = time.monotonic()
        thread = threading.Thread(target=self._run, name="beat", daemon=True)
        thread.start()

    def tell(self, share: float, stage: str, done: int, total: int) -> None:
        """Take note of a step."""
        self._state = Progress(max(share, self._state.share), stage, done, total)
        self.send(Message(progress=self._state))

    def send(self, message: Message) -> None:
        """Write one line."""
        with self._lock:
            os.write(self._out, msgspec.json.encode(message) + b"\n")

    def _run(self) -> None:
        while True:
            time.sleep(BEAT_S)
            try:
                self.send(Message(progress=self._state))
            except OSError:  # nobody listens any more
                os._exit(3)


def answer(out: int, work: Callable[[Beat], object], refusal: Callable[[GisError], Refusal | None]) -> None:
    """Do the work and say how it ended.

    Args:
        out: Where messages go, from `take_stdout`.
        work: Given the beat to tell how far it is.
        refusal: What to say of an error that is the file's; None: it is ours, and is raised.
    """
    beat = Beat(out)
    try:
        work(beat)
    except GisError as error:
        told = refusal(error)
        if told is None:
            raise
        beat.send(Message(error=told))
    except MemoryError:
        beat.send(
            Message(error=Refusal("too_large", "needs more memory than it may have", "文件太大，内存不够"))
        )
    else:
        beat.send(Message(done=True))
