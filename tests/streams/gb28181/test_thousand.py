"""How many devices one process bears."""

import asyncio
import resource
import time

import pytest

from streams.gb28181.transport import Endpoint, Hooks
from tests.streams.gb28181.centre import cameras, device_id

DEVICES = 1_000


@pytest.fixture
def many_files():
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(8192, before[1]), before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.slow
async def test_a_thousand_devices_come_at_once(centres, many_files, record_property):
    centre = await centres(DEVICES)
    devices = [
        await centre.device(number, start=False, channels=cameras(2), keepalive_s=0)
        for number in range(1, DEVICES + 1)
    ]
    begun, used = time.perf_counter(), time.process_time()
    await asyncio.gather(*(device.start() for device in devices))
    registered_s, cpu_s = time.perf_counter() - begun, time.process_time() - used
    assert len(centre.server.registry) == DEVICES
    begun = time.perf_counter()
    catalogs = await asyncio.gather(
        *(centre.server.catalogues.ask(device_id(number)) for number in range(1, DEVICES + 1))
    )
    listed_s = time.perf_counter() - begun
    assert all(catalog.complete and len(catalog.channels) == 2 for catalog in catalogs)
    for name, value in (("registered_s", registered_s), ("cpu_s", cpu_s), ("listed_s", listed_s)):
        record_property(name, round(value, 2))
    assert registered_s < 20  # under 1 s, both sides together, on an idle machine
    assert listed_s < 40


def test_the_receive_buffer_is_raised():
    async def size():
        endpoint = Endpoint(Hooks(lambda request, peer: None))
        await endpoint.listen("127.0.0.1", 0)
        found = endpoint._udp.get_extra_info("socket").getsockopt(1, 8)
        await endpoint.close()
        return found

    with open("/proc/sys/net/core/rmem_default", encoding="ascii") as default:
        assert asyncio.run(size()) >= int(default.read())
