import pytest

from streams.gb28181.simulated_media import Faults
from streams.gb28181.subscriptions import Subscriptions
from tests.streams.gb28181.centre import device_id, until


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def subscriptions(centre, clock):
    centre.server.subscriptions = Subscriptions(centre.server.caller, clock=clock)
    return centre.server.subscriptions


async def test_both_are_taken_and_refreshed_in_their_dialog(centre, subscriptions, clock):
    device = await centre.device()
    await subscriptions.begin(device_id())
    assert len(subscriptions) == 2
    first = device._subscriptions["Catalog"]
    assert first.get("event").startswith("Catalog;id=")
    assert not subscriptions.due()
    clock.now = 3000
    assert sorted(subscriptions.due()) == [(device_id(), "Alarm"), (device_id(), "Catalog")]
    await subscriptions.refresh(device_id(), "Catalog")
    again = device._subscriptions["Catalog"]
    assert again.call_id == first.call_id
    assert again.to_tag
    assert again.cseq[0] > first.cseq[0]
    assert subscriptions.due() == [(device_id(), "Alarm")]


async def test_a_refused_refresh_becomes_a_new_subscription(centre, subscriptions, clock):
    device = await centre.device()
    await subscriptions.begin(device_id())
    first = device._subscriptions["Catalog"]
    usual = device._message

    def refuse_known(request, peer):
        if request.to_tag:
            device.faults.refuse_subscribe = True
        usual(request, peer)
        device.faults.refuse_subscribe = False

    device._message = refuse_known
    clock.now = 3000
    await subscriptions.refresh(device_id(), "Catalog")
    assert subscriptions.accepted(device_id(), "Catalog")
    assert device._subscriptions["Catalog"].call_id != first.call_id


async def test_a_device_without_subscriptions_is_asked_rarely(centre, subscriptions, clock):
    await centre.device(faults=Faults(refuse_subscribe=True))
    await subscriptions.begin(device_id())
    assert len(subscriptions) == 0
    clock.now = 1000
    assert not subscriptions.due()
    clock.now = 2000
    assert len(subscriptions.due()) == 2


async def test_one_that_the_device_ends_is_begun_anew(centre, subscriptions):
    device = await centre.device()
    await subscriptions.begin(device_id())
    call_id = device._subscriptions["Alarm"].call_id
    extra = [("event", "presence"), ("subscription-state", "terminated;reason=timeout")]
    assert await device.tell("NOTIFY", b"", extra, call_id=call_id) == 200
    assert (device_id(), "Alarm") in subscriptions.due()


async def test_what_is_gone_is_forgotten(centres):
    centre = await centres(subscribe=True)
    device = await centre.device()
    await until(lambda: len(centre.server.subscriptions) == 2)
    await device.register(0)
    assert len(centre.server.subscriptions) == 0
    assert not centre.server.subscriptions.due()
