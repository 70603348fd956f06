"""Which Host names this service answers to, which Origins may use its cookies, and who is behind a proxy.

With ``security.public_origins`` set, those are the only ones. Without, the service answers to addresses
(127.0.0.1, 10.1.2.3, [::1]), ``localhost`` and the host it listens on, and an Origin must equal the request's
own scheme and Host. A foreign name is refused even so: a page of that name, re-pointed at our address, would
otherwise count as our own (DNS rebinding).
"""

from __future__ import annotations

import functools
import ipaddress
import re
from collections.abc import Iterator
from typing import Any, Final

from command.settings import Settings

Scope = Any
"""An ASGI scope."""

_HOST: Final = re.compile(r"^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(\d{1,5}))?$")
_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class OriginRules:
    """The rules for one configuration.

    Args:
        settings: ``security.public_origins``, ``security.https``, ``security.trusted_proxies`` and ``host``.
    """

    def __init__(self, settings: Settings) -> None:
        self._origins = frozenset(settings.security.public_origins)
        self._names = frozenset(origin.partition("://")[2] for origin in self._origins)
        self._https = settings.security.https
        self._own = settings.host.lower()
        self._proxies = settings.security.trusted_proxies

    def host_allowed(self, scope: Scope) -> bool:
        """Say whether the ``Host`` header names this service; exactly one is required."""
        hosts = list(_headers(scope, b"host"))
        if len(hosts) != 1:
            return False
        host = hosts[0].lower()
        match = _HOST.match(host)
        if match is None:
            return False
        if host in self._names:
            return True
        name = match.group(1)
        # Health checks come to the loopback address whatever the public names are.
        if name in {"localhost", "127.0.0.1", "[::1]"}:
            return True
        return not self._names and (name == self._own or _is_address(name))

    def same_site(self, scope: Scope) -> bool:
        """Say whether the request comes from our own pages, or from no browser at all.

        Browsers send ``Origin`` on every request that changes something and on WebSocket handshakes; one that
        sends ``Sec-Fetch-Site`` instead must say "same-origin", or "none" (typed by the person).
        """
        origins = list(_headers(scope, b"origin"))
        if len(origins) > 1:
            return False
        if origins:
            return self._is_own(origins[0].lower(), scope)
        fetch_site = next(_headers(scope, b"sec-fetch-site"), None)
        return fetch_site is None or fetch_site.lower() in {"same-origin", "none"}

    def may_change(self, scope: Scope) -> bool:
        """Say whether the request may change something, as far as its origin goes."""
        return scope.get("method", "GET") in _SAFE_METHODS or self.same_site(scope)

    def client_address(self, scope: Scope) -> str:
        """Return the address the request comes from: the nearest one that is not a proxy we trust."""
        peer = scope.get("client")
        address = str(peer[0]) if peer else ""
        if not self._proxies or not _within(address, self._proxies):
            return address
        forwarded = ",".join(_headers(scope, b"x-forwarded-for")).split(",")
        for hop in reversed([one.strip() for one in forwarded if one.strip()]):
            if not _is_address(hop):
                return address
            address = hop
            if not _within(hop, self._proxies):
                return hop
        return address

    def _is_own(self, origin: str, scope: Scope) -> bool:
        if self._origins and origin in self._origins:
            return True
        host = next(_headers(scope, b"host"), "").lower()
        scheme = "https" if self._https or scope.get("scheme") in {"https", "wss"} else "http"
        return self.host_allowed(scope) and host not in self._names and origin == f"{scheme}://{host}"


def _headers(scope: Scope, name: bytes) -> Iterator[str]:
    return (value.decode("latin-1") for key, value in scope.get("headers", ()) if key == name)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


@functools.lru_cache(maxsize=4096)
def _within(address: str, blocks: tuple[str, ...]) -> bool:
    if not _is_address(address):
        return False
    return any(ipaddress.ip_address(address) in ipaddress.ip_network(block) for block in blocks)
