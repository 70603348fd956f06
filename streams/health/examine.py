"""One check of one picture: decode, measure, compare, keep. Blocks; runs in a thread."""

import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import structlog

from streams.errors import BadMedia
from streams.health.compare import Change, compare_samples
from streams.health.files import PictureFolder
from streams.health.judge import Verdict, judge, light_of
from streams.health.measures import MIDDLE_PX, Grey, Measures, measure
from streams.health.messages import Light, Status, Still
from streams.health.references import Memory, adapted, learned, recall, remember
from streams.media import KeyFrame
from streams.picture import PICTURE_PX, THUMBNAIL_PX, Image, decode, encode_jpeg, shrink

log = structlog.get_logger("streams.health")

_PICTURE_EVERY_S: Final = 3600.0
_LEAST_APART_S: Final = 5.0
_THUMBNAIL_QUALITY: Final = 70


@dataclass(frozen=True, slots=True)
class Seen:
    """What is kept in memory of a camera's last picture.

    Attributes:
        taken_at: When it came.
        sample: Its `Measures.sample`.
        pictured_s: When its full picture was last written, in seconds since 1970.
    """

    taken_at: datetime
    sample: Grey
    pictured_s: float


@dataclass(frozen=True, slots=True)
class Examined:
    """What one picture says.

    Attributes:
        verdict: On this picture alone.
        light: By which reference.
        numbers: Measures and comparison.
        seen: For the next check.
        pictured: The thumbnail was renewed.
        has_reference: There is one for this light.
    """

    verdict: Verdict
    light: Light
    numbers: dict[str, float]
    seen: Seen
    pictured: bool
    has_reference: bool


