"""What a process that reads a stranger's file may not do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gis.intake import engine

INSIDE = """
import os, resource, socket, subprocess, sys
from pathlib import Path
from gis.apart.confinement import confine
import gis.intake.worker
gis.intake.worker.warm_up()
import pyogrio, numpy, ctypes
landlock = ctypes.CDLL(None).syscall(444, None, 0, 1)
confine(Path.cwd())

def tried(what):
    try:
        what()
    except (OSError, RuntimeError) as error:
        return type(error).__name__
    return "done"

Path("own").write_text("x")
print(landlock)
limits = (resource.RLIMIT_AS, resource.RLIMIT_CPU, resource.RLIMIT_CORE)
print(os.geteuid(), *(resource.getrlimit(n)[0] for n in limits))
print(tried(lambda: Path(sys.argv[1]).read_text()), tried(lambda: Path("/etc/passwd").read_text()))
print(tried(lambda: Path("/tmp/elsewhere").write_text("x")), tried(lambda: subprocess.run(["/bin/true"])))
port = int(sys.argv[2])
print(tried(lambda: socket.socket(socket.AF_INET).connect(("127.0.0.1", port))))
vrt = Path("x.vrt")
layer = '<OGRVRTLayer name="own"><SrcDataSource>own.csv</SrcDataSource></OGRVRTLayer>'
vrt.write_text(f"<OGRVRTDataSource>{layer}</OGRVRTDataSource>")
Path("own.csv").write_text("a,b\\n1,2\\n")
far = f"/vsicurl/http://127.0.0.1:{port}/a.geojson"
print(*(tried(lambda p=p: pyogrio.raw.read(p)) for p in ("x.vrt", "own.csv", far)))
"""


def test_what_the_worker_may_not_do(tmp_path: Path) -> None:
    import socket

    work = engine._make_work(tmp_path / "job")
    secret = tmp_path / "secret"
    secret.write_text("x", "utf-8")
    secret.chmod(0o644)
    with socket.create_server(("127.0.0.1", 0)) as server:
        done = subprocess.run(
            [sys.executable, "-s", "-P", "-c", INSIDE, str(secret), str(server.getsockname()[1])],
            cwd=work,
            env=engine._environment(work),
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    landlock, limits, reads, writes, connects, library = done.stdout.splitlines()
    uid, memory, cpu, core = map(int, limits.split())
    assert uid == 65534 or os.geteuid() != 0
    assert (memory, cpu, core) == (3 << 30, 600, 0)
    assert library.split() == ["DataSourceError"] * 3
    if os.geteuid() == 0:
        assert connects != "done"
    if int(landlock) < 1:
        pytest.skip("the kernel has no Landlock")
    assert reads.split() == ["PermissionError", "PermissionError"]
    assert writes.split() == ["PermissionError", "PermissionError"]
    assert connects != "done"
