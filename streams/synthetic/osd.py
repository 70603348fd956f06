"""The clock and the label that a camera writes into its picture."""

from datetime import datetime, tzinfo
from functools import lru_cache
from typing import Final

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from streams.synthetic.canvas import HEIGHT, WIDTH, Pixels
from streams.synthetic.sprites import Sprite, lay

_SIZE: Final = 17
_ADVANCE: Final = 9.6


@lru_cache(maxsize=96)
def _letter(letter: str) -> Pixels:
    """Return a white letter with a dark rim: how much it covers, and how much of that is white."""
    font = ImageFont.load_default(_SIZE)
    picture = Image.new("L", (16, 24), 0)
    # Pillow's own font is not monospaced: letters are centred in equal cells so that the clock does not tremble.
    ImageDraw.Draw(picture).text((8, 18), letter, fill=255, font=font, anchor="ms")
    ink = np.asarray(picture, np.uint8)
    rim = cv2.dilate(ink, np.ones((3, 3), np.uint8))
    return np.dstack([ink, np.maximum(ink, (rim * 0.75).astype(np.uint8))])


@lru_cache(maxsize=64)
def _text(text: str) -> Sprite:
    width = int(len(text) * _ADVANCE) + 16
    over = np.zeros((24, width, 3), np.uint8)
    cover = np.zeros((24, width), np.uint8)
    for place, letter in enumerate(text):
        x = int(place * _ADVANCE)
        glyph = _letter(letter)
        part = over[:, x : x + 16]
        np.maximum(part, (glyph[..., :1] * 0.94).astype(np.uint8), out=part)
        np.maximum(cover[:, x : x + 16], glyph[..., 1], out=cover[:, x : x + 16])
    under = np.ascontiguousarray(np.repeat((255 - cover)[..., None], 3, axis=2))
    return Sprite(over, under, (0, 0))


def write(picture: Pixels, at: float, zone: tzinfo, label: str) -> None:
    """Write time and label into a picture.

    Args:
        picture: BGR, changed in place.
        at: Seconds since 1970.
        zone: Whose clock it shows.
        label: At the lower right.
    """
    clock = datetime.fromtimestamp(int(at), zone).strftime("%Y-%m-%d %H:%M:%S")
    lay(picture, _text(clock), 10, 7)
    sprite = _text(label)
    lay(picture, sprite, WIDTH - 10 - sprite.over.shape[1], HEIGHT - 31)
