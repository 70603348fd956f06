"""Jobs of units: every step from every state, several units at once, two desks at once, and how it all ends."""

from typing import Any

import pytest

from command import assignments
from command.assignments import ACTIVE, STEPS, Assignment, Offer
from command.clock import rfc3339
from command.errors import (
    AlreadyAssigned,
    Conflict,
    Forbidden,
    IllegalTransition,
    Malformed,
    NotFound,
    StaleVersion,
)
from command.events import SYSTEM, Actor
from command.incidents import incident_of
from tests.command.world import (
    ANSWER_S,
    COLLEAGUE,
    DISPATCHER,
    OPERATOR,
    POLICY,
    START,
    SUPERVISOR,
    World,
    unit_actor,
)

STATES = (
    "dispatched delivered signed en_route on_scene finished released declined timed_out reassigned recalled"
).split()
HELD = "dispatched delivered signed en_route on_scene"
# step → the states it is for → the state it leads to → who may say it. From the domain's description.
TABLE = {
    "deliver": ("dispatched", "delivered", "unit"),
    "sign": ("dispatched delivered", "signed", "unit"),
    "decline": ("dispatched delivered signed en_route", "declined", "unit"),
    "en_route": ("signed", "en_route", "unit"),
    "on_scene": ("signed en_route", "on_scene", "anyone"),
    "finish": ("signed en_route on_scene", "finished", "unit"),
    "time_out": ("dispatched delivered", "timed_out", "anyone"),
    "recall": (HELD, "recalled", "anyone"),
    "reassign": (HELD, "reassigned", "anyone"),
}
WORDS = {"decline": "车坏了", "recall": "不用去了"}
WAY = {
    "dispatched": "",
    "delivered": "deliver",
    "signed": "sign",
    "en_route": "sign en_route",
    "on_scene": "sign on_scene",
    "finished": "sign finish",
    "declined": "decline",
    "timed_out": "time_out",
    "reassigned": "reassign",
    "recalled": "recall",
}


def sent(*units: str, incident: str = "it", **more: Any) -> tuple[World, list[Assignment]]:
    """Return a world whose incident has these units."""
    world = World()
    world.report(incident)
    return world, world.dispatch(incident, *units, **more)


def job_in(state: str) -> tuple[World, str]:
    """Return a world with a job in a state; r2 is on the incident too, so that it stays where it is."""
    world, (job, other) = sent("r1", "r2")
    world.step(other.id, "sign")
    if state == "released":
        world.step(job.id, "sign")
        world.move("it", "close", disposition="已处置")
    for step in WAY.get(state, "").split():
        world.step(job.id, step, text=WORDS.get(step))
    assert world.board.assignments[job.id].state == state
    return world, job.id


def test_the_code_has_the_steps_of_the_table_and_no_other() -> None:
    assert set(STEPS) == set(TABLE)
    assert set(HELD.split()) == ACTIVE


@pytest.mark.parametrize("state", STATES)
def test_each_step_goes_from_its_states_and_from_no_other(state: str) -> None:
    for step, (sources, target, _) in TABLE.items():
        world, job = job_in(state)
        before = world.board.assignments[job]
        if state == target:
            # A phone says it again after a dead spot.
            assert world.step(job, step, text=WORDS.get(step)) == ""
            assert world.board.assignments[job] == before
        elif state in sources.split():
            assert f"assignment.{target}" in world.step(job, step, text=WORDS.get(step))
            after = world.board.assignments[job]
            assert after.state == target
            held = world.board.responders["r1"].assignment_id == job
            assert held == (target in HELD.split())
            assert (after.ended_at is None) == held
        else:
            with pytest.raises(IllegalTransition) as refused:
                world.step(job, step, text=WORDS.get(step))
            assert refused.value.extras == {"state": state, "command": step}
            assert world.board.assignments[job] == before


@pytest.mark.parametrize("step", [name for name, row in TABLE.items() if row[2] == "unit"])
@pytest.mark.parametrize("who", [DISPATCHER, SUPERVISOR, SYSTEM, unit_actor("r2")])
def test_nobody_else_says_the_units_own_word(step: str, who: Actor) -> None:
    world, job = job_in(TABLE[step][0].split()[0])
    with pytest.raises(Forbidden):
        world.step(job, step, who, text="x")


