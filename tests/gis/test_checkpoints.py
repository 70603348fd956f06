from __future__ import annotations

from pathlib import Path

from gis.checkpoints import read_checkpoints


def test_checkpoints_with_levels_and_rings(tmp_path: Path) -> None:
    path = tmp_path / "checkpoints.csv"
    path.write_text(
        "row,name,code,level,ring,station,staffed,cameras,lon,lat\n"
        "1,北高速口,K-01,a级,外环,城北派出所,是,c1、c2,116.81,33.91\n"
        "2,南桥,,C,,,0,,116.82,33.92\n"
        "3,,K-03,B,,,,,116.83,33.93\n"
        "4,西口,K-04,Z,,,,,116.83,33.93\n"
        "5,重复,K-01,A,,,,,116.83,33.93\n"
        "6,没有位置,K-06,A,,,,,,\n",
        "utf-8",
    )
    found, errors = read_checkpoints(path)
    north, south = found
    assert (north.code, north.level, north.ring, north.staffed) == ("K-01", "A", "外环", True)
    assert (north.cameras, north.lon, north.lat) == (("c1", "c2"), 116.81, 33.91)
    assert (south.code, south.level, south.staffed) == ("南桥", "C", False)
    assert [error.row for error in errors] == [3, 4, 5, 6]