class Examiner:
    """Examines pictures and keeps what is to be kept of them.

    Args:
        folder: Where.
        interval_s: Between two checks; two pictures further apart are not compared with each other.
    """

    def __init__(self, folder: Path, interval_s: float) -> None:
        self.files = PictureFolder(folder)
        self._interval_s = interval_s
        self._mark = _Mark(folder)
        self._complained = False

    def examine(
        self, camera_id: str, frame: KeyFrame, before: Seen | None, status: Status, *, movable: bool
    ) -> Examined:
        """Examine one picture.

        Args:
            camera_id: Whose.
            frame: The picture.
            before: The one before, or None.
            status: What the camera is known as: a reference learns only while it is well.
            movable: It pans and tilts.

        Raises:
            BadMedia: It cannot be decoded.
        """
        image = self._decode(camera_id, frame)
        middle = shrink(image, MIDDLE_PX)
        measures = _measured(image, middle)
        memory = recall(self.files, camera_id)
        light = light_of(measures)
        apart_s = 0.0 if before is None else (frame.taken_at - before.taken_at).total_seconds()
        change: Change | None = None
        if before is not None and _LEAST_APART_S <= apart_s <= 2.5 * self._interval_s:
            change = compare_samples(before.sample, measures.sample)
        reference = memory.reference_for(light, measures.mean)
        verdict = judge(measures, reference, change, memory.tolerance, movable=movable)
        now_s = frame.taken_at.timestamp()
        pictured_s = 0.0 if before is None else before.pictured_s
        odd = verdict.fault is not None or status not in ("live", "unknown")
        large = odd or now_s - pictured_s >= _PICTURE_EVERY_S
        pictured = self._keep(camera_id, middle, image if large else None)
        if pictured and large:
            pictured_s = now_s
        if verdict.teaches and not odd:
            self._learn(camera_id, memory, light, measures, image, now_s)
        too_soon = before is not None and 0 <= apart_s < _LEAST_APART_S
        sample = before.sample if before is not None and too_soon else measures.sample
        taken_at = before.taken_at if before is not None and too_soon else frame.taken_at
        return Examined(
            verdict=verdict,
            light=light,
            numbers=measures.numbers() | verdict.numbers,
            seen=Seen(taken_at, sample, pictured_s),
            pictured=pictured,
            has_reference=light in memory.references,
        )

    def accept(self, camera_id: str, frame: KeyFrame, memory: Memory) -> Examined:
        """Make a picture the camera's reference for its light, and keep the memory given.

        Raises:
            BadMedia: It cannot be decoded.
            OSError: It cannot be kept.
        """
        image = self._decode(camera_id, frame)
        middle = shrink(image, MIDDLE_PX)
        measures = _measured(image, middle)
        light = light_of(measures)
        now_s = frame.taken_at.timestamp()
        memory.references = {**memory.references, light: learned(measures, now_s)}
        remember(self.files, camera_id, memory)
        self.files.write(
            self.files.path(camera_id, "reference", light), encode_jpeg(shrink(image, PICTURE_PX))
        )
        pictured = self._keep(camera_id, middle, image)
        verdict = Verdict(None, slow=False, teaches=True, numbers={})
        return Examined(
            verdict,
            light,
            measures.numbers(),
            Seen(frame.taken_at, measures.sample, now_s),
            pictured,
            has_reference=True,
        )

    def still(self, camera_id: str, frame: KeyFrame, width: int) -> Still:
        """Return a picture as JPEG.

        Raises:
            BadMedia: It cannot be decoded.
        """
        image = self._decode(camera_id, frame)
        if width > 0:
            image = shrink(image, width)
        return Still(
            jpeg=encode_jpeg(image),
            taken_at=frame.taken_at,
            width=image.shape[1],
            height=image.shape[0],
        )

    def forget(self, camera_id: str) -> None:
        """Delete what is kept of a camera."""
        try:
            self.files.forget(camera_id)
        except OSError as error:
            self._complain(error)

    def _decode(self, camera_id: str, frame: KeyFrame) -> Image:
        with self._mark.of(camera_id):
            return decode(frame.track, frame.nals)

    def _keep(self, camera_id: str, middle: Image, image: Image | None) -> bool:
        """Write thumbnail and picture; a full disk costs the pictures, not the verdict."""
        try:
            path = self.files.path(camera_id, "thumbnail")
            self.files.write(path, encode_jpeg(shrink(middle, THUMBNAIL_PX), _THUMBNAIL_QUALITY))
            if image is not None:
                path = self.files.path(camera_id, "picture")
                self.files.write(path, encode_jpeg(shrink(image, PICTURE_PX)))
        except OSError as error:
            self._complain(error)
            return False
        self._complained = False
        return True

    def _learn(
        self, camera_id: str, memory: Memory, light: Light, measures: Measures, image: Image, now_s: float
    ) -> None:
        known = memory.references.get(light)
        newer = learned(measures, now_s) if known is None else adapted(known, measures, now_s)
        if newer is None:
            return
        memory.references = {**memory.references, light: newer}
        try:
            remember(self.files, camera_id, memory)
            if known is None:
                path = self.files.path(camera_id, "reference", light)
                self.files.write(path, encode_jpeg(shrink(image, PICTURE_PX)))
        except OSError as error:
            self._complain(error)

    def _complain(self, error: OSError) -> None:
        if not self._complained:
            log.error("pictures cannot be kept", reason=str(error))
        self._complained = True


def _measured(image: Image, middle: Image) -> Measures:
    try:
        return measure(image, middle)
    except ValueError as error:
        raise BadMedia(str(error)) from None


class _Mark:
    """Remembers across a crash whose picture was being decoded.

    A decoder is a large piece of C that reads what strangers send. Should one picture end the process, the next
    process must not be ended by it again: it refuses that camera until it runs anew.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = os.open(folder / "decoding", os.O_RDWR | os.O_CREAT, 0o600)
        self._bad = os.pread(self._file, 4096, 0).rstrip(b"\0").decode("utf-8", "replace") or None
        self._clear()
        if self._bad is not None:
            log.error("a picture ended the process that decoded it", camera_id=self._bad)
        self._camera_id = ""

    def __del__(self) -> None:
        os.close(self._file)

    def of(self, camera_id: str) -> "_Mark":
        """Return the guard for one decoding.

        Raises:
            BadMedia: This camera's picture ended a process.
        """
        if camera_id == self._bad:
            raise BadMedia("its picture ended the process that decoded it")
        self._camera_id = camera_id
        return self

    def __enter__(self) -> None:
        """Write down the camera."""
        os.pwrite(self._file, self._camera_id.encode("utf-8", "replace")[:4096].ljust(4096, b"\0"), 0)

    def __exit__(self, *ignored: object) -> None:
        """Strike it out."""
        self._clear()

    def _clear(self) -> None:
        os.pwrite(self._file, bytes(4096), 0)
