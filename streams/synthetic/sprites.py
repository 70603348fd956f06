"""Small things that move: drawn once per size and light, then laid over the picture."""

from collections.abc import Callable
from functools import lru_cache
from typing import Final, Literal

import cv2
import numpy as np

from streams.synthetic.canvas import Lit, Pixels, Point, bgr, tone

VehicleKind = Literal["car", "van", "bus", "truck"]
View = Literal["front", "rear", "left", "right"]

_OVER: Final = 4
_GRADES: Final = (3.0, 6.0, 12.0, 24.0, 48.0, 96.0)
_SIZES: Final[dict[VehicleKind, tuple[float, float, float]]] = {
    # width, height, length in metres
    "car": (1.8, 1.5, 4.4),
    "van": (1.9, 2.0, 5.0),
    "bus": (2.5, 3.1, 10.5),
    "truck": (2.4, 3.0, 8.0),
}
PAINTS: Final = (0xC9CCCE, 0x9A9EA3, 0x3B434E, 0x7E2F2B, 0xB7B2A6, 0x2E3A57, 0x55595D, 0xE0E0DC)
_GLASS: Final = 0x2B323A
_TYRE: Final = 0x17181A


class Sprite:
    """A patch with soft edges, and what it sheds in the dark.

    Attributes:
        over: Its pixels, already multiplied by how much they cover.
        under: What is kept of the picture below, 255 is all.
        anchor: Offset of its foot (bottom middle) from the top left corner.
    """

    __slots__ = ("anchor", "over", "under")

    def __init__(self, over: Pixels, under: Pixels, anchor: tuple[int, int]) -> None:
        self.over = over
        self.under = under
        self.anchor = anchor


def lay(picture: Pixels, sprite: Sprite, x: float, y: float) -> None:
    """Put a sprite with its foot at a place; what lies outside is cut off."""
    left, top = round(x) - sprite.anchor[0], round(y) - sprite.anchor[1]
    height, width = sprite.over.shape[:2]
    x0, y0 = max(0, left), max(0, top)
    x1, y1 = min(picture.shape[1], left + width), min(picture.shape[0], top + height)
    if x0 >= x1 or y0 >= y1:
        return
    part = picture[y0:y1, x0:x1]
    inside = (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))
    kept = cv2.multiply(part, sprite.under[inside], scale=1 / 255)
    cv2.add(kept, sprite.over[inside], dst=part)


def _finished(
    paint: Callable[[Pixels, Pixels], None], width: int, height: int, anchor: tuple[int, int]
) -> Sprite:
    """Let something be painted large and make it small."""
    colours = np.zeros((height * _OVER, width * _OVER, 3), np.uint8)
    cover = np.zeros((height * _OVER, width * _OVER), np.uint8)
    paint(colours, cover)
    over = cv2.resize(colours, (width, height), interpolation=cv2.INTER_AREA)
    mask = cv2.resize(cover, (width, height), interpolation=cv2.INTER_AREA)
    under = np.repeat((255 - mask)[..., None], 3, axis=2)
    return Sprite(np.asarray(over, np.uint8), np.ascontiguousarray(under), anchor)


def _fill(
    colours: Pixels, cover: Pixels, points: list[Point], colour: int, scale: float, opacity: int = 255
) -> None:
    corners = np.round(np.asarray(points) * scale * _OVER).astype(np.int32)
    if opacity == 255:
        cv2.fillPoly(colours, [corners], bgr(colour))
    cv2.fillPoly(cover, [corners], opacity)


def vehicle(
    picture: Pixels,
    lit: Lit,
    kind: VehicleKind,
    view: View,
    paint: int,
    at: Point,
    pixels_per_m: float,
    *,
    parked: bool = False,
) -> None:
    """Draw a vehicle whose wheels stand at a place; at night its lights are on unless it is parked."""
    scale = min(pixels_per_m, _GRADES[-1])
    if scale < 1.5 or not -120 < at[0] < picture.shape[1] + 120:
        return
    lights = lit.daylight < 0.6 and not parked
    grade = next(grade for grade in _GRADES if grade >= scale)
    sprite = _resized(_vehicle(kind, view, paint, grade, lights), scale / grade, lit.shade(*at))
    lay(picture, sprite, *at)
    if lights:
        _lights(picture, kind, view, at, scale, infrared=lit.infrared)


