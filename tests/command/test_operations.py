"""Requests turned into commands: located, timed, numbered, and all or none."""

from __future__ import annotations

import asyncio
import json

import pytest

from command.desk import Key
from command.errors import AlreadyAssigned, IllegalTransition, Malformed, NotFound
from command.events import SYSTEM
from tests.command.office import Office
from tests.command.world import COLLEAGUE, DISPATCHER, OPERATOR, SUPERVISOR, unit_actor
from tests.fixtures import G1, G3, G5, G8, middle


async def test_a_report_is_located_to_grid_beat_owner_and_road(office: Office) -> None:
    incident = await office.report(G5)
    assert (incident.grid, incident.village, incident.township) == (G5, G5[:12], "340604010")
    assert (incident.beat, incident.owner) == ("B-2", "w3")
    assert incident.address is not None
    assert "十里铺村" in incident.address
    assert incident.code == "QS-1122-0001"
    assert (await office.report()).code == "QS-1122-0002"


async def test_a_report_from_outside_the_county_has_no_grid(office: Office) -> None:
    incident = await office.report(lon=100.0, lat=30.0, address=" 高速 K12 ")
    assert incident.grid is incident.beat is incident.owner is None
    assert incident.address == "高速 K12"


async def test_the_real_contact_is_kept_apart_from_the_log(office: Office) -> None:
    incident = await office.report(contact=" 13812340472 ")
    assert incident.reporter_contact == "138****0472"
    kept = office.log.contacts[incident.id]
    assert (kept.contact, kept.purge_at) == ("13812340472", "2026-12-22T03:00:00.000Z")
    assert "13812340472" not in str(office.log.events)
    with pytest.raises(Malformed):
        await office.report(contact="1" * 65)
    await office.report(contact="  ")
    assert set(office.log.contacts) == {incident.id}


async def test_a_refused_report_keeps_no_contact(office: Office) -> None:
    with pytest.raises(Malformed):
        await office.report(contact="13812340472", category="petition")
    assert office.log.contacts == {}


async def test_a_dispatch_promises_a_time_where_there_is_a_fix(office: Office) -> None:
    incident = await office.report(G8)
    office.fixes.by_unit.pop(office.board.responders["w2"].unit)
    first, second = await office.dispatch(incident, "w1", "w2")
    by_road = office.board.assignments[first]
    assert by_road.eta_method == "road"
    assert by_road.eta_at_dispatch_s is not None
    assert office.board.assignments[second].eta_at_dispatch_s is None


async def test_of_fifty_desks_at_once_one_wins_and_the_others_hear_who(office: Office) -> None:
    cases = [await office.report(lon=116.80 + n * 0.0001, lat=33.905) for n in range(50)]
    actors = [DISPATCHER if n % 2 else COLLEAGUE for n in range(50)]
    results = await asyncio.gather(
        *(office.do.dispatch(a, i.id, ["w1"]) for a, i in zip(actors, cases, strict=True)),
        return_exceptions=True,
    )
    won = [n for n, result in enumerate(results) if not isinstance(result, BaseException)]
    assert len(won) == 1
    lost = [result for result in results if isinstance(result, AlreadyAssigned)]
    assert len(lost) == 49
    assert {error.winner["incident_id"] for error in lost} == {cases[won[0]].id}
    assert {error.winner["by_name"] for error in lost} == {actors[won[0]].name}
    dispatched = [i for i in office.board.incidents.values() if i.assignments]
    assert [i.id for i in dispatched] == [cases[won[0]].id]


async def test_a_replayed_dispatch_sends_nobody_twice(office: Office) -> None:
    incident = await office.report()
    key = Key("k", "f")
    first = await office.do.dispatch(DISPATCHER, incident.id, ["w1"], key=key)
    again = await office.do.dispatch(DISPATCHER, incident.id, ["w1"], key=key)
    assert again.replayed
    assert json.dumps(again.answer) == json.dumps(first.answer)
    assert len(office.board.assignments) == 1


