"""Pulling a hundred cameras: CPU and memory beside one ``ffmpeg -c copy`` each, and beside OpenCV to JPEG.

*Ours*: the media processes of `streams.service.Video`, one watcher each, everything included that a served camera
needs (RTSP, repackaging, the ring for clips, the way to the web process); the web process's share is given apart.
*ffmpeg*: one process each, RTSP to fragmented MP4 thrown away. *OpenCV*: ``VideoCapture`` and ``imencode`` in one
process, a thread each. The same sender on the other core, the same loop, one after the other in one run.

    python -m bench.video.pull [STREAMS] [SECONDS]
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.rig import cpu_s, free_port, pinned, rss_mb, serving

STREAMS = 100
SECONDS = 20.0
OPENCV_STREAMS = 4
CPU_TARGET = 0.6
OPENCV_TARGET = 0.1
MEMORY_TARGET = 0.1


class Tile:
    """A viewer that takes everything at once."""

    def __init__(self) -> None:
        self.pictures = 0

    def text(self, message: bytes) -> None:
        """Ignore states."""
        del message

    def media(self, payload: bytes) -> None:
        """Count it."""
        self.pictures += 1

    def buffered(self) -> int:
        """Nothing waits."""
        return 0

    def closed(self, reason: str) -> None:
        """Ignore the end."""
        del reason


class Silent:
    """Nobody listens to what happens by itself."""

    def __getattr__(self, name: str) -> object:
        return lambda *_: None


def pss_mb(pid: int) -> float:
    """Resident memory with shared pages split among those who share them."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1e3
    return rss_mb(pid)


async def ours(port: int, streams: int, seconds: float) -> dict[str, float]:
    """Measure the product's own processes."""
    from streams.service import Video
    from streams.source import CameraSpec, Source
    from streams.wire import VideoSettings

    with tempfile.TemporaryDirectory() as folder:
        settings = VideoSettings(networks=("127.0.0.0/8",), opens_per_host_per_s=100.0, log_level="error")
        video = Video(settings, Silent(), Path(folder))  # type: ignore[arg-type]
        source = Source(protocol="rtsp", host="127.0.0.1", port=port, path="cam")
        video.configure([CameraSpec(id=f"c{n}", source=source) for n in range(streams)])
        await video.start()
        try:
            tiles = [Tile() for _ in range(streams)]
            watches = [video.watch(f"c{n}", tile, h265=True) for n, tile in enumerate(tiles)]
            deadline = time.monotonic() + 60
            # A viewer is called, it has no event.
            while not all(tile.pictures for tile in tiles) and time.monotonic() < deadline:  # noqa: ASYNC110
                await asyncio.sleep(0.2)
            await asyncio.sleep(5)
            pids = children()
            before, mine = {pid: cpu_s(pid) for pid in pids}, time.process_time()
            shown, began = sum(tile.pictures for tile in tiles), time.monotonic()
            await asyncio.sleep(seconds)
            wall = time.monotonic() - began
            media = sum(cpu_s(pid) - before[pid] for pid in pids)
            return {
                "cpu": 100 * media / wall / streams,
                "web": 100 * (time.process_time() - mine) / wall / streams,
                "rss": sum(rss_mb(pid) for pid in pids),
                "pss": sum(pss_mb(pid) for pid in pids),
                "fps": (sum(tile.pictures for tile in tiles) - shown) / wall / streams,
                "kept": video.figures().get('ring_bytes{process="media-0"}', 0) / 1e6,
                "watches": float(len(watches)),
            }
        finally:
            await video.stop()


def children() -> list[int]:
    """Return the pids of our own children."""
    out = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if int((entry / "stat").read_text().rpartition(")")[2].split()[1]) == os.getpid():
                if b"streams.worker" in (entry / "cmdline").read_bytes():
                    out.append(int(entry.name))
        except OSError:
            continue
    return out


