"""The composition root: every part is made here, once, and handed to those that need it."""

import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta

import sqlalchemy as sa
import structlog
from fastapi import APIRouter, FastAPI
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Scope

from command import __version__
from command.accounts.assembly import AccountParts, assemble
from command.accounts.sql import SqlAccounts
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
from command.basemap import Tiles
from command.basemap.cache import TileCache
from command.basemap.fetch import Allowed, Fetcher
from command.basemap.office import BasemapOffice
from command.board import Board
from command.clock import Clock, SystemClock, parse_rfc3339, rfc3339
from command.closures import in_force
from command.coverage import Coverage
from command.coverage_record import CoverageRecord
from command.desk import Desk
from command.district import About, District, load_district
from command.errors import YipingError
from command.events import Event
from command.exports import ClipExports, forget_exports
from command.feed import Feed
from command.geography.atlas import Atlas
from command.geography.days import today_in, turn_days
from command.geography.imports import Imports
from command.geography.imports.appliers import FILE_OF, FileApplier
from command.geography.imports.registries import CameraApplier, ResponderApplier
from command.geography.imports.roads import RoadsApplier
from command.geography.keeper import Keeper
from command.geography.revisions import Revisions
from command.geography.traffic import Traffic
from command.layers.desk import LayerDesk
from command.operations import Operations
from command.policy import load_policy
from command.presence import Presence
from command.proposals import Proposals
from command.resources import config_dir, static_dir
from command.search import Search
from command.settings import Settings, admission_of
from command.siting import Siting
from command.store import schema
from command.store.clips import Clips
from command.store.coverage_hours import CoverageHours
from command.store.database import Database
from command.store.log import SqlLog
from command.store.migrate import upgrade
from command.store.secret_box import load_box
from command.store.sources import Sources
from command.store.tracks import SqlTracks
from command.store.viewings import Viewings
from command.tracking import Tracking
from command.video import FOLDER as VIDEO
from command.video import VideoDesk
from command.watch import Eta, Watch
from streams.figures import HELP

log = structlog.get_logger("server")

DISTRICT: str = "district"
DATABASE: str = "yiping.db"
IMPORTS: str = "imports"
PICKS: str = "search-picks.json"
TILES: str = "tiles"
TAKEN_OUT: str = "taken-out"
KEPT_EVENTS: int = 20_000
"""How many of the newest events the feed keeps for browsers that resume."""


class Units:
    """Who stands behind responder ids and device names, for the trackers.

    Args:
        board: The roster.
    """

    def __init__(self, board: Board) -> None:
        self._board = board
        self._devices = {p.device_id: p.unit for p in board.responders.values() if p.device_id}

    def unit_of(self, responder_id: str) -> int | None:
        """Return a responder's unit number."""
        person = self._board.responders.get(responder_id)
        return None if person is None else person.unit

    def unit_of_device(self, device_id: str) -> int | None:
        """Return the unit number of whoever carries a device."""
        return self._devices.get(device_id)

    def apply(self, event: Event) -> None:
        """Follow the roster."""
        for row in event.changes.get("responders", {}).values():
            if row is not None and row["device_id"]:
                self._devices[row["device_id"]] = row["unit"]


@dataclass(frozen=True, slots=True)
class Core:
    """The service without the web: what the tools and the web edge have in common."""

    settings: Settings
    clock: Clock
    database: Database
    log: SqlLog
    board: Board
    desk: Desk
    feed: Feed
    keeper: Keeper
    traffic: Traffic
    tracking: Tracking
    units: Units
    search: Search
    operations: Operations
    parts: AccountParts
    sources: Sources
    viewings: Viewings
    imports: Imports
    basemap: Tiles
    basemap_office: BasemapOffice

    @property
    def district(self) -> District:
        """The district in force now."""
        return self.keeper.atlas.district

    def close(self) -> None:
        """Hand over what is held and close the database."""
        with contextlib.suppress(OSError):  # a full disk: an order of preference is not worth a fuss
            self.search.picks.save()
        self.tracking.flush()
        self.parts.accounts.close()
        self.database.close()


