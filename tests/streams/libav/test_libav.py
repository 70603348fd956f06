"""The FFmpeg children, on real files and a real HTTP server."""

import asyncio
import contextlib
import functools
import http.server
import os
import socket
import threading
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from streams.errors import Busy, Ended, NotAllowed, StreamError, Unauthorized, Unreachable, Unsupported
from streams.libav.peers import foreign_peers
from streams.libav.reader import LibavReader
from streams.libav.slots import Slots
from streams.libav.transcoder import Transcoder
from streams.media import AudioTrack, VideoTrack
from streams.source import Admission, Source

pytestmark = pytest.mark.slow


class Kept:
    """A sink that keeps what it is given and can be waited on."""

    def __init__(self, pictures: int = 10) -> None:
        self.tracks: list[VideoTrack] = []
        self.sounds: list[AudioTrack] = []
        self.pictures: list[tuple[int, bool]] = []
        self.nals: list[list[bytes]] = []
        self.heard = 0
        self.enough = asyncio.Event()
        self._wanted = pictures

    def video(self, track: VideoTrack) -> None:
        self.tracks.append(track)

    def audio(self, track: AudioTrack) -> None:
        self.sounds.append(track)

    def picture(self, nals: Sequence[bytes], timestamp: int, *, key: bool) -> None:
        self.pictures.append((timestamp, key))
        self.nals.append(list(nals))
        if len(self.pictures) >= self._wanted:
            self.enough.set()

    def sound(self, data: bytes, timestamp: int) -> None:
        self.heard += 1


def film(path: Path, codec: str, seconds: float = 1.0, *, audio: bool = False, size: int = 128) -> Path:
    """Write a short film of a moving bar."""
    with av.open(str(path), "w") as out:
        video = out.add_stream(codec, rate=20)
        video.width, video.height = size * 2, size
        video.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        if codec == "libx265":
            video.options = {"x265-params": "log-level=none", "preset": "ultrafast"}
        sound = out.add_stream("aac", rate=16_000) if audio else None
        for n in range(int(20 * seconds)):
            image = np.full((size, size * 2, 3), 60, np.uint8)
            image[:, (n * 5) % (size * 2 - 8) :][:, :8] = 220
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            for packet in video.encode(frame):
                out.mux(packet)
        if sound is not None:
            wave = np.zeros((1, int(16_000 * seconds)), np.float32)
            piece = av.AudioFrame.from_ndarray(wave, format="fltp", layout="mono")
            piece.sample_rate, piece.pts, piece.time_base = 16_000, 0, Fraction(1, 16_000)
            for packet in [*sound.encode(piece), *sound.encode(None)]:
                out.mux(packet)
        for packet in video.encode(None):
            out.mux(packet)
    return path


async def read(reader: LibavReader, kept: Kept) -> StreamError | None:
    """Run a reader until the sink has enough; returns what ended it earlier."""
    running = asyncio.ensure_future(reader.run(kept))
    waiting = asyncio.ensure_future(kept.enough.wait())
    try:
        async with asyncio.timeout(20):
            await asyncio.wait({running, waiting}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()
        running.cancel()
    try:
        await running
    except StreamError as error:
        return error
    except asyncio.CancelledError:
        return None
    return None


def from_file(folder: Path, name: str, slots: Slots | None = None) -> LibavReader:
    admission = Admission((), ("file",), folder)
    return LibavReader(Source(protocol="file", path=name), admission, slots or Slots(1))


def children() -> set[str]:
    out = set()
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if int((entry / "stat").read_text().rpartition(")")[2].split()[1]) == os.getpid():
                out.add(entry.name)
    return out


async def test_a_file_plays_in_a_loop_and_keeps_its_clock(tmp_path: Path) -> None:
    film(tmp_path / "a.mp4", "libx264", 0.5, audio=True)
    kept = Kept(15)
    assert await read(from_file(tmp_path, "a.mp4"), kept) is None
    assert (kept.tracks[0].codec, kept.tracks[0].width, kept.tracks[0].height) == ("h264", 256, 128)
    assert kept.pictures[0][1]
    stamps = sorted(stamp for stamp, _ in kept.pictures)
    assert stamps[-1] - stamps[0] > 45_000, "the second round follows the first"
    assert kept.sounds[0].codec == "aac"
    assert kept.heard


async def test_no_child_is_left_when_reading_ends(tmp_path: Path) -> None:
    film(tmp_path / "a.mp4", "libx264", 0.5)
    before = children()
    await read(from_file(tmp_path, "a.mp4"), Kept(3))
    assert children() <= before


async def test_a_coding_that_no_browser_shows_is_encoded_and_takes_a_place(tmp_path: Path) -> None:
    film(tmp_path / "a.avi", "mjpeg", 1)
    slots = Slots(1)
    kept = Kept(10)
    assert await read(from_file(tmp_path, "a.avi", slots), kept) is None
    assert kept.tracks[0].codec == "h264"
    assert slots.taken == 0
    with slots.one():
        assert isinstance(await read(from_file(tmp_path, "a.avi", slots), Kept()), Busy)


@pytest.mark.parametrize("name", ["../secret.mp4", "/etc/passwd", "missing.mp4", ""])
async def test_only_files_of_the_folder_are_opened(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "films"
    folder.mkdir()
    film(tmp_path / "secret.mp4", "libx264", 0.2)
    assert isinstance(await read(from_file(folder, name), Kept()), NotAllowed)


@pytest.mark.parametrize(
    "content", [b"", b"not a film", b"#EXTM3U\n/etc/passwd\n", b"ffconcat version 1.0\nfile /etc/passwd\n"]
)
async def test_what_is_no_film_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.mp4").write_bytes(content)
    failure = await read(from_file(tmp_path, "a.mp4"), Kept())
    assert isinstance(failure, StreamError)
    assert str(tmp_path) not in str(failure)


async def test_sound_alone_is_unsupported(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "a.mp4"), "w") as out:
        stream = out.add_stream("aac", rate=16_000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 4096), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 16_000
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            out.mux(packet)
    assert isinstance(await read(from_file(tmp_path, "a.mp4"), Kept()), Unsupported)


class Handler(http.server.SimpleHTTPRequestHandler):
    """Files of a folder, with a password where asked for."""

    def do_GET(self) -> None:
        if "locked" in self.path and self.headers.get("authorization") != "Basic dTpw":
            self.send_error(401)
        elif "moved" in self.path:
            self.send_response(302)
            self.send_header("location", "http://127.0.0.2:9/a.flv")
            self.end_headers()
        else:
            super().do_GET()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def web(tmp_path: Path) -> Iterator[int]:
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Handler, directory=str(tmp_path))
    )
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_port
    server.shutdown()
    server.server_close()
    thread.join()


