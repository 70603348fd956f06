"""What is in force, read once in the worker: the files are our own, so they are read without suspicion."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyogrio
import shapely
from numpy.typing import NDArray

from gis.crs import LocalMetric
from gis.intake.model import Reference
from gis.intake.rows import Shapes, as_text


def _none() -> NDArray[np.object_]:
    return np.zeros(0, dtype=object)


@dataclass
class InForce:
    """The areas in force as columns, WGS-84, and the roads' vertices.

    Attributes:
        codes: Of all areas.
        names: Theirs.
        tier: Theirs.
        shapes: Theirs.
        table: All columns as the district's file has them, or None without areas.
        road_points: (n, 2) degrees along the roads.
        bounds: Of the district in degrees, or None.
        current: The file in force of the kind that is brought in, where it is text.
        damaged: A file that is there could not be read.
    """

    codes: NDArray[np.object_] = field(default_factory=_none)
    names: NDArray[np.object_] = field(default_factory=_none)
    tier: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))
    shapes: Shapes = field(default_factory=_none)
    table: pa.Table | None = None
    road_points: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 2)))
    bounds: tuple[float, float, float, float] | None = None
    current: bytes | None = None
    damaged: bool = False

    @cached_property
    def row_of(self) -> dict[str, int]:
        """Code → row."""
        return {code: n for n, code in enumerate(self.codes.tolist())}

    @cached_property
    def tier_of(self) -> dict[str, int]:
        """Code → tier."""
        return dict(zip(self.codes.tolist(), self.tier.tolist(), strict=True))

    def of_tier(self, tier: int) -> NDArray[np.int64]:
        """Rows of a tier."""
        return np.flatnonzero(self.tier == tier)


def load(reference: Reference) -> InForce:
    """Read what is in force; parts that are missing or damaged are as if there were none."""
    found = InForce(bounds=reference.bounds)
    if reference.areas_file is not None:
        _areas(reference.areas_file, found)
    if reference.current_file is not None and reference.current_file != reference.areas_file:
        try:
            found.current = reference.current_file.read_bytes()
            found.current.decode("utf-8-sig")
        except (OSError, UnicodeDecodeError):
            found.damaged = True
    if reference.roads_file is not None:
        _roads(reference.roads_file, found)
    if found.bounds is None and len(found.shapes):
        west, south, east, north = shapely.total_bounds(found.shapes).tolist()
        found.bounds = (west, south, east, north)
    return found


def _areas(path: Path, found: InForce) -> None:
    try:
        meta, table = pyogrio.raw.read_arrow(path)
    except Exception:  # a damaged district must not keep its own repair out
        found.damaged = True
        return
    geometry = str(meta["geometry_name"] or "geom")
    if not {"code", "tier", geometry} <= set(table.column_names):
        return
    found.shapes = shapely.from_wkb(np.asarray(table.column(geometry).to_numpy(), dtype=object))
    found.codes = as_text(table.column("code"))
    found.names = as_text(table.column("name")) if "name" in table.column_names else found.codes
    found.tier = np.array(
        [int(t) if t.isdigit() else 0 for t in as_text(table.column("tier"))], dtype=np.int32
    )
    found.table = table.drop_columns([geometry])


ALONG_M: Final = 20.0
"""Roads are known by points no farther apart than this."""


def _roads(path: Path, found: InForce) -> None:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            lon, lat, start = arrays["lon"], arrays["lat"], arrays["start"]
    except Exception:
        return
    if len(lon) < 2:
        return
    frame = LocalMetric(float(np.median(lon)), float(np.median(lat)))
    x, y = frame.to_xy(lon, lat)
    leg = np.flatnonzero(
        ~np.isin(np.arange(1, len(x)), start)
    )  # from the end of one edge to the next is no road
    pieces = np.maximum(1, np.ceil(np.hypot(np.diff(x)[leg], np.diff(y)[leg]) / ALONG_M)).astype(np.int64)
    of = np.repeat(leg, pieces)
    part = (np.arange(len(of)) - np.repeat(np.cumsum(pieces) - pieces, pieces)) / np.repeat(pieces, pieces)
    found.road_points = np.column_stack(
        frame.to_lonlat(x[of] + part * (x[of + 1] - x[of]), y[of] + part * (y[of + 1] - y[of]))
    )
