"""The deck of a bridge, seen along its railing."""

import numpy as np

from streams.synthetic.canvas import HEIGHT, WIDTH, Canvas, Lit, Pixels
from streams.synthetic.ground import Ground
from streams.synthetic.moving import Mover, birds, ripples
from streams.synthetic.places import (
    HIGH_SKY,
    LOW_SKY,
    closed,
    dashes,
    lamp_post,
    ridge,
    road,
    skyline,
)
from streams.synthetic.traffic import Flow, along


def bridge(seed: int) -> tuple[Canvas, list[Mover]]:
    """Draw a bridge with traffic, the river on both sides."""
    ground = Ground(horizon=112, focal=420, height_m=5.2, centre=250)
    canvas = Canvas(HIGH_SKY, LOW_SKY, 112, seed)
    chance = canvas.chance
    canvas.polygon(closed(ridge(chance, 114, 54, 0.55, peaks=3)), 0x8B9796)
    canvas.polygon(closed(ridge(chance, 115, 24, 0.5, peaks=6)), 0x718077)
    skyline(canvas, 114, low=6, high=24, gap=0.3, lit=0.4)
    water = [(0.0, 113.0), (WIDTH, 113.0), (WIDTH, HEIGHT), (0.0, HEIGHT)]
    canvas.gradient(water, 0x7F939B, 0x56717D)
    canvas.texture(water, 2.6, 5, stretch=7)
    half = 5.6
    for side in (-1, 1):
        x0, x1 = sorted((side * half, side * (half + 1.9)))
        canvas.polygon(
            [
                ground.at(side * (half + 2.0), 3),
                ground.at(side * (half + 2.0), 150),
                ground.at(side * (half + 2.0), 150, -1.6),
                ground.at(side * (half + 2.0), 3, -1.6),
            ],
            0x6C6F72,
        )
        canvas.polygon(ground.quad(x0, x1, 3, 160), 0xA09C93)
    road(canvas, ground, -half, half, 2, 160)
    for side in (-1, 1):
        canvas.polygon(
            ground.quad(
                min(side * half, side * (half - 0.25)), max(side * half, side * (half - 0.25)), 3, 160
            ),
            0xB8B5AC,
        )
        dashes(canvas, ground, side * (half - 0.7), 3, 160, off=0, width=0.12)
    dashes(canvas, ground, 0, 3, 160, off=0, width=0.15, colour=0xC2B070)
    for side in (-1, 1):
        dashes(canvas, ground, side * 2.6, 3, 120)
        rail = side * (half + 1.8)
        for z in np.geomspace(5.5, 140, 42)[::-1]:
            canvas.line(
                [ground.at(rail, float(z)), ground.at(rail, float(z), 1.15)],
                0xB4B6B3,
                max(0.6, 16 / float(z)),
            )
        for up, wide in ((1.15, 2.6), (0.75, 1.4), (0.4, 1.4)):
            canvas.line([ground.at(rail, 5, up), ground.at(rail, 140, up)], 0xB4B6B3, wide)
        for number in range(5):
            lamp_post(
                canvas,
                ground,
                side * (half + 1.2),
                15 + 22 * number + (11 if side > 0 else 0),
                arm=-side * 1.8,
                height=8,
            )
    there, back = Flow(seed + 1, 5.5, 11, 130), Flow(seed + 2, 6.5, 10.5, 130)
    there2 = Flow(seed + 3, 9, 12, 130, share=0.6)

    def move(picture: Pixels, lit: Lit, at: float) -> None:
        along(picture, lit, ground, back, at, -3.9, 6, away=False)
        along(picture, lit, ground, there2, at, 1.4, 6, away=True)
        along(picture, lit, ground, there, at, 4.0, 6, away=True)

    waves = [
        ripples(seed, 0, 130, 110, 250, 12, 0x9FB4BC),
        ripples(seed + 1, 470, 128, WIDTH, 250, 18, 0x9FB4BC),
    ]
    return canvas, [*waves, move, birds(seed, 30, 100)]
