from __future__ import annotations

from typing import Any

import msgspec
import pytest

from command.cameras import (
    Layout,
    Tour,
    decide_remove_layout,
    decide_remove_tour,
    decide_save_layout,
    decide_save_tour,
)
from command.cameras import tours as module
from command.errors import Malformed, NotFound, StaleVersion
from tests.command.world import World


@pytest.fixture
def world() -> World:
    made = World()
    for key in ("c1", "c2", "c3"):
        made.add_camera(key)
    return made


def save(world: World, expected_version: int | None = None, **more: Any) -> Tour:
    tour = Tour(**{"id": "t1", "name": "环城", "camera_ids": ("c1", "c2"), **more})
    world.take(lambda p, c: decide_save_tour(p, tour, c, expected_version=expected_version))
    return world.board.tours[tour.id]


def layout(world: World, **more: Any) -> Layout:
    kept = Layout(**{"id": "l1", "name": "门口", "split": 4, "cells": ("c1", None, "c2", None), **more})
    world.take(lambda p, c: decide_save_layout(p, kept, c))
    return world.board.layouts[kept.id]


def test_a_tour_is_kept_changed_and_forgotten(world: World) -> None:
    first = save(world, group="重点", from_="08:00", to="18:30")
    assert (first.version, first.updated_by, first.group) == (1, "调度席 沈知行", "重点")
    count = len(world.events)
    save(world, group="重点", from_="08:00", to="18:30")
    assert len(world.events) == count, "the same again says nothing"
    assert save(world, expected_version=1, split=9).version == 2
    with pytest.raises(StaleVersion):
        save(world, expected_version=1)
    wire = world.board.wire()["tours"]["t1"]
    assert {"from", "to"} <= set(wire)
    assert "from_" not in wire
    world.take(lambda p, c: decide_remove_tour(p, "t1", c))
    assert world.board.tours == {}
    with pytest.raises(NotFound):
        world.take(lambda p, c: decide_remove_tour(p, "t1", c))


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"group": "x" * 41}, "group"),
        ({"camera_ids": ("c1", "c9")}, "camera_ids"),
        ({"camera_ids": ("c1",) * 501}, "camera_ids"),
        ({"dwell_s": 2}, "dwell_s"),
        ({"dwell_s": 3601}, "dwell_s"),
        ({"dwell_s": float("nan")}, "dwell_s"),
        ({"from_": "08:00"}, "to"),
        ({"to": "08:00"}, "from"),
        ({"from_": "24:00", "to": "08:00"}, "from"),
        ({"from_": "08:00", "to": "8:00"}, "to"),
    ],
)
def test_a_tour_that_makes_no_sense_names_its_field(world: World, more: dict[str, Any], field: str) -> None:
    with pytest.raises(Malformed) as caught:
        save(world, **more)
    assert caught.value.field == field
    assert world.board.tours == {}


def test_a_window_may_pass_midnight(world: World) -> None:
    assert save(world, from_="20:00", to="06:00").to == "06:00"


def test_a_layout_has_as_many_cells_as_tiles(world: World) -> None:
    assert layout(world).version == 1
    for cells in ((), ("c1",), ("c1",) * 5):
        with pytest.raises(Malformed, match="4 cells"):
            layout(world, cells=cells)
    with pytest.raises(Malformed, match="c9"):
        layout(world, cells=("c9", None, None, None))
    assert layout(world, split=1, cells=("c3",)).version == 2
    world.take(lambda p, c: decide_remove_layout(p, "l1", c))
    with pytest.raises(NotFound):
        world.take(lambda p, c: decide_remove_layout(p, "l1", c))


def test_there_is_an_end_to_how_many_are_kept(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_KEPT", 2)
    save(world, id="t1")
    save(world, id="t2")
    with pytest.raises(Malformed):
        save(world, id="t3")
    assert save(world, id="t2", dwell_s=30).version == 2


def test_the_wire_form_comes_back() -> None:
    tour = Tour(id="t", name="x", from_="08:00", to="09:00")
    assert msgspec.convert(msgspec.to_builtins(tour), Tour) == tour
