"""Whom this process is connected to, as the kernel sees it.

FFmpeg follows an RTSP redirect by itself and offers no switch against it. Looking at our own sockets finds out.
"""

import contextlib
import ipaddress
import os
import re
from pathlib import Path

_LINK = re.compile(r"socket:\[(\d+)\]")


def foreign_peers(address: str, root: Path = Path("/proc/self")) -> list[str]:
    """Return the addresses, other than ``address``, that this process holds TCP connections to.

    Args:
        address: The one that is allowed.
        root: Of the process in question; where there is no such folder nothing is found.
    """
    inodes = set()
    for entry in (root / "fd").glob("*"):
        with contextlib.suppress(OSError):  # closed since it was listed
            if found := _LINK.match(os.readlink(entry)):
                inodes.add(found[1])
    allowed = ipaddress.ip_address(address)
    out = []
    for table in ("tcp", "tcp6"):
        try:
            rows = (root / "net" / table).read_text().splitlines()[1:]
        except OSError:
            continue
        for row in rows:
            parts = row.split()
            if parts[9] in inodes and (peer := _address(parts[2].partition(":")[0])) not in (allowed, None):
                out.append(str(peer))
    return out


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    words = [bytes.fromhex(text[n : n + 8])[::-1] for n in range(0, len(text), 8)]
    found = ipaddress.ip_address(b"".join(words))
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return None if found.is_unspecified else found
