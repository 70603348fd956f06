"""Drawn photos: a street under the sky with what was reported, as a small PNG made of nothing but numbers."""

from __future__ import annotations

import random
import struct
import zlib
from typing import Final

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.float64]
Colour = tuple[float, float, float]

_SKIES: Final = (
    ((150, 178, 205), (214, 222, 226)),
    ((96, 118, 148), (188, 182, 172)),
    ((24, 30, 48), (58, 62, 80)),
)
_GROUND: Final = {"river": (82, 108, 118), "tree": (96, 112, 84), "rock": (126, 116, 100)}
_ASPHALT: Final = (98, 98, 102)


def png(pixels: NDArray[np.uint8]) -> bytes:
    """Return an image as a PNG file.

    Args:
        pixels: (height, width, 3) red, green, blue.
    """
    height, width, _ = pixels.shape

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    rows = np.concatenate([np.zeros((height, 1), np.uint8), pixels.reshape(height, width * 3)], axis=1)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows.tobytes(), 6))
        + chunk(b"IEND", b"")
    )


def photo(subject: str, rng: random.Random, longest_px: int = 360) -> bytes:
    """Draw a scene.

    Args:
        subject: A key of `_DRAW`; anything else is a street.
        rng: Light, houses and places of things.
        longest_px: Width; the height is three quarters of it.
    """
    width, height = longest_px, longest_px * 3 // 4
    canvas = _Canvas(width, height)
    top, bottom = rng.choice(_SKIES)
    horizon = rng.uniform(0.42, 0.52)
    canvas.sky(top, bottom)
    for k in range(7):
        tall = rng.uniform(0.08, 0.3)
        grey = rng.uniform(70, 150)
        x = k / 7 + rng.uniform(-0.03, 0.03)
        canvas.box(x, horizon - tall, x + rng.uniform(0.1, 0.17), horizon, (grey, grey * 0.97, grey * 0.92))
    ground = _GROUND.get(subject, (136, 132, 122))
    canvas.box(0, horizon, 1, 1, (float(ground[0]), float(ground[1]), float(ground[2])))
    if subject != "river":
        canvas.road(horizon, _ASPHALT)
    _DRAW.get(subject, _street)(canvas, horizon, rng)
    return png(canvas.finish(rng))


class _Canvas:
    """Shapes in shares of the picture, 0 to 1 from the upper left."""

    def __init__(self, width: int, height: int) -> None:
        self._x = (np.arange(width) + 0.5)[None, :] / width
        self._y = (np.arange(height) + 0.5)[:, None] / height
        self._pixels: Pixels = np.zeros((height, width, 3))

    def sky(self, top: Colour, bottom: Colour) -> None:
        share = self._y[..., None]
        self._pixels[:] = np.array(top) * (1 - share) + np.array(bottom) * share

    def box(self, x0: float, y0: float, x1: float, y1: float, colour: Colour) -> None:
        self._pixels[(self._x >= x0) & (self._x < x1) & (self._y >= y0) & (self._y < y1)] = colour

    def road(self, horizon: float, colour: Colour) -> None:
        depth = (self._y - horizon) / (1 - horizon)
        inside = (depth > 0) & (abs(self._x - 0.5) < 0.04 + 0.42 * depth)
        self._pixels[inside] = colour
        dashes = inside & (abs(self._x - 0.5) < 0.004 + 0.012 * depth) & ((depth * 9) % 1 < 0.5)
        self._pixels[dashes] = (214, 210, 190)

    def spot(self, x: float, y: float, rx: float, ry: float, colour: Colour, opacity: float = 1.0) -> None:
        away = ((self._x - x) / rx) ** 2 + ((self._y - y) / ry) ** 2
        share = (np.clip((1.0 - away) * 3, 0, 1) * opacity)[..., None]
        self._pixels[:] = self._pixels * (1 - share) + np.array(colour) * share

    def finish(self, rng: random.Random) -> NDArray[np.uint8]:
        grain = np.random.default_rng(rng.getrandbits(32)).normal(0, 2.2, self._pixels.shape[:2])
        edge = 1 - 0.45 * ((self._x - 0.5) ** 2 + (self._y - 0.5) ** 2)
        return np.asarray(np.clip(self._pixels * edge[..., None] + grain[..., None], 0, 255), np.uint8)


def _cones(canvas: _Canvas, x: float, y: float) -> None:
    for k in range(3):
        left = x + 0.13 * k
        canvas.box(left, y, left + 0.022, y + 0.07, (228, 96, 32))
        canvas.box(left, y + 0.025, left + 0.022, y + 0.04, (240, 240, 236))


def _hole(canvas: _Canvas, horizon: float, rng: random.Random) -> None:
    x, y = rng.uniform(0.42, 0.58), rng.uniform(0.72, 0.82)
    canvas.spot(x, y, 0.15, 0.08, (60, 52, 46))
    canvas.spot(x, y + 0.01, 0.11, 0.055, (20, 18, 18))
    _cones(canvas, x - 0.16, y - 0.1)


