"""A highway from an overpass."""

import numpy as np

from streams.synthetic.canvas import HEIGHT, WIDTH, Canvas, Lit, Pixels, mix
from streams.synthetic.ground import Ground
from streams.synthetic.moving import Mover, birds
from streams.synthetic.places import (
    HIGH_SKY,
    LOW_SKY,
    MARK,
    closed,
    dashes,
    lamp_post,
    land,
    ridge,
    road,
    tree,
)
from streams.synthetic.traffic import Flow, along


def highway(seed: int) -> tuple[Canvas, list[Mover]]:
    """Draw a dual carriageway."""
    ground = Ground(horizon=104, focal=420, height_m=8.0, centre=330)
    canvas = Canvas(HIGH_SKY, LOW_SKY, 104, seed)
    chance = canvas.chance
    canvas.polygon(closed(ridge(chance, 106, 64, 0.55, peaks=3)), 0x8A979C)
    canvas.polygon(closed(ridge(chance, 107, 34, 0.5, peaks=5)), 0x74837D)
    land(canvas, ground, 0x68775F)
    canvas.texture([(0, 106), (WIDTH, 106), (WIDTH, HEIGHT), (0, HEIGHT)], 4, 2, stretch=2)
    for place in range(26):
        z = 230 - place * 8.2
        for side in (-1, 1):
            px, py = ground.at(side * float(chance.uniform(21, 40)), z)
            if -60 < px < WIDTH + 60:
                tree(canvas, px, py, float(chance.uniform(2.2, 3.6)) * ground.scale(z), far=min(0.6, z / 240))
    for x0, x1 in ((-15.5, -1.6), (1.6, 15.5)):
        road(canvas, ground, x0, x1, 3, 500)
        canvas.polygon(ground.quad(x0 + 0.4, x0 + 0.6, 6, 400), MARK)
        canvas.polygon(ground.quad(x1 - 0.6, x1 - 0.4, 6, 400), MARK)
        shoulder = x0 + 3.2 if x0 < -5 else x1 - 3.2
        canvas.polygon(ground.quad(shoulder - 0.1, shoulder + 0.1, 6, 400), MARK)
        middle = (x0 + 3.2 + x1 - 0.5) / 2 if x0 < -5 else (x0 + 0.5 + x1 - 3.2) / 2
        dashes(canvas, ground, middle, 6, 260, on=6, off=9, width=0.18)
    canvas.gradient(ground.quad(-1.6, 1.6, 6, 400), 0x7A8274, 0x5F6E58)
    for z in np.geomspace(10, 220, 46)[::-1]:
        px, py = ground.at(0, float(z), 0.9)
        size = 1.15 * ground.scale(float(z))
        canvas.ellipse(px, py, size, size * 0.8, mix(0x516650, canvas.haze, min(0.6, float(z) / 260)))
    for x in (-16.0, -1.7, 1.7, 16.0):
        for z in np.geomspace(7, 200, 44)[::-1]:
            canvas.line(
                [ground.at(x, float(z)), ground.at(x, float(z), 0.75)], 0x9DA1A2, max(0.6, 14 / float(z))
            )
        strip = [ground.at(x, 6, 0.5), ground.at(x, 260, 0.5), ground.at(x, 260, 0.85), ground.at(x, 6, 0.85)]
        canvas.polygon(strip, 0xB4B8B8)
    z = 62.0
    canvas.line(
        [ground.at(-17, z), ground.at(-17, z, 7.6), ground.at(17, z, 7.6), ground.at(17, z)], 0x7B8083, 2.2
    )
    canvas.line([ground.at(-17, z, 6.9), ground.at(17, z, 6.9)], 0x7B8083, 1.2)
    for x0, x1 in ((3.0, 8.0), (9.5, 14.0)):
        board = [ground.at(x0, z, 5.8), ground.at(x1, z, 5.8), ground.at(x1, z, 8.6), ground.at(x0, z, 8.6)]
        canvas.polygon(board, 0x3E6B55, shines=0x2C4F3E)
        for row, width in ((8.1, 0.8), (7.3, 0.6), (6.6, 0.7)):
            a, b = ground.at(x0 + 0.5, z, row), ground.at(x0 + 0.5 + (x1 - x0 - 1) * width, z, row)
            canvas.line([a, b], 0xD8DCD6, 1.5)
    for number in range(5):
        zl = 18 + 34 * number
        for side in (-1, 1):
            lamp_post(canvas, ground, side * 0.3, zl, arm=side * 2.6, height=10, strength=0.85)
    lanes = [
        (Flow(seed + 1, 3.4, 24, 240, share=0.62), -4.6, False),
        (Flow(seed + 2, 4.6, 20, 240, share=0.7), -9.2, False),
        (Flow(seed + 3, 3.6, 25, 240, share=0.6), 4.6, True),
        (Flow(seed + 4, 5.0, 20, 240, share=0.7), 9.2, True),
    ]

    def move(picture: Pixels, lit: Lit, at: float) -> None:
        for flow, x, away in lanes:
            along(picture, lit, ground, flow, at, x, 8, away=away)

    return canvas, [move, birds(seed, 20, 80)]
