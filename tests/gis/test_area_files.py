from __future__ import annotations

from dataclasses import fields
from datetime import date
from pathlib import Path

import numpy as np
import pyogrio
import pytest
import shapely

from gis import area_files
from gis.areas import Area
from gis.errors import BadFile

WEST, EAST = shapely.box(117.0, 34.0, 117.1, 34.1), shapely.box(117.2, 34.0, 117.3, 34.1)


def sample() -> list[Area]:
    return [
        Area("34", "烈山区", 1, None, "区", shapely.MultiPolygon([WEST, EAST]), "甲"),
        Area("3401", "桥头社区", 3, "34", "社区", WEST, None, ("乙", "丙"), "B1", 812),
        Area("340101", "旧格", 4, "3401", "网格", WEST, valid_to=date(2025, 6, 30), source_crs="GCJ-02"),
        Area(
            "340101", "新格", 4, "3401", "网格", WEST, kind="dedicated", posts=3, valid_from=date(2025, 7, 1)
        ),
    ]


def test_what_is_written_is_loaded_field_by_field_and_one_area_alone(tmp_path: Path) -> None:
    path = tmp_path / "areas.gpkg"
    area_files.write_areas(path, sample())
    loaded = area_files.load_areas(path)
    for before, after in zip(sample(), loaded, strict=True):
        for field in fields(Area):
            assert getattr(after, field.name) == getattr(before, field.name), field.name
    assert area_files.load_versions(path, "340101") == loaded[2:]
    assert area_files.load_versions(path, "x'; DROP TABLE areas; --") == []
    assert area_files.load_versions(tmp_path / "absent.gpkg", "34") == []
    assert [one.name for one in tmp_path.iterdir()] == ["areas.gpkg"]


def test_a_file_from_before_a_field_was_added_has_the_default(tmp_path: Path) -> None:
    path = tmp_path / "areas.gpkg"
    old = {
        name: area_files.column_of(name, [getattr(area, name) for area in sample()[:2]])
        for name in ("code", "name", "tier", "parent", "label")
    }
    area_files.write_gpkg(path, old, np.array([WEST, shapely.MultiPolygon([EAST])], dtype=object))
    first, second = area_files.load_areas(path)
    assert (first.posts, first.kind, first.valid_from, first.workers) == (1, "general", None, ())
    assert (second.parent, second.geometry) == ("34", EAST)


def test_a_damaged_or_foreign_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "areas.gpkg"
    area_files.write_areas(path, sample())
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 3])
    with pytest.raises(BadFile, match=r"areas\.gpkg"):
        area_files.load_areas(path)
    path.unlink()
    pyogrio.raw.write(
        str(path),
        geometry=np.array([shapely.to_wkb(WEST)], dtype=object),
        field_data=[np.array(["x"], dtype=object)],
        fields=["name"],
        driver="GPKG",
        geometry_type="Polygon",
        crs="EPSG:4326",
    )
    with pytest.raises(BadFile, match="no column code"):
        area_files.load_areas(path)
    with pytest.raises(BadFile):
        area_files.load_areas(tmp_path / "absent.gpkg")
