"""The library behind this package, on a short leash: one address, no redirects, no entities, small answers.

The service descriptions are read from the wheel; nothing is fetched from the network for them.
"""

import asyncio
import logging
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Literal, Self
from urllib.parse import urlsplit

import aiohttp

from streams.errors import NotAllowed, StreamError, Unauthorized, Unreachable, Unsupported

_MOST_BYTES: Final = 1 << 20
_DEVICE_PATH: Final = "/onvif/device_service"

Service = Literal["devicemgmt", "media", "ptz"]
_SERVICES: Final[Mapping[Service, tuple[str, str]]] = {
    # the file that describes it, and the binding in it
    "devicemgmt": ("devicemgmt.wsdl", "{http://www.onvif.org/ver10/device/wsdl}DeviceBinding"),
    "media": ("media.wsdl", "{http://www.onvif.org/ver10/media/wsdl}MediaBinding"),
    "ptz": ("ptz.wsdl", "{http://www.onvif.org/ver20/ptz/wsdl}PTZBinding"),
}
_NAMESPACES: Final[Mapping[str, Service]] = {
    binding[1 : binding.index("}")]: service for service, (_, binding) in _SERVICES.items()
}


class _Library:
    """What is imported and read once, when the first device is asked: 0.3 s and 30 MB nobody else needs to pay."""

    def __init__(self) -> None:
        root = logging.getLogger()
        handlers, level = list(root.handlers), root.level
        import onvif.client  # type: ignore[import-untyped]
        import zeep

        # On import it sets up logging for the whole process, which is not its business.
        root.handlers[:] = handlers
        root.setLevel(level)
        for name in ("zeep", "onvif"):
            logging.getLogger(name).setLevel(logging.CRITICAL)  # their lines hold whole messages
        self.zeep = zeep
        self.client = onvif.client
        self.settings = zeep.Settings(
            strict=False, forbid_dtd=True, forbid_entities=True, forbid_external=True, xml_huge_tree=False
        )
        self.folder = Path(onvif.__file__).parent / "wsdl"
        self._documents: dict[Service, Any] = {}

    def document(self, service: Service) -> Any:
        """Return the description of a service."""
        found = self._documents.get(service)
        if found is None:
            path = str(self.folder / _SERVICES[service][0])
            # The library's own way to read a description, kept off the network by its transport for files.
            found = self.zeep.wsdl.Document(path, self.client.ASYNC_TRANSPORT, settings=self.settings)
            self._documents[service] = found
        return found


_library: _Library | None = None
_lock = asyncio.Lock()


async def _load(services: tuple[Service, ...]) -> _Library:
    global _library

    def read() -> _Library:
        library = _library or _Library()
        for service in services:
            library.document(service)
        return library

    async with _lock:
        _library = await asyncio.to_thread(read)
        return _library


