"""A market lane under awnings and lanterns."""

import cv2
import numpy as np

from streams.synthetic.canvas import Canvas, Lit, Pixels, mix, tone
from streams.synthetic.ground import Ground
from streams.synthetic.moving import Mover, fixed
from streams.synthetic.places import (
    HIGH_SKY,
    LOW_SKY,
    WALLS,
    block,
    land,
    skyline,
)
from streams.synthetic.sprites import shine
from streams.synthetic.traffic import Flow, along


def market(seed: int) -> tuple[Canvas, list[Mover]]:
    """A market lane: stalls under awnings on both sides, lanterns above."""
    ground = Ground(horizon=118, focal=400, height_m=4.2, centre=312)
    canvas = Canvas(HIGH_SKY, LOW_SKY, 118, seed)
    chance = canvas.chance
    skyline(canvas, 119, low=6, high=20, clear=(296, 330))
    land(canvas, ground, 0x8C857A)
    half = 3.1
    canvas.polygon(ground.quad(-half, half, 2, 200), 0x8A857E)
    for z in np.arange(4, 70, 1.2):
        canvas.line([ground.at(-half, float(z)), ground.at(half, float(z))], 0x7C776F, max(0.4, 3 / float(z)))
    for x in np.arange(-half, half + 0.1, 1.03):
        canvas.line([ground.at(float(x), 4), ground.at(float(x), 80)], 0x7F7A72, 0.5)
    z = 84.0
    while z > 7:
        z -= 12
        for side in (-1, 1):
            x0, x1 = sorted((side * 7.2, side * 18))
            block(
                canvas,
                ground,
                x0,
                x1,
                max(7.5, z),
                z + 11.6,
                float(chance.choice([6.6, 7.4, 9.9])),
                WALLS[int(chance.integers(6))],
                lit=0.3,
            )
    cloths = (0x9E4A40, 0x4C6F86, 0x5F7A58, 0xA88A52, 0x8A8F92)
    fruits = (0xB0563C, 0xC0913F, 0x6F8A4A, 0x8A4A4A, 0xB8A85A, 0x7A9A5A)
    for place in range(13, -1, -1):
        z = 8.5 + place * 4.6
        for side in (-1, 1):
            if chance.random() < 0.1:
                continue
            cloth = mix(cloths[int(chance.integers(5))], canvas.haze, min(0.5, z / 110))
            x0, x1 = side * half, side * 6.6
            table = [
                ground.at(x0 + side * 0.4, z, 0.9),
                ground.at(x0 + side * 0.4, z + 3.6, 0.9),
                ground.at(x1, z + 3.6, 1.1),
                ground.at(x1, z, 1.1),
            ]
            front = [
                ground.at(x0 + side * 0.4, z, 0),
                ground.at(x0 + side * 0.4, z + 3.6, 0),
                ground.at(x0 + side * 0.4, z + 3.6, 0.9),
                ground.at(x0 + side * 0.4, z, 0.9),
            ]
            canvas.polygon(front, mix(0x6B6157, canvas.haze, min(0.4, z / 120)))
            canvas.polygon(table, mix(0x8A8073, canvas.haze, min(0.4, z / 120)))
            if z < 34:
                for _ in range(22):
                    u, v = float(chance.random()), float(chance.random())
                    px, py = ground.at(x0 + side * (0.5 + 2.6 * u), z + 3.4 * v, 1.05)
                    size = 0.16 * ground.scale(z + 3.4 * v)
                    pile = fruits[int(chance.integers(6) if chance.random() < 0.3 else (place + side) % 6)]
                    canvas.ellipse(px, py, size, size * 0.8, tone(pile, float(chance.uniform(0.85, 1.1))))
            roof = [
                ground.at(x0 - side * 0.5, z, 2.35),
                ground.at(x0 - side * 0.5, z + 3.9, 2.35),
                ground.at(x1, z + 3.9, 3.0),
                ground.at(x1, z, 3.0),
            ]
            canvas.polygon(roof, cloth, shines=tone(cloth, 0.55))
            for stripe in (0.12, 0.37, 0.62, 0.87):
                a = ground.at(x0 - side * 0.5, z + 3.9 * stripe, 2.35)
                b = ground.at(x1, z + 3.9 * stripe, 3.0)
                canvas.line([a, b], tone(cloth, 1.3), max(0.7, 10 / z))
            edge = [
                ground.at(x0 - side * 0.5, z, 2.35),
                ground.at(x0 - side * 0.5, z + 3.9, 2.35),
                ground.at(x0 - side * 0.5, z + 3.9, 2.05),
                ground.at(x0 - side * 0.5, z, 2.05),
            ]
            canvas.polygon(edge, tone(cloth, 0.82))
            bulb = ground.at(x0 + side * 1.0, z + 1.8, 2.0)
            canvas.ellipse(bulb[0], bulb[1], max(1, 22 / z), max(1, 22 / z), 0xDCD8CC, shines=0xFFE6B0)
            canvas.lamp(
                bulb[0], bulb[1] + 1.0 * ground.scale(z), 2.6 * ground.scale(z), 1.6 * ground.scale(z), 0.6
            )
    cart = Flow(seed + 3, 38, 2.6, 62, share=0.8, trucks=False)

    def move(picture: Pixels, lit: Lit, at: float) -> None:
        along(picture, lit, ground, cart, at, -0.2, 7, away=seed % 2 == 0)
        _lanterns(picture, lit, ground, at)

    return canvas, [move]


def _lanterns(picture: Pixels, lit: Lit, ground: Ground, at: float) -> None:
    dark = lit.daylight < 0.6
    for row in range(7, -1, -1):
        z = 10 + row * 7.5
        a, b = ground.at(-6, z, 5.0), ground.at(6, z, 5.0)
        cv2.line(picture, fixed(a), fixed(b), (70, 68, 66), 1, cv2.LINE_AA, 4)
        for place in range(5):
            share = (place + 0.5) / 5
            sway = 0.12 * np.sin(at * 1.3 + row * 1.1 + place * 0.7)
            x, y = ground.at(-6 + 12 * share + sway, z, 4.55 - 0.5 * (1 - (2 * share - 1) ** 2))
            size = 0.3 * ground.scale(z)
            colour = (60, 62, 214) if dark else (52, 52, 158)
            cv2.ellipse(
                picture,
                fixed((x, y)),
                (round(size * 16), round(size * 13)),
                0,
                0,
                360,
                colour,
                -1,
                cv2.LINE_AA,
                4,
            )
            if dark:
                shine(picture, x, y, size * 2.6, size * 2.2, 0xC04030, 0.4)
