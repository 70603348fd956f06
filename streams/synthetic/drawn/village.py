"""The way into a village: an arch, a road between fields and houses."""

from streams.synthetic.canvas import Canvas, Lit, Pixels, mix
from streams.synthetic.ground import Ground
from streams.synthetic.moving import Mover, birds
from streams.synthetic.places import (
    HIGH_SKY,
    LOW_SKY,
    closed,
    dashes,
    house,
    lamp_post,
    land,
    ridge,
    road,
    tree,
)
from streams.synthetic.traffic import Flow, along


def village(seed: int) -> tuple[Canvas, list[Mover]]:
    """Draw a village entrance."""
    ground = Ground(horizon=112, focal=420, height_m=5.0, centre=300)
    canvas = Canvas(HIGH_SKY, LOW_SKY, 112, seed)
    chance = canvas.chance
    canvas.polygon(closed(ridge(chance, 114, 82, 0.58, peaks=3)), 0x8A979C)
    hills = ridge(chance, 115, 46, 0.52, peaks=4)
    canvas.gradient(closed(hills), 0x708174, 0x7C8B7C)
    canvas.texture(closed(hills), 3, 2)
    land(canvas, ground, 0x73815F)
    for side in (-1, 1):  # terraced fields
        for place in range(9):
            z = 120 - place * 12.5
            x0, x1 = sorted((side * 6, side * 90))
            green = (0x7C8A5E, 0x8B9464, 0x6D7F58, 0x97986C)[int(chance.integers(4))]
            quad = ground.quad(x0, x1, max(7.0, z - 12.2), z)
            canvas.polygon(quad, mix(green, canvas.haze, min(0.55, z / 170)))
            canvas.texture(quad, 4, 1.2, stretch=3)
    for x, z in ((-34, 92), (-22, 84), (-12, 96), (14, 90), (26, 82), (38, 94), (-44, 80), (50, 88)):
        house(canvas, ground, x, z, float(chance.uniform(8, 10)), float(chance.uniform(5.5, 7.5)))
    half = 2.9
    road(canvas, ground, -half, half, 2, 200)
    for side in (-1, 1):
        canvas.polygon(
            ground.quad(min(side * half, side * (half + 0.9)), max(side * half, side * (half + 0.9)), 3, 160),
            0x8E8772,
        )
    dashes(canvas, ground, 0, 4, 120, on=2.5, off=3.5)
    for place in range(8):
        z = 84 - place * 9.4
        for side in (-1, 1):
            if chance.random() < 0.72 and abs(z - 24) > 6:
                px, py = ground.at(side * (6.2 + float(chance.uniform(0, 2.5))), z)
                tree(canvas, px, py, 1.75 * ground.scale(z), far=min(0.4, z / 180))
        if place % 2 == 0:
            lamp_post(canvas, ground, -half - 1.0, z + 3, arm=1.4, height=6.0)
    gate_z = 23.0
    for column_x in (-5.6, -3.7, 3.7, 5.6):
        column = [
            ground.at(column_x - 0.32, gate_z),
            ground.at(column_x + 0.32, gate_z),
            ground.at(column_x + 0.32, gate_z, 5.6 if abs(column_x) < 5 else 4.6),
            ground.at(column_x - 0.32, gate_z, 5.6 if abs(column_x) < 5 else 4.6),
        ]
        canvas.polygon(column, 0x8A4A40)
        foot = [
            ground.at(column_x - 0.5, gate_z),
            ground.at(column_x + 0.5, gate_z),
            ground.at(column_x + 0.45, gate_z, 0.7),
            ground.at(column_x - 0.45, gate_z, 0.7),
        ]
        canvas.polygon(foot, 0x9C988F)
    _roof(canvas, ground, -4.4, 4.4, gate_z, 5.3)
    for left, right in ((-6.4, -3.6), (3.6, 6.4)):
        _roof(canvas, ground, left, right, gate_z, 4.4)
    plate = [
        ground.at(x, gate_z - 0.1, up) for x, up in ((-2.4, 4.35), (2.4, 4.35), (2.4, 5.35), (-2.4, 5.35))
    ]
    canvas.polygon(plate, 0x3A4A5A)
    for place in range(4):
        mark_x = -1.9 + place * 1.0
        mark = [
            ground.at(mark_x, gate_z - 0.15, 4.55),
            ground.at(mark_x + 0.7, gate_z - 0.15, 4.55),
            ground.at(mark_x + 0.7, gate_z - 0.15, 5.15),
            ground.at(mark_x, gate_z - 0.15, 5.15),
        ]
        canvas.polygon(mark, 0xC9A86A, shines=0x8A6E3C)
    canvas.lamp(*ground.at(0, gate_z - 2), 130, 46, 0.8)
    canvas.lamp(*ground.at(0, gate_z, 4), 90, 50, 0.4)
    for stand, ahead, size in (
        (-9.5, 19, 2.4),
        (-12.5, 15, 2.2),
        (10.5, 17, 2.6),
        (-8.2, 27, 2.0),
        (9.4, 30, 2.2),
    ):
        px, py = ground.at(stand, ahead)
        tree(canvas, px, py, size * ground.scale(ahead))
    there, back = Flow(seed + 1, 19, 7, 110, trucks=False), Flow(seed + 2, 23, 7, 110, trucks=False)
    over = [(there, 1.45, True), (back, -1.45, False)]

    def move(picture: Pixels, lit: Lit, at: float) -> None:
        for flow, x, away in over:
            along(picture, lit, ground, flow, at, x, 6, away=away)

    return canvas, [move, birds(seed, 30, 100, every_s=50)]


def _roof(canvas: Canvas, ground: Ground, x0: float, x1: float, z: float, up: float) -> None:
    """Lay a swept roof of glazed tiles over columns."""
    count = 12
    lower = []
    for place in range(count + 1):
        share = place / count
        lift = 0.55 * abs(2 * share - 1) ** 3
        lower.append(ground.at(x0 - 0.5 + (x1 - x0 + 1.0) * share, z, up + 0.25 + lift))
    upper = [
        ground.at(x0 + 0.4 + (x1 - x0 - 0.8) * share / count, z, up + 1.35) for share in range(count + 1)
    ]
    canvas.polygon([*lower, *reversed(upper)], 0x6A7268)
    canvas.line(upper, 0x565C56, 2.2)
    canvas.line(lower, 0x9A8A5A, 1.6)
    for below, above in zip(lower[1:-1], upper[1:-1], strict=True):
        canvas.line([below, above], 0x5C645C, 0.9)
    beam = [
        ground.at(x0, z, up - 0.45),
        ground.at(x1, z, up - 0.45),
        ground.at(x1, z, up + 0.25),
        ground.at(x0, z, up + 0.25),
    ]
    canvas.polygon(beam, 0x4F6A72)
