from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams import sdp
from streams.media import AudioTrack

CAMERA = """v=0\r
o=- 1109162014219182 1109162014219192 IN IP4 0.0.0.0\r
s=Media Server V2.0\r
c=IN IP4 0.0.0.0\r
t=0 0\r
a=control:*\r
a=range:npt=now-\r
m=video 0 RTP/AVP 96\r
a=control:trackID=0\r
a=framerate:25.000000\r
a=rtpmap:96 H264/90000\r
a=fmtp:96 packetization-mode=1;profile-level-id=4D001F;sprop-parameter-sets=Z00AH5pmAoAt//A=,aO4xsg==\r
a=recvonly\r
m=audio 0 RTP/AVP 8\r
a=control:trackID=1\r
a=rtpmap:8 PCMA/8000\r
a=recvonly\r
m=application 0 RTP/AVP 107\r
a=control:trackID=4\r
a=rtpmap:107 vnd.onvif.metadata/90000\r
"""


def test_a_camera_as_they_write() -> None:
    for text in (CAMERA, CAMERA.replace("\r\n", "\n"), CAMERA.replace("\r\n", "\r")):
        found = sdp.parse(text)
        assert found.control == "*"
        assert [(media.kind, media.control) for media in found.media] == [
            ("video", "trackID=0"),
            ("audio", "trackID=1"),
            ("application", "trackID=4"),
        ]
        video = sdp.find_video(found)
        assert video is not None
        assert (video.codec, video.clock_hz) == ("h264", 90_000)
        assert [nal[0] & 31 for nal in video.parameter_sets] == [7, 8]
        audio = sdp.find_audio(found)
        assert audio is not None
        assert audio.track == AudioTrack(codec="pcma", rate=8000, channels=1)


def test_the_first_usable_video_is_taken() -> None:
    text = (
        "m=video 0 RTP/AVP 26\na=control:jpeg\n"
        "m=video 0 RTP/AVP 98 99\na=rtpmap:98 VP9/90000\na=rtpmap:99 hevc/90000\na=control:rtsp://cam/99\n"
        "m=video 0 RTP/AVP 96\na=rtpmap:96 H264/90000\na=control:second\n"
    )
    found = sdp.parse(text)
    video = sdp.find_video(found)
    assert video is not None
    assert (video.codec, video.media.control) == ("h265", "rtsp://cam/99")
    assert sdp.names(found, "video") == ["JPEG", "VP9", "HEVC", "H264"]


@pytest.mark.parametrize(
    ("fmtp", "codec"),
    [("sprop-sps=QgEB", "h265"), ("packetization-mode=1;profile-level-id=42001f", "h264")],
)
def test_without_a_map_the_parameters_tell(fmtp: str, codec: str) -> None:
    video = sdp.find_video(sdp.parse(f"m=video 0 RTP/AVP 96\na=fmtp:96 {fmtp}"))
    assert video is not None
    assert video.codec == codec


def test_static_types_need_no_map_and_lists_may_be_missing() -> None:
    assert sdp.names(sdp.parse("m=audio 0 RTP/AVP 0 8 14"), "audio") == ["PCMU", "PCMA", "MPA"]
    assert sdp.names(sdp.parse("m=video 0 RTP/AVP\na=rtpmap:96 H264/90000"), "video") == ["H264"]


def test_all_kinds_of_parameter_sets() -> None:
    sets = [b"\x40\x01vps", b"\x42\x01sps!", b"\x44\x01pp"]
    words = [base64.b64encode(nal).decode().rstrip("=") for nal in sets]
    video = sdp.find_video(
        sdp.parse(
            "m=video 0 RTP/AVP 96\na=rtpmap:96 H265\n"
            f'a=fmtp:96 sprop-pps="{words[2]}"; sprop-vps = {words[0]} ; sprop-sps={words[1]},*junk*,,\n'
        )
    )
    assert video is not None
    assert list(video.parameter_sets)[:2] == sets[:2]
    assert sets[2] in video.parameter_sets


@pytest.mark.parametrize(
    "form",
    [
        "MP4A-LATM/16000/1",
        "MPEG4-GENERIC/16000/1\na=fmtp:97 config=zz",
        "MPEG4-GENERIC/16000/1\na=fmtp:97 config=14",
        "MPEG4-GENERIC/48000/1\na=fmtp:97 config=1408",
        "MPEG4-GENERIC/16000/6\na=fmtp:97 config=1430",
        "MPEG4-GENERIC/16000\na=fmtp:97 config=2c08",
        "MPEG4-GENERIC/16000\na=fmtp:97 config=140c",
        "G726-32/8000",
        "PCMA/8000/2",
        "PCMA/4000",
    ],
)
def test_sound_we_cannot_use(form: str) -> None:
    assert sdp.find_audio(sdp.parse(f"m=audio 0 RTP/AVP 97\na=rtpmap:97 {form}")) is None


def test_aac() -> None:
    text = "m=audio 0 RTP/AVP 97\na=rtpmap:97 mpeg4-generic/44100/2\na=fmtp:97 mode=AAC-hbr;config=121056E500"
    audio = sdp.find_audio(sdp.parse(text))
    assert audio is not None
    assert audio.track == AudioTrack(codec="aac", rate=44_100, channels=2, config=b"\x12\x10")


def test_what_the_device_would_play_comes_last() -> None:
    back = "m=audio 0 RTP/AVP 0\na=control:back\na=sendonly\n"
    own = "m=audio 0 RTP/AVP 8\na=control:own\na=recvonly\n"
    found = sdp.find_audio(sdp.parse(back + own))
    assert found is not None
    assert found.media.control == "own"
    assert sdp.find_audio(sdp.parse(back)) is not None
    assert sdp.find_audio(sdp.parse(own.replace("recvonly", "inactive"))) is None


@given(st.text(alphabet=st.sampled_from("mva=:/ 0968rtpmapfmtpH264;,\r\n\0é²"), max_size=300))
def test_anything_can_be_read(text: str) -> None:
    found = sdp.parse(text)
    sdp.find_video(found)
    sdp.find_audio(found)


@given(st.data())
def test_a_changed_description_can_be_read(data: st.DataObject) -> None:
    chars = list(CAMERA)
    for place in data.draw(st.lists(st.integers(0, len(chars) - 1), max_size=8)):
        chars[place] = data.draw(st.characters())
    found = sdp.parse("".join(chars))
    sdp.find_video(found)
    sdp.find_audio(found)