def _smoke(canvas: _Canvas, horizon: float, rng: random.Random) -> None:
    x = rng.uniform(0.3, 0.7)
    for k in range(9):
        size = 0.05 + 0.016 * k
        canvas.spot(x + 0.02 * k, horizon - 0.045 * k, size, size, (168, 164, 162), 0.6)


def _fire(canvas: _Canvas, horizon: float, rng: random.Random) -> None:
    _smoke(canvas, horizon - 0.04, rng)
    x = rng.uniform(0.35, 0.6)
    canvas.spot(x, horizon - 0.03, 0.08, 0.1, (222, 92, 28), 0.9)
    canvas.spot(x, horizon, 0.045, 0.06, (250, 206, 96), 0.9)


def _cars(canvas: _Canvas, horizon: float, rng: random.Random) -> None:
    y = rng.uniform(0.66, 0.76)
    for x, colour in ((0.33, (176, 44, 40)), (0.52, (212, 214, 218))):
        canvas.box(x, y, x + 0.17, y + 0.09, colour)
        canvas.box(x + 0.03, y - 0.05, x + 0.14, y, (44, 52, 62))
        for wheel in (x + 0.04, x + 0.13):
            canvas.spot(wheel, y + 0.09, 0.022, 0.03, (18, 18, 20))


def _river(canvas: _Canvas, horizon: float, rng: random.Random) -> None:
    for k in range(8):
        y = horizon + (1 - horizon) * (k + 0.5) / 8
        canvas.spot(rng.uniform(0.1, 0.9), y, 0.22, 0.008, (128, 152, 160), 0.7)
    canvas.box(0, 0.92, 1, 1, (128, 118, 96))


def _rock(canvas: _Canvas, horizon: float, rng: random.Random) -> None:
    for _ in range(7):
        grey = rng.uniform(90, 140)
        size = rng.uniform(0.03, 0.09)
        spot = (rng.uniform(0.25, 0.75), rng.uniform(0.66, 0.88))
        canvas.spot(*spot, size, size * 0.7, (grey, grey * 0.95, grey * 0.86))


def _tree(canvas: _Canvas, horizon: float, rng: random.Random) -> None:
    x = rng.uniform(0.3, 0.7)
    canvas.box(x - 0.015, horizon - 0.1, x + 0.015, 0.85, (84, 64, 48))
    for _ in range(6):
        canvas.spot(
            x + rng.uniform(-0.1, 0.1), horizon - rng.uniform(0.02, 0.2), 0.1, 0.09, (62, 96, 58), 0.9
        )


def _lamp(canvas: _Canvas, horizon: float, rng: random.Random) -> None:
    for k in range(4):
        x = 0.12 + 0.25 * k
        canvas.box(x, horizon - 0.3 + 0.03 * k, x + 0.012, 0.8, (52, 54, 58))
        canvas.box(x - 0.03, horizon - 0.31 + 0.03 * k, x + 0.04, horizon - 0.29 + 0.03 * k, (40, 42, 46))


def _bin(canvas: _Canvas, horizon: float, rng: random.Random) -> None:
    for k in range(3):
        canvas.box(0.28 + 0.14 * k, 0.6, 0.39 + 0.14 * k, 0.8, (52, 108, 84))
    for _ in range(12):
        tint = rng.uniform(90, 210)
        canvas.spot(
            rng.uniform(0.24, 0.74), rng.uniform(0.78, 0.88), 0.03, 0.022, (tint, tint * 0.9, tint * 0.8)
        )


def _works(canvas: _Canvas, horizon: float, rng: random.Random) -> None:
    for k in range(9):
        x = 0.2 + 0.075 * k
        canvas.box(x, horizon - 0.32, x + 0.008, 0.72, (176, 142, 60))
    for k in range(5):
        canvas.box(0.2, horizon - 0.3 + 0.11 * k, 0.81, horizon - 0.29 + 0.11 * k, (150, 120, 52))
    _cones(canvas, 0.3, 0.78)


def _wire(canvas: _Canvas, horizon: float, rng: random.Random) -> None:
    for k in range(60):
        x = 0.2 + 0.01 * k
        canvas.spot(x, horizon - 0.12 + 0.5 * (x - 0.5) ** 2, 0.006, 0.008, (18, 18, 18))
    _cars(canvas, horizon, rng)


def _hydrant(canvas: _Canvas, horizon: float, rng: random.Random) -> None:
    canvas.spot(0.5, 0.86, 0.24, 0.05, (70, 78, 88), 0.8)
    canvas.box(0.46, 0.62, 0.54, 0.84, (186, 40, 34))
    canvas.spot(0.5, 0.62, 0.05, 0.035, (196, 52, 44))


def _street(canvas: _Canvas, horizon: float, rng: random.Random) -> None:
    canvas.box(0.08, 0.6, 0.2, 0.82, (150, 72, 48))
    _cones(canvas, rng.uniform(0.35, 0.5), 0.72)


_DRAW: Final = {
    "hole": _hole,
    "smoke": _smoke,
    "fire": _fire,
    "road": _cars,
    "river": _river,
    "rock": _rock,
    "tree": _tree,
    "lamp": _lamp,
    "bin": _bin,
    "works": _works,
    "wire": _wire,
    "hydrant": _hydrant,
}
