import pytest

from command.errors import Forbidden, Malformed, NotFound
from command.events import Actor
from command.messages import BODY_LIMIT, decide_receipt, decide_send
from tests.command.world import DISPATCHER, World, unit_actor


def receipt(world: World, actor: Actor, *, read: bool, key: str = "m1") -> list[str]:
    events = world.take(lambda p, c: decide_receipt(p, key, c, read=read), actor)
    return [event.type for event in events]


def test_each_recipient_gets_one_receipt_however_often_named() -> None:
    world = World()
    world.send("r1", "r2", "r1")
    message = world.board.messages["m1"]
    assert message.to == ("r1", "r2")
    assert set(message.receipts) == {"r1", "r2"}
    assert (message.from_user, message.from_responder) == (DISPATCHER.id, None)


def test_delivered_then_read_each_said_once() -> None:
    world = World()
    world.send("r1", "r2")
    assert receipt(world, unit_actor("r1"), read=False) == ["message.delivered"]
    assert receipt(world, unit_actor("r1"), read=False) == []
    world.clock.advance(5)
    assert receipt(world, unit_actor("r1"), read=True) == ["message.read"]
    assert receipt(world, unit_actor("r1"), read=True) == []
    assert receipt(world, unit_actor("r1"), read=False) == []
    mine = world.board.messages["m1"].receipts["r1"]
    assert (mine.delivered_at, mine.read_at) == ("2026-11-22T03:00:00.000Z", "2026-11-22T03:00:05.000Z")
    assert world.board.messages["m1"].receipts["r2"].delivered_at is None


def test_reading_implies_delivery() -> None:
    world = World()
    world.send("r1")
    receipt(world, unit_actor("r1"), read=True)
    mine = world.board.messages["m1"].receipts["r1"]
    assert mine.delivered_at == mine.read_at == "2026-11-22T03:00:00.000Z"


@pytest.mark.parametrize("who", [DISPATCHER, unit_actor("r2")])
def test_only_a_recipient_acknowledges(who: Actor) -> None:
    world = World()
    world.send("r1")
    with pytest.raises(Forbidden):
        receipt(world, who, read=True)
    with pytest.raises(NotFound):
        receipt(world, unit_actor("r1"), read=True, key="m9")


def test_a_unit_writes_to_the_centre() -> None:
    world = World()
    world.report("it")
    world.take(
        lambda p, c: decide_send(p, "m2", (), " 到了 ", c, incident_id="it"),
        unit_actor("r1"),
    )
    message = world.board.messages["m2"]
    assert (message.to, message.from_responder, message.body) == ((), "r1", "到了")
    assert message.incident_id == "it"


def test_a_desk_must_name_somebody() -> None:
    with pytest.raises(Malformed) as refused:
        World().send()
    assert refused.value.field == "to"


@pytest.mark.parametrize("body", ["", "  ", "长" * (BODY_LIMIT + 1)])
def test_an_empty_or_endless_message(body: str) -> None:
    with pytest.raises(Malformed) as refused:
        World().send("r1", body=body)
    assert refused.value.field == "body"


def test_too_many_recipients_and_unknown_ones() -> None:
    with pytest.raises(Malformed):
        World().send(*(f"r{n}" for n in range(2_001)))
    with pytest.raises(NotFound):
        World().send("r1", "r9")
    with pytest.raises(NotFound):
        World().take(lambda p, c: decide_send(p, "m1", ("r1",), "x", c, incident_id="none"))
