"""Backup and restore: database, district, photos and tracks in one archive with a manifest of hashes."""

import hashlib
import io
import json
import os
import sqlite3
import tarfile
import tempfile
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from command import __version__
from command.errors import YipingError

DATABASE: Final = "yiping.db"
FOLDERS: Final = ("district", "photos", "tracks")
MANIFEST: Final = "manifest.json"
_BLOCK: Final = 1 << 20


class BadArchive(YipingError):
    """The archive is damaged, incomplete or none of ours; nothing was restored."""

    code = "bad_archive"


@dataclass(frozen=True, slots=True)
class Summary:
    """What an archive holds: files, bytes before compression, and the last event's number."""

    files: int
    size_bytes: int
    seq: int
    created_at: str


def backup(data: Path, target: Path) -> Summary:
    """Write an archive of a data folder, whether or not the service is running.

    The copy of the database is one consistent moment, taken by SQLite itself through a read-only connection
    that never checkpoints. Files beside it are only ever added whole.

    Args:
        data: The data folder.
        target: The archive, ``.tar.gz``; written whole or not at all, readable by its owner only.

    Raises:
        FileNotFoundError: There is no database in the folder.
        OSError: The archive cannot be written.
    """
    source = data / DATABASE
    if not source.exists():
        raise FileNotFoundError(f"{source} does not exist: nothing to back up")
    part = target.with_name(target.name + ".part")
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".backup-") as folder:
        copy = Path(folder) / DATABASE
        with (
            closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as connection,
            closing(sqlite3.connect(copy)) as target_connection,
        ):
            connection.execute("PRAGMA query_only=ON")
            connection.backup(target_connection)
        with closing(sqlite3.connect(f"file:{copy}?mode=ro", uri=True)) as connection:
            seq = connection.execute("SELECT COALESCE(MAX(seq), 0) FROM events").fetchone()[0]
        names = {DATABASE: copy}
        for name in FOLDERS:
            names |= {
                str(path.relative_to(data)): path
                for path in sorted((data / name).rglob("*"))
                if path.is_file() and not path.name.endswith(".part")
            }
        hashes = {name: _digest(path) for name, path in names.items()}
        created_at = datetime.now(UTC).isoformat(timespec="seconds")
        manifest = {"version": __version__, "created_at": created_at, "seq": seq, "files": hashes}
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with (
            os.fdopen(handle, "wb") as file,
            tarfile.open(fileobj=file, mode="w:gz", compresslevel=4) as archive,
        ):
            text = json.dumps(manifest, ensure_ascii=False, indent=1).encode()
            entry = tarfile.TarInfo(MANIFEST)
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text))
            for name, path in names.items():
                archive.add(path, name, recursive=False)
            size = sum(path.stat().st_size for path in names.values())
    os.replace(part, target)
    return Summary(len(names), size, seq, created_at)


def restore(source: Path, data: Path) -> Summary:
    """Unpack an archive into an empty or missing data folder.

    Every file is checked against the manifest before anything appears in ``data``. The restored log gets a
    new epoch: browsers that saw later events start again from a snapshot.

    Raises:
        BadArchive: Something is missing, added, damaged, or the database fails its own check.
        FileExistsError: The folder holds a database already.
        OSError: A file cannot be read or written.
    """
    if (data / DATABASE).exists():
        raise FileExistsError(f"{data} already holds a district; restore into an empty folder")
    data.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=data.parent, prefix=".restore-") as folder:
        room = Path(folder)
        manifest = _unpack(source, room)
        _check_database(room / DATABASE)
        data.mkdir(parents=True, exist_ok=True)
        for name in (*FOLDERS, DATABASE):  # the database last: without it the folder counts as empty
            if (room / name).exists():
                os.replace(room / name, data / name)
    files: dict[str, Any] = manifest["files"]
    size = sum(f["size"] for f in files.values())
    return Summary(len(files), size, manifest["seq"], manifest["created_at"])


def _unpack(source: Path, room: Path) -> dict[str, Any]:
    try:
        with tarfile.open(source, "r:gz") as archive:
            first = archive.next()
            stream = None if first is None or first.name != MANIFEST else archive.extractfile(first)
            if stream is None:
                raise BadArchive(f"{source}: no manifest; this is not a backup of this service")
            manifest: dict[str, Any] = json.loads(stream.read())
            files: dict[str, Any] = manifest["files"]
            while (entry := archive.next()) is not None:
                if entry.name not in files or not entry.isfile():
                    raise BadArchive(f"{source}: {entry.name} is not in the manifest")
                archive.extract(entry, room, filter="data")
    except (tarfile.TarError, EOFError, OSError, ValueError, KeyError) as error:
        raise BadArchive(f"{source}: damaged or cut off ({type(error).__name__})") from error
    for name, expected in files.items():
        path = room / name
        if not path.is_file() or _digest(path) != expected:
            raise BadArchive(f"{source}: {name} is missing or damaged")
    return manifest


def _check_database(path: Path) -> None:
    try:
        with closing(sqlite3.connect(path)) as connection:
            verdict = connection.execute("PRAGMA integrity_check").fetchone()[0]
            if verdict != "ok":
                raise BadArchive(f"the archived database is damaged: {verdict}")
            connection.execute("UPDATE meta SET value = ? WHERE key = 'epoch'", (uuid4().hex,))
            connection.commit()
    except sqlite3.DatabaseError as error:
        raise BadArchive(f"the archived database is damaged: {error}") from error


def _digest(path: Path) -> dict[str, Any]:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return {"sha256": digest.hexdigest(), "size": path.stat().st_size}
