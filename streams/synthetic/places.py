"""Pieces that several scenes are made of: houses, trees, lamps, hills, roads."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from streams.synthetic.canvas import HEIGHT, WIDTH, Canvas, Point, mix, tone
from streams.synthetic.ground import Ground

WALLS: Final = (0x938D85, 0xA39C92, 0x807D7A, 0x9B948B, 0x8A8F93, 0xA8A297)
SIGNS: Final = (0x7C4A44, 0x4A647A, 0x546A58, 0x80694A, 0x6A6E72)
HIGH_SKY: Final = 0x97A1AB
LOW_SKY: Final = 0xBCBFC2
_PANE: Final = 0x454B53
_LAMPLIT: Final = (0xE8C47A, 0xF0D69A, 0xCBD6D8, 0xD9A860)
ROAD: Final = 0x55585C
PAVING: Final = 0x8B867C
MARK: Final = 0xC4C4BE
LEAVES: Final = (0x4F6350, 0x5A6D55, 0x465A4A, 0x64745A)


def land(canvas: Canvas, ground: Ground, colour: int) -> None:
    """Cover everything below the horizon."""
    area = [(0.0, ground.horizon), (WIDTH, ground.horizon), (WIDTH, HEIGHT), (0.0, HEIGHT)]
    canvas.gradient(area, mix(colour, canvas.haze, 0.35), colour)
    canvas.texture(area, 2.2, 1.2)
    canvas.texture(area, 2.5, 14, stretch=3)


def road(canvas: Canvas, ground: Ground, x0: float, x1: float, z0: float = 1.0, z1: float = 400.0) -> None:
    """Lay asphalt from here to the distance."""
    quad = ground.quad(x0, x1, z0, z1)
    canvas.gradient(quad, mix(ROAD, canvas.haze, 0.3), ROAD)
    canvas.texture(quad, 2.4, 0.8)
    canvas.texture(quad, 2.6, 10, stretch=2)


def dashes(
    canvas: Canvas,
    ground: Ground,
    x: float,
    z0: float,
    z1: float,
    *,
    on: float = 3.0,
    off: float = 4.5,
    width: float = 0.14,
    colour: int = MARK,
) -> None:
    """Paint a broken line along a road; ``off`` 0 makes it continuous."""
    if not off:
        canvas.polygon(ground.quad(x - width / 2, x + width / 2, z0, z1), colour)
        return
    z = z0
    while z < z1:
        share = min(0.6, z / 200)
        canvas.polygon(
            ground.quad(x - width / 2, x + width / 2, z, min(z + on, z1)), mix(colour, ROAD, share)
        )
        z += on + off


def face(
    canvas: Canvas,
    corners: Sequence[Point],
    wall: int,
    floors: int,
    columns: int,
    *,
    lit: float = 0.22,
    base: float = 0.0,
    pane: tuple[float, float] = (0.55, 0.55),
) -> None:
    """Draw a wall with windows.

    Args:
        canvas: Where.
        corners: Bottom left, bottom right, top right, top left.
        wall: Its colour.
        floors: Rows of windows.
        columns: Windows in a row.
        lit: Share of windows with light behind them at night.
        base: Share of the height without windows, at the bottom.
        pane: Size of a window within its cell.
    """
    canvas.polygon(corners, wall)
    bl, br, tr, tl = (np.array(c, float) for c in corners)
    if min(abs(br[0] - bl[0]), abs(tl[1] - bl[1])) < 5:
        return

    def at(u: float, v: float) -> Point:
        point = (bl * (1 - u) + br * u) * (1 - v) + (tl * (1 - u) + tr * u) * v
        return float(point[0]), float(point[1])

    for floor in range(floors):
        for column in range(columns):
            u0 = (column + (1 - pane[0]) / 2) / columns
            u1 = u0 + pane[0] / columns
            v0 = base + (1 - base) * (floor + (1 - pane[1]) / 2) / floors
            v1 = v0 + (1 - base) * pane[1] / floors
            shines = None
            if canvas.chance.random() < lit:
                shines = tone(
                    _LAMPLIT[int(canvas.chance.integers(len(_LAMPLIT)))],
                    float(canvas.chance.uniform(0.5, 0.95)),
                )
            shade = mix(_PANE, wall, float(canvas.chance.uniform(0, 0.35)))
            canvas.polygon([at(u0, v0), at(u1, v0), at(u1, v1), at(u0, v1)], shade, shines=shines)


def block(
    canvas: Canvas,
    ground: Ground,
    x0: float,
    x1: float,
    z0: float,
    z1: float,
    height: float,
    wall: int,
    *,
    shops: bool = False,
    lit: float = 0.22,
) -> None:
    """Draw a building beside the road: the wall towards us and the one towards the road."""
    side_x = x0 if x0 > 0 else x1
    far = min(0.75, z0 / 160)
    wall = mix(wall, canvas.haze, far)
    floors = max(1, round(height / 3.1))
    base = min(0.9, 3.6 / height) if shops else 0.0
    near_b, far_b = ground.at(side_x, z0), ground.at(side_x, z1)
    near_t, far_t = ground.at(side_x, z0, height), ground.at(side_x, z1, height)
    columns = max(1, round((z1 - z0) / 3.4))
    face(canvas, [near_b, far_b, far_t, near_t], tone(wall, 0.86), floors, columns, lit=lit, base=base)
    if shops:
        _shops(canvas, ground, side_x, z0, z1, far)
    a, b = ground.at(x0, z0), ground.at(x1, z0)
    c, d = ground.at(x1, z0, height), ground.at(x0, z0, height)
    if b[0] > 0 and a[0] < WIDTH:
        face(canvas, [a, b, c, d], wall, floors, max(1, round((x1 - x0) / 3.4)), lit=lit, base=base * 0.6)
    canvas.line([near_t, far_t], tone(wall, 1.12), 1.0)
    canvas.line([c, d], tone(wall, 1.16), 1.0)


def _shops(canvas: Canvas, ground: Ground, x: float, z0: float, z1: float, far: float) -> None:
    """Draw shop fronts and their signs along a wall."""
    z = z0
    while z < z1 - 2.5:
        end = min(z1, z + float(canvas.chance.uniform(3.2, 5.0)))
        sign = mix(SIGNS[int(canvas.chance.integers(len(SIGNS)))], canvas.haze, far)
        is_open = canvas.chance.random() < 0.45
        inside = 0xE6C88C if is_open else None
        front = mix(0x6F6A62 if is_open else 0x878A8C, canvas.haze, far)
        quad = [
            ground.at(x, z + 0.2),
            ground.at(x, end - 0.2),
            ground.at(x, end - 0.2, 2.6),
            ground.at(x, z + 0.2, 2.6),
        ]
        canvas.polygon(quad, front, shines=tone(inside, 0.72) if inside else None)
        top = [
            ground.at(x, z + 0.1, 2.7),
            ground.at(x, end - 0.1, 2.7),
            ground.at(x, end - 0.1, 3.5),
            ground.at(x, z + 0.1, 3.5),
        ]
        canvas.polygon(top, sign, shines=tone(sign, 0.9) if is_open else None)
        if is_open:
            foot = ground.at(x, (z + end) / 2)
            canvas.lamp(foot[0], foot[1] + 4, 3.2 * ground.scale(z), 1.2 * ground.scale(z), 0.5)
        z = end


def lamp_post(
    canvas: Canvas,
    ground: Ground,
    x: float,
    z: float,
    *,
    arm: float = 0.0,
    height: float = 7.5,
    strength: float = 0.95,
) -> None:
    """Put up a street lamp; ``arm`` is how far it reaches, negative to the left."""
    foot, top = ground.at(x, z), ground.at(x, z, height)
    head = ground.at(x + arm, z, height + 0.25)
    scale = ground.scale(z)
    colour = mix(0x4A4E53, canvas.haze, min(0.6, z / 120))
    canvas.line([foot, top, head], colour, max(0.8, 0.14 * scale))
    canvas.ellipse(head[0], head[1], max(1.2, 0.5 * scale), max(0.9, 0.18 * scale), 0xC9C6BC, shines=0xFFE9B8)
    lit = ground.at(x + arm, z)
    canvas.lamp(lit[0], lit[1], 6.5 * scale, 3.0 * scale, strength)
    canvas.lamp(head[0], head[1] + 1.5 * scale, 1.6 * scale, 2.4 * scale, 0.25)


def tree(canvas: Canvas, x: float, y: float, size: float, *, far: float = 0.0, trunk: bool = True) -> None:
    """Plant a tree with its foot at a place; ``size`` is half the width of its crown."""
    chance = canvas.chance
    leaf = mix(LEAVES[int(chance.integers(len(LEAVES)))], canvas.haze, far)
    if trunk:
        canvas.polygon(
            [
                (x - size * 0.09, y),
                (x + size * 0.09, y),
                (x + size * 0.05, y - size),
                (x - size * 0.05, y - size),
            ],
            mix(0x4E463C, canvas.haze, far),
        )
    middle = y - size * (1.55 if trunk else 0.6)
    for layer, shade in ((0, 0.78), (1, 1.0), (2, 1.1)):
        for _ in range(9):
            angle, away = chance.uniform(0, 2 * np.pi), float(np.sqrt(chance.random()))
            px = x + size * 0.62 * away * float(np.cos(angle)) - layer * size * 0.06
            py = middle + size * 0.5 * away * float(np.sin(angle)) - layer * size * 0.14
            radius = size * float(chance.uniform(0.24, 0.4)) * (1 - 0.12 * layer)
            canvas.ellipse(
                px, py, radius, radius * 0.86, tone(leaf, shade * float(chance.uniform(0.95, 1.04)))
            )


def conifer(canvas: Canvas, x: float, y: float, height: float, colour: int) -> None:
    """Plant a fir."""
    wide = height * 0.3
    for part in range(3):
        top = y - height + height * 0.24 * part
        spread = wide * (0.5 + 0.25 * part)
        bottom = top + height * 0.44
        canvas.polygon([(x - spread, bottom), (x, top), (x, bottom)], tone(colour, 1.04))
        canvas.polygon([(x, bottom), (x, top), (x + spread, bottom)], tone(colour, 0.9))


def ridge(
    chance: np.random.Generator, base: float, height: float, rough: float, *, peaks: int = 4
) -> list[Point]:
    """Return the outline of hills from the left edge to the right, as points to be closed below."""
    x = np.linspace(-10, WIDTH + 10, 90)
    y = np.zeros_like(x)
    for octave in range(1, 6):
        waves = peaks * 2 ** (octave - 1) / 2
        y += np.sin(x / WIDTH * 2 * np.pi * waves + chance.uniform(0, 6.3)) * rough ** (octave - 1)
    y = (y - y.min()) / (y.max() - y.min())
    return [(float(px), float(base - height * py)) for px, py in zip(x, y, strict=True)]


def closed(outline: Sequence[Point], bottom: float = HEIGHT) -> list[Point]:
    """Close an outline at the bottom."""
    return [*outline, (WIDTH + 10, bottom), (-10, bottom)]


def skyline(
    canvas: Canvas,
    horizon: float,
    *,
    low: float = 14,
    high: float = 52,
    gap: float = 0.0,
    lit: float = 0.25,
    clear: tuple[float, float] = (0, 0),
) -> None:
    """Line up distant buildings on the horizon; none between the columns of ``clear``."""
    x = -20.0
    chance = canvas.chance
    while x < WIDTH + 10:
        wide = float(chance.uniform(34, 74))
        tall = float(chance.uniform(low, high))
        if (x + wide < clear[0] or x > clear[1]) and chance.random() >= gap:
            wall = mix(WALLS[int(chance.integers(len(WALLS)))], canvas.haze, 0.38)
            corners = [
                (x, horizon + 1),
                (x + wide, horizon + 1),
                (x + wide, horizon - tall),
                (x, horizon - tall),
            ]
            face(canvas, corners, wall, max(1, round(tall / 11)), max(2, round(wide / 12)), lit=lit)
            canvas.rectangle(x - 1, horizon - tall - 2, wide + 2, 2.4, tone(wall, 0.78))
            if chance.random() < 0.4:
                canvas.rectangle(x + wide * 0.3, horizon - tall - 8, wide * 0.22, 7, tone(wall, 0.9))
        x += wide + float(chance.uniform(0, 14))


def house(canvas: Canvas, ground: Ground, x: float, z: float, wide: float, high: float) -> None:
    """Build a white-walled house with a dark tiled roof, its long side towards us."""
    far = min(0.6, z / 170)
    wall = mix((0xB9B4A8, 0xA9A398, 0xB1A796)[int(canvas.chance.integers(3))], canvas.haze, far)
    roof = mix((0x565A5E, 0x5F5650, 0x4F565C)[int(canvas.chance.integers(3))], canvas.haze, far)
    corners = [
        ground.at(x - wide / 2, z),
        ground.at(x + wide / 2, z),
        ground.at(x + wide / 2, z, high),
        ground.at(x - wide / 2, z, high),
    ]
    face(
        canvas,
        corners,
        wall,
        max(1, round(high / 3.2)),
        max(2, round(wide / 2.7)),
        lit=0.35,
        pane=(0.5, 0.45),
    )
    door = [
        ground.at(x - 0.7, z - 0.05),
        ground.at(x + 0.7, z - 0.05),
        ground.at(x + 0.7, z - 0.05, 2.2),
        ground.at(x - 0.7, z - 0.05, 2.2),
    ]
    canvas.polygon(door, mix(0x6B4A3C, canvas.haze, far))
    slope = [
        ground.at(x - wide / 2 - 0.6, z, high - 0.1),
        ground.at(x + wide / 2 + 0.6, z, high - 0.1),
        ground.at(x + wide / 2 - 0.8, z + 3, high + 2.3),
        ground.at(x - wide / 2 + 0.8, z + 3, high + 2.3),
    ]
    canvas.polygon(slope, roof)
    canvas.texture(slope, 3.5, 1.0, stretch=3)
    canvas.line([slope[3], slope[2]], tone(roof, 0.75), 1.4)
