"""SIP messages, without sockets: bytes to `Request` or `Response` and back.

Only what GB/T 28181 needs of RFC 3261, read generously and bounded everywhere: what a device gets wrong without
doing harm is accepted, what cannot be a message raises `MalformedSip`, and nothing else is ever raised.
"""

import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

MOST_HEAD_BYTES: Final = 16 << 10
MOST_BODY_BYTES: Final = 512 << 10
_MOST_HEADERS: Final = 100
_COMPACT: Final = {
    "v": "via",
    "f": "from",
    "t": "to",
    "i": "call-id",
    "m": "contact",
    "l": "content-length",
    "c": "content-type",
    "s": "subject",
    "e": "content-encoding",
    "o": "event",
    "u": "allow-events",
    "k": "supported",
}
_WANTED: Final = ("via", "from", "to", "call-id", "cseq")
_TOKEN: Final = re.compile(r"[A-Za-z0-9!%*_+`'~.\-]+")
_FIRST_RESPONSE: Final = re.compile(r"SIP/2\.0 ([1-6]\d\d)(?: (.*))?")
_USER: Final = re.compile(r"sips?:([^@>;\s]{1,64})@", re.IGNORECASE)
_TAG: Final = re.compile(r";\s*tag\s*=\s*([^;>\s]{1,256})", re.IGNORECASE)
_BRANCH: Final = re.compile(r";\s*branch\s*=\s*([^;,\s]{1,256})", re.IGNORECASE)
_REASONS: Final = {
    100: "Trying",
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    413: "Request Entity Too Large",
    481: "Call/Transaction Does Not Exist",
    486: "Busy Here",
    487: "Request Terminated",
    488: "Not Acceptable Here",
    489: "Bad Event",
    500: "Server Internal Error",
    501: "Not Implemented",
    503: "Service Unavailable",
}


class MalformedSip(ValueError):
    """These bytes are no SIP message."""


@dataclass(slots=True)
class Message:
    """Headers and body.

    Attributes:
        headers: (name in lower case, value) in their order; compact names are spelled out.
        body: As it came.
    """

    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""

    def get(self, name: str) -> str:
        """Return the first header of that name, or an empty string."""
        for key, value in self.headers:
            if key == name:
                return value
        return ""

    def all(self, name: str) -> list[str]:
        """Return every header of that name, in order."""
        return [value for key, value in self.headers if key == name]

    def set(self, name: str, value: str) -> None:
        """Replace the first header of that name, or add it."""
        for index, (key, _) in enumerate(self.headers):
            if key == name:
                self.headers[index] = (name, value)
                return
        self.headers.append((name, value))

    @property
    def call_id(self) -> str:
        """The Call-ID."""
        return self.get("call-id")

    @property
    def cseq(self) -> tuple[int, str]:
        """Number and method of the CSeq; (0, "") when it has none."""
        number, _, method = self.get("cseq").partition(" ")
        method = method.strip()
        if not number.isascii() or not number.isdigit() or len(number) > 10 or not method:
            return 0, ""
        return int(number), method.upper()

    @property
    def branch(self) -> str:
        """Branch of the topmost Via."""
        found = _BRANCH.search(self.get("via"))
        return found[1] if found else ""

    @property
    def from_user(self) -> str:
        """User part of From: the 20 digits of whoever asks."""
        return user_of(self.get("from"))

    @property
    def to_user(self) -> str:
        """User part of To."""
        return user_of(self.get("to"))

    @property
    def from_tag(self) -> str:
        """Tag of From."""
        return tag_of(self.get("from"))

    @property
    def to_tag(self) -> str:
        """Tag of To."""
        return tag_of(self.get("to"))


@dataclass(slots=True)
class Request(Message):
    """A request.

    Attributes:
        method: In upper case.
        uri: As it came.
    """

    method: str = ""
    uri: str = ""


@dataclass(slots=True)
class Response(Message):
    """A response."""

    status: int = 0
    reason: str = ""


def user_of(value: str) -> str:
    """Return the user part of a SIP address, or an empty string."""
    found = _USER.search(value)
    return found[1] if found else ""


def tag_of(value: str) -> str:
    """Return the tag of a From or To, or an empty string."""
    found = _TAG.search(value)
    return found[1] if found else ""


def clean(text: str) -> str:
    """Return text from a header so that it can be logged, stored and sent on: whole characters only."""
    return text.encode("utf-8", "replace").decode()


def new_tag() -> str:
    """Return a fresh tag."""
    return secrets.token_hex(6)


def new_branch() -> str:
    """Return a fresh branch."""
    return "z9hG4bK" + secrets.token_hex(8)


