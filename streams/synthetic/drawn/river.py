"""A river with its bank, a staff gauge and a bridge behind."""

import cv2
import numpy as np

from streams.synthetic.canvas import HEIGHT, WIDTH, Canvas, Lit, Pixels, Point, bgr, tone
from streams.synthetic.moving import Mover, birds, ripples
from streams.synthetic.places import (
    HIGH_SKY,
    LOW_SKY,
    closed,
    ridge,
    skyline,
    tree,
)
from streams.synthetic.sprites import shine, vehicle
from streams.synthetic.traffic import Flow


def river(seed: int) -> tuple[Canvas, list[Mover]]:
    """Draw a river bank."""
    horizon = 122.0
    canvas = Canvas(HIGH_SKY, LOW_SKY, horizon, seed)
    chance = canvas.chance
    canvas.polygon(closed(ridge(chance, horizon + 4, 62, 0.55, peaks=3)), 0x8B9796)
    canvas.polygon(closed(ridge(chance, horizon + 4, 38, 0.5, peaks=5)), 0x74827A)
    low = ridge(chance, horizon + 6, 16, 0.5, peaks=8)
    canvas.polygon(closed(low), 0x64735F)
    skyline(canvas, horizon - 2, low=5, high=13, gap=0.45, lit=0.4)
    water = [(0.0, horizon), (WIDTH, horizon), (WIDTH, HEIGHT), (0.0, HEIGHT)]
    canvas.gradient(water, 0x7F939B, 0x4F6E7B)
    canvas.texture(water, 2.6, 5, stretch=7)
    canvas.texture(water, 1.6, 2, stretch=10)
    canvas.rectangle(0, horizon, WIDTH, 2, 0x6E8287)
    bridge_y = horizon - 6
    first = float(chance.uniform(250, 330))
    slab, pier = 0x9A9B98, 0x84868A
    for place in range(9):
        x = first - 60 + place * 58
        canvas.polygon(
            [(x - 4, bridge_y), (x + 4, bridge_y), (x + 5, horizon + 13), (x - 5, horizon + 13)], pier
        )
        canvas.polygon(
            [(x - 5, horizon + 13), (x + 5, horizon + 13), (x + 4, horizon + 30), (x - 4, horizon + 30)],
            0x6A8089,
        )
        arch = [
            (x + 4 + 50 * u, bridge_y + 14 - 13 * float(np.sin(np.pi * u))) for u in np.linspace(0, 1, 15)
        ]
        canvas.polygon([(x + 4, bridge_y), *arch, (x + 54, bridge_y)], tone(slab, 0.86))
    canvas.rectangle(first - 70, bridge_y - 5, WIDTH, 7, slab)
    canvas.rectangle(first - 70, bridge_y - 6, WIDTH, 1.4, tone(slab, 1.25))
    for place in range(24):
        x = first - 66 + place * 18
        canvas.line([(x, bridge_y - 5), (x, bridge_y - 11)], 0xA6A8A6, 0.8)
    canvas.line([(first - 70, bridge_y - 11), (WIDTH, bridge_y - 11)], 0xA6A8A6, 0.8)
    lights = []
    for place in range(6):
        x = first - 40 + place * 74
        canvas.line([(x, bridge_y - 6), (x, bridge_y - 27), (x + 7, bridge_y - 28)], 0x6A6E72, 1.0)
        canvas.ellipse(x + 8, bridge_y - 28, 3, 1.3, 0xC9C6BC, shines=0xFFE9B8)
        canvas.lamp(x + 8, bridge_y - 6, 42, 12, 0.8)
        canvas.lamp(x + 8, horizon + 46, 7, 60, 0.34)
        lights.append(x + 8)
    # The embankment: concrete slope, path and grass.
    slope = [(0, 214), (300, horizon + 24), (326, horizon + 24), (268, 252), (196, HEIGHT), (0, HEIGHT)]
    canvas.gradient(slope, 0x8E8C86, 0x85827B)
    canvas.texture(slope, 3, 1.5)
    for part in range(1, 7):
        share = part / 7
        canvas.line(
            [(0 + 196 * share, HEIGHT), (0 + 326 * (0.93 + 0.07 * share), horizon + 24)], 0x7A7872, 0.7
        )
    path = [(0, 208), (290, horizon + 21), (306, horizon + 24), (0, 262)]
    canvas.gradient(path, 0xA7A49B, 0x9B978E)
    canvas.texture(path, 2, 2)
    bank = [(0, 168), (240, horizon + 8), (292, horizon + 21), (0, 209)]
    canvas.gradient(bank, 0x6F7E66, 0x5F7058)
    canvas.texture(bank, 4, 1.2)
    for place in range(5):
        x = 24 + place * 50
        tree(canvas, x, 180 - place * 11.5, 26 - place * 3.8, far=0.05 * place)
    for x, y, size in ((96, 236, 1.0), (214, 181, 0.55)):
        canvas.line([(x, y), (x, y - 92 * size), (x + 12 * size, y - 95 * size)], 0x4A4E53, 2.4 * size)
        canvas.ellipse(x + 14 * size, y - 95 * size, 7 * size, 2.4 * size, 0xC9C6BC, shines=0xFFE9B8)
        canvas.lamp(x + 14, y + 8, 120 * size, 52 * size, 0.95)
    for place in range(14):  # the railing of the path
        share = place / 13
        x, y = 4 + 296 * share**0.8, 262 - (262 - horizon - 26) * share**0.8
        canvas.line([(x, y), (x, y - 26 * (1 - share) - 4)], 0xA9ABA8, 1.6 - share)
    canvas.line([(0, 262 - 30), (304, horizon + 21)], 0xA9ABA8, 1.6)
    canvas.line([(0, 262 - 16), (304, horizon + 23)], 0xA9ABA8, 1.1)
    _gauge(canvas, float(chance.uniform(430, 500)), 166)
    flow = Flow(seed + 1, 5.0, 26, 700, share=0.75)

    def move(picture: Pixels, lit: Lit, at: float) -> None:
        for kind, paint, travelled in flow.at(at):
            x = first - 70 + travelled
            if x < WIDTH:
                vehicle(picture, lit, kind, "right", paint, (x, bridge_y - 4), 3.6)

    waves = ripples(seed, 300, horizon + 18, WIDTH, HEIGHT, 46, 0x9FB4BC)
    return canvas, [waves, move, _boat(seed, horizon), birds(seed, 30, 100)]


