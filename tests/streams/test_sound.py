from __future__ import annotations

import io

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.media import CLOCK_HZ
from streams.sound import SoundTrack, silence
from tests.streams.coded import STEP, aac

RATE = 16_000
FRAME = CLOCK_HZ * 1024 // RATE
REAL = b"sound"


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("rate", [8_000, 44_100])
def test_silence_is_silent(channels: int, rate: int) -> None:
    track, _ = aac(rate, channels, 1)
    codec = av.CodecContext.create("aac", "r")
    codec.extradata = track.config
    for _ in range(3):
        for frame in codec.decode(av.Packet(silence(channels))):
            assert isinstance(frame, av.AudioFrame)
            assert (frame.sample_rate, frame.samples, frame.layout.nb_channels) == (rate, 1024, channels)
            assert not np.any(frame.to_ndarray())


class Play:
    """A track and what became of it."""

    def __init__(self) -> None:
        self.track = SoundTrack(RATE, 1)
        self.track.begin(0)
        self.taken: list[tuple[int, list[bytes]]] = []

    def picture(self, pts: int) -> None:
        time, frames = self.track.take(pts)
        assert time == sum(len(before) for _, before in self.taken) * 1024
        self.taken.append((time, frames))

    @property
    def frames(self) -> list[bytes]:
        return [frame for _, frames in self.taken for frame in frames]


def test_sound_beside_pictures_stays_as_it_is() -> None:
    play = Play()
    for number in range(100):
        play.track.add(REAL, number * 1024, number * FRAME)
        play.picture(number * FRAME)
    assert play.frames == [REAL] * 100


def test_sound_that_never_comes_is_silence() -> None:
    play = Play()
    for number in range(50):
        play.picture(number * STEP)
        end = sum(len(frames) for _, frames in play.taken) * FRAME
        assert -STEP <= number * STEP - end < FRAME
    assert set(play.frames) == {silence(1)}


def test_sound_that_stops_becomes_silence_and_comes_back_in_its_place() -> None:
    play = Play()
    for number in range(90):
        if not 30 <= number < 60:
            play.track.add(REAL, number * 1024, number * FRAME)
        play.picture(number * FRAME)
    frames = play.frames
    assert frames[:30] == [REAL] * 30
    assert 25 <= frames.count(silence(1)) <= 31
    assert frames[-29:] == [REAL] * 29


def test_lost_frames_are_silence() -> None:
    play = Play()
    for number in (0, 1, 2, 5, 6):
        play.track.add(REAL, number * 1024 + 3, number * FRAME)
    play.picture(6 * FRAME)
    assert play.frames == [REAL, REAL, REAL, silence(1), silence(1), REAL, REAL]


def test_sound_goes_no_further_than_a_little_ahead_of_the_pictures() -> None:
    play = Play()
    for number in range(200):
        play.track.add(REAL, number * 1024, 0)
    play.picture(0)
    assert len(play.frames) * FRAME <= CLOCK_HZ // 4 + 2 * FRAME


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("picture"), st.integers(0, 40_000)),
            st.tuples(st.just("sound"), st.integers(0, 2**32) | st.integers(0, 40).map(lambda n: n * 1024)),
            st.tuples(st.just("untimed"), st.just(0)),
        ),
        max_size=80,
    )
)
def test_no_gap_and_never_far_from_the_pictures(events: list[tuple[str, int]]) -> None:
    play = Play()
    pts = 0
    for kind, value in events:
        if kind == "picture":
            pts += value
            play.picture(pts)
            end = sum(len(frames) for _, frames in play.taken) * FRAME
            assert pts - end <= CLOCK_HZ * 0.5 + FRAME
        else:
            play.track.add(REAL, value if kind == "sound" else None, pts)


def test_silence_fits_a_file() -> None:
    assert io.BytesIO(silence(2)).read(1)[0] >> 5 == 1
    assert silence(1)[0] >> 5 == 0
