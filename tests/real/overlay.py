"""Areas laid over a real extract: a plain lattice, so that arithmetic says which area a point lies in."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import shapely

COLUMNS, ROWS = 4, 6
"""Of grids. Two columns make a township, two rows of it a village of four grids."""
NUMERALS = "一二三"


@dataclass(frozen=True)
class Overlay:
    """A county over (west, south, east, north): 2 townships, 6 villages, 24 grids."""

    bounds: tuple[float, float, float, float]
    county: str = "990100"

    def cell_at(self, lon: float, lat: float) -> tuple[int, int]:
        """Column and row of the grid that holds a point."""
        west, south, east, north = self.bounds
        return (
            int((lon - west) / (east - west) * COLUMNS),
            int((lat - south) / (north - south) * ROWS),
        )

    def codes(self, column: int, row: int) -> dict[int, str]:
        """Tier → code of everything that holds a grid."""
        township = f"{self.county}{column // 2 + 1:03d}"
        village = f"{township}{row // 2 + 1:03d}"
        return {1: self.county, 2: township, 3: village, 4: f"{village}{column % 2 + 2 * (row % 2) + 1:03d}"}

    def codes_at(self, lon: float, lat: float) -> dict[int, str]:
        """Tier → code at a point, by arithmetic."""
        return self.codes(*self.cell_at(lon, lat))

    def _box(self, first: int, last: int, bottom: int, top: int) -> shapely.Polygon:
        west, south, east, north = self.bounds
        dx, dy = (east - west) / COLUMNS, (north - south) / ROWS
        return shapely.box(west + dx * first, south + dy * bottom, west + dx * last, south + dy * top)

    def rows(self) -> list[tuple[dict[str, Any], shapely.Polygon]]:
        """Every area with its attributes."""

        def row(code: str, name: str, tier: int, parent: str | None) -> dict[str, Any]:
            return {"code": code, "name": name, "tier": tier, "parent": parent}

        out = [(row(self.county, "真实县", 1, None), self._box(0, COLUMNS, 0, ROWS))]
        for t, name in enumerate(("西镇", "东镇")):
            township = self.codes(2 * t, 0)[2]
            out.append((row(township, name, 2, self.county), self._box(2 * t, 2 * t + 2, 0, ROWS)))
            for v in range(ROWS // 2):
                village = self.codes(2 * t, 2 * v)[3]
                box = self._box(2 * t, 2 * t + 2, 2 * v, 2 * v + 2)
                out.append((row(village, f"{name}{NUMERALS[v]}村", 3, township), box))
                for c in (2 * t, 2 * t + 1):
                    for r in (2 * v, 2 * v + 1):
                        grid = self.codes(c, r)[4]
                        name_ = f"{name}{NUMERALS[v]}村 {grid[-1]} 网格"
                        out.append((row(grid, name_, 4, village), self._box(c, c + 1, r, r + 1)))
        return out

    def write(self, path: Path) -> Path:
        """Write ``.geojson`` with English columns or ``.gpkg`` with Chinese ones."""
        rows = self.rows()
        if path.suffix == ".geojson":
            features = [
                {"type": "Feature", "properties": fields, "geometry": shapely.geometry.mapping(box)}
                for fields, box in rows
            ]
            path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), "utf-8")
            return path
        names = {"code": "网格编码", "name": "名称", "tier": "层级", "parent": "上级编码"}
        pyogrio.raw.write(
            str(path),
            geometry=np.array([shapely.to_wkb(box) for _, box in rows], dtype=object),
            field_data=[
                np.array([fields[key] for fields, _ in rows], np.int32 if key == "tier" else object)
                for key in names
            ],
            fields=list(names.values()),
            layer="网格",
            driver="GPKG",
            geometry_type="Polygon",
            crs="EPSG:4326",
        )
        return path
