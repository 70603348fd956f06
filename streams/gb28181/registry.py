"""Which devices are there, without sockets: registered, heard of lately, and at which address."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, TypeVar

import msgspec
import structlog

from streams.gb28181.messages import DeviceState, GbConfig
from streams.gb28181.sockets import Peer

log = structlog.get_logger("streams.gb28181")

T = TypeVar("T")

_SAVE_EVERY_S: Final = 2.0


class _Saved(msgspec.Struct, kw_only=True):
    device_id: str
    host: str
    port: int
    expires_s: float


class _SavedFile(msgspec.Struct, kw_only=True):
    saved_at: float
    devices: list[_Saved]


@dataclass(frozen=True, slots=True)
class Present:
    """A registered device.

    Attributes:
        peer: Where it speaks from, and is answered.
        expires_at: When its registration ends.
        heard_at: When it last said anything.
        state: What the rest of the program is told.
    """

    peer: Peer
    expires_at: float
    heard_at: float
    state: DeviceState


class Registry:
    """The devices that are registered.

    Args:
        config: Times and bounds.
        on_state: Called with each change.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        config: GbConfig,
        on_state: Callable[[DeviceState], None],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._config = config
        self._on_state = on_state
        self._clock = clock
        self._present: dict[str, Present] = {}
        self._path = Path(config.folder) / "gb_devices.json" if config.folder else None
        self._changed = False
        self._saved_at = 0.0

    def __len__(self) -> int:
        return len(self._present)

    def configure(self, config: GbConfig) -> None:
        """Take other times and bounds."""
        self._config = config

    def get(self, device_id: str) -> Present | None:
        """Return a device that is registered."""
        return self._present.get(device_id)

    def states(self) -> list[DeviceState]:
        """Return every device that is registered."""
        return [present.state for present in self._present.values()]

    def register(self, device_id: str, peer: Peer, expires_s: float) -> bool:
        """Take a registration; return whether the device was not there before."""
        now = self._clock()
        before = self._present.get(device_id)
        state = before.state if before else DeviceState(device_id=device_id, online=True, reason="registered")
        state = msgspec.structs.replace(
            state, online=True, reason="registered", address=str(peer), transport=peer.transport
        )
        self._present[device_id] = Present(peer, now + expires_s, now, state)
        self._changed = True
        if before is None or before.peer != peer:
            self._on_state(state)
        return before is None

    def unregister(self, device_id: str, reason: str) -> bool:
        """Forget a device; return whether it was there."""
        if self._present.pop(device_id, None) is None:
            return False
        self._changed = True
        self._on_state(DeviceState(device_id=device_id, online=False, reason=reason))
        return True

    def heard(self, device_id: str, peer: Peer) -> bool:
        """Take note of a message; return whether it may be believed.

        A device behind a changing NAT keeps its address but not its port: that is followed. Another address has
        to register, with its password, before it is anybody.
        """
        present = self._present.get(device_id)
        if present is None or present.peer.host != peer.host:
            return False
        state = present.state
        if present.peer != peer:
            state = msgspec.structs.replace(state, address=str(peer), transport=peer.transport)
            self._changed = True
        self._present[device_id] = replace(present, peer=peer, heard_at=self._clock(), state=state)
        return True

    def describe(self, device_id: str, manufacturer: str, model: str, firmware: str) -> None:
        """Take what a device says of itself."""
        present = self._present.get(device_id)
        if present is not None:
            state = msgspec.structs.replace(
                present.state, manufacturer=manufacturer, model=model, firmware=firmware
            )
            if state != present.state:
                self._present[device_id] = replace(present, state=state)
                self._on_state(state)

    def tick(self) -> list[str]:
        """Forget whoever is overdue and return their ids; save what changed."""
        now = self._clock()
        silent_s = self._config.keepalive_s * (self._config.keepalives_missed + 0.5)
        gone: list[str] = []
        for device_id, present in list(self._present.items()):
            if now > present.expires_at:
                gone.append(device_id)
                self.unregister(device_id, "expired")
            elif now - present.heard_at > silent_s:
                gone.append(device_id)
                self.unregister(device_id, "keepalive")
        if self._changed and now - self._saved_at > _SAVE_EVERY_S:
            self.save()
        return gone

    def save(self) -> None:
        """Write the registrations down, so that a restart does not leave every device unknown until it speaks.

        Those over TCP are left out: their connection is gone with us.
        """
        self._changed = False
        self._saved_at = self._clock()
        if self._path is None:
            return
        devices = [
            _Saved(
                device_id=device_id,
                host=present.peer.host,
                port=present.peer.port,
                expires_s=present.expires_at - self._saved_at,
            )
            for device_id, present in self._present.items()
            if present.peer.transport == "udp"
        ]
        write_file(self._path, _SavedFile(saved_at=time.time(), devices=devices))

    def restore(self, known: Iterable[str]) -> list[str]:
        """Take back the registrations that still hold, of devices still known; return their ids."""
        saved = None if self._path is None else read_file(self._path, _SavedFile)
        if saved is None:
            return []
        away_s = max(0.0, time.time() - saved.saved_at)
        allowed = set(known)
        now = self._clock()
        restored = []
        for device in saved.devices:
            left_s = min(device.expires_s, self._config.register_expires_s) - away_s
            if left_s <= 0 or device.device_id not in allowed:
                continue
            peer = Peer("udp", device.host, device.port)
            state = DeviceState(device_id=device.device_id, online=True, reason="restored", address=str(peer))
            self._present[device.device_id] = Present(peer, now + left_s, now, state)
            restored.append(device.device_id)
            self._on_state(state)
        return restored


def write_file(path: Path, value: object) -> None:
    """Write a file whole or not at all; a full disk is worth a line in the log, not the service."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(".new")
        fresh.write_bytes(msgspec.json.encode(value))
        fresh.replace(path)
    except OSError as error:
        log.warning("cannot keep state for the next start", file=path.name, reason=str(error))


def read_file(path: Path, kind: type[T]) -> T | None:
    """Read a file, or return None when there is none or it is damaged."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError) as error:
        log.warning("state of the last run is unreadable", file=path.name, reason=str(error))
        return None
