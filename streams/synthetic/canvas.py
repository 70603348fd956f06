"""Drawing at twice the size, with lamps and lit windows kept apart so that night can fall.

Coordinates are pixels of the finished picture, 640 × 360, and may be fractions; colours are 0xRRGGBB.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

WIDTH: Final = 640
HEIGHT: Final = 360
_SCALE: Final = 2
_SHIFT: Final = 4
_LIGHT_STEP: Final = 4

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]
Point = tuple[float, float]
Points = Sequence[Point] | NDArray[np.float64]


_TURN = np.linspace(0, 2 * np.pi, 28, endpoint=False)
_CIRCLE: Final = np.stack([np.cos(_TURN), np.sin(_TURN)], axis=1)


def bgr(colour: int) -> tuple[int, int, int]:
    """Return a colour as OpenCV wants it."""
    return colour & 255, (colour >> 8) & 255, colour >> 16


def mix(first: int, second: int, share: float) -> int:
    """Return a colour between two; 0 is the first."""
    share = min(1.0, max(0.0, share))
    parts = [
        round(((first >> bits) & 255) * (1 - share) + ((second >> bits) & 255) * share) << bits
        for bits in (16, 8, 0)
    ]
    return sum(parts)


def tone(colour: int, factor: float) -> int:
    """Return a colour lighter (above 1) or darker."""
    return mix(colour, 0xFFFFFF if factor > 1 else 0, abs(factor - 1))


@dataclass(frozen=True, slots=True)
class Lamp:
    """A pool of light: centre and radii in pixels, strength 1 is as bright as day."""

    x: float
    y: float
    rx: float
    ry: float
    strength: float


class Canvas:
    """What does not move: a picture by day, and what shines when it is dark.

    Args:
        sky: Colour at the top.
        low: Colour of the sky at the horizon; also the haze that far things take on.
        horizon: Row at which the gradient ends.
        seed: Of textures.
    """

    def __init__(self, sky: int, low: int, horizon: float, seed: int) -> None:
        self.haze = low
        self.chance = np.random.default_rng(seed)
        self.lamps: list[Lamp] = []
        height, width = HEIGHT * _SCALE, WIDTH * _SCALE
        share = np.clip(np.arange(height) / max(1.0, horizon * _SCALE), 0, 1)[:, None]
        column = np.array(bgr(sky)) * (1 - share) + np.array(bgr(low)) * share
        self.day = np.repeat(column[:, None, :], width, axis=1).astype(np.uint8)
        self.glow = np.zeros_like(self.day)
        self.sky = np.full((height, width), 255, np.uint8)

    # Shapes

    def polygon(self, points: Points, colour: int, *, shines: int | None = None) -> None:
        """Fill a polygon; with ``shines`` it has that colour in the dark, without needing light."""
        corners = self._fixed(points)
        cv2.fillPoly(self.day, [corners], bgr(colour), cv2.LINE_AA, _SHIFT)
        cv2.fillPoly(self.sky, [corners], 0, cv2.LINE_8, _SHIFT)
        cv2.fillPoly(self.glow, [corners], bgr(shines or 0), cv2.LINE_AA, _SHIFT)

    def rectangle(
        self, x: float, y: float, w: float, h: float, colour: int, *, shines: int | None = None
    ) -> None:
        """Fill an upright rectangle."""
        self.polygon([(x, y), (x + w, y), (x + w, y + h), (x, y + h)], colour, shines=shines)

    def line(self, points: Points, colour: int, width: float = 1.0) -> None:
        """Draw a line through points."""
        corners = self._fixed(points)
        thick = max(1, round(width * _SCALE))
        cv2.polylines(self.day, [corners], False, bgr(colour), thick, cv2.LINE_AA, _SHIFT)
        cv2.polylines(self.sky, [corners], False, 0, thick, cv2.LINE_8, _SHIFT)
        cv2.polylines(self.glow, [corners], False, 0, thick, cv2.LINE_8, _SHIFT)

    def ellipse(
        self, x: float, y: float, rx: float, ry: float, colour: int, *, shines: int | None = None
    ) -> None:
        """Fill an ellipse."""
        points = _CIRCLE * (rx, ry) + (x, y)
        self.polygon(points, colour, shines=shines)

    def gradient(self, points: Points, top: int, bottom: int) -> None:
        """Fill a polygon with a vertical gradient."""
        found = self._cover(points)
        if found is None:
            return
        rows, columns, cover = found
        share = np.linspace(0, 1, cover.shape[0], dtype=np.float32)[:, None]
        column = np.array(bgr(top), np.float32) * (1 - share) + np.array(bgr(bottom), np.float32) * share
        inside = cover[..., 0] > 0.5
        np.copyto(self.day[rows, columns], column.astype(np.uint8)[:, None, :], where=inside[..., None])
        np.copyto(self.sky[rows, columns], np.uint8(0), where=inside)
        np.copyto(self.glow[rows, columns], np.uint8(0), where=inside[..., None])

    def texture(self, points: Points, strength: float, grain: float = 3.0, *, stretch: float = 1.0) -> None:
        """Roughen a polygon: asphalt, gravel, grass, plaster.

        Args:
            points: Corners.
            strength: Deviation of brightness.
            grain: Size of its spots in pixels.
            stretch: How much wider than high the spots are.
        """
        found = self._cover(points)
        if found is None:
            return
        rows, columns, cover = found
        height, width = cover.shape[:2]
        cells = (max(2, int(height / grain / _SCALE)), max(2, int(width / grain / stretch / _SCALE)))
        rough = self.chance.standard_normal(cells, dtype=np.float32) * np.float32(strength)
        wide = cv2.resize(rough, (width, height), interpolation=cv2.INTER_CUBIC)[..., None]
        part = self.day[rows, columns]
        part[:] = np.clip(part + wide * cover, 0, 255).astype(np.uint8)

    def _cover(self, points: Points) -> tuple[slice, slice, Floats] | None:
        """Return the box around a polygon and how much of each of its pixels lies inside."""
        corners = self._fixed(points)
        height, width = self.sky.shape
        low = corners.reshape(-1, 2).min(axis=0) >> _SHIFT
        high = (corners.reshape(-1, 2).max(axis=0) >> _SHIFT) + 2
        x0, y0 = max(0, int(low[0])), max(0, int(low[1]))
        x1, y1 = min(width, int(high[0])), min(height, int(high[1]))
        if x0 >= x1 or y0 >= y1:
            return None
        mask = np.zeros((y1 - y0, x1 - x0), np.uint8)
        moved = corners - np.array([x0 << _SHIFT, y0 << _SHIFT], np.int32)
        cv2.fillPoly(mask, [moved], 255, cv2.LINE_AA, _SHIFT)
        cover: Floats = (mask.astype(np.float32) / np.float32(255))[..., None]
        return slice(y0, y1), slice(x0, x1), cover

    # Light

    def lamp(self, x: float, y: float, rx: float, ry: float, strength: float = 0.9) -> None:
        """Light the ground in the dark."""
        self.lamps.append(Lamp(x, y, rx, ry, strength))

    def backdrop(self) -> "Backdrop":
        """Return what was drawn, at its final size."""
        size = (WIDTH, HEIGHT)
        day = cv2.resize(self.day, size, interpolation=cv2.INTER_AREA)
        glow = cv2.resize(self.glow, size, interpolation=cv2.INTER_AREA)
        sky = cv2.resize(self.sky, size, interpolation=cv2.INTER_AREA)
        return Backdrop(np.asarray(day), np.asarray(glow), np.asarray(sky), _light(self.lamps))

    @staticmethod
    def _fixed(points: Points) -> NDArray[np.int32]:
        scaled = np.asarray(points, np.float64).reshape(-1, 1, 2) * _SCALE
        return np.asarray(np.clip(np.round(scaled * (1 << _SHIFT)), -(1 << 19), 1 << 19), np.int32)


def _light(lamps: Sequence[Lamp]) -> Floats:
    rows, columns = HEIGHT // _LIGHT_STEP, WIDTH // _LIGHT_STEP
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32) * _LIGHT_STEP
    light = np.zeros((rows, columns), np.float32)
    for lamp in lamps:
        light += lamp.strength * np.exp(-(((x - lamp.x) / lamp.rx) ** 2) - ((y - lamp.y) / lamp.ry) ** 2)
    return light


@dataclass(frozen=True, slots=True)
class Backdrop:
    """A drawn place without anything that moves.

    Attributes:
        day: As it looks in daylight.
        glow: What shines in the dark.
        sky: 255 where the sky is.
        light: Light of the lamps, at a quarter of the size.
    """

    day: Pixels
    glow: Pixels
    sky: Pixels
    light: Floats

    def lit(self, daylight: float, *, infrared: bool) -> "Lit":
        """Return the place at some hour.

        Args:
            daylight: 1 by day, 0 at night.
            infrared: In the dark the camera sees by its own lamp, without colours.
        """
        dark = 1.0 - daylight
        dusk = 4 * daylight * dark
        tint = np.array([0.30, 0.245, 0.215]) * dark + daylight + dusk * np.array([-0.08, -0.06, -0.01])
        ambient: Floats = tint.astype(np.float32)
        lamps = cv2.resize(self.light, (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR)[..., None]
        warm = np.array([0.62, 0.86, 1.0], np.float32)
        lamp_share = dark**2  # they outshine the sky only when it is nearly dark
        shine = np.clip(lamps, 0, 1.15) * warm * lamp_share
        picture: Floats = self.day.astype(np.float32) * (ambient + shine)
        sky = (self.sky.astype(np.float32) / 255)[..., None]
        if dark:
            rows = np.linspace(0, 1, HEIGHT, dtype=np.float32)[:, None, None]
            night = np.array([22, 17, 13], np.float32) + rows * np.array([30, 24, 22], np.float32)
            evening = np.array([120, 108, 104], np.float32) + rows * np.array([-30, 50, 150], np.float32)
            plain = night * dark + self.day * daylight
            above: Floats = (plain * (1 - 0.45 * dusk) + evening * 0.45 * dusk).astype(np.float32)
            picture *= 1 - sky
            picture += above * sky
            glow = self.glow.astype(np.float32)
            bloom = cv2.GaussianBlur(cv2.resize(glow, (WIDTH // 4, HEIGHT // 4)), (0, 0), 4)
            np.maximum(picture, glow * dark, out=picture)
            picture += cv2.resize(bloom, (WIDTH, HEIGHT)) * (0.55 * lamp_share)
        y, x = np.mgrid[-1 : 1 : HEIGHT * 1j, -1 : 1 : WIDTH * 1j].astype(np.float32)
        picture *= (1 - (0.07 + 0.16 * dark) * (x * x + y * y))[..., None]
        if infrared and dark > 0.5:
            spot = 0.55 + 0.95 * np.exp(-(x**2) / 0.55 - (y - 0.35) ** 2 / 0.8)
            grey = (0.35 * picture.mean(axis=2) + 0.36 * self.day.mean(axis=2) * (1 - sky[..., 0])) * spot
            picture = grey[..., None] * np.array([0.96, 1.0, 0.95], np.float32)
        ground = np.clip(picture, 0, 255).astype(np.uint8)
        return Lit(ground, daylight, infrared and dark > 0.5, ambient, self.light * lamp_share)


@dataclass(frozen=True, slots=True)
class Lit:
    """A place at some hour, and how bright it is where.

    Attributes:
        ground: The picture.
        daylight: 1 by day, 0 at night.
        infrared: Without colours.
        ambient: Light from the sky, blue, green, red.
        light: Light of the lamps, at a quarter of the size.
    """

    ground: Pixels
    daylight: float
    infrared: bool
    ambient: Floats
    light: Floats

    def shade(self, x: float, y: float) -> tuple[float, float, float]:
        """Return the factors (blue, green, red) by which something at a place is darker than by day."""
        rows, columns = self.light.shape
        row = min(rows - 1, max(0, int(y) // _LIGHT_STEP))
        column = min(columns - 1, max(0, int(x) // _LIGHT_STEP))
        lamp = min(1.0, float(self.light[row, column]))
        if self.infrared:
            grey = 0.75 if y > HEIGHT / 2 else 0.5
            return grey, grey, grey
        blue, green, red = (float(part) for part in self.ambient)
        return blue + 0.62 * lamp, green + 0.86 * lamp, red + lamp
