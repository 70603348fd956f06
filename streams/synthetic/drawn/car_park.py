"""A car park seen from a mast."""

import cv2
import numpy as np

from streams.synthetic.canvas import Canvas, Lit, Pixels, bgr
from streams.synthetic.ground import Ground
from streams.synthetic.moving import Mover, birds, fixed
from streams.synthetic.places import (
    HIGH_SKY,
    LOW_SKY,
    MARK,
    face,
    lamp_post,
    land,
    skyline,
    tree,
)
from streams.synthetic.sprites import PAINTS, VehicleKind, View, vehicle
from streams.synthetic.traffic import Flow


def car_park(seed: int) -> tuple[Canvas, list[Mover]]:
    """A car park seen from a mast."""
    ground = Ground(horizon=70, focal=400, height_m=9.0, centre=320)
    canvas = Canvas(HIGH_SKY, LOW_SKY, 70, seed)
    chance = canvas.chance
    skyline(canvas, 71, low=16, high=46, gap=0.15, lit=0.3)
    land(canvas, ground, 0x7C7F80)
    for place in range(16):
        px, py = ground.at(-75 + 10 * place + float(chance.uniform(-2, 2)), 84)
        tree(canvas, px, py, float(chance.uniform(12, 17)), far=0.25)
    canvas.polygon(ground.quad(-70, 70, 76, 80), 0x6F7F66)
    area = ground.quad(-48, 48, 5, 74)
    canvas.gradient(area, 0x707376, 0x5A5D61)
    canvas.texture(area, 2.5, 1)
    rows: tuple[tuple[float, View], ...] = ((22.0, "rear"), (34.5, "front"), (47.0, "rear"), (59.0, "front"))
    parked: list[tuple[float, float, View, int, bool]] = []
    for z, view in rows:
        for place in range(-9, 10):
            x = place * 3.0
            canvas.polygon(ground.quad(x - 1.55, x - 1.45, z - 2.6, z + 2.6), MARK)
            if chance.random() < 0.68 and place < 9:
                parked.append((z - 2.0, x, view, int(chance.integers(len(PAINTS))), chance.random() < 0.2))
        canvas.polygon(
            ground.quad(-28.6, 25.6, z + 2.6, z + 2.75)
            if view == "rear"
            else ground.quad(-28.6, 25.6, z - 2.75, z - 2.6),
            MARK,
        )
    parked.sort(reverse=True)
    for x, z in ((-17, 41), (15, 41), (-17, 66), (15, 66), (15, 16), (-17, 16)):
        lamp_post(canvas, ground, x, z, height=8.0, arm=1.4)
    canvas.lamp(320, 300, 330, 90, 0.6)
    canvas.lamp(320, 215, 330, 50, 0.35)
    free = Flow(seed + 5, 34, 4.2, 70, share=0.9, trucks=False)
    hut = [ground.at(x, 13.5, up) for x, up in ((7.2, 0), (9.4, 0), (9.4, 2.7), (7.2, 2.7))]
    face(canvas, hut, 0xB2ADA2, 1, 1, lit=1.0, pane=(0.7, 0.5))

    def move(picture: Pixels, lit: Lit, at: float) -> None:
        moving = [(28.3, travelled - 35, kind, paint) for kind, paint, travelled in free.at(at)]
        moving += [(53.0, 35 - travelled, kind, paint) for kind, paint, travelled in free.at(at + 17)]
        driving = sorted(moving, reverse=True)
        for z, x, view, paint, van in parked:
            while driving and driving[0][0] > z:
                _drive(picture, lit, ground, driving.pop(0))
            kind: VehicleKind = "van" if van else "car"
            foot = ground.at(x, z)
            vehicle(picture, lit, kind, view, PAINTS[paint], foot, ground.scale(z), parked=True)
        _barrier(picture, lit, ground, at)

    return canvas, [move, birds(seed, 20, 60)]


def _drive(picture: Pixels, lit: Lit, ground: Ground, car: tuple[float, float, VehicleKind, int]) -> None:
    z, x, kind, paint = car
    view: View = "right" if z < 40 else "left"
    vehicle(picture, lit, kind, view, paint, ground.at(x, z), ground.scale(z))


def _barrier(picture: Pixels, lit: Lit, ground: Ground, at: float) -> None:
    phase = (at % 34) / 34
    lifted = float(np.clip(min(phase * 12, (0.3 - phase) * 12), 0, 1)) * 1.35
    shade = lit.shade(*ground.at(5, 13.5))
    for part in range(8):
        near, far = part / 8 * 6.2, (part + 1) / 8 * 6.2
        base = bgr(0xC8433A if part % 2 else 0xE2E2DE)
        colour = tuple(c * s for c, s in zip(base, shade, strict=True))
        a = ground.at(6.6 - near * np.cos(lifted), 13.5, 1.0 + near * np.sin(lifted))
        b = ground.at(6.6 - far * np.cos(lifted), 13.5, 1.0 + far * np.sin(lifted))
        cv2.line(picture, fixed(a), fixed(b), colour, 3, cv2.LINE_AA, 4)
    a, b = ground.at(6.6, 13.5), ground.at(6.6, 13.5, 1.3)
    cv2.line(picture, fixed(a), fixed(b), (60, 150, 190), 6, cv2.LINE_AA, 4)
