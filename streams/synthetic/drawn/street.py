"""A street with shops and lamps."""

import numpy as np

from streams.synthetic.canvas import Canvas, Lit, Pixels
from streams.synthetic.ground import Ground
from streams.synthetic.moving import Mover
from streams.synthetic.places import (
    HIGH_SKY,
    LOW_SKY,
    WALLS,
    block,
    dashes,
    lamp_post,
    land,
    road,
    skyline,
    tree,
)
from streams.synthetic.sprites import PAINTS, vehicle
from streams.synthetic.traffic import Flow, along


def street(seed: int) -> tuple[Canvas, list[Mover]]:
    """A street with shops and lamps."""
    rng = np.random.default_rng(seed)
    ground = Ground(horizon=104, focal=430, height_m=5.6, centre=float(rng.uniform(250, 390)))
    canvas = Canvas(HIGH_SKY, LOW_SKY, 104, seed)
    chance = canvas.chance
    skyline(canvas, 105, low=10, high=34, clear=(ground.centre - 26, ground.centre + 26))
    land(canvas, ground, 0x918C83)
    half = 5.2
    road(canvas, ground, -half, half)
    for side in (-1, 1):
        canvas.polygon(ground.quad(side * half, side * (half + 0.3), 4, 200), 0xABA79E)
    dashes(canvas, ground, 0, 4, 150, colour=0xC2B070, off=0, width=0.14)
    z = 132.0
    while z > 9:
        deep = float(chance.uniform(13, 20))
        z -= deep
        for side in (-1, 1):
            wall = WALLS[int(chance.integers(len(WALLS)))]
            x0, x1 = sorted((side * 10.2, side * 26.0))
            tall = float(chance.choice([7.5, 10, 13, 16.5, 19.5]))
            block(canvas, ground, x0, x1, max(9.5, z), z + deep - 0.6, tall, wall, shops=True)
        if chance.random() < 0.8:
            for side in (-1, 1):
                px, py = ground.at(side * 7.2, max(14.0, z + deep * 0.4))
                tree(canvas, px, py, 1.7 * ground.scale(max(14.0, z + deep * 0.4)), far=min(0.5, z / 200))
    for number in range(5):
        z = 16 + 24.0 * number
        lamp_post(canvas, ground, -half - 0.9, z, arm=1.7)
        lamp_post(canvas, ground, half + 0.9, z + 12, arm=-1.7)
    parked = [
        (half - 1.05, 24.0 + 6.4 * k, int(chance.integers(8))) for k in range(6) if chance.random() < 0.6
    ]
    there = Flow(seed + 11, 6.5, 9.5, 130)
    back = Flow(seed + 12, 7.5, 9.0, 130)

    def move(picture: Pixels, lit: Lit, at: float) -> None:
        for x, z, paint in sorted(parked, key=lambda car: -car[1]):
            vehicle(
                picture,
                lit,
                "car",
                "rear",
                PAINTS[paint],
                ground.at(x + 1.2, z),
                ground.scale(z),
                parked=True,
            )
        along(picture, lit, ground, back, at, -2.4, 6, away=False)
        along(picture, lit, ground, there, at, 2.0, 6, away=True)

    return canvas, [move]
