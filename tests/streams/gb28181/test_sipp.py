"""An outside SIP stack as device: sipp registers with Digest and says that it lives."""

import asyncio
import shutil
from pathlib import Path

import pytest

from streams.gb28181.messages import GbDevice
from tests.streams.gb28181.centre import SERVER_ID

DEVICE = "34020000001320000001"
SCENARIO = """<?xml version="1.0" encoding="UTF-8"?>
<scenario name="a device">
{register}
<recv response="401" auth="true"/>
{proof}
<recv response="200"/>
<send retrans="500"><![CDATA[
MESSAGE sip:{server}@3402000000 SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch];rport
From: <sip:{device}@3402000000>;tag=[call_number]
To: <sip:{server}@3402000000>
Call-ID: [call_id]
CSeq: 3 MESSAGE
Max-Forwards: 70
Content-Type: Application/MANSCDP+xml
Content-Length: [len]

<?xml version="1.0" encoding="GB2312"?>
<Notify>
<CmdType>Keepalive</CmdType>
<SN>[call_number]</SN>
<DeviceID>{device}</DeviceID>
<Status>OK</Status>
</Notify>
]]></send>
<recv response="200"/>
</scenario>
"""
REGISTER = """<send retrans="500"><![CDATA[
REGISTER sip:{server}@3402000000 SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch];rport
From: <sip:{device}@3402000000>;tag=[call_number]
To: <sip:{device}@3402000000>
Call-ID: [call_id]
CSeq: {number} REGISTER
Contact: <sip:{device}@[local_ip]:[local_port]>
Max-Forwards: 70
{proof}Expires: 3600
Content-Length: 0

]]></send>"""


def scenario(folder: Path, password: str) -> Path:
    names = {"server": SERVER_ID, "device": DEVICE}
    proof = f"[authentication username={DEVICE} password={password}]\n"
    text = SCENARIO.format(
        register=REGISTER.format(number=1, proof="", **names),
        proof=REGISTER.format(number=2, proof=proof, **names),
        **names,
    )
    path = folder / "device.xml"
    path.write_text(text)
    return path


async def sipp(folder: Path, password: str, port: int, *options: str) -> tuple[int, str]:
    program = shutil.which("sipp")
    if program is None:
        pytest.skip("sipp (Debian package sip-tester) is not installed")
    running = await asyncio.create_subprocess_exec(
        program,
        *("-sf", str(scenario(folder, password)), "-i", "127.0.0.1", "-timeout", "60", "-nostdin"),
        *("-m", "500", "-r", "500", "-recv_timeout", "10000", *options),
        f"127.0.0.1:{port}",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=folder,
    )
    output, _ = await running.communicate()
    return running.returncode or 0, output.decode("utf-8", "replace")


@pytest.mark.slow
@pytest.mark.parametrize("transport", ["u1", "t1"])
async def test_an_outside_stack_registers(centres, tmp_path, transport):
    centre = await centres(devices=(GbDevice(device_id=DEVICE, password="12345678"),))
    status, output = await sipp(tmp_path, "12345678", centre.server.port, "-t", transport)
    assert status == 0, output[-2000:]
    assert centre.server.registry.get(DEVICE) is not None


@pytest.mark.slow
async def test_an_outside_stack_with_the_wrong_password(centres, tmp_path):
    centre = await centres(devices=(GbDevice(device_id=DEVICE, password="12345678"),))
    status, _ = await sipp(tmp_path, "guess", centre.server.port, "-m", "1")
    assert status != 0
    assert centre.server.registry.get(DEVICE) is None
