"""pgRouting on the arcs of a road graph, as a peer: a private PostgreSQL on a socket in a temporary folder."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

COMMAND_LIMIT_S = 600.0
NOBODY = 65534


def find_server() -> tuple[Path | None, str]:
    """The folder of a PostgreSQL's programs that has pgRouting, or None and why."""
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    if (found := shutil.which("initdb")) is not None:
        places.insert(0, Path(found).parent)
    for place in places:
        extension = Path("/usr/share/postgresql") / place.parent.name / "extension" / "pgrouting.control"
        if (place / "initdb").is_file() and extension.is_file():
            return place, ""
    return None, "no PostgreSQL with pgRouting here" if places else "no PostgreSQL here"


class PgRouting:
    """A database with one table of arcs."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self._programs = programs
        self._folder = folder

    def load(self, tail: NDArray[np.int32], head: NDArray[np.int32], seconds: NDArray[np.float64]) -> None:
        """Fill the table."""
        rows = "\n".join(
            f"{k}\t{a}\t{b}\t{s!r}"
            for k, (a, b, s) in enumerate(zip(tail.tolist(), head.tolist(), seconds.tolist(), strict=True))
        )
        self._psql("CREATE EXTENSION pgrouting CASCADE")
        self._psql("CREATE TABLE arcs (id bigint, source bigint, target bigint, cost float8)")
        self._psql("COPY arcs FROM STDIN", rows + "\n")
        self._psql("VACUUM ANALYZE arcs")

    def many_to_one_ms(self, starts: Sequence[int], end: int) -> float:
        """Execution time of the costs from many vertices to one, without reading the answer."""
        listed = ",".join(map(str, sorted(set(starts))))
        said = self._psql(
            "EXPLAIN (ANALYZE, TIMING OFF) SELECT * FROM pgr_dijkstraCost("
            f"'SELECT id, source, target, cost FROM arcs', ARRAY[{listed}], {end}, true)"
        )
        found = re.search(r"Execution Time: ([\d.]+) ms", said)
        assert found is not None, said
        return float(found[1])

    def _psql(self, command: str, stdin: str = "") -> str:
        done = subprocess.run(
            [
                self._programs / "psql",
                "-qAtX",
                "-h",
                self._folder,
                "-U",
                "bench",
                "-d",
                "postgres",
                "-c",
                command,
            ],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=COMMAND_LIMIT_S,
            check=True,
        )
        return done.stdout


@contextlib.contextmanager
def running(programs: Path) -> Iterator[PgRouting]:
    """Start a server of its own for a while; never as root, never on the network."""
    user = NOBODY if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="pgbench-") as name:
        folder = Path(name)
        if user is not None:
            os.chown(folder, user, user)
        data = folder / "data"
        environment = {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "HOME": name}

        def run(*command: str | Path) -> None:
            subprocess.run(
                command, user=user, group=user, env=environment, cwd=name, check=True, capture_output=True
            )

        run(programs / "initdb", "-D", data, "-U", "bench", "--auth", "trust", "--no-sync")
        options = f"-k {name} -c listen_addresses='' -c fsync=off -c work_mem=256MB -c shared_buffers=256MB"
        run(programs / "pg_ctl", "-D", data, "-w", "-o", options, "-l", folder / "log", "start")
        try:
            yield PgRouting(programs, folder)
        finally:
            run(programs / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