def ffmpeg(port: int, streams: int, seconds: float) -> dict[str, float] | None:
    """Measure one ffmpeg each."""
    program = shutil.which("ffmpeg")
    if program is None:
        return None
    command = [program, "-loglevel", "quiet", "-nostdin", "-rtsp_transport", "tcp"]
    command += ["-i", f"rtsp://127.0.0.1:{port}/cam", "-c", "copy", "-f", "mp4"]
    command += ["-movflags", "frag_every_frame+empty_moov+default_base_moof", "-y", "/dev/null"]
    running = []
    try:
        for _ in range(streams):
            running.append(subprocess.Popen(pinned(0, command), stdin=subprocess.DEVNULL))
            time.sleep(0.05)
        time.sleep(8)
        before = {one.pid: cpu_s(one.pid) for one in running}
        began = time.monotonic()
        time.sleep(seconds)
        wall = time.monotonic() - began
        used = sum(cpu_s(pid) - before[pid] for pid in before)
        return {
            "cpu": 100 * used / wall / streams,
            "rss": sum(rss_mb(pid) for pid in before),
            "pss": sum(pss_mb(pid) for pid in before),
        }
    finally:
        for one in running:
            one.kill()
        for one in running:
            one.wait()


OPENCV = """
import sys, threading, time, resource
import cv2
url, streams, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
count = [0] * streams
stop = False
def one(n):
    capture = cv2.VideoCapture(url, cv2.CAP_FFMPEG)
    while not stop:
        good, image = capture.read()
        if good:
            cv2.imencode('.jpg', image, [cv2.IMWRITE_JPEG_QUALITY, 80]); count[n] += 1
cv2.setNumThreads(1)
threads = [threading.Thread(target=one, args=(n,), daemon=True) for n in range(streams)]
[t.start() for t in threads]
time.sleep(10)
usage = lambda: sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
c, u, t = sum(count), usage(), time.monotonic()
time.sleep(seconds)
wall = time.monotonic() - t
print((usage() - u) / wall / streams * 100, (sum(count) - c) / wall / streams, flush=True)
import os; os._exit(0)
"""


def opencv(port: int, seconds: float) -> tuple[float, float]:
    """Measure OpenCV; returns percent of a core and pictures a second for each stream."""
    url = f"rtsp://127.0.0.1:{port}/cam"
    command = [sys.executable, "-c", OPENCV, url, str(OPENCV_STREAMS), str(seconds)]
    quiet = {
        **os.environ,
        "OPENCV_LOG_LEVEL": "SILENT",
        "OPENCV_FFMPEG_CAPTURE_OPTIONS": "rtsp_transport;tcp",
    }
    out = subprocess.run(command, capture_output=True, text=True, env=quiet, check=True, timeout=120).stdout
    cpu, fps = (float(part) for part in out.split())
    return cpu, fps


def main() -> None:
    """Measure and compare."""
    streams = int(sys.argv[1]) if len(sys.argv) > 1 else STREAMS
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else SECONDS
    print(
        f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; {streams} streams of 720p25"
    )
    port = free_port()
    held = True
    with serving([sys.executable, "-m", "bench.video.sender", str(port)], port):
        found = asyncio.run(ours(port, streams, seconds))
        print(
            f"ours:    {found['cpu']:.3f} % of a core a stream, web process {found['web']:.3f} %, "
            f"{found['fps']:.1f} pictures/s; {found['rss']:.0f} MB RSS, {found['pss']:.0f} MB PSS"
        )
        peer = ffmpeg(port, streams, seconds)
        if peer is None:
            print("ffmpeg is not installed; no peer")
        else:
            print(
                f"ffmpeg:  {peer['cpu']:.3f} % of a core a stream; "
                f"{peer['rss']:.0f} MB RSS, {peer['pss']:.0f} MB PSS"
            )
            ratio, memory = found["cpu"] / peer["cpu"], found["rss"] / peer["rss"]
            held &= ratio <= CPU_TARGET and memory <= MEMORY_TARGET
            print(
                f"  CPU {ratio:.2f}× (target {CPU_TARGET}×), with the web process "
                f"{(found['cpu'] + found['web']) / peer['cpu']:.2f}×"
            )
            print(
                f"  memory {memory:.2f}× of RSS (target {MEMORY_TARGET}×), {found['pss'] / peer['pss']:.2f}× of PSS"
            )
        cpu, fps = opencv(port, seconds)
        scaled = cpu * 25 / max(fps, 1)
        share = found["cpu"] / scaled
        held &= share <= OPENCV_TARGET
        print(
            f"OpenCV → JPEG: {cpu:.1f} % of a core a stream at {fps:.1f} pictures/s; "
            f"ours is {share:.3f}× (target {OPENCV_TARGET}×)"
        )
    print("targets", "held" if held else "MISSED")
    sys.exit(0 if held else 1)


if __name__ == "__main__":
    main()
