"""PTZCmd: the eight bytes, written in hexadecimal, that move a camera.

::

    A5 | version and check | address | command | pan speed | tilt speed | zoom speed << 4 | sum of the seven
"""

from dataclasses import dataclass
from typing import Final, Literal

from streams.gb28181.messages import Motion

_RIGHT, _LEFT, _DOWN, _UP, _IN, _OUT = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20
_PRESET: Final = {"save": 0x81, "call": 0x82, "remove": 0x83}
_MOST_PAN: Final = 255
_MOST_ZOOM: Final = 15


@dataclass(frozen=True, slots=True)
class Command:
    """What a PTZCmd says, read by the device.

    Attributes:
        motion: How it moves; None for a preset command.
        preset: Its number; 0 for motion.
        action: What to do with the preset.
    """

    motion: Motion | None
    preset: int = 0
    action: Literal["save", "call", "remove", ""] = ""


def move(motion: Motion) -> str:
    """Return the command for a motion; speeds are rounded up, so that the slowest still moves."""
    command = pan = tilt = zoom = 0
    if motion.pan:
        command |= _RIGHT if motion.pan > 0 else _LEFT
        pan = _speed(motion.pan, _MOST_PAN)
    if motion.tilt:
        command |= _UP if motion.tilt > 0 else _DOWN
        tilt = _speed(motion.tilt, _MOST_PAN)
    if motion.zoom:
        command |= _IN if motion.zoom > 0 else _OUT
        zoom = _speed(motion.zoom, _MOST_ZOOM)
    return _written(command, pan, tilt, zoom << 4)


def preset(number: int, action: Literal["save", "call", "remove"]) -> str:
    """Return the command for a preset, 1 … 255.

    Raises:
        ValueError: The number is outside.
    """
    if not 1 <= number <= 255:
        raise ValueError("a preset is 1 … 255")
    return _written(_PRESET[action], 0, number, 0)


def read(text: str) -> Command | None:
    """Return what a command says, or None when it is none or its sum is wrong."""
    try:
        data = bytes.fromhex(text.strip())
    except ValueError:
        return None
    if len(data) != 8 or data[0] != 0xA5 or sum(data[:7]) & 0xFF != data[7]:
        return None
    if (data[0] >> 4) + (data[0] & 0x0F) + (data[1] >> 4) & 0x0F != data[1] & 0x0F:
        return None
    command = data[3]
    for action, code in _PRESET.items():
        if command == code:
            return Command(None, data[5], action)  # type: ignore[arg-type]
    if command & 0xC0:
        return None  # focus, iris, scanning: not used here
    pan = data[4] / _MOST_PAN * _sign(command, _RIGHT, _LEFT)
    tilt = data[5] / _MOST_PAN * _sign(command, _UP, _DOWN)
    zoom = (data[6] >> 4) / _MOST_ZOOM * _sign(command, _IN, _OUT)
    return Command(Motion(pan=pan, tilt=tilt, zoom=zoom))


def _speed(value: float, most: int) -> int:
    return max(1, min(most, round(abs(value) * most)))


def _sign(command: int, plus: int, minus: int) -> int:
    return bool(command & plus) - bool(command & minus)


def _written(command: int, first: int, second: int, third: int) -> str:
    data = bytes((0xA5, 0x0F, 0x01, command, first, second, third))
    return (data + bytes((sum(data) & 0xFF,))).hex().upper()
