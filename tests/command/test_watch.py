"""What happens without anybody asking: next offers, arrivals, arrival times, trimming, checkpoints."""

from __future__ import annotations

import pytest

from command.board import Board
from command.errors import StorageFull
from command.events import SYSTEM
from command.watch import CHECKPOINT_EVENTS, TRIM_EVERY_S
from tests.command.office import Office
from tests.command.world import DISPATCHER, SUPERVISOR
from tests.fixtures import G1, G8, middle


async def test_a_silent_unit_is_released_and_the_next_nearest_of_its_kind_is_sent(office: Office) -> None:
    incident = await office.report()
    await office.dispatch(incident, "w1")
    assert await office.look(29) == []
    assert await office.look(1) == ["assignment.timed_out", "incident.returned", "incident.dispatched"]
    held = office.board.incidents[incident.id]
    assert (held.state, held.attention, held.returns) == ("dispatched", "unanswered", 1)
    next_job = office.board.assignments[held.assignments[-1]]
    assert (next_job.responder_id, next_job.by) == ("w2", "system")
    assert next_job.eta_at_dispatch_s is not None


async def test_a_refusal_is_answered_by_the_next_nearest(office: Office) -> None:
    incident = await office.report()
    (job,) = await office.dispatch(incident, "p1")
    await office.say(job, "decline", text="车坏了")
    assert await office.look() == ["incident.dispatched"]
    assert office.board.responders["p2"].busy


async def test_after_two_returns_it_waits_for_a_person(office: Office) -> None:
    incident = await office.report()
    await office.dispatch(incident, "w1")
    await office.look(31)
    assert (await office.look(31))[-1] == "incident.returned"
    held = office.board.incidents[incident.id]
    assert (held.state, held.attention, held.returns) == ("accepted", "ruling", 2)
    assert await office.look(31) == []


async def test_with_nobody_left_the_card_turns_amber_once(office: Office) -> None:
    for key in ("w2", "w3"):
        await office.do.people.shift(SYSTEM, key, on_duty=False)
    incident = await office.report()
    await office.dispatch(incident, "w1")
    assert (await office.look(31))[-1] == "incident.updated"
    assert office.board.incidents[incident.id].attention == "no_candidate"
    assert await office.look(31) == []


async def test_a_recalled_unit_is_not_replaced_by_itself(office: Office) -> None:
    incident = await office.report()
    (job,) = await office.dispatch(incident, "w1")
    await office.say(job, "decline", text="车坏了")
    await office.look()
    job = office.board.incidents[incident.id].assignments[-1]
    await office.do.step(DISPATCHER, job, "recall", "先不派")
    assert await office.look(31) == []
    assert office.board.incidents[incident.id].state == "accepted"


async def test_an_answer_in_time_keeps_the_unit(office: Office) -> None:
    incident = await office.report(G8)
    (job,) = await office.dispatch(incident, "w1")
    await office.say(job, "deliver", "sign")
    assert await office.look(300) == []


async def test_all_silent_units_of_a_round_are_released(office: Office) -> None:
    incident = await office.report()
    await office.dispatch(incident, "w1", "p1")
    types = await office.look(31)
    assert types.count("assignment.timed_out") == 2
    assert office.board.incidents[incident.id].attention == "ruling"


class TestArrival:
    async def on_the_way(self, office: Office) -> tuple[str, str]:
        incident = await office.report(G8)
        (job,) = await office.dispatch(incident, "w1")
        await office.say(job, "sign", "en_route")
        assert await office.look() == []
        return incident.id, job

    async def test_within_the_radius_it_is_proposed_and_holds_by_itself(self, office: Office) -> None:
        incident, job = await self.on_the_way(office)
        lon, lat = middle(G8)
        office.place("w1", lon + 0.0012, lat)
        assert await office.look() == []  # 111 m
        office.place("w1", lon + 0.0009, lat)
        assert await office.look() == ["assignment.arrival_proposed"]
        assert await office.look(29) == []
        assert await office.look(1) == ["assignment.on_scene"]
        assert office.board.assignments[job].state == "on_scene"
        assert office.board.incidents[incident].arrived_at is not None
        assert await office.look(60) == []

    async def test_not_there_yet_means_not_by_itself(self, office: Office) -> None:
        incident, job = await self.on_the_way(office)
        office.place("w1", *middle(G8))
        await office.look()
        await office.say(job, "not_on_scene")
        assert await office.look(60) == []
        await office.say(job, "on_scene")
        assert office.board.incidents[incident].arrived_at is not None

    @pytest.mark.parametrize("doubt", [{"suspect": True}, {"age_s": 31.0}])
    async def test_a_doubtful_fix_proposes_nothing(self, office: Office, doubt: dict[str, float]) -> None:
        await self.on_the_way(office)
        office.place("w1", *middle(G8), **doubt)
        assert await office.look() == []

    async def test_a_unit_without_a_fix_proposes_nothing(self, office: Office) -> None:
        await self.on_the_way(office)
        office.fixes.by_unit.clear()
        assert await office.look() == []


