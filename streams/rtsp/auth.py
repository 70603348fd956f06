"""Answers to a device that asks who we are: Digest (RFC 7616, and RFC 2069 as cameras speak it) and Basic."""

import base64
import hashlib
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from streams.errors import Unauthorized

_SCHEME: Final = re.compile(r"(?:^|,)\s*([A-Za-z][A-Za-z0-9-]*)(?=\s+[^\s=,]|\s*$)")
_QUOTED: Final = re.compile(r'"(?:[^"\\]|\\.)*"')
_PARAMETER: Final = re.compile(r'([A-Za-z-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))')


def _md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


_HASHES: Final[dict[str, Callable[[bytes], str]]] = {"MD5": _md5, "SHA-256": _sha256}


@dataclass(frozen=True, slots=True)
class Challenge:
    """What the device asks for.

    Attributes:
        scheme: ``digest`` or ``basic``.
        realm: As sent.
        nonce: As sent; empty for Basic.
        algorithm: A name among those we know.
        session: Whether the key is bound to the nonce (``-sess``).
        qop: Whether to answer with ``qop=auth``.
        opaque: To be sent back.
        stale: Whether the device says that only the nonce was wrong.
    """

    scheme: str
    realm: str = ""
    nonce: str = ""
    algorithm: str = "MD5"
    session: bool = False
    qop: bool = False
    opaque: str | None = None
    stale: bool = False

    @property
    def strength(self) -> int:
        """Order of preference."""
        return 0 if self.scheme == "basic" else 1 + (self.algorithm == "SHA-256")


def parse_challenges(values: list[str]) -> list[Challenge]:
    """Return the challenges in ``WWW-Authenticate`` fields that we can answer, strongest first."""
    out = []
    for value in values:
        plain = _QUOTED.sub(lambda match: "x" * len(match[0]), value)  # a realm may contain anything
        starts = [match.start(1) for match in _SCHEME.finditer(plain)]
        for start, end in pairwise([*starts, len(value)]):
            found = _challenge(value[start:end])
            if found is not None:
                out.append(found)
    return sorted(out, key=lambda challenge: -challenge.strength)


def _challenge(text: str) -> Challenge | None:
    scheme, _, rest = text.partition(" ")
    fields = {
        name.lower(): re.sub(r"\\(.)", r"\1", quoted) if quoted else bare
        for name, quoted, bare in _PARAMETER.findall(rest)
    }
    if scheme.lower() == "basic":
        return Challenge("basic", fields.get("realm", ""))
    if scheme.lower() != "digest":
        return None
    name = fields.get("algorithm", "MD5").upper()
    algorithm = name.removesuffix("-SESS")
    qops = {word.strip().lower() for word in fields.get("qop", "").split(",") if word.strip()}
    if algorithm not in _HASHES or "nonce" not in fields or (qops and "auth" not in qops):
        return None
    return Challenge(
        "digest",
        fields.get("realm", ""),
        fields["nonce"],
        algorithm,
        name.endswith("-SESS"),
        bool(qops),
        fields.get("opaque"),
        fields.get("stale", "").lower() == "true",
    )


class Credentials:
    """An account at a device and how it wants to be told of it. Shows in no ``repr``.

    Args:
        username: The account, or None.
        password: Its password, or None.
    """

    def __init__(self, username: str | None, password: str | None) -> None:
        self._username = username
        self._password = password or ""
        self._challenge: Challenge | None = None
        self._accepted = False
        self._count = 0

    def __repr__(self) -> str:
        """Say nothing."""
        return "Credentials(…)"

    def accepted(self) -> None:
        """Take note that the last answer was good."""
        self._accepted = self._challenge is not None

    def challenge(self, values: list[str], *, answered: bool) -> None:
        """Take what came with a 401.

        Args:
            values: Its ``WWW-Authenticate`` fields.
            answered: Whether the request refused carried an authorization.

        Raises:
            Unauthorized: The credentials are wrong, or we have none, or cannot answer. It is not worth trying
                again; many devices lock an account after a few attempts.
        """
        if self._username is None:
            raise Unauthorized("the device asks for an account and none is set")
        offers = parse_challenges(values)
        if not offers:
            raise Unauthorized("the device asks for a kind of sign-in that is not known")
        chosen = offers[0]
        if answered:
            before = self._challenge
            renewed = before is not None and chosen.nonce != before.nonce and chosen.scheme == "digest"
            if not (renewed and (chosen.stale or self._accepted)):
                raise Unauthorized("the device refused the account or password")
        self._challenge = chosen
        self._accepted = False
        self._count = 0

    def authorization(self, method: str, url: str) -> str | None:
        """Return the ``Authorization`` field of a request, or None while the device has not asked."""
        challenge = self._challenge
        if challenge is None or self._username is None:
            return None
        if challenge.scheme == "basic":
            pair = f"{self._username}:{self._password}".encode()
            return f"Basic {base64.b64encode(pair).decode()}"
        return self._digest(challenge, method, url, secrets.token_hex(8))

    def _digest(self, challenge: Challenge, method: str, url: str, cnonce: str) -> str:
        digest = _HASHES[challenge.algorithm]
        key = digest(f"{self._username}:{challenge.realm}:{self._password}".encode())
        if challenge.session:
            key = digest(f"{key}:{challenge.nonce}:{cnonce}".encode())
        action = digest(f"{method}:{url}".encode())
        fields = [
            ("username", _quoted(self._username or "")),
            ("realm", _quoted(challenge.realm)),
            ("nonce", _quoted(challenge.nonce)),
            ("uri", _quoted(url)),
        ]
        if challenge.qop:
            self._count += 1
            count = f"{self._count:08x}"
            response = digest(f"{key}:{challenge.nonce}:{count}:{cnonce}:auth:{action}".encode())
            fields += [("qop", "auth"), ("nc", count), ("cnonce", _quoted(cnonce))]
        else:
            response = digest(f"{key}:{challenge.nonce}:{action}".encode())
            if challenge.session:
                fields.append(("cnonce", _quoted(cnonce)))
        fields.append(("response", _quoted(response)))
        if challenge.algorithm != "MD5" or challenge.session:
            fields.append(("algorithm", challenge.algorithm + ("-sess" if challenge.session else "")))
        if challenge.opaque is not None:
            fields.append(("opaque", _quoted(challenge.opaque)))
        return "Digest " + ", ".join(f"{name}={value}" for name, value in fields)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
