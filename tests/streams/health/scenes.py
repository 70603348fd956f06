"""Drawn scenes, as a camera on a pole would see them, and what goes wrong with cameras.

A scene is drawn from two seeds: one for what stands (houses, trees, kerbs), one for what moves and for the noise.
"""

from collections.abc import Callable
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.float32]
WIDE, HIGH = 960, 540


def _texture(rng: np.random.Generator, high: int, wide: int, strength: float) -> Picture:
    """Roughness at several sizes, as walls, asphalt and leaves have it."""
    total = np.zeros((high, wide), np.float32)
    for step, weight in ((2, 0.6), (8, 0.8), (32, 1.0)):
        coarse = rng.normal(0, 1, (high // step + 2, wide // step + 2)).astype(np.float32)
        total += weight * cv2.resize(coarse, (wide, high), interpolation=cv2.INTER_LINEAR)
    return total * strength


class Canvas:
    """A picture being drawn; the standing and the moving have their own chance."""

    def __init__(self, ground: tuple[int, int, int], standing: int, moving: int) -> None:
        self.pixels = np.full((HIGH, WIDE, 3), ground, np.float32)
        self.standing = np.random.default_rng(standing)
        self.moving = np.random.default_rng(moving)

    def block(
        self, x: float, y: float, wide: float, high: float, colour: tuple[int, int, int], rough: float
    ) -> None:
        left, top = max(0, int(x)), max(0, int(y))
        right, bottom = min(WIDE, int(x + wide)), min(HIGH, int(y + high))
        if right - left < 2 or bottom - top < 2:
            return
        self.pixels[top:bottom, left:right] = colour
        self.pixels[top:bottom, left:right] += _texture(self.standing, bottom - top, right - left, rough)[
            ..., None
        ]

    def shape(self, points: list[tuple[int, int]], colour: tuple[int, int, int], rough: float) -> None:
        mask = np.zeros((HIGH, WIDE), np.uint8)
        cv2.fillPoly(mask, [np.array(points, np.int32)], 1)
        inside = mask.astype(bool)
        self.pixels[inside] = colour
        self.pixels[inside] += _texture(self.standing, HIGH, WIDE, rough)[inside][:, None]

    def house(self, x: int, y: int, wide: int, high: int, colour: tuple[int, int, int], lit: bool) -> None:
        self.block(x, y, wide, high, colour, 5)
        for row in range(y + 12, y + high - 20, 34):
            for column in range(x + 10, x + wide - 20, 30):
                bright = lit and self.standing.random() < 0.4
                pane = (150, 220, 250) if bright else tuple(int(c * 0.45) for c in colour)
                self.block(column, row, 16, 20, pane, 3)  # type: ignore[arg-type]

    def tree(self, x: int, y: int, size: int, colour: tuple[int, int, int]) -> None:
        self.block(x - 4, y, 8, size, (40, 50, 60), 4)
        for _ in range(28):
            spot = self.standing.normal((x, y), size / 3.2)
            shade = self.standing.uniform(0.6, 1.3)
            cv2.circle(
                self.pixels,
                (int(spot[0]), int(spot[1])),
                int(size / 6),
                tuple(float(c * shade) for c in colour),
                -1,
                cv2.LINE_AA,
            )

    def cars(self, count: int, top: int, bottom: int, *, lamps: bool = False) -> None:
        for _ in range(count):
            y = int(self.moving.uniform(top, bottom))
            size = 18 + (y - top) * 60 // max(1, bottom - top)
            x = int(self.moving.uniform(0, WIDE - size * 2))
            colour = self.moving.choice(((40, 40, 160), (170, 170, 170), (50, 50, 50), (150, 90, 40)))
            paint = tuple(float(c) for c in colour)
            cv2.rectangle(self.pixels, (x, y), (x + size * 2, y + size), paint, -1, cv2.LINE_AA)
            cv2.rectangle(
                self.pixels, (x + size // 3, y - size // 2), (x + size * 5 // 3, y), paint, -1, cv2.LINE_AA
            )
            if lamps:
                cv2.circle(self.pixels, (x, y + size // 2), size // 3, (230.0, 245.0, 255.0), -1, cv2.LINE_AA)

    def walkers(self, count: int, top: int, bottom: int) -> None:
        for _ in range(count):
            x, y = int(self.moving.uniform(0, WIDE)), int(self.moving.uniform(top, bottom))
            shade = tuple(float(c) for c in self.moving.uniform(20, 200, 3))
            cv2.rectangle(self.pixels, (x, y), (x + 8, y + 24), shade, -1, cv2.LINE_AA)
            cv2.circle(self.pixels, (x + 4, y - 5), 5, (110.0, 140.0, 180.0), -1, cv2.LINE_AA)

    def done(self) -> Picture:
        return np.clip(self.pixels, 0, 255)


def street(moving: int) -> Picture:
    c = Canvas((215, 190, 160), 1, moving)
    for i in range(6):
        c.house(i * 165, 60 + int(c.standing.uniform(0, 70)), 150, 260, (110 + i * 12, 130, 150), False)
    c.shape([(0, 310), (WIDE, 300), (WIDE, HIGH), (0, HIGH)], (100, 102, 104), 6)
    for x in range(40, WIDE, 120):
        c.block(x, 420, 60, 8, (225, 225, 225), 3)
    c.cars(5, 330, 460)
    return c.done()


def crossroads(moving: int) -> Picture:
    c = Canvas((80, 130, 95), 2, moving)
    c.pixels += _texture(c.standing, HIGH, WIDE, 9)[..., None]
    c.block(0, 200, WIDE, 150, (105, 105, 105), 5)
    c.block(390, 0, 180, HIGH, (105, 105, 105), 5)
    for i in range(8):
        c.block(398 + i * 21, 170, 12, 26, (230, 230, 230), 3)
        c.block(398 + i * 21, 356, 12, 26, (230, 230, 230), 3)
    c.cars(6, 190, 320)
    return c.done()


def lane(moving: int) -> Picture:
    c = Canvas((220, 205, 190), 3, moving)
    c.shape([(0, 240), (WIDE, 200), (WIDE, HIGH), (0, HIGH)], (90, 140, 120), 10)
    c.shape([(430, 230), (500, 230), (760, HIGH), (180, HIGH)], (130, 145, 155), 6)
    for i in range(9):
        c.tree(60 + i * 105, 170 + int(c.standing.uniform(0, 60)), 80, (50, 120, 60))
    c.house(30, 200, 170, 130, (150, 160, 200), False)
    c.walkers(3, 300, 460)
    return c.done()


def dyke(moving: int) -> Picture:
    c = Canvas((225, 215, 200), 4, moving)
    c.pixels[:260] += np.linspace(-15, 15, 260, dtype=np.float32)[:, None, None]
    c.shape([(0, 260), (WIDE, 250), (WIDE, 420), (0, 450)], (150, 140, 110), 4)
    c.shape([(0, 450), (WIDE, 400), (WIDE, HIGH), (0, HIGH)], (80, 120, 110), 10)
    c.shape([(0, 235), (300, 225), (620, 240), (WIDE, 220), (WIDE, 262), (0, 262)], (90, 110, 90), 9)
    c.block(610, 330, 14, 160, (60, 60, 180), 3)
    for i in range(8):
        c.block(612, 340 + i * 18, 10, 6, (240, 240, 240), 1)
    c.walkers(1, 440, 480)
    return c.done()


def square(moving: int) -> Picture:
    c = Canvas((160, 165, 170), 5, moving)
    for row in range(0, HIGH, 45):
        for column in range(0, WIDE, 60):
            shade = int(c.standing.uniform(130, 190))
            c.block(column, row, 57, 42, (shade, shade + 4, shade + 8), 4)
    for x in (120, 420, 760):
        c.tree(x, 90, 90, (60, 110, 70))
    c.walkers(14, 120, 480)
    return c.done()


def corridor(moving: int) -> Picture:
    c = Canvas((190, 200, 205), 6, moving)
    c.shape([(0, HIGH), (360, 300), (600, 300), (WIDE, HIGH)], (120, 135, 150), 5)
    c.shape([(0, 0), (360, 200), (360, 300), (0, HIGH)], (175, 195, 200), 3)
    for i in range(4):
        c.shape(
            [
                (40 + i * 80, 150 + i * 22),
                (90 + i * 76, 160 + i * 22),
                (90 + i * 76, 420 - i * 32),
                (40 + i * 80, 470 - i * 40),
            ],
            (70, 100, 140),
            4,
        )
    for i in range(5):
        c.block(650 + i * 60, 90, 44, 60, (120, 90, 60 + i * 30), 5)
    c.block(380, 40, 200, 14, (250, 252, 252), 1)
    c.walkers(1, 310, 420)
    return c.done()


def yard_ir(moving: int) -> Picture:
    c = Canvas((60, 60, 60), 7, moving)
    c.pixels += _texture(c.standing, HIGH, WIDE, 6)[..., None]
    for i in range(5):
        c.house(i * 200 + 10, 100, 160, 180, (120, 120, 120), False)
    for i in range(8):
        c.block(i * 120 + 20, 330 + (i % 3) * 40, 80, 50, (150, 150, 150), 10)
    c.cars(1, 400, 460)
    pixels = c.done()
    fall = 1.15 - np.hypot(*np.meshgrid(np.linspace(-0.7, 0.7, WIDE), np.linspace(-0.6, 0.6, HIGH)))
    grey = pixels.mean(axis=2) * fall.astype(np.float32)
    return np.repeat(grey[..., None], 3, axis=2)


def night_street(moving: int) -> Picture:
    c = Canvas((22, 18, 14), 8, moving)
    for i in range(6):
        c.house(i * 165, 50, 150, 250, (34, 30, 28), True)
    c.shape([(0, 310), (WIDE, 300), (WIDE, HIGH), (0, HIGH)], (44, 48, 52), 5)
    for x in (150, 450, 750):
        c.block(x - 3, 120, 6, 230, (70, 72, 74), 2)
        glow = np.hypot(*np.meshgrid(np.arange(WIDE) - x, np.arange(HIGH) - 120)) / 130
        c.pixels += (np.exp(-(glow**2)) * 160)[..., None].astype(np.float32) * np.array(
            (0.5, 0.8, 1.0), np.float32
        )
    c.cars(3, 330, 460, lamps=True)
    return c.done()


def building_site(moving: int) -> Picture:
    c = Canvas((205, 195, 185), 9, moving)
    c.shape([(0, 320), (WIDE, 280), (WIDE, HIGH), (0, HIGH)], (95, 130, 165), 14)
    for i in range(9):
        c.block(200 + i * 52, 90, 9, 250, (90, 95, 100), 3)
        c.block(200, 95 + i * 28, 430, 7, (90, 95, 100), 3)
    c.block(760, 20, 14, 330, (30, 150, 210), 4)
    c.block(640, 40, 320, 12, (30, 150, 210), 4)
    c.walkers(5, 340, 470)
    return c.done()


def mountain_road(moving: int) -> Picture:
    c = Canvas((215, 205, 195), 10, moving)
    c.shape(
        [(0, 160), (220, 60), (470, 190), (720, 90), (WIDE, 180), (WIDE, HIGH), (0, HIGH)], (85, 120, 100), 16
    )
    c.shape(
        [(560, HIGH), (430, 330), (700, 300), (560, 250), (590, 246), (760, 305), (520, 335), (760, HIGH)],
        (115, 118, 120),
        5,
    )
    for i in range(14):
        c.tree(30 + i * 70, 300 + int(c.standing.uniform(-60, 120)), 55, (45, 95, 55))
    c.cars(1, 320, 440)
    return c.done()


SCENES: dict[str, Callable[[int], Picture]] = {
    scene.__name__: scene
    for scene in (
        street,
        crossroads,
        lane,
        dyke,
        square,
        corridor,
        yard_ir,
        night_street,
        building_site,
        mountain_road,
    )
}


@cache
def _field() -> Picture:
    return np.random.default_rng(20).standard_normal((HIGH, WIDE, 3), np.float32)


def _noise(moving: int) -> Picture:
    """Normal noise of strength 1, another one for another picture; drawing it anew each time would take longest."""
    return np.roll(_field(), (moving * 37 % HIGH, moving * 91 % WIDE), (0, 1))


def written(pixels: Picture, moving: int) -> Picture:
    """With the sensor's grain, more of it in the dark, and with clock and name written over whatever it sees."""
    grain = 2.0 if pixels.mean() > 90 else 4.0
    raw = np.clip(pixels + grain * _noise(moving), 0, 255).astype(np.uint8)
    clock = f"2026-03-{moving % 28 + 1:02d} {moving % 24:02d}:{moving * 7 % 60:02d}:{moving * 13 % 60:02d}"
    for text, place in ((clock, (20, 34)), ("CAMERA 0017", (700, 520))):
        for grey, thick in ((0, 4), (255, 1)):
            colour = (grey, grey, grey)
            cv2.putText(raw, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.8, colour, thick, cv2.LINE_AA)
    return raw.astype(np.float32)


def coded(pixels: Picture, quality: int = 60) -> NDArray[np.uint8]:
    """As it comes out of a decoder: rounded, and with what coding takes away."""
    raw = np.clip(pixels, 0, 255).astype(np.uint8)
    return np.asarray(cv2.imdecode(cv2.imencode(".jpg", raw, (cv2.IMWRITE_JPEG_QUALITY, quality))[1], 1))


def _cloud_shadow(pixels: Picture) -> Picture:
    x, y = np.meshgrid(np.linspace(0, 1, pixels.shape[1]), np.linspace(0, 1, pixels.shape[0]))
    return pixels * (1.12 - 0.35 / (1 + np.exp((x + 0.6 * y - 0.8) * 14)))[..., None].astype(np.float32)


HEALTHY: dict[str, Callable[[Picture], Picture]] = {
    "later": lambda p: p,
    "overcast": lambda p: p * 0.78,
    "sun": lambda p: p * 1.18,
    "shadow": _cloud_shadow,
    "haze": lambda p: p * 0.72 + 45,
}


def _covered(pixels: Picture, share: float) -> Picture:
    edge = int(pixels.shape[1] * (1 - share))
    out = pixels.copy()
    hand = np.array((52, 60, 78), np.float32) + np.linspace(0, 20, pixels.shape[1] - edge)[None, :, None]
    out[:, edge:] = hand + 3 * _noise(5)[:, edge:]
    return out


def _no_signal(pixels: Picture, colour: tuple[int, int, int]) -> Picture:
    out = np.full(pixels.shape, colour, np.uint8)
    cv2.putText(out, "NO SIGNAL", (360, 280), cv2.FONT_HERSHEY_SIMPLEX, 1.2, (255, 255, 255), 2)
    return out.astype(np.float32)


def _turned(pixels: Picture, right: int, down: int) -> Picture:
    """What stood in the picture goes out at one side; other things come in at the other."""
    other = cv2.flip(pixels, 1)
    wide = np.concatenate((pixels, other), axis=1)
    tall = np.concatenate((wide, cv2.flip(wide, 0)), axis=0)
    return tall[down : down + pixels.shape[0], right : right + pixels.shape[1]]


FAULTY: dict[str, tuple[str, Callable[[Picture], Picture]]] = {
    "black": ("black", lambda p: p * 0.02 + 4 + 2 * _noise(6)),
    "blue screen": ("no_signal", lambda p: _no_signal(p, (180, 40, 20))),
    "grey screen": ("no_signal", lambda p: np.full_like(p, 128)),
    "slightly blurred": ("blurred", lambda p: cv2.GaussianBlur(p, (0, 0), WIDE / 200)),
    "blurred": ("blurred", lambda p: cv2.GaussianBlur(p, (0, 0), WIDE / 110)),
    "very blurred": ("blurred", lambda p: cv2.GaussianBlur(p, (0, 0), WIDE / 60)),
    "covered": ("covered", lambda p: _covered(p, 1.0)),
    "covered 80 %": ("covered", lambda p: _covered(p, 0.8)),
    "covered 60 %": ("covered", lambda p: _covered(p, 0.6)),
    "pink": ("colour_cast", lambda p: p * np.array((1.0, 0.65, 1.25), np.float32)),
    "green": ("colour_cast", lambda p: p * np.array((0.6, 1.2, 0.6), np.float32)),
    "snow": ("noise", lambda p: p * 0.4 + 90 + 55 * _noise(7)),
    "grain": ("noise", lambda p: p + 40 * _noise(8)),
    "knocked": ("moved", lambda p: _turned(p, 90, 0)),
    "sagged": ("moved", lambda p: _turned(p, 0, 60)),
    "turned away": ("moved", lambda p: _turned(p, 620, 260)),
}