class TestArrivalTimes:
    async def test_they_follow_every_report_and_no_report_twice(self, office: Office) -> None:
        incident = await office.report(G8)
        (job,) = await office.dispatch(incident, "w1")
        await office.look()
        assert [eta.assignment_id for eta in office.etas] == [job]
        first = office.etas[0]
        assert first.eta_method == "road"
        assert first.eta_s is not None
        assert first.eta_s > 60
        assert office.board.assignments[job].eta_at_dispatch_s == pytest.approx(first.eta_s, abs=0.1)
        await office.look(1)
        assert len(office.etas) == 1
        office.place("w1", *middle(G1)[:1], middle(G8)[1])
        await office.look(1)
        assert len(office.etas) == 2

    async def test_they_end_with_the_arrival(self, office: Office) -> None:
        incident = await office.report(G8)
        (job,) = await office.dispatch(incident, "w1")
        await office.say(job, "sign", "on_scene")
        office.etas.clear()
        office.place("w1", *middle(G8))
        await office.look()
        assert office.etas == []

    async def test_none_ever_reaches_the_log(self, office: Office) -> None:
        incident = await office.report(G8)
        await office.dispatch(incident, "w1")
        seq = office.board.seq
        office.place("w1", *middle(G8))
        await office.watch.etas()
        assert office.board.seq == seq


class TestUpkeep:
    async def test_what_is_long_over_leaves_the_board_and_nothing_else(self, office: Office) -> None:
        over = await office.report()
        (job,) = await office.dispatch(over, "w1")
        await office.do.move(SUPERVISOR, over.id, "cancel", {"reason": "误报"})
        alive = await office.report(G8)
        await office.do.people.send(DISPATCHER, ["w1"], "在吗", None)
        await office.look()
        assert await office.look(23 * 3600) == []
        fresh = await office.report(G8)
        await office.do.move(SUPERVISOR, fresh.id, "cancel", {"reason": "误报"})
        assert await office.look(3700) == ["board.trimmed"]
        assert set(office.board.incidents) == {alive.id, fresh.id}
        assert job not in office.board.assignments
        assert office.board.messages == {}
        assert len(office.board.responders) == 6

    async def test_a_case_that_is_reopened_meanwhile_stays(self, office: Office) -> None:
        import asyncio

        incident = await office.report()
        (job,) = await office.dispatch(incident, "w1")
        await office.say(job, "sign", "finish")
        await office.do.move(SUPERVISOR, incident.id, "check_pass", {})
        office.clock.advance(25 * 3600)
        # Both wait in the same inbox: the reopening came first.
        reopening = office.do.move(SUPERVISOR, incident.id, "reopen", {"reason": "又塌了"})
        await asyncio.gather(reopening, office.watch.round())
        assert office.board.incidents[incident.id].state == "handling"

    async def test_contacts_are_purged_now_and_then(self, office: Office) -> None:
        await office.look()
        await office.look(TRIM_EVERY_S - 1)
        assert len(office.purged) == 1
        await office.look(1)
        assert len(office.purged) == 2

    async def test_a_checkpoint_is_taken_after_many_events(self, office: Office) -> None:
        await office.look()
        assert office.log.stored is None
        office.watch._checkpoint_seq = office.board.seq - CHECKPOINT_EVENTS
        await office.look()
        assert office.log.stored is not None
        seq, stored = office.log.stored
        assert seq == office.board.seq
        assert Board.load(stored).dump() == office.board.dump()
        office.log.stored = None
        await office.look()
        assert office.log.stored is None


async def test_one_failing_part_does_not_stop_the_others(office: Office) -> None:
    incident = await office.report(G8)
    await office.dispatch(incident, "w1")
    office.log.failure = StorageFull()
    office.clock.advance(31)
    await office.watch.round()
    assert office.etas, "arrival times need no disk"
    office.log.failure = None
    assert "assignment.timed_out" in await office.look()


async def test_a_wall_clock_that_jumps_does_not_trim_twice(office: Office) -> None:
    await office.look()
    office.clock.set_wall(office.clock.now().replace(year=2027))
    assert len(office.purged) == 1
    await office.look(TRIM_EVERY_S - 1)
    assert len(office.purged) == 1
