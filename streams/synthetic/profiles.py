"""How a drawn camera codes its pictures and sound."""

from typing import Final, Literal

import msgspec

ProfileName = Literal["h264", "h264_audio", "h264_g711", "h264_bframes", "h264_long", "h264_changing", "h265"]


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """One way of coding.

    Attributes:
        codec: Family.
        width: Pixels of the picture.
        height: Pixels of the picture.
        fps: Pictures per second.
        gop_s: Seconds between key frames.
        bframes: Pictures between two references that refer to both.
        prompt: A new session gets a key frame at once; else it waits for the next.
        change_s: Every so many seconds the size changes within the running stream; 0: never.
        aggregate: Parameter sets travel in one packet rather than one each.
        audio: Coding of the sound, if there is any.
    """

    codec: Literal["h264", "h265"] = "h264"
    width: int = 640
    height: int = 360
    fps: float = 12.5
    gop_s: float = 2.0
    bframes: int = 0
    prompt: bool = True
    change_s: float = 0.0
    aggregate: bool = False
    audio: Literal["aac", "pcma"] | None = None

    def size_at(self, at: float) -> tuple[int, int]:
        """Return width and height at a time."""
        if self.change_s and int(at / self.change_s) % 2:
            return self.width * 3 // 4, self.height * 3 // 4
        return self.width, self.height


PROFILES: Final[dict[ProfileName, Profile]] = {
    "h264": Profile(),
    "h264_audio": Profile(audio="aac"),
    "h264_g711": Profile(audio="pcma"),
    "h264_bframes": Profile(bframes=2, aggregate=True),
    "h264_long": Profile(gop_s=10.0),
    "h264_changing": Profile(change_s=8.0),
    "h265": Profile(codec="h265"),
}
