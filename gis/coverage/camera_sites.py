"""Where one more camera would show most road that none shows now.

A camera is taken to look all around as far as asked, with nothing in its way: a first answer, before somebody looks
at the place.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.spatial import cKDTree

from gis.coverage.samples import Samples
from gis.coverage.siting import Choices
from gis.coverage.view import SeenArea

CANDIDATES = 300
"""Places that are tried."""


def camera_choices(
    samples: Samples,
    seen: SeenArea,
    range_m: float,
    *,
    among: NDArray[np.bool_] | None = None,
    candidates: int = CANDIDATES,
) -> Choices | None:
    """Try places on the road that no camera shows, those with most of it about them.

    Args:
        samples: Points on the roads.
        seen: What cameras show now.
        range_m: How far a new one would see.
        among: (samples,) the road that counts; None for all.
        candidates: How many places to try.

    Returns:
        None when every road is shown.
    """
    lon, lat = samples.frame.to_lonlat(samples.x, samples.y)
    dark = ~seen.shows(lon, lat)
    missed = np.flatnonzero(dark if among is None else dark & among)
    if not missed.size:
        return None
    x, y = samples.x[missed], samples.y[missed]
    # One place in each square of half the range: they overlap in what is seen from them.
    side = max(range_m / 2.0, 20.0)
    column, row = np.floor(x / side).astype(np.int64), np.floor(y / side).astype(np.int64)
    off = np.hypot(x / side - column - 0.5, y / side - row - 0.5)
    order = np.lexsort((off, column, row))
    first = np.concatenate([[True], (np.diff(column[order]) != 0) | (np.diff(row[order]) != 0)])
    spots = order[first]
    tree = cKDTree(np.column_stack([x, y]))
    weight = samples.weight[missed]
    _, square = np.unique(np.column_stack([row, column])[order], axis=0, return_inverse=True)
    about = np.bincount(square.ravel(), weights=weight[order])
    spots = np.sort(spots[np.argsort(-about, kind="stable")[:candidates]])
    near = tree.query_ball_point(np.column_stack([x[spots], y[spots]]), range_m)
    indptr = np.concatenate([[0], np.cumsum([len(hit) for hit in near])])
    indices = np.concatenate([np.sort(np.asarray(hit, dtype=np.intp)) for hit in near])
    gains = csr_array((np.ones(len(indices)), indices, indptr), shape=(len(spots), len(missed)))
    at = missed[spots]
    return Choices(
        np.asarray(lon)[at], np.asarray(lat)[at], gains, weight, samples.grid[missed], samples.grids
    )
