"""Talking to the service as its users do: sign in, keep the cookie, call, and take no for an answer.

Restarts, refusals and conflicts are ordinary here. A call is repeated with growing pauses and the same
idempotency key while the service is away or asks for patience; any other answer goes back to whoever asked.
"""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Final, Protocol

import httpx2

from command.demo.simulator.rates import Network
from command.demo.simulator.timing import Timing
from command.logs import get_logger

log = get_logger(__name__)

COOKIE: Final = "yiping_session"
API: Final = "/api/v1"
AGAIN: Final = frozenset({429, 500, 502, 503, 504})
"""Answers after which the same request is sent once more."""

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; status 0 when the service could not be reached at all."""

    status: int
    body: Json = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether it was done."""
        return 200 <= self.status < 300


class Account(Protocol):
    """Somebody who can call the service."""

    async def get(self, path: str, **query: str | float) -> Answer:
        """Read something below ``/api/v1``."""
        ...

    async def post(self, path: str, body: Mapping[str, object] | None = None) -> Answer:
        """Ask for something below ``/api/v1``."""
        ...

    async def upload(self, path: str, name: str, content: bytes) -> Answer:
        """Send a picture."""
        ...


class Api:
    """One connection pool for all accounts.

    Args:
        url: Of the service, such as ``http://127.0.0.1:8000``.
        network: How patient to be.
        timing: To wait with.
        transport: Instead of the network, for tests.
    """

    def __init__(
        self,
        url: str,
        network: Network,
        timing: Timing,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self.url = url.rstrip("/")
        self.requests = 0
        self.failures = 0
        self._network = network
        self._timing = timing
        self._rng = random.Random()
        self._gate = asyncio.Semaphore(network.at_once)
        self._client = httpx2.AsyncClient(
            base_url=self.url,
            timeout=network.timeout_s,
            transport=transport,
            trust_env=False,
            verify=True if self.url.startswith("https:") else False,
            limits=httpx2.Limits(max_connections=network.at_once, keepalive_expiry=30.0),
            # Every account brings its own cookie; a shared jar would mix them up.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        )

    async def call(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, object] | None = None,
        query: Mapping[str, str | float] | None = None,
        photo: tuple[str, bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[Answer, str | None]:
        """Send one request, repeated while the service is away.

        Returns:
            The answer, and the session cookie it set, if any.
        """
        sent = dict(headers or {})
        if method == "POST":
            sent["Idempotency-Key"] = uuid.uuid4().hex
        pause = self._network.first_pause_s
        answer: Answer = Answer(0)
        for attempt in range(self._network.attempts):
            if attempt:
                await self._timing.sleep(pause * self._rng.uniform(0.6, 1.4))
                pause = min(2 * pause, self._network.longest_pause_s)
            async with self._gate:
                self.requests += 1
                try:
                    response = await self._client.request(
                        method,
                        API + path,
                        json=body,
                        params=query,
                        files=None if photo is None else {"file": (photo[0], photo[1], "image/png")},
                        headers=sent,
                    )
                except (httpx2.HTTPError, OSError):
                    answer = Answer(0)
                    continue
            answer = Answer(response.status_code, _json(response))
            if response.status_code not in AGAIN:
                return answer, response.cookies.get(COOKIE)
            pause = max(pause, _retry_after(response, self._network.longest_pause_s))
        self.failures += 1
        return answer, None

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def _json(response: httpx2.Response) -> Json:
    try:
        found = response.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _retry_after(response: httpx2.Response, most_s: float) -> float:
    try:
        return min(float(response.headers.get("retry-after", "0")), most_s)
    except ValueError:
        return 0.0


class SignedIn:
    """An account with a password; signs in when first needed and again when its session has ended.

    Attributes:
        user_id: Empty before the first sign-in.
        cookie: Of the running session, None without one.
    """

    def __init__(self, api: Api, username: str, password: str) -> None:
        self.username = username
        self.user_id = ""
        self.name = ""
        self.cookie: str | None = None
        self._api = api
        self._password = password
        self._door = asyncio.Lock()

    async def sign_in(self) -> bool:
        """Open a session unless one is open."""
        async with self._door:
            if self.cookie is not None:
                return True
            body = {"username": self.username, "password": self._password}
            answer, cookie = await self._api.call("POST", "/session", body=body)
            if not answer.ok or cookie is None:
                log.warning("sign-in refused", username=self.username, status=answer.status)
                return False
            user = answer.body.get("user", {})
            self.user_id, self.name = str(user.get("id", "")), str(user.get("name", ""))
            self.cookie = cookie
            return True

    def forget(self) -> None:
        """Drop the session, so that the next call signs in."""
        self.cookie = None

    def headers(self) -> dict[str, str]:
        """Return what makes a request this account's."""
        return {} if self.cookie is None else {"Cookie": f"{COOKIE}={self.cookie}"}

    async def get(self, path: str, **query: str | float) -> Answer:
        """Read something below ``/api/v1``."""
        return await self._call("GET", path, query=query)

    async def post(self, path: str, body: Mapping[str, object] | None = None) -> Answer:
        """Ask for something below ``/api/v1``."""
        return await self._call("POST", path, body=body)

    async def upload(self, path: str, name: str, content: bytes) -> Answer:
        """Send a picture."""
        return await self._call("POST", path, photo=(name, content))

    async def _call(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, object] | None = None,
        query: Mapping[str, str | float] | None = None,
        photo: tuple[str, bytes] | None = None,
    ) -> Answer:
        for _ in range(2):
            if not await self.sign_in():
                return Answer(401)
            used = self.cookie
            answer, _cookie = await self._api.call(
                method, path, body=body, query=query, photo=photo, headers=self.headers()
            )
            if answer.status != 401:
                return answer
            if self.cookie == used:
                self.forget()
        return answer
