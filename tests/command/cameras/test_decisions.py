"""The registry: entered, corrected, failing, switched off, removed. `World.take` checks the picture each time."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from command.cameras import (
    FAULTS,
    Camera,
    Layout,
    Status,
    Tour,
    checked_text,
    decide_edit,
    decide_false_alarm,
    decide_health,
    decide_register,
    decide_remove,
    decide_save_layout,
    decide_save_tour,
    decide_switch,
)
from command.cameras.decisions import NumberTaken
from command.errors import IllegalTransition, Malformed, NotFound, StaleVersion
from command.events import SYSTEM
from tests.command.world import DISPATCHER, World

GB = "34060400001320000001"


def camera(world: World, key: str = "c1") -> Camera:
    return world.board.cameras[key]


def health(world: World, status: str, fault: Any = None, key: str = "c1") -> list[str]:
    events = world.take(lambda p, c: decide_health(p, key, Status(status), fault, c), SYSTEM)
    return [event.type for event in events]


def test_registering_again_updates_the_facts_and_keeps_how_it_is() -> None:
    world = World()
    world.add_camera()
    health(world, "degraded", "blurred")
    since = camera(world).fault_since
    world.add_camera(azimuth=90.0)
    found = camera(world)
    assert (found.azimuth, found.status, found.fault, found.fault_since) == (
        90.0,
        "degraded",
        "blurred",
        since,
    )
    assert found.version == 3
    assert [event.type for event in world.events[-3:]] == [
        "camera.registered",
        "camera.health_changed",
        "camera.updated",
    ]


def test_the_same_facts_say_nothing_unless_the_source_is_new() -> None:
    world = World()
    world.add_camera(source="rtsp")
    count = len(world.events)
    world.add_camera()  # a list without sources leaves the source there is
    assert len(world.events) == count
    assert camera(world).source == "rtsp"
    again = camera(world)
    world.take(lambda p, c: decide_register(p, [again], c, renewed={"c1"}), SYSTEM)
    assert (len(world.events), camera(world).version) == (count + 1, 2)


def test_a_gb_number_belongs_to_one_camera() -> None:
    world = World()
    world.add_camera("c1", gb_id=GB)
    with pytest.raises(NumberTaken, match="c1"):
        world.add_camera("c2", gb_id=GB)
    twice = [Camera(id=key, name="x", lon=0, lat=0, gb_id=GB[:-1] + "2") for key in ("c3", "c4")]
    with pytest.raises(NumberTaken):
        world.take(lambda p, c: decide_register(p, twice, c), SYSTEM)
    world.add_camera("c2")
    with pytest.raises(NumberTaken):
        world.take(lambda p, c: decide_edit(p, "c2", {"gb_id": GB}, c), SYSTEM)


def test_a_correction_names_what_changed_and_touches_nothing_else() -> None:
    world = World()
    world.add_camera()
    health(world, "live")
    (event,) = world.take(
        lambda p, c: decide_edit(
            p, "c1", {"name": "新名", "azimuth": 90.0, "lon": 116.8, "status": "offline", "version": 99}, c
        )
    )
    assert event.data["fields"] == ["azimuth", "name"]
    assert (camera(world).name, camera(world).status, camera(world).version) == ("新名", "live", 3)
    assert world.take(lambda p, c: decide_edit(p, "c1", {"name": "新名"}, c)) == []
    (event,) = world.take(lambda p, c: decide_edit(p, "c1", {}, c, renewed=True))
    assert event.data["fields"] == ["source"]
    with pytest.raises(StaleVersion):
        world.take(lambda p, c: decide_edit(p, "c1", {"name": "x"}, c, expected_version=1))
    with pytest.raises(NotFound):
        world.take(lambda p, c: decide_edit(p, "c9", {"name": "x"}, c))


def test_a_fault_keeps_its_beginning_until_it_is_another() -> None:
    world = World()
    world.add_camera()
    assert health(world, "live") == ["camera.health_changed"]
    assert health(world, "live") == []
    world.clock.advance(10)
    health(world, "degraded", "blurred")
    since = camera(world).fault_since
    assert since is not None
    world.clock.advance(10)
    health(world, "stale", "blurred")
    assert camera(world).fault_since == since
    health(world, "offline", "signal_lost")
    assert camera(world).fault_since != since
    event = world.events[-1]
    assert (event.data["status"], event.data["fault"], event.data["was"]) == (
        "offline",
        "signal_lost",
        "stale",
    )
    health(world, "live")
    assert (camera(world).fault, camera(world).fault_since) == (None, None)
    for fault in FAULTS:
        assert health(world, "degraded", fault) == ["camera.health_changed"]


def test_a_check_that_comes_too_late_changes_nothing() -> None:
    world = World()
    world.add_camera()
    assert health(world, "live", key="gone") == []
    world.take(lambda p, c: decide_switch(p, "c1", c, enabled=False))
    assert (camera(world).enabled, camera(world).status) == (False, "disabled")
    assert health(world, "live") == []
    assert world.take(lambda p, c: decide_switch(p, "c1", c, enabled=False)) == []
    world.take(lambda p, c: decide_switch(p, "c1", c, enabled=True))
    assert (camera(world).enabled, camera(world).status) == (True, "unknown")
    with pytest.raises(Malformed):
        health(world, "disabled")


def test_only_what_a_picture_shows_can_be_a_false_alarm() -> None:
    world = World()
    world.add_camera()
    with pytest.raises(IllegalTransition):
        world.take(lambda p, c: decide_false_alarm(p, "c1", c))
    health(world, "offline", "signal_lost")
    with pytest.raises(IllegalTransition, match="signal_lost"):
        world.take(lambda p, c: decide_false_alarm(p, "c1", c))
    health(world, "degraded", "moved")
    (event,) = world.take(lambda p, c: decide_false_alarm(p, "c1", c))
    assert (event.type, event.data["fault"]) == ("camera.false_alarm", "moved")
    assert (camera(world).status, camera(world).fault) == ("live", None)


def test_a_camera_that_goes_leaves_tours_and_layouts_too() -> None:
    world = World()
    for key in ("c1", "c2"):
        world.add_camera(key)
    tour = Tour(id="t", name="环城", camera_ids=("c1", "c2", "c1"))
    layout = Layout(id="l", name="四格", split=4, cells=("c2", None, "c1", None))
    world.take(lambda p, c: decide_save_tour(p, tour, c))
    world.take(lambda p, c: decide_save_layout(p, layout, c))
    with pytest.raises(StaleVersion):
        world.take(lambda p, c: decide_remove(p, "c1", c, expected_version=7))
    (event,) = world.take(lambda p, c: decide_remove(p, "c1", c, expected_version=1))
    assert (event.data["camera_id"], event.data["name"]) == ("c1", "渡口街北")
    assert event.changes["cameras"] == {"c1": None}
    assert world.board.tours["t"].camera_ids == ("c2",)
    assert world.board.layouts["l"].cells == ("c2", None, None, None)
    assert world.board.tours["t"].updated_by == DISPATCHER.name
    with pytest.raises(NotFound):
        world.take(lambda p, c: decide_remove(p, "c1", c))


def test_after_a_removal_in_the_same_breath_the_camera_is_gone() -> None:
    from command.board import Draft

    world = World()
    world.add_camera("c1")
    world.add_camera("c2")
    draft = Draft(world.board)
    gone: list[Any] = []

    def remove(picture: Any, context: Any) -> Any:
        gone.extend(decide_remove(picture, "c1", context))
        draft.lay(gone)
        with pytest.raises(NotFound):
            decide_edit(draft, "c1", {"name": "还在"}, context)
        assert "c1" not in draft.cameras
        assert (list(draft.cameras), len(draft.cameras)) == (["c2"], 1)
        assert draft.cameras.get("c1") is None
        with pytest.raises(KeyError):
            draft.cameras["c1"]
        back = draft.trial(decide_register(draft, [world.board.cameras["c1"]], context))
        assert sorted(back.cameras) == ["c1", "c2"]
        assert list(draft.cameras) == ["c2"]
        return gone

    world.take(remove)


def test_old_logs_speak_of_online() -> None:
    old = {"id": "c", "name": "x", "lon": 0, "lat": 0, "status": "online"}
    assert msgspec.convert(old, Camera).status is Status.LIVE
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({**old, "status": "gone"}, Camera)


@pytest.mark.parametrize(
    "bad", ["", "  ", "x" * 81, "a\nb", "a\0b", "a\u202eb", "a\u2028b", "\ud800", "a\x7fb"]
)
def test_a_name_is_what_it_looks_like(bad: str) -> None:
    with pytest.raises(Malformed) as caught:
        checked_text("name", bad, 80)
    assert caught.value.field == "name"
    assert caught.value.detail.isprintable()


def test_a_name_may_be_what_people_write() -> None:
    for name in ("<b>一中</b> “东门”", "'; DROP TABLE cameras; --", "=HYPERLINK(1)", "é👍"):
        assert checked_text("name", f" {name} ", 80) == name
