"""The square of a village or neighbourhood."""

import cv2
import numpy as np

from streams.synthetic.canvas import Canvas, Lit, Pixels
from streams.synthetic.ground import Ground
from streams.synthetic.moving import Mover, birds, fixed, flag
from streams.synthetic.places import (
    HIGH_SKY,
    LOW_SKY,
    closed,
    house,
    lamp_post,
    land,
    ridge,
    tree,
)


def square(seed: int) -> tuple[Canvas, list[Mover]]:
    """The square of a village or a neighbourhood."""
    ground = Ground(horizon=110, focal=400, height_m=5.5, centre=330)
    canvas = Canvas(HIGH_SKY, LOW_SKY, 110, seed)
    chance = canvas.chance
    canvas.polygon(closed(ridge(chance, 112, 52, 0.5, peaks=3)), 0x838F8B)
    canvas.polygon(closed(ridge(chance, 113, 26, 0.5, peaks=5)), 0x748273)
    land(canvas, ground, 0x8E897E)
    for place in range(-5, 6):
        x = place * 12.0 + float(chance.uniform(-2, 2))
        house(
            canvas,
            ground,
            x,
            56 + float(chance.uniform(0, 8)),
            float(chance.uniform(8, 10.5)),
            float(chance.uniform(5.5, 7.5)),
        )
    area = ground.quad(-24, 24, 9, 46)
    canvas.gradient(area, 0xA29D93, 0x98938A)
    for z in np.arange(9, 46.1, 1.85):
        canvas.line([ground.at(-24, float(z)), ground.at(24, float(z))], 0x8B867D, max(0.4, 8 / float(z)))
    for x in np.arange(-24, 24.1, 2.4):
        canvas.line([ground.at(float(x), 9), ground.at(float(x), 46)], 0x8B867D, 0.6)
    canvas.texture(area, 2, 2)
    ring = ground.at(0, 27)
    canvas.ellipse(ring[0], ring[1], 3.6 * ground.scale(27), 1.35 * ground.scale(27), 0x7E7A74)
    canvas.ellipse(ring[0], ring[1] - 6, 3.5 * ground.scale(27), 1.25 * ground.scale(27), 0xA39E94)
    canvas.ellipse(ring[0], ring[1] - 6, 2.9 * ground.scale(27), 1.0 * ground.scale(27), 0x6A6152)
    tree(canvas, ring[0], ring[1] - 6, 62)
    for x, z in ((-13, 18), (13, 18), (-15, 38), (15, 38)):
        bench = [
            ground.at(x - 1.2, z, 0.5),
            ground.at(x + 1.2, z, 0.5),
            ground.at(x + 1.2, z + 0.5, 0.5),
            ground.at(x - 1.2, z + 0.5, 0.5),
        ]
        for leg in (-1.0, 1.0):
            canvas.line([ground.at(x + leg, z), ground.at(x + leg, z, 0.5)], 0x55524E, 2)
        canvas.polygon(bench, 0x7B6752)
        lamp_post(canvas, ground, x * 1.25, z + 3, height=4.2, strength=0.85)
    board = [ground.at(x, 40, up) for x, up in ((-21, 0.8), (-14, 0.8), (-14, 2.6), (-21, 2.6))]
    canvas.polygon(board, 0x3F5F7A)
    for part in range(3):
        page = [
            ground.at(-20.6 + 2.2 * part + dx, 39.9, up)
            for dx, up in ((0, 1.1), (1.8, 1.1), (1.8, 2.35), (0, 2.35))
        ]
        canvas.polygon(page, 0xC6C4BA)
    canvas.lamp(ring[0], ring[1] - 30, 150, 90, 0.5)
    pole, top = ground.at(17, 44), ground.at(17, 44, 10)
    canvas.line([pole, top], 0xB9BBBA, 1.2)

    def move(picture: Pixels, lit: Lit, at: float) -> None:
        flag(picture, lit, top, at)
        _sparrows(picture, lit, ground, at)

    return canvas, [move, birds(seed, 24, 90, every_s=40)]


def _sparrows(picture: Pixels, lit: Lit, ground: Ground, at: float) -> None:
    """Let a few birds hop about on the paving, by day."""
    if lit.daylight < 0.5:
        return
    for number in range(9):
        beat = at * 0.7 + number * 1.37
        step, since = divmod(beat, 1.0)
        here = np.array([np.sin(step * 0.53 + number), np.cos(step * 0.31 + number * 2)])
        after = np.array([np.sin((step + 1) * 0.53 + number), np.cos((step + 1) * 0.31 + number * 2)])
        x, z = here + (after - here) * min(1.0, since * 3)
        up = 0.25 * np.sin(min(1.0, since * 3) * np.pi)
        px, py = ground.at(-5 + 3.2 * float(x) + number * 0.4, 17 + 3.0 * float(z), 0.12 + float(up))
        size = 0.16 * ground.scale(17)
        cv2.ellipse(
            picture,
            fixed((px, py)),
            (round(size * 16), round(size * 10)),
            0,
            0,
            360,
            (66, 74, 84),
            -1,
            cv2.LINE_AA,
            4,
        )
