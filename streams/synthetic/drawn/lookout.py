"""Mountains from a lookout tower: ridges, forest, drifting mist."""

import cv2
import numpy as np

from streams.synthetic.canvas import HEIGHT, WIDTH, Canvas, Lit, Pixels, mix
from streams.synthetic.moving import Mover, birds, cloud, shaded
from streams.synthetic.places import (
    closed,
    conifer,
    ridge,
)
from streams.synthetic.sprites import Sprite, lay


def lookout(seed: int) -> tuple[Canvas, list[Mover]]:
    """Draw wooded mountains; mist drifts between the ridges, a chimney smokes in the valley."""
    canvas = Canvas(0x8E9AA6, 0xC2C6C8, 190, seed)
    chance = canvas.chance
    layers = [(150, 112, 0.62, 3, 0x8F9CA4), (186, 84, 0.58, 4, 0x7A8A8C), (214, 66, 0.56, 5, 0x677A73)]
    for base, height, rough, peaks, colour in layers:
        outline = ridge(chance, base, height, rough, peaks=peaks)
        canvas.gradient(closed(outline), colour, mix(colour, 0xB9C0C2, 0.5))
        canvas.texture(closed(outline), 1.6, 6)
    middle = ridge(chance, 262, 74, 0.5, peaks=4)
    canvas.gradient(closed(middle), 0x55695A, 0x60745F)
    canvas.texture(closed(middle), 4, 1.6)
    for _ in range(230):
        x = float(chance.uniform(0, WIDTH))
        edge = float(np.interp(x, [p[0] for p in middle], [p[1] for p in middle]))
        y = edge + float(chance.random()) ** 1.4 * 70 + 3
        conifer(
            canvas,
            x,
            y,
            float(chance.uniform(9, 13)),
            mix(0x4E6354, 0x9AA8A4, max(0.0, 0.35 - (y - edge) / 200)),
        )
    track = [(420.0, 300.0), (470.0, 276.0), (520.0, 270.0), (560.0, 258.0), (580.0, 240.0)]
    canvas.line(track, 0x9C9682, 2.6)
    roofs = []
    for x, y in ((455, 288), (478, 284), (437, 296)):
        canvas.rectangle(x, y - 5, 13, 7, 0xAAA598, shines=0x4A4436)
        canvas.polygon([(x - 2, y - 5), (x + 15, y - 5), (x + 12, y - 10), (x + 1, y - 10)], 0x5B5F62)
        canvas.rectangle(x + 4, y - 3, 3, 3, 0x454B53, shines=0xE8C47A)
        roofs.append((x + 6, y - 9))
    near = ridge(chance, 338, 40, 0.55, peaks=3)
    canvas.gradient(closed(near), 0x46584A, 0x3E4F43)
    trees = [(float(chance.uniform(-5, WIDTH + 5)), float(chance.random())) for _ in range(210)]
    for x, depth in sorted(trees, key=lambda item: item[1]):
        edge = float(np.interp(x, [p[0] for p in near], [p[1] for p in near]))
        y = edge + depth * (HEIGHT + 26 - edge) + 6
        canvas_colour = mix(
            (0x3C4F41, 0x445846, 0x38493E)[int(chance.integers(3))], 0x8A9A90, 0.14 * (1 - depth)
        )
        conifer(canvas, x, y, float(chance.uniform(20, 28)) * (0.7 + 0.75 * depth), canvas_colour)
    banks = [
        (cloud(seed + k, w, h, 0xD5D9DA, most), y, speed, begin)
        for k, (w, h, most, y, speed, begin) in enumerate(
            (
                (520, 64, 0.75, 214, 3.1, 0),
                (420, 46, 0.6, 176, -2.2, 420),
                (380, 58, 0.6, 270, 4.0, 260),
                (600, 70, 0.5, 92, 1.4, 500),
            )
        )
    ]
    smoke = cloud(seed + 9, 46, 34, 0xC9CCCE, 0.75)
    kept: dict[int, list[Sprite]] = {}

    def move(picture: Pixels, lit: Lit, at: float) -> None:
        key = round(lit.daylight * 8) + 16 * lit.infrared
        if key not in kept:
            kept.clear()
            kept[key] = [shaded(sprite, lit) for sprite, *_ in banks] + [shaded(smoke, lit)]
        sprites = kept[key]
        for sprite, (_, y, speed, begin) in zip(sprites, banks, strict=False):
            span = WIDTH + sprite.over.shape[1]
            x = (begin + speed * at) % span - sprite.over.shape[1] / 2
            lay(picture, sprite, x, y + 3 * np.sin(at * 0.05 + begin))
        for puff in range(7):
            age = (at * 0.11 + puff / 7) % 1.0
            small = _grown(sprites[-1], 0.25 + 0.9 * age, 1 - age)
            lay(
                picture,
                small,
                roofs[0][0] + 34 * age + 3 * np.sin(at * 0.4 + puff),
                roofs[0][1] + 4 - 62 * age,
            )

    return canvas, [move, birds(seed, 40, 130, every_s=45)]


def _grown(sprite: Sprite, size: float, strength: float) -> Sprite:
    """Return a puff of another size, thinner or thicker."""
    height, width = sprite.over.shape[:2]
    to = max(3, round(width * size)), max(3, round(height * size))
    over = cv2.resize(sprite.over, to, interpolation=cv2.INTER_LINEAR)
    under = cv2.resize(sprite.under, to, interpolation=cv2.INTER_LINEAR)
    over = cv2.convertScaleAbs(over, alpha=strength)
    under = cv2.convertScaleAbs(under, alpha=strength, beta=255 * (1 - strength))
    return Sprite(np.asarray(over, np.uint8), np.asarray(under, np.uint8), (to[0] // 2, to[1]))
