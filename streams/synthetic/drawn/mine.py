"""An open pit with its terraces, an excavator and dump trucks."""

import cv2
import numpy as np

from streams.synthetic.canvas import HEIGHT, WIDTH, Canvas, Lit, Pixels, Point, bgr, tone
from streams.synthetic.moving import Mover, birds, cloud, fixed, shaded
from streams.synthetic.places import (
    closed,
    ridge,
)
from streams.synthetic.sprites import Sprite, lay, shine
from streams.synthetic.traffic import Flow


def mine(seed: int) -> tuple[Canvas, list[Mover]]:
    """Draw a quarry at work."""
    canvas = Canvas(0x98A1A8, 0xC4C5C2, 110, seed)
    chance = canvas.chance
    canvas.polygon(closed(ridge(chance, 112, 70, 0.55, peaks=3)), 0x8C9594)
    canvas.polygon(closed(ridge(chance, 118, 42, 0.5, peaks=5)), 0x74816F)
    rock = (0xA39A8A, 0x9A9080, 0xAA9F8C, 0x938A7B, 0xA29784)
    top = 96.0
    for step in range(5):
        y = top + step * 30
        inset = 30 * step
        outline = [
            (x, y + 7 * np.sin(x / 90 + step) + 5 * np.sin(x / 33 + step * 2) + abs(x - 330) * 0.02)
            for x in range(-10 + 0 * inset, WIDTH + 20, 15)
        ]
        wall = [*outline, (WIDTH + 10, y + 60), (-10, y + 60)]
        canvas.gradient(wall, tone(rock[step], 1.06), tone(rock[step], 0.8))
        canvas.texture(wall, 5, 1.6, stretch=0.5)
        canvas.texture(wall, 4, 8, stretch=0.6)
        ledge = [(x, py + 19) for x, py in outline]
        canvas.polygon([*ledge, *[(x, py + 27) for x, py in reversed(ledge)]], tone(rock[step], 1.12))
    floor = [(-10.0, 246.0), (WIDTH + 10, 238.0), (WIDTH + 10, HEIGHT), (-10.0, HEIGHT)]
    canvas.gradient(floor, 0xA79E8E, 0x8E8577)
    canvas.texture(floor, 4, 1.5)
    canvas.texture(floor, 4, 12, stretch=3)
    for offset in (0, 9):
        track = [
            (-10.0, 318.0 + offset),
            (200.0, 300.0 + offset),
            (420.0, 292.0 + offset),
            (WIDTH + 10, 276.0 + offset),
        ]
        canvas.line(track, 0x7E7669, 2.2)
    for x, y, size in ((96, 268, 42), (150, 274, 30), (560, 262, 36)):
        heap = [
            (x - size * 1.5, y),
            (x - size * 0.5, y - size * 0.7),
            (x, y - size * 0.95),
            (x + size * 0.6, y - size * 0.6),
            (x + size * 1.5, y),
        ]
        canvas.gradient(heap, 0xB0A694, 0x8C8374)
        canvas.texture(heap, 6, 1.3)
    canvas.polygon([(14, 246), (64, 244), (64, 196), (14, 198)], 0x7E858A)
    canvas.polygon([(64, 244), (84, 246), (84, 202), (64, 196)], 0x6A7176)
    canvas.polygon([(56, 204), (150, 250), (146, 256), (52, 212)], 0x8A9094)
    canvas.rectangle(24, 206, 10, 8, 0x454B53, shines=0xE8C47A)
    for x, y in ((218, 246), (500, 240)):
        canvas.line([(x, y), (x, y - 78)], 0x55595D, 2)
        canvas.rectangle(x - 9, y - 84, 18, 7, 0xC9C6BC, shines=0xFFF0CC)
        canvas.lamp(x, y + 16, 150, 60, 0.95)
        canvas.lamp(x, y - 40, 110, 60, 0.3)
    base_x, base_y = float(chance.uniform(330, 380)), 272.0
    truck = Flow(seed + 2, 24, 22, 720, share=0.85)
    dust = cloud(seed, 90, 34, 0xC2B8A4, 0.55)
    kept: dict[int, Sprite] = {}

    def move(picture: Pixels, lit: Lit, at: float) -> None:
        key = round(lit.daylight * 8) + 16 * lit.infrared
        if key not in kept:
            kept.clear()
            kept[key] = shaded(dust, lit)
        _excavator(picture, lit, base_x, base_y, at)
        for _, _, travelled in truck.at(at):
            x = travelled - 40
            y = 322 - x * 42 / WIDTH
            for puff in range(3):
                lay(picture, kept[key], x - 50 - 34 * puff, y + 6 - 5 * puff)
            _dumper(picture, lit, x, y)

    return canvas, [move, birds(seed, 30, 80)]


