"""Tiles in GCJ-02 are laid right: a mark drawn where GCJ-02 puts a point comes out where WGS-84 does."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from gis.crs import gcj02_from_wgs84
from gis.errors import BadFile
from gis.tiles.mercator import lonlat_of, tile_at, world_of
from gis.tiles.shift import compose, picture_side, plan

SIDE = 256
BLOB_PX = 2.5


def marked(z: int, column: int, row: int, lon: float, lat: float, kind: str = "PNG") -> bytes:
    """Their tile: white, with a soft dark spot in the middle of a point given in WGS-84."""
    x, y = (float(v) * (1 << z) * SIDE for v in world_of(*gcj02_from_wgs84(lon, lat)))
    px, py = np.arange(SIDE) + 0.5 + column * SIDE - x, np.arange(SIDE) + 0.5 + row * SIDE - y
    spot = np.exp(-(px[None, :] ** 2 + py[:, None] ** 2) / (2 * BLOB_PX**2))
    grey = np.rint(255 - 250 * spot).astype(np.uint8)
    out = io.BytesIO()
    Image.fromarray(np.stack([grey] * 3, axis=-1)).save(
        out, kind, **({"quality": 95} if kind == "JPEG" else {})
    )
    return out.getvalue()


def spot_of(picture: bytes) -> tuple[float, float]:
    """Where the dark spot of a picture stands, in pixels from the north-west corner."""
    dark = 255.0 - np.asarray(Image.open(io.BytesIO(picture)).convert("L"), dtype=np.float64)
    dark[dark < 20] = 0
    across = np.arange(SIDE) + 0.5
    return float((dark.sum(axis=0) * across).sum() / dark.sum()), float(
        (dark.sum(axis=1) * across).sum() / dark.sum()
    )


@settings(max_examples=20, deadline=None)
@given(
    st.floats(75.0, 134.0),
    st.floats(19.0, 52.0),
    st.integers(10, 18),
    st.floats(0.06, 0.94),
    st.floats(0.06, 0.94),
)
def test_a_mark_comes_out_where_it_lies(lon: float, lat: float, z: int, across: float, down: float) -> None:
    z, column, row = tile_at(lon, lat, z)
    side = 1 << z
    east, north = (float(v) for v in lonlat_of((column + across) / side, (row + down) / side))
    wanted = plan(z, column, row, SIDE)
    assert wanted is not None
    assert len(wanted.tiles) <= 9
    made = compose(wanted, {key: marked(z, *key, east, north) for key in wanted.tiles}, SIDE)
    assert made is not None
    x, y = spot_of(made[0])
    assert np.hypot(x - across * SIDE, y - down * SIDE) < 0.25, "a quarter of a pixel"


def test_the_usual_tile_is_made_of_four() -> None:
    wanted = plan(*tile_at(116.9, 33.95, 16), SIDE)
    assert wanted is not None
    assert len(wanted.tiles) == 4


def test_low_zooms_and_other_countries_are_left_alone() -> None:
    assert plan(*tile_at(116.9, 33.95, 5), SIDE) is None
    assert plan(*tile_at(9.52, 47.14, 16), SIDE) is None


def test_what_is_missing_is_transparent_and_photographs_stay_photographs() -> None:
    z, column, row = tile_at(116.9, 33.95, 16)
    wanted = plan(z, column, row, SIDE)
    assert wanted is not None
    photographs = {key: marked(z, *key, 116.9, 33.95, "JPEG") for key in wanted.tiles}
    whole = compose(wanted, photographs, SIDE)
    assert whole is not None
    assert whole[1] == "image/jpeg"
    part = compose(wanted, dict(list(photographs.items())[:1]), SIDE)
    assert part is not None
    assert part[1] == "image/png"
    alpha = np.asarray(Image.open(io.BytesIO(part[0])).getchannel("A"))
    assert (alpha.min(), alpha.max()) == (0, 255)
    assert compose(wanted, {}, SIDE) is None


def test_what_is_no_tile_is_named() -> None:
    out = io.BytesIO()
    Image.new("RGB", (256, 200)).save(out, "PNG")
    for content in (b"", b"<html>blocked</html>", out.getvalue(), out.getvalue()[:50]):
        with pytest.raises(BadFile, match="7/1/2"):
            picture_side(content, "7/1/2")
    wanted = plan(*tile_at(116.9, 33.95, 16), SIDE)
    assert wanted is not None
    cut = marked(16, *wanted.tiles[0], 116.9, 33.95)[:600]
    with pytest.raises(BadFile):
        compose(wanted, {wanted.tiles[0]: cut}, SIDE)
    with pytest.raises(BadFile, match="512"):
        compose(wanted, {wanted.tiles[0]: marked(16, *wanted.tiles[0], 116.9, 33.95)}, 512)
