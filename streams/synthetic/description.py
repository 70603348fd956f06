"""The SDP with which a drawn camera describes itself."""

import base64

from streams.synthetic.encoder import parameter_sets
from streams.synthetic.profiles import Profile
from streams.synthetic.sound import PAYLOAD_TYPES, RATES, frames


def describe(profile: Profile, at: float, *, lying: bool = False) -> str:
    """Return the SDP of a camera.

    Args:
        profile: How it codes.
        at: Time; the size of the picture may depend on it.
        lying: Describe a picture of another size and rate than the one that is sent, and no parameter set
            the pictures refer to.
    """
    size = (320, 176) if lying else profile.size_at(at)
    sets = parameter_sets(profile, size)
    texts = [base64.b64encode(unit).decode() for unit in sets]
    if profile.codec == "h264":
        level = "ffe0ff" if lying else sets[0][1:4].hex()
        coding = (
            "a=rtpmap:96 H264/90000\r\n"
            f"a=fmtp:96 packetization-mode=1;profile-level-id={level};sprop-parameter-sets={','.join(texts)}\r\n"
        )
    else:
        coding = (
            "a=rtpmap:96 H265/90000\r\n"
            f"a=fmtp:96 sprop-vps={texts[0]};sprop-sps={texts[1]};sprop-pps={texts[2]}\r\n"
        )
    fps = 60 if lying else profile.fps
    text = (
        "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=Media Presentation\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\n"
        "a=control:*\r\na=range:npt=now-\r\n"
        f"m=video 0 RTP/AVP 96\r\n{coding}a=framerate:{fps:g}\r\na=control:trackID=0\r\n"
    )
    if profile.audio is not None:
        kind, rate = PAYLOAD_TYPES[profile.audio], RATES[profile.audio]
        text += f"m=audio 0 RTP/AVP {kind}\r\n"
        if profile.audio == "aac":
            config = frames("aac")[1].hex()
            text += (
                f"a=rtpmap:{kind} MPEG4-GENERIC/{rate}/1\r\n"
                f"a=fmtp:{kind} streamtype=5;profile-level-id=1;mode=AAC-hbr;config={config};"
                "sizelength=13;indexlength=3;indexdeltalength=3\r\n"
            )
        else:
            text += f"a=rtpmap:{kind} PCMA/{rate}/1\r\n"
        text += "a=control:trackID=1\r\n"
    return text
