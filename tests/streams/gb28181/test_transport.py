import asyncio

import pytest

from streams.errors import Unreachable
from streams.gb28181 import sip
from streams.gb28181.sip import Request
from streams.gb28181.sockets import Peer
from streams.gb28181.transport import Endpoint, Hooks
from tests.streams.gb28181.centre import until


class Side:
    """An endpoint that remembers what it was asked and answers as told."""

    def __init__(self, answers=(200,), t1_s=0.05):
        self.asked = []
        self.strays = []
        self.answers = list(answers)
        self.drop = 0
        self.endpoint = Endpoint(Hooks(self._take, stray=lambda r, p: self.strays.append(r)), t1_s=t1_s)

    def _take(self, request, peer):
        self.asked.append(request)
        if request.method != "ACK":
            for status in self.answers:
                self.endpoint.reply(request, peer, sip.answer(request, status))


@pytest.fixture
async def sides():
    made = []

    async def make(tcp=True, **options):
        side = Side(**options)
        await side.endpoint.listen("127.0.0.1", 0, tcp=tcp)
        made.append(side)
        return side

    yield make
    for side in made:
        await side.endpoint.close()


def request(method="MESSAGE", transport="UDP", body=b""):
    headers = [
        ("via", f"SIP/2.0/{transport} 127.0.0.1:1;rport;branch={sip.new_branch()}"),
        ("from", "<sip:34020000001320000001@3402000000>;tag=a"),
        ("to", "<sip:34020000002000000001@3402000000>"),
        ("call-id", sip.new_tag()),
        ("cseq", f"1 {method}"),
    ]
    return Request(headers, body, method, "sip:a@b")


def udp(side):
    return Peer("udp", "127.0.0.1", side.endpoint.port)


async def test_a_request_is_answered_on_either_transport_of_one_port(sides):
    server, client = await sides(), await sides(tcp=False)
    assert (await client.endpoint.request(request(), udp(server), 5)).status == 200
    peer = await client.endpoint.connect("127.0.0.1", server.endpoint.port)
    large = request(transport="TCP", body=b"x" * 100_000)
    assert (await client.endpoint.request(large, peer, 5)).status == 200
    assert server.asked[1].body == large.body


async def test_a_request_is_repeated_until_it_is_answered(sides):
    server, client = await sides(answers=()), await sides(tcp=False)
    task = asyncio.ensure_future(client.endpoint.request(request(), udp(server), 20))
    await until(lambda: server.endpoint.counters.repeated >= 3)
    assert len(server.asked) == 1  # the handler saw it once
    server.endpoint.reply(
        server.asked[0], Peer("udp", "127.0.0.1", client.endpoint.port), sip.answer(server.asked[0], 200)
    )
    assert (await task).status == 200


async def test_a_repeated_request_gets_the_same_answer_again(sides):
    server, client = await sides(), await sides(tcp=False)
    asked = request()
    first = await client.endpoint.request(asked, udp(server), 5)
    second = await client.endpoint.request(asked, udp(server), 5)
    assert first.to_tag == second.to_tag
    assert len(server.asked) == 1


async def test_an_invite_waits_once_something_came(sides):
    server, client = await sides(answers=(100,)), await sides(tcp=False)
    with pytest.raises(Unreachable, match="no answer to INVITE"):
        await client.endpoint.request(request("INVITE"), udp(server), 0.6)
    assert server.endpoint.counters.repeated <= 1


async def test_a_refused_invite_is_acknowledged(sides):
    server, client = await sides(answers=(100, 486)), await sides(tcp=False)
    asked = request("INVITE")
    assert (await client.endpoint.request(asked, udp(server), 5)).status == 486
    await until(lambda: len(server.asked) == 2)
    assert (server.asked[1].method, server.asked[1].branch) == ("ACK", asked.branch)


async def test_a_late_answer_to_an_invite_is_not_lost(sides):
    server, client = await sides(answers=()), await sides(tcp=False)
    with pytest.raises(Unreachable):
        await client.endpoint.request(request("INVITE"), udp(server), 0.1)
    back = Peer("udp", "127.0.0.1", client.endpoint.port)
    server.endpoint.reply(server.asked[0], back, sip.answer(server.asked[0], 200))
    await until(lambda: client.strays)


async def test_an_answer_from_elsewhere_is_not_believed(sides):
    server, client = await sides(answers=()), await sides(tcp=False)
    thief = Side()
    await thief.endpoint.listen("127.0.0.3", 0, tcp=False)
    task = asyncio.ensure_future(client.endpoint.request(request(), udp(server), 0.5))
    await until(lambda: server.asked)
    back = Peer("udp", "127.0.0.1", client.endpoint.port)
    thief.endpoint.send_bytes(sip.build(sip.answer(server.asked[0], 200)), back)
    with pytest.raises(Unreachable):
        await task
    await thief.endpoint.close()


async def test_a_lost_connection_fails_what_was_asked_over_it(sides):
    server, client = await sides(answers=()), await sides(tcp=False)
    peer = await client.endpoint.connect("127.0.0.1", server.endpoint.port)
    task = asyncio.ensure_future(client.endpoint.request(request(), peer, 30))
    await until(lambda: server.asked)
    await server.endpoint.close()
    with pytest.raises(Unreachable, match="closed the connection"):
        await task
    with pytest.raises(Unreachable, match="no connection"):
        await client.endpoint.request(request(), peer, 1)


async def test_keep_alives_over_tcp_are_answered(sides):
    server = await sides()
    reader, writer = await asyncio.open_connection("127.0.0.1", server.endpoint.port)
    writer.write(b"\r\n\r\n")
    assert await asyncio.wait_for(reader.readexactly(2), 5) == b"\r\n"
    writer.write(b"nonsense" * 4000)
    assert await asyncio.wait_for(reader.read(), 5) == b""
    writer.close()


async def test_a_handler_that_fails_answers_500(sides):
    server, client = await sides(), await sides(tcp=False)
    server.endpoint.hooks.request = lambda request, peer: 1 / 0
    assert (await client.endpoint.request(request(), udp(server), 5)).status == 500


async def test_the_port_is_taken():
    first, second = Side(), Side()
    await first.endpoint.listen("127.0.0.1", 0)
    with pytest.raises(OSError, match="in use"):
        await second.endpoint.listen("127.0.0.1", first.endpoint.port)
    await first.endpoint.close()
    await second.endpoint.close()
