"""What a client may ask of the farm, and what it gets."""

from __future__ import annotations

import asyncio
import itertools
import socket

import pytest

from streams.synthetic.farm import Farm, FarmCamera
from tests.streams.synthetic.asking import Client


async def until(condition: object, timeout_s: float = 10.0) -> None:
    assert callable(condition)
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110  the farm has no event for this
            await asyncio.sleep(0.01)


async def test_nobody_looks_without_the_password() -> None:
    async with Farm(1, light=1.0) as farm:
        client = await Client.connect(farm, "cam/1")
        assert (await client.ask("OPTIONS", prove=False)).status == 200
        refused = await client.ask("DESCRIBE", prove=False)
        assert refused.status == 401
        assert "Digest" in refused.headers["www-authenticate"]
        wrong = await Client.connect(farm, "cam/1", password="wrong")
        assert (await wrong.ask("DESCRIBE")).status == 401
        assert (await client.ask("DESCRIBE")).status == 200
        assert farm.studio.coded() == 0  # a description costs no picture
        await client.close()
        await wrong.close()


async def test_a_proof_for_another_connection_does_not_count() -> None:
    async with Farm(1, light=1.0) as farm:
        first, second = await Client.connect(farm, "cam/1"), await Client.connect(farm, "cam/1")
        assert (await first.ask("DESCRIBE")).status == 200
        second._challenge = dict(first._challenge)
        assert (await second._once("DESCRIBE", second.url, {}, prove=True)).status == 401
        await first.close()
        await second.close()


async def test_basic_only_where_it_is_offered() -> None:
    import base64

    for basic, status in ((False, 401), (True, 200)):
        async with Farm(1, basic=basic, password="open sesame", light=1.0) as farm:
            client = await Client.connect(farm, "cam/1")
            token = base64.b64encode(b"viewer:open sesame").decode()
            answer = await client.ask("DESCRIBE", prove=False, Authorization=f"Basic {token}")
            assert answer.status == status
            await client.close()


async def test_a_session_begins_with_a_key_frame_at_once() -> None:
    async with Farm(1, light=1.0) as farm:
        shot = farm.shot("cam/1")
        farm.studio.scene(shot.kind, shot.seed).prepare(0)
        first = await Client.connect(farm, "cam/1")
        played = await first.play()
        assert played.status == 200
        pictures = await first.pictures(1)
        assert pictures[0][0] & 31 == 7  # SPS
        assert "rtptime=" in played.headers["rtp-info"]
        await asyncio.sleep(1.3)  # the group is old enough for a newcomer to get a new one
        coded = farm.studio.coded()
        second = await Client.connect(farm, "cam/1")
        await second.play()
        assert (await second.pictures(1))[0][0] & 31 == 7
        assert farm.studio.running() == 1
        assert farm.studio.coded() - coded < 20
        await first.close()
        await second.close()


async def test_a_glance_at_an_idle_scene_costs_one_picture() -> None:
    async with Farm(5, light=1.0) as farm:
        before = farm.studio.coded()
        for number in range(1, 6):
            client = await Client.connect(farm, f"cam/{number}")
            await client.play()
            await client.pictures(1)
            assert (await client.ask("TEARDOWN")).status == 200
            await until(lambda: not farm.server.sessions)
            await client.close()
        assert farm.studio.running() == 0
        assert farm.studio.coded() - before <= 15


async def test_sequence_numbers_follow_each_other() -> None:
    async with Farm(1, light=1.0) as farm:
        client = await Client.connect(farm, "cam/1")
        await client.play()
        numbers = []
        while len(numbers) < 60:
            channel, packet = await client.rtp()
            if channel == 0:
                numbers.append(int.from_bytes(packet[2:4], "big"))
        assert all((b - a) & 0xFFFF == 1 for a, b in itertools.pairwise(numbers))
        # A picture fault takes another encoder; the client must not notice a seam.
        farm.set_fault("cam/1", "blurred")
        later = [int.from_bytes((await client.rtp())[1][2:4], "big") for _ in range(20)]
        whole = [numbers[-1], *later]
        assert all((b - a) & 0xFFFF == 1 for a, b in itertools.pairwise(whole))
        await client.close()


