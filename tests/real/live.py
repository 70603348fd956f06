"""The product as its users have it: the command line and the service, each a process of its own."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx2
import msgspec
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from tests.command.feed_client import FeedClient

CHECKOUT = Path(__file__).parents[2]
COOKIE = "yiping_session"
START_LIMIT_S = 180.0
"""Generous: the machine may be busy with other things. Nothing here is timed."""


@dataclass(frozen=True)
class Cli:
    """``yiping …`` on one data folder, in a folder that is not the checkout."""

    data: Path
    config: Path

    def start(self, *arguments: str, piped: bool = False) -> subprocess.Popen[str]:
        """Start a command with this data folder and configuration."""
        command = [sys.executable, "-c", "from command.cli import main; main()", *arguments]
        command += ["--data", str(self.data), "--config", str(self.config)]
        environment = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
        return subprocess.Popen(
            command,
            cwd=self.data.parent,
            env=environment,
            text=True,
            stdin=subprocess.PIPE if piped else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def run(self, *arguments: str, stdin: str | None = None) -> str:
        """Run a command to its end and return what it said; a failure shows its stderr."""
        return finish(self.start(*arguments, piped=stdin is not None), stdin)


def finish(process: subprocess.Popen[str], stdin: str | None = None) -> str:
    """Wait for a command and return what it said."""
    out, err = process.communicate(stdin, timeout=START_LIMIT_S)
    assert process.returncode == 0, f"{process.args!r}: {err}"
    return out


@contextlib.contextmanager
def serving(cli: Cli) -> Iterator[str]:
    """Run ``yiping serve`` on a free port; yields its URL and ends it by SIGTERM."""
    log = cli.data.parent / "serve.log"
    with log.open("w") as err:
        command = [sys.executable, "-c", "from command.cli import main; main()", "serve", "--port", "0"]
        command += ["--data", str(cli.data), "--config", str(cli.config)]
        environment = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
        process = subprocess.Popen(
            command, cwd=cli.data.parent, env=environment, text=True, stdout=subprocess.PIPE, stderr=err
        )
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            found = re.search(r"http://127\.0\.0\.1:\d+", line)
            assert found, f"no URL in {line!r}: {log.read_text()[-2000:]}"
            yield found[0]
        finally:
            process.terminate()
            code = process.wait(20)
            if process.stdout is not None:
                process.stdout.close()
    # The server shuts down in order and then passes the signal on, as a supervisor expects.
    assert code in (0, -signal.SIGTERM), log.read_text()[-2000:]
    assert "Application shutdown complete" in log.read_text()


class Person:
    """Somebody signed in. Every call is checked: an unexpected status shows the answer."""

    def __init__(self, url: str, username: str, password: str) -> None:
        self.url = url
        self._client = httpx2.Client(base_url=url, timeout=30.0, trust_env=False)
        self.me = self.post("/session", {"username": username, "password": password})

    def close(self) -> None:
        self._client.close()

    def get(self, path: str, **query: Any) -> Any:
        """Read something below ``/api/v1``."""
        answer = self._client.get(f"/api/v1{path}", params=query)
        assert answer.status_code == 200, (path, answer.status_code, answer.text)
        return answer.json()

    def post(self, path: str, body: object = None, status: int | None = None) -> Any:
        """Ask for something below ``/api/v1``; ``status`` None expects success."""
        answer = self._client.post(f"/api/v1{path}", json=body)
        expected = (200, 201) if status is None else (status,)
        assert answer.status_code in expected, (path, answer.status_code, answer.text)
        return answer.json()

    def upload(self, path: str, name: str, content: bytes) -> Any:
        """Send a picture."""
        answer = self._client.post(f"/api/v1{path}", files={"file": (name, content, "image/png")})
        assert answer.status_code == 201, answer.text
        return answer.json()

    def fetch(self, path: str, **headers: str) -> httpx2.Response:
        """Read something outside the API."""
        return self._client.get(path, headers=headers)

    @contextlib.contextmanager
    def feed(self) -> Iterator[Reading]:
        """Open the feed with this session."""
        address = self.url.replace("http:", "ws:") + "/api/v1/feed"
        headers = {"Cookie": f"{COOKIE}={self._client.cookies[COOKIE]}"}
        with connect(address, additional_headers=headers, origin=Origin(self.url), proxy=None) as socket:
            yield Reading(socket)


class Reading:
    """A feed connection held to the contract by `FeedClient`, and the events in the order they came."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self.client = FeedClient()
        self.events: list[dict[str, Any]] = []
        self.telemetry_frames = 0
        self.client.connected()
        socket.send(json.dumps({**self.client.hello(), "topics": TOPICS, "page": "console"}))
        while not self.client.started:
            self._read()

    def until(self, seq: int) -> None:
        """Read until the picture has reached an event."""
        while self.client.seq < seq:
            self._read()

    def _read(self) -> None:
        message = self._socket.recv(timeout=30)
        if isinstance(message, bytes):
            self.telemetry_frames += 1
            return
        frame = msgspec.json.decode(message)
        if frame["frame"] == "event":
            self.events.append(frame)
        if frame["frame"] in ("snapshot", "resume", "heartbeat", "event"):
            self.client.receive(frame)
            assert not self.client.resync, f"the feed broke its own rules at {frame}"


TOPICS = ["incidents", "responders", "cameras", "messages", "telemetry", "presence"]


def moment(text: str) -> float:
    """Seconds since 1970 of a time on the wire."""
    return datetime.fromisoformat(text).timestamp()


def wait_until(check: Any, limit_s: float = 30.0) -> Any:
    """Ask again and again until the answer is true, and return it."""
    deadline = time.monotonic() + limit_s
    while not (found := check()):
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.1)
    return found
