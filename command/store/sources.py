"""Sources of cameras and GB/T 28181 devices as the database keeps them.

Those who open cameras read them with their passwords, everybody else without.
"""

import asyncio
from collections.abc import Awaitable, Callable, Container, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import sqlalchemy as sa
import structlog

from command.board import Board
from command.events import Event
from command.store import schema
from command.store.database import Database
from command.store.secret_box import Sealed, SecretBox
from streams.gb28181.messages import GbDevice
from streams.source import CameraSpec, Source

log = structlog.get_logger("sources")

SETTLE_S: Final = 0.2
"""How long changes are gathered before they are passed on: an import makes thousands."""
_CONCERNED: Final = frozenset({"camera.registered", "camera.updated", "camera.removed", "camera.switched"})


@dataclass(frozen=True, slots=True)
class KeptSource:
    """A source without its password, and whether there is one."""

    source: Source
    has_password: bool
    readable: bool = True
    """False: its password was sealed with another key and must be entered anew."""


@dataclass(frozen=True, slots=True)
class KeptDevice:
    """A GB/T 28181 device without its password, and whether there is one."""

    device_id: str
    name: str
    has_password: bool
    updated_at: str


class SealedSource(msgspec.Struct, frozen=True):
    """A source as the database keeps it.

    Attributes:
        source: Without its password.
        secret: That, sealed; None: there is none.
        updated_at: When it was last put.
    """

    source: Source
    secret: bytes | None
    updated_at: str


