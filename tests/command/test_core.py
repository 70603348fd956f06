"""A data folder opened: what a second process is told, what is damaged, and who stands behind a device."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from command.board import Board
from command.clock import ManualClock
from command.core import Units, open_core
from command.district import District
from command.store.database import DataFolderInUse
from tests.command.world import World
from tests.fixtures import START, district_of, settings_for


def test_a_second_process_is_told_that_the_folder_is_in_use(data_folder: Path, district: District) -> None:
    core = open_core(settings_for(data_folder), ManualClock(START), district)
    with pytest.raises(DataFolderInUse):
        open_core(settings_for(data_folder), ManualClock(START), district)
    core.close()
    open_core(settings_for(data_folder), ManualClock(START), district).close()


def test_a_folder_that_is_not_there_yet_begins_empty(tmp_path: Path) -> None:
    core = open_core(settings_for(tmp_path / "new" / "data"), ManualClock(START))
    assert core.board.seq == 0
    assert core.district.about.prefix == "YP"
    core.close()


def test_a_damaged_district_stops_the_start_and_lets_go_of_the_folder(data_folder: Path) -> None:
    (district_of(data_folder) / "areas.gpkg").write_bytes(b"broken")
    for _ in range(2):
        with pytest.raises(Exception, match=r"areas\.gpkg"):
            open_core(settings_for(data_folder), ManualClock(START))
    shutil.rmtree(district_of(data_folder))
    open_core(settings_for(data_folder), ManualClock(START)).close()


def test_devices_follow_the_roster() -> None:
    from command.events import SYSTEM
    from command.responders import decide_register
    from tests.fixtures import PEOPLE

    world = World(units=())
    units = Units(world.board)
    world.take(lambda p, c: decide_register(p, list(PEOPLE), c), SYSTEM)
    assert units.unit_of_device("phone-1") is None
    for event in world.events:
        units.apply(event)
    assert units.unit_of_device("phone-1") == 1
    assert units.unit_of("p1") == 11
    assert units.unit_of("nobody") is None
    assert Units(world.board).unit_of_device("phone-21") == 21
    assert Board("e").responders == {}
