"""What devices say they have: catalogues asked for, and kept up to date by their notifications."""

import asyncio
from collections.abc import Callable
from typing import Final

import msgspec

from streams.gb28181 import manscdp
from streams.gb28181.caller import Caller
from streams.gb28181.manscdp import CatalogEvent, Document
from streams.gb28181.messages import GbCatalog, GbChannel

_MOST_CHANNELS: Final = 20_000
_GONE: Final = ("OFF", "VLOST", "DEFECT")


class Catalogues:
    """The catalogues of all devices.

    Args:
        caller: Asks devices.
        on_catalog: Called with what is new.
    """

    def __init__(self, caller: Caller, on_catalog: Callable[[GbCatalog], None]) -> None:
        self._caller = caller
        self._on_catalog = on_catalog
        self._gate = asyncio.Semaphore(caller.config.catalogs_at_once)
        self._channels: dict[str, dict[str, GbChannel]] = {}
        self._asking: dict[str, asyncio.Task[GbCatalog]] = {}

    def channels(self, device_id: str) -> list[GbChannel]:
        """Return what is known of a device."""
        return list(self._channels.get(device_id, {}).values())

    async def ask(self, device_id: str) -> GbCatalog:
        """Ask a device for all it has; whoever asks meanwhile gets the same answer.

        Raises:
            Busy: It has no room.
            Unreachable: It is not there, refuses or says nothing.
        """
        task = self._asking.get(device_id)
        if task is None:
            task = asyncio.get_running_loop().create_task(self._ask(device_id))
            self._asking[device_id] = task
            task.add_done_callback(lambda done: self._asked(device_id, done))
        return await asyncio.shield(task)

    def take(self, device_id: str, document: Document) -> None:
        """Take a notification of changes."""
        known = self._channels.setdefault(device_id, {})
        put: dict[str, GbChannel] = {}
        removed: dict[str, None] = {}
        for event, entry in manscdp.changes(document):
            id = entry.channel_id
            if event == "DEL":
                known.pop(id, None)
                put.pop(id, None)
                removed[id] = None
            elif id in known or len(known) < _MOST_CHANNELS:
                known[id] = put[id] = _changed(known.get(id), event, entry)
                removed.pop(id, None)
        if put or removed:
            self._on_catalog(
                GbCatalog(
                    device_id=device_id,
                    channels=tuple(put.values()),
                    removed=tuple(removed),
                    complete=False,
                )
            )

    def forget(self, device_id: str) -> None:
        """Drop a device that is no longer ours."""
        self._channels.pop(device_id, None)

    def close(self) -> None:
        """Stop asking."""
        for task in self._asking.values():
            task.cancel()

    async def _ask(self, device_id: str) -> GbCatalog:
        async with self._gate:
            answered = await self._caller.ask(device_id, "Catalog", device_id)
        found: dict[str, GbChannel] = {}
        for page in answered.pages:
            for item in page.items():
                entry = manscdp.channel(item)
                if entry is not None and len(found) < _MOST_CHANNELS:
                    found[entry.channel_id] = entry
        if answered.whole:
            self._channels[device_id] = found
        else:
            self._channels.setdefault(device_id, {}).update(found)
        catalog = GbCatalog(device_id=device_id, channels=tuple(found.values()), complete=answered.whole)
        self._on_catalog(catalog)
        return catalog

    def _asked(self, device_id: str, task: asyncio.Task[GbCatalog]) -> None:
        self._asking.pop(device_id, None)
        if not task.cancelled():
            task.exception()  # whoever asked has got it; nobody may be left to ask


def _changed(before: GbChannel | None, event: CatalogEvent, entry: GbChannel) -> GbChannel:
    """Return an entry after an event; one that only says on or off leaves the rest as it was."""
    if event in ("ADD", "UPDATE"):
        if before is None:
            return entry
        said = {
            name: value
            for name in entry.__struct_fields__
            if (value := getattr(entry, name)) not in ("", None, 0) or name == "online"
        }
        return msgspec.structs.replace(before, **said)
    return msgspec.structs.replace(before or entry, online=event not in _GONE)
