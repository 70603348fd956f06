"""Requests and responses as text (RFC 2326)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from streams.errors import BadMedia

MOST_HEADER_BYTES: Final = 64 << 10
MOST_BODY_BYTES: Final = 1 << 20
_STATUS: Final = re.compile(r"RTSP/\d\.\d +(\d{3})(?!\d) *(.*)")
_REQUEST: Final = re.compile(r"([A-Z_]{3,20}) +(\S+) +RTSP/\d\.\d")


@dataclass(frozen=True, slots=True)
class Headers:
    """Header fields; names in any case, a name may come several times."""

    fields: tuple[tuple[str, str], ...] = ()

    def get(self, name: str) -> str | None:
        """Return the first value of a field."""
        return next((value for key, value in self.fields if key == name), None)

    def all(self, name: str) -> list[str]:
        """Return all values of a field."""
        return [value for key, value in self.fields if key == name]

    def number(self, name: str) -> int | None:
        """Return a field's value as a number, or None."""
        text = (self.get(name) or "").strip()
        return int(text) if text.isdecimal() and len(text) < 12 else None


@dataclass(frozen=True, slots=True)
class Response:
    """An answer."""

    status: int
    reason: str
    headers: Headers
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Request:
    """What the device asks of us."""

    method: str
    headers: Headers


def parse_head(head: bytes) -> Response | Request:
    """Read everything up to the empty line.

    Raises:
        BadMedia: It is neither a request nor a response.
    """
    first, *lines = head.decode("utf-8", "replace").splitlines()
    fields: list[tuple[str, str]] = []
    for line in lines:
        if line[:1] in (" ", "\t") and fields:
            fields[-1] = (fields[-1][0], f"{fields[-1][1]} {line.strip()}")
            continue
        name, colon, value = line.partition(":")
        if colon:
            fields.append((name.strip().lower(), value.strip()))
    headers = Headers(tuple(fields))
    if (match := _STATUS.fullmatch(first.strip())) is not None:
        return Response(int(match[1]), match[2][:80], headers)
    if (match := _REQUEST.fullmatch(first.strip())) is not None:
        return Request(match[1], headers)
    raise BadMedia("the device answers something that is not RTSP")


def body_length(headers: Headers) -> int:
    """Return how many bytes follow the empty line.

    Raises:
        BadMedia: More than a description may have.
    """
    length = headers.number("content-length") or 0
    if length > MOST_BODY_BYTES:
        raise BadMedia(f"a body of {length} bytes")
    return length


def write(first: str, fields: Iterable[tuple[str, str]]) -> bytes:
    """Return a message without a body."""
    lines = [first, *(f"{name}: {value}" for name, value in fields)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()
