"""A school gate across the road."""

import cv2
import numpy as np

from streams.synthetic.canvas import Canvas, Lit, Pixels, bgr, tone
from streams.synthetic.ground import Ground
from streams.synthetic.moving import Mover, birds, fixed, flag
from streams.synthetic.places import (
    HIGH_SKY,
    LOW_SKY,
    MARK,
    face,
    lamp_post,
    land,
    road,
    skyline,
    tree,
)
from streams.synthetic.traffic import Flow, across


def school(seed: int) -> tuple[Canvas, list[Mover]]:
    """A school gate across the road."""
    ground = Ground(horizon=92, focal=420, height_m=5.2)
    canvas = Canvas(HIGH_SKY, LOW_SKY, 92, seed)
    chance = canvas.chance
    skyline(canvas, 93, low=8, high=26, gap=0.3)
    land(canvas, ground, 0x8F8A80)
    # The building behind the yard, its flag, and trees before it.
    yard, wall_z, kerb = 62.0, 29.0, 25.0
    a, b = ground.at(-26, yard), ground.at(26, yard)
    c, d = ground.at(26, yard, 15.5), ground.at(-26, yard, 15.5)
    wall = (0xA79F92, 0x9FA3A2, 0xA8958A)[int(chance.integers(3))]
    face(canvas, [a, b, c, d], wall, 4, 13, lit=0.1, pane=(0.66, 0.5))
    for floor in range(1, 5):
        left, right = ground.at(-26, yard, floor * 3.9), ground.at(26, yard, floor * 3.9)
        canvas.line([left, right], tone(wall, 1.25), 1.4)
    tower = [ground.at(x, yard - 0.5, up) for x, up in ((-4, 0), (4, 0), (4, 19), (-4, 19))]
    face(canvas, tower, tone(wall, 0.84), 5, 2, lit=0.2)
    for place in range(9):
        x = -28 + place * 7 + float(chance.uniform(-1.5, 1.5))
        if abs(x) > 5:
            px, py = ground.at(x, 44)
            tree(canvas, px, py, float(chance.uniform(17, 24)), far=0.14)
    pole, top = ground.at(-9, 50), ground.at(-9, 50, 13)
    canvas.line([pole, top], 0xB9BBBA, 1.3)
    for side in (-1, 1):
        x0, x1 = sorted((side * 6.8, side * 40))
        quad = [
            ground.at(x0, wall_z),
            ground.at(x1, wall_z),
            ground.at(x1, wall_z, 2.3),
            ground.at(x0, wall_z, 2.3),
        ]
        canvas.polygon(quad, 0x98806F)
        canvas.texture(quad, 5, 1.2, stretch=2.5)
        cap = [
            ground.at(x0, wall_z, 2.3),
            ground.at(x1, wall_z, 2.3),
            ground.at(x1, wall_z, 2.6),
            ground.at(x0, wall_z, 2.6),
        ]
        canvas.polygon(cap, 0x6A5A50)
        p0, p1 = sorted((side * 6.0, side * 7.4))
        pillar = [
            ground.at(p0, wall_z - 0.4),
            ground.at(p1, wall_z - 0.4),
            ground.at(p1, wall_z - 0.4, 4.0),
            ground.at(p0, wall_z - 0.4, 4.0),
        ]
        canvas.polygon(pillar, 0xA5978A)
        lamp = ground.at((p0 + p1) / 2, wall_z - 0.4, 4.4)
        canvas.ellipse(*lamp, 5.5, 5.5, 0xD8D4C8, shines=0xFFEDC4)
        foot = ground.at((p0 + p1) / 2 - side, wall_z - 2)
        canvas.lamp(*foot, 95, 40, 0.75)
        canvas.lamp(lamp[0], lamp[1] + 10, 40, 40, 0.5)
    band = [
        ground.at(-6.4, wall_z - 0.4, 4.0),
        ground.at(6.4, wall_z - 0.4, 4.0),
        ground.at(6.4, wall_z - 0.4, 5.1),
        ground.at(-6.4, wall_z - 0.4, 5.1),
    ]
    canvas.polygon(band, 0x7A4A42, shines=0x4A2C28)
    for place in range(6):
        x = -4.6 + place * 1.6
        plate = [
            ground.at(x, wall_z - 0.45, 4.2),
            ground.at(x + 1.1, wall_z - 0.45, 4.2),
            ground.at(x + 1.1, wall_z - 0.45, 4.9),
            ground.at(x, wall_z - 0.45, 4.9),
        ]
        canvas.polygon(plate, 0xC9A86A, shines=0xB48C4C)
    hut = [ground.at(x, wall_z - 1, up) for x, up in ((7.6, 0), (11, 0), (11, 3.1), (7.6, 3.1))]
    face(canvas, hut, 0xB2ADA2, 1, 2, lit=1.0, pane=(0.7, 0.5))
    canvas.polygon(ground.quad(-40, 40, kerb - 0.3, kerb), 0xB3AFA6)
    road(canvas, ground, -60, 60, 10.5, kerb - 0.3)
    canvas.polygon(ground.quad(-60, 60, 17.4, 17.62), 0xC2B070)
    for x in np.arange(-4.2, 4.2, 1.25):
        canvas.polygon(ground.quad(float(x), float(x) + 0.7, 11, kerb - 1.0), MARK)
    for side in (-1, 1):
        for place in range(6):
            x = side * (9 + 4.0 * place)
            box = ground.quad(min(x, x + side * 2.6), max(x, x + side * 2.6), 21.6, 24.2)
            canvas.line([*box, box[0]], 0xC2B070, 1.1)
    canvas.polygon(ground.quad(-60, 60, 8.5, 10.5), 0x9A958B)
    lamp_post(canvas, ground, -15, 26, height=8.5, arm=1.5)
    lamp_post(canvas, ground, 17, 26, height=8.5, arm=-1.5)
    canvas.lamp(320, 250, 300, 70, 0.55)
    there, back = Flow(seed + 1, 8, 7.5, 60), Flow(seed + 2, 9, 7.0, 60)

    def move(picture: Pixels, lit: Lit, at: float) -> None:
        flag(picture, lit, top, at)
        _gate(picture, lit, ground, wall_z - 0.6, at)
        across(picture, lit, ground, back, at, 20.6, rightwards=False)
        across(picture, lit, ground, there, at, 14.4, rightwards=True)

    return canvas, [move, birds(seed, 30, 80)]


