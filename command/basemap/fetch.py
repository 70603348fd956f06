"""Asking a customer's tile server: only hosts that the administrator allows, checked where they are connected to.

The address is resolved by us, every answer of the name service must be allowed, and what was checked is what is
connected to. Redirects are refused, answers have a limit in size and time, and only pictures count. The address of
a tile may hold a key: no error and no log line names more than the host.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Iterable
from typing import Final, Literal
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from command.basemap.model import NotShown
from command.errors import YipingError
from gis.tiles.shift import media_type
from streams.errors import NotAllowed, Unreachable
from streams.source import Admission

MOST_BYTES: Final = 2 << 20
AT_ONCE: Final = 8
"""Requests to one tile server at the same time."""
_NAMES_KEPT_S: Final = 60
_PLACES: Final = ("{z}", "{x}", "{y}")
_SOUTH: Final = "{-y}"
_AGENT: Final = "yiping"


Why = Literal[
    "not_allowed", "no_address", "timeout", "unreachable", "status", "too_large", "no_picture", "damaged"
]


class TileRefused(YipingError):
    """The tile server did not give a tile.

    Attributes:
        why: For the screen to say in its language.
        status: What the server answered instead of 200, where it did.
    """

    code = "basemap_unreachable"

    def __init__(self, detail: str, why: Why = "unreachable", status: int | None = None) -> None:
        super().__init__(detail)
        self.why = why
        self.status = status


class Allowed:
    """Which tile servers may be asked.

    Args:
        networks: CIDR blocks.
        hosts: Names whose public addresses are allowed as well; private ones only inside the blocks.
    """

    def __init__(self, networks: Iterable[str], hosts: Iterable[str]) -> None:
        self._networks = Admission(networks, ())
        self._hosts = frozenset(host.lower() for host in hosts)

    async def addresses(self, host: str) -> list[str]:
        """Return the addresses of a host; every one of them is allowed.

        Raises:
            NotAllowed: One is not.
            Unreachable: It has none.
        """
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        except OSError:
            raise Unreachable(f"no address for {host!r}") from None
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        return [self._check(host, address) for address in addresses]

    def _check(self, host: str, address: str) -> str:
        try:
            return self._networks.check_address(address)
        except NotAllowed:
            found = ipaddress.ip_address(address)
            if host.lower() in self._hosts and found.is_global and not found.is_multicast:
                return address
            raise


class Pattern:
    """The address pattern of a tile server; shows its key to nobody.

    Args:
        url: Such as ``https://tiles.example/{z}/{x}/{y}.png?key=…``; ``{-y}`` counts rows from the south.

    Raises:
        NotShown: It is no such pattern.
    """

    def __init__(self, url: str) -> None:
        self._url = url.strip()
        try:
            parts = urlsplit(self._url)
            port = parts.port
        except ValueError:
            raise NotShown("url", "is no address", "no_url") from None
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise NotShown("url", "begins with http:// or https:// and a host", "no_url")
        if "{" in (parts.netloc or "") or parts.fragment or not self._url.isprintable():
            raise NotShown(
                "url", "names one host; {z}, {x} and {y} stand in the path or behind the ?", "no_url"
            )
        wanted = [place for place in _PLACES if place not in self._url]
        if wanted and not (wanted == ["{y}"] and _SOUTH in self._url):
            raise NotShown("url", f"lacks {', '.join(wanted)}", "no_places")
        if len(self._url) > 2_000:
            raise NotShown("url", "is too long", "no_url")
        self.name = parts.hostname
        self.is_number = _is_number(parts.hostname)
        self.host = f"{parts.hostname}:{port or (443 if parts.scheme == 'https' else 80)}"

    def __repr__(self) -> str:
        """Say which host without the rest."""
        return f"Pattern({self.host})"

    def at(self, z: int, x: int, y: int) -> str:
        """Return the address of a tile."""
        south = (1 << z) - 1 - y
        text = self._url.replace("{z}", str(z)).replace("{x}", str(x)).replace("{y}", str(y))
        return text.replace(_SOUTH, str(south))


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


class _Checked(AbstractResolver):
    """Answers with checked addresses only."""

    def __init__(self, allowed: Allowed) -> None:
        self._allowed = allowed

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        del family
        found: list[ResolveResult] = []
        for address in await self._allowed.addresses(host):
            version = socket.AF_INET6 if ":" in address else socket.AF_INET
            found.append(
                ResolveResult(
                    hostname=host,
                    host=address,
                    port=port,
                    family=version,
                    proto=0,
                    flags=socket.AI_NUMERICHOST,
                )
            )
        return found

    async def close(self) -> None:
        pass


class Fetcher:
    """Fetches tiles.

    Args:
        allowed: Which servers may be asked.
        timeout_s: For one tile, connecting included.
    """

    def __init__(self, allowed: Allowed, timeout_s: float) -> None:
        self._allowed = allowed
        self._timeout_s = timeout_s
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Close what is open."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def check(self, pattern: Pattern) -> None:
        """Refuse a server that may not be asked.

        Raises:
            TileRefused: It may not, or has no address.
        """
        try:
            await self._allowed.addresses(pattern.name)
        except NotAllowed as error:
            raise TileRefused(
                f"{error}: allow it in basemap.allowed_networks or basemap.allowed_hosts", "not_allowed"
            ) from None
        except Unreachable as error:
            raise TileRefused(str(error), "no_address") from None

    async def tile(self, pattern: Pattern, z: int, x: int, y: int) -> bytes | None:
        """Return a picture, or None where the server has none.

        Raises:
            TileRefused: There was no answer, or another one; says which, without the address.
        """
        if pattern.is_number:
            await self.check(pattern)  # is never looked up, so the resolver does not see it
        try:
            return await self._get(pattern.at(z, x, y), pattern.host)
        except TimeoutError:
            detail = f"{pattern.host} did not answer within {self._timeout_s:g} s"
            raise TileRefused(detail, "timeout") from None
        except NotAllowed as error:
            raise TileRefused(str(error), "not_allowed") from None
        except (aiohttp.ClientError, OSError, Unreachable, ValueError) as error:
            raise TileRefused(f"{pattern.host} does not answer ({type(error).__name__})") from None

    async def _get(self, url: str, host: str) -> bytes | None:
        if self._session is None:
            connector = aiohttp.TCPConnector(
                resolver=_Checked(self._allowed), ttl_dns_cache=_NAMES_KEPT_S, limit=AT_ONCE
            )
            self._session = aiohttp.ClientSession(
                connector=connector,
                timeout=aiohttp.ClientTimeout(total=self._timeout_s),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={
                    "user-agent": _AGENT,
                    "accept": "image/png, image/jpeg, image/webp",
                    "accept-encoding": "identity",
                },
                auto_decompress=False,
                trust_env=False,
            )
        async with self._session.get(URL(url, encoded=True), allow_redirects=False) as answer:
            if answer.status in (204, 404):
                return None
            if answer.status != 200:
                detail = f"{host} answers {answer.status} instead of a picture"
                raise TileRefused(detail, "status", answer.status)
            content = await answer.content.read(MOST_BYTES + 1)
            while len(content) <= MOST_BYTES and (more := await answer.content.read(MOST_BYTES + 1)):
                content += more
        if len(content) > MOST_BYTES:
            raise TileRefused(f"{host} sends more than {MOST_BYTES >> 20} MiB for one tile", "too_large")
        if media_type(content) is None:
            detail = f"{host} sends something that is no PNG, JPEG or WebP picture"
            raise TileRefused(detail, "no_picture")
        return content
