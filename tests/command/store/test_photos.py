import errno
import os
from pathlib import Path

import pytest

from command.errors import StorageFull, Unavailable
from command.store.photos import keep_photo


def test_a_photo_is_there_whole_and_alone(tmp_path: Path) -> None:
    path = tmp_path / "photos" / "a.jpg"
    keep_photo(path, b"picture")
    assert path.read_bytes() == b"picture"
    assert [entry.name for entry in path.parent.iterdir()] == ["a.jpg"]


@pytest.mark.parametrize(("number", "kind"), [(errno.ENOSPC, StorageFull), (errno.EIO, Unavailable)])
def test_a_disk_that_fails_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, kind: type[Exception]
) -> None:
    def fail(_handle: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(kind):
        keep_photo(tmp_path / "a.jpg", b"picture")
    assert list(tmp_path.iterdir()) == []
