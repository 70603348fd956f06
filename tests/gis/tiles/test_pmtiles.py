"""PMTiles archives: every tile is found where it lies, and a damaged file is named and never breaks anything."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gis.basemap import build_basemap
from gis.errors import BadFile
from gis.tiles.mercator import exists, tile_at
from gis.tiles.pmtiles import PmTiles, tile_id, unpack
from tests.fixtures import write_roads_file
from tests.gis.tiles.archive import archive, directory

TILES = {(z, x, y): f"{z}/{x}/{y}".encode() for z in range(5) for x in range(1 << z) for y in range(1 << z)}


def put(path: Path, content: bytes) -> PmTiles:
    path.write_bytes(content)
    return PmTiles(path)


@pytest.mark.parametrize("leaves", [False, True])
def test_every_tile_is_found_where_it_lies(tmp_path: Path, leaves: bool) -> None:
    tiles = put(tmp_path / "a.pmtiles", archive(TILES, kind=2, leaves=leaves))
    assert (tiles.header.content, tiles.header.min_zoom, tiles.header.max_zoom) == ("png", 0, 4)
    assert all(tiles.tile(*key) == content for key, content in TILES.items())
    assert tiles.tile(5, 3, 3) is None
    assert tiles.some_tile() == b"0/0/0"
    tiles.close()
    with pytest.raises(BadFile, match="closed"):
        tiles.tile(0, 0, 0)


def test_numbers_of_tiles_never_meet() -> None:
    numbers = [tile_id(*key) for key in TILES]
    assert sorted(numbers) == list(range(len(TILES)))


def test_a_run_of_equal_tiles_is_one_entry(tmp_path: Path) -> None:
    plain = archive({(2, 0, 0): b"sea"}, kind=2)
    run = directory([(tile_id(2, 0, 0), 16, 3, 0)])
    # The same archive with a directory that says: sixteen times.
    old = directory([(tile_id(2, 0, 0), 1, 3, 0)])
    assert len(run) == len(old)
    tiles = put(tmp_path / "run.pmtiles", plain.replace(old, run))
    assert {tiles.tile(2, x, y) for x in range(4) for y in range(4)} == {b"sea"}
    assert tiles.tile(3, 0, 0) is None
    tiles.close()


def test_what_the_product_makes_can_be_read(tmp_path: Path) -> None:
    build_basemap(write_roads_file(tmp_path / "r.osm.pbf"), tmp_path / "base.pmtiles")
    tiles = PmTiles(tmp_path / "base.pmtiles")
    west, south, east, north = tiles.header.bounds
    assert "transportation" in tiles.layers
    tile = tiles.tile(*tile_at((west + east) / 2, (south + north) / 2, tiles.header.max_zoom))
    assert tile is not None
    assert tiles.header.packed
    assert b"primary" in unpack(tile, 1 << 20, "tile")
    tiles.close()


WHOLE = archive(TILES, kind=1, layers=("roads",), leaves=True)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.integers(0, len(WHOLE)), at=st.integers(0, len(WHOLE) - 1), value=st.integers(0, 255))
def test_damage_is_refused_or_harmless(tmp_path: Path, cut: int, at: int, value: int) -> None:
    """Cut anywhere, and any byte wrong: a clear refusal, or tiles that are not the right ones; no crash."""
    for content in (WHOLE[:cut], WHOLE[:at] + bytes([value]) + WHOLE[at + 1 :]):
        (tmp_path / "bad.pmtiles").write_bytes(content)
        try:
            tiles = PmTiles(tmp_path / "bad.pmtiles")
        except BadFile:
            continue
        try:
            for key in ((0, 0, 0), (4, 3, 9), (3, 7, 7)):
                tiles.tile(*key)
            assert isinstance(tiles.layers, tuple)
        except BadFile:
            pass
        finally:
            tiles.close()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "cut short"),
        (b"<html>" * 40, "not a PMTiles archive"),
        (WHOLE[:-1], "cut short"),
        (archive({(0, 0, 0): b"x"}, kind=5), "cannot be shown"),
        (archive({(0, 0, 0): b"x"}, kind=1, outer=3), "gzip"),
    ],
)
def test_the_reason_is_said(tmp_path: Path, content: bytes, says: str) -> None:
    with pytest.raises(BadFile, match=says):
        put(tmp_path / "x.pmtiles", content)
    with pytest.raises(BadFile):
        PmTiles(tmp_path / "absent.pmtiles")


def test_what_unpacks_without_end_is_stopped() -> None:
    bomb = gzip.compress(bytes(1 << 20))
    assert len(unpack(bomb, 1 << 20, "x")) == 1 << 20
    with pytest.raises(BadFile, match="too large"):
        unpack(bomb, 1 << 16, "x")
    with pytest.raises(BadFile, match="cut short"):
        unpack(bomb[:100], 1 << 21, "x")


def test_there_are_no_tiles_beside_the_world() -> None:
    assert exists(3, 7, 7)
    assert not exists(3, 8, 0)
    assert not exists(25, 0, 0)
    assert tile_at(180.0, -90.0, 3) == (3, 7, 7)
