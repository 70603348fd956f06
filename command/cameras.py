"""Cameras as registered points: what stands where and looks which way. Their pictures live in `streams`."""

from typing import TYPE_CHECKING, Literal

import msgspec

from command.events import Context, Fact

if TYPE_CHECKING:
    from command.board import Picture


class Camera(msgspec.Struct, frozen=True, kw_only=True):
    """One camera of the registry. Azimuth and field of view in degrees, clockwise from north."""

    id: str
    name: str
    lon: float
    lat: float
    gb_id: str | None = None
    network: Literal["xueliang", "bureau", "social"] = "xueliang"
    site_type: str | None = None
    azimuth: float | None = None
    fov: float | None = None
    grid: str | None = None
    status: Literal["online", "offline", "unknown"] = "unknown"
    version: int = 1


def decide_register(picture: "Picture", cameras: list[Camera], context: Context) -> list[Fact]:
    """Enter cameras; the same id again updates the facts and keeps the status."""
    del context
    facts = []
    for new in cameras:
        old = picture.cameras.get(new.id)
        if old is None:
            facts.append(Fact("camera.registered", (("cameras", new.id, new),)))
            continue
        entity = msgspec.structs.replace(new, status=old.status, version=old.version)
        if entity != old:
            entity = msgspec.structs.replace(entity, version=old.version + 1)
            facts.append(Fact("camera.updated", (("cameras", new.id, entity),)))
    return facts
