"""Clips: what a camera showed for some minutes, as one MP4 file nobody has touched, with a manifest.

The fragments of the live stream go to the file as they come, nothing is decoded or encoded. While it is written the
file is a fragmented MP4 named ``….part``, good to play up to its last fragment should the machine stop. At the end
an index of all samples is appended and sixteen bytes at the front declare everything before it to be media, which
makes it an ordinary MP4 that browsers and players seek in; then it gets its name.

A camera that changes its parameters mid-stream (another resolution) begins another file, ``NAME-2.mp4``: one file
has one description. Each file has its own manifest beside it.
"""

import errno
import hashlib
import os
import struct
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Final

import msgspec

from streams.boxes import Sample, SampleTable, Track, box, read_fragment, read_init, write_moov
from streams.errors import BadMedia, StreamError

_FTYP: Final = box(b"ftyp", struct.pack(">4sI", b"isom", 0x200), b"isomiso2iso6mp41")
_PLACEHOLDER: Final = struct.pack(">I4sQ", 16, b"free", 0)
_GAP_S: Final = 1.0
_JUMP_S: Final = 2.0
_FULL: Final = (errno.ENOSPC, errno.EDQUOT)


class ClipFailed(StreamError):
    """The clip could not be written; no file is left."""

    code = "clip_failed"


class DiskFull(ClipFailed):
    """There is no room for the clip."""

    code = "disk_full"


class ClipOrder(msgspec.Struct, frozen=True, kw_only=True):
    """Write a clip of a camera.

    Attributes:
        clip_id: Comes back in `ClipDone`.
        camera_id: Which camera.
        path: The file to write, ending in ``.mp4``, in a folder that exists.
        before_s: What the ring still has of the past, up to this.
        after_s: From now on.
        most_bytes: The clip ends early when it is as big.
    """

    clip_id: str
    camera_id: str
    path: str
    before_s: float = 30.0
    after_s: float = 120.0
    most_bytes: int = 1 << 30


class Gap(msgspec.Struct, frozen=True):
    """A stretch without pictures, in seconds from the file's beginning."""

    from_s: float
    to_s: float


class ClipManifest(msgspec.Struct, frozen=True, kw_only=True, rename={"from_": "from"}):
    """What a clip's file is, to be checked later.

    Attributes:
        camera: The registry's id.
        file: Name of the file beside the manifest.
        part: 1, or more after a change of parameters.
        from_: When its first picture came from the camera, aware UTC.
        to: When its last one did.
        sha256: Of the whole file, in hexadecimal.
        size: In bytes.
        codec: Of the pictures, as in RFC 6381.
        width: In pixels.
        height: In pixels.
        frames: Number of pictures.
        duration_s: From the first to the end of the last.
        gaps: Where pictures are missing.
    """

    camera: str
    file: str
    part: int
    from_: datetime
    to: datetime
    sha256: str
    size: int
    codec: str
    width: int
    height: int
    frames: int
    duration_s: float
    gaps: tuple[Gap, ...]


