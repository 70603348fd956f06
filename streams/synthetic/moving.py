"""Things that move by themselves: birds, ripples, mist. Every place is a function of the time."""

import math
import random
from collections.abc import Callable

import cv2
import numpy as np

from streams.synthetic.canvas import HEIGHT, WIDTH, Lit, Pixels, Point, bgr
from streams.synthetic.sprites import Sprite, bird

Mover = Callable[[Pixels, Lit, float], None]


def birds(seed: int, top: float, bottom: float, *, every_s: float = 70.0) -> Mover:
    """Return a few birds that cross the sky now and then."""

    def move(picture: Pixels, lit: Lit, at: float) -> None:
        number = int(at // every_s)
        chance = random.Random(f"{seed}/bird/{number}")
        since = at - number * every_s - chance.uniform(0, every_s * 0.5)
        speed, rightwards = chance.uniform(30, 55), chance.random() < 0.5
        height = chance.uniform(top, bottom)
        for place in range(chance.randint(2, 6)):
            x = since * speed - 20 - 15 * place - chance.uniform(0, 9)
            y = height + chance.uniform(-9, 9) + 5 * math.sin(at * 0.9 + place)
            flap = math.sin(at * 9 + place * 1.7) if math.sin(at * 0.8 + place) > -0.4 else -0.2
            bird(picture, lit, x if rightwards else WIDTH - x, y, 4.2, flap)

    return move


def ripples(
    seed: int, left: float, top: float, right: float, bottom: float, count: int, colour: int
) -> Mover:
    """Return short bright strokes that drift over water and fade in and out."""
    chance = np.random.default_rng(seed)
    depth = np.sort(chance.random(count) ** 0.8)
    start = chance.uniform(0, right - left, count)
    phase = chance.uniform(0, 2 * np.pi, count)
    blue, green, red = bgr(colour)

    def move(picture: Pixels, lit: Lit, at: float) -> None:
        shade = lit.shade((left + right) / 2, (top + bottom) / 2)
        for near, begin, turn in zip(depth.tolist(), start.tolist(), phase.tolist(), strict=True):
            strength = math.sin(at * 0.9 + turn)
            if strength < 0.15:
                continue
            y = top + (bottom - top) * near
            x = left + (begin + at * (4 + 10 * near)) % (right - left)
            long = (6 + 26 * near) * strength
            share = 0.35 + 0.5 * strength
            below = picture[min(HEIGHT - 1, int(y)), min(WIDTH - 1, max(0, int(x)))].tolist()
            paint = [
                below[0] * (1 - share) + blue * shade[0] * share,
                below[1] * (1 - share) + green * shade[1] * share,
                below[2] * (1 - share) + red * shade[2] * share,
            ]
            a, b = (
                (round(max(left, x - long) * 8), round(y * 8)),
                (round(min(right, x + long) * 8), round(y * 8)),
            )
            cv2.line(picture, a, b, paint, 1, cv2.LINE_AA, 3)

    return move


def cloud(seed: int, width: int, height: int, colour: int, most: float) -> Sprite:
    """Return a soft bank of mist or smoke; ``most`` is how much it hides at most."""
    chance = np.random.default_rng(seed)
    density = np.zeros((height, width), np.float32)
    for cells, weight in ((4, 1.0), (8, 0.55), (16, 0.3)):
        rough = chance.random((max(2, cells // 2), cells)).astype(np.float32)
        density += cv2.resize(rough, (width, height), interpolation=cv2.INTER_CUBIC) * weight
    density = (density - density.min()) / (density.max() - density.min())
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    body = np.clip(1.1 - x**2, 0, 1) * np.clip(1 - y**2, 0, 1) ** 1.5
    cover = np.clip(density * body * 1.7 - 0.12, 0, 1) * most
    over = (cover[..., None] * np.array(bgr(colour), np.float32)).astype(np.uint8)
    under = np.repeat((255 * (1 - cover)).astype(np.uint8)[..., None], 3, axis=2)
    return Sprite(over, np.ascontiguousarray(under), (width // 2, height))


def shaded(sprite: Sprite, lit: Lit, factor: float = 1.0) -> Sprite:
    """Return a sprite as bright as the hour allows."""
    shade = np.array(lit.ambient if not lit.infrared else [0.4, 0.4, 0.4], np.float32) * factor
    return Sprite(np.clip(sprite.over * shade, 0, 255).astype(np.uint8), sprite.under, sprite.anchor)


def flag(picture: Pixels, lit: Lit, top: Point, at: float) -> None:
    """Let a flag wave at the top of its pole."""
    shade = lit.shade(*top)
    blue, green, red = bgr(0xB23A32)
    colour = (blue * shade[0], green * shade[1], red * shade[2])
    upper = [(top[0] + k * 4, top[1] + 1.4 * np.sin(at * 4 - k * 0.9) * k / 6) for k in range(7)]
    outline = upper + [(x, y + 15) for x, y in reversed(upper)]
    cv2.fillPoly(picture, [np.round(np.array(outline) * 16).astype(np.int32)], colour, cv2.LINE_AA, 4)


def fixed(point: Point) -> tuple[int, int]:
    """Return a point in sixteenths of a pixel, as OpenCV wants it with a shift of 4."""
    return round(point[0] * 16), round(point[1] * 16)
