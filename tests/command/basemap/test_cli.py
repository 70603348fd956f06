"""A basemap by the terminal: put in force, refused with a reason, taken away."""

from __future__ import annotations

from pathlib import Path

import pytest

from command.basemap.model import read_sources
from command.basemap.prepare import Wish
from command.cli.basemaps import import_basemap
from command.errors import Malformed
from tests.gis.tiles.archive import archive


def test_a_basemap_comes_and_goes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, file = tmp_path / "data", tmp_path / "county.pmtiles"
    file.write_bytes(archive({(3, 6, 3): b"\x1a\x00"}, kind=1, layers=("earth", "roads")))
    import_basemap(str(file), Wish("custom", attribution="测绘院", preferred=True), data, None)
    source = read_sources(data / "district")["custom"]
    assert (source.name, source.attribution, source.schema, source.preferred) == (
        "county",
        "测绘院",
        "other",
        True,
    )
    assert "yiping import undo 1" in capsys.readouterr().out
    with pytest.raises(Malformed, match="allowed"):
        import_basemap("http://127.0.0.1:9/{z}/{x}/{y}", Wish("custom"), data, None)
    with pytest.raises(FileNotFoundError):
        import_basemap(str(tmp_path / "absent.pmtiles"), Wish("custom"), data, None)
    assert read_sources(data / "district") == {"custom": source}
    import_basemap("none", Wish("custom"), data, None)
    assert read_sources(data / "district") == {}
    with pytest.raises(ValueError, match="no basemap"):
        import_basemap("none", Wish("custom"), data, None)