class ClipDone(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a `ClipOrder`.

    Attributes:
        manifests: One for each file; none when it failed.
        reason: Error code, or None.
        detail: A sentence about it.
    """

    clip_id: str
    camera_id: str
    manifests: tuple[ClipManifest, ...] = ()
    reason: str | None = None
    detail: str | None = None


@dataclass(slots=True)
class _Part:
    """One file being written."""

    path: Path
    number: int
    init: bytes
    tracks: list[Track]
    file: IO[bytes]
    at: int
    tables: dict[int, SampleTable]
    from_s: float = 0.0
    to_s: float = 0.0
    offset_s: float | None = None
    gaps: list[Gap] = field(default_factory=list)


class ClipWriter:
    """Writes one clip. Every call may block on the disk; none is made after one has raised `ClipFailed`.

    Args:
        path: The file, ending in ``.mp4``.
        camera_id: For the manifest.
        most_bytes: `full` becomes true at this size.
    """

    def __init__(self, path: Path, camera_id: str, *, most_bytes: int = 1 << 30) -> None:
        self._path = path
        self._camera_id = camera_id
        self._most_bytes = most_bytes
        self._part: _Part | None = None
        self._next: bytes | None = None
        self._done: list[ClipManifest] = []
        self._written = 0

    @property
    def full(self) -> bool:
        """Whether the clip is as big as it may become."""
        return self._written >= self._most_bytes

    def init(self, data: bytes) -> None:
        """Take an init segment: what follows belongs to it. The same one again only means a new beginning."""
        self._next = data

    def fragment(self, data: bytes, at_unix_s: float) -> None:
        """Take one or more whole fragments; those before the first key frame are left out.

        Args:
            data: Each a ``moof`` and its ``mdat``.
            at_unix_s: When the fragment came.

        Raises:
            BadMedia: It is no fragment of the present init segment; the clip can go on without it.
            ClipFailed: It cannot be written; what there was of the clip is gone.
        """
        if self._next is not None and (self._part is None or self._part.init != self._next):
            tracks = read_init(self._next)
            runs = list(read_fragment(data, tracks))
            if not _begins(runs):
                return
            with _Disk(self):
                self._close_part()
                self._part = self._open_part(self._next, tracks)
            self._next = None
        elif self._part is None:
            raise BadMedia("a fragment without an init segment")
        else:
            runs = list(read_fragment(data, self._part.tracks))
            if self._next is not None:
                if not _begins(runs):
                    return
                self._part.offset_s = None
                self._next = None
        with _Disk(self):
            self._part.file.write(data)
        for track, place, samples in runs:
            self._take(self._part, track, self._part.at + place, samples, at_unix_s)
        self._part.at += len(data)
        self._written += len(data)

    def finish(self) -> tuple[ClipManifest, ...]:
        """Complete the last file and return what was written; no file and no manifest without a key frame.

        Raises:
            ClipFailed: It cannot be written; what there was of the clip is gone.
        """
        with _Disk(self):
            self._close_part()
        return tuple(self._done)

    def discard(self) -> None:
        """Delete everything written; harmless when there is nothing."""
        part, self._part = self._part, None
        if part is not None:
            try:
                part.file.close()
            except OSError:
                pass
            part.path.with_name(part.path.name + ".part").unlink(missing_ok=True)
            part.path.unlink(missing_ok=True)
        for manifest in self._done:
            self._path.with_name(manifest.file).unlink(missing_ok=True)
            manifest_path(self._path.with_name(manifest.file)).unlink(missing_ok=True)
        self._done.clear()

    def _open_part(self, init: bytes, tracks: list[Track]) -> _Part:
        number = len(self._done) + 1
        path = self._path if number == 1 else self._path.with_stem(f"{self._path.stem}-{number}")
        file = path.with_name(path.name + ".part").open("xb", buffering=1 << 18)
        head = _FTYP + _PLACEHOLDER + init
        tables = {track.id: SampleTable(track) for track in tracks}
        part = _Part(path, number, init, tracks, file, len(head), tables)
        self._part = part  # from here on `discard` knows of the file
        file.write(head)
        return part

    def _take(self, part: _Part, track: Track, place: int, samples: list[Sample], at_s: float) -> None:
        pictures = part.tables[part.tracks[0].id].samples
        units = track.units
        if track.kind == "vide":
            self._align(part, samples[0].decode_at / units, at_s)
            part.to_s = at_s + samples[-1].duration / units
        if part.offset_s is None:
            return
        table = part.tables[track.id]
        shift = round(part.offset_s * units)
        moved = [
            Sample(s.size, s.decode_at + shift, s.duration, s.shift, s.key or track.kind != "vide")
            for s in samples
        ]
        floor = table.samples[-1].decode_at + 1 if table.samples else 0
        if moved[0].decode_at < floor:
            # Sound from before the first picture, or again after a new beginning: its bytes stay, unheard.
            return
        if track.kind == "vide" and pictures:
            last = pictures[-1]
            gap_s = (moved[0].decode_at - last.decode_at - last.duration) / units
            if gap_s > _GAP_S:
                from_s = (last.decode_at + last.duration) / units
                part.gaps.append(Gap(round(from_s, 3), round(from_s + gap_s, 3)))
        table.samples.extend(moved)
        table.chunks.append((place, len(moved)))

    def _align(self, part: _Part, decode_s: float, at_s: float) -> None:
        """Find what must be added to the stream's clock: it starts anew with each connection, ours goes on."""
        pictures = part.tables[part.tracks[0].id].samples
        if not pictures:
            part.from_s = at_s
            part.offset_s = -decode_s
            return
        last = pictures[-1]
        last_s = last.decode_at / part.tracks[0].units
        step_s = max(last.duration / part.tracks[0].units, 0.001)
        waited_s = max(step_s, at_s - (part.to_s - step_s))
        if part.offset_s is not None:
            ahead_s = decode_s + part.offset_s - last_s
            if 0 < ahead_s < waited_s + _JUMP_S:
                return
        part.offset_s = last_s + min(waited_s, 24 * 3600.0) - decode_s

    def _close_part(self) -> None:
        part = self._part
        if part is None:
            return
        temporary = part.path.with_name(part.path.name + ".part")
        pictures = part.tables[part.tracks[0].id].samples
        media_from, media_to = len(_FTYP), part.at
        part.file.write(write_moov(list(part.tables.values())))
        part.file.seek(media_from)
        part.file.write(struct.pack(">I4sQ", 1, b"mdat", media_to - media_from))
        part.file.flush()
        os.fsync(part.file.fileno())
        part.file.close()
        sha256, size = hash_file(temporary)
        width, height = _size(part.tracks[0])
        end = pictures[-1].decode_at + pictures[-1].duration
        manifest = ClipManifest(
            camera=self._camera_id,
            file=part.path.name,
            part=part.number,
            from_=datetime.fromtimestamp(part.from_s, UTC),
            to=datetime.fromtimestamp(part.to_s, UTC),
            sha256=sha256,
            size=size,
            codec=part.tracks[0].codec,
            width=width,
            height=height,
            frames=len(pictures),
            duration_s=round((end - pictures[0].decode_at) / part.tracks[0].units, 3),
            gaps=tuple(part.gaps),
        )
        os.replace(temporary, part.path)
        write_manifest(part.path, manifest)
        self._done.append(manifest)
        self._part = None


class _Disk:
    """Turns what the disk refuses into `ClipFailed`, and leaves no file behind."""

    def __init__(self, writer: ClipWriter) -> None:
        self._writer = writer

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Clean up after an `OSError`."""
        if isinstance(error, OSError):
            self._writer.discard()
            failed = DiskFull if error.errno in _FULL else ClipFailed
            raise failed(f"the clip cannot be written: {error.strerror or error}") from error


def _begins(runs: list[tuple[Track, int, list[Sample]]]) -> bool:
    return any(track.kind == "vide" and samples[0].key for track, _, samples in runs)


def _size(track: Track) -> tuple[int, int]:
    """Width and height from the end of the copied ``tkhd``, where they are 16.16 numbers."""
    width, height = struct.unpack(">II", track.tkhd[-8:])
    return width >> 16, height >> 16


def hash_file(path: Path) -> tuple[str, int]:
    """Return a file's SHA-256 in hexadecimal, and its size."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
        return digest.hexdigest(), file.tell()


def manifest_path(path: Path) -> Path:
    """Return where the manifest of a file is."""
    return path.with_suffix(".json")


def write_manifest(path: Path, manifest: msgspec.Struct) -> None:
    """Write a file's manifest beside it, as a whole.

    Raises:
        OSError: It cannot be written.
    """
    target = manifest_path(path)
    part = target.with_name(target.name + ".part")
    try:
        with part.open("wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(manifest), indent=2))
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, target)
    except OSError:
        part.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def read_manifest(path: Path) -> ClipManifest:
    """Read the manifest of a clip's file.

    Raises:
        ClipFailed: There is none, or it is none.
    """
    try:
        return msgspec.json.decode(manifest_path(path).read_bytes(), type=ClipManifest)
    except (OSError, msgspec.MsgspecError) as error:
        raise ClipFailed(f"no manifest for {path.name}: {error}") from None


def verify(path: Path) -> ClipManifest:
    """Return the manifest of a clip's file if the file is still what it says.

    Raises:
        ClipFailed: File or manifest is missing, or the file has been changed.
    """
    manifest = read_manifest(path)
    try:
        sha256, size = hash_file(path)
    except OSError as error:
        raise ClipFailed(f"{path.name} cannot be read: {error}") from None
    if (sha256, size) != (manifest.sha256, manifest.size):
        raise ClipFailed(f"{path.name} is not the file its manifest describes")
    return manifest