async def test_what_is_refused() -> None:
    cameras = [FarmCamera(path="cam/1"), FarmCamera(path="cam/udp", udp_only=True)]
    async with Farm(cameras, light=1.0) as farm:
        missing = await Client.connect(farm, "cam/9")
        assert (await missing.ask("DESCRIBE")).status == 404
        client = await Client.connect(farm, "cam/1")
        assert (await client.ask("PLAY")).status == 455
        assert (await client.ask("RECORD")).status == 501
        assert (await client.ask("SETUP", f"{client.url}/trackID=1", Transport="RTP/AVP/TCP")).status == 404
        assert (await client.ask("GET_PARAMETER")).status == 200
        udp = await Client.connect(farm, "cam/udp")
        assert (await udp.play()).status == 461
        for each in (missing, client, udp):
            await each.close()


async def test_udp_reaches_the_port_it_was_asked_for() -> None:
    async with Farm([FarmCamera(path="cam/udp", udp_only=True)], light=1.0) as farm:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear:
            ear.bind(("127.0.0.1", 0))
            ear.setblocking(False)
            port = ear.getsockname()[1]
            client = await Client.connect(farm, "cam/udp")
            answer = await client.play(transport=f"RTP/AVP;unicast;client_port={port}-{port + 1}")
            assert answer.status == 200
            packet = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(ear, 2048), 5)
            assert packet[12] & 31 == 7
            await client.close()
            await until(lambda: not farm.server.sessions)


async def test_a_recorder_serves_so_many_and_no_more() -> None:
    cameras = [FarmCamera(path=f"cam/{n}", recorder="nvr") for n in range(3)] + [FarmCamera(path="cam/own")]
    async with Farm(cameras, recorder_sessions=2, light=1.0) as farm:
        clients = [await Client.connect(farm, f"cam/{n}") for n in range(3)]
        assert [(await client.play()).status for client in clients] == [200, 200, 453]
        own = await Client.connect(farm, "cam/own")
        assert (await own.play()).status == 200
        await clients[0].close()
        await until(lambda: farm.sessions("cam/0") == 0)
        again = await Client.connect(farm, "cam/2")
        assert (await again.play()).status == 200
        for client in (*clients, own, again):
            await client.close()


async def test_a_silent_client_is_let_go() -> None:
    async with Farm(1, timeout_s=1.0, light=1.0) as farm:
        client = await Client.connect(farm, "cam/1")
        await client.play()
        with pytest.raises(asyncio.IncompleteReadError):
            await asyncio.wait_for(client.pictures(1000), 10)
        await client.close()


async def test_rubbish_ends_the_connection() -> None:
    async with Farm(1) as farm:
        reader, writer = await asyncio.open_connection(farm.host, farm.port)
        writer.write(b"X" * 20_000)
        assert await reader.read() == b""
        writer.close()
        reader, writer = await asyncio.open_connection(farm.host, farm.port)
        writer.write(b"NONSENSE\r\n\r\n")
        assert b"400" in await reader.readuntil(b"\r\n")
        writer.close()
        await until(lambda: not farm.server.sessions)


@pytest.mark.slow
async def test_fifty_visits_leave_nothing_behind() -> None:
    async with Farm(10, light=1.0) as farm:
        for number in range(50):
            client = await Client.connect(farm, f"cam/{number % 10 + 1}")
            await client.play()
            await client.pictures(1)
            if number % 2:
                await client.ask("TEARDOWN")
            await client.close()
        await until(lambda: not farm.server.sessions and not farm.studio.running())
        assert farm.sessions() == 0
        assert farm.server.served == 50


async def test_two_hundred_sessions_get_the_same_pictures() -> None:
    async with Farm(200, light=1.0) as farm:
        clients = [await Client.connect(farm, f"cam/{n + 1}") for n in range(200)]
        for client in clients:
            await client.play()
        for client in clients[::20]:
            assert len(await client.pictures(4)) == 4
        assert farm.sessions() == 200
        assert farm.studio.running() == 1
        for client in clients:
            await client.close()