@pytest.mark.parametrize("who", [DISPATCHER, SYSTEM])
def test_the_desk_may_see_that_a_unit_is_there(who: Actor) -> None:
    world, job = job_in("en_route")
    world.step(job, "on_scene", who)
    assert world.board.assignments[job].on_scene_at == rfc3339(START)


@pytest.mark.parametrize("step", ["decline", "recall"])
@pytest.mark.parametrize("words", [None, "", "  "])
def test_refusing_and_recalling_need_a_reason(step: str, words: str | None) -> None:
    world, job = job_in("delivered")
    with pytest.raises(Malformed) as refused:
        world.step(job, step, text=words)
    assert refused.value.field == "reason"


@pytest.mark.parametrize(("step", "field"), [("decline", "reason"), ("finish", "feedback")])
def test_long_words_are_refused_by_name(step: str, field: str) -> None:
    world, job = job_in("signed")
    with pytest.raises(Malformed) as refused:
        world.step(job, step, text="长" * 2_001)
    assert refused.value.field == field


def test_a_job_that_does_not_exist() -> None:
    with pytest.raises(NotFound):
        World().take(lambda p, c: assignments.decide_step(p, "a-none", "sign", c))


class TestDispatch:
    def test_from_reported_it_accepts_and_sends_in_one_event(self) -> None:
        world, (first, second) = sent("r1", "r2")
        it = world.board.incidents["it"]
        assert (it.state, it.accepted_at, it.dispatched_at) == ("dispatched", rfc3339(START), rfc3339(START))
        assert it.assignments == (first.id, second.id)
        assert (first.lead, second.lead) == (True, False)
        assert it.acknowledged_by == DISPATCHER.name
        assert world.events[-1].type == "incident.dispatched"
        assert world.events[-1].data["responder_ids"] == ["r1", "r2"]
        assert set(world.events[-1].changes["responders"]) == {"r1", "r2"}
        assert first.answer_due_at == "2026-11-22T03:00:30.000Z"
        assert (first.eta_at_dispatch_s, first.eta_method) == (90.0, "road")

    def test_the_limits_to_sign_and_to_arrive_run_from_the_first_dispatch(self) -> None:
        world = World()
        world.report("it", level="I")
        world.clock.advance(30)
        world.dispatch("it", "r1")
        due = world.board.incidents["it"].due
        assert (due.sign, due.arrive) == ("2026-11-22T03:02:30.000Z", "2026-11-22T03:10:30.000Z")
        world.clock.advance(30)
        world.dispatch("it", "r2")
        assert world.board.incidents["it"].due == due

    @pytest.mark.parametrize("bad", ["r9", "r3"])
    def test_all_or_none(self, bad: str) -> None:
        world = World()
        world.report("it")
        world.shift("r3", on_duty=False)
        before = world.board.dump()
        with pytest.raises((NotFound, IllegalTransition)):
            world.dispatch("it", "r1", bad)
        assert world.board.dump() == before

    @pytest.mark.parametrize("units", [(), ("r1", "r1")])
    def test_nobody_or_one_twice_makes_no_sense(self, units: tuple[str, ...]) -> None:
        world = World()
        world.report("it")
        with pytest.raises(Malformed) as refused:
            world.dispatch("it", *units)
        assert refused.value.field == "responder_ids"

    def test_a_busy_unit_names_its_job_and_who_gave_it(self) -> None:
        world, (job,) = sent("r1", incident="first")
        world.report("second", title="有人落水")
        with pytest.raises(AlreadyAssigned) as refused:
            world.dispatch("second", "r2", "r1", actor=COLLEAGUE)
        assert refused.value.winner == {
            "responder_id": "r1",
            "responder_name": "队员 r1",
            "assignment_id": job.id,
            "incident_id": "first",
            "incident_title": "道路塌陷",
            "by_name": DISPATCHER.name,
        }
        assert world.board.responders["r2"].assignment_id is None

    @pytest.mark.parametrize("state", ["rejected", "suspended", "handled", "closed", "cancelled"])
    def test_not_everything_takes_units(self, state: str) -> None:
        from tests.command.test_incidents import world_with

        world = world_with(state)
        with pytest.raises(IllegalTransition):
            world.dispatch("it", "r3")

    def test_more_units_may_follow_while_it_is_handled(self) -> None:
        world, (job,) = sent("r1")
        world.step(job.id, "sign")
        (more,) = world.dispatch("it", "r2")
        it = world.board.incidents["it"]
        assert (it.state, it.assignments, more.lead) == ("handling", (job.id, more.id), False)

    def test_a_stale_picture_is_refused(self) -> None:
        world = World()
        it = world.report("it")
        world.move("it", "note", OPERATOR, text="改了")
        with pytest.raises(StaleVersion):
            world.dispatch("it", "r1", expected_version=it.version)
        world.dispatch("it", "r1", expected_version=it.version + 1)

    def test_another_desks_incident_needs_a_reason_which_is_kept(self) -> None:
        world = World()
        world.report("it")
        world.move("it", "claim", COLLEAGUE)
        with pytest.raises(AlreadyAssigned) as refused:
            world.dispatch("it", "r1", actor=DISPATCHER)
        assert refused.value.winner["by_name"] == COLLEAGUE.name
        (job,) = world.dispatch("it", "r1", actor=DISPATCHER, override_reason="同事离席")
        assert job.reason == "同事离席"
        assert world.events[-1].data["override_reason"] == "同事离席"

    @pytest.mark.parametrize("who", [COLLEAGUE, SUPERVISOR, SYSTEM])
    def test_its_own_desk_the_supervisor_and_the_system_need_none(self, who: Actor) -> None:
        world = World()
        world.report("it")
        world.move("it", "claim", COLLEAGUE)
        world.dispatch("it", "r1", actor=who)

    def test_of_two_desks_at_once_one_wins(self) -> None:
        """Both saw the same picture; the second decision comes after the first, in the same group or later."""
        world = World()
        first, second = world.report("first"), world.report("second")
        world.dispatch("first", "r1", actor=DISPATCHER, expected_version=first.version)
        with pytest.raises(AlreadyAssigned) as refused:
            world.dispatch("second", "r1", actor=COLLEAGUE, expected_version=second.version)
        assert refused.value.winner["by_name"] == DISPATCHER.name


