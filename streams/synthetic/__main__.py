"""``python -m streams.synthetic --config -``: a farm of drawn cameras in a process of its own.

It reads one line of JSON (`FarmConfig`), writes one (`Ready`) once it serves, and ends with its standard input:
whoever started it need not be alive to stop it.
"""

import asyncio
import contextlib
import signal
import sys
import threading
import time
from typing import BinaryIO, Final

import cv2
import msgspec

from streams.onvif.simulated import SimulatedOnvif, SimulatedProfile
from streams.synthetic.config import FarmConfig, Ready, profile_token
from streams.synthetic.farm import Farm
from streams.synthetic.profiles import PROFILES
from streams.synthetic.recorders import Recorders

_WARM_AFTER_S: Final = 8.0


async def serve(config: FarmConfig, ended: asyncio.Event, tell: BinaryIO) -> None:
    """Run a farm until told to end."""
    farm = Farm(
        config.cameras,
        username=config.username,
        password=config.password,
        host=config.host,
        port=config.port,
        seed=config.seed,
        fault_share=config.fault_share,
        zone=config.zone,
    )
    try:
        await farm.start()
    except OSError:
        farm.port = 0
        await farm.start()
    recorders, device = None, None
    warming = asyncio.create_task(_warm(farm))
    try:
        if config.onvif_port is not None:
            device = await _onvif(farm, config)
        if config.platform is not None:
            recorders = Recorders(
                farm,
                config.platform,
                config.recorders,
                alarms_per_hour=config.alarms_per_hour,
                seed=config.seed,
                clock=time.time,
            )
            recorders.start()
        tell.write(
            msgspec.json.encode(Ready(port=farm.port, onvif_port=device.port if device else None)) + b"\n"
        )
        tell.flush()
        await ended.wait()
    finally:
        warming.cancel()
        await asyncio.gather(warming, return_exceptions=True)
        if recorders is not None:
            await recorders.stop()
        if device is not None:
            await device.stop()
        await farm.stop()


async def _onvif(farm: Farm, config: FarmConfig) -> SimulatedOnvif:
    """Offer the cameras that can be turned as profiles of one device."""
    profiles = []
    for path, camera in farm.cameras.items():
        if (head := farm.head(path)) is not None:
            coding = PROFILES[camera.profile]
            profiles.append(
                SimulatedProfile(
                    token=profile_token(path),
                    name=path,
                    path=path,
                    codec=coding.codec.upper(),
                    width=coding.width,
                    height=coding.height,
                    head=head,
                )
            )
    device = SimulatedOnvif(
        profiles, rtsp_port=farm.port, username=config.username, password=config.password, host=config.host
    )
    try:
        await device.start(config.onvif_port or 0)
    except OSError:
        await device.start()
    return device


async def _warm(farm: Farm) -> None:
    """Draw the scenes before they are looked at, when the others have started: a first look is then as quick."""
    await asyncio.sleep(_WARM_AFTER_S)
    for path in farm.cameras:
        shot = farm.shot(path)
        await asyncio.to_thread(farm.studio.scene(shot.kind, shot.seed).prepare, time.time())


def _follow_input(source: BinaryIO, loop: asyncio.AbstractEventLoop, ended: asyncio.Event) -> None:
    while source.read(4096):
        pass
    with contextlib.suppress(RuntimeError):  # the loop may be gone already
        loop.call_soon_threadsafe(ended.set)


async def _main(config: FarmConfig, source: BinaryIO, tell: BinaryIO) -> None:
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    threading.Thread(target=_follow_input, args=(source, loop, ended), daemon=True).start()
    await serve(config, ended, tell)


def main(arguments: list[str]) -> int:
    """Run the program; returns its exit status."""
    if arguments != ["--config", "-"]:
        sys.stderr.write("usage: python -m streams.synthetic --config - < config.json\n")
        return 2
    line = sys.stdin.buffer.readline()
    if not line:  # whoever started it is gone already
        return 0
    try:
        config = msgspec.json.decode(line, type=FarmConfig)
    except msgspec.MsgspecError as error:
        sys.stderr.write(f"the configuration makes no sense: {error}\n")
        return 2
    cv2.setNumThreads(1)  # the pictures are small: more threads only wait for each other
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_main(config, sys.stdin.buffer, sys.stdout.buffer))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
