"""The process that draws the demo's cameras: `python -m streams.synthetic`, started and ended with the demo."""

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import IO, Any, Final, Self

import msgspec

from command.core import open_core
from command.demo import cameras
from command.settings import Settings
from streams.synthetic.config import FarmConfig, GbPlatform, Ready

FARM_FILE: Final = "farm.json"
_END_S: Final = 5.0
# Scenes are drawn large and kept small: what is freed goes back, rather than into heaps that only grow.
_MEMORY: Final = {"MALLOC_ARENA_MAX": "2", "MALLOC_MMAP_THRESHOLD_": "2000000"}


def free_port() -> int:
    """Return a TCP port nobody listens on, nor, for UDP, sends from."""
    for _ in range(50):
        with socket.socket() as tcp, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            tcp.bind((cameras.HOST, 0))
            port = int(tcp.getsockname()[1])
            with contextlib.suppress(OSError):
                udp.bind((cameras.HOST, port))
                return port
    raise OSError("no free port")


def save(folder: Path, config: FarmConfig) -> None:
    """Keep a farm's configuration; it holds passwords, so only its owner may read it."""
    part = folder / (FARM_FILE + ".part")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(config), indent=1))
    os.replace(part, folder / FARM_FILE)


def load(folder: Path) -> FarmConfig | None:
    """Return the configuration of a demo's farm; None where a demo has none yet."""
    try:
        return msgspec.json.decode((folder / FARM_FILE).read_bytes(), type=FarmConfig)
    except FileNotFoundError:
        return None


def settings_for(config: FarmConfig, sip_port: int) -> dict[str, Any]:
    """Return the settings a service needs for these cameras, as `load_settings` takes them.

    All of them are at one address, where a real centre has one recorder here and another there: what may be opened
    at one host is therefore more than usual.
    """
    many = len(config.cameras)
    gb: dict[str, Any] = {"enabled": bool(config.recorders), "port": sip_port}
    if config.platform is not None:
        gb["server_id"] = config.platform.server_id
    interval_s = 120.0 if many <= 200 else 300.0 if many <= 2000 else 1800.0
    return {
        "cameras": {
            "allowed_networks": ["127.0.0.0/8"],
            "allowed_protocols": ["rtsp", "rtsps", "rtmp", "http-flv", "hls", "gb28181", "file"],
        },
        "video": {
            "opens_per_host_per_s": 40.0,
            "gb": gb,
            "health": {
                "interval_s": interval_s,
                "parallel": 16,
                "per_host_per_s": min(100.0, max(4.0, 3 * many / interval_s)),
            },
        },
    }


class FarmProcess:
    """The farm's process, as a context: started at once, told what to draw later, ended at the end.

    Args:
        journal: Where its log goes.
    """

    def __init__(self, journal: IO[str]) -> None:
        self._journal = journal
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._child = subprocess.Popen(
            [sys.executable, "-m", "streams.synthetic", "--config", "-"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._journal,
            env=os.environ | _MEMORY,
            start_new_session=True,  # Ctrl+C is for the demo, which ends the farm last
        )
        return self

    def begin(self, config: FarmConfig, sip_port: int) -> Ready:
        """Say what to draw and where to register; returns where it listens.

        Raises:
            OSError: It did not start.
        """
        if config.platform is not None:
            platform = GbPlatform(host=cameras.HOST, port=sip_port, server_id=config.platform.server_id)
            config = msgspec.structs.replace(config, platform=platform)
        child = self._child
        assert child is not None
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            child.stdin.write(msgspec.json.encode(config) + b"\n")
            child.stdin.flush()
            return msgspec.json.decode(child.stdout.readline(), type=Ready)
        except (OSError, msgspec.MsgspecError) as error:
            raise OSError("the drawn cameras did not start; see the journal") from error

    def __exit__(self, *error: object) -> None:
        child, self._child = self._child, None
        assert child is not None
        assert child.stdin is not None
        assert child.stdout is not None
        with contextlib.suppress(OSError):
            child.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(_END_S)
        if child.poll() is None:
            child.kill()
            child.wait()
        child.stdout.close()


def follow(folder: Path, settings: Settings, config: FarmConfig, ready: Ready) -> None:
    """Let the registry follow a farm that had to take other ports than before."""
    if (ready.port, ready.onvif_port) == (config.port, config.onvif_port):
        return
    core = open_core(settings)
    try:

        async def enter() -> None:
            desk = asyncio.create_task(core.desk.run())
            try:
                await cameras.repoint(core, config, ready.port, ready.onvif_port)
            finally:
                desk.cancel()
                await asyncio.gather(desk, return_exceptions=True)

        asyncio.run(enter())
    finally:
        core.close()
    save(folder, msgspec.structs.replace(config, port=ready.port, onvif_port=ready.onvif_port))
