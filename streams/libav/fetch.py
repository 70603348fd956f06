"""Every byte FFmpeg reads over HTTP comes through here: one address, no redirect, no other host.

A playlist is input, and the segments it names are addresses that somebody else chose. FFmpeg would fetch them
from anywhere; this opener refuses whatever is not the camera itself.
"""

import base64
import http.client
import ssl
import urllib.parse
from collections.abc import Callable

from streams.errors import NotAllowed, Unauthorized, Unreachable
from streams.source import Source


class Body:
    """A response as the file FFmpeg reads."""

    def __init__(self, connection: http.client.HTTPConnection, response: http.client.HTTPResponse) -> None:
        self._connection = connection
        self._response = response

    def read(self, size: int) -> bytes:
        """Return at most ``size`` bytes, as soon as there are any."""
        return self._response.read1(size)

    def close(self) -> None:
        """Let go of the connection."""
        self._response.close()
        self._connection.close()


def opener(source: Source, address: str, timeout_s: float) -> Callable[[str, int, object], Body]:
    """Return the function that PyAV calls for everything it wants to open.

    Args:
        source: The camera; only its own host and port are fetched from.
        address: Where that host is; connected to instead of the name.
        timeout_s: Longest wait for the network.
    """

    def open_url(url: str, flags: int, options: object) -> Body:
        del flags, options
        found = urllib.parse.urlsplit(url)
        port = found.port or (443 if found.scheme == "https" else 80)
        if (
            found.scheme not in ("http", "https")
            or found.hostname not in (source.host.strip("[]").lower(), address)
            or port != source.effective_port
        ):
            raise NotAllowed("the stream points to another host")
        if found.scheme == "https":
            # Cameras bring certificates of their own making; the address was checked, not the name.
            context = ssl.create_default_context()
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            connection: http.client.HTTPConnection = http.client.HTTPSConnection(
                address, port, timeout=timeout_s, context=context
            )
        else:
            connection = http.client.HTTPConnection(address, port, timeout=timeout_s)
        headers = {"Host": found.netloc.rpartition("@")[2]}
        if source.username is not None:
            pair = f"{source.username}:{source.password or ''}".encode()
            headers["Authorization"] = "Basic " + base64.b64encode(pair).decode()
        target = found.path or "/"
        try:
            connection.request("GET", f"{target}?{found.query}" if found.query else target, headers=headers)
            response = connection.getresponse()
        except OSError as error:
            raise Unreachable(error.strerror or type(error).__name__) from None
        if response.status in (401, 403):
            raise Unauthorized("the device refused the credentials")
        if response.status != 200:
            raise Unreachable(f"HTTP {response.status}")
        return Body(connection, response)

    return open_url
