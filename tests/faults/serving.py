"""The service as its own process, to be killed, starved and cut off."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from tests.fixtures import PASSWORD

CHEAP = {
    "YIPING_SECURITY__ARGON2_MEMORY_KIB": "8192",
    "YIPING_SECURITY__ARGON2_TIME_COST": "1",
    "YIPING_LOG__LEVEL": "warning",
    "YIPING_RETENTION__MIN_FREE_BYTES": "0",
}


def long_form() -> bool:
    """Say whether the long form of the fault tests was asked for (YIPING_TEST_LONG=1)."""
    return bool(os.environ.get("YIPING_TEST_LONG"))


def free_port() -> int:
    """Return a free port of the loopback address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Served:
    """A running service."""

    process: subprocess.Popen[bytes]
    port: int
    ready_cpu_s: float = 0.0
    """Processor time it took to be ready: what a start costs, whoever else uses the machine."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def kill(self) -> None:
        """Kill it as a power cut would, as far as a process can be."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    def stop(self) -> int:
        """Ask it to end; returns its exit code."""
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(15)

    def client(self, **more: Any) -> httpx2.Client:
        return httpx2.Client(base_url=self.url, timeout=10, **more)

    @contextmanager
    def signed_in(self, username: str) -> Iterator[httpx2.Client]:
        """Give a signed-in client for the length of a block."""
        with self.client() as client:
            body = {"username": username, "password": PASSWORD}
            answer = client.post("/api/v1/session", json=body)
            assert answer.status_code == 200, answer.text
            yield client


_STARTED: list[tuple[subprocess.Popen[bytes], Path]] = []


@contextmanager
def ending_all() -> Iterator[None]:
    """Leave no service running after the block, whatever happened in it."""
    try:
        yield
    finally:
        for process, errors in _STARTED:
            if process.poll() is None:
                process.kill()
                process.wait(10)
            errors.unlink(missing_ok=True)
        _STARTED.clear()


def start(data: Path, **environment: str) -> Served:
    """Start ``yiping serve`` and wait until it is ready."""
    port = free_port()
    command = [sys.executable, "-c", "from command.cli import main; main()", "serve"]
    began = time.monotonic()
    errors = Path(tempfile.gettempdir(), f"yiping-test-{port}.log")
    with errors.open("wb") as file:
        process = subprocess.Popen(
            [*command, "--data", str(data), "--port", str(port)],
            env={**os.environ, **CHEAP, **environment},
            stdout=subprocess.DEVNULL,
            stderr=file,
        )
    _STARTED.append((process, errors))
    served = Served(process, port)
    with served.client() as client:
        while True:
            if process.poll() is not None:
                raise AssertionError(errors.read_text("utf-8")[-2_000:])
            try:
                if client.get("/readyz").status_code == 200:
                    break
            except httpx2.TransportError:
                pass
            if time.monotonic() - began > 60:
                process.kill()
                raise AssertionError("not ready within a minute")
            time.sleep(0.05)
    fields = Path(f"/proc/{process.pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    served.ready_cpu_s = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return served


@contextmanager
def serving(data: Path, **environment: str) -> Iterator[Served]:
    """Serve for the length of a block."""
    with ending_all():
        served = start(data, **environment)
        yield served
        served.stop()
