"""A reservoir and its dam."""

import cv2
import numpy as np

from streams.synthetic.canvas import HEIGHT, WIDTH, Canvas, Lit, Pixels, Point
from streams.synthetic.moving import Mover, birds, cloud, ripples, shaded
from streams.synthetic.places import (
    closed,
    face,
    ridge,
)
from streams.synthetic.sprites import Sprite, lay


def dam(seed: int) -> tuple[Canvas, list[Mover]]:
    """Draw a reservoir behind a concrete dam; water runs over the spillway."""
    canvas = Canvas(0x93A0AB, 0xC0C4C6, 150, seed)
    chance = canvas.chance
    canvas.polygon(closed(ridge(chance, 132, 88, 0.55, peaks=3)), 0x8894A0)
    canvas.polygon(closed(ridge(chance, 142, 58, 0.5, peaks=4)), 0x73837F)
    hills = ridge(chance, 152, 40, 0.5, peaks=5)
    canvas.gradient(closed(hills), 0x5E7263, 0x6B7C6C)
    canvas.texture(closed(hills), 4, 1.8)
    water = [(0.0, 150.0), (WIDTH, 150.0), (WIDTH, 232.0), (0.0, 232.0)]
    canvas.gradient(water, 0x8CA0A8, 0x5C7C88)
    canvas.texture(water, 2.4, 4, stretch=8)
    for depth in range(3):
        canvas.rectangle(0, 150 + depth * 3, WIDTH, 1.2, (0x9AA08F, 0x8A8F80, 0x77857F)[depth])
    # The crown of the dam, its road and the downstream face.
    crown = [(0, 218), (WIDTH, 196), (WIDTH, 214), (0, 240)]
    wall = [(0, 240), (WIDTH, 214), (WIDTH, HEIGHT), (0, HEIGHT)]
    canvas.gradient(wall, 0x9A9992, 0x7E7D77)
    canvas.texture(wall, 3.4, 2)
    canvas.texture(wall, 3.0, 12, stretch=0.3)
    for place in range(9):
        x = 20.0 + place * 74
        canvas.line([(x, 240 - x * 26 / WIDTH), (x - 26, HEIGHT)], 0x7C7B75, 0.9)
    canvas.gradient(crown, 0x8F8F8B, 0x85857F)
    canvas.line([(0, 229), (WIDTH, 205)], 0xC8C6BC, 0.8)
    for row, (y0, y1) in enumerate(((218, 196), (240, 214))):
        for place in range(46):
            x = place * 14.2
            y = y0 + (y1 - y0) * x / WIDTH
            canvas.line([(x, y), (x, y - 9 - row)], 0xB9BAB6, 1.0)
        canvas.line([(0, y0 - 9 - row), (WIDTH, y1 - 9 - row)], 0xB9BAB6, 1.1)
        canvas.line([(0, y0 - 4.5), (WIDTH, y1 - 4.5)], 0xB9BAB6, 0.8)
    gate_x = 330.0
    for place in range(4):
        x = gate_x + place * 62
        y = 231 - x * 26 / WIDTH
        canvas.polygon([(x - 7, y - 58), (x + 7, y - 58), (x + 9, y + 34), (x - 9, y + 34)], 0xA5A39B)
        canvas.polygon([(x + 7, y - 58), (x + 11, y - 55), (x + 13, y + 34), (x + 9, y + 34)], 0x87857E)
        canvas.ellipse(x, y - 44, 2.6, 2.6, 0xCBC8BC, shines=0xFFE6B0)
        canvas.lamp(x, y + 4, 70, 40, 0.75)
    house_y = 231 - (gate_x + 93) * 26 / WIDTH - 58
    hut = [
        (gate_x - 12, house_y + 4),
        (gate_x + 200, house_y - 3),
        (gate_x + 200, house_y - 23),
        (gate_x - 12, house_y - 16),
    ]
    face(canvas, hut, 0xB1ADA2, 1, 10, lit=0.3, pane=(0.6, 0.5))
    canvas.polygon(
        [
            (gate_x - 16, house_y - 15),
            (gate_x + 204, house_y - 22),
            (gate_x + 200, house_y - 28),
            (gate_x - 12, house_y - 21),
        ],
        0x55656E,
    )
    for place in range(3):
        x = gate_x + place * 62
        y = 231 - (x + 31) * 26 / WIDTH
        canvas.polygon([(x + 9, y + 2), (x + 53, y), (x + 40, HEIGHT), (x - 32, HEIGHT)], 0x8E938F)
    for x in (40.0, 128.0, 228.0):
        y = 232 - x * 26 / WIDTH
        canvas.line([(x, y), (x, y - 52), (x + 8, y - 54)], 0x55595D, 1.5)
        canvas.ellipse(x + 10, y - 54, 4, 1.8, 0xC9C6BC, shines=0xFFE9B8)
        canvas.lamp(x + 10, y, 80, 26, 0.9)
        canvas.lamp(x, y + 60, 90, 70, 0.25)
    veil = _veil(seed)
    kept: dict[int, Sprite] = {}
    mist = cloud(seed, 300, 60, 0xDCE1E2, 0.6)

    def move(picture: Pixels, lit: Lit, at: float) -> None:
        key = round(lit.daylight * 8) + 16 * lit.infrared
        if key not in kept:
            kept.clear()
            kept[key] = shaded(mist, lit)
        for place in range(3):
            x = gate_x + place * 62
            y = 231 - (x + 31) * 26 / WIDTH
            _fall(
                picture,
                lit,
                veil,
                [(x + 10, y + 3), (x + 52, y + 1), (x + 38, HEIGHT), (x - 30, HEIGHT)],
                at + place,
            )
        for place in range(2):
            lay(
                picture,
                kept[key],
                gate_x + 40 + 70 * place + 14 * np.sin(at * 0.3 + place * 2),
                HEIGHT + 12 + 4 * np.sin(at * 0.5),
            )
        drift = (at * 1.6 + 200) % (WIDTH + 300) - 150
        lay(picture, kept[key], drift, 158)

    waves = ripples(seed, 0, 156, WIDTH, 208, 34, 0xB3C4CA)
    return canvas, [waves, move, birds(seed, 30, 110)]