def _gauge(canvas: Canvas, x: float, top: float) -> None:
    """Set the staff gauge into the water: red and blue marks every ten centimetres."""
    wide, step = 17.0, 9.2
    canvas.polygon([(x - 12, 300), (x + 28, 300), (x + 24, 322), (x - 8, 322)], 0x6C7E86)
    canvas.rectangle(x - 4, top - 8, 4, 140, 0x6B6E70)
    canvas.rectangle(x, top - 4, wide, 128, 0xE2E2DA, shines=0x6E6E68)
    for place in range(13):
        y = top + place * step
        colour = 0xA8433A if place % 2 == 0 else 0x33476B
        canvas.rectangle(
            x + 1, y, wide * (0.55 if place % 2 else 0.98), step * 0.48, colour, shines=tone(colour, 0.5)
        )
    canvas.rectangle(x, top + 118, wide, 34, 0x62808B)
    for place in range(3):
        canvas.rectangle(x + 1, top + 122 + place * step, wide * 0.9, step * 0.4, 0x6E7A88)
    canvas.lamp(x + 8, top + 60, 60, 80, 0.55)


def _boat(seed: int, horizon: float) -> Mover:
    def move(picture: Pixels, lit: Lit, at: float) -> None:
        way = (at * 7 + seed * 97) % 1500 - 200
        if not 250 < way < WIDTH + 60:
            return
        x, y = way, horizon + 34 + 0.8 * np.sin(at * 1.4)
        shade = lit.shade(x, y)

        def part(points: list[Point], colour: int) -> None:
            paint = tuple(c * s for c, s in zip(bgr(colour), shade, strict=True))
            placed = np.array([(x + dx, y + dy) for dx, dy in points])
            cv2.fillPoly(picture, [np.round(placed * 16).astype(np.int32)], paint, cv2.LINE_AA, 4)

        part([(-26, 0), (30, 0), (22, 7), (-22, 7)], 0x6B4F3E)
        part([(-24, 7), (24, 7), (16, 10), (-16, 10)], 0x50656E)
        part([(-14, -9), (6, -9), (8, 0), (-16, 0)], 0xB6B2A6)
        part([(-17, -11), (9, -11), (8, -9), (-16, -9)], 0x4E6C8F)
        if lit.daylight < 0.5:
            shine(picture, x + 8, y - 4, 9, 7, 0xFFE0A0, 0.8)

    return move
