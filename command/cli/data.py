"""Bringing data in, keeping it safe, and finding out what is wrong with it."""

import shutil
import socket
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from command.cli.common import load, say
from command.core import DATABASE, DISTRICT
from command.errors import YipingError
from command.settings import Settings
from command.store import archive
from command.store.database import Database
from command.store.migrate import upgrade
from gis.basemap import find_tippecanoe
from gis.errors import GisError

Data = Annotated[Path | None, typer.Option(help="Data folder.")]
Config = Annotated[Path | None, typer.Option(help="TOML file with the settings.")]


def migrate(data: Data = None, config: Config = None) -> None:
    """Bring the database to this version's tables."""
    settings = load(config, data)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    database = Database(settings.data_dir / DATABASE)
    try:
        before, after = upgrade(database)
    finally:
        database.close()
    say(f"database: {before or 'empty'} → {after}")


def backup(
    file: Annotated[Path, typer.Argument(help="Archive to write, .tar.gz.")],
    data: Data = None,
    config: Config = None,
) -> None:
    """Write a backup; the service may go on running."""
    done = archive.backup(load(config, data).data_dir, file)
    say(f"{file}: {done.files} files, {done.size_bytes:,} bytes, up to event {done.seq}")


def restore(
    file: Annotated[Path, typer.Argument(help="Archive to read.")], data: Data = None, config: Config = None
) -> None:
    """Restore a backup into an empty data folder."""
    settings = load(config, data)
    done = archive.restore(file, settings.data_dir)
    say(f"{settings.data_dir}: {done.files} files from {done.created_at}, up to event {done.seq}")


def doctor(data: Data = None, config: Config = None) -> None:
    """Look for what would keep the service from working, and say how to mend it."""
    settings = load(config, data)
    problems = 0
    for name, check in _checks(settings).items():
        try:
            say(f"  好  {name}: {check()}")
        except (YipingError, GisError, OSError, ValueError, sqlite3.Error) as error:
            problems += 1
            say(f"  坏  {name}: {getattr(error, 'detail', None) or error}")
    if problems:
        raise ValueError(f"{problems} problem(s) found")


def _checks(settings: Settings) -> dict[str, Callable[[], str]]:
    folder = settings.data_dir
    path = folder / DATABASE

    def disk() -> str:
        free = shutil.disk_usage(folder if folder.exists() else folder.parent).free
        if free < settings.retention.min_free_bytes:
            raise ValueError(f"only {free:,} bytes free; writing stops when it is full")
        return f"{free / 1e9:.1f} GB free"

    def writable() -> str:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".doctor"
        probe.write_text("ok")
        probe.unlink()
        return str(folder)

    def database() -> str:
        if not path.exists():
            return "none yet; it is made at the first start"
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            verdict = connection.execute("PRAGMA quick_check").fetchone()[0]
            events = connection.execute("SELECT COUNT(*) FROM events").fetchone()[0]
        if verdict != "ok":
            raise ValueError(f"damaged: {verdict}; restore the last backup")
        return f"ok, {events:,} events"

    def roads() -> str:
        found = sorted(p.stem.removeprefix("roads-") for p in (folder / DISTRICT).glob("roads-*.npz"))
        return ", ".join(found) or "none; arrival times will be straight-line estimates (yiping import roads)"

    def areas() -> str:
        present = (folder / DISTRICT / "areas.gpkg").exists()
        return "imported" if present else "none; incidents cannot be located to a grid (yiping import areas)"

    def port() -> str:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((settings.host, settings.port))
        return f"{settings.host}:{settings.port} is free"

    return {
        "python": lambda: sys.version.split()[0],
        "sqlite": lambda: sqlite3.sqlite_version,
        "data folder": writable,
        "disk": disk,
        "database": database,
        "areas": areas,
        "roads": roads,
        "tile maker": lambda: str(find_tippecanoe()),
        "port": port,
    }
