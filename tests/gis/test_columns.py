from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gis.columns import load_columns, save_columns
from gis.errors import BadFile


def test_columns_come_back_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    save_columns(path, lon=np.array([1.5, 2.5]), text=np.frombuffer(b"ab", dtype=np.uint8))
    found = load_columns(path, "a table", ("lon", "text"))
    assert found["lon"].tolist() == [1.5, 2.5]
    assert found["text"].tobytes() == b"ab"
    assert [left.name for left in tmp_path.iterdir()] == ["a.npz"]


@pytest.mark.parametrize("damage", ["nothing", "text", "cut", "bare array", "flipped"])
def test_what_is_none_is_named(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "a.npz"
    save_columns(path, lon=np.arange(4000.0))
    whole = path.read_bytes()
    if damage == "bare array":
        np.save(tmp_path / "a", np.arange(3))
        path = tmp_path / "a.npy"
    elif damage == "nothing":
        path.unlink()
    else:
        middle = len(whole) // 2
        flipped = (
            whole[:middle] + bytes(255 - byte for byte in whole[middle : middle + 64]) + whole[middle + 64 :]
        )
        path.write_bytes({"text": b"no columns", "cut": whole[:middle], "flipped": flipped}[damage])
    with pytest.raises(BadFile, match="not a table"):
        load_columns(path, "a table", ("lon",))


def test_a_column_that_is_missing_is_named(tmp_path: Path) -> None:
    save_columns(tmp_path / "a.npz", lon=np.zeros(1))
    with pytest.raises(BadFile, match="lacks lat, start"):
        load_columns(tmp_path / "a.npz", "a table", ("lon", "lat", "start"))
