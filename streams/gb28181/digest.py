"""SIP Digest, both sides: the server's without any memory of what it has asked.

A nonce carries its own time and is signed with a key of this process, together with the device and the address
it was made for. A storm of devices that register again needs no table, and an answer that somebody has
overheard is worth nothing from another address.
"""

import hashlib
import hmac
import re
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Literal

Algorithm = Literal["MD5", "SHA-256"]
Verdict = Literal["good", "challenge", "stale", "bad", "throttled"]

_HASHES: Final[dict[str, Callable[[bytes], "hashlib._Hash"]]] = {
    "MD5": lambda data: hashlib.md5(data, usedforsecurity=False),
    "SHA-256": hashlib.sha256,
}
_PART: Final = re.compile(r'([A-Za-z0-9_-]{1,32})\s*=\s*(?:"([^"]{0,512})"|([^",\s]{1,512}))')
_NONCE_BYTES: Final = 8 + 32


def parameters(header: str) -> dict[str, str]:
    """Return the parameters of an Authorization or WWW-Authenticate header; empty when it is not Digest."""
    scheme, _, rest = header.partition(" ")
    if scheme.lower() != "digest":
        return {}
    return {name.lower(): quoted or bare for name, quoted, bare in _PART.findall(rest[:4096])}


def response(
    algorithm: str, username: str, realm: str, password: str, method: str, given: Mapping[str, str]
) -> str:
    """Return what ``response=`` must hold; ``given`` has nonce, uri, and with qop also nc and cnonce."""
    digest = _HASHES[algorithm]

    def hashed(text: str) -> str:
        return digest(text.encode("utf-8", "surrogateescape")).hexdigest()

    secret = hashed(f"{username}:{realm}:{password}")
    request = hashed(f"{method}:{given.get('uri', '')}")
    nonce = given.get("nonce", "")
    if given.get("qop"):
        middle = f"{nonce}:{given.get('nc', '')}:{given.get('cnonce', '')}:{given['qop']}"
    else:
        middle = nonce
    return hashed(f"{secret}:{middle}:{request}")


def authorization(
    challenge: Mapping[str, str], username: str, password: str, method: str, uri: str, *, count: int = 1
) -> str:
    """Return the Authorization header that answers a challenge (the device's side)."""
    algorithm = challenge.get("algorithm", "MD5").upper()
    realm = challenge.get("realm", "")
    given = {"nonce": challenge.get("nonce", ""), "uri": uri}
    tail = ""
    if "auth" in challenge.get("qop", "").replace(" ", "").split(","):
        given |= {"qop": "auth", "nc": f"{count:08x}", "cnonce": secrets.token_hex(8)}
        tail = f', qop=auth, nc={given["nc"]}, cnonce="{given["cnonce"]}"'
    answer = response(algorithm, username, realm, password, method, given)
    return (
        f'Digest username="{username}", realm="{realm}", nonce="{given["nonce"]}", uri="{uri}", '
        f'response="{answer}", algorithm={algorithm}{tail}'
    )


class Gatekeeper:
    """Judge Authorization headers.

    Args:
        realm: What devices are told.
        algorithms: Offered, best first.
        nonce_s: How long a nonce is good for.
        tries: Wrong passwords of one device from one address before it has to wait.
        wait_s: How long it then waits.
        now: Seconds since 1970.
    """

    _MOST_REMEMBERED = 4096

    def __init__(
        self,
        realm: str,
        algorithms: Sequence[Algorithm] = ("MD5",),
        *,
        nonce_s: float = 300.0,
        tries: int = 5,
        wait_s: float = 60.0,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._realm = realm
        self._algorithms = tuple(algorithms)
        self._nonce_s = nonce_s
        self._tries = tries
        self._wait_s = wait_s
        self._now = now
        self._key = secrets.token_bytes(32)
        self._bad: OrderedDict[tuple[str, str], tuple[int, float]] = OrderedDict()

    def challenges(self, device_id: str, host: str, *, stale: bool = False) -> list[tuple[str, str]]:
        """Return the WWW-Authenticate headers for one device at one address."""
        nonce = self._nonce(f"{int(self._now()):08x}", device_id, host)
        tail = ", stale=true" if stale else ""
        return [
            (
                "www-authenticate",
                f'Digest realm="{self._realm}", nonce="{nonce}", algorithm={algorithm}{tail}',
            )
            for algorithm in self._algorithms
        ]

    def judge(self, header: str, method: str, device_id: str, password: str | None, host: str) -> Verdict:
        """Say whether a header proves that its sender knows the device's password.

        Args:
            header: Authorization, or empty.
            method: Of the request.
            device_id: Who it claims to be.
            password: The device's; None or empty: nobody may.
            host: Address it came from.

        Returns:
            ``challenge``: nothing usable was sent; ``stale``: right, but the nonce is too old; ``throttled``: it
            has been wrong too often and is not looked at.
        """
        given = parameters(header)
        if not given.get("nonce") or not given.get("response"):
            return "challenge"
        tried, until = self._bad.get((device_id, host), (0, 0.0))
        if tried >= self._tries and self._now() < until:
            return "throttled"
        age_s = self._age_s(given["nonce"], device_id, host)
        if age_s is None:
            return "challenge"  # not ours, or of before a restart: that is nobody's mistake
        algorithm = given.get("algorithm", "MD5").upper()
        if given.get("username") != device_id or algorithm not in _HASHES:
            return self._wrong(device_id, host)
        wanted = response(algorithm, device_id, self._realm, password or secrets.token_hex(16), method, given)
        right = hmac.compare_digest(wanted.encode(), given["response"].lower().encode("utf-8", "replace"))
        if not right or given.get("realm") != self._realm or not password:
            return self._wrong(device_id, host)
        self._bad.pop((device_id, host), None)
        return "good" if age_s <= self._nonce_s else "stale"

    def _wrong(self, device_id: str, host: str) -> Verdict:
        tried, until = self._bad.pop((device_id, host), (0, 0.0))
        now = self._now()
        tried = 1 if tried >= self._tries and now >= until else tried + 1
        self._bad[device_id, host] = (tried, now + self._wait_s)
        while len(self._bad) > self._MOST_REMEMBERED:
            self._bad.popitem(last=False)
        return "bad"

    def _nonce(self, at: str, device_id: str, host: str) -> str:
        signed = hmac.digest(
            self._key, f"{at}|{device_id}|{host}".encode("utf-8", "surrogateescape"), "sha256"
        )
        return at + signed.hex()[:32]

    def _age_s(self, nonce: str, device_id: str, host: str) -> float | None:
        if len(nonce) != _NONCE_BYTES or not nonce.isascii():
            return None
        if not hmac.compare_digest(self._nonce(nonce[:8], device_id, host), nonce):
            return None
        return self._now() - int(nonce[:8], 16)