def over_http(protocol: str, port: int, path: str, password: str | None = None) -> LibavReader:
    source = Source(
        protocol=protocol,  # type: ignore[arg-type]
        host="127.0.0.1",
        port=port,
        path=path,
        username="u" if password else None,
        password=password,
    )
    return LibavReader(source, Admission(["127.0.0.1/32"], ("hls", "http-flv")), Slots(1))


async def test_flv_over_http_with_a_password(tmp_path: Path, web: int) -> None:
    film(tmp_path / "locked.flv", "libx264", 1)
    kept = Kept(10)
    await read(over_http("http-flv", web, "locked.flv", "p"), kept)
    assert kept.tracks[0].width == 256
    failure = await read(over_http("http-flv", web, "locked.flv", "wrong"), Kept())
    assert isinstance(failure, Unauthorized)


async def test_a_redirect_is_not_followed(tmp_path: Path, web: int) -> None:
    failure = await read(over_http("http-flv", web, "moved.flv"), Kept())
    assert isinstance(failure, Unreachable)
    assert "302" in str(failure)


async def test_hls_plays_and_a_playlist_cannot_point_elsewhere(tmp_path: Path, web: int) -> None:
    film(tmp_path / "a.mp4", "libx264", 1)
    with (
        av.open(str(tmp_path / "a.mp4")) as given,
        av.open(
            str(tmp_path / "a.m3u8"), "w", format="hls", options={"hls_time": "1", "hls_list_size": "0"}
        ) as out,
    ):
        stream = out.add_stream_from_template(given.streams.video[0])
        for packet in given.demux(given.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                out.mux(packet)
    kept = Kept(10)
    await read(over_http("hls", web, "a.m3u8"), kept)
    assert kept.tracks[0].codec == "h264"
    evil = (tmp_path / "a.m3u8").read_text().replace("a0.ts", "http://127.0.0.2:9/a0.ts")
    (tmp_path / "evil.m3u8").write_text(evil)
    assert isinstance(await read(over_http("hls", web, "evil.m3u8"), Kept()), StreamError)


async def test_an_address_outside_the_networks_is_refused(web: int) -> None:
    source = Source(protocol="hls", host="127.0.0.1", port=web, path="a.m3u8")
    reader = LibavReader(source, Admission(["10.0.0.0/8"], ("hls",)), Slots(1))
    assert isinstance(await read(reader, Kept()), NotAllowed)


async def test_h265_becomes_h264(tmp_path: Path) -> None:
    film(tmp_path / "a.mp4", "libx265", 1.5)
    slots = Slots(1)
    kept = Kept(12)
    async with Transcoder(kept, slots, height_px=64) as transcoder:
        running = asyncio.ensure_future(from_file(tmp_path, "a.mp4").run(transcoder))
        try:
            async with asyncio.timeout(20):
                await kept.enough.wait()
        finally:
            running.cancel()
        assert slots.taken == 1
        with pytest.raises(Busy):
            await Transcoder(kept, slots).__aenter__()
    assert slots.taken == 0
    assert (kept.tracks[0].codec, kept.tracks[0].width, kept.tracks[0].height) == ("h264", 128, 64)
    decoder = av.CodecContext.create("h264", "r")
    data = b"".join(
        b"\0\0\0\1" + nal
        for nal in [*kept.tracks[0].parameter_sets, *(n for unit in kept.nals for n in unit)]
    )
    shown = [f for p in [*decoder.parse(data), *decoder.parse(b"")] for f in decoder.decode(p)]
    assert len(shown) >= 8


async def test_junk_for_the_transcoder_ends_nothing(tmp_path: Path) -> None:
    track = VideoTrack(
        codec="h265",
        width=64,
        height=64,
        parameter_sets=(b"\x40\1x", b"\x42\1y", b"\x44\1z"),
        codec_string="hvc1",
    )
    async with Transcoder(Kept(), Slots(1)) as transcoder:
        transcoder.video(track)
        await asyncio.sleep(0.5)
        for n in range(20):
            transcoder.picture([os.urandom(200)], n * 3600, key=n == 0)
        await asyncio.sleep(0.5)
        assert transcoder.failure is None or isinstance(transcoder.failure, Ended)


def test_the_kernel_tells_whom_we_are_connected_to() -> None:
    server = socket.create_server(("127.0.0.1", 0))
    sock = socket.create_connection(server.getsockname())
    assert "127.0.0.1" in foreign_peers("10.0.0.1")
    assert "127.0.0.1" not in foreign_peers("127.0.0.1")
    sock.close()
    server.close()
