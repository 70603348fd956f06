"""For administrators: entering cameras and their sources. Lists come in as all files do (`imports`)."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from msgspec import UNSET, UnsetType
from pydantic import BaseModel, ConfigDict, Field

from command.accounts.access import Principal
from command.api.cameras import camera_for
from command.api.security import require
from command.api.services import Json, Services, ServicesOf
from command.cameras import Camera, Network, checked_text
from command.cameras.sources import admit, checked
from command.desk import Key
from command.errors import Malformed, NotFound
from command.ids import new_id
from command.settings import admission_of
from streams.source import Protocol, Source

router = APIRouter(tags=["cameras"])
Manager = Annotated[Principal, Depends(require("camera.manage"))]


class SourceBody(BaseModel):
    """Where a camera's media comes from. The password is taken and never given back."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    protocol: Protocol
    host: str = Field(default="", max_length=255)
    port: int = Field(default=0, ge=0, le=65_535)
    path: str = Field(default="", max_length=500)
    username: str | None = Field(default=None, max_length=64)
    password: str | None = Field(default=None, max_length=128, repr=False)
    transport: Literal["tcp", "udp"] = "tcp"
    device_id: str | None = Field(default=None, max_length=20)
    channel_id: str | None = Field(default=None, max_length=20)
    control_port: int = Field(default=0, ge=0, le=65_535)
    control_profile: str | None = Field(default=None, max_length=100)


