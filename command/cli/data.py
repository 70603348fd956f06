"""Bringing data in, keeping it safe, and finding out what is wrong with it."""

import asyncio
import shutil
import socket
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from command import camera_import, importing
from command.cli.common import load, say
from command.errors import YipingError
from command.events import SYSTEM
from command.server import DATABASE, DISTRICT, Core, open_core
from command.settings import Settings, admission_of
from command.store import archive
from command.store.database import Database
from command.store.migrate import upgrade
from gis.basemap import find_tippecanoe
from gis.errors import GisError
from gis.tables import RowError

Data = Annotated[Path | None, typer.Option(help="Data folder.")]
Config = Annotated[Path | None, typer.Option(help="TOML file with the settings.")]
SHOWN_ERRORS = 20


def import_(
    what: Annotated[str, typer.Argument(help="areas, beats, cameras, responders, roads or places")],
    file: Annotated[Path, typer.Argument(help="The file to read.")],
    crs: Annotated[
        str | None, typer.Option(help="EPSG:4326, EPSG:4490, GCJ-02, BD-09 or another EPSG code.")
    ] = None,
    encoding: Annotated[
        str | None, typer.Option(help="Of text without one of its own, e.g. gb18030.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check and report; change nothing.")] = False,
    data: Data = None,
    config: Config = None,
) -> None:
    """Import a file into the district. The service must not be running on the same data folder."""
    settings = load(config, data)
    if not file.exists():
        raise FileNotFoundError(f"{file} does not exist")
    folder = settings.data_dir / DISTRICT
    geography: dict[str, Callable[[], importing.Imported]] = {
        "areas": lambda: importing.import_areas(folder, file, crs, encoding, dry_run=dry_run),
        "beats": lambda: importing.import_beats(folder, file, crs, encoding, dry_run=dry_run),
        "places": lambda: importing.import_places(folder, file, crs, encoding, dry_run=dry_run),
        "roads": lambda: importing.import_roads(folder, file, dry_run=dry_run, progress=_progress),
    }
    if what in geography:
        done = geography[what]()
    elif what in ("responders", "cameras"):
        done = _import_registry(settings, what, file, crs, encoding, dry_run=dry_run)
    else:
        raise typer.BadParameter(f"{what!r} is not one of areas, beats, cameras, responders, roads, places")
    _report(done, dry_run=dry_run)


def _progress(share: float, what: str) -> None:
    say(f"  {share:4.0%}  {what}")


def _import_registry(
    settings: Settings,
    what: str,
    file: Path,
    crs: str | None,
    encoding: str | None,
    *,
    dry_run: bool,
) -> importing.Imported:
    core = open_core(settings)
    try:
        return asyncio.run(_register(core, what, file, crs, encoding, dry_run=dry_run))
    finally:
        core.close()


async def _register(
    core: Core, what: str, file: Path, crs: str | None, encoding: str | None, *, dry_run: bool
) -> importing.Imported:
    desk = asyncio.create_task(core.desk.run())
    errors: list[RowError]
    try:
        if what == "responders":
            known = list(core.board.responders.values())
            units = [person.unit for person in known]
            people, errors = importing.read_responders(file, core.district, units, known, crs)
            if not dry_run:
                await core.operations.register_responders(SYSTEM, people)
            return importing.Imported(what, len(people), tuple(errors))
        found = camera_import.read_cameras(
            await asyncio.to_thread(file.read_bytes),
            core.district,
            name=str(file),
            crs=crs,
            encoding=encoding,
            known=core.board.cameras,
        )
        found = await camera_import.check_hosts(found, admission_of(core.settings))
        if not dry_run:
            sources = camera_import.changed_sources(found, await core.sources.kept_all())
            await core.operations.cameras.register(SYSTEM, found.cameras, sources=sources)
        problems = tuple(RowError(e.row, f"{e.column}: {e.reason}") for e in found.errors)
        return importing.Imported(what, len(found.cameras), problems, {"columns": dict(found.columns)})
    finally:
        desk.cancel()
        await asyncio.gather(desk, return_exceptions=True)


def _report(done: importing.Imported, *, dry_run: bool) -> None:
    word = "可导入" if dry_run else "已导入"
    say(f"{done.what}: {word} {done.taken}，问题 {len(done.errors)}")
    for key, value in done.notes.items():
        say(f"  {key}: {value}")
    for error in done.errors[:SHOWN_ERRORS]:
        say(f"  第 {error.row} 行: {error.reason}" + ("" if error.dropped else "（已保留）"))
    if len(done.errors) > SHOWN_ERRORS:
        say(f"  … 另有 {len(done.errors) - SHOWN_ERRORS} 处")
    if not done.taken:
        raise ValueError(f"nothing in the file could be imported as {done.what}")


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
