"""Whether areas lie within the areas above them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from gis.intake.borders import Ground
from gis.intake.rows import Shapes

NOISE_M: Final = 2.0
"""How far an area may stick out before its shape is cut by its parent's."""
LEAST_AREA_M2: Final = 100.0
Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Outside:
    """An area that reaches beyond its parent: index among the children, the share of it that does, and how much."""

    child: int
    share: float
    area_m2: float


def outside(children: Shapes, parents: Shapes) -> list[Outside]:
    """Find areas that reach beyond their parents.

    Args:
        children: Valid polygons, degrees.
        parents: The parent of each, in the same order; the same object for brothers.
    """
    if not len(children):
        return []
    ground = Ground(children)
    shapely.prepare(parents)
    doubtful = np.flatnonzero(~shapely.covers(parents, children))
    # Drawn twice, a common border wavers: drawn in a little, an area that only wavers is inside.
    doubtful = doubtful[~shapely.covers(parents[doubtful], _drawn_in(children[doubtful], ground))]
    found = []
    for start in range(0, len(doubtful), 10_000):
        some = doubtful[start : start + 10_000]
        beyond = shapely.difference(children[some], parents[some])
        area = shapely.area(ground.flat(beyond))
        size = shapely.area(ground.flat(children[some]))
        for n in np.flatnonzero(area >= LEAST_AREA_M2).tolist():
            found.append(
                Outside(int(some[n]), min(1.0, float(area[n] / size[n])) if size[n] else 1.0, float(area[n]))
            )
    return found


def _drawn_in(shapes: Shapes, ground: Ground) -> Shapes:
    """Each shape shrunk about its middle by about the noise; cheap, and good enough to sort out the sound ones."""
    if not len(shapes):
        return shapes
    corners, row = shapely.get_coordinates(shapes, return_index=True)
    middle = shapely.get_coordinates(shapely.centroid(shapes))
    radius = np.sqrt(np.maximum(shapely.area(shapes), 1e-18))
    factor = np.maximum(0.0, 1.0 - 4.0 * ground.degrees(NOISE_M) / radius)
    moved = middle[row] + (corners - middle[row]) * factor[row, None]
    return shapely.set_coordinates(shapes.copy(), moved)
