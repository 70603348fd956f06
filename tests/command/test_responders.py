import msgspec
import pytest

from command.errors import IllegalTransition, Malformed, NotFound
from command.events import SYSTEM
from command.responders import Responder, decide_register, responder_of
from tests.command.world import World, person


def register(world: World, *people: Responder) -> list[str]:
    events = world.take(lambda picture, context: decide_register(picture, list(people), context), SYSTEM)
    return [event.type for event in events]


def test_registering_again_updates_the_facts_and_keeps_shift_job_and_number() -> None:
    world = World()
    world.report("it")
    (job,) = world.dispatch("it", "r1")
    again = person("r1", phone="13900000001", on_duty=False, shift_since=None)
    assert register(world, msgspec.structs.replace(again, unit=77)) == ["responder.updated"]
    found = world.board.responders["r1"]
    assert (found.phone, found.unit, found.on_duty, found.assignment_id) == ("13900000001", 1, True, job.id)
    assert found.version == 3


def test_registering_the_same_facts_says_nothing() -> None:
    world = World()
    assert register(world, person("r1"), person("r2")) == []
    assert register(world, person("r1"), person("r4")) == ["responder.registered"]


def test_a_shift_begins_and_ends_and_saying_it_twice_changes_nothing() -> None:
    world = World()
    (event,) = world.shift("r1", on_duty=False)
    assert event.type == "responder.shift_ended"
    off = world.board.responders["r1"]
    assert (off.on_duty, off.shift_since, off.shift_until) == (False, None, None)
    assert world.shift("r1", on_duty=False) == []
    world.clock.advance(60)
    (event,) = world.shift("r1", on_duty=True, until="2026-11-22T20:00:00+08:00")
    on = world.board.responders["r1"]
    assert (on.shift_since, on.shift_until) == ("2026-11-22T03:01:00.000Z", "2026-11-22T12:00:00.000Z")
    assert world.shift("r1", on_duty=True) == []


def test_nobody_goes_home_from_a_job() -> None:
    world = World()
    world.report("it")
    (job,) = world.dispatch("it", "r1")
    with pytest.raises(IllegalTransition):
        world.shift("r1", on_duty=False)
    world.step(job.id, "decline", text="下班了")
    world.shift("r1", on_duty=False)
    assert not world.board.responders["r1"].on_duty


def test_the_end_of_a_shift_is_a_moment() -> None:
    world = World()
    world.shift("r1", on_duty=False)
    with pytest.raises(Malformed) as refused:
        world.shift("r1", on_duty=True, until="evening")
    assert refused.value.field == "until"


def test_an_unknown_responder() -> None:
    with pytest.raises(NotFound):
        responder_of(World().board, "r9")


def test_busy_means_a_job() -> None:
    world = World()
    world.report("it")
    assert not world.board.responders["r1"].busy
    world.dispatch("it", "r1")
    assert world.board.responders["r1"].busy
