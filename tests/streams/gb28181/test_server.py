import asyncio
import random
import socket

import pytest
import structlog

from streams.errors import Unauthorized
from streams.gb28181 import manscdp, sip
from streams.gb28181.messages import GbDevice
from streams.gb28181.sockets import Peer
from streams.gb28181.transport import Endpoint, Hooks
from tests.streams.gb28181.centre import SERVER_ID, config, device_id, password, until


def reasons(centre):
    return [(state.online, state.reason) for state in centre.told.devices]


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_a_device_comes_and_goes(centre, transport):
    device = await centre.device(transport=transport)
    (state,) = centre.server.registry.states()
    assert (state.device_id, state.online, state.transport) == (device_id(), True, transport)
    assert state.address.startswith("127.0.0.1:")
    await device.register()
    await device.register(0)
    assert reasons(centre) == [(True, "registered"), (False, "unregistered")]
    assert len(centre.server.registry) == 0


async def test_sha256_is_offered_and_taken(centres):
    centre = await centres(digest=("SHA-256", "MD5"))
    await centre.device()
    assert len(centre.server.registry) == 1


async def test_a_wrong_password_is_told_once(centre):
    for _ in range(8):
        with pytest.raises(Unauthorized, match="403"):
            await centre.device(password="guess")
    assert reasons(centre) == [(False, "bad_password")]


@pytest.mark.parametrize("code", [403, 404])
async def test_an_unknown_device(centres, code):
    centre = await centres(unknown_device_code=code)
    with pytest.raises(Unauthorized, match=str(code)):
        await centre.device(7)
    assert reasons(centre) == [(False, "unknown_device")]


async def test_a_device_without_password_cannot_be_taken(centres):
    centre = await centres(devices=(GbDevice(device_id=device_id(), password=""),))
    with pytest.raises(Unauthorized, match="403"):
        await centre.device(password="")


async def test_hosts_outside_the_networks_are_not_heard(centres):
    centre = await centres(networks=("10.0.0.0/8",))
    device = await centre.device(start=False)
    task = asyncio.ensure_future(device.start())
    await until(lambda: centre.server.endpoint.counters.refused)
    task.cancel()
    assert not centre.told.devices


async def test_silence_means_offline(centres):
    centre = await centres(keepalive_s=0.1)
    device = await centre.device(keepalive_s=0)
    await until(lambda: reasons(centre)[-1] == (False, "keepalive"))
    await device.keepalive()
    assert reasons(centre)[-1] == (True, "registered")


async def test_keepalives_keep_it_online(centres):
    centre = await centres(keepalive_s=0.4)
    await centre.device(keepalive_s=0.2)
    await asyncio.sleep(2)
    assert reasons(centre) == [(True, "registered")]


async def test_a_registration_that_is_not_refreshed_expires(centres):
    centre = await centres(register_expires_s=1)
    await centre.device()
    await until(lambda: reasons(centre)[-1] == (False, "expired"))


async def test_a_message_from_nobody_is_refused(centre):
    device = await centre.device(start=False)
    await device._endpoint.listen("127.0.0.1", 0, tcp=False)
    body = manscdp.build("Notify", "Alarm", device_id())
    assert await device.tell("MESSAGE", body) == 403
    assert not centre.told.alarms


async def test_another_address_does_not_speak_for_a_device(centre):
    await centre.device()
    thief = await centre.device(start=False, host="127.0.0.2")
    await thief._endpoint.listen("127.0.0.2", 0, tcp=False)
    assert await thief.tell("MESSAGE", manscdp.build("Notify", "Alarm", device_id())) == 403
    assert not centre.told.alarms


async def test_a_changed_port_is_followed(centre):
    await centre.device()
    moved = await centre.device(start=False)
    await moved._endpoint.listen("127.0.0.1", 0, tcp=False)
    await moved.keepalive()
    present = centre.server.registry.get(device_id())
    assert present.peer.port == moved._endpoint.port
    await centre.server.caller.ask(device_id(), "DeviceInfo", device_id())


async def test_a_device_is_asked_who_it_is_and_what_it_has(centres):
    centre = await centres(query_on_register=True, subscribe=True)
    device = await centre.device()
    await until(lambda: len(centre.server.subscriptions) == 2)
    assert centre.told.devices[-1].manufacturer == "Simulated"
    (catalog,) = centre.told.catalogs
    assert catalog.complete
    assert [channel.name for channel in catalog.channels] == [c.name for c in device.channels.values()]


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_an_alarm_arrives_and_is_answered(centre, transport):
    device = await centre.device(transport=transport)
    channel = next(iter(device.channels))
    assert await device.alarm(channel, description="东门：越界", lon=117.2, lat=31.8) == 200
    (alarm,) = centre.told.alarms
    assert (alarm.device_id, alarm.channel_id, alarm.description) == (device_id(), channel, "东门：越界")
    assert (alarm.priority, alarm.method, alarm.kind, alarm.lon) == (1, 5, 2, 117.2)
    await until(lambda: "Alarm" in device.asked)


