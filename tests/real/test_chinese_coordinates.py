"""Files as Chinese offices and map vendors deliver them: GCJ-02 coordinates, GB 18030 text, Chinese headers.

The offset is computed here a second time, from the published formula, so that an error shared by the product's
forward and inverse conversion cannot hide.
"""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import pyogrio
import pytest
import shapely

from tests.real.live import Cli

pytestmark = pytest.mark.slow
WEST, SOUTH, STEP = 119.640, 29.080, 0.004
"""Of an invented village, in WGS-84."""


def gcj02(lon: float, lat: float) -> tuple[float, float]:
    """WGS-84 to GCJ-02 by the published formula (Krasovsky ellipsoid)."""
    x, y = lon - 105.0, lat - 35.0
    wave = (20 * math.sin(6 * x * math.pi) + 20 * math.sin(2 * x * math.pi)) * 2 / 3
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * math.sqrt(abs(x)) + wave
    north += (20 * math.sin(y * math.pi) + 40 * math.sin(y / 3 * math.pi)) * 2 / 3
    north += (160 * math.sin(y / 12 * math.pi) + 320 * math.sin(y * math.pi / 30)) * 2 / 3
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * math.sqrt(abs(x)) + wave
    east += (20 * math.sin(x * math.pi) + 40 * math.sin(x / 3 * math.pi)) * 2 / 3
    east += (150 * math.sin(x / 12 * math.pi) + 300 * math.sin(x / 30 * math.pi)) * 2 / 3
    flat = 0.00669342162296594323
    root = 1 - flat * math.sin(math.radians(lat)) ** 2
    degree_north = 6378245.0 * (1 - flat) / (root * math.sqrt(root)) * math.pi / 180
    degree_east = 6378245.0 / math.sqrt(root) * math.cos(math.radians(lat)) * math.pi / 180
    return lon + east / degree_east, lat + north / degree_north


def ring(column: int, columns: int) -> list[tuple[float, float]]:
    """The outline of some columns of grids, WGS-84."""
    west, east = WEST + STEP * column, WEST + STEP * (column + columns)
    return [(west, SOUTH), (east, SOUTH), (east, SOUTH + STEP), (west, SOUTH + STEP), (west, SOUTH)]


AREAS = {
    "330700": ("金河县", "县", None, ring(0, 2)),
    "330700100": ("临江镇", "镇", "330700", ring(0, 2)),
    "330700100200": ("樟树村", "村", "330700100", ring(0, 2)),
    "330700100200001": ("第一网格", "网格", "330700100200", ring(0, 1)),
    "330700100200002": ("第二网格", "网格", "330700100200", ring(1, 1)),
}
"""Code → name, tier in words, parent, outline."""


def as_gcj02(path: Path) -> Path:
    """Write the areas as a vendor of Chinese maps would, without saying so in the file."""
    features = [
        {
            "type": "Feature",
            "properties": {"编码": code, "名称": name, "层级": tier, "上级编码": parent},
            "geometry": {"type": "Polygon", "coordinates": [[gcj02(*corner) for corner in outline]]},
        }
        for code, (name, tier, parent, outline) in AREAS.items()
    ]
    path.write_text(
        json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False), "utf-8"
    )
    return path


def test_areas_in_gcj02_arrive_where_they_are(tmp_path: Path) -> None:
    cli = Cli(tmp_path / "data", tmp_path / "none.toml")
    cli.config.write_text("", "utf-8")
    said = cli.run("import", "areas", str(as_gcj02(tmp_path / "网格.geojson")), "--crs", "GCJ-02")
    assert "areas: 已导入 5，问题 0" in said.splitlines()

    _, _, shapes, (codes, tiers) = pyogrio.raw.read(
        cli.data / "district" / "areas.gpkg", columns=["code", "tier"]
    )
    assert dict(zip(codes.tolist(), tiers.tolist(), strict=True)) == {
        "330700": 1,
        "330700100": 2,
        "330700100200": 3,
        "330700100200001": 4,
        "330700100200002": 4,
    }
    for code, wkb in zip(codes, shapes, strict=True):
        there, meant = shapely.from_wkb(wkb), shapely.Polygon(AREAS[code][3])
        # 1e-9 degrees are a tenth of a millimetre; read as WGS-84 the outline would lie half a kilometre off.
        assert shapely.hausdorff_distance(there, meant) < 1e-9
        assert (
            shapely.hausdorff_distance(shapely.Polygon([gcj02(*xy) for xy in AREAS[code][3]]), meant) > 4e-3
        )


def test_a_table_of_places_in_gb18030_and_gcj02(tmp_path: Path) -> None:
    cli = Cli(tmp_path / "data", tmp_path / "none.toml")
    cli.config.write_text("", "utf-8")
    spots = {"樟树村委会": (WEST + 0.001, SOUTH + 0.002), "临江镇卫生院": (WEST + 0.006, SOUTH + 0.001)}
    table = tmp_path / "地点.csv"
    with table.open("w", encoding="gb18030", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["名称", "分类", "经度", "纬度"])
        for name, spot in spots.items():
            rows.writerow([name, "单位", *(f"{v:.7f}" for v in gcj02(*spot))])
        rows.writerow(["没有位置", "单位", "", ""])
    tried = cli.run("import", "places", str(table), "--crs", "GCJ-02", "--dry-run")
    assert "places: 可导入 2，问题 1" in tried.splitlines()
    assert any(line.startswith("  第 3 行 错误") for line in tried.splitlines())
    assert not (cli.data / "district" / "places.csv").exists()
    cli.run("import", "places", str(table), "--crs", "GCJ-02", "--rows", "good")
    with (cli.data / "district" / "places.csv").open(encoding="utf-8", newline="") as file:
        kept = {row["name"]: (float(row["lon"]), float(row["lat"])) for row in csv.DictReader(file)}
    assert kept == {name: pytest.approx(spot, abs=2e-7) for name, spot in spots.items()}
