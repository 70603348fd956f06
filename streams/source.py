"""Where a camera's media comes from: structured fields, never an address for a tool to interpret.

A source names protocol, host, port, path and credentials apart. Hosts are checked against the networks that the
administrator allows, resolved once, and the address that was checked is the one connected to: a name that
resolves differently a second later gains nothing. Nothing follows redirects.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from streams.errors import NotAllowed, Unreachable

Protocol = Literal["rtsp", "rtsps", "rtmp", "http-flv", "hls", "file", "gb28181"]
DEFAULT_PORTS: Final[dict[str, int]] = {
    "rtsp": 554,
    "rtsps": 322,
    "rtmp": 1935,
    "http-flv": 80,
    "hls": 80,
}
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """How to reach one camera. The password shows in no ``repr``.

    Attributes:
        protocol: What it speaks.
        host: Name or address; empty for ``file`` and ``gb28181``.
        port: 0 takes the protocol's own.
        path: Path and query, without the leading slash; a file's name below the configured folder.
        username: Account at the device, or None.
        password: Its password, or None.
        transport: How RTP travels.
        device_id: GB/T 28181 device (20 digits).
        channel_id: GB/T 28181 channel (20 digits).
        control_port: Port of the ONVIF service that moves a camera whose media is RTSP; 0 without one.
        control_profile: ONVIF profile token for moving it.
    """

    protocol: Protocol
    host: str = ""
    port: int = 0
    path: str = ""
    username: str | None = None
    password: str | None = None
    transport: Literal["tcp", "udp"] = "tcp"
    device_id: str | None = None
    channel_id: str | None = None
    control_port: int = 0
    control_profile: str | None = None

    def __repr__(self) -> str:
        """Say where it points without the credentials."""
        if self.protocol == "gb28181":
            return f"Source(gb28181 {self.device_id}/{self.channel_id})"
        return f"Source({self.protocol}://{self.host}:{self.effective_port}/{self.path.partition('?')[0]})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Say no more in tracebacks that show local values."""
        return [("source", repr(self))]

    @property
    def effective_port(self) -> int:
        """The port to connect to."""
        return self.port or DEFAULT_PORTS.get(self.protocol, 0)


class CameraSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What the video processes need to know of one camera.

    Attributes:
        id: The registry's id.
        source: Where its media comes from.
        enabled: False while it is switched off by hand: nothing is pulled or checked.
    """

    id: str
    source: Source
    enabled: bool = True


class Admission:
    """Which addresses and files may be opened.

    Args:
        networks: CIDR blocks cameras may be in; none: nothing may be opened over the network.
        protocols: Protocols that may be used.
        files: Folder below which ``file`` sources live; None: no files.
    """

    def __init__(
        self,
        networks: Iterable[str],
        protocols: Iterable[str] = ("rtsp", "gb28181"),
        files: Path | None = None,
    ) -> None:
        self._networks: tuple[Network, ...] = tuple(ipaddress.ip_network(block) for block in networks)
        self._protocols = frozenset(protocols)
        self._files = None if files is None else files.resolve()

    def check_protocol(self, protocol: str) -> None:
        """Refuse a protocol that is not allowed.

        Raises:
            NotAllowed: It is not.
        """
        if protocol not in self._protocols:
            raise NotAllowed(f"protocol {protocol} is not allowed")

    def check_address(self, address: str) -> str:
        """Return the address if it lies in an allowed network.

        Raises:
            NotAllowed: It does not, or is no address.
        """
        try:
            found = ipaddress.ip_address(address)
        except ValueError:
            raise NotAllowed(f"{address!r} is not an address") from None
        if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
            found = found.ipv4_mapped
        if not any(found in block for block in self._networks if block.version == found.version):
            raise NotAllowed(f"{found} is outside the allowed networks")
        return str(found)

    async def resolve(self, host: str) -> str:
        """Return the one address to connect to; every address the name has must be allowed.

        Raises:
            NotAllowed: One of them is not.
            Unreachable: The name has none.
        """
        try:
            return self.check_address(str(ipaddress.ip_address(host)))
        except ValueError:
            pass
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        except OSError:
            raise Unreachable(f"no address for {host!r}") from None
        addresses = [str(entry[4][0]) for entry in found]
        if not addresses:
            raise Unreachable(f"no address for {host!r}")
        for address in addresses:
            self.check_address(address)
        return addresses[0]

    def check_file(self, name: str) -> Path:
        """Return the file a ``file`` source names.

        Raises:
            NotAllowed: No files are allowed, or this one is not below the configured folder.
        """
        if self._files is None:
            raise NotAllowed("files are not allowed as sources")
        path = (self._files / name).resolve()
        if not path.is_relative_to(self._files) or not path.is_file():
            raise NotAllowed(f"no file {name!r} in the folder for files")
        return path
