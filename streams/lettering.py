"""Chinese and Latin lines drawn with whatever fonts there are. A character that none of them has becomes a box.

A font may be a file, or a folder of pieces with a ``faces.json`` that says which characters each piece has, as the
pages use them: only the pieces a text needs are opened.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Final

import numpy as np
import structlog
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

log = structlog.get_logger("streams.lettering")

Coverage = NDArray[np.uint8]
"""(rows, columns): how much of each pixel the letters cover, 0 to 255."""

_WEIGHT: Final = 600
_NEVER_DRAWN: Final = "\ufffe"
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


@dataclass(frozen=True, slots=True)
class Face:
    """One font file.

    Attributes:
        path: The file.
        ranges: First and last characters it has; empty: it must be asked.
    """

    path: Path
    ranges: tuple[tuple[int, int], ...] = ()


def find_faces(fonts: Sequence[str]) -> list[Face]:
    """Return the faces of font files and of folders with a ``faces.json``; what is neither is left out."""
    faces: list[Face] = []
    for name in fonts:
        path = Path(name)
        if path.is_file():
            faces.append(Face(path))
            continue
        try:
            pieces = json.loads((path / "faces.json").read_text("utf-8"))
            for piece, ranges in pieces:
                file = path / "files" / f"{piece}-{_WEIGHT}.woff2"
                faces.append(Face(file, tuple(_range(text) for text in ranges)))
        except (OSError, ValueError, TypeError) as error:
            log.warning("no font", path=str(path), reason=str(error))
    return faces


def _range(text: str) -> tuple[int, int]:
    first, _, last = text.removeprefix("U+").partition("-")
    return int(first, 16), int(last or first, 16)


class Lettering:
    """Draws lines in one size.

    Args:
        faces: Tried in this order for each character.
        size_px: Height of the letters.
    """

    def __init__(self, faces: Sequence[Face], size_px: int) -> None:
        self._faces = faces
        self._size_px = max(6, size_px)
        self._fonts: dict[int, Font | None] = {}
        self._found: dict[str, int] = {}
        self.line_px = round(self._size_px * 1.45)

    def draw(self, text: str) -> Coverage:
        """Return one line, `line_px` high and as wide as it needs."""
        runs = [
            (found, "".join(letters))
            for found, letters in groupby((c if c.isprintable() else " " for c in text), self._face_of)
        ]
        wide = sum(self._length(found, letters) for found, letters in runs)
        image = Image.new("L", (max(1, round(wide) + 2), self.line_px), 0)
        pen = ImageDraw.Draw(image)
        x, base = 1.0, round(self._size_px * 1.08)
        for found, letters in runs:
            font = self._font(found)
            if font is None:
                for _ in letters:
                    box = (x + 1, base - self._size_px * 0.8, x + self._size_px * 0.8, base)
                    pen.rectangle(box, outline=255)
                    x += self._size_px
            else:
                pen.text((x, base), letters, fill=255, font=font, anchor="ls")
                x += self._length(found, letters)
        return np.asarray(image, np.uint8)

    def length_px(self, text: str) -> int:
        """Return how wide a line would be."""
        return int(self.draw(text).shape[1])

    def _face_of(self, letter: str) -> int:
        """Return the number of the face that has a character; -1: none has."""
        found = self._found.get(letter)
        if found is None:
            places = range(len(self._faces))
            found = next((i for i in places if self._has(i, letter)), -1)
            self._found[letter] = found
        return found

    def _has(self, index: int, letter: str) -> bool:
        code, ranges = ord(letter), self._faces[index].ranges
        if ranges and not any(first <= code <= last for first, last in ranges):
            return False
        font = self._font(index)
        if not isinstance(font, ImageFont.FreeTypeFont):
            return False
        if ranges or letter == " ":
            return True
        return bytes(font.getmask(letter)) != bytes(font.getmask(_NEVER_DRAWN))

    def _font(self, index: int) -> Font | None:
        if index < 0:
            return None
        if index not in self._fonts:
            path = self._faces[index].path
            try:
                self._fonts[index] = ImageFont.truetype(str(path), self._size_px)
            except (OSError, ValueError) as error:
                log.warning("a font cannot be read", path=str(path), reason=str(error))
                self._fonts[index] = None
        return self._fonts[index]

    def _length(self, found: int, letters: str) -> float:
        font = self._font(found)
        return float(font.getlength(letters)) if font is not None else float(self._size_px * len(letters))
