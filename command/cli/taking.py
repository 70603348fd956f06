"""``yiping export``: layers as files, beside a running service or without, each recorded before it is written."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from command import district as names
from command.accounts.audit import AuditLog
from command.accounts.notes import ACTION, CLI, FOLDER, Note, hand_over, login_name
from command.accounts.sql import SqlAccounts, append_audit
from command.cli.common import load, say
from command.clock import SystemClock
from command.core import DATABASE, DISTRICT
from command.district import District, load_district
from command.errors import Malformed, NotFound
from command.layers import EXPORTED, INCIDENTS, Item, Shelves, Sight, of_board, of_district, of_incident
from command.layers.extract import Wish, within, write
from command.settings import Settings
from command.store.database import Database, DataFolderInUse
from command.store.glance import glance
from command.store.migrate import upgrade
from gis.layer_files import DATUMS, FORMATS
from gis.roads.profiles import PROFILES

Data = Annotated[Path | None, typer.Option(help="Data folder.")]
Config = Annotated[Path | None, typer.Option(help="TOML file with the settings.")]
_DISTRICT_OWN = ("areas", "beats", "places", "checkpoints")
RECORDED_WITHIN_S = 20.0
"""How long a running service may take; usually a second."""


def export(
    what: Annotated[str, typer.Argument(help=", ".join(EXPORTED))],
    file: Annotated[Path, typer.Argument(help="File to write: .gpkg, .geojson, .xlsx or .csv.")],
    crs: Annotated[str, typer.Option(help="WGS-84 or GCJ-02.")] = "WGS-84",
    area: Annotated[str | None, typer.Option(help="Only what lies in this division.")] = None,
    since: Annotated[
        str | None, typer.Option("--from", help="Incidents reported from this moment or day on.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--to", help="Incidents reported before this moment or day.")
    ] = None,
    data: Data = None,
    config: Config = None,
) -> None:
    """Write areas, beats, places, checkpoints, cameras, incidents or responders to a file.

    The service may go on running. Who took what, how much of it and to where goes into the audit record first,
    by the running service or, where none runs, by this command; what cannot be recorded is not written.
    Responders come without positions, which only the running service knows.
    """
    layer = EXPORTED.get(what)
    if layer is None:
        raise typer.BadParameter(f"{what!r} is not one of {', '.join(EXPORTED)}")
    form = next((known for known in FORMATS if file.suffix.lower() == f".{known}"), None)
    if form is None:
        raise typer.BadParameter(f"{file.name!r} ends in none of {', '.join(f'.{one}' for one in FORMATS)}")
    datum = next((known for known in DATUMS if crs.upper() in (known, known.replace("-", ""))), None)
    if datum is None:
        raise typer.BadParameter(f"{crs!r} is not one of {', '.join(DATUMS)}")
    settings = load(config, data)
    zone = ZoneInfo(settings.district.timezone)
    wish = Wish(layer, form, datum, area, _moment("from", since, zone), _moment("to", until, zone))
    wish.check()
    if not file.absolute().parent.is_dir():
        raise FileNotFoundError(f"{file.parent} is no folder")
    district = _district(settings.data_dir / DISTRICT, whole=what in _DISTRICT_OWN)
    if area is not None and area not in district.areas:
        raise NotFound("area", area)
    everything = Sight(lambda _kind, _entity: True, lambda _code: True, True, lambda _person: None)
    items: list[Item]
    if what in _DISTRICT_OWN:
        items = list(of_district(layer, Shelves(), district, everything))
    else:
        with glance(settings.data_dir / DATABASE) as seen:
            if layer is INCIDENTS:
                times = [
                    None if at is None else at.astimezone(UTC).isoformat(timespec="milliseconds")[:-6] + "Z"
                    for at in (wish.since, wish.until)
                ]
                items = [of_incident(one) for one in seen.incidents(*times)]
            else:
                items = of_board(layer, seen.board(), everything)
    items = within(items, area)
    note = Note(
        layer=layer.id,
        area=area or district.about.code,
        format=form,
        crs=datum,
        rows=len(items),
        since=None if wish.since is None else wish.since.isoformat(),
        until=None if wish.until is None else wish.until.isoformat(),
        file=os.fsencode(file.absolute()).decode("utf-8", "replace"),
        login=login_name(),
    )
    _record(settings, note)
    now = datetime.now(UTC)
    write(file, wish, items, made_by="cli", made_at=now, zone=zone)
    say(f"{file}: {layer.title} {len(items):,}，{datum}")


def _record(settings: Settings, note: Note) -> None:
    """Record it: here, or by the service that has the data folder.

    Raises:
        Unavailable: It could not be recorded.
    """
    path = settings.data_dir / DATABASE
    fresh = not path.exists()
    try:
        database = Database(path)
    except DataFolderInUse:
        hand_over(settings.data_dir / FOLDER, note, RECORDED_WITHIN_S)
        return
    try:
        if fresh:  # only files were brought there so far; an older database is left as it is
            upgrade(database)
        audit = AuditLog(SqlAccounts(database), SystemClock())
        draft = audit.draft(CLI, ACTION, f"{note.layer}:{note.area}", data=note.facts(os.getuid()))
        database.write_now(lambda connection: append_audit(connection, draft))
    finally:
        database.close()


def _district(folder: Path, *, whole: bool) -> District:
    """Load the areas, and what lies in them if that is wanted; roads and houses are not needed here."""
    left_out = [names.ADDRESSES, names.RULES, names.DEPARTMENTS, *map(names.graph_file, PROFILES)]
    if not whole:
        left_out += [names.PLACES, names.CHECKPOINTS]
    return load_district(folder, files=dict.fromkeys(left_out))


def _moment(name: str, text: str | None, zone: ZoneInfo) -> datetime | None:
    """Read a moment, or a day in the district."""
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise Malformed(
            name, f"--{name}: {text!r} is no moment such as 2026-11-22 or 2026-11-22T08:00"
        ) from None
    return at if at.tzinfo is not None else at.replace(tzinfo=zone)