async def test_a_flood_of_alarms_is_held_back(centre):
    device = await centre.device()
    for _ in range(40):
        assert await device.alarm(device_id()) == 200
    assert 20 <= len(centre.told.alarms) < 35
    assert centre.server.figures()["gb_alarms_dropped_total"] > 0


async def test_other_methods_get_an_answer(centre):
    device = await centre.device()
    for method, status in (("OPTIONS", 200), ("INVITE", 488), ("BYE", 481), ("PUBLISH", 405), ("INFO", 481)):
        assert await device.tell(method, b"") == status
    assert await device.tell("MESSAGE", b"<Notify>") == 400
    assert await device.tell("MESSAGE", b"<!DOCTYPE x><Notify><CmdType>Alarm</CmdType></Notify>") == 400


async def test_settings_change_while_it_runs(centre):
    await centre.device()
    fresh = config(2, port=centre.server.config.port)
    assert centre.server.configure(fresh)
    await centre.device(2)
    assert centre.server.configure(config(0, port=centre.server.config.port))
    await until(lambda: len(centre.server.registry) == 0)
    assert reasons(centre)[-1] == (False, "removed")
    assert not centre.server.configure(config(realm="3402000001"))


async def test_a_changed_password_sends_the_device_away(centre):
    await centre.device()
    changed = config(devices=(GbDevice(device_id=device_id(), password="other"),))
    assert centre.server.configure(changed)
    await until(lambda: len(centre.server.registry) == 0)


async def test_registrations_outlive_a_restart(centres, tmp_path):
    first = await centres(folder=str(tmp_path))
    device = await first.device()
    port = first.server.port
    await first.server.stop()
    second = await centres(folder=str(tmp_path), port=port)
    assert reasons(second) == [(True, "restored")]
    await device.keepalive()
    assert device.asked.count("MESSAGE") == 0
    other = await centres(folder=str(tmp_path), devices=())
    assert not other.told.devices


async def test_a_spoilt_file_is_no_obstacle(centres, tmp_path):
    (tmp_path / "gb_devices.json").write_bytes(b"\xff{")
    (tmp_path / "gb_dialogs.json").write_text('[{"dialog_id": 1}]')
    centre = await centres(folder=str(tmp_path))
    await centre.device()


async def test_secrets_are_not_shown(centre):
    with structlog.testing.capture_logs() as logs:
        await centre.device()
        with pytest.raises(Unauthorized):
            await centre.device(password="mistyped")
    assert password() not in repr(centre.server.config)
    assert password() not in str(logs)
    assert "mistyped" not in str(logs)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_hostile_bytes_harm_nobody(centre, transport):
    device = await centre.device()
    seed_message = sip.build(
        device._compose(
            "MESSAGE",
            [("content-type", manscdp.CONTENT_TYPE)],
            body=manscdp.build("Notify", "Alarm", device_id(), manscdp.tags(("AlarmPriority", 1))),
        )
    )
    for seed in range(200):
        draw = random.Random(seed)
        data = bytearray(seed_message if seed % 4 else draw.randbytes(draw.randrange(9, 600)))
        for _ in range(draw.randrange(1, 12)):
            data[draw.randrange(len(data))] = draw.randrange(256)
        await _throw(bytes(data), centre.server.port, transport)
    before = len(centre.told.alarms)
    assert await device.alarm(device_id()) == 200
    assert len(centre.told.alarms) == before + 1
    counters = centre.server.endpoint.counters
    assert counters.malformed > 20


async def _throw(data, port, transport):
    if transport == "udp":
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.sendto(data, ("127.0.0.1", port))
        await asyncio.sleep(0)
    else:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(data)
        await asyncio.sleep(0.001)
        writer.close()


async def test_one_socket_may_speak_for_many(centres):
    """A gateway: devices behind one address and port."""
    centre = await centres(3)
    endpoint = Endpoint(Hooks(lambda request, peer: None))
    await endpoint.listen("127.0.0.1", 0, tcp=False)
    try:
        for number in (1, 2, 3):
            device = await centre.device(number, start=False)
            device._endpoint = endpoint
            await device.register()
        assert {state.address for state in centre.server.registry.states()} == {f"127.0.0.1:{endpoint.port}"}
    finally:
        await endpoint.close()


async def test_the_server_is_known_by_its_id(centre):
    request = sip.Request([], b"", "OPTIONS", f"sip:{SERVER_ID}@x")
    composed = centre.server.caller.compose("MESSAGE", device_id(), Peer("udp", "10.0.0.1", 5060))
    assert composed.from_user == SERVER_ID
    assert composed.uri == f"sip:{device_id()}@10.0.0.1:5060"
    assert request.from_user == ""
