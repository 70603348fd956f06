"""``yiping import``: the same way in as the page's, for whoever has a terminal and the service stopped."""

import asyncio
import shutil
import zipfile
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from command.basemap import SLOTS, Slot
from command.basemap.prepare import Wish
from command.cli.basemaps import import_basemap
from command.cli.common import load, say
from command.cli.words import COUNTS, STAGES, in_words
from command.core import Core, open_core
from command.events import SYSTEM
from command.geography.imports import KINDS, Imports, Job
from command.geography.imports.issues import FILE as ISSUES
from command.geography.imports.issues import read_issues
from gis.crs import WGS84
from gis.intake import Choices, Draft, picking
from gis.intake.keeping import KINDS as KEEPING
from gis.intake.model import Rows

Data = Annotated[Path | None, typer.Option(help="Data folder.")]
Config = Annotated[Path | None, typer.Option(help="TOML file with the settings.")]
SHOWN_ISSUES = 20
LOOK_S = 0.5
_SHAPEFILE_PARTS = (".shp", ".shx", ".dbf", ".prj", ".cpg")


def import_(
    what: Annotated[
        str, typer.Argument(help=f"{', '.join(KINDS)}, basemap; or undo, with a revision's number")
    ],
    source: Annotated[
        str,
        typer.Argument(
            metavar="FILE",
            help="The file to read: shapefile, GPKG, GeoJSON, KML, FGB, CSV, XLSX; of a basemap a PMTiles file, "
            "an address with {z}, {x} and {y}, or none.",
        ),
    ],
    crs: Annotated[
        str | None,
        typer.Option(
            help="EPSG:4326, EPSG:4490, GCJ-02, BD-09 or EPSG:n, +swapped where latitude comes first."
        ),
    ] = None,
    encoding: Annotated[
        str | None, typer.Option(help="Of text without one of its own, e.g. gb18030.")
    ] = None,
    layer: Annotated[str | None, typer.Option(help="Which layer or sheet; otherwise the largest.")] = None,
    mapping: Annotated[
        list[str] | None, typer.Option("--map", help="column=field; column= leaves it out. May be repeated.")
    ] = None,
    repair: Annotated[str, typer.Option(help="make_valid, coverage or both, separated by a comma.")] = "",
    rows: Annotated[
        str | None,
        typer.Option(
            help="good: rows without issues; warned: those with warnings too; all: every row, or nothing; or "
            "numbers such as 1-5,9. Left out, a file with errors or warnings changes nothing and you are asked."
        ),
    ] = None,
    keep_columns: Annotated[
        bool,
        typer.Option(
            "--keep-columns",
            help="Of areas: keep columns that mean no field, but for those that look like telephone numbers or "
            "identity cards.",
        ),
    ] = False,
    keep_private: Annotated[
        list[str] | None,
        typer.Option("--keep-private", metavar="COLUMN", help="Keep this one too. May be repeated."),
    ] = None,
    mode: Annotated[str, typer.Option(help="replace what there is, or merge by code.")] = "replace",
    name: Annotated[str, typer.Option(help="Of a basemap, for people.")] = "",
    attribution: Annotated[str, typer.Option(help="Whose basemap it is, shown on the map.")] = "",
    slot: Annotated[str, typer.Option(help="Of a basemap: custom, or imagery for pictures from above.")] = (
        "custom"
    ),
    min_zoom: Annotated[int | None, typer.Option(help="Lowest zoom of a basemap's tiles.")] = None,
    max_zoom: Annotated[int | None, typer.Option(help="Highest zoom of a basemap's tiles.")] = None,
    preferred: Annotated[bool, typer.Option(help="Show this basemap to those who chose none.")] = False,
    issues: Annotated[Path | None, typer.Option(help="Write all issues to this CSV file.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check and report; change nothing.")] = False,
    data: Data = None,
    config: Config = None,
) -> None:
    """Bring a file into the district. The service must not be running on the same data folder."""
    if what == "basemap":
        wish = Wish(_slot(slot), name, attribution, crs or "WGS-84", min_zoom, max_zoom, preferred)
        import_basemap(source, wish, data, config)
        return
    if what not in (*KINDS, "undo"):
        raise typer.BadParameter(f"{what!r} is not one of {', '.join(KINDS)}, basemap, undo")
    file = Path(source)
    settings = load(config, data)
    if what == "undo":
        core = open_core(settings)
        try:
            asyncio.run(_undo(core, source))
        finally:
            core.close()
        return
    if not file.exists():
        raise FileNotFoundError(f"{file} does not exist")
    said = {
        "kind": what,
        "crs": crs,
        "encoding": encoding,
        "layer": layer,
        "mapping": _mapping(mapping or []),
        "repair": [word.strip() for word in repair.split(",") if word.strip()],
        "rows": "good" if rows is None else _rows(rows),
        "keep_columns": keep_columns,
        "keep_private": keep_private or [],
        "mode": mode,
    }
    if (keep_columns or keep_private) and what not in KEEPING:
        raise typer.BadParameter(f"--keep-columns and --keep-private are for {', '.join(sorted(KEEPING))}")
    if keep_private and not keep_columns:
        raise typer.BadParameter("--keep-private goes with --keep-columns")
    choices = msgspec.convert(said, Choices)
    core = open_core(settings)
    try:
        asyncio.run(_bring(core, file, choices, issues, dry_run=dry_run, ask=rows is None))
    finally:
        core.close()