async def test_the_nearest_by_road_in_order_with_reasons_and_routes(office: Office) -> None:
    incident = await office.report(G3)
    found = await office.proposals.nearest(0, 0, incident=incident, limit=3)
    first, second, third = found.ranking.candidates
    assert first.responder.id == "p1"
    assert first.reasons[0] == "own_beat"
    assert first.travel.eta_s is not None
    assert second.travel.eta_s is not None
    assert third.travel.eta_s is not None
    assert round(first.rank_s) <= round(second.rank_s) <= round(third.rank_s)
    assert len(found.routes) == 3
    assert all(route is not None for route in found.routes)
    same = await office.proposals.nearest(*middle(G3), limit=3)
    assert [c.responder.id for c in same.ranking.candidates] == [
        "p1",
        second.responder.id,
        third.responder.id,
    ]


async def test_the_nearest_leaves_out_by_kind_skill_and_sight(office: Office) -> None:
    where = middle(G1)
    police = await office.proposals.nearest(*where, kinds=frozenset({"police"}))
    assert [c.responder.id for c in police.ranking.candidates] == ["p1", "p2"]
    pump = await office.proposals.nearest(*where, skills=frozenset({"pump"}))
    assert [c.responder.id for c in pump.ranking.candidates] == ["e1"]
    assert pump.ranking.excluded == {"skill": 5}
    mine = await office.proposals.nearest(*where, among=lambda person: person.id == "w3", routes=0)
    assert [c.responder.id for c in mine.ranking.candidates] == ["w3"]
    assert mine.routes == (None,)


async def test_the_next_offer_keeps_the_kind_and_skips_whoever_was_asked(office: Office) -> None:
    incident = await office.report()
    (job,) = await office.dispatch(incident, "p1")
    await office.say(job, "decline", text="车坏了")
    outcome = await office.do.offer_next(incident.id)
    assert outcome is not None
    assert office.board.responders["p2"].busy
    await office.say(office.board.responders["p2"].assignment_id or "", "decline", text="远")
    assert await office.do.offer_next(incident.id) is None


async def test_reassigning_is_one_commit(office: Office) -> None:
    incident = await office.report()
    (job,) = await office.dispatch(incident, "w1")
    outcome = await office.do.reassign(DISPATCHER, job, "w2", Key())
    assert outcome.answer["responder_id"] == "w2"
    assert outcome.answer["eta_method"] == "road"
    assert office.board.assignments[job].state == "reassigned"
    with pytest.raises(IllegalTransition):
        await office.do.reassign(DISPATCHER, job, "w3", Key())
    with pytest.raises(NotFound):
        await office.do.reassign(DISPATCHER, "a-none", "w3", Key())


async def test_attention_is_said_once_and_only_of_open_cases(office: Office) -> None:
    incident = await office.report()
    await office.do.mark_attention(incident.id, "no_candidate")
    seq = office.board.seq
    await office.do.mark_attention(incident.id, "no_candidate")
    await office.do.move(SUPERVISOR, incident.id, "cancel", {"reason": "误报"})
    await office.do.mark_attention(incident.id, "unanswered")
    assert office.board.seq == seq + 1


async def test_one_grid_has_one_owner_a_worker_before_a_chief(office: Office) -> None:
    from tests.command.world import person

    chief = person("r50", kind="grid_chief", grids=(G1, G3), on_duty=False)
    other = person("r51", kind="grid_worker", grids=(G1,), on_duty=False)
    await office.do.people.register(SYSTEM, [chief, other])
    owners = office.proposals.owners()
    assert owners[G1] == "r51"  # the smaller id of two workers
    assert owners[G3] == "r50"
    assert owners[G5] == "w3"
    assert G3 not in office.proposals.staffed()


async def test_messages_and_receipts(office: Office) -> None:
    outcome = await office.do.people.send(DISPATCHER, ["w1", "w2"], "集合", None)
    key = outcome.answer["id"]
    await office.do.people.receipt(unit_actor("w1"), key, read=True)
    receipts = office.board.messages[key].receipts
    assert receipts["w1"].read_at is not None
    assert receipts["w2"].delivered_at is None


async def test_registering_tells_how_many_or_the_one(office: Office) -> None:
    from tests.fixtures import CAMERAS

    many = await office.do.cameras.register(OPERATOR, CAMERAS)
    assert many.answer["registered"] == 3
    one = await office.do.cameras.register(OPERATOR, CAMERAS[:1])
    assert one.answer["id"] == "c1"