class Connection:
    """SOAP to one device.

    Args:
        address: Checked address; the only one that is ever connected to.
        port: Of its ONVIF service.
        username: Account, or None.
        password: Its password, or None.
        timeout_s: For each request.
    """

    def __init__(
        self, address: str, port: int, username: str | None, password: str | None, *, timeout_s: float = 5.0
    ) -> None:
        self.address = address
        self.port = port
        self._username = username
        self._password = password or ""
        self._timeout_s = timeout_s
        self._skew: timedelta | None = None
        self._paths: dict[Service, str] = {"devicemgmt": _DEVICE_PATH}
        self._session: aiohttp.ClientSession | None = None
        self._clients: dict[Service, Any] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close what is open."""
        session, self._session = self._session, None
        self._clients.clear()
        if session is not None:
            await session.close()

    async def open(self) -> None:
        """Learn the device's clock and where its services are.

        Raises:
            StreamError: It does not answer, or refuses the credentials.
        """
        if self._session is not None:
            return
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=4, use_dns_cache=False),
            timeout=aiohttp.ClientTimeout(total=self._timeout_s),
            auto_decompress=False,  # a small answer may not become a large one
            trust_env=False,
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        await self._learn_clock()
        await self._learn_services()

    def has(self, service: Service) -> bool:
        """Say whether the device offers a service."""
        return service in self._paths

    async def call(self, service: Service, method: str, **arguments: object) -> Any:
        """Call a method of the device.

        Raises:
            Unauthorized: It refuses the credentials.
            Unsupported: It has no such service or method.
            Unreachable: No answer, or not one of ONVIF.
        """
        if service not in self._paths:
            raise Unsupported(f"the device has no {service} service")
        proxy = await self._proxy(service)
        return await self._answer(getattr(proxy, method)(**arguments))

    async def _answer(self, asked: Any) -> Any:
        library = _library
        assert library is not None
        try:
            async with asyncio.timeout(self._timeout_s):
                return await asked
        except StreamError:
            raise
        except TimeoutError:
            raise Unreachable("the device did not answer in time") from None
        except library.zeep.exceptions.Fault as fault:
            raise _fault(fault) from None
        except (OSError, aiohttp.ClientError) as error:
            raise Unreachable(f"no connection: {type(error).__name__}") from None
        except (
            Exception
        ) as error:  # zeep raises whatever its parsing trips over in an answer that makes no sense
            raise Unreachable(f"not an answer of ONVIF: {type(error).__name__}") from None

    async def _proxy(self, service: Service, *, proves: bool = True) -> Any:
        if proves and service in self._clients:
            return self._clients[service]
        library = await _load((service,))
        wsse = None
        if proves and self._username is not None:
            wsse = library.client.UsernameDigestTokenDtDiff(
                self._username, self._password, dt_diff=self._skew, use_digest=True
            )
        client = library.client.ZeepAsyncClient(
            wsdl=library.document(service),
            wsse=wsse,
            transport=self._transport(library),
            settings=library.settings,
        )
        url = f"http://{_bracketed(self.address)}:{self.port}{self._paths[service]}"
        proxy = client.create_service(_SERVICES[service][1], url)
        if proves:
            self._clients[service] = proxy
        return proxy

    def _transport(self, library: _Library) -> Any:
        connection = self

        class Bound(library.client.AIOHTTPTransport):  # type: ignore[name-defined, misc]
            """Sends where the connection points, and takes answers up to a size."""

            async def _post_internal(
                self, address: str, message: str | bytes, headers: dict[str, str] | None
            ) -> tuple[aiohttp.ClientResponse, bytes]:
                return await connection.post(address, message, headers or {})

        assert self._session is not None
        return Bound(session=self._session)

    async def post(
        self, address: str, message: str | bytes, headers: dict[str, str]
    ) -> tuple[aiohttp.ClientResponse, bytes]:
        """Send a message to the device and nobody else.

        Raises:
            NotAllowed: The message was for somebody else.
            Unauthorized: The device wants other credentials.
            Unreachable: It sends us elsewhere, or says too much.
        """
        parts = urlsplit(address)
        if (parts.scheme, parts.hostname, parts.port) != ("http", self.address, self.port):
            raise NotAllowed("the device names another host for its service")
        assert self._session is not None
        data = message.encode() if isinstance(message, str) else message
        headers.setdefault("Content-Type", 'application/soap+xml; charset="utf-8"')
        headers["Accept-Encoding"] = "identity"
        middlewares = ()
        if self._username is not None:
            middlewares = (aiohttp.DigestAuthMiddleware(self._username, self._password),)  # type: ignore[assignment]
        async with self._session.post(
            address, data=data, headers=headers, allow_redirects=False, middlewares=middlewares
        ) as response:
            if response.status in (401, 403):
                raise Unauthorized("the device refused the credentials")
            if 300 <= response.status < 400:
                raise Unreachable("the device sends us elsewhere")
            content = bytearray()
            async for chunk in response.content.iter_chunked(65_536):
                content += chunk
                if len(content) > _MOST_BYTES:
                    raise Unreachable("the device says too much")
            return response, bytes(content)

    async def _learn_clock(self) -> None:
        """Find by how much the device's clock is off: its proof of a password holds for a few seconds only."""
        proxy = await self._proxy("devicemgmt", proves=False)
        try:
            said = await self._answer(proxy.GetSystemDateAndTime())
            now = said.UTCDateTime
            theirs = datetime(
                now.Date.Year, now.Date.Month, now.Date.Day,
                now.Time.Hour, now.Time.Minute, min(59, now.Time.Second), tzinfo=UTC,
            )  # fmt: skip
            self._skew = theirs - datetime.now(UTC)
        except (Unauthorized, Unsupported, AttributeError, TypeError, ValueError, OverflowError):
            self._skew = None  # it does not say, so it is taken to be right

    async def _learn_services(self) -> None:
        """Learn the paths of the services; the host in them is ours, whatever the device says."""
        try:
            for entry in await self.call("devicemgmt", "GetServices", IncludeCapability=False) or ():
                service = _NAMESPACES.get(str(entry.Namespace))
                if service is not None and service != "devicemgmt":
                    self._put(service, entry.XAddr)
        except (Unsupported, AttributeError, TypeError):
            pass
        if "media" in self._paths:
            return
        try:
            found = await self.call("devicemgmt", "GetCapabilities", Category="All")
            for service, name in (("media", "Media"), ("ptz", "PTZ")):
                part = getattr(found, name, None)
                if part is not None:
                    self._put(service, getattr(part, "XAddr", None))  # type: ignore[arg-type]
        except (AttributeError, TypeError):
            return

    def _put(self, service: Service, address: object) -> None:
        path = urlsplit(str(address or "")).path
        if path.startswith("/") and len(path) <= 200:
            self._paths[service] = path


def _bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def _fault(fault: Any) -> StreamError:
    words = " ".join(
        [str(fault.code or ""), *map(str, fault.subcodes or ()), str(fault.message or "")]
    ).lower()
    if "notauthorized" in words or "failedauthentication" in words or "not authorized" in words:
        return Unauthorized("the device refused the credentials")
    if "actionnotsupported" in words or "not supported" in words or "notimplemented" in words:
        return Unsupported("the device does not support it")
    return Unreachable(f"the device refuses: {str(fault.message or fault.code)[:100]}")
