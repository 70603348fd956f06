"""The process that opens other people's files, and nothing else.

A map file is parsed by a large library that a crafted file may attack, so it happens here: without privileges, with
limits on memory, time, file size and open files, in a folder of its own, and without the drivers that follow
references to other files or machines. It is started by `gis.intake.engine`, never imported by the service.

It reads `request.json`, writes lines of `gis.apart.messages.Message` to stdout and its results into the folder.
"""

from __future__ import annotations

import codecs
import os
import sys
from pathlib import Path

import msgspec

from gis.apart.beat import answer, take_stdout
from gis.apart.confinement import confine
from gis.apart.messages import Refusal, Refused
from gis.crs import lonlat_from
from gis.errors import CrsMismatch, GisError
from gis.intake import inforce, pipeline
from gis.intake.model import Request


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


def main() -> int:
    """Make the draft that `request.json` asks for."""
    request = msgspec.json.decode(
        Path("request.json").read_bytes(), type=Request, dec_hook=lambda kind, value: kind(value)
    )
    out = take_stdout()
    warm_up()
    # Our own files, which the process cannot open any more once it is nobody.
    force = inforce.load(request.reference)
    confine(Path.cwd())
    answer(out, lambda beat: pipeline.run(request, force, beat.tell), _refusal)
    return 0


def _refusal(error: GisError) -> Refusal | None:
    if isinstance(error, Refused):
        return error.refusal
    if isinstance(error, CrsMismatch):
        return Refusal("bad_crs", str(error), "坐标系与坐标不符", "crs")
    return None


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    # Without the libraries' way out, which may take a second to free what the system frees at once.
    os._exit(code)
