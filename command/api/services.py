"""What the web edge works with: one frozen bundle, put together in `command.server` and nowhere else."""

import hashlib
from dataclasses import dataclass
from typing import Annotated

import msgspec
from fastapi import Depends, Request

from command.accounts.access import Access, Principal
from command.accounts.audit import AuditLog
from command.accounts.sessions import Sessions
from command.accounts.tokens import Tokens
from command.accounts.users import Accounts
from command.basemap import Tiles
from command.basemap.office import BasemapOffice
from command.basemap.trials import Trials
from command.board import Board, Entity
from command.clock import Clock
from command.coverage import Coverage
from command.coverage_record import CoverageRecord
from command.desk import Desk, Key
from command.district import District
from command.exports import ClipExports
from command.feed import Feed
from command.geography.imports import Imports
from command.geography.keeper import Keeper
from command.geography.traffic import Traffic
from command.layers.desk import LayerDesk
from command.operations import Operations
from command.policy import Policy
from command.presence import Presence
from command.proposals import Proposals
from command.search import Search
from command.settings import Settings
from command.siting import Siting
from command.store.database import Database
from command.store.log import EventLog
from command.store.sources import Sources
from command.store.viewings import Viewings
from command.tracking import Tracking
from command.video import VideoDesk
from streams.service import Video


@dataclass(frozen=True, slots=True)
class Services:
    """Everything a router may reach."""

    settings: Settings
    clock: Clock
    policy: Policy
    database: Database
    log: EventLog
    board: Board
    desk: Desk
    operations: Operations
    feed: Feed
    presence: Presence
    telemetry: Tracking
    search: Search
    coverage: Coverage
    coverage_record: CoverageRecord
    siting: Siting
    keeper: Keeper
    basemap: Tiles
    basemap_office: BasemapOffice
    basemap_trials: Trials
    traffic: Traffic
    accounts: Accounts
    sessions: Sessions
    tokens: Tokens
    access: Access
    audit: AuditLog
    sources: Sources
    viewings: Viewings
    video_desk: VideoDesk
    exports: ClipExports
    layers: LayerDesk
    imports: Imports

    @property
    def district(self) -> District:
        """The district in force now; not to be kept across a wait."""
        return self.keeper.atlas.district

    @property
    def video(self) -> Video:
        """The video processes."""
        return self.video_desk.video

    @property
    def proposals(self) -> Proposals:
        """Who could go where."""
        return self.operations.proposals

    def lookup(self, kind: str, key: str) -> Entity | None:
        """Return an entity of the board, or None; what the access rules look things up with."""
        return self.board.kind(kind).get(key)

    def sees(self, principal: Principal, kind: str, entity: object) -> bool:
        """Say whether the entity exists for this principal."""
        return self.access.sees(principal, kind, entity, self.lookup)

    def demand(self, principal: Principal, permission: str, kind: str, key: str) -> None:
        """Raise `NotFound` or `Forbidden` unless the permission covers this entity of the board."""
        found = self.board.kind(kind).get(key)
        self.access.demand(principal, permission, kind, found, key, self.lookup)


def services_of(request: Request) -> Services:
    """Return the bundle of the app that serves this request."""
    found: Services = request.app.state.services
    return found


async def idempotency_key(request: Request) -> Key:
    """Return the request's idempotency key with a fingerprint of what it asks for."""
    key = request.headers.get("idempotency-key")
    if key is None:
        return Key()
    asked = hashlib.sha256(f"{request.method} {request.url.path}\n".encode() + await request.body())
    return Key(key[:200], asked.hexdigest())


ServicesOf = Annotated[Services, Depends(services_of)]
KeyOf = Annotated[Key, Depends(idempotency_key)]

Json = dict[str, object]


def wire(entity: msgspec.Struct) -> Json:
    """Return an entity as it goes over the wire."""
    out: Json = msgspec.to_builtins(entity)
    return out
