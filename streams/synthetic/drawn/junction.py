"""A crossing with traffic lights."""

import cv2
import numpy as np

from streams.synthetic.canvas import Canvas, Lit, Pixels, bgr, tone
from streams.synthetic.ground import Ground
from streams.synthetic.moving import Mover, birds
from streams.synthetic.places import (
    HIGH_SKY,
    LOW_SKY,
    MARK,
    PAVING,
    WALLS,
    block,
    dashes,
    lamp_post,
    land,
    road,
    skyline,
    tree,
)
from streams.synthetic.sprites import shine, vehicle
from streams.synthetic.traffic import Queue, Signal


def junction(seed: int) -> tuple[Canvas, list[Mover]]:
    """A crossing with lights."""
    ground = Ground(horizon=96, focal=400, height_m=6.5, centre=320)
    canvas = Canvas(HIGH_SKY, LOW_SKY, 96, seed)
    chance = canvas.chance
    skyline(canvas, 97, low=16, high=58, clear=(292, 350))
    land(canvas, ground, PAVING)
    z0, z1, half = 22.0, 36.0, 7.0
    for side in (-1, 1):
        for place in range(5):
            z = z1 + 6 + place * 17
            wall = WALLS[int(chance.integers(len(WALLS)))]
            x0, x1 = sorted((side * 14.0, side * 34.0))
            block(canvas, ground, x0, x1, z, z + 14, float(chance.uniform(9, 20)), wall, shops=True)
    canvas.polygon(ground.quad(-60, 60, z0 - 3, z1 + 3), 0x9A958B)
    road(canvas, ground, -half, half, 1, 300)
    canvas.polygon(ground.quad(-80, 80, z0, z1), 0x56595D)
    canvas.texture(ground.quad(-80, 80, z0, z1), 2.6, 1.5, stretch=3)
    for corner_x, corner_z in ((-half, z0), (half, z0), (-half, z1), (half, z1)):
        canvas.polygon(ground.quad(corner_x - 1.2, corner_x + 1.2, corner_z - 1.2, corner_z + 1.2), 0x56595D)
    for side in (-1, 1):
        dashes(canvas, ground, side * half * 0.5, z1 + 5, 140)
        dashes(canvas, ground, side * half * 0.5, 3, z0 - 6)
        for z in (z0 - 4.6, z1 + 4.6):
            canvas.polygon(ground.quad(min(0, side * half), max(0, side * half), z, z + 0.35), MARK)
    dashes(canvas, ground, 0, z1 + 5, 140, off=0, width=0.16, colour=0xC2B070)
    dashes(canvas, ground, 0, 3, z0 - 4.6, off=0, width=0.16, colour=0xC2B070)
    for x in np.arange(-half + 0.3, half - 0.3, 1.15):
        canvas.polygon(ground.quad(float(x), float(x) + 0.6, z0 - 3.6, z0 - 0.6), MARK)
        canvas.polygon(ground.quad(float(x), float(x) + 0.6, z1 + 0.8, z1 + 3.8), tone(MARK, 0.94))
    middle = (z0 + z1) / 2
    for side in (-1, 1):
        canvas.polygon(ground.quad(side * 12, side * 80, middle - 0.1, middle + 0.1), 0xB8A66A)
    for x in (-30, -22, 21, 29):
        px, py = ground.at(x * 0.62, z1 + 5)
        tree(canvas, px, py, 15, far=0.15)
    for x, z, arm in ((-half - 2.5, z1 + 7, 1.6), (half + 2.5, z1 + 24, -1.6), (-half - 2.5, z1 + 46, 1.6)):
        lamp_post(canvas, ground, x, z, arm=arm)
    lamp_post(canvas, ground, -half - 3, z0 - 4, arm=2.2, strength=1.0)
    canvas.lamp(330, 250, 260, 90, 0.55)
    post, top = ground.at(half + 1.6, z0 - 1.5), ground.at(half + 1.6, z0 - 1.5, 6.6)
    head = ground.at(half - 3.6, z0 - 1.5, 6.6)
    canvas.line([post, top, head], 0x44484D, 3.2)
    hx, hy = head
    canvas.rectangle(hx - 24, hy - 6, 42, 13, 0x22262A)
    main = Signal(offset_s=seed % 44)
    cross = Signal(offset_s=seed % 44 + 22)
    queues = [
        (Queue(seed + 1, main, 16, 120), half * 0.75, True),
        (Queue(seed + 2, main, 16, 120, most=3), half * 0.28, True),
        (Queue(seed + 3, main, 90, 40), -half * 0.28, False),
    ]
    sides = [
        (Queue(seed + 4, cross, 45, 60), z0 + 3.4, True),
        (Queue(seed + 5, cross, 45, 60), z0 + 10.4, False),
    ]

    def move(picture: Pixels, lit: Lit, at: float) -> None:
        found = []
        for queue, x, away in queues:
            for kind, paint, where in queue.at(at):
                z = z0 - 4.6 + where if away else z1 + 4.6 - where
                if z > 5:
                    found.append((z, kind, "rear" if away else "front", paint, ground.at(x, z)))
        for queue, z, right in sides:
            for kind, paint, where in queue.at(at):
                x = -half - 4 + where if right else half + 4 - where
                found.append((z, kind, "right" if right else "left", paint, ground.at(x, z)))
        for z, kind, view, paint, foot in sorted(found, reverse=True):
            vehicle(picture, lit, kind, view, paint, foot, ground.scale(z))  # type: ignore[arg-type]
        _signal_head(picture, hx, hy, main.colour(at))

    return canvas, [move, birds(seed, 60, 90)]


def _signal_head(picture: Pixels, x: float, y: float, colour: str) -> None:
    for place, (name, on) in enumerate((("red", 0xF0402C), ("amber", 0xF2B33C), ("green", 0x3CE08A))):
        px = x - 16 + 13 * place
        shown = on if name == colour else 0x33373B
        cv2.circle(picture, (round(px * 16), round((y + 0.5) * 16)), 4 * 16, bgr(shown), -1, cv2.LINE_AA, 4)
        if name == colour:
            shine(picture, px, y, 11, 11, shown, 0.5)