def _veil(seed: int) -> Pixels:
    """Return streaks of falling water, twice as high as they are shown."""
    chance = np.random.default_rng(seed)
    streaks = cv2.resize(
        chance.normal(0, 1, (24, 46)).astype(np.float32), (72, 320), interpolation=cv2.INTER_CUBIC
    )
    return np.asarray(np.clip(186 + streaks * 26, 110, 250), np.uint8)


def _fall(picture: Pixels, lit: Lit, veil: Pixels, corners: list[Point], at: float) -> None:
    """Let the veil run down a chute."""
    begin = 160 - int(at * 120) % 160
    part = veil[begin : begin + 160]
    left, right = int(min(x for x, _ in corners)), int(max(x for x, _ in corners)) + 1
    top, bottom = int(min(y for _, y in corners)), min(HEIGHT, int(max(y for _, y in corners)) + 1)
    source = np.array([(0, 0), (72, 0), (72, 160), (0, 160)], np.float32)
    target = np.array([(x - left, y - top) for x, y in corners], np.float32)
    matrix = cv2.getPerspectiveTransform(source, target)
    size = (right - left, bottom - top)
    shade = lit.shade((left + right) / 2, top + 20)
    falling = cv2.warpPerspective(part, matrix, size, flags=cv2.INTER_LINEAR)
    mask = cv2.warpPerspective(np.full((160, 72), 215, np.uint8), matrix, size, flags=cv2.INTER_LINEAR)
    colour = cv2.merge(
        [cv2.convertScaleAbs(falling, alpha=c * s) for c, s in zip((1.0, 0.99, 0.95), shade, strict=True)]
    )
    cover = cv2.merge((mask, mask, mask))
    region = picture[top:bottom, left:right]
    over = cv2.multiply(colour, cover, scale=1 / 255)
    kept = cv2.multiply(region, cv2.bitwise_not(cover), scale=1 / 255)
    cv2.add(kept, over, dst=region)
