from __future__ import annotations

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.errors import BadMedia
from streams.media import AudioCodec, AudioTrack
from streams.sdp import aac_config
from streams.transcode_audio import TABLES, AacEncoder


def law(codec: AudioCodec, samples: np.ndarray) -> bytes:
    """Encode by the nearest value of FFmpeg's own table."""
    return bytes(int(np.argmin(np.abs(ffmpeg_table(codec) - sample))) for sample in samples)


def ffmpeg_table(codec: AudioCodec) -> np.ndarray:
    context = av.CodecContext.create({"pcma": "pcm_alaw", "pcmu": "pcm_mulaw"}[codec], "r")
    context.sample_rate = 8000  # type: ignore[attr-defined]
    context.layout = "mono"  # type: ignore[attr-defined]
    frame = context.decode(av.Packet(bytes(range(256))))[0]
    return frame.to_ndarray()[0].astype(np.float64)  # type: ignore[union-attr]


@pytest.mark.parametrize("codec", ["pcma", "pcmu"])
def test_the_tables_are_those_of_the_standard(codec: AudioCodec) -> None:
    assert np.array_equal(TABLES[codec] * 32768, ffmpeg_table(codec))


def decoded(track: AudioTrack, frames: list[bytes]) -> np.ndarray:
    context = av.CodecContext.create("aac", "r")
    context.extradata = track.config
    return np.concatenate([f.to_ndarray()[0] for data in frames for f in context.decode(av.Packet(data))])


@pytest.mark.parametrize("codec", ["pcma", "pcmu"])
def test_a_tone_survives(codec: AudioCodec) -> None:
    tone = np.sin(2 * np.pi * 500 * np.arange(8000) / 8000) * 12_000
    data = law(codec, tone)
    encoder = AacEncoder(codec, 8000)
    assert aac_config(encoder.track.config) == (8000, 1)
    frames = [frame for start in range(0, 8000, 160) for frame in encoder.encode(data[start : start + 160])]
    heard = decoded(encoder.track, frames)
    spectrum = np.abs(np.fft.rfft(heard[2048:6144]))
    assert np.argmax(spectrum) == round(500 * 4096 / 8000)
    assert 0.25 < np.max(np.abs(heard[2048:6144])) < 0.5


@given(st.lists(st.integers(0, 3000), max_size=12))
def test_any_packets_make_whole_frames(sizes: list[int]) -> None:
    encoder = AacEncoder("pcma", 8000)
    count = sum(len(encoder.encode(b"\xd5" * size)) for size in sizes)
    whole = sum(sizes) // 1024
    assert whole - 1 <= count <= whole  # the coder holds one back


def test_a_rate_aac_does_not_know() -> None:
    with pytest.raises(BadMedia, match="10000 Hz"):
        AacEncoder("pcmu", 10_000)
