"""Session descriptions (RFC 4566), read with tolerance: devices write them by hand.

What is there is taken, what is wrong is left out. Only one thing is decided here: which stream of the session is
the picture, and which, if any, is sound that we can use.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal

from streams.media import AudioTrack, VideoCodec

_MOST_LINES: Final = 2000
_MOST_SET_BYTES: Final = 4096
_STATIC: Final = {
    0: ("PCMU", 8000, 1),
    8: ("PCMA", 8000, 1),
    14: ("MPA", 90_000, 1),
    26: ("JPEG", 90_000, 1),
    32: ("MPV", 90_000, 1),
    33: ("MP2T", 90_000, 1),
}
_VIDEO: Final[Mapping[str, VideoCodec]] = MappingProxyType(
    {"H264": "h264", "H265": "h265", "HEVC": "h265", "X-H265": "h265"}
)
_AAC_RATES: Final = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)


@dataclass(frozen=True, slots=True)
class Format:
    """One coding a stream may be sent in.

    Attributes:
        payload_type: Its RTP payload type.
        name: In capitals, e.g. ``H264``.
        clock_hz: Units of its timestamps.
        channels: Of sound.
        parameters: ``fmtp``, names in lower case.
    """

    payload_type: int
    name: str
    clock_hz: int
    channels: int = 1
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Media:
    """One stream of a session.

    Attributes:
        kind: ``video``, ``audio`` or ``application``.
        control: As written; empty when it is not.
        formats: In the device's order of preference.
        direction: ``sendonly`` and the like, from the device's side; empty when it does not say.
    """

    kind: str
    control: str
    formats: tuple[Format, ...]
    direction: str = ""


@dataclass(frozen=True, slots=True)
class Description:
    """A session: the address for all its streams together, and the streams."""

    control: str
    media: tuple[Media, ...]


@dataclass(frozen=True, slots=True)
class VideoStream:
    """The stream that is the picture.

    Attributes:
        media: The stream.
        codec: Family of its coding.
        clock_hz: Units of its timestamps.
        parameter_sets: Announced ones; they may be wrong.
    """

    media: Media
    codec: VideoCodec
    clock_hz: int
    parameter_sets: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class AudioStream:
    """A stream of sound that we can use.

    Attributes:
        media: The stream.
        track: What it carries.
        format: Its coding.
    """

    media: Media
    track: AudioTrack
    format: Format


def parse(text: str) -> Description:
    """Read a description; lines that make no sense are left out."""
    control = ""
    media: list[_Section] = []
    section: _Section | None = None
    for line in text.splitlines()[:_MOST_LINES]:
        key, _, value = line.strip().partition("=")
        value = value.strip()
        if key == "m":
            words = value.split()
            section = _Section(words[0].lower() if words else "", [w for w in words[3:] if w.isdecimal()])
            media.append(section)
        elif key == "a":
            name, _, rest = value.partition(":")
            name, rest = name.strip().lower(), rest.strip()
            if section is not None:
                section.attribute(name, rest)
            elif name == "control":
                control = rest
    return Description(control, tuple(section.media() for section in media))


class _Section:
    """The lines of one ``m=``."""

    def __init__(self, kind: str, payload_types: list[str]) -> None:
        self._kind = kind
        self._types = list(dict.fromkeys(int(word) for word in payload_types if len(word) <= 3))
        self._control = ""
        self._direction = ""
        self._maps: dict[int, str] = {}
        self._parameters: dict[int, dict[str, str]] = {}

    def attribute(self, name: str, value: str) -> None:
        """Take an ``a=`` line."""
        if name == "control":
            self._control = value
        elif name in ("sendonly", "recvonly", "sendrecv", "inactive"):
            self._direction = name
        elif name in ("rtpmap", "fmtp"):
            number, _, rest = value.partition(" ")
            if not number.isdecimal() or len(number) > 3:
                return
            if name == "rtpmap":
                self._maps[int(number)] = rest.strip()
            else:
                self._parameters.setdefault(int(number), {}).update(_parameters(rest))

    def media(self) -> Media:
        """Return what the lines make together."""
        types = self._types or sorted(self._maps)
        formats = tuple(found for number in types if (found := self._format(number)) is not None)
        return Media(self._kind, self._control, formats, self._direction)

    def _format(self, number: int) -> Format | None:
        parameters = self._parameters.get(number, {})
        if number in self._maps:
            name, *rest = self._maps[number].split("/")
            clock = int(rest[0]) if rest and rest[0].strip().isdecimal() and len(rest[0]) < 8 else 0
            channels = (
                int(rest[1]) if len(rest) > 1 and rest[1].strip().isdecimal() and len(rest[1]) < 3 else 1
            )
        elif number in _STATIC:
            name, clock, channels = _STATIC[number]
        elif self._kind == "video" and "sprop-sps" in parameters:
            name, clock, channels = "H265", 90_000, 1
        elif self._kind == "video" and (
            "sprop-parameter-sets" in parameters or "profile-level-id" in parameters
        ):
            name, clock, channels = "H264", 90_000, 1
        else:
            return None
        name = name.strip().upper()
        if not clock:
            clock = 90_000 if self._kind == "video" else 8000
        return Format(number, name, clock, channels, parameters)


def _parameters(text: str) -> dict[str, str]:
    out = {}
    for part in text.split(";"):
        name, _, value = part.partition("=")
        if name.strip():
            out[name.strip().lower()] = value.strip()
    return out


def find_video(description: Description) -> VideoStream | None:
    """Return the first stream with a coding we can use, or None."""
    for media in description.media:
        if media.kind != "video" or media.direction == "inactive":
            continue
        for form in media.formats:
            codec = _VIDEO.get(form.name)
            if codec is not None:
                return VideoStream(media, codec, form.clock_hz, _sets(form.parameters))
    return None


def names(description: Description, kind: Literal["video", "audio"]) -> list[str]:
    """Return the codings of a kind of stream as the device calls them."""
    return [form.name for media in description.media if media.kind == kind for form in media.formats]


def find_audio(description: Description) -> AudioStream | None:
    """Return the first stream of sound that we can use, or None.

    AAC is taken as RFC 3640 packs it, low complexity, one or two channels; G.711 with one channel. A stream that
    says ``sendonly`` may be one that the device would *play*: it is taken only where there is no other.
    """
    heard = [media for media in description.media if media.kind == "audio" and media.direction != "inactive"]
    for media in sorted(heard, key=lambda media: media.direction == "sendonly"):
        for form in media.formats:
            track = _audio_track(form)
            if track is not None:
                return AudioStream(media, track, form)
    return None


def _audio_track(form: Format) -> AudioTrack | None:
    if form.name in ("PCMA", "PCMU") and form.channels == 1 and 8000 <= form.clock_hz <= 48_000:
        return AudioTrack(
            codec="pcma" if form.name == "PCMA" else "pcmu", rate=form.clock_hz, channels=1, config=b""
        )
    if form.name == "MPEG4-GENERIC":
        try:
            config = bytes.fromhex(form.parameters.get("config", ""))
        except ValueError:
            return None
        found = aac_config(config)
        if found is not None and found[0] == form.clock_hz:
            return AudioTrack(codec="aac", rate=found[0], channels=found[1], config=config[:2])
    return None


def aac_config(config: bytes) -> tuple[int, int] | None:
    """Return (rate, channels) of an AudioSpecificConfig, or None unless it is plain AAC-LC."""
    if len(config) < 2:
        return None
    value = int.from_bytes(config[:2], "big")
    kind, rate, channels, short_frames = value >> 11, (value >> 7) & 15, (value >> 3) & 15, (value >> 2) & 1
    if kind != 2 or rate >= len(_AAC_RATES) or channels not in (1, 2) or short_frames:
        return None
    return _AAC_RATES[rate], channels


def _sets(parameters: Mapping[str, str]) -> tuple[bytes, ...]:
    out = []
    for name in ("sprop-vps", "sprop-sps", "sprop-pps", "sprop-parameter-sets"):
        for word in parameters.get(name, "").split(","):
            word = word.strip().strip('"')
            if not word or len(word) > _MOST_SET_BYTES:
                continue
            try:
                out.append(base64.b64decode(word + "=" * (-len(word) % 4)))
            except (binascii.Error, ValueError):
                continue
    return tuple(nal for nal in out if nal)
