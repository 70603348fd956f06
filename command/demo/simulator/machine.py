"""An account that is a token: the sensors'."""

from __future__ import annotations

from collections.abc import Mapping

from command.demo.simulator.clients import Answer, Api


class Machine:
    """An account that is a token: the sensors'."""

    def __init__(self, api: Api, token: str) -> None:
        self._api = api
        self._headers = {"Authorization": f"Bearer {token}"}

    async def get(self, path: str, **query: str | float) -> Answer:
        """Read something below ``/api/v1``."""
        return (await self._api.call("GET", path, query=query, headers=self._headers))[0]

    async def post(self, path: str, body: Mapping[str, object] | None = None) -> Answer:
        """Ask for something below ``/api/v1``."""
        return (await self._api.call("POST", path, body=body, headers=self._headers))[0]

    async def upload(self, path: str, name: str, content: bytes) -> Answer:
        """Send a picture."""
        return (await self._api.call("POST", path, photo=(name, content), headers=self._headers))[0]
