from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.health.files import PictureFolder
from streams.health.measures import measure
from streams.health.references import Memory, adapted, learned, recall, remember
from tests.streams.health.scenes import SCENES, coded


def test_memory_comes_back_as_it_was(tmp_path: Path) -> None:
    folder = PictureFolder(tmp_path / "pictures")
    m = measure(coded(SCENES["street"](1)))
    memory = Memory(references={"day": learned(m, 5.0)}, tolerance={"moved": 1.5}, status="degraded")
    memory.fault, memory.since = "moved", 12.5
    remember(folder, "camera 1", memory)
    again = recall(folder, "camera 1")
    assert again == memory
    assert np.array_equal(again.references["day"].edge_map(), m.edge_map)
    size = folder.path("camera 1", "memory").stat().st_size
    assert size < 12_000


@pytest.mark.parametrize("data", [b"", b"junk", b"\x80" * 40, b"\x81\xaareferences\x81\xa3day\x80"])
def test_a_damaged_memory_is_an_empty_one(tmp_path: Path, data: bytes) -> None:
    folder = PictureFolder(tmp_path)
    folder.write(folder.path("c", "memory"), data)
    assert recall(folder, "c") == Memory()


def test_a_reference_with_damaged_edges_is_lost_not_met(tmp_path: Path) -> None:
    folder = PictureFolder(tmp_path)
    remember(folder, "c", Memory(references={"day": learned(measure(coded(SCENES["lane"](1))), 0.0)}))
    path = folder.path("c", "memory")
    data = bytearray(path.read_bytes())
    data[-500:-400] = bytes(100)
    path.write_bytes(data)
    assert recall(folder, "c") == Memory()


def test_a_reference_follows_quickly_when_young_and_slowly_later() -> None:
    bright = measure(coded(SCENES["street"](1)))
    darker = measure(coded(SCENES["street"](1) * 0.8))
    reference = learned(bright, 0.0)
    first = adapted(reference, darker, 1.0)
    assert first is not None
    assert first.mean == pytest.approx((bright.mean + darker.mean) / 2)
    old = reference
    for i in range(200):
        newer = adapted(old, bright, i * 7200.0)
        assert newer is not None
        old = newer
    assert adapted(old, darker, old.adapted_at + 60) is None
    newer = adapted(old, darker, old.adapted_at + 7200)
    assert newer is not None
    assert newer.mean == pytest.approx(bright.mean + 0.05 * (darker.mean - bright.mean), abs=0.1)


_ids = st.one_of(
    st.text(max_size=300),
    st.sampled_from(
        ["../../etc/passwd", "/etc/passwd", "a/b", "..", ".", "", "\0", "C:\\x", "摄像头", "a" * 5000]
    ),
)


@given(camera_id=_ids, light=st.sampled_from(["day", "ir", "../x", ""]))
def test_no_id_reaches_a_path(camera_id: str, light: str) -> None:
    root = Path("/srv/pictures")
    folder = PictureFolder(root)
    for kind in ("thumbnail", "picture", "reference", "memory"):
        path = folder.path(camera_id, kind, light)  # type: ignore[arg-type]
        assert path.parent.parent == root
        assert set(path.name) <= set("0123456789abcdefghijklmnopqrstuvwxyz.")
        assert len(path.name) < 60
        assert ".." not in str(path)


def test_two_cameras_share_no_file_and_forgetting_one_spares_the_other(tmp_path: Path) -> None:
    folder = PictureFolder(tmp_path)
    for id in ("a", "b"):
        for kind in ("thumbnail", "picture", "memory"):
            folder.write(folder.path(id, kind), id.encode())  # type: ignore[arg-type]
        folder.write(folder.path(id, "reference", "night"), id.encode())
    folder.forget("a")
    assert folder.read(folder.path("a", "picture")) is None
    assert {path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == {b"b"}
    assert sum(1 for path in tmp_path.rglob("*") if path.is_file()) == 4


def test_what_cannot_be_written_leaves_the_old_file(tmp_path: Path) -> None:
    folder = PictureFolder(tmp_path)
    path = folder.path("a", "picture")
    folder.write(path, b"old")
    path.with_name(path.name + ".part").mkdir()
    with pytest.raises(OSError, match="directory"):
        folder.write(path, b"new")
    assert path.read_bytes() == b"old"
