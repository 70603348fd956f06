"""The service the browsers look at: one demo district, one process, stopped, killed and started again by tests."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx2

CHECKOUT = Path(__file__).parents[2]
START_LIMIT_S = 120.0
"""Generous: the first start makes the district, and the machine may be busy. Nothing here is timed."""


class Service:
    """``yiping demo --no-simulator`` on a folder and a port that stay the same over restarts."""

    def __init__(self, data: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port: int = probe.getsockname()[1]
        self.data = data
        self.url = f"http://127.0.0.1:{self.port}"
        self._said = data.parent / "service.txt"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, settings: Mapping[str, str] | None = None) -> None:
        """Start and wait until requests are answered.

        Args:
            settings: Settings as environment variables, such as ``YIPING_DISPATCH__ANSWER_S``.
        """
        command = [sys.executable, "-c", "from command.cli import main; main()", "demo", "--no-simulator"]
        command += ["--port", str(self.port), "--data", str(self.data)]
        # The phrases of the pinyin table take a second to load; the tests search by single readings.
        environment = {**os.environ, "PYTHONPATH": str(CHECKOUT), "PYPINYIN_NO_PHRASES": "true"}
        environment["YIPING_BASEMAP__ALLOWED_NETWORKS"] = '["127.0.0.0/8"]'
        environment |= settings or {}
        with self._said.open("ab") as said:
            self._process = subprocess.Popen(
                command, cwd=self.data.parent, env=environment, stdout=said, stderr=said
            )
        deadline = time.monotonic() + START_LIMIT_S
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("the service did not start:\n" + self._said.read_text("utf-8")[-3000:])
            time.sleep(0.1)

    def _answers(self) -> bool:
        try:
            return httpx2.get(f"{self.url}/readyz", timeout=2, trust_env=False).status_code == 200
        except httpx2.TransportError:
            return False

    @property
    def pid(self) -> int:
        """Of the running process."""
        assert self._process is not None
        return self._process.pid

    def stop(self) -> None:
        """Ask it to end, as an operator does."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGCONT)
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self.kill()
        self._process = None

    def kill(self) -> None:
        """End it without a word, as a power cut does."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        self._process = None

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """Let the process hang with its sockets open, which no close frame announces."""
        os.kill(self.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.pid, signal.SIGCONT)

    @contextlib.contextmanager
    def set_to(self, settings: Mapping[str, str]) -> Iterator[None]:
        """Run with other settings inside the block."""
        self.stop()
        self.start(settings)
        try:
            yield
        finally:
            self.stop()
            self.start()

    def about(self) -> dict[str, Any]:
        """What the demo tells people: accounts, tracker, kiosk address."""
        read: dict[str, Any] = json.loads((self.data / "demo.json").read_text("utf-8"))
        return read

    def people(self) -> dict[str, Any]:
        """What the demo tells its simulator: everybody's account, device and home."""
        read: dict[str, Any] = json.loads((self.data / "simulator.json").read_text("utf-8"))
        return read
