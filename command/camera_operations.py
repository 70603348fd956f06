"""What can be done with cameras: registry, health, tours, layouts, alarms, evidence.

As with `command.operations`, the web edge, what hears from the pictures, and the tools all act through here.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

import msgspec
from msgspec import UNSET, UnsetType

from command import cameras, incidents
from command.board import Picture
from command.cameras import Camera, Fault, Layout, Seen, Status, Tour
from command.cameras.sources import DropSource, PutSource, bare
from command.desk import NO_KEY, Answer, Command, Desk, Key, Outcome, whole
from command.events import SYSTEM, Actor, Context, Fact
from command.ids import new_id
from command.incidents import incident_of
from command.store.log import Apart
from command.store.secret_box import SecretBox
from command.store.sources import SealedSource, camera_owner
from streams.source import Source


class Looked(Protocol):
    """What the last look at a camera's picture rested on (`streams.health`)."""

    @property
    def at(self) -> datetime:
        """When."""

    @property
    def light(self) -> str | None:
        """By which reference it was judged; None without a picture."""

    @property
    def measures(self) -> Mapping[str, float]:
        """Name to value; empty without a picture."""

    @property
    def has_reference(self) -> bool:
        """Whether there is a picture to compare it with."""


class CameraOperations:
    """Everything people and the video processes can ask for.

    A source brings its password with it: None keeps the one there is as long as the source points where it did, an
    empty one takes it away.

    Args:
        desk: The single writer.
        box: Seals passwords before they are handed on.

    Attributes:
        looked: Camera id → the last look at its picture, kept here by whoever hears of it; only while we run.
    """

    def __init__(self, desk: Desk, box: SecretBox) -> None:
        self.looked: dict[str, Looked] = {}
        self._desk = desk
        self._box = box

    async def register(
        self,
        actor: Actor,
        found: Sequence[Camera],
        key: Key = NO_KEY,
        *,
        sources: Mapping[str, Source] | None = None,
    ) -> Outcome:
        """Enter cameras; known ids keep how they are. One camera answers with itself.

        Args:
            actor: Who.
            found: The cameras.
            key: Idempotency key.
            sources: Camera id → where its media comes from; a known camera without one keeps its own.

        Raises:
            NumberTaken: Another camera has the GB number of one of them.
        """
        given = sources or {}
        entities = [
            msgspec.structs.replace(camera, source=given[camera.id].protocol)
            if camera.id in given
            else camera
            for camera in found
        ]
        sealed = {camera_id: self._seal(camera_id, source) for camera_id, source in given.items()}

        def decide(picture: Picture, context: Context) -> Sequence[Fact]:
            return cameras.decide_register(picture, entities, context, renewed=given)

        def answer(picture: Picture) -> Answer:
            if len(found) == 1:
                return whole("cameras", found[0].id)(picture)
            return {"registered": len(found)}

        def apart(context: Context) -> Sequence[Apart]:
            return [PutSource(camera_id, *parts, context.at) for camera_id, parts in sealed.items()]

        return await self._do(actor, decide, answer, key, apart)

    async def put_back(
        self, actor: Actor, found: Sequence[Camera], sources: Mapping[str, SealedSource | None]
    ) -> Outcome:
        """Give cameras their earlier facts and sources back; those that are gone meanwhile stay gone.

        Args:
            actor: Who.
            found: The cameras as they were.
            sources: Camera id → its earlier source as it was kept, None where it had none. Others keep theirs.

        Raises:
            NumberTaken: Another camera has the GB number of one of them by now.
        """
        earlier = {camera_id: sealed for camera_id, sealed in sources.items() if sealed is not None}
        entities = [
            msgspec.structs.replace(
                camera, source=earlier[camera.id].source.protocol if camera.id in earlier else None
            )
            for camera in found
        ]
        dropped = sources.keys() - earlier.keys()
        there: set[str] = set()

        def decide(picture: Picture, context: Context) -> Sequence[Fact]:
            still = [camera for camera in entities if camera.id in picture.cameras]
            there.update(camera.id for camera in still)
            return cameras.decide_register(picture, still, context, renewed=sources, dropped=dropped)

        def apart(context: Context) -> Sequence[Apart]:
            return [
                DropSource(camera_id)
                if (sealed := earlier.get(camera_id)) is None
                else PutSource(camera_id, sealed.source, sealed.secret, keep=False, at=context.at)
                for camera_id in sources
                if camera_id in there
            ]

        return await self._do(actor, decide, lambda _picture: {}, NO_KEY, apart)

    async def edit(
        self,
        actor: Actor,
        camera_id: str,
        fields: Mapping[str, object],
        *,
        source: Source | UnsetType | None = UNSET,
        expected_version: int | None = None,
        key: Key = NO_KEY,
    ) -> Outcome:
        """Correct a camera's facts and, where one is given, replace its source (None: take it away).

        Raises:
            NotFound: No such camera.
            StaleVersion: Somebody else changed it first.
            NumberTaken: Another camera has its new GB number.
        """
        wanted = dict(fields)
        sealed = self._seal(camera_id, source) if isinstance(source, Source) else None
        if source is not UNSET:
            wanted["source"] = None if sealed is None else sealed[0].protocol

        def apart(context: Context) -> Sequence[Apart]:
            if sealed is not None:
                return (PutSource(camera_id, *sealed, context.at),)
            return () if source is UNSET else (DropSource(camera_id),)

        def decide(picture: Picture, context: Context) -> Sequence[Fact]:
            return cameras.decide_edit(
                picture,
                camera_id,
                wanted,
                context,
                expected_version=expected_version,
                renewed=sealed is not None,
            )

        return await self._do(actor, decide, whole("cameras", camera_id), key, apart)

    async def remove(
        self, actor: Actor, camera_id: str, *, expected_version: int | None = None, key: Key = NO_KEY
    ) -> Outcome:
        """Take a camera out of the registry with its source; answers what it was."""
        was: list[Camera] = []

        def decide(picture: Picture, context: Context) -> Sequence[Fact]:
            facts = cameras.decide_remove(picture, camera_id, context, expected_version=expected_version)
            was[:] = [picture.cameras[camera_id]]
            return facts

        def answer(_picture: Picture) -> Answer:
            found: Answer = msgspec.to_builtins(was[0])
            return found

        outcome = await self._do(actor, decide, answer, key, lambda _context: (DropSource(camera_id),))
        self.looked.pop(camera_id, None)
        return outcome

    async def switch(
        self,
        actor: Actor,
        camera_id: str,
        *,
        enabled: bool,
        expected_version: int | None = None,
        key: Key = NO_KEY,
    ) -> Outcome:
        """Switch a camera off by hand, or on again."""

        def decide(picture: Picture, context: Context) -> Sequence[Fact]:
            return cameras.decide_switch(
                picture, camera_id, context, enabled=enabled, expected_version=expected_version
            )

        return await self._do(actor, decide, whole("cameras", camera_id), key)

    async def health_changed(self, camera_id: str, status: Status | str, fault: Fault | None) -> Outcome:
        """Record how a camera is now; what it is already, or a camera that is gone, writes nothing.

        Raises:
            ValueError: There is no such status.
        """
        found = Status(status)

        def decide(picture: Picture, context: Context) -> Sequence[Fact]:
            return cameras.decide_health(picture, camera_id, found, fault, context)

        return await self._do(SYSTEM, decide, lambda _picture: {}, NO_KEY)

    async def false_alarm(
        self, actor: Actor, camera_id: str, *, expected_version: int | None = None, key: Key = NO_KEY
    ) -> Outcome:
        """Say that nothing is wrong with a camera's picture."""

        def decide(picture: Picture, context: Context) -> Sequence[Fact]:
            return cameras.decide_false_alarm(picture, camera_id, context, expected_version=expected_version)

        return await self._do(actor, decide, whole("cameras", camera_id), key)

    async def keep_clip(
        self,
        actor: Actor,
        incident_id: str,
        *,
        clip_id: str,
        camera_id: str,
        start: str,
        end: str,
    ) -> Outcome:
        """Note on an incident's timeline that pictures of a camera were kept.

        Raises:
            NotFound: The incident is not on the board.
        """

        def decide(picture: Picture, context: Context) -> Sequence[Fact]:
            camera = picture.cameras.get(camera_id)
            facts: dict[str, object] = {
                "clip_id": clip_id,
                "camera_id": camera_id,
                "camera_name": None if camera is None else camera.name,
                "start": start,
                "end": end,
            }
            return incidents.decide_keep_clip(incident_of(picture, incident_id), facts, context)

        return await self._do(actor, decide, whole("incidents", incident_id), NO_KEY)

    # Tours and layouts

    async def save_tour(
        self, actor: Actor, tour: Tour, *, expected_version: int | None = None, key: Key = NO_KEY
    ) -> Outcome:
        """Keep a tour under its id."""

        def decide(picture: Picture, context: Context) -> Sequence[Fact]:
            return cameras.decide_save_tour(picture, tour, context, expected_version=expected_version)

        return await self._do(actor, decide, whole("tours", tour.id), key)

    async def remove_tour(self, actor: Actor, tour_id: str, *, key: Key = NO_KEY) -> Outcome:
        """Forget a tour."""

        def decide(picture: Picture, context: Context) -> Sequence[Fact]:
            return cameras.decide_remove_tour(picture, tour_id, context)

        return await self._do(actor, decide, lambda _picture: {"id": tour_id}, key)

    async def save_layout(
        self, actor: Actor, layout: Layout, *, expected_version: int | None = None, key: Key = NO_KEY
    ) -> Outcome:
        """Keep a layout under its id."""

        def decide(picture: Picture, context: Context) -> Sequence[Fact]:
            return cameras.decide_save_layout(picture, layout, context, expected_version=expected_version)

        return await self._do(actor, decide, whole("layouts", layout.id), key)

    async def remove_layout(self, actor: Actor, layout_id: str, *, key: Key = NO_KEY) -> Outcome:
        """Forget a layout."""

        def decide(picture: Picture, context: Context) -> Sequence[Fact]:
            return cameras.decide_remove_layout(picture, layout_id, context)

        return await self._do(actor, decide, lambda _picture: {"id": layout_id}, key)

    # Alarms; `Operations.accept_alarm` makes incidents of them

    async def raise_alarm(self, seen: Seen) -> Outcome:
        """Take in what a device alarms about; the same again is counted, once a minute at most."""
        alarm_id = new_id("x")

        def decide(picture: Picture, context: Context) -> Sequence[Fact]:
            return cameras.decide_raise(picture, alarm_id, seen, context)

        return await self._do(SYSTEM, decide, lambda _picture: {}, NO_KEY)

    async def dismiss_alarm(
        self, actor: Actor, alarm_id: str, *, reason: str | None = None, key: Key = NO_KEY
    ) -> Outcome:
        """Say that an alarm is nothing for the centre."""

        def decide(picture: Picture, context: Context) -> Sequence[Fact]:
            return cameras.decide_dismiss(picture, alarm_id, context, reason=reason)

        return await self._do(actor, decide, whole("alarms", alarm_id), key)

    async def _do(
        self,
        actor: Actor,
        decide: Callable[[Picture, Context], Sequence[Fact]],
        answer: Callable[[Picture], Answer],
        key: Key,
        apart: Callable[[Context], Sequence[Apart]] = lambda _context: (),
    ) -> Outcome:
        return await self._desk.submit(Command(actor, decide, answer, key.key, key.fingerprint, apart))

    def _seal(self, camera_id: str, source: Source) -> tuple[Source, bytes | None, bool]:
        """Return the source without its password, that sealed, and whether none was said."""
        secret = self._box.seal(source.password, camera_owner(camera_id)) if source.password else None
        return bare(source), secret, source.password is None