def open_core(settings: Settings, clock: Clock | None = None, district: District | None = None) -> Core:
    """Open the data folder: migrate, replay, load the district, and tie the parts together.

    Args:
        settings: All settings.
        clock: Time; the machine's own unless a test brings another.
        district: One that is loaded already; None loads the data folder's.

    Raises:
        DataFolderInUse: Another process has it.
        GisError: An imported file is damaged.
    """
    clock = clock or SystemClock()
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    database = Database(settings.data_dir / DATABASE)
    try:
        before, after = upgrade(database)
        if before != after:
            log.info("database migrated", before=before, after=after)
        event_log = SqlLog(database)
        board, feed = _replay(event_log)
        own = settings.district
        overrides = About(own.name, own.code, own.prefix)
        revisions = Revisions(settings.data_dir / DISTRICT, clock)
        if district is None:
            today = today_in(clock, settings.district.timezone)
            district = load_district(settings.data_dir / DISTRICT, overrides, day=today)
        # Before anybody asks for a way: roads that were closed when the service ended are closed.
        atlas = Atlas(district.with_closures(in_force(board.closures.values())))
        traffic = Traffic(board.closures, atlas)
        tracking = Tracking(
            board,
            district,
            SqlTracks(database),
            settings.data_dir / "tracks",
            clock,
            settings.retention.tracks_days * 86_400.0,
        )
        units = Units(board)
        find = Search(board, district, settings.data_dir / PICKS)
        key = settings.secrets.camera_key
        box = load_box(None if key is None else key.get_secret_value(), settings.data_dir)
        sources = Sources(database, box, board)
        seen = Viewings(database, clock)
        seen.end_all()

        def publish(event: Event) -> None:
            tracking.apply(event)
            units.apply(event)
            find.apply(event)
            sources.apply(event)
            traffic.apply(event)
            feed.publish(event)

        desk = Desk(board, event_log, clock, publish)
        rules = settings.config_folder or config_dir()
        policy = load_policy(rules)
        proposals = Proposals(board, tracking, lambda: atlas.district, settings)
        operations = Operations(desk, settings, policy, proposals, lambda: atlas.district, box)
        keeper = Keeper(
            atlas,
            revisions,
            desk,
            overrides,
            operations.cameras.register,
            lambda: today_in(clock, settings.district.timezone),
        )
        imports = Imports(
            settings.data_dir / IMPORTS,
            {
                **{kind: FileApplier(kind, keeper) for kind in FILE_OF},
                "cameras": CameraApplier(keeper, board, operations.cameras, sources, admission_of(settings)),
                "responders": ResponderApplier(keeper, board, operations),
                "roads": RoadsApplier(keeper),
            },
            clock,
        )
        parts = assemble(
            SqlAccounts(database), settings.security, clock, rules / "roles.toml", district.about.code
        )
        fetcher = Fetcher(
            Allowed(settings.basemap.allowed_networks, settings.basemap.allowed_hosts),
            settings.basemap.timeout_s,
        )
        cache = TileCache(settings.data_dir / TILES, settings.basemap.cache_bytes, clock)
        fresh_s = settings.basemap.fresh_days * 86_400.0
        tiles = Tiles(settings.data_dir / DISTRICT, box, fetcher, cache, clock, fresh_s)
        atlas.follow(tiles.district_changed)
        atlas.follow(tracking.take_district)
        atlas.follow(find.take_district)
        atlas.follow(lambda new: parts.access.take_code(new.about.code))
    except BaseException:
        database.close()
        raise
    return Core(
        settings,
        clock,
        database,
        event_log,
        board,
        desk,
        feed,
        keeper,
        traffic,
        tracking,
        units,
        find,
        operations,
        parts,
        sources,
        seen,
        imports,
        tiles,
        BasemapOffice(keeper, fetcher, box, settings.data_dir / DISTRICT),
    )


def _replay(event_log: SqlLog) -> tuple[Board, Feed]:
    """Bring the board up to the last event, and the feed up to it too, with the newest events at hand."""
    board = event_log.start()
    started_at = board.seq
    feed_from = event_log.last() - KEPT_EVENTS
    feed: Feed | None = None
    # Nothing allocated here is garbage: looking for it would cost more than the replay.
    gc.disable()
    try:
        for event in event_log.after(started_at):
            if feed is None and event.seq > feed_from:
                feed = Feed(board.epoch, board, KEPT_EVENTS)
            board.apply(event)
            if feed is not None:
                feed.publish(event)
    finally:
        gc.enable()
    log.info("board restored", seq=board.seq, replayed=board.seq - started_at)
    return board, feed or Feed(board.epoch, board, KEPT_EVENTS)


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
                )
            ]
            telling = group.create_task(core.keeper.tell_at_start())
            turning = group.create_task(turn_days(core.keeper))
            warming = group.create_task(asyncio.to_thread(core.search.warm))
            log.info("ready", version=__version__, district=core.district.about.name)
            try:
                yield
            finally:
                for task in (*background, telling, turning, warming):
                    task.cancel()
                await exports.close()
                await siting_desk.close()
                await core.imports.close()
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