def _resized(sprite: Sprite, share: float, shade: tuple[float, float, float]) -> Sprite:
    """Return a sprite smaller and as dark as it is where it stands."""
    height, width = sprite.over.shape[:2]
    size = max(2, round(width * share)), max(2, round(height * share))
    over = cv2.resize(sprite.over, size, interpolation=cv2.INTER_AREA)
    under = cv2.resize(sprite.under, size, interpolation=cv2.INTER_AREA)
    over = cv2.multiply(over, np.array((*shade, 0.0)))
    foot = round(sprite.anchor[1] * share)
    return Sprite(np.asarray(over, np.uint8), np.asarray(under, np.uint8), (size[0] // 2, foot))


@lru_cache(maxsize=256)
def _vehicle(kind: VehicleKind, view: View, paint: int, scale: float, dark: bool) -> Sprite:
    """Paint a vehicle at one of a few sizes, from which the others are made."""
    wide, high, long = _SIZES[kind]
    across = view in ("left", "right")
    span = long if across else wide
    margin = 0.4
    width, height = round((span + 2 * margin) * scale) + 2, round((high + margin) * scale) + 3

    def draw(colours: Pixels, cover: Pixels) -> None:
        (_side if across else _end)(colours, cover, kind, view, paint, scale, margin, dark)

    return _finished(draw, width, height, (width // 2, height - max(1, round(0.15 * scale))))


def _shadow(colours: Pixels, cover: Pixels, span: float, high: float, scale: float, margin: float) -> None:
    del colours
    points = [
        (
            margin + span / 2 + (span / 2 + 0.25) * float(np.cos(a)),
            high + margin - 0.12 + 0.22 * float(np.sin(a)),
        )
        for a in np.linspace(0, 2 * np.pi, 20)
    ]
    corners = np.round(np.asarray(points) * scale * _OVER).astype(np.int32)
    cv2.fillPoly(cover, [corners], 110)


def _end(
    colours: Pixels,
    cover: Pixels,
    kind: VehicleKind,
    view: View,
    paint: int,
    scale: float,
    margin: float,
    dark: bool,
) -> None:
    """Paint a vehicle from the front or the rear."""
    wide, high, _ = _SIZES[kind]
    _shadow(colours, cover, wide, high, scale, margin)

    def box(x0: float, x1: float, y0: float, y1: float, colour: int, lean: float = 0.0) -> None:
        points = [(margin + x0 + lean, margin + y0), (margin + x1 - lean, margin + y0)]
        points += [(margin + x1, margin + y1), (margin + x0, margin + y1)]
        _fill(colours, cover, points, colour, scale)

    box(0.12, 0.42, high - 0.5, high, _TYRE)
    box(wide - 0.42, wide - 0.12, high - 0.5, high, _TYRE)
    if kind == "car":
        box(0.16, wide - 0.16, 0.0, 0.72, tone(paint, 0.93), 0.2)
        box(0.26, wide - 0.26, 0.1, 0.66, _GLASS, 0.16)
        box(0.0, wide, 0.62, high - 0.18, paint, 0.05)
    else:
        box(0.0, wide, 0.0, high - 0.22, paint, 0.04)
        if kind != "truck" or view == "front":
            box(0.14, wide - 0.14, high * 0.12, high * 0.45, _GLASS, 0.05)
    if kind == "truck" and view == "rear":
        box(0.08, wide - 0.08, 0.08, high - 0.6, tone(paint, 0.8))
        box(wide / 2 - 0.03, wide / 2 + 0.03, 0.08, high - 0.6, tone(paint, 0.6))
    box(0.05, wide - 0.05, high - 0.42, high - 0.3, tone(paint, 0.7))
    box(wide / 2 - 0.26, wide / 2 + 0.26, high - 0.52, high - 0.38, 0x35507E)
    lamp = (0xFFF4D6 if dark else 0xDDDDD2) if view == "front" else (0xFF5040 if dark else 0x9C2B24)
    top = high * 0.52 if kind == "car" else high * 0.68
    box(0.08, 0.4, top, top + 0.2, lamp)
    box(wide - 0.4, wide - 0.08, top, top + 0.2, lamp)


def _side(
    colours: Pixels,
    cover: Pixels,
    kind: VehicleKind,
    view: View,
    paint: int,
    scale: float,
    margin: float,
    dark: bool,
) -> None:
    """Paint a vehicle from the side; ``right`` drives to the right."""
    _, high, long = _SIZES[kind]
    _shadow(colours, cover, long, high, scale, margin)
    flip = view == "left"

    def poly(points: list[Point], colour: int) -> None:
        placed = [(margin + (long - x if flip else x), margin + y) for x, y in points]
        _fill(colours, cover, placed, colour, scale)

    if kind == "car":
        poly([(0.75, 0.62), (1.15, 0.04), (2.75, 0.0), (3.45, 0.62)], tone(paint, 0.95))
        poly([(0.95, 0.6), (1.25, 0.14), (1.95, 0.12), (1.95, 0.6)], _GLASS)
        poly([(2.05, 0.6), (2.05, 0.12), (2.68, 0.12), (3.2, 0.6)], _GLASS)
        poly([(0.05, 0.66), (0.7, 0.58), (3.4, 0.58), (4.25, 0.74), (4.4, 1.22), (0.02, 1.22)], paint)
    elif kind == "truck":
        poly([(0.0, 0.35), (5.7, 0.35), (5.7, 2.3), (0.0, 2.3)], tone(paint, 0.85))
        poly([(0.0, 0.35), (5.7, 0.35), (5.7, 0.5), (0.0, 0.5)], tone(paint, 1.15))
        poly([(5.9, 0.75), (7.3, 0.75), (7.9, 1.6), (8.0, 2.5), (5.9, 2.5)], 0x4E6C8F)
        poly([(6.5, 0.95), (7.2, 0.95), (7.65, 1.55), (6.5, 1.55)], _GLASS)
        poly([(0.0, 2.3), (8.0, 2.5), (8.0, 2.65), (0.0, 2.65)], 0x2C2E31)
    else:
        poly(
            [(0.0, 0.05), (long - 0.4, 0.05), (long, high * 0.45), (long, high - 0.3), (0.0, high - 0.3)],
            paint,
        )
        poly(
            [(0.3, high * 0.15), (long - 0.55, high * 0.15), (long - 0.25, high * 0.45), (0.3, high * 0.45)],
            _GLASS,
        )
        posts = 6 if kind == "bus" else 2
        for post in range(1, posts):
            x = long * post / posts
            poly(
                [
                    (x - 0.06, high * 0.15),
                    (x + 0.06, high * 0.15),
                    (x + 0.06, high * 0.45),
                    (x - 0.06, high * 0.45),
                ],
                paint,
            )
        poly(
            [(0.0, high * 0.62), (long, high * 0.62), (long, high * 0.68), (0.0, high * 0.68)],
            tone(paint, 0.75),
        )
    for wheel in (0.2, 0.8):
        for radius, colour in ((0.34, _TYRE), (0.17, 0x6A6D70)):
            angle = np.linspace(0, 2 * np.pi, 16)
            poly(
                [
                    (long * wheel + radius * float(np.cos(a)), high - 0.34 + radius * float(np.sin(a)))
                    for a in angle
                ],
                colour,
            )
    front, rear = (0xFFF4D6, 0xFF5040) if dark else (0xDDDDD2, 0x9C2B24)
    y = high * 0.58
    poly([(long - 0.28, y), (long - 0.02, y), (long - 0.02, y + 0.16), (long - 0.28, y + 0.16)], front)
    poly([(0.02, y), (0.2, y), (0.2, y + 0.16), (0.02, y + 0.16)], rear)


@lru_cache(maxsize=32)
def _beam(colour: int) -> Pixels:
    y, x = np.mgrid[-1:1:48j, -1:1:48j].astype(np.float32)
    fall = np.clip(1 - x * x - y * y, 0, 1) ** 2
    return np.asarray(fall[..., None] * np.array(bgr(colour), np.float32), np.uint8)


def shine(
    picture: Pixels, x: float, y: float, rx: float, ry: float, colour: int, strength: float = 1.0
) -> None:
    """Add a soft spot of light."""
    width, height = max(3, round(rx * 2)), max(3, round(ry * 2))
    patch = cv2.resize(_beam(colour), (width, height), interpolation=cv2.INTER_LINEAR)
    left, top = round(x) - width // 2, round(y) - height // 2
    x0, y0, x1, y1 = (
        max(0, left),
        max(0, top),
        min(picture.shape[1], left + width),
        min(picture.shape[0], top + height),
    )
    if x0 >= x1 or y0 >= y1:
        return
    part = picture[y0:y1, x0:x1]
    inside = patch[y0 - top : y1 - top, x0 - left : x1 - left]
    cv2.addWeighted(part, 1.0, inside, strength, 0.0, dst=part)


def _lights(
    picture: Pixels, kind: VehicleKind, view: View, at: Point, scale: float, *, infrared: bool
) -> None:
    wide, high, long = _SIZES[kind]
    x, y = at
    white, red = (0xE8EAE6, 0x8C8E8A) if infrared else (0xFFF0C8, 0xE02A1C)
    lamp_y = y - (high * 0.38) * scale
    if view in ("front", "rear"):
        colour = white if view == "front" else red
        for side in (-1, 1):
            px = x + side * (wide / 2 - 0.24) * scale
            shine(picture, px, lamp_y, 0.75 * scale, 0.6 * scale, colour, 0.9 if view == "front" else 0.55)
        if view == "front":
            shine(picture, x, y + 0.5 * scale, 2.6 * scale, 1.0 * scale, white, 0.3)
    else:
        way = 1 if view == "right" else -1
        shine(picture, x + way * long / 2 * scale, lamp_y, 0.7 * scale, 0.5 * scale, white, 0.8)
        shine(picture, x + way * (long / 2 + 3.2) * scale, y, 3.6 * scale, 0.7 * scale, white, 0.34)
        shine(picture, x - way * long / 2 * scale, lamp_y, 0.45 * scale, 0.4 * scale, red, 0.6)


def bird(picture: Pixels, lit: Lit, x: float, y: float, size: float, flap: float) -> None:
    """Draw a bird in flight; ``flap`` in -1..1 is where its wings are."""
    if lit.daylight < 0.3 or not (4 < x < picture.shape[1] - 4 and 4 < y < picture.shape[0] - 4):
        return
    tips = flap * size * 0.7
    points = np.array(
        [
            (x - size, y - tips),
            (x - size * 0.3, y - size * 0.2),
            (x, y),
            (x + size * 0.3, y - size * 0.2),
            (x + size, y - tips),
        ]
    )
    cv2.polylines(picture, [np.round(points * 16).astype(np.int32)], False, (62, 58, 55), 1, cv2.LINE_AA, 4)
