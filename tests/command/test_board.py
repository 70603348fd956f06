"""The reducer: replay, checkpoints, drafts, and random commands that must never tear the picture."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from command import assignments, messages
from command.assignments import ACTIVE, STEPS
from command.board import ENTITIES, Board, Draft
from command.cameras import Camera, Status
from command.errors import YipingError
from command.events import KINDS, SYSTEM, Event, Fact
from command.incidents import LIFECYCLE
from tests.command.test_incidents import WORDS
from tests.command.world import COLLEAGUE, DISPATCHER, OPERATOR, SUPERVISOR, World, unit_actor

GOLDEN = Path(__file__).parents[1] / "golden"
CAMERA = Camera(id="c1", name="渡口街北", lon=116.8, lat=33.9)


def event(seq: int, **changes: dict[str, Any]) -> Event:
    return Event(seq, "2026-11-22T03:00:00.000Z", "board.trimmed", {"actor": {}, "changes": changes})


def test_the_reducer_puts_and_removes_and_is_absolute() -> None:
    board = Board("e")
    camera = msgspec.to_builtins(CAMERA)
    board.apply(event(1, cameras={"c1": camera}))
    assert board.cameras == {"c1": CAMERA}
    board.apply(event(2, cameras={"c1": camera}))
    assert board.cameras == {"c1": CAMERA}
    board.apply(event(3, cameras={"c1": None, "c2": None}))
    assert board.cameras == {}
    assert board.seq == 3


@pytest.mark.parametrize("seq", [0, 1, 3, 10])
def test_a_hole_in_the_log_stops_it(seq: int) -> None:
    board = Board("e", 1)
    with pytest.raises(ValueError, match="does not follow 1"):
        board.apply(event(seq))
    assert board.seq == 1


def test_an_event_of_an_unknown_kind_or_shape_is_never_half_understood() -> None:
    with pytest.raises(KeyError):
        Board("e").apply(event(1, residents={"x": {}}))
    with pytest.raises(msgspec.ValidationError):
        Board("e").apply(event(1, cameras={"c1": {"id": "c1", "name": 3}}))


def test_the_board_has_the_kinds_that_events_have() -> None:
    assert tuple(ENTITIES) == KINDS
    board = Board("e")
    assert set(board.wire()) == set(KINDS)
    with pytest.raises(KeyError):
        board.kind("residents")


def test_the_wire_leaves_out_what_is_not_visible() -> None:
    world = World()
    world.add_camera()
    world.report("it")
    shown = world.board.wire(lambda kind, entity: kind != "responders" and entity["id"] != "c1")
    assert set(shown["incidents"]) == {"it"}
    assert shown["cameras"] == shown["responders"] == {}


def test_a_draft_shows_what_was_laid_over_it_and_the_board_does_not() -> None:
    board = Board("e")
    draft = Draft(board)
    draft.lay([Fact("camera.registered", (("cameras", "c1", CAMERA), ("messages", "m1", None)))])
    assert draft.cameras["c1"] == CAMERA
    assert board.cameras == {}
    assert list(draft.messages) == []


def test_a_checkpoint_that_is_none_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError):
        Board.load(b'{"epoch":"e","seq":1}')


def test_a_checkpoint_of_an_earlier_version_loads() -> None:
    old = {"id": "c1", "name": "渡口街北", "lon": 116.8, "lat": 33.9, "status": "online", "version": 3}
    kinds: dict[str, Any] = {kind: {} for kind in ("incidents", "assignments", "responders", "messages")}
    board = Board.load(json.dumps({"epoch": "e", "seq": 1, **kinds, "cameras": {"c1": old}}).encode())
    camera = board.cameras["c1"]
    assert (camera.status, camera.enabled, camera.source, camera.version) == (Status.LIVE, True, None, 3)
    assert board.tours == board.layouts == board.alarms == {}
    board.apply(
        event(2, cameras={"c1": {**old, "status": "offline", "version": 4}, "c2": {**old, "id": "c2"}})
    )
    assert [board.cameras[key].status for key in ("c1", "c2")] == [Status.OFFLINE, Status.LIVE]
    assert board.wire()["cameras"]["c2"]["status"] == "live"
    with pytest.raises(msgspec.ValidationError):
        board.apply(event(3, cameras={"c1": {**old, "status": "on"}}))


def plain(board: object) -> object:
    """Return it as it comes out of JSON: lists, not tuples."""
    return json.loads(json.dumps(board))


GOLDEN_CASES = sorted(path for path in GOLDEN.glob("*.json") if path.name != "telemetry.json")


@pytest.mark.parametrize("path", GOLDEN_CASES, ids=lambda path: path.stem)
def test_the_reducer_agrees_with_the_browsers(path: Path) -> None:
    case = json.loads(path.read_text("utf-8"))
    frame = case["frame"]
    stored = {"epoch": frame["epoch"], "seq": frame["seq"] - 1, **case["before"]}
    board = Board.load(msgspec.json.encode(stored))
    given = board.wire()
    data = Event(frame["seq"], frame["at"], frame["type"], frame["data"])
    board.apply(data)
    expected = Board.load(
        msgspec.json.encode({"epoch": frame["epoch"], "seq": frame["seq"], **case["after"]})
    )
    assert board.wire() == expected.wire()
    board.apply(msgspec.structs.replace(data, seq=frame["seq"] + 1))
    assert board.wire() == expected.wire(), "an event is idempotent"
    if path.name.startswith("day_"):
        # Written from this code: nothing in them may be unknown to it or filled in by it.
        assert plain(given) == case["before"]
        assert plain(expected.wire()) == case["after"]


def test_the_golden_cases_are_those_that_the_code_writes() -> None:
    from tests.golden import generate

    for name, text in generate.cases().items():
        stored = (GOLDEN / name).read_text("utf-8")
        assert stored == text, f"{name} is out of date: run python -m tests.golden.generate"


UNIT_NAMES = st.sampled_from(("r1", "r2", "r3"))
INCIDENT_NAMES = st.sampled_from([f"i{n}" for n in range(1, 4)])
DESKS = st.sampled_from((OPERATOR, DISPATCHER, COLLEAGUE, SUPERVISOR, SYSTEM))


class RandomDesk(RuleBasedStateMachine):
    """Anything anybody may ask for, in any order. `World.take` checks the picture after each."""

    @initialize()
    def begin(self) -> None:
        self.world = World()
        self.refused = 0
        self.sent = 0
        for level in ("I", "III", "IV"):
            self.world.report(level=level)

    def attempt(self, command: Any, *args: Any, **words: Any) -> None:
        before = self.world.board.dump()
        try:
            command(*args, **words)
        except YipingError:
            self.refused += 1
            assert self.world.board.dump() == before, "what is refused changes nothing"

    @rule(incident=INCIDENT_NAMES, command=st.sampled_from(sorted(set(LIFECYCLE) - {"attach", "dispatch"})))
    def move(self, incident: str, command: str) -> None:
        words = dict(WORDS.get(command, {}))
        if command in ("merge", "dismiss_suspect"):
            words = {"into": "i2"} if command == "merge" else {"incident_id": "i2"}
        self.attempt(self.world.move, incident, command, SUPERVISOR, **words)

    @rule(incident=INCIDENT_NAMES, command=st.sampled_from(["claim", "unclaim", "accept"]), who=DESKS)
    def desk(self, incident: str, command: str, who: Any) -> None:
        self.attempt(self.world.move, incident, command, who)

    @rule(
        incident=INCIDENT_NAMES,
        units=st.lists(UNIT_NAMES, min_size=1, max_size=3),
        who=DESKS,
        reason=st.sampled_from([None, "同事离席"]),
    )
    def dispatch(self, incident: str, units: list[str], who: Any, reason: str | None) -> None:
        self.attempt(self.world.dispatch, incident, *units, actor=who, override_reason=reason)

    @precondition(lambda self: self.world.board.assignments)
    @rule(data=st.data(), step=st.sampled_from(sorted(set(STEPS) - {"reassign"})), own=st.booleans())
    def step(self, data: st.DataObject, step: str, own: bool) -> None:
        job = data.draw(st.sampled_from(sorted(self.world.board.assignments)))
        self.attempt(self.world.step, job, step, None if own else DISPATCHER, "x")

    @precondition(lambda self: any(a.state in ACTIVE for a in self.world.board.assignments.values()))
    @rule(data=st.data(), step=st.sampled_from(["sign", "on_scene", "finish", "decline"]))
    def go_on(self, data: st.DataObject, step: str) -> None:
        """Steer towards jobs that are alive, or most runs would end in refusals."""
        alive = sorted(a.id for a in self.world.board.assignments.values() if a.state in ACTIVE)
        self.attempt(self.world.step, data.draw(st.sampled_from(alive)), step, None, "x")

    @precondition(lambda self: self.world.board.assignments)
    @rule(data=st.data(), propose=st.booleans())
    def arrival(self, data: st.DataObject, propose: bool) -> None:
        job = data.draw(st.sampled_from(sorted(self.world.board.assignments)))
        if propose:
            self.attempt(
                self.world.take, lambda p, c: assignments.decide_arrival_proposal(p, job, 30.0, c), SYSTEM
            )
        else:
            self.attempt(self.world.take, lambda p, c: assignments.decide_arrival_refusal(p, job, c))

    @rule(unit=UNIT_NAMES, on_duty=st.booleans())
    def shift(self, unit: str, on_duty: bool) -> None:
        self.attempt(self.world.shift, unit, on_duty=on_duty)

    @rule(to=st.lists(UNIT_NAMES, max_size=3), read=st.booleans(), reader=UNIT_NAMES)
    def message(self, to: list[str], read: bool, reader: str) -> None:
        self.sent += 1
        key = f"m{self.sent}"
        self.attempt(self.world.send, *to, key=key)
        self.attempt(
            self.world.take,
            lambda p, c: messages.decide_receipt(p, key, c, read=read),
            unit_actor(reader),
        )

    @rule(seconds=st.sampled_from([1.0, 45.0, 3_600.0]))
    def wait(self, seconds: float) -> None:
        self.world.clock.advance(seconds)

    @invariant()
    def a_checkpoint_holds_everything(self) -> None:
        if not hasattr(self, "world"):
            return
        board = self.world.board
        again = Board.load(board.dump())
        assert again.dump() == board.dump()
        assert (again.epoch, again.seq) == (board.epoch, board.seq)

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        replayed = Board(self.world.board.epoch)
        for one in self.world.events:
            replayed.apply(msgspec.json.decode(msgspec.json.encode(one), type=Event))
        assert replayed.dump() == self.world.board.dump(), "replay gives the same board"


RandomDesk.TestCase.settings = settings(
    max_examples=60, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
TestRandomDesk = RandomDesk.TestCase
