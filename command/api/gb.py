"""GB/T 28181 devices that may register here. Their passwords are taken and never given back."""

from dataclasses import asdict
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends
from fastapi import Path as InPath
from pydantic import BaseModel, ConfigDict, Field

from command.accounts.access import Principal
from command.api.security import require
from command.api.services import Json, ServicesOf
from command.cameras import checked_text
from command.clock import rfc3339
from command.errors import Malformed, NotFound
from streams.gb28181.messages import DeviceState

router = APIRouter(tags=["gb"])
Manager = Annotated[Principal, Depends(require("camera.manage"))]
DeviceId = Annotated[str, InPath(pattern=r"^[0-9]{20}$")]


class DeviceBody(BaseModel):
    """A device. Without a password it keeps the one it has; an empty one takes it away."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    name: str = Field(min_length=1, max_length=80)
    password: str | None = Field(default=None, max_length=128, repr=False)


@router.get("/gb/devices")
async def list_devices(me: Manager, s: ServicesOf) -> Json:
    """List the devices by id, and how each is."""
    del me
    now = s.video_desk.devices
    items = [{**asdict(kept), **_state(now.get(kept.device_id))} for kept in await s.sources.devices()]
    return {"items": items, "next": None}


@router.put("/gb/devices/{device_id}")
async def save_device(device_id: DeviceId, body: DeviceBody, me: Manager, s: ServicesOf) -> Json:
    """Keep a device, new or changed."""
    name = checked_text("name", body.name, 80)
    if body.password and any(ord(character) < 32 for character in body.password):
        raise Malformed("password", "control characters are not allowed in it")
    said = {"name": name, "password": "kept" if body.password is None else "changed"}
    await s.audit.record(me.user_id, "gb_device.saved", f"gb_device:{device_id}", data=said)
    now = rfc3339(s.clock.now())
    return asdict(await s.sources.put_device(device_id, name, body.password, now))


@router.delete("/gb/devices/{device_id}", status_code=204)
async def remove_device(device_id: DeviceId, me: Manager, s: ServicesOf) -> None:
    """Forget a device and its password; it can register no more. Its cameras stay in the registry."""
    await s.audit.record(me.user_id, "gb_device.removed", f"gb_device:{device_id}")
    if not await s.sources.drop_device(device_id):
        raise NotFound("gb_device", device_id)


@router.post("/gb/devices/{device_id}/catalog")
async def read_catalog(device_id: DeviceId, me: Manager, s: ServicesOf) -> Json:
    """Ask a device for its channels; those that are new become cameras."""
    del me
    catalog = await s.video.refresh_catalog(device_id)
    channels = [msgspec.to_builtins(channel) for channel in catalog.channels]
    return {"items": channels, "next": None, "complete": catalog.complete}


def _state(device: DeviceState | None) -> Json:
    if device is None:
        return {"online": False, "reason": None, "address": None, "manufacturer": None, "model": None}
    return {
        "online": device.online,
        "reason": device.reason,
        "address": device.address,
        "manufacturer": device.manufacturer,
        "model": device.model,
    }