def _paint(picture: Pixels, points: list[Point], colour: int, shade: tuple[float, float, float]) -> None:
    paint = tuple(min(255.0, c * s) for c, s in zip(bgr(colour), shade, strict=True))
    cv2.fillPoly(picture, [np.round(np.array(points) * 16).astype(np.int32)], paint, cv2.LINE_AA, 4)


def _bar(a: Point, b: Point, wide_a: float, wide_b: float) -> list[Point]:
    dx, dy = b[0] - a[0], b[1] - a[1]
    long = max(1e-6, float(np.hypot(dx, dy)))
    nx, ny = -dy / long, dx / long
    return [
        (a[0] + nx * wide_a, a[1] + ny * wide_a), (b[0] + nx * wide_b, b[1] + ny * wide_b),
        (b[0] - nx * wide_b, b[1] - ny * wide_b), (a[0] - nx * wide_a, a[1] - ny * wide_a),
    ]  # fmt: skip


def _excavator(picture: Pixels, lit: Lit, x: float, y: float, at: float) -> None:
    """Draw the excavator; its arm digs, lifts and swings back."""
    shade = lit.shade(x, y)
    yellow, dark = 0xC49A3A, 0x3A3B3C
    beat = at * 0.55
    boom = 0.95 + 0.28 * np.sin(beat)
    stick = -0.75 + 0.5 * np.sin(beat + 1.1)
    _paint(
        picture,
        [
            (x - 34, y - 4),
            (x + 30, y - 4),
            (x + 34, y + 3),
            (x + 28, y + 10),
            (x - 32, y + 10),
            (x - 38, y + 3),
        ],
        dark,
        shade,
    )
    _paint(picture, [(x - 36, y - 26), (x + 4, y - 26), (x + 8, y - 4), (x - 36, y - 4)], yellow, shade)
    _paint(
        picture,
        [(x + 2, y - 42), (x + 20, y - 42), (x + 26, y - 22), (x + 26, y - 4), (x + 2, y - 4)],
        tone(yellow, 1.1),
        shade,
    )
    _paint(picture, [(x + 6, y - 38), (x + 18, y - 38), (x + 23, y - 22), (x + 6, y - 22)], 0x2B323A, shade)
    root = (x + 8.0, y - 18.0)
    elbow = (root[0] + 66 * float(np.cos(boom)), root[1] - 66 * float(np.sin(boom)))
    wrist = (elbow[0] + 44 * float(np.cos(stick)), elbow[1] - 44 * float(np.sin(stick)) + 8)
    _paint(picture, _bar(root, elbow, 6, 4), tone(yellow, 0.92), shade)
    _paint(picture, _bar(elbow, wrist, 4.5, 3), yellow, shade)
    bx, by = wrist
    _paint(
        picture,
        [(bx - 3, by - 2), (bx + 9, by - 1), (bx + 7, by + 12), (bx - 8, by + 14), (bx - 10, by + 5)],
        0x55524C,
        shade,
    )
    if lit.daylight < 0.5:
        shine(picture, x + 22, y - 44, 10, 8, 0xFFF0C8, 0.9)
        shine(picture, x + 70, y + 2, 50, 18, 0xFFF0C8, 0.3)


def _dumper(picture: Pixels, lit: Lit, x: float, y: float) -> None:
    """Draw a dump truck driving to the right."""
    shade = lit.shade(x, y)
    _paint(picture, [(x - 44, y - 40), (x + 14, y - 44), (x + 4, y - 14), (x - 32, y - 14)], 0xBE8F34, shade)
    _paint(picture, [(x - 40, y - 42), (x - 16, y - 52), (x + 4, y - 50), (x + 13, y - 43)], 0x9C9282, shade)
    _paint(picture, [(x + 10, y - 46), (x + 34, y - 46), (x + 34, y - 42), (x + 10, y - 42)], 0xBE8F34, shade)
    _paint(
        picture,
        [(x + 16, y - 38), (x + 38, y - 38), (x + 44, y - 22), (x + 44, y - 10), (x + 10, y - 10)],
        tone(0xBE8F34, 1.08),
        shade,
    )
    _paint(picture, [(x + 24, y - 35), (x + 36, y - 35), (x + 40, y - 24), (x + 24, y - 24)], 0x2B323A, shade)
    _paint(picture, [(x - 34, y - 14), (x + 44, y - 14), (x + 44, y - 7), (x - 34, y - 7)], 0x4A4A48, shade)
    for wheel in (-22.0, 28.0):
        for radius, colour in ((10.5, 0x232426), (4.5, 0x77756E)):
            paint = tuple(c * s for c, s in zip(bgr(colour), shade, strict=True))
            cv2.circle(picture, fixed((x + wheel, y - 8)), round(radius * 16), paint, -1, cv2.LINE_AA, 4)
    if lit.daylight < 0.5:
        shine(picture, x + 44, y - 14, 9, 7, 0xFFF0C8, 0.9)
        shine(picture, x + 84, y + 2, 46, 12, 0xFFF0C8, 0.35)
