import ast
from pathlib import Path

import command
from command.cameras import Camera
from command.events import EVENT_TYPES, KINDS, SYSTEM, Actor, Event, Fact

NO_EVENTS = {"camera.key", "camera.probed", "camera.preset_saved", "geography.undone"}
"""A file, and words of the audit record."""
HEADS = (
    "incident",
    "assignment",
    "responder",
    "camera",
    "message",
    "tour",
    "layout",
    "alarm",
    "board",
    "geography",
    "closure",
)
CAMERA = Camera(id="c1", name="渡口街北", lon=116.8, lat=33.9)


def test_a_fact_becomes_data_with_whole_entities_and_the_actor() -> None:
    fact = Fact("camera.registered", (("cameras", "c1", CAMERA), ("messages", "m1", None)), {"note": "x"})
    data = fact.data(Actor("u1", "李岩", "admin"))
    assert data["actor"] == {"id": "u1", "name": "李岩"}
    assert data["note"] == "x"
    assert data["changes"]["messages"] == {"m1": None}
    camera = data["changes"]["cameras"]["c1"]
    assert set(camera) == set(Camera.__struct_fields__)
    event = Event(1, "2026-11-22T03:00:00.000Z", fact.type, data)
    assert event.changes is data["changes"]


def test_facts_never_cover_actor_or_changes() -> None:
    data = Fact("incident.noted", (), {"actor": "forged", "changes": "forged"}).data(SYSTEM)
    assert data["actor"] == {"id": "system", "name": "系统"}
    assert data["changes"] == {}


def test_every_event_that_the_code_writes_is_described_and_the_other_way_round() -> None:
    written: set[str] = set()
    folder = Path(command.__file__).parent
    for path in folder.rglob("*.py"):
        if path.name == "events.py":
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                head, _, tail = node.value.partition(".")
                if head in HEADS and tail:
                    written.add(node.value)
    permissions = {name for name in written if name not in EVENT_TYPES} - NO_EVENTS
    assert set(EVENT_TYPES) <= written
    # What remains looks like an event but is the name of a permission or a metric.
    from command.accounts.access import PERMISSIONS

    assert permissions <= set(PERMISSIONS), permissions - set(PERMISSIONS)
    heads = {name.split(".")[0] for name in EVENT_TYPES} - {"board"}
    assert {head if head == "geography" else f"{head}s" for head in heads} == set(KINDS)