class TestWhatItMeansForTheIncident:
    def test_the_first_signature_begins_the_handling(self) -> None:
        world, (first, second) = sent("r1", "r2")
        assert world.step(first.id, "sign") == "assignment.signed incident.handling"
        it = world.board.incidents["it"]
        assert (it.state, it.signed_at) == ("handling", rfc3339(START))
        world.clock.advance(5)
        assert world.step(second.id, "sign") == "assignment.signed"
        assert world.board.incidents["it"].signed_at == it.signed_at

    def test_the_first_arrival_is_the_incidents(self) -> None:
        world, (first, second) = sent("r1", "r2")
        for job in (first, second):
            world.step(job.id, "sign")
            world.clock.advance(60)
            world.step(job.id, "on_scene")
        assert world.board.incidents["it"].arrived_at == "2026-11-22T03:01:00.000Z"

    def test_it_is_handled_when_the_last_unit_is_done(self) -> None:
        world, (first, second) = sent("r1", "r2")
        world.step(first.id, "sign")
        assert world.step(first.id, "finish", text="填好了") == "assignment.finished"
        assert world.board.assignments[first.id].feedback == "填好了"
        world.step(second.id, "sign")
        assert world.step(second.id, "finish") == "assignment.finished incident.handled"
        assert world.board.incidents["it"].handled_at == rfc3339(START)

    def test_one_done_and_the_other_refuses_is_done(self) -> None:
        world, (first, second) = sent("r1", "r2")
        world.step(first.id, "sign")
        world.step(first.id, "finish")
        world.step(second.id, "decline", text="来不及")
        assert world.board.incidents["it"].state == "handled"

    def test_one_refusal_beside_others_only_asks_for_attention(self) -> None:
        world, (first, _) = sent("r1", "r2")
        assert world.step(first.id, "decline", text="车坏了") == "assignment.declined incident.updated"
        it = world.board.incidents["it"]
        assert (it.state, it.attention, it.returns) == ("dispatched", "declined", 1)

    @pytest.mark.parametrize(
        ("step", "attention"), [("decline", "declined"), ("time_out", "unanswered"), ("recall", None)]
    )
    def test_without_any_unit_it_waits_for_a_dispatcher_again(self, step: str, attention: str | None) -> None:
        world, (job,) = sent("r1")
        assert world.step(job.id, step, text="x").endswith("incident.returned")
        it = world.board.incidents["it"]
        assert (it.state, it.attention, it.returns) == ("accepted", attention, int(attention is not None))
        assert world.events[-1].data["how"] == TABLE[step][1]

    def test_after_two_returns_a_person_must_rule(self) -> None:
        world, (first,) = sent("r1")
        world.step(first.id, "decline", text="车坏了")
        (second,) = world.dispatch("it", "r2", actor=SYSTEM)
        assert world.board.incidents["it"].attention == "declined"  # nobody has looked yet
        world.step(second.id, "time_out", SYSTEM)
        it = world.board.incidents["it"]
        assert (it.state, it.attention, it.returns) == ("accepted", "ruling", 2)
        world.dispatch("it", "r3")
        assert world.board.incidents["it"].attention is None

    def test_whoever_recalls_does_not_want_the_next_one_offered(self) -> None:
        world, (first,) = sent("r1")
        world.step(first.id, "decline", text="车坏了")
        (second,) = world.dispatch("it", "r2", actor=SYSTEM)
        world.step(second.id, "recall", DISPATCHER, text="先不派了")
        assert world.board.incidents["it"].attention is None

    def test_a_refused_rework_is_not_done(self) -> None:
        world, (first,) = sent("r1")
        world.step(first.id, "sign")
        world.step(first.id, "finish")
        world.move("it", "check_fail", OPERATOR, reason="坑没填")
        (second,) = world.dispatch("it", "r2")
        world.step(second.id, "decline", text="来不及")
        it = world.board.incidents["it"]
        assert (it.state, it.attention) == ("accepted", "declined")

    def test_a_step_while_suspended_leaves_it_suspended(self) -> None:
        world, (job,) = sent("r1")
        world.step(job.id, "sign")
        world.move("it", "suspend", reason="等配件", until="2026-12-01T00:00:00Z")
        world.step(job.id, "finish")
        assert world.board.incidents["it"].state == "suspended"
        world.move("it", "resume")
        assert world.move("it", "close", disposition="已处置").state == "closed"