class Sources:
    """The sources of one centre's cameras, and its GB/T 28181 devices.

    Args:
        database: Where they are.
        box: Seals and opens their passwords.
        board: Which cameras there are, and which are switched off.
    """

    def __init__(self, database: Database, box: SecretBox, board: Board) -> None:
        self.box = box
        self._database = database
        self._board = board
        self._changed = asyncio.Event()
        self._devices_changed = asyncio.Event()
        self._told_unreadable = 0

    def apply(self, event: Event) -> None:
        """Notice that cameras changed; called with each event once it is committed and on the board."""
        if event.type in _CONCERNED:
            self._changed.set()

    async def follow(self, take: Callable[[list[CameraSpec]], Awaitable[None] | None]) -> None:
        """Hand over the full set of cameras now and, until cancelled, soon after each change."""
        await _follow(self._changed, self.load_sources, take)

    async def follow_devices(self, take: Callable[[list[GbDevice]], Awaitable[None] | None]) -> None:
        """Hand over the full set of devices now and, until cancelled, soon after each change."""
        await _follow(self._devices_changed, self.load_devices, take)

    async def load_sources(self) -> list[CameraSpec]:
        """Return what is needed to open each camera that has a source, passwords included."""
        enabled = {camera.id: camera.enabled for camera in self._board.cameras.values()}
        return await self._database.read(lambda connection: self._specs(connection, enabled))

    async def load_source(self, camera_id: str) -> Source | None:
        """Return one camera's source with its password."""
        row = await self._row(camera_id)
        return None if row is None else self._open(row)[0]

    async def kept(self, camera_id: str) -> KeptSource | None:
        """Return one camera's source for people to look at."""
        row = await self._row(camera_id)
        if row is None:
            return None
        source = msgspec.json.decode(row.source, type=Source)
        return KeptSource(source, row.secret is not None, self._open(row)[1])

    async def kept_all(self) -> Mapping[str, Source]:
        """Return every camera's source without its password."""
        table = schema.camera_sources
        query = sa.select(table.c.camera_id, table.c.source)
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return {row.camera_id: msgspec.json.decode(row.source, type=Source) for row in rows}

    async def sealed(self, camera_ids: Container[str]) -> dict[str, SealedSource]:
        """Return the sources of some cameras as they are kept, by camera id; those without one are left out."""
        query = sa.select(schema.camera_sources)
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return {
            row.camera_id: SealedSource(
                msgspec.json.decode(row.source, type=Source), row.secret, row.updated_at
            )
            for row in rows
            if row.camera_id in camera_ids
        }

    async def devices(self) -> list[KeptDevice]:
        """Return the devices by id."""
        table = schema.gb_devices
        query = sa.select(table).order_by(table.c.device_id)
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return [KeptDevice(row.device_id, row.name, row.secret is not None, row.updated_at) for row in rows]

    async def load_devices(self) -> list[GbDevice]:
        """Return the devices with their passwords; one without, or with an unreadable one, cannot register."""
        table = schema.gb_devices

        def read(connection: sa.Connection) -> list[GbDevice]:
            devices = []
            for row in connection.execute(sa.select(table).order_by(table.c.device_id)):
                password = self._unseal(row.secret, device_owner(row.device_id)) or ""
                devices.append(GbDevice(device_id=row.device_id, password=password, name=row.name))
            return devices

        return await self._database.read(read)

    async def put_device(self, device_id: str, name: str, password: str | None, at: str) -> KeptDevice:
        """Keep a device.

        Args:
            device_id: Its 20 digits.
            name: For people.
            password: None keeps the one there is; empty: it has none and cannot register.
            at: Now.
        """
        table = schema.gb_devices
        sealed = self.box.seal(password, device_owner(device_id)) if password else None

        def write(connection: sa.Connection) -> bool:
            mine = table.c.device_id == device_id
            old = connection.execute(sa.select(table.c.secret).where(mine)).first()
            secret = old.secret if old is not None and password is None else sealed
            values = {"name": name, "secret": secret, "updated_at": at}
            if old is None:
                connection.execute(sa.insert(table).values(device_id=device_id, **values))
            else:
                connection.execute(sa.update(table).where(mine).values(**values))
            return secret is not None

        has_password = await self._database.write(write)
        self._devices_changed.set()
        return KeptDevice(device_id, name, has_password, at)

    async def drop_device(self, device_id: str) -> bool:
        """Forget a device, password and all; False where there was none."""
        statement = sa.delete(schema.gb_devices).where(schema.gb_devices.c.device_id == device_id)
        found = await self._database.write(lambda connection: connection.execute(statement).rowcount > 0)
        if found:
            self._devices_changed.set()
        return found

    def _specs(self, connection: sa.Connection, enabled: Mapping[str, bool]) -> list[CameraSpec]:
        specs = []
        unreadable = 0
        for row in connection.execute(sa.select(schema.camera_sources)):
            if row.camera_id not in enabled:
                continue
            source, readable = self._open(row)
            unreadable += not readable
            specs.append(CameraSpec(id=row.camera_id, source=source, enabled=enabled[row.camera_id]))
        if unreadable != self._told_unreadable:
            self._told_unreadable = unreadable
            if unreadable:
                log.error("camera passwords do not open with this key; enter them anew", cameras=unreadable)
        return specs

    async def _row(self, camera_id: str) -> Any:
        table = schema.camera_sources
        query = sa.select(table).where(table.c.camera_id == camera_id)
        return await self._database.read(lambda connection: connection.execute(query).first())

    def _open(self, row: Any) -> tuple[Source, bool]:
        source = msgspec.json.decode(row.source, type=Source)
        password = self._unseal(row.secret, camera_owner(row.camera_id))
        readable = row.secret is None or password is not None
        return msgspec.structs.replace(source, password=password), readable

    def _unseal(self, sealed: bytes | None, owner: str) -> str | None:
        if sealed is None:
            return None
        try:
            return self.box.open(sealed, owner)
        except Sealed:
            return None


def camera_owner(camera_id: str) -> str:
    """Return whose a camera's sealed password is."""
    return f"camera:{camera_id}"


def device_owner(device_id: str) -> str:
    """Return whose a device's sealed password is."""
    return f"gb:{device_id}"


async def _follow(
    changed: asyncio.Event,
    load: Callable[[], Awaitable[list[Any]]],
    take: Callable[[list[Any]], Awaitable[None] | None],
) -> None:
    while True:
        changed.clear()
        outcome = take(await load())
        if outcome is not None:
            await outcome
        await changed.wait()
        await asyncio.sleep(SETTLE_S)