def parse(data: bytes) -> Request | Response:
    """Read one datagram, or one framed message.

    Raises:
        MalformedSip: It is none.
    """
    end, skip = _end_of_head(data)
    if end < 0 or end > MOST_HEAD_BYTES:
        raise MalformedSip("no end of the headers")
    first, headers = _head(data[:end])
    body = data[end + skip :]
    length = _content_length(headers)
    if length is not None:
        if length > len(body):
            raise MalformedSip("the body is shorter than Content-Length")
        body = body[:length]
    if len(body) > MOST_BODY_BYTES:
        raise MalformedSip("the body is too long")
    response = _FIRST_RESPONSE.fullmatch(first)
    message: Request | Response
    if response:
        message = Response(headers, body, int(response[1]), response[2] or "")
    else:
        parts = first.split(" ")
        if len(parts) != 3 or parts[2].upper() != "SIP/2.0" or not _TOKEN.fullmatch(parts[0]):
            raise MalformedSip("neither a request nor a response")
        message = Request(headers, body, parts[0].upper(), parts[1])
    for name in _WANTED:
        if not message.get(name):
            raise MalformedSip(f"no {name}")
    if not message.cseq[1]:
        raise MalformedSip("no usable CSeq")
    return message


def build(message: Request | Response) -> bytes:
    """Write a message; Content-Length is ours.

    Raises:
        ValueError: A header holds a line break: it would become another header.
    """
    if isinstance(message, Request):
        lines = [f"{message.method} {message.uri} SIP/2.0"]
    else:
        lines = [f"SIP/2.0 {message.status} {message.reason}"]
    lines += [f"{_spelled(name)}: {value}" for name, value in message.headers if name != "content-length"]
    lines.append(f"Content-Length: {len(message.body)}")
    for line in lines:
        if "\r" in line or "\n" in line:
            raise ValueError("a line break in a header")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "surrogateescape") + message.body


def answer(
    request: Request,
    status: int,
    extra: Iterable[tuple[str, str]] = (),
    *,
    body: bytes = b"",
    to_tag: str = "",
) -> Response:
    """Return the response to a request, with what RFC 3261 §8.2.6 copies over."""
    headers = [("via", value) for value in request.all("via")]
    to = request.get("to")
    if status > 100 and not tag_of(to):
        to += f";tag={to_tag or new_tag()}"
    headers += [
        ("from", request.get("from")),
        ("to", to),
        ("call-id", request.call_id),
        ("cseq", request.get("cseq")),
        *extra,
    ]
    return Response(headers, body, status, _REASONS.get(status, "Unknown"))


def stamp_source(message: Request, host: str, port: int) -> None:
    """Write into the topmost Via where the request really came from (RFC 3581)."""
    via = re.sub(r";\s*(?:received|rport)(?:=[^;,\s]*)?", "", message.get("via"))
    first, comma, rest = via.partition(",")
    message.set("via", f"{first.rstrip()};rport={port};received={host}{comma}{rest}")


class Framer:
    """Cut a TCP stream into messages by Content-Length.

    Raises (from `feed`):
        MalformedSip: The stream cannot be followed any further.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """Take what came; return whole messages, and an empty one for each keep-alive (a double CRLF)."""
        buffer = self._buffer
        buffer += data
        found: list[bytes] = []
        while buffer:
            if buffer.startswith(b"\r\n\r\n"):
                found.append(b"")
                del buffer[:4]
                continue
            if buffer[0] in b"\r\n\0":
                if bytes(buffer) in (b"\r", b"\r\n", b"\r\n\r"):
                    break
                del buffer[:1]
                continue
            end, skip = _end_of_head(buffer)
            if end < 0 or end > MOST_HEAD_BYTES:
                if len(buffer) > MOST_HEAD_BYTES:
                    raise MalformedSip("no end of the headers")
                break
            length = _content_length(_head(bytes(buffer[:end]))[1])
            if length is None or length > MOST_BODY_BYTES:
                raise MalformedSip("a stream needs a Content-Length within bounds")
            if len(buffer) < end + skip + length:
                break
            found.append(bytes(buffer[: end + skip + length]))
            del buffer[: end + skip + length]
        return found


def _end_of_head(data: bytes | bytearray) -> tuple[int, int]:
    end = data.find(b"\r\n\r\n")
    if end >= 0:
        return end, 4
    return data.find(b"\n\n"), 2  # a few devices end lines the Unix way


def _head(head: bytes) -> tuple[str, list[tuple[str, str]]]:
    text = head.decode("utf-8", "surrogateescape").replace("\r\n", "\n").replace("\r", "\n")
    lines = text.lstrip("\n").split("\n")
    headers: list[tuple[str, str]] = []
    for line in lines[1:]:
        if line[:1] in (" ", "\t"):
            if not headers:
                raise MalformedSip("the first header is folded")
            name, value = headers[-1]
            headers[-1] = (name, f"{value} {line.strip()}".strip())
            continue
        name, colon, value = line.partition(":")
        name = name.strip().lower()
        if not colon or not _TOKEN.fullmatch(name):
            raise MalformedSip("a line that is no header")
        headers.append((_COMPACT.get(name, name), value.strip()))
    if len(headers) > _MOST_HEADERS:
        raise MalformedSip("too many headers")
    return lines[0].strip(), headers


def _content_length(headers: list[tuple[str, str]]) -> int | None:
    for name, value in headers:
        if name == "content-length":
            if not value.isascii() or not value.isdigit() or len(value) > 8:
                raise MalformedSip("Content-Length is no number")
            return int(value)
    return None


def _spelled(name: str) -> str:
    special = {"call-id": "Call-ID", "cseq": "CSeq", "www-authenticate": "WWW-Authenticate"}
    return special.get(name) or "-".join(part.capitalize() for part in name.split("-"))