class TestEnding:
    @pytest.mark.parametrize("command", ["close", "cancel"])
    def test_it_frees_every_unit_in_one_event(self, command: str) -> None:
        world, jobs = sent("r1", "r2", "r3")
        world.step(jobs[0].id, "sign")
        world.step(jobs[1].id, "sign")
        world.step(jobs[1].id, "finish")
        count = len(world.events)
        world.move("it", command, disposition="已处置", reason="误报")
        assert len(world.events) == count + 1
        assert [world.board.assignments[job.id].state for job in jobs] == ["released"] * 3
        assert all(unit.assignment_id is None for unit in world.board.responders.values())

    def test_closing_at_once_also_says_when_it_was_handled(self) -> None:
        world, (job,) = sent("r1")
        world.step(job.id, "sign")
        world.clock.advance(60)
        it = world.move("it", "close", disposition="已处置")
        assert it.handled_at == it.closed_at == "2026-11-22T03:01:00.000Z"
        assert (it.disposition, it.attention) == ("已处置", None)

    def test_a_check_keeps_the_moment_of_handling(self) -> None:
        world, (job,) = sent("r1")
        world.step(job.id, "sign")
        world.step(job.id, "finish")
        world.clock.advance(60)
        it = world.move("it", "check_pass", OPERATOR)
        assert (it.handled_at, it.closed_at) == (rfc3339(START), "2026-11-22T03:01:00.000Z")
        assert world.board.assignments[job.id].state == "released"
        assert world.board.assignments[job.id].finished_at == rfc3339(START)

    @pytest.mark.parametrize("command", ["check_pass", "close"])
    def test_whoever_handled_it_does_not_check_it(self, command: str) -> None:
        world, (job,) = sent("r1")
        world.step(job.id, "sign")
        world.step(job.id, "finish")
        with pytest.raises(Conflict):
            world.move("it", command, unit_actor("r1"), disposition="好了")
        assert world.move("it", command, unit_actor("r2"), disposition="好了").state == "closed"

    def test_a_unit_that_went_on_to_another_job_keeps_it(self) -> None:
        world, (job,) = sent("r1")
        world.step(job.id, "sign")
        world.step(job.id, "finish")
        world.report("second")
        (next_job,) = world.dispatch("second", "r1")
        world.move("it", "check_pass", OPERATOR)
        assert world.board.responders["r1"].assignment_id == next_job.id

    def test_a_stale_version_is_refused(self) -> None:
        world, _ = sent("r1")
        with pytest.raises(StaleVersion):
            world.take(
                lambda p, c: assignments.decide_ending(
                    p, "it", "cancel", {"reason": "误报"}, c, expected_version=1
                )
            )


