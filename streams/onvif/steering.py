"""Moving a camera by ONVIF."""

import asyncio
from datetime import timedelta
from typing import Final

from streams.errors import Unreachable, Unsupported
from streams.onvif.messages import OnvifPreset
from streams.onvif.wire import Connection
from streams.source import Admission, Source

HOLD_S: Final = 1.0
"""A movement ends by itself so long after the last order: a broken line must not turn a camera round."""
_MOST_PRESETS: Final = 300


class Steering:
    """Moves one camera. Orders are carried out one after the other.

    Args:
        source: Of the camera; its ``control_port`` and ``control_profile`` say what is moved.
        admission: Where we may connect to.
        timeout_s: For each answer.
    """

    def __init__(self, source: Source, admission: Admission, *, timeout_s: float = 5.0) -> None:
        self._source = source
        self._admission = admission
        self._timeout_s = timeout_s
        self._port = source.control_port
        self._token = source.control_profile or ""
        self._connection: Connection | None = None
        self._tokens: dict[int, str] = {}
        self._lock = asyncio.Lock()

    async def move(self, pan: float, tilt: float, zoom: float, *, hold_s: float = HOLD_S) -> None:
        """Move at speeds from -1 to 1 (right, up and in are positive) until stopped, at most ``hold_s``.

        Raises:
            StreamError: It cannot be moved, or did not answer.
        """
        velocity = {
            "PanTilt": {"x": _bounded(pan), "y": _bounded(tilt)},
            "Zoom": {"x": _bounded(zoom)},
        }
        timeout = timedelta(seconds=hold_s)
        await self._do("ContinuousMove", Velocity=velocity, Timeout=timeout)

    async def step(self, pan: float, tilt: float, zoom: float) -> None:
        """Turn by a part of the range, -1 to 1.

        Raises:
            StreamError: It cannot be moved, or did not answer.
        """
        translation = {
            "PanTilt": {"x": _bounded(pan), "y": _bounded(tilt)},
            "Zoom": {"x": _bounded(zoom)},
        }
        await self._do("RelativeMove", Translation=translation)

    async def stop(self) -> None:
        """Stop.

        Raises:
            StreamError: It cannot be moved, or did not answer.
        """
        await self._do("Stop", PanTilt=True, Zoom=True)

    async def presets(self) -> list[OnvifPreset]:
        """Return the stored positions by number.

        Raises:
            StreamError: It has none, or did not answer.
        """
        answer = await self._do("GetPresets")
        said = answer[:_MOST_PRESETS] if isinstance(answer, list) else []
        named = [(str(each.token), str(each.Name or "")) for each in said if getattr(each, "token", None)]
        taken = {int(token) for token, _ in named if _counts(token)}
        free = (number for number in range(1, 2 * _MOST_PRESETS + 2) if number not in taken)
        found = [
            OnvifPreset(
                number=int(token) if _counts(token) else next(free), name=name[:80], token=token[:100]
            )
            for token, name in named
        ]
        self._tokens = {preset.number: preset.token for preset in found}
        return sorted(found, key=lambda preset: preset.number)

    async def goto(self, number: int) -> None:
        """Look where a stored position looks.

        Raises:
            Unsupported: There is no such position.
            StreamError: It cannot be moved, or did not answer.
        """
        await self._do("GotoPreset", PresetToken=await self._known(number))

    async def save(self, number: int, name: str = "") -> None:
        """Store the present position.

        Raises:
            StreamError: It cannot, or did not answer.
        """
        await self.presets()
        token = self._tokens.get(number, f"{number}")
        words = {"PresetName": name or f"{number}"}
        try:
            given = await self._do("SetPreset", **words, PresetToken=token)
        except (Unreachable, Unsupported):
            if number in self._tokens:
                raise
            given = await self._do("SetPreset", **words)  # a device that gives out the tokens itself
        self._tokens[number] = str(given or token)

    async def close(self) -> None:
        """Close the connection; the next order opens one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def _known(self, number: int) -> str:
        if number not in self._tokens:
            await self.presets()
        if number not in self._tokens:
            raise Unsupported(f"the camera has no preset {number}")
        return self._tokens[number]

    async def _do(self, method: str, **arguments: object) -> object:
        if not self._port or not self._token:
            raise Unsupported("nothing says how this camera is moved")
        async with self._lock:
            try:
                device = await self._opened()
                return await device.call("ptz", method, ProfileToken=self._token, **arguments)
            except BaseException:
                # Whatever it was, the next order begins anew: the device may have been replaced or set right.
                await self.close()
                raise

    async def _opened(self) -> Connection:
        if self._connection is None:
            source = self._source
            address = await self._admission.resolve(source.host)
            self._connection = Connection(
                address, self._port, source.username, source.password, timeout_s=self._timeout_s
            )
            await self._connection.open()
        return self._connection


def _bounded(value: float) -> float:
    return round(min(1.0, max(-1.0, value)), 3)


def _counts(token: str) -> bool:
    return token.isascii() and token.isdigit() and 1 <= int(token) <= _MOST_PRESETS
