from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from command.clock import ManualClock
from command.errors import NotFound, StaleVersion
from command.geography.revisions import KEPT, Change, NotUndoable, Revisions

CHANGE = Change("areas", "试", "u1", "王芳", {"taken": 3})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "district"
    found.mkdir()
    (found / "areas.gpkg").write_text("old")
    return found


@pytest.fixture
def revisions(folder: Path) -> Revisions:
    return Revisions(folder, ManualClock())


def staged(folder: Path, texts: Mapping[str, str]) -> dict[str, Path | None]:
    out: dict[str, Path | None] = {}
    for name, text in texts.items():
        path = folder.parent / f"new-{name}"
        path.write_text(text)
        out[name] = path
    return out


def test_a_change_takes_its_place_and_is_remembered(folder: Path, revisions: Revisions) -> None:
    assert revisions.current == 0
    done = revisions.commit(staged(folder, {"areas.gpkg": "new", "beats.geojson": "b"}), CHANGE)
    assert (done.number, done.files, done.absent) == (1, ("areas.gpkg", "beats.geojson"), ("beats.geojson",))
    assert (folder / "areas.gpkg").read_text() == "new"
    assert [one.change for one in revisions.history()] == [CHANGE]
    assert not (folder.parent / "new-areas.gpkg").exists()


def test_undo_brings_back_what_was_and_takes_out_what_was_not(folder: Path, revisions: Revisions) -> None:
    revisions.commit(staged(folder, {"areas.gpkg": "new", "beats.geojson": "b"}), CHANGE)
    undone = revisions.undo(1, CHANGE)
    assert undone.undoes == 1
    assert (folder / "areas.gpkg").read_text() == "old"
    assert not (folder / "beats.geojson").exists()
    revisions.undo(2, CHANGE)  # a change of mind
    assert (folder / "areas.gpkg").read_text() == "new"
    assert (folder / "beats.geojson").read_text() == "b"


def test_what_a_later_revision_changed_cannot_be_taken_back(folder: Path, revisions: Revisions) -> None:
    revisions.commit(staged(folder, {"areas.gpkg": "1"}), CHANGE)
    revisions.commit(staged(folder, {"places.csv": "p"}), CHANGE)
    assert revisions.why_not_undo(1) is None
    revisions.commit(staged(folder, {"areas.gpkg": "2"}), CHANGE)
    with pytest.raises(NotUndoable, match=r"revision 3 changed areas\.gpkg"):
        revisions.undo(1, CHANGE)
    with pytest.raises(NotFound):
        revisions.undo(9, CHANGE)


def test_one_made_from_an_older_revision_is_refused(folder: Path, revisions: Revisions) -> None:
    revisions.commit(staged(folder, {"areas.gpkg": "1"}), CHANGE, expected=0)
    with pytest.raises(StaleVersion):
        revisions.commit(staged(folder, {"areas.gpkg": "2"}), CHANGE, expected=0)
    assert (folder / "areas.gpkg").read_text() == "1"


def test_a_crash_between_two_moves_is_finished_at_the_next_start(folder: Path, revisions: Revisions) -> None:
    revisions.commit(staged(folder, {"areas.gpkg": "1", "beats.geojson": "b"}), CHANGE)
    # As it would be found after a crash: decided, one file moved, the other not.
    new = folder / "revisions" / "000001" / "new"
    new.mkdir()
    (new / "beats.geojson").write_text("decided")
    (folder / "revisions" / ".part-000002").mkdir()
    again = Revisions(folder, ManualClock())
    assert (folder / "beats.geojson").read_text() == "decided"
    assert (folder / "areas.gpkg").read_text() == "1"
    assert again.current == 1
    assert not list((folder / "revisions").glob(".*"))


def test_a_change_that_cannot_be_prepared_leaves_all_as_it_was(folder: Path, revisions: Revisions) -> None:
    with pytest.raises(OSError, match="missing"):
        revisions.commit({"areas.gpkg": folder / "missing"}, CHANGE)
    assert (folder / "areas.gpkg").read_text() == "old"
    assert revisions.current == 0
    assert revisions.commit(staged(folder, {"areas.gpkg": "new"}), CHANGE).number == 1


def test_only_the_newest_keep_what_they_replaced(folder: Path, revisions: Revisions) -> None:
    for number in range(KEPT + 2):
        revisions.commit(staged(folder, {f"f{number}": "x"}), CHANGE)
        (folder / f"f{number}").write_text("y")
    revisions.commit(staged(folder, {"f0": "z"}), CHANGE)
    assert len(revisions.history()) == KEPT + 3
    assert not (folder / "revisions" / "000001" / "before").exists()
    record = json.loads((folder / "revisions" / "000001" / "revision.json").read_text())
    assert record["change"]["by_name"] == "王芳"
