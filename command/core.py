"""The service without the web: what the data folder holds, opened, and its parts tied together, once."""

import contextlib
import gc
from dataclasses import dataclass

import structlog

from command.accounts.assembly import AccountParts, assemble
from command.accounts.sql import SqlAccounts
from command.basemap import Tiles
from command.basemap.cache import TileCache
from command.basemap.fetch import Allowed, Fetcher
from command.basemap.office import BasemapOffice
from command.basemap.trials import Trials
from command.board import Board
from command.clock import Clock, SystemClock
from command.closures import in_force
from command.desk import Desk
from command.district import About, District, load_district
from command.events import Event
from command.feed import Feed
from command.geography.atlas import Atlas
from command.geography.days import today_in
from command.geography.imports import Imports
from command.geography.imports.appliers import FILE_OF, FileApplier
from command.geography.imports.cameras import CameraApplier
from command.geography.imports.people import ResponderApplier
from command.geography.imports.roads import RoadsApplier
from command.geography.keeper import Keeper
from command.geography.revisions import Revisions
from command.geography.traffic import Traffic
from command.operations import Operations
from command.policy import load_policy
from command.proposals import Proposals
from command.resources import config_dir
from command.search import Search
from command.settings import Settings, admission_of
from command.store.database import Database
from command.store.log import SqlLog
from command.store.migrate import upgrade
from command.store.secret_box import load_box
from command.store.sources import Sources
from command.store.tracks import SqlTracks
from command.store.viewings import Viewings
from command.tracking import Tracking

log = structlog.get_logger("core")

DISTRICT: str = "district"
DATABASE: str = "yiping.db"
IMPORTS: str = "imports"
PICKS: str = "search-picks.json"
TILES: str = "tiles"
TRIALS: str = "basemap-trials"
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
    basemap_trials: Trials

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
                "responders": ResponderApplier(keeper, board, operations.people),
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
        office = BasemapOffice(keeper, fetcher, box, settings.data_dir / DISTRICT)
        trials = Trials(settings.data_dir / TRIALS, office, fetcher, box, clock)
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
        office,
        trials,
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
