"""``yiping export``: layers as files, beside a running service."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from command import district as names
from command.cli.common import load, say
from command.core import DATABASE, DISTRICT
from command.district import District, load_district
from command.errors import Malformed, NotFound
from command.layers import EXPORTED, INCIDENTS, Item, Shelves, Sight, of_board, of_district, of_incident
from command.layers.extract import Wish, within, write
from command.store.glance import glance
from gis.layer_files import DATUMS, FORMATS
from gis.roads.profiles import PROFILES

Data = Annotated[Path | None, typer.Option(help="Data folder.")]
Config = Annotated[Path | None, typer.Option(help="TOML file with the settings.")]
_DISTRICT_OWN = ("areas", "beats", "places", "checkpoints")


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

    The service may go on running: nothing is written to the data folder, and no record of it either. Responders
    come without positions, which only the running service knows.
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
    now = datetime.now(UTC)
    write(file, wish, items, made_by="cli", made_at=now, zone=zone)
    say(f"{file}: {layer.title} {len(items):,}，{datum}")


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
