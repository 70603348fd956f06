"""What the video processes and people ask for, through the desk, with a log in memory."""

from __future__ import annotations

import msgspec
import pytest

from command.cameras import Camera, Layout, Seen, Tour
from command.desk import Key
from command.errors import IllegalTransition, NotFound
from command.events import SYSTEM
from command.store.sources import SealedSource
from streams.source import Source
from tests.command.office import Office
from tests.command.world import DISPATCHER, OPERATOR

HERE = Source(protocol="rtsp", host="10.0.0.5", username="admin", password="canary-5d1f")


def camera(key: str = "c1") -> Camera:
    return Camera(id=key, name="渡口街北", lon=116.825, lat=33.905)


async def test_a_clip_stands_on_the_timeline_also_when_the_incident_is_closed(office: Office) -> None:
    await office.do.cameras.register(SYSTEM, [camera()])
    incident = await office.report()
    await office.do.move(DISPATCHER, incident.id, "accept", {"address": "x"})
    await office.do.move(DISPATCHER, incident.id, "close", {"disposition": "done"})
    clip = {"clip_id": "k1", "camera_id": "c1", "start": "a", "end": "b"}
    outcome = await office.do.cameras.keep_clip(DISPATCHER, incident.id, **clip)
    assert outcome.answer["state"] == "closed"
    event = (await office.log.timeline(incident.id))[-1]
    assert event.type == "incident.clip_kept"
    assert {**clip, "camera_name": "渡口街北"}.items() <= event.data.items()
    await office.do.cameras.remove(SYSTEM, "c1")
    await office.do.cameras.keep_clip(DISPATCHER, incident.id, **clip)
    assert office.events[-1].data["camera_name"] is None
    with pytest.raises(NotFound):
        await office.do.cameras.keep_clip(DISPATCHER, "i-none", **clip)


async def test_many_are_entered_and_one_answers_with_itself(office: Office) -> None:
    do = office.do.cameras
    one = await do.register(SYSTEM, [camera()], Key("k", "f"), sources={"c1": HERE})
    assert (one.answer["id"], one.answer["source"]) == ("c1", "rtsp")
    again = await do.register(SYSTEM, [camera()], Key("k", "f"))
    assert (again.replayed, again.seq) == (True, one.seq)
    many = await do.register(SYSTEM, [camera(f"c{n}") for n in range(2, 9)])
    assert many.answer["registered"] == 7
    source, secret = office.log.sources["c1"]
    assert source.password is None
    assert secret is not None
    assert b"canary" not in secret
    await do.remove(SYSTEM, "c1")
    assert "c1" not in office.log.sources


async def test_cameras_get_back_what_they_had_and_those_that_are_gone_stay_gone(office: Office) -> None:
    do = office.do.cameras
    with_source, without = camera("c1"), camera("c2")
    await do.register(SYSTEM, [with_source, without, camera("c3")], sources={"c1": HERE, "c3": HERE})
    had = {key: SealedSource(*office.log.sources[key], updated_at="") for key in ("c1", "c3")}
    elsewhere = msgspec.structs.replace(HERE, host="10.0.0.9", password="other")
    renamed = [msgspec.structs.replace(camera(f"c{n}"), name="新名") for n in (1, 2, 3)]
    await do.register(SYSTEM, renamed, sources=dict.fromkeys(("c1", "c2", "c3"), elsewhere))
    await do.remove(SYSTEM, "c3")
    before = [with_source, without, camera("c3")]
    await do.put_back(SYSTEM, before, {"c1": had["c1"], "c2": None, "c3": had["c3"]})
    assert office.log.sources == {"c1": (had["c1"].source, had["c1"].secret)}
    assert {key: (one.name, one.source) for key, one in office.board.cameras.items()} == {
        "c1": ("渡口街北", "rtsp"),
        "c2": ("渡口街北", None),
    }


async def test_a_report_that_says_nothing_new_writes_nothing(office: Office) -> None:
    do = office.do.cameras
    await do.register(SYSTEM, [camera()])
    count = len(office.events)
    await do.health_changed("c1", "unknown", None)
    await do.health_changed("gone", "offline", "signal_lost")
    assert len(office.events) == count
    await do.health_changed("c1", "degraded", "frozen")
    await do.false_alarm(DISPATCHER, "c1")
    assert [event.type for event in office.events[count:]] == ["camera.health_changed", "camera.false_alarm"]
    with pytest.raises(ValueError, match="weird"):
        await do.health_changed("c1", "weird", None)
    with pytest.raises(IllegalTransition):
        await do.false_alarm(DISPATCHER, "c1")


async def test_tours_and_layouts_come_and_go(office: Office) -> None:
    do = office.do.cameras
    await do.register(SYSTEM, [camera()])
    saved = await do.save_tour(DISPATCHER, Tour(id="t", name="环城", camera_ids=("c1",)))
    assert (saved.answer["version"], saved.answer["updated_by"]) == (1, "调度席 沈知行")
    await do.save_layout(DISPATCHER, Layout(id="l", name="一格", split=1, cells=("c1",)))
    await do.remove(SYSTEM, "c1")
    assert office.board.tours["t"].camera_ids == ()
    assert office.board.layouts["l"].cells == (None,)
    assert (await do.remove_tour(DISPATCHER, "t")).answer["id"] == "t"
    assert (await do.remove_layout(DISPATCHER, "l")).answer["id"] == "l"
    assert office.board.tours == office.board.layouts == {}


async def test_an_alarm_and_its_incident_are_one_commit(office: Office) -> None:
    do = office.do
    await do.cameras.register(SYSTEM, [camera()])
    await do.cameras.raise_alarm(Seen(kind="intrusion", camera_id="c1"))
    await do.cameras.raise_alarm(Seen(kind="intrusion", camera_id="c1"))
    (alarm,) = office.board.alarms.values()
    groups = office.desk.groups
    outcome = await do.accept_alarm(OPERATOR, alarm.id, title="翻墙", category="security", level="none")
    assert office.desk.groups == groups + 1
    assert [event.type for event in office.events[-2:]] == ["incident.reported", "alarm.accepted"]
    assert office.board.alarms[alarm.id].incident_id == outcome.answer["id"]
    number = outcome.answer["code"]
    with pytest.raises(IllegalTransition):
        await do.accept_alarm(OPERATOR, alarm.id, title="翻墙", category="security", level="none")
    following = await office.report()
    assert int(following.code[-4:]) == int(number[-4:]) + 1, "a refused alarm uses up no number"