class _Facts(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    gb_id: str | None = Field(default=None, pattern=r"^[0-9]{20}$")
    network: Network = "xueliang"
    site_type: str | None = Field(default=None, max_length=40)
    azimuth: float | None = Field(default=None, ge=0, lt=360)
    fov: float | None = Field(default=None, gt=0, le=360)
    height_m: float | None = Field(default=None, ge=0, le=1_000)
    tilt: float | None = Field(default=None, ge=-90, le=90)
    range_m: float | None = Field(default=None, gt=0, le=50_000)
    ptz: bool = False
    grid: str | None = Field(default=None, max_length=20)
    area: str | None = Field(default=None, max_length=20)
    station: str | None = Field(default=None, max_length=60)
    tour_groups: list[str] = Field(default_factory=list, max_length=20)
    source: SourceBody | None = None


class CameraBody(_Facts):
    """A camera to register. Grid, area and station are found by its place unless they are said."""

    name: str = Field(min_length=1, max_length=80)
    lon: float = Field(ge=-180, le=180, allow_inf_nan=False)
    lat: float = Field(ge=-90, le=90, allow_inf_nan=False)


class EditBody(_Facts):
    """What to correct; what is left out stays."""

    name: str = Field(default="", min_length=1, max_length=80)
    lon: float = Field(default=0, ge=-180, le=180, allow_inf_nan=False)
    lat: float = Field(default=0, ge=-90, le=90, allow_inf_nan=False)
    expected_version: int | None = Field(default=None, ge=1)


class SwitchBody(BaseModel):
    """On or off."""

    model_config = ConfigDict(extra="forbid")

    enabled: bool
    expected_version: int | None = Field(default=None, ge=1)


async def sealed_key(request: Request, s: ServicesOf) -> Key:
    """Return the idempotency key; its fingerprint of a body with a password tells nobody without our key."""
    key = request.headers.get("idempotency-key")
    if key is None:
        return Key()
    asked = f"{request.method} {request.url.path}\n".encode() + await request.body()
    return Key(key[:200], s.sources.box.fingerprint(asked))


SealedKey = Annotated[Key, Depends(sealed_key)]


@router.post("/cameras", status_code=201)
async def register_camera(body: CameraBody, me: Manager, s: ServicesOf, key: SealedKey) -> Json:
    """Register a camera, with or without a source."""
    said = body.model_dump(exclude={"source", "expected_version"})
    fields = {**_found(s, body.lon, body.lat), **_facts(s, {k: v for k, v in said.items() if v is not None})}
    source = await source_of(s, body.source)
    camera = Camera(id=new_id("c"), **fields)
    sources = {} if source is None else {camera.id: source}
    outcome = await s.operations.cameras.register(me.actor, [camera], key, sources=sources)
    return {**outcome.answer, **await _password(s, outcome.answer["id"])}


@router.put("/cameras/{camera_id}")
async def edit_camera(camera_id: str, body: EditBody, me: Manager, s: ServicesOf, key: SealedKey) -> Json:
    """Correct a camera. A source without its password keeps the one there is, unless it points elsewhere now."""
    camera = camera_for(s, me, camera_id)
    fields = _facts(s, body.model_dump(exclude={"source", "expected_version"}, exclude_unset=True))
    if {"lon", "lat"} & fields.keys():
        moved = _found(s, fields.get("lon", camera.lon), fields.get("lat", camera.lat))
        fields = {**moved, **fields}
    source: Source | UnsetType | None = UNSET
    if "source" in body.model_fields_set:
        source = await source_of(s, body.source)
    before = await s.sources.kept(camera_id)
    outcome = await s.operations.cameras.edit(
        me.actor, camera_id, fields, source=source, expected_version=body.expected_version, key=key
    )
    now = await _password(s, camera_id)
    given = isinstance(source, Source) and source.password is not None
    cleared = before is not None and before.has_password and not now["has_password"] and not given
    return {**outcome.answer, **now, "password_cleared": cleared}


@router.delete("/cameras/{camera_id}")
async def remove_camera(
    camera_id: str,
    me: Manager,
    s: ServicesOf,
    key: SealedKey,
    expected_version: Annotated[int | None, Query(ge=1)] = None,
) -> Json:
    """Take a camera out, with its source, also of the tours and layouts that show it; answers what it was."""
    outcome = await s.operations.cameras.remove(
        me.actor, camera_id, expected_version=expected_version, key=key
    )
    return outcome.answer


@router.post("/cameras/{camera_id}/enabled")
async def switch_camera(camera_id: str, body: SwitchBody, me: Manager, s: ServicesOf, key: SealedKey) -> Json:
    """Switch a camera off, so that nothing is pulled or checked, or on again."""
    outcome = await s.operations.cameras.switch(
        me.actor, camera_id, enabled=body.enabled, expected_version=body.expected_version, key=key
    )
    return outcome.answer


@router.get("/cameras/{camera_id}/source")
async def read_source(camera_id: str, me: Manager, s: ServicesOf) -> Json:
    """Read where a camera's media comes from: everything but the password, and whether there is one."""
    camera_for(s, me, camera_id)
    kept = await s.sources.kept(camera_id)
    if kept is None:
        raise NotFound("source", camera_id, "This camera has no source.")
    source = kept.source
    return {
        "protocol": source.protocol,
        "host": source.host,
        "port": source.port,
        "path": source.path,
        "username": source.username,
        "transport": source.transport,
        "device_id": source.device_id,
        "channel_id": source.channel_id,
        "control_port": source.control_port,
        "control_profile": source.control_profile,
        "has_password": kept.has_password,
        "password_readable": kept.readable,
    }


async def source_of(s: Services, body: SourceBody | None) -> Source | None:
    """Return a source that makes sense and that the administrator allows.

    Raises:
        Malformed: Names the field, and the host.
    """
    if body is None:
        return None
    source = checked(Source(**body.model_dump()))
    await admit(source, admission_of(s.settings))
    return source


async def _password(s: Services, camera_id: str) -> dict[str, bool]:
    kept = await s.sources.kept(camera_id)
    return {"has_password": kept is not None and kept.has_password}


def _facts(s: Services, said: dict[str, Any]) -> dict[str, Any]:
    """Return what was said of a camera in the form in which it is kept."""
    fields = dict(said)
    for name, most in (("name", 80), ("site_type", 40), ("station", 60)):
        if fields.get(name) is not None:
            fields[name] = checked_text(name, fields[name], most, least=1 if name == "name" else 0) or None
    for name in ("grid", "area"):
        if fields.get(name) is not None and fields[name] not in s.district.areas:
            raise Malformed(name, f"no area {fields[name]!r}")
    if "tour_groups" in fields:
        groups = (checked_text("tour_groups", group, 40) for group in fields["tour_groups"])
        fields["tour_groups"] = tuple(dict.fromkeys(groups))
    return fields


def _found(s: Services, lon: float, lat: float) -> dict[str, Any]:
    """Return the grid, the division and the station at a place."""
    grid, area, station = s.district.ground_of(lon, lat)
    return {"grid": grid, "area": area, "station": station}
