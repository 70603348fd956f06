"""The web edge over the core: routers, the hub of the feed, what runs beside them, and in which order."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict
from datetime import timedelta

import sqlalchemy as sa
import structlog
from fastapi import APIRouter, FastAPI
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Scope

from command import __version__
from command.accounts.access import granted_to_nobody
from command.accounts.notes import FOLDER as NOTES
from command.accounts.notes import Notes
from command.api import (
    admin,
    alarms,
    area_edits,
    areas,
    assignments,
    basemap,
    camera_registry,
    cameras,
    closures,
    coverage,
    coverage_history,
    errors,
    gb,
    incidents,
    indicators,
    layer_exports,
    live,
    locating,
    messages,
    nearest,
    ogc,
    ops,
    pages,
    pictures,
    places,
    probes,
    replay,
    reports,
    responders,
    revisions,
    search,
    session,
    siting,
    staffing,
    tours,
    viewings,
    wall,
)
from command.api import clips as clips_api
from command.api import imports as imports_api
from command.api.feed import FeedHub
from command.api.ingest import IngestApp, IngestServices, SessionGrant
from command.api.middleware import SecurityMiddleware
from command.api.ops import Figure, standard_checks, standard_figures
from command.api.security import origin_allowed, session_of
from command.api.services import Services
from command.api.views import viewer_of
from command.clock import Clock, parse_rfc3339, rfc3339
from command.core import Core, open_core
from command.coverage import Coverage
from command.coverage_record import CoverageRecord
from command.errors import YipingError
from command.exports import ClipExports, forget_exports
from command.geography.days import turn_days
from command.layers.desk import LayerDesk
from command.presence import Presence
from command.resources import static_dir
from command.settings import Settings
from command.siting import Siting
from command.store import schema
from command.store.clips import Clips
from command.store.coverage_hours import CoverageHours
from command.store.database import Database
from command.video import FOLDER as VIDEO
from command.video import VideoDesk
from command.watch import Eta, Watch
from streams.figures import HELP

log = structlog.get_logger("server")

TAKEN_OUT: str = "taken-out"


def create_app(settings: Settings, *, clock: Clock | None = None, core: Core | None = None) -> ASGIApp:
    """Build the service.

    Args:
        settings: All settings.
        clock: Time; the machine's own unless a test brings another.
        core: An opened core to use instead of opening ``settings.data_dir``.

    Returns:
        The ASGI application. Its state ``services`` is the bundle the routers use.
    """
    core = core or open_core(settings, clock)
    presence = Presence()
    clips = Clips(core.database, settings.data_dir / VIDEO / "clips", core.clock)
    zone, fonts = settings.district.timezone, static_dir() / "vendor" / "noto-sans-sc"
    exports = ClipExports(clips, core.clock, zone, core.district.about.name, fonts)
    video_desk = VideoDesk(settings, core.operations, core.sources, clips, core.clock, lambda: core.district)
    coverage_now = Coverage(
        core.board, core.tracking, core.operations.proposals, lambda: core.district, core.clock
    )
    siting_desk = Siting(core.clock)
    record = CoverageRecord(
        coverage_now,
        CoverageHours(core.database),
        core.clock,
        lambda: core.operations.policy.kinds_for(None),
        settings.retention.coverage_days,
    )
    layer_desk = LayerDesk(
        core.board,
        core.tracking,
        core.parts.access,
        lambda: core.district,
        core.database,
        settings.data_dir / TAKEN_OUT,
    )
    notes = Notes(settings.data_dir / NOTES, core.parts.audit)
    services = Services(
        settings=settings,
        clock=core.clock,
        policy=core.operations.policy,
        database=core.database,
        log=core.log,
        board=core.board,
        desk=core.desk,
        operations=core.operations,
        feed=core.feed,
        presence=presence,
        telemetry=core.tracking,
        search=core.search,
        coverage=coverage_now,
        coverage_record=record,
        siting=siting_desk,
        keeper=core.keeper,
        basemap=core.basemap,
        basemap_office=core.basemap_office,
        basemap_trials=core.basemap_trials,
        traffic=core.traffic,
        accounts=core.parts.accounts,
        sessions=core.parts.sessions,
        tokens=core.parts.tokens,
        access=core.parts.access,
        audit=core.parts.audit,
        sources=core.sources,
        viewings=core.viewings,
        imports=core.imports,
        video_desk=video_desk,
        exports=exports,
        layers=layer_desk,
    )
    hub = FeedHub(
        core.feed,
        core.tracking.ticker,
        presence,
        core.clock,
        authenticate=viewer_of,
        still_valid=lambda viewer: services.sessions.alive(viewer.session_id),
        origin_allowed=origin_allowed,
    )
    core.parts.sessions.on_revoked(hub.end_session)

    def publish_etas(etas: Sequence[Eta]) -> None:
        hub.publish_eta([asdict(eta) for eta in etas])

    watch = Watch(
        core.operations,
        core.log,
        core.clock,
        settings,
        core.tracking.fixes,
        publish_etas,
        lambda now: purge(core, video_desk, now),
    )

    background: list[asyncio.Task[object]] = []

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await core.parts.accounts.load()
        await asyncio.to_thread(forget_exports, settings.data_dir / VIDEO / "clips")
        await asyncio.to_thread(layer_desk.forget_files)
        async with asyncio.TaskGroup() as group, hub.running(tick_hz=settings.telemetry.tick_hz):
            background[:] = [
                group.create_task(part)
                for part in (
                    core.desk.run(),
                    watch.run(),
                    core.tracking.run(),
                    core.traffic.run(),
                    core.parts.sessions.run(),
                    video_desk.run(),
                    record.run(),
                    core.search.run(),
                    core.basemap.run(),
                    notes.run(),
                )
            ]
            telling = group.create_task(core.keeper.tell_at_start())
            turning = group.create_task(turn_days(core.keeper))
            warming = group.create_task(asyncio.to_thread(core.search.warm))
            if missing := granted_to_nobody(core.parts.access.roles):
                # A centre's own roles file from before goes on working; what is new is nobody's until it says.
                log.warning("roles.toml gives these permissions to nobody", permissions=", ".join(missing))
            log.info("ready", version=__version__, district=core.district.about.name)
            try:
                yield
            finally:
                for task in (*background, telling, turning, warming):
                    task.cancel()
                await exports.close()
                await siting_desk.close()
                await core.imports.close()
                core.basemap_trials.close()
        try:
            await watch.checkpoint()
        except YipingError as error:  # a full disk must not keep the rest from being put away
            log.warning("no checkpoint at shutdown", reason=error.detail)
        core.close()

    app = FastAPI(title="Yiping 一屏", version=__version__, lifespan=lifespan, docs_url=None, redoc_url=None)
    app.state.services = services
    app.state.hub = hub
    errors.install(app)
    api = APIRouter(prefix="/api/v1")
    for module in (
        session,
        admin,
        areas,
        basemap,
        area_edits,
        locating,
        staffing,
        coverage,
        coverage_history,
        siting,
        indicators,
        nearest,
        incidents,
        assignments,
        responders,
        cameras,
        camera_registry,
        tours,
        alarms,
        closures,
        viewings,
        gb,
        imports_api,
        revisions,
        live,
        pictures,
        places,
        probes,
        replay,
        reports,
        clips_api,
        layer_exports,
        messages,
        search,
        wall,
    ):
        api.include_router(module.router)
    app.include_router(api)
    app.include_router(basemap.tiles_router)
    app.include_router(ops.router)
    app.state.passes = ogc.Passes()
    app.include_router(ogc.router)
    figures = standard_figures(services, hub)
    app.state.figures = figures
    app.state.checks = {
        **standard_checks(services),
        "desk": lambda: core.desk.failure is None,
        "running": lambda: not any(task.done() for task in background),
    }
    figures.add_labelled(video_desk.video.figures, HELP)
    app.add_api_websocket_route("/api/v1/feed", hub.endpoint)
    pages.add_pages(app, static_dir())
    ingest = IngestServices(
        positions=core.tracking.positions,
        tokens=core.parts.tokens,
        roster=core.units,
        clock=core.clock,
        session=lambda scope: _field_grant(app, scope),
    )
    figures.add(Figure("positions_accepted", "Position reports accepted.", lambda: ingest.accepted))
    # Trackers report past everything else: they use no cookies, and a log line each would cost more than they do.
    return IngestApp(SecurityMiddleware(pages.PackedAnswers(app), settings, figures.observe), ingest)


async def _field_grant(app: FastAPI, scope: Scope) -> SessionGrant | None:
    """Return what a signed-in field user's browser may report: the own position."""
    connection = HTTPConnection({**scope, "app": app})
    if not origin_allowed(connection):
        return None
    found = session_of(connection)
    if found is None or found.principal.responder_id is None:
        return None
    if not app.state.services.access.allows(found.principal, "position.report"):
        return None
    return SessionGrant(found.principal.responder_id)


async def purge(core: Core, video_desk: VideoDesk, now: str) -> int:
    """Erase the contacts, viewings and clips that are due; returns how many."""
    oldest = parse_rfc3339(now) - timedelta(days=core.settings.retention.viewing_log_days)
    return (
        await purge_contacts(core.database, now)
        + await core.viewings.purge(rfc3339(oldest))
        + await video_desk.purge(now)
    )


async def purge_contacts(database: Database, now: str) -> int:
    """Erase the contacts that are due; returns how many."""
    statement = sa.delete(schema.contacts).where(schema.contacts.c.purge_at <= now)
    return await database.write(lambda connection: connection.execute(statement).rowcount)
