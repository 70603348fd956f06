"""The farm as a process of its own."""

from __future__ import annotations

import socket
import subprocess
import sys

import msgspec
import pytest

from streams.synthetic.config import FarmCamera, FarmConfig, Ready


def start(config: bytes) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "streams.synthetic", "--config", "-"]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert child.stdin is not None
    child.stdin.write(config + b"\n")
    child.stdin.flush()
    return child


@pytest.mark.slow
def test_it_serves_takes_another_port_and_ends_with_its_input() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        config = FarmConfig(cameras=(FarmCamera(path="cam/1"),), username="u", password="p", port=port)
        child = start(msgspec.json.encode(config))
        try:
            assert child.stdout is not None
            ready = msgspec.json.decode(child.stdout.readline(), type=Ready)
            assert ready.port not in (0, port)
            with socket.create_connection(("127.0.0.1", ready.port), timeout=5) as line:
                line.sendall(
                    f"OPTIONS rtsp://127.0.0.1:{ready.port}/cam/1 RTSP/1.0\r\nCSeq: 1\r\n\r\n".encode()
                )
                assert line.recv(64).startswith(b"RTSP/1.0 200")
            _, errors = child.communicate(timeout=10)
            assert child.returncode == 0
            assert b"Traceback" not in errors
        finally:
            child.kill()
            child.wait()


@pytest.mark.slow
def test_nonsense_is_said_so() -> None:
    child = start(b"{}")
    _, errors = child.communicate(timeout=20)
    assert child.returncode == 2
    assert b"makes no sense" in errors


def test_the_password_does_not_show() -> None:
    assert "secret" not in repr(FarmConfig(cameras=(), username="u", password="secret"))
