"""How a picture differs from the camera's reference, and from the picture before it. Pure."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from streams.health.measures import EDGE_COLUMNS, EDGE_ROWS, Grey

_CELL_PX: Final = 8
_TEXTURED: Final = 4.0
_LOST: Final = 0.25


@dataclass(frozen=True, slots=True)
class Shift:
    """How the edges of two pictures lie to each other.

    Attributes:
        match: Correlation of the two maps as they are, -1 to 1.
        best: Their correlation after shifting one; equals `match` if that does not help.
        share: Length of that shift, as share of the picture's width.
    """

    match: float
    best: float
    share: float


def compare_edges(reference: Grey, present: Grey) -> Shift:
    """Find how far the present edges have moved from the reference's.

    Args:
        reference: (72, 160) uint8.
        present: (72, 160) uint8.
    """
    before = _levelled(reference)
    after = _levelled(present)
    match = _correlation(before, after)
    (right, down), _ = cv2.phaseCorrelate(before, after, _window())
    x, y = round(right), round(down)
    if abs(x) > EDGE_COLUMNS // 2 or abs(y) > EDGE_ROWS // 2 or (x, y) == (0, 0):
        return Shift(match, match, 0.0)
    moved = _correlation(
        before[max(0, -y) : EDGE_ROWS - max(0, y), max(0, -x) : EDGE_COLUMNS - max(0, x)],
        after[max(0, y) : EDGE_ROWS - max(0, -y), max(0, x) : EDGE_COLUMNS - max(0, -x)],
    )
    if moved <= match:
        return Shift(match, match, 0.0)
    return Shift(match, moved, float(np.hypot(right, down)) / EDGE_COLUMNS)


@dataclass(frozen=True, slots=True)
class Texture:
    """What has become of the reference's texture, cell by cell.

    Attributes:
        lost_share: Share of its textured cells that are flat now; 0 if it has too few to tell.
        kept_match: Correlation of the edges in the cells that are not: high while something stands before a part
            of the picture, low when the camera looks elsewhere; 1 if there are too few to tell.
        kept_strength: How strong the edges in these cells are, over what they were: near 1 beside something that
            hides the rest, far less in a picture that is blurred everywhere.
    """

    lost_share: float
    kept_match: float
    kept_strength: float


def compare_texture(reference: Grey, present: Grey) -> Texture:
    """Find which parts of the picture have gone flat."""
    before, after = _cell_means(reference), _cell_means(present)
    textured = before >= _TEXTURED
    if textured.sum() < textured.size // 10:
        return Texture(0.0, 1.0, 1.0)
    lost = textured & (after < _LOST * before)
    kept = textured & ~lost
    match = strength = 1.0
    if kept.sum() >= 4:
        strength = float(np.median(after[kept] / before[kept]))
        pixels = np.repeat(np.repeat(kept, _CELL_PX, axis=0), _CELL_PX, axis=1)
        match = _correlation(_levelled(reference)[pixels], _levelled(present)[pixels])
    return Texture(float(lost.sum() / textured.sum()), match, strength)


@dataclass(frozen=True, slots=True)
class Change:
    """What has changed since the picture before.

    Attributes:
        p99: 99th percentile of the absolute difference, in grey levels.
        most: 99.9th percentile: shows a running clock or one distant car in a picture that stands still.
    """

    p99: float
    most: float


def compare_samples(before: Grey, now: Grey) -> Change:
    """Compare two pictures point by point."""
    difference = np.sort(cv2.absdiff(before, now).ravel())
    last = difference.size - 1
    return Change(float(difference[round(0.99 * last)]), float(difference[round(0.999 * last)]))


def _levelled(edges: Grey) -> NDArray[np.float32]:
    """Strong edges weigh little more than weak ones: a shadow or headlights must not decide."""
    return np.sqrt(edges.astype(np.float32))


def _correlation(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    a, b = one - one.mean(), other - other.mean()
    scale = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / scale if scale > 1e-3 else 0.0


def _cell_means(edges: Grey) -> NDArray[np.float32]:
    shape = (EDGE_COLUMNS // _CELL_PX, EDGE_ROWS // _CELL_PX)
    return np.asarray(cv2.resize(edges.astype(np.float32), shape, interpolation=cv2.INTER_AREA), np.float32)


def _window() -> NDArray[np.float32]:
    global _hanning
    if _hanning is None:
        _hanning = np.asarray(cv2.createHanningWindow((EDGE_COLUMNS, EDGE_ROWS), cv2.CV_32F), np.float32)
    return _hanning


_hanning: NDArray[np.float32] | None = None
