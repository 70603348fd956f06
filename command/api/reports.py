"""Exports of the coverage; each is recorded."""

import asyncio
from dataclasses import dataclass
from functools import cache
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Query, Response

from command.api.coverage import AreaCode, Kinds, Minutes, Viewer, moment_for, visible
from command.api.services import ServicesOf
from command.errors import NotFound
from command.reports import Language, Report, as_csv, as_xlsx, page_of
from command.resources import static_dir
from gis.coverage.page import render

router = APIRouter(tags=["reports"])


@dataclass(frozen=True, slots=True)
class Asked:
    """What a report is about."""

    minutes: int
    kinds: str | None
    area: str | None
    language: Language


def asked(
    minutes: Minutes = 5,
    kinds: Kinds = None,
    area: AreaCode = None,
    lang: Annotated[Language, Query(description="Language of the words.")] = "zh-CN",
) -> Asked:
    """Read what a report is about."""
    return Asked(minutes, kinds, area, lang)


AskedFor = Annotated[Asked, Depends(asked)]


async def _report(me: Viewer, s: ServicesOf, wanted: Asked, kind: str) -> Report:
    """Measure, and record that somebody takes the figures away."""
    moment = await moment_for(s, wanted.kinds, free=False)
    areas = visible(s, me, moment.areas, wanted.area)
    if not areas:
        raise NotFound("area", wanted.area or "", "There is no area whose figures you may have.")
    await s.audit.record(
        me.user_id,
        "report.exported",
        f"coverage:{areas[0].code}",
        data={"kind": kind, "minutes": wanted.minutes, "as_of": moment.at.isoformat()},
    )
    zone = ZoneInfo(s.settings.district.timezone)
    return Report(moment, areas, wanted.minutes, me.name, s.clock.now(), zone, wanted.language)


def _attached(report: Report, kind: str) -> dict[str, str]:
    stamp = report.made_at.astimezone(report.zone).strftime("%Y%m%d-%H%M")
    name = f"coverage-{report.areas[0].code}-{stamp}.{kind}"
    return {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}


@router.get("/reports/coverage.html")
async def coverage_page(me: Viewer, s: ServicesOf, wanted: AskedFor) -> Response:
    """Return a page with the map, the figures and their definitions that opens without any network."""
    report = await _report(me, s, wanted, "html")

    def make() -> str:
        return render(page_of(report), *_leaflet())

    return Response(await asyncio.to_thread(make), media_type="text/html", headers=_attached(report, "html"))


@cache
def _leaflet() -> tuple[str, str]:
    """Return Leaflet with its licence, and its styles."""
    folder = static_dir() / "vendor" / "leaflet"
    licence, script, styles = (
        (folder / name).read_text("utf-8") for name in ("LICENSE", "leaflet.js", "leaflet.css")
    )
    return f"/*\n{licence}*/\n{script}", styles


@router.get("/reports/coverage.csv")
async def coverage_table(me: Viewer, s: ServicesOf, wanted: AskedFor) -> Response:
    """Return the figures of all areas as CSV."""
    report = await _report(me, s, wanted, "csv")
    body = await asyncio.to_thread(as_csv, report)
    return Response(body, media_type="text/csv; charset=utf-8", headers=_attached(report, "csv"))


@router.get("/reports/coverage.xlsx")
async def coverage_workbook(me: Viewer, s: ServicesOf, wanted: AskedFor) -> Response:
    """Return the figures of all areas as a workbook, with the definitions on a second sheet."""
    report = await _report(me, s, wanted, "xlsx")
    body = await asyncio.to_thread(as_xlsx, report)
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    return Response(body, media_type=kind, headers=_attached(report, "xlsx"))
