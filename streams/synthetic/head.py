"""The pan-tilt head of a drawn camera: the part of the scene it looks at."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from streams.synthetic.canvas import HEIGHT, WIDTH

_SPEED_PER_S: Final = 0.55
_ZOOM_PER_S: Final = 0.8
_WIDEST: Final = 1.3
_CLOSEST: Final = 4.0
PRESETS: Final = 32


@dataclass(frozen=True, slots=True)
class Aim:
    """Where a head looks: pan and tilt -1 to 1 (right and up are positive), zoom from 1.3 to 4."""

    pan: float = 0.0
    tilt: float = 0.0
    zoom: float = _WIDEST

    def window(self) -> tuple[int, int, int, int]:
        """Return the part of the scene it sees: left, top, width, height."""
        width, height = round(WIDTH / self.zoom), round(HEIGHT / self.zoom)
        left = (WIDTH - width) * (self.pan + 1) / 2
        top = (HEIGHT - height) * (1 - self.tilt) / 2
        return round(left), round(top), width, height


class Head:
    """Moves as long as it is told to, and stops at its ends.

    Args:
        clock: Seconds since 1970.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._from = Aim()
        self._speed = (0.0, 0.0, 0.0)
        self._since = clock()
        self._presets: dict[int, tuple[str, Aim]] = {
            1: ("全景", Aim()),
            2: ("左侧", Aim(-1.0, 0.0, 1.6)),
            3: ("右侧", Aim(1.0, 0.0, 1.6)),
        }

    @property
    def presets(self) -> dict[int, str]:
        """Number → name of the stored positions."""
        return {number: name for number, (name, _) in sorted(self._presets.items())}

    def aim(self, at: float | None = None) -> Aim:
        """Return where it looks at a time, by default now."""
        passed = max(0.0, (self._clock() if at is None else at) - self._since)
        pan, tilt, zoom = self._speed
        return Aim(
            _clamped(self._from.pan + pan * passed * _SPEED_PER_S / self._from.zoom, -1, 1),
            _clamped(self._from.tilt + tilt * passed * _SPEED_PER_S / self._from.zoom, -1, 1),
            _clamped(self._from.zoom * (1 + _ZOOM_PER_S) ** (zoom * passed), _WIDEST, _CLOSEST),
        )

    def move(self, pan: float, tilt: float, zoom: float) -> None:
        """Start to move, at speeds from -1 to 1."""
        self._from, self._since = self.aim(), self._clock()
        self._speed = (_clamped(pan, -1, 1), _clamped(tilt, -1, 1), _clamped(zoom, -1, 1))

    def step(self, pan: float, tilt: float, zoom: float) -> None:
        """Turn by a part of the range and stop."""
        now = self.aim()
        self._go(
            Aim(
                _clamped(now.pan + pan, -1, 1),
                _clamped(now.tilt + tilt, -1, 1),
                _clamped(now.zoom + zoom * (_CLOSEST - _WIDEST), _WIDEST, _CLOSEST),
            )
        )

    def stop(self) -> None:
        """Stop where it is."""
        self.move(0, 0, 0)

    def goto(self, number: int) -> bool:
        """Look where a stored position looks; False when there is none."""
        found = self._presets.get(number)
        if found is not None:
            self._go(found[1])
        return found is not None

    def store(self, number: int, name: str = "") -> bool:
        """Keep the present position under a number; False when the number is out of range."""
        if not 1 <= number <= PRESETS:
            return False
        known = self._presets.get(number)
        self._presets[number] = (name or (known[0] if known else f"预置位 {number}"), self.aim())
        return True

    def forget(self, number: int) -> None:
        """Forget a stored position."""
        self._presets.pop(number, None)

    def _go(self, aim: Aim) -> None:
        self._from, self._speed, self._since = aim, (0.0, 0.0, 0.0), self._clock()


def _clamped(value: float, low: float, high: float) -> float:
    return min(high, max(low, value))
