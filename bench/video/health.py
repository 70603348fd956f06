"""Looking at pictures: checks a minute and core, beside ``cv2.VideoCapture`` on the same cameras.

*Ours*: one RTSP session, one key frame, one decode, measures, comparison, thumbnail, of a 720p H.264 camera;
processor time of everything in this process. *Peer*: ``VideoCapture`` opened, one picture read, the same measures.

    python -m bench.video.health
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path

from bench.rig import free_port, serving

CAMERAS = 20
CHECKS = 150
PEER_CHECKS = 8
AT_ONCE = 16
TARGET = 4_000


async def ours(port: int) -> float:
    """Return seconds of processor time for each check."""
    from streams.health.examine import Examiner, Seen
    from streams.health.messages import Status
    from streams.rtsp import RtspReader
    from streams.rtsp.grab import first_key_frame
    from streams.source import Admission, Source

    admission = Admission(["127.0.0.0/8"])
    source = Source(protocol="rtsp", host="127.0.0.1", port=port, path="cam")
    with tempfile.TemporaryDirectory() as folder:
        examiner = Examiner(Path(folder), 300.0)
        places = asyncio.Semaphore(AT_ONCE)

        seen: dict[int, Seen] = {}

        async def check(number: int) -> None:
            camera = number % CAMERAS
            async with places:
                frame = await first_key_frame(RtspReader(source, admission), 30)
            status: Status = "live" if camera in seen else "unknown"
            found = examiner.examine(f"c{camera}", frame, seen.get(camera), status, movable=False)
            seen[camera] = found.seen

        # The first look at a camera also keeps its reference; there is one of those.
        await asyncio.gather(*(check(number) for number in range(CAMERAS)))
        before = time.process_time()
        await asyncio.gather(*(check(number) for number in range(CHECKS)))
        return (time.process_time() - before) / CHECKS


def peer(port: int) -> float:
    """Return seconds of processor time for each check with OpenCV alone."""
    import cv2

    from streams.health.measures import measure

    cv2.setNumThreads(1)
    before = time.process_time()
    for _ in range(PEER_CHECKS):
        capture = cv2.VideoCapture(f"rtsp://127.0.0.1:{port}/cam", cv2.CAP_FFMPEG)
        good, image = capture.read()
        if not good:
            raise RuntimeError("OpenCV read nothing")
        measure(image)
        capture.release()
    return (time.process_time() - before) / PEER_CHECKS


def main() -> None:
    """Measure and compare."""
    os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"] = "rtsp_transport;tcp"
    print(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    port = free_port()
    with serving([sys.executable, "-m", "bench.video.sender", str(port)], port):
        each = asyncio.run(ours(port))
        theirs = peer(port)
    rate = 60 / each
    held = rate >= TARGET
    print(
        f"ours: {1000 * each:.1f} ms of processor time a check, {rate:.0f} a minute and core "
        f"(target {TARGET}: {'held' if held else 'MISSED'})"
    )
    print(f"OpenCV alone: {1000 * theirs:.1f} ms; ours is {each / theirs:.2f}×")
    sys.exit(0 if held else 1)


if __name__ == "__main__":
    main()
