"""Writes the golden cases ``day_*.json`` from the code: ``python -m tests.golden.generate``.

Each is one event of a day at the desk, with the board before and after it. The Python reducer
(``tests/command/test_board.py``) and the browser's (``tests/browser_core/board.test.js``) both must take the
one to the other; a test fails when these files are not what the code writes.
"""

import json
from pathlib import Path
from typing import Any

import msgspec

from command import assignments, cameras, closures, messages
from command.board import Board
from command.cameras import Layout, Tour
from command.closures import Survey, Wish
from command.events import SYSTEM, Event, Fact
from tests.command.world import COLLEAGUE, DISPATCHER, OPERATOR, World, unit_actor

FOLDER = Path(__file__).parent
SAYS = {
    "incident.reported": "a new entity appears whole",
    "incident.claimed": "one entity is replaced, the others stay",
    "incident.dispatched": "one event touches an incident, two jobs and two units",
    "incident.handling": "a signature moves the incident in a second event",
    "assignment.declined": "a job ends and its unit is free, in one event",
    "assignment.on_scene": "a job and its incident change together",
    "incident.closed": "closing releases every job and frees every unit",
    "message.read": "receipts are nested and replaced as a whole",
    "responder.shift_ended": "an entity loses values: null replaces, it does not merge",
    "camera.registered": "a kind that was empty gets its first entity",
    "tour.saved": "a kind that older screens do not know, with a field named as a keyword",
    "camera.removed": "null and changed entities of three kinds in one event",
    "closure.drawn": "pairs of numbers inside a list, in a kind that was empty",
    "closure.ended": "an entity ends but stays",
    "board.trimmed": "null removes entities of several kinds, also ones that were never there",
}
"""Which event types make a case, and what it shows."""


def day() -> World:
    """Play a day at the desk, small enough to read."""
    world = World()
    world.report("i1", title="道路塌陷", description="滨河路路面塌陷约三米", contact_masked="138****0472")
    world.move("i1", "claim", DISPATCHER)
    first, second = world.dispatch("i1", "r1", "r2", override_reason="两车同去")
    world.clock.advance(12.345)
    world.step(first.id, "sign")
    world.step(second.id, "decline", text="车坏了")
    world.clock.advance(60)
    world.step(first.id, "on_scene")
    world.send("r1", "r3", body="注意安全 <b>⚠</b>\n第二行", actor=COLLEAGUE)
    world.take(lambda p, c: messages.decide_receipt(p, "m1", c, read=True), unit_actor("r1"))
    world.take(
        lambda p, c: assignments.decide_step(p, first.id, "finish", c, text="已围挡"), unit_actor("r1")
    )
    world.move("i1", "check_pass", OPERATOR, disposition="已移交住建局")
    world.shift("r3", on_duty=False)
    world.add_camera("c1", azimuth=90.5)
    world.add_camera("c2")
    tour = Tour(id="t1", name="环城", camera_ids=("c1", "c2"), from_="20:00", to="06:00")
    layout = Layout(id="l1", name="门口", split=4, cells=("c2", None, "c1", None))
    world.take(lambda p, c: cameras.decide_save_tour(p, tour, c))
    world.take(lambda p, c: cameras.decide_save_layout(p, layout, c))
    world.take(lambda p, c: cameras.decide_remove(p, "c2", c), SYSTEM)
    street = Wish("路面塌陷", "line", ((116.801, 33.901), (116.802, 33.9015)), "along")
    found = Survey("东河社区 和平路", ("和平路",), 512.5, ("340604001001001",))
    world.take(lambda p, c: closures.decide_draw(p, "x1", street, found, c))
    world.take(lambda p, c: closures.decide_end(p, "x1", c, reason="抢修完成"), OPERATOR)
    gone = (("incidents", "i1", None), ("assignments", first.id, None), ("messages", "m-never", None))
    world.take(lambda _p, _c: [Fact("board.trimmed", gone)], SYSTEM)
    return world


def cases() -> dict[str, str]:
    """Return file name → text of every case."""
    out: dict[str, str] = {}
    board = Board("epoch-1")
    for event in day().events:
        steady = _steady(event)
        before = board.wire()
        board.apply(steady)
        name = f"day_{event.type.replace('.', '_')}.json"
        if event.type in SAYS and name not in out:
            frame = {
                "frame": "event",
                "epoch": board.epoch,
                "seq": event.seq,
                "prev": event.seq - 1,
                "at": event.at,
                "type": event.type,
                "data": msgspec.to_builtins(steady.data),
            }
            case = {"says": SAYS[event.type], "before": before, "frame": frame, "after": board.wire()}
            out[name] = json.dumps(case, ensure_ascii=False, indent=1) + "\n"
    missing = set(SAYS) - {json.loads(text)["frame"]["type"] for text in out.values()}
    assert not missing, f"the day lacks {missing}"
    return out


def _steady(event: Event) -> Event:
    """Return the event without what chance decided."""
    data: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(event.data))
    for incident in data["changes"].get("incidents", {}).values():
        if incident is not None:
            incident["trace_code"] = "K7M2P9QX"
    return msgspec.structs.replace(event, data=data)


def main() -> None:
    """Write the cases and take away those that are no longer made."""
    made = cases()
    for old in FOLDER.glob("day_*.json"):
        if old.name not in made:
            old.unlink()
    for name, text in made.items():
        (FOLDER / name).write_text(text, "utf-8")


if __name__ == "__main__":
    main()