def _slot(word: str) -> Slot:
    for slot in SLOTS:
        if word == slot:
            return slot
    raise typer.BadParameter(f"--slot takes {' or '.join(SLOTS)}, not {word!r}")


def _mapping(pairs: list[str]) -> dict[str, str] | None:
    found = dict(pair.rpartition("=")[::2] for pair in pairs)
    if any("=" not in pair for pair in pairs):
        raise typer.BadParameter("--map takes column=field")
    return found or None


def _rows(text: str) -> Rows:
    if (word := picking.word(text)) is not None:
        return word
    try:
        return picking.parse(text)
    except ValueError as error:
        raise typer.BadParameter(
            f"--rows takes good, warned, all or numbers such as 1-5,9: {error}"
        ) from None


def _demand_choice(draft: Draft) -> None:
    """Leave the decision to the person where rows would be left out.

    Nobody looks between the check and the change here. A grid left out without a word is a hole in the district,
    and one with a doubtful border taken without a word sends people to the wrong place.

    Raises:
        ValueError: Rows have errors or warnings; says what each choice would take.
    """
    good, warned, bad = (draft.rows_by_worst[worst] for worst in ("good", "warning", "error"))
    if warned or bad:
        raise ValueError(
            f"没有写入：有问题的行由你决定（错误 {bad}，警告 {warned}）。--rows good 导入 {good} 行，"
            f"--rows warned 连同有警告的导入 {good + warned} 行，或用 --rows 1-5,9 逐行指明"
        )


async def _bring(
    core: Core, file: Path, choices: Choices, issues: Path | None, *, dry_run: bool, ask: bool
) -> None:
    desk = asyncio.create_task(core.desk.run())
    imports = core.imports
    try:
        upload = imports.place_for_upload()
        await asyncio.to_thread(_copy, file, upload)
        job = imports.begin(choices.kind, file.name, upload, SYSTEM, choices)
        try:
            job = await _watch(imports, job)
            if job.draft is not None and job.draft.needs == ("crs",) and job.draft.crs.used == WGS84:
                # Nothing tells otherwise, and there is nobody to ask: what every command documents as its default.
                say(f"  未指定坐标系，按 {WGS84} 读取；若不是，请用 --crs 指明")
                job = await _watch(
                    imports, imports.redraft(job.id, msgspec.structs.replace(choices, crs=WGS84))
                )
            if job.draft is not None:
                _report(job.draft)
                _show_issues(imports, job, issues)
            if not dry_run:
                if ask and job.draft is not None and not job.draft.needs:
                    _demand_choice(job.draft)
                job = await _watch(imports, imports.apply(job.id, SYSTEM))
                taken = job.counts.get("taken", job.counts.get("edges_car", 0))
                say(f"{job.kind}: 已导入 {taken}，问题 {_problems(job.draft)}")
                undo = "" if job.revision is None else f"；撤销：yiping import undo {job.revision}"
                say(f"  {in_words(job.counts)}{undo}")
        finally:
            await imports.remove(job.id)
    finally:
        desk.cancel()
        await asyncio.gather(desk, return_exceptions=True)


