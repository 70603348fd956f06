"""From access units as a device sends them to pictures a decoder can use.

Parameter sets are taken out and turned into the track's description; delimiters and side information fall away;
nothing is let through that would decode to rubbish: before the first key frame, after a loss until the next one,
or the leading pictures of an open group of which the beginning is missing.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from streams.errors import BadMedia
from streams.media import Sink, VideoCodec, VideoTrack
from streams.nal import Sps, kind_of, parse_pps, parse_sps, parse_vps

_H264_SETS: Final = (7, 8)
_H265_SETS: Final = (32, 33, 34)
_SPS: Final = (7, 33)
_PPS: Final = (8, 34)
_H265_RASL: Final = (8, 9)
_H265_BLA: Final = (16, 17, 18)
_H265_CRA: Final = 21
_START: Final = b"\0\0\1"


class Assembler:
    """Turns access units into `Sink` calls.

    Args:
        codec: Family of the coding.
        sink: Gets the track and the pictures.

    Attributes:
        seen: Pictures that came, let through or not: a device that sends them is alive.
        shown: Pictures let through.
        waiting: Whether pictures are held back until the next key frame.
    """

    def __init__(self, codec: VideoCodec, sink: Sink) -> None:
        self.seen = 0
        self.shown = 0
        self.waiting = True
        self._sink = sink
        self._sets = ParameterSets(codec)
        self._track: VideoTrack | None = None
        self._skip_leading = False
        self._slices_of = self._h264_slices if codec == "h264" else self._h265_slices
        self._first_bits_at = 1 if codec == "h264" else 2

    def parameters(self, nals: Iterable[bytes]) -> None:
        """Take parameter sets announced beforehand; what is unusable is ignored, what comes in band wins."""
        for nal in nals:
            self._sets.take(nal, in_band=False)

    def broken(self) -> None:
        """Take note that a reference was lost: nothing is let through before the next key frame."""
        self.waiting = True

    def unit(self, nals: Sequence[bytes], timestamp: int) -> None:
        """Take one access unit.

        Args:
            nals: Its NAL units without start codes.
            timestamp: Presentation time in 1/90,000 s, unwrapped.
        """
        slices, key = self._slices_of(nals)
        if not slices:
            return
        self.seen += 1
        first = slices[0]
        if first[self._first_bits_at] < 0x80:  # the picture's beginning is missing
            self.waiting = True
            return
        if key:
            if not self._ready():
                return
            self.waiting = False
        elif self.waiting:
            return
        elif self._skip_leading and (first[0] >> 1) in _H265_RASL:
            return
        self.shown += 1
        self._sink.picture(slices, timestamp, key=key)

    def _h264_slices(self, nals: Sequence[bytes]) -> tuple[list[bytes], bool]:
        slices = []
        key = False
        for nal in nals:
            if len(nal) < 2:
                continue
            kind = nal[0] & 0x1F
            if 1 <= kind <= 5:
                slices.append(nal)
                key = key or kind == 5
            elif kind in _H264_SETS:
                if nal not in self._sets.known:
                    if _START in nal:
                        return self._h264_slices(_torn_apart(nals))
                    self._sets.take(nal)
            elif kind == 0 and _START in nal:
                return self._h264_slices(_torn_apart(nals))
        return slices, key

    def _h265_slices(self, nals: Sequence[bytes]) -> tuple[list[bytes], bool]:
        slices = []
        key = False
        for nal in nals:
            if len(nal) < 3:
                continue
            kind, layer = nal[0] >> 1, nal[1]
            if not layer & 7:
                if _START in nal:
                    return self._h265_slices(_torn_apart(nals))
            elif layer >= 8 or nal[0] & 1:
                continue  # an enhancement layer
            elif kind < 32:
                if 16 <= kind <= 21:
                    key = True
                    self._skip_leading = kind in _H265_BLA or (kind == _H265_CRA and self.waiting)
                slices.append(nal)
            elif kind in _H265_SETS and nal not in self._sets.known:
                if _START in nal:
                    return self._h265_slices(_torn_apart(nals))
                self._sets.take(nal)
        return slices, key

    def _ready(self) -> bool:
        """Make the track known if it is new; False without a whole set of parameter sets."""
        if self._sets.changed:
            track = self._sets.track()
            if track is None:
                return False
            self._sets.changed = False
            if track != self._track:
                self._track = track
                self._sink.video(track)
        return self._track is not None


class ParameterSets:
    """The parameter sets in force.

    Attributes:
        known: Those in force as bytes: a repetition costs one look-up.
        changed: Whether the description may be another than at the last `track`.
    """

    def __init__(self, codec: VideoCodec) -> None:
        self.known: set[bytes] = set()
        self.changed = False
        self._codec = codec
        self._sets: dict[tuple[int, int], bytes] = {}
        self._announced: set[tuple[int, int]] = set()
        self._sps: dict[int, Sps] = {}
        self._last_sps = -1
        self._refers: dict[int, int] = {}

    def take(self, nal: bytes, *, in_band: bool = True) -> None:
        """Take a parameter set; one that makes no sense changes nothing."""
        if len(nal) < 2:
            return
        kind = kind_of(self._codec, nal)
        try:
            number = self._understand(kind, nal)
        except BadMedia:
            return
        if number is None:
            return
        if in_band:  # what was announced may be wrong: the first in-band set replaces all of its kind
            for stale in [place for place in self._announced if place[0] == kind]:
                self._announced.discard(stale)
                if stale != (kind, number):
                    self._sets.pop(stale, None)
        else:
            self._announced.add((kind, number))
        self._sets[kind, number] = nal
        self.known = set(self._sets.values())
        self.changed = True

    def track(self) -> VideoTrack | None:
        """Return the description they make together, or None while one is missing."""
        sps = self._sps.get(self._last_sps)
        if sps is None:
            return None
        vps: list[bytes] = []
        spss: list[bytes] = []
        ppss: list[bytes] = []
        for (kind, number), nal in sorted(self._sets.items()):
            if kind in _PPS:
                if (self._sps_kind, self._refers[number]) in self._sets:
                    ppss.append(nal)
            elif kind in _SPS:
                spss.insert(0 if number == self._last_sps else len(spss), nal)
            else:
                vps.append(nal)
        if not ppss or not spss or (self._codec == "h265" and not vps):
            return None
        return VideoTrack(
            codec=self._codec,
            width=sps.width,
            height=sps.height,
            parameter_sets=(*vps, *spss, *ppss),
            codec_string=sps.codec_string,
            reorder=sps.reorder,
        )

    @property
    def _sps_kind(self) -> int:
        return 7 if self._codec == "h264" else 33

    def _understand(self, kind: int, nal: bytes) -> int | None:
        if kind == self._sps_kind:
            sps = parse_sps(self._codec, nal)
            self._sps[sps.id] = sps
            self._last_sps = sps.id
            return sps.id
        if kind in _PPS and kind in (_H264_SETS if self._codec == "h264" else _H265_SETS):
            number, refers = parse_pps(self._codec, nal)
            self._refers[number] = refers
            return number
        if kind == 32 and self._codec == "h265":
            return parse_vps(nal)
        return None


def _torn_apart(nals: Sequence[bytes]) -> list[bytes]:
    """Split what a device sent with start codes although each unit should come by itself."""
    return [piece for nal in nals for part in nal.split(_START) if (piece := part.rstrip(b"\0"))]
