from __future__ import annotations

from pathlib import Path

import pytest

from command.search.picks import MOST, Picks


def test_more_picks_more_points_up_to_a_limit() -> None:
    picks = Picks()
    assert picks.bonus(("place", "1")) == 0.0
    points = []
    for _ in range(200):
        picks.note(("place", "1"))
        points.append(picks.bonus(("place", "1")))
    assert points[0] == pytest.approx(3.0)
    assert max(points) <= 12.0


def test_what_is_kept_is_bounded_and_the_often_picked_stays() -> None:
    picks = Picks()
    for _ in range(10):
        picks.note(("place", "often"))
    for n in range(MOST * 3):
        picks.note(("camera", str(n)))
    assert len(picks) <= MOST
    assert picks.bonus(("place", "often")) > 0


def test_kept_over_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "picks.json"
    picks = Picks(path)
    assert not picks.due
    for n in range(40):
        picks.note(("road", f"{n % 3}"))
    assert picks.due
    picks.save()
    assert not picks.due
    again = Picks(path)
    assert {key: again.bonus(key) for key in again.keys()} == {key: picks.bonus(key) for key in picks.keys()}
    assert [part.name for part in tmp_path.iterdir()] == ["picks.json"]


@pytest.mark.parametrize(
    "text", ["", "nonsense", "[1]", '[["place"]]', '[["ghost", "1", 3]]', '[["place", "1", -3]]', "{}"]
)
def test_a_damaged_file_counts_as_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "picks.json"
    path.write_text(text, "utf-8")
    assert len(Picks(path)) == 0
