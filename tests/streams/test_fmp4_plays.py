"""What the muxer writes, in the player of a real browser: one range without a hole, and every picture shown."""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

from playwright.sync_api import Page, sync_playwright

from streams.assembler import Assembler
from streams.fmp4 import Config, Fragment
from streams.media import VideoTrack
from tests.streams.coded import STEP, Coded, aac, coded
from tests.streams.test_fmp4 import PCMA, Muxed

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
]

PLAY = """async (pieces) => {
  const video = document.createElement('video');
  video.muted = true;
  const source = new MediaSource();
  video.src = URL.createObjectURL(source);
  await new Promise((done) => source.addEventListener('sourceopen', done, {once: true}));
  let buffer = null;
  const faults = [];
  video.addEventListener('error', () => faults.push(video.error.message));
  for (const [kind, piece] of pieces) {
    if (kind === 'config') {
      if (buffer) buffer.changeType(piece); else buffer = source.addSourceBuffer(piece);
      continue;
    }
    buffer.appendBuffer(Uint8Array.from(atob(piece), (c) => c.charCodeAt(0)));
    await new Promise((done) => buffer.addEventListener('updateend', done, {once: true}));
  }
  const ranges = [];
  for (let i = 0; i < buffer.buffered.length; i++) ranges.push([buffer.buffered.start(i), buffer.buffered.end(i)]);
  source.endOfStream();
  video.currentTime = ranges[0][0];
  video.playbackRate = 2;
  const ended = new Promise((done) => video.addEventListener('ended', done, {once: true}));
  await video.play();
  await Promise.race([ended, new Promise((done) => setTimeout(done, 15000))]);
  const quality = video.getVideoPlaybackQuality();
  return {ranges, faults, ended: video.ended, decoded: quality.totalVideoFrames, width: video.videoWidth};
}"""


class Told:
    """A muxer's sink side that may be told less than the truth."""

    def __init__(self, muxed: Muxed, reorder: int | None) -> None:
        self._muxer, self._reorder = muxed.muxer, reorder
        self.picture, self.sound, self.audio = self._muxer.picture, self._muxer.sound, self._muxer.audio

    def video(self, track: VideoTrack) -> None:
        known = track if self._reorder is None else msgspec.structs.replace(track, reorder=self._reorder)
        self._muxer.video(known)


def made(
    *streams: Coded,
    at: Callable[[int, int], int] = lambda number, time: time,
    without: range = range(0),
    reorder: int | None = None,
    sound: str | None = None,
    sound_until: int = 10**6,
) -> Muxed:
    muxed = Muxed()
    track, frames = aac(count=100)
    if sound is not None:
        muxed.muxer.audio(PCMA if sound == "pcma" else track)
    assembler = Assembler(streams[0].codec, Told(muxed, reorder))
    number = sent = 0
    for media in streams:
        start = number * STEP
        for unit, time in zip(media.units, media.times, strict=True):
            if number not in without:
                assembler.unit(unit, at(number, start + time))
            if number < sound_until and sound == "pcma":
                muxed.muxer.sound(b"\xd5\x55" * 160, number * 320)
            while number < sound_until and sound == "aac" and sent * 1024 < number * 640:
                muxed.muxer.sound(frames[sent], sent * 1024)
                sent += 1
            number += 1
    return muxed


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--autoplay-policy=no-user-gesture-required"]
        )
        page = browser.new_page()
        page.set_default_timeout(60_000)
        yield page
        browser.close()


def plain() -> Coded:
    return coded(count=50, gop=25)


def reordered() -> Coded:
    return coded(count=50, gop=25, bframes=3, more="b-pyramid=2")


CASES: dict[str, tuple[Callable[[], Muxed], int]] = {
    "plain": (lambda: made(plain()), 50),
    "reordered": (lambda: made(reordered()), 50),
    "reordered, not announced": (lambda: made(reordered(), reorder=0), 50),
    "with AAC": (lambda: made(plain(), sound="aac"), 50),
    "with G.711": (lambda: made(plain(), sound="pcma"), 50),
    "sound that never comes": (lambda: made(plain(), sound="aac", sound_until=0), 50),
    "sound that stops": (lambda: made(plain(), sound="aac", sound_until=20), 50),
    "three pictures lost": (lambda: made(plain(), without=range(30, 33)), 47),
    "ten pictures lost": (lambda: made(plain(), without=range(30, 40)), 40),
    "a gap of 3 s": (lambda: made(plain(), at=lambda n, t: t + 270_000 * (n >= 30)), 50),
    "the clock set back": (lambda: made(reordered(), at=lambda n, t: t - 2**40 * (n >= 30)), 50),
    "one picture a second": (lambda: made(coded(count=6, gop=3), at=lambda n, t: t * 25), 6),
    "another size": (lambda: made(plain(), coded(count=50, gop=25, width=320, height=192)), 100),
}


@pytest.mark.parametrize("name", CASES)
def test_it_plays(page: Page, name: str) -> None:
    make, count = CASES[name]
    muxed = make()
    pieces: list[tuple[str, Any]] = []
    for item in muxed.out:
        if isinstance(item, Config):
            pieces.append(("config", item.mime))
        else:
            data = item.data if isinstance(item, Fragment) else item
            pieces.append(("media", base64.b64encode(data).decode()))
    found = page.evaluate(PLAY, json.loads(json.dumps(pieces)))
    assert found["faults"] == []
    assert len(found["ranges"]) == 1
    start, end = found["ranges"][0]
    shown_s = sum(fragment.duration_90k for fragment in muxed.pictures) / 90_000
    assert end - start > min(shown_s, count / 25) - 0.15
    assert found["ended"]
    assert found["decoded"] >= count
