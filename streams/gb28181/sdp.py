"""The session descriptions of GB/T 28181: what an INVITE offers and what a device answers."""

import ipaddress
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from streams.gb28181.messages import InviteRequest

_MEDIA: Final = re.compile(r"m=video\s+(\d{1,5})\s+(TCP/)?RTP/AVP((?:\s+\d{1,3}){0,16})", re.IGNORECASE)
_RTPMAP: Final = re.compile(r"a=rtpmap:\s*(\d{1,3})\s+([A-Za-z0-9.-]{1,20})", re.IGNORECASE)
_TIMES: Final = re.compile(r"t=\s*(\d{1,12})\s+(\d{1,12})")
_MOST_SSRC: Final = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Description:
    """What a description says.

    Attributes:
        host: Address of ``c=``; empty without a usable one.
        port: Of the picture; 0 without.
        tcp: RTP over TCP.
        setup: Who connects: ``passive``, ``active`` or empty.
        ssrc: Of ``y=``; None without.
        name: Of ``s=``: ``Play``, ``Playback``, ``Download``.
        start_s: Of ``t=``, seconds since 1970.
        end_s: Of ``t=``.
        codings: Names the payload types are mapped to, in upper case.
    """

    host: str = ""
    port: int = 0
    tcp: bool = False
    setup: str = ""
    ssrc: int | None = None
    name: str = ""
    start_s: int = 0
    end_s: int = 0
    codings: tuple[str, ...] = ()


def offer(request: InviteRequest, server_id: str, media_host: str, ssrc: str) -> bytes:
    """Write what we want of a channel; only a program stream is offered, because nothing else is read."""
    family = "IP6" if ":" in media_host else "IP4"
    playback = request.start is not None and request.end is not None
    lines = [
        "v=0",
        f"o={request.channel_id if playback else server_id} 0 0 IN {family} {media_host}",
        f"s={'Playback' if playback else 'Play'}",
    ]
    if playback:
        lines.append(f"u={request.channel_id}:0")
    lines += [f"c=IN {family} {media_host}", f"t={_seconds(request.start)} {_seconds(request.end)}"]
    tcp = request.transport == "tcp_passive"
    lines += [
        f"m=video {request.media_port} {'TCP/RTP/AVP' if tcp else 'RTP/AVP'} 96",
        "a=recvonly",
        "a=rtpmap:96 PS/90000",
    ]
    if tcp:
        lines += ["a=setup:passive", "a=connection:new"]
    lines.append(f"y={ssrc}")
    return ("\r\n".join(lines) + "\r\n").encode("ascii", "replace")


def read(body: bytes) -> Description:
    """Read a description; what makes no sense counts as not said."""
    host = setup = name = ""
    port, tcp, start_s, end_s = 0, False, 0, 0
    ssrc: int | None = None
    codings: list[str] = []
    for line in body[:16_384].decode("utf-8", "replace").splitlines()[:200]:
        line = line.strip()
        if (found := _MEDIA.match(line)) and not port:
            port, tcp = min(int(found[1]), 65_535), bool(found[2])
        elif line.startswith("c=") and not host:
            host = _address(line.rpartition(" ")[2])
        elif line.startswith("y="):
            digits = line[2:].strip()
            if digits.isascii() and digits.isdigit() and 0 < int(digits[:12]) <= _MOST_SSRC:
                ssrc = int(digits[:12])
        elif line.startswith("s="):
            name = line[2:].strip()[:40]
        elif found := _TIMES.match(line):
            start_s, end_s = int(found[1]), int(found[2])
        elif line.lower().startswith("a=setup:"):
            setup = line[8:].strip().lower()[:20]
        elif found := _RTPMAP.match(line):
            codings.append(found[2].upper())
    return Description(host, port, tcp, setup, ssrc, name, start_s, end_s, tuple(codings))


def _seconds(at: datetime | None) -> int:
    return 0 if at is None else int(at.timestamp())


def _address(text: str) -> str:
    try:
        found = ipaddress.ip_address(text.strip())
    except ValueError:
        return ""
    return "" if found.is_unspecified else str(found)
