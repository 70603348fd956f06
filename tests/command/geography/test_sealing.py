"""Files with passwords are sealed while they lie there, and open for their own import alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from command.geography.imports import sealing
from command.geography.imports.sealing import SealedFiles, sealed_path
from command.store.secret_box import Sealed, SecretBox
from gis.intake import Refused

BOX = SecretBox(b"k" * 32)
LIST = "name,password\n门,canary-11d0\n".encode()


def test_a_file_is_taken_once_and_read_from_memory(tmp_path: Path) -> None:
    files, path = SealedFiles(BOX, "import:i1"), tmp_path / "upload"
    path.write_bytes(LIST)
    for _ in range(2):
        files.take(path)
        assert [one.name for one in tmp_path.iterdir()] == ["upload.sealed"]
        assert b"canary" not in sealed_path(path).read_bytes()
    with files.opened(path) as plain:
        assert (plain.read_bytes(), plain.stat().st_size) == (LIST, len(LIST))
    assert not plain.exists()
    with pytest.raises(FileNotFoundError):
        files.take(tmp_path / "other")


def test_another_import_or_name_or_key_does_not_open_it(tmp_path: Path) -> None:
    files = SealedFiles(BOX, "import:i1")
    files.write(tmp_path / "a", LIST)
    sealed_path(tmp_path / "b").write_bytes(sealed_path(tmp_path / "a").read_bytes())
    assert files.read(tmp_path / "a") == LIST
    strangers = SealedFiles(BOX, "import:i2"), SealedFiles(SecretBox(b"l" * 32), "import:i1")
    for other, name in ((files, "b"), *((one, "a") for one in strangers)):
        with pytest.raises(Sealed):
            other.read(tmp_path / name)


def test_what_is_too_large_is_refused_and_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "MOST_BYTES", 10)
    (tmp_path / "upload").write_bytes(LIST)
    with pytest.raises(Refused, match="larger than"):
        SealedFiles(BOX, "import:i1").take(tmp_path / "upload")
    assert list(tmp_path.iterdir()) == []