async def _undo(core: Core, number: str) -> None:
    if not number.isdigit():
        raise typer.BadParameter(f"{number!r} is not the number of a revision")
    desk = asyncio.create_task(core.desk.run())
    try:
        done = await core.keeper.undo(int(number), SYSTEM)
        say(f"已撤销第 {number} 次变更（{done.change.what} {done.change.note}）")
    finally:
        desk.cancel()
        await asyncio.gather(desk, return_exceptions=True)


async def _watch(imports: Imports, job: Job) -> Job:
    """Show progress until the work at hand is done.

    Raises:
        ValueError: It came to nothing; says why.
    """
    shown = ""
    while job.at_work:
        await asyncio.sleep(LOOK_S)
        if (at := job.progress) is not None:
            rows = f" {at.done:,}/{at.total:,}" if at.total else ""
            text = f"  {at.share:4.0%}  {STAGES.get(at.stage, at.stage)}{rows}"
            if text != shown:
                say(text)
            shown = text
    job = await imports.wait(job.id)
    if job.error is not None:
        raise ValueError(job.error.detail)
    return job


def _copy(file: Path, target: Path) -> None:
    """A copy of our own; a shapefile with the parts that lie beside it becomes one file."""
    if file.suffix.lower() != ".shp":
        shutil.copyfile(file, target)
        return
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as packed:
        for part in _SHAPEFILE_PARTS:
            for sibling in (file.with_suffix(part), file.with_suffix(part.upper())):
                if sibling.is_file():
                    packed.write(sibling, f"{file.stem}{part}")
                    break


def _report(draft: Draft) -> None:
    say(f"{draft.kind}: 可导入 {draft.taken}，问题 {_problems(draft)}")
    counts = {worst: draft.counts.get(worst, 0) for worst in ("error", "warning", "note")}
    say(f"  {draft.format} 图层 {draft.layer}，{draft.rows} 行（{in_words(counts)}）")
    fields = {column.name: column.field for column in draft.columns if column.field}
    say("  列：" + "，".join(f"{name}→{field}" for name, field in fields.items()))
    for title, columns in (
        ("另保留列", [column.name for column in draft.columns if column.kept]),
        (
            "疑似电话或证件号，未保留（要保留请用 --keep-private 列名）",
            [column.name for column in draft.columns if column.private and not column.kept],
        ),
    ):
        if columns:
            say(f"  {title}：{'，'.join(columns)}")
    guessed = "（推断）" if draft.encoding.guessed else ""
    say(f"  编码：{draft.encoding.used}{guessed}")
    say(f"  坐标系：{draft.crs.used or '无坐标'}，文件声明 {draft.crs.declared or '无'}")
    for guess in draft.crs.guesses[:3]:
        say(f"    {guess.crs} {guess.score:.0%} {guess.why.zh}")
    if draft.tiers:
        say("  层级：" + "，".join(f"{label} {count}" for label, count in draft.tiers.items()))
    for note in draft.notes:
        say(f"  {note.zh}")
    if draft.needs:
        options = {"crs": "--crs", "encoding": "--encoding", "columns": "--map", "tiers": "--map"}
        say("  请先确定：" + "，".join(f"{need}（{options.get(need, '')}）" for need in draft.needs))


def _problems(draft: Draft | None) -> int:
    return 0 if draft is None else draft.counts.get("error", 0) + draft.counts.get("warning", 0)


def _show_issues(imports: Imports, job: Job, issues: Path | None) -> None:
    path = imports.file(job.id, ISSUES)
    found, more = read_issues(path, 0, SHOWN_ISSUES)
    for one in found:
        say(f"  第 {one.row} 行 {COUNTS[one.severity]}：{one.detail_zh}")
    if more is not None:
        say("  … 还有更多，用 --issues 写出全部")
    if issues is not None:
        shutil.copyfile(path, issues)
        say(f"  全部问题：{issues}")