class TestReassign:
    def reassign(self, world: World, job: str, to: str, actor: Actor = DISPATCHER) -> str:
        offers = [Offer(responder_id=to, assignment_id="a-new")]

        def decide(p: Any, c: Any) -> Any:
            def dispatch(after: Any) -> Any:
                return assignments.decide_dispatch(after, "it", offers, POLICY, ANSWER_S, c)

            return assignments.decide_reassign(p, job, dispatch, c)

        return " ".join(event.type for event in world.take(decide, actor))

    def test_one_unit_is_freed_and_another_sent_together(self) -> None:
        world, (job,) = sent("r1")
        world.step(job.id, "sign")
        assert self.reassign(world, job.id, "r2") == "assignment.reassigned incident.dispatched"
        assert world.board.assignments[job.id].state == "reassigned"
        assert world.board.responders["r1"].assignment_id is None
        assert world.board.responders["r2"].assignment_id == "a-new"
        assert world.board.incidents["it"].state == "handling"

    @pytest.mark.parametrize("to", ["r1", "r3"])
    def test_it_fails_whole(self, to: str) -> None:
        world, (job,) = sent("r1")
        world.report("second")
        world.dispatch("second", "r3")
        before = world.board.dump()
        with pytest.raises(AlreadyAssigned):
            self.reassign(world, job.id, to)
        assert world.board.dump() == before


class TestArrival:
    def propose(self, world: World, job: str) -> str:
        events = world.take(lambda p, c: assignments.decide_arrival_proposal(p, job, 30.0, c), SYSTEM)
        return " ".join(event.type for event in events)

    def refuse(self, world: World, job: str) -> str:
        events = world.take(lambda p, c: assignments.decide_arrival_refusal(p, job, c), unit_actor("r1"))
        return " ".join(event.type for event in events)

    def test_it_is_proposed_once_a_drive_and_holds_by_itself(self) -> None:
        world, job = job_in("en_route")
        assert self.propose(world, job) == "assignment.arrival_proposed"
        assert world.board.assignments[job].arrival_due_at == "2026-11-22T03:00:30.000Z"
        assert self.propose(world, job) == ""
        world.step(job, "on_scene", SYSTEM)
        assert world.board.assignments[job].arrival_due_at is None

    @pytest.mark.parametrize("state", [s for s in STATES if s not in ("signed", "en_route")])
    def test_only_a_unit_on_its_way_arrives(self, state: str) -> None:
        world, job = job_in(state)
        assert self.propose(world, job) == ""

    @pytest.mark.parametrize("state", ["signed", "en_route"])
    def test_not_there_yet_withdraws_the_proposal(self, state: str) -> None:
        world, job = job_in(state)
        self.propose(world, job)
        assert self.refuse(world, job) == "assignment.arrival_refused"
        after = world.board.assignments[job]
        assert (after.state, after.arrival_due_at, after.arrival_refused) == ("en_route", None, True)
        assert after.en_route_at is not None
        assert self.propose(world, job) == ""

    def test_not_there_yet_undoes_an_arrival_recorded_by_itself(self) -> None:
        world, job = job_in("en_route")
        self.propose(world, job)
        world.clock.advance(30)
        world.step(job, "on_scene", SYSTEM)
        assert world.board.incidents["it"].arrived_at is not None
        self.refuse(world, job)
        assert world.board.incidents["it"].arrived_at is None
        assert world.board.assignments[job].on_scene_at is None

    @pytest.mark.parametrize("state", STATES)
    def test_there_is_nothing_to_refuse_without_a_proposal(self, state: str) -> None:
        world, job = job_in(state)
        with pytest.raises(IllegalTransition):
            self.refuse(world, job)


def test_the_jobs_of_an_incident_come_in_the_order_of_dispatch() -> None:
    world, (first, second) = sent("r2", "r1")
    found = assignments.active_of(world.board, incident_of(world.board, "it"))
    assert [job.id for job in found] == [first.id, second.id]
