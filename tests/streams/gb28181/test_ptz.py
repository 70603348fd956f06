import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.gb28181 import ptz
from streams.gb28181.messages import Motion

speeds = st.floats(-1, 1).map(lambda value: 0.0 if abs(value) < 0.01 else value)


@pytest.mark.parametrize(
    ("command", "bytes_"),
    [
        (ptz.move(Motion()), "A50F0100000000B5"),
        (ptz.move(Motion(pan=-31 / 255)), "A50F01021F0000D6"),
        (ptz.move(Motion(pan=1)), "A50F0101FF0000B5"),
        (ptz.move(Motion(tilt=1)), "A50F010800FF00BC"),
        (ptz.move(Motion(pan=-1, tilt=-1)), "A50F0106FFFF00B9"),
        (ptz.move(Motion(zoom=1)), "A50F01100000F0B5"),
        (ptz.move(Motion(zoom=-1 / 15)), "A50F0120000010E5"),
        (ptz.preset(1, "save"), "A50F018100010037"),
        (ptz.preset(1, "call"), "A50F018200010038"),
        (ptz.preset(255, "remove"), "A50F018300FF0037"),
    ],
)
def test_golden_bytes(command, bytes_):
    assert command == bytes_


@given(speeds, speeds, speeds)
def test_a_motion_is_read_as_it_was_meant(pan, tilt, zoom):
    read = ptz.read(ptz.move(Motion(pan=pan, tilt=tilt, zoom=zoom)))
    assert read is not None
    assert read.motion is not None
    for meant, understood, step in (
        (pan, read.motion.pan, 1 / 255),
        (tilt, read.motion.tilt, 1 / 255),
        (zoom, read.motion.zoom, 1 / 15),
    ):
        assert understood == pytest.approx(meant, abs=step)
        assert (understood > 0, understood < 0) == (meant > 0, meant < 0)


@given(st.integers(1, 255), st.sampled_from(["save", "call", "remove"]))
def test_a_preset_is_read_as_it_was_meant(number, action):
    assert ptz.read(ptz.preset(number, action)) == ptz.Command(None, number, action)


@given(st.one_of(st.text(max_size=20), st.binary(min_size=8, max_size=8).map(bytes.hex)))
def test_nonsense_is_no_command(text):
    read = ptz.read(text)
    assert read is None or sum(bytes.fromhex(text)[:7]) & 255 == bytes.fromhex(text)[7]


@pytest.mark.parametrize("number", [0, 256, -1])
def test_there_are_255_presets(number):
    with pytest.raises(ValueError, match="255"):
        ptz.preset(number, "call")
