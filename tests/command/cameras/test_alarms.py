from __future__ import annotations

from typing import Any

import pytest

from command.cameras import Alarm, Seen, decide_accept, decide_dismiss, decide_raise
from command.cameras import alarms as module
from command.errors import IllegalTransition, Malformed, NotFound
from command.events import SYSTEM
from tests.command.world import World


@pytest.fixture
def world() -> World:
    made = World()
    made.add_camera("c1")
    return made


def raised(world: World, key: str = "x1", **more: Any) -> list[str]:
    seen = Seen(**{"kind": "intrusion", "camera_id": "c1", "text": "周界", **more})
    return [event.type for event in world.take(lambda p, c: decide_raise(p, key, seen, c), SYSTEM)]


def test_an_alarm_takes_the_place_of_its_camera(world: World) -> None:
    raised(world)
    alarm = world.board.alarms["x1"]
    assert (alarm.lon, alarm.lat, alarm.state, alarm.count, alarm.version) == (116.8, 33.9, "open", 1, 1)
    raised(world, "x2", kind="fault", lon=116.9, lat=34.0, at="2026-11-22T02:00:00.000Z")
    told = world.board.alarms["x2"]
    assert (told.lon, told.at) == (116.9, "2026-11-22T02:00:00.000Z")
    raised(world, "x3", camera_id="gone", device_id="34060400001110000001")
    assert world.board.alarms["x3"].lon is None


def test_the_same_again_is_counted_once_a_minute(world: World) -> None:
    raised(world)
    for _ in range(50):
        world.clock.advance(1)
        assert raised(world, "again") == []
    world.clock.advance(module.REPEAT_S)
    assert raised(world, "again", text="再次") == ["alarm.raised"]
    assert world.events[-1].data["again"] is True
    assert set(world.board.alarms) == {"x1"}
    alarm = world.board.alarms["x1"]
    assert (alarm.count, alarm.text, alarm.version) == (2, "再次", 2)
    assert alarm.last_at is not None
    assert alarm.last_at > alarm.at
    assert raised(world, "other", kind="fault") == ["alarm.raised"]


def test_of_too_many_the_oldest_give_way(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_OPEN", 3)
    for n in range(6):
        world.clock.advance(1)
        raised(world, f"x{n}", device_id=f"d{n}")
    assert set(world.board.alarms) == {"x3", "x4", "x5"}


def test_somebody_decides_once(world: World) -> None:
    raised(world)
    incident = world.report("i1")
    (event,) = world.take(lambda p, c: decide_accept(p, "x1", incident.id, c))
    assert (event.data["incident_id"], event.data["kind"]) == ("i1", "intrusion")
    alarm = world.board.alarms["x1"]
    assert (alarm.state, alarm.incident_id, alarm.decided_by) == ("accepted", "i1", "调度席 沈知行")
    for decide in (
        lambda p, c: decide_accept(p, "x1", "i1", c),
        lambda p, c: decide_dismiss(p, "x1", c),
    ):
        with pytest.raises(IllegalTransition):
            world.take(decide)
    world.clock.advance(1)
    assert raised(world, "x2") == ["alarm.raised"], "a decided alarm does not swallow the next"
    world.take(lambda p, c: decide_dismiss(p, "x2", c, reason=" 误报 "))
    assert (world.board.alarms["x2"].state, world.board.alarms["x2"].reason) == ("dismissed", "误报")
    with pytest.raises(NotFound):
        world.take(lambda p, c: decide_dismiss(p, "x9", c))
    raised(world, "x3", kind="third")
    with pytest.raises(Malformed):
        world.take(lambda p, c: decide_dismiss(p, "x3", c, reason="x" * 501))


def test_it_belongs_to_the_timeline_of_its_incident(world: World) -> None:
    from command.store.log import touched_incidents

    raised(world)
    assert touched_incidents(world.events[-1]) == []
    (event,) = world.take(lambda p, c: decide_accept(p, "x1", "i7", c))
    assert touched_incidents(event) == ["i7"]


def test_an_alarm_is_whole_by_default() -> None:
    assert Alarm(id="x", camera_id=None, device_id=None, kind="k", at="t").state == "open"
