"""What the real-time benchmarks share: compiled C helpers, a server process on its own core, its CPU time."""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

HERE = Path(__file__).parent


def compiled(name: str) -> str:
    """Path of a C helper of this folder, built when its source changed."""
    source = HERE / f"{name}.c"
    mark = hashlib.sha256(source.read_bytes()).hexdigest()[:12]
    target = Path(tempfile.gettempdir()) / f"yiping-bench-{name}-{mark}"
    if not target.exists():
        compiler = shutil.which("cc") or shutil.which("gcc")
        if compiler is None:
            sys.exit("this benchmark needs a C compiler")
        subprocess.run([compiler, "-O2", "-o", f"{target}.new", str(source), "-lm"], check=True)
        os.replace(f"{target}.new", target)
    return str(target)


def installed(name: str) -> ModuleType | None:
    """Return a library that only a comparison needs, or None where it is not installed."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def free_port() -> int:
    """A port that nobody listens on right now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def pinned(core: int, command: Sequence[str]) -> list[str]:
    """The command on one core, where that is possible."""
    cores = sorted(os.sched_getaffinity(0))
    taskset = shutil.which("taskset")
    return [taskset, "-c", str(cores[core % len(cores)]), *command] if taskset else list(command)


def cpu_s(pid: int) -> float:
    """CPU seconds used so far by all threads of a process, to the nanosecond."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError):
            total += int((task / "schedstat").read_text().split()[0])
    return total / 1e9


def rss_mb(pid: int) -> float:
    """Resident memory."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE") / 1e6


@contextlib.contextmanager
def serving(command: Sequence[str], port: int, env: Mapping[str, str] | None = None) -> Iterator[int]:
    """Run a server on the first core until the block ends; yields its pid once it listens."""
    process = subprocess.Popen(pinned(0, command), env={**os.environ, **(env or {})})
    try:
        deadline = time.monotonic() + 20
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.2):
                break
            if process.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"server did not start: {command}")
            time.sleep(0.05)
        yield process.pid
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@dataclass(frozen=True)
class Load:
    """One run of the load client."""

    frames: int
    bytes: int
    records: int
    closed: int
    seconds: float
    p50_ms: float
    p99_ms: float
    max_ms: float
    samples: int
    cpu_s: float
    """CPU of the server while it was measured."""

    @property
    def us_per_frame(self) -> float:
        """Server CPU for one delivered frame."""
        return self.cpu_s * 1e6 / max(1, self.frames)


def load(
    pid: int, port: int, clients: int, seconds: float, mode: str, path: str, *rest: object, warm: float = 1.0
) -> Load:
    """Run the C load client on the second core against a server and read the server's CPU time."""
    arguments = [port, clients, warm, seconds, mode, path, *rest]
    command = pinned(1, [compiled("load"), *map(str, arguments)])
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as client:
        assert client.stdout is not None
        client.stdout.readline()
        before = cpu_s(pid)
        line = client.stdout.readline()
        used = cpu_s(pid) - before
    if not line:
        sys.exit("the load client failed")
    result: dict[str, Any] = json.loads(line)
    return Load(**result, cpu_s=used)
