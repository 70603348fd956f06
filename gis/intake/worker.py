"""The process that opens other people's files, and nothing else.

A map file is parsed by a large library that a crafted file may attack, so it happens here: without privileges, with
limits on memory, time, file size and open files, in a folder of its own, and without the drivers that follow
references to other files or machines. It is started by `gis.intake.engine`, never imported by the service.

It reads `request.json`, writes lines of `gis.intake.model.Message` to stdout and its results into the folder.
"""

from __future__ import annotations

import codecs
import os
import sys
import threading
import time
from pathlib import Path
from typing import Final

import msgspec

from gis.crs import lonlat_from
from gis.errors import CrsMismatch
from gis.intake import inforce, pipeline
from gis.intake.confinement import confine
from gis.intake.model import Message, Progress, Refusal, Refused, Request

BEAT_S: Final = 0.4


def warm_up() -> None:
    """Load what loads itself when first needed, while the installation can still be read for certain."""
    for name in (
        "utf-8",
        "utf-8-sig",
        "utf-16",
        "utf-16-le",
        "gb18030",
        "gb2312",
        "big5",
        "latin-1",
        "cp437",
        "ascii",
    ):
        codecs.lookup(name)
    # Opens the projection database; it stays open.
    lonlat_from("EPSG:4547", 500_000.0, 3_700_000.0)


class Beat:
    """Says how far the work is, several times a second, also while a long call runs."""

    def __init__(self, out: int) -> None:
        self._out = out
        self._lock = threading.Lock()
        self._state = Progress(0.0, "unpacking")
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


def main() -> int:
    """Make the draft that `request.json` asks for."""
    request = msgspec.json.decode(
        Path("request.json").read_bytes(), type=Request, dec_hook=lambda kind, value: kind(value)
    )
    out = os.dup(1)
    os.dup2(2, 1)  # whatever a library prints is no message
    warm_up()
    # Our own files, which the process cannot open any more once it is nobody.
    force = inforce.load(request.reference)
    confine(Path.cwd())
    beat = Beat(out)
    try:
        pipeline.run(request, force, beat.tell)
    except Refused as error:
        beat.send(Message(error=error.refusal))
    except CrsMismatch as error:
        beat.send(Message(error=Refusal("bad_crs", str(error), "坐标系与坐标不符", "crs")))
    except MemoryError:
        beat.send(
            Message(error=Refusal("too_large", "needs more memory than it may have", "文件太大，内存不够"))
        )
    else:
        beat.send(Message(done=True))
    return 0


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    # Without the libraries' way out, which may take a second to free what the system frees at once.
    os._exit(code)