def _gate(picture: Pixels, lit: Lit, ground: Ground, z: float, at: float) -> None:
    """Draw the folding gate, which opens for a while every few minutes."""
    phase = (at % 150) / 150
    opened = float(np.clip(min((phase - 0.55) * 18, (0.85 - phase) * 18), 0, 1)) * 0.72
    shade = lit.shade(*ground.at(0, z))
    colour = tuple(part * factor for part, factor in zip(bgr(0xB9BDC0), shade, strict=True))
    left, right = -5.9, 5.9 - 11.8 * opened
    count = 15
    for rail in (0.3, 1.35):
        a, b = ground.at(left, z, rail), ground.at(right, z, rail)
        cv2.line(picture, fixed(a), fixed(b), colour, 1, cv2.LINE_AA, 4)
    for place in range(count):
        x0 = left + (right - left) * place / count
        x1 = left + (right - left) * (place + 1) / count
        cv2.line(
            picture, fixed(ground.at(x0, z, 0.1)), fixed(ground.at(x1, z, 1.5)), colour, 1, cv2.LINE_AA, 4
        )
        cv2.line(
            picture, fixed(ground.at(x0, z, 1.5)), fixed(ground.at(x1, z, 0.1)), colour, 1, cv2.LINE_AA, 4
        )
