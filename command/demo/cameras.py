"""The demo's cameras: what each of them shows, how it is reached, and how they are grouped.

Everything is entered as a real centre would: sources with credentials, devices with passwords, groups and tours.
The pictures come from a farm of drawn cameras (`command.demo.farm`) that is met over the network only.
"""

import random
import secrets
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from command.cameras import Camera, Layout, Tour
from command.clock import rfc3339
from command.core import Core
from command.events import SYSTEM
from streams.source import Source
from streams.synthetic.config import (
    FarmCamera,
    FarmConfig,
    GbChannel,
    GbPlatform,
    GbRecorder,
    profile_token,
)
from streams.synthetic.profiles import ProfileName
from streams.synthetic.sites import SceneKind, scene_of

HOST: Final = "127.0.0.1"
USERNAME: Final = "viewer"
FAULT_SHARE: Final = 0.04
ALARMS_PER_HOUR: Final = 3.0

GROUPS: Final[Mapping[SceneKind, str]] = {
    "junction": "城区路口",
    "highway": "干线公路",
    "street": "街面巡查",
    "market": "重点场所",
    "car_park": "重点场所",
    "square": "重点场所",
    "school": "校园周边",
    "village": "村口要道",
    "river": "河道水位",
    "bridge": "河道水位",
    "dam": "河道水位",
    "lookout": "林区瞭望",
    "mine": "矿山企业",
}
# What a name says of the place, where the type of the site does not.
_BY_NAME: Final[tuple[tuple[str, SceneKind], ...]] = (
    ("停车场", "car_park"),
    ("小广场", "square"),
    ("晒场", "square"),
    ("活动室", "square"),
    ("桥头", "bridge"),
    ("文化广场", "square"),
)
_RANGE_M: Final[Mapping[SceneKind, float]] = {
    "lookout": 4000.0,
    "dam": 600.0,
    "river": 400.0,
    "bridge": 250.0,
    "highway": 300.0,
    "mine": 300.0,
}
_HEIGHT_M: Final[Mapping[SceneKind, float]] = {"lookout": 24.0, "highway": 8.0, "car_park": 9.0, "dam": 12.0}
_SCENES_OF_A_KIND: Final[Mapping[SceneKind, int]] = {
    "junction": 6,
    "street": 5,
    "village": 4,
    "square": 4,
    "school": 3,
}
_PROFILES: Final[tuple[tuple[ProfileName, float], ...]] = (
    ("h265", 10),
    ("h264_audio", 8),
    ("h264_g711", 4),
    ("h264_bframes", 4),
    ("h264_long", 3),
    ("h264_changing", 2),
    ("h264", 69),
)
_GB_SHARE: Final = 0.05
_GB_FEWEST: Final = 4
_GB_NAMES: Final = ("水利监控平台", "林区防火监控平台", "公安视频专网平台")
_TURNED: Final = frozenset(("lookout", "dam", "river", "bridge", "square"))
_ONVIF_SHARE: Final = 0.06
_ONVIF_FEWEST: Final = 3
_UDP: Final = 2


@dataclass(slots=True)
class Plan:
    """How the cameras of a district are equipped.

    Attributes:
        cameras: The cameras as they are entered.
        sources: Camera id → how it is reached.
        farm: What draws them.
        tours: Walls of tiles in turn.
        layouts: Walls of tiles.
        device_names: GB/T 28181 device → name.
    """

    cameras: list[Camera]
    sources: dict[str, Source] = field(repr=False)
    farm: FarmConfig
    tours: list[Tour]
    layouts: list[Layout]
    device_names: dict[str, str]


def plan(
    cameras: Sequence[Camera],
    paths: Mapping[str, str],
    *,
    seed: int,
    code: str,
    zone: str,
    port: int,
    onvif_port: int,
) -> Plan:
    """Decide what each camera shows and how it is reached; the same seed decides the same.

    Args:
        cameras: As they come from the list of cameras.
        paths: Camera id → its path at the farm.
        seed: Source of chance.
        code: Division code of the district.
        zone: Time zone of the cameras' clocks.
        port: RTSP port of the farm.
        onvif_port: Its port for moving cameras.
    """
    password = secrets.token_urlsafe(12)
    kinds = _kinds(cameras)
    by_gb = _gb_choice(cameras, kinds)
    turned = _onvif_choice([c for c in cameras if c.id not in by_gb], kinds)
    udp = {c.id for c in cameras if kinds[c.id] == "village" and c.id not in by_gb | turned}
    udp = set(sorted(udp)[:_UDP])
    entered: list[Camera] = []
    sources: dict[str, Source] = {}
    drawn: list[FarmCamera] = []
    shown: dict[SceneKind, int] = defaultdict(int)
    devices = _devices(code, [c for c in cameras if c.id in by_gb], kinds)
    for camera in cameras:
        kind, path = kinds[camera.id], paths[camera.id]
        chance = random.Random(f"{seed}/{camera.id}")
        shown[kind] += 1
        moves = camera.id in turned or (camera.id in by_gb and kind in _TURNED)
        plain = camera.id in by_gb | turned | udp
        profile: ProfileName = "h264" if plain else _profile(chance)
        drawn.append(
            FarmCamera(
                path=path,
                site=kind,
                seed=1 + shown[kind] % _SCENES_OF_A_KIND.get(kind, 2),
                profile=profile,
                udp_only=camera.id in udp,
                ptz=moves,
            )
        )
        entered.append(
            msgspec.structs.replace(
                camera,
                ptz=moves,
                tour_groups=(GROUPS[kind],),
                range_m=_RANGE_M.get(kind, 120.0),
                height_m=_HEIGHT_M.get(kind, 6.0),
                tilt=-4.0 if kind == "lookout" else -14.0,
            )
        )
        if camera.id in by_gb:
            sources[camera.id] = Source(
                protocol="gb28181", device_id=devices[camera.id][0], channel_id=camera.gb_id
            )
        else:
            sources[camera.id] = Source(
                protocol="rtsp",
                host=HOST,
                port=port,
                path=path,
                username=USERNAME,
                password=password,
                transport="udp" if camera.id in udp else "tcp",
                control_port=onvif_port if moves else 0,
                control_profile=profile_token(path) if moves else None,
            )
    farm = FarmConfig(
        cameras=tuple(drawn),
        username=USERNAME,
        password=password,
        host=HOST,
        port=port,
        onvif_port=onvif_port,
        seed=seed,
        fault_share=FAULT_SHARE,
        alarms_per_hour=ALARMS_PER_HOUR,
        zone=zone,
        platform=GbPlatform(host=HOST, port=0, server_id=f"{code[:6]}00002000000001"),
        recorders=_recorders(entered, paths, devices),
    )
    groups = {camera.id: camera.tour_groups[0] for camera in entered}
    return Plan(
        entered, sources, farm, _tours(groups), _layouts(entered, kinds), dict(sorted(devices.values()))
    )


async def equip(core: Core, made: Plan) -> None:
    """Enter the cameras with all that belongs to them."""
    operations = core.operations.cameras
    await operations.register(SYSTEM, made.cameras, sources=made.sources)
    now = rfc3339(core.clock.now())
    for recorder in made.farm.recorders:
        name = made.device_names[recorder.device_id]
        await core.sources.put_device(recorder.device_id, name, recorder.password, now)
    for tour in made.tours:
        await operations.save_tour(SYSTEM, tour)
    for layout in made.layouts:
        await operations.save_layout(SYSTEM, layout)


async def repoint(core: Core, old: FarmConfig, port: int, onvif_port: int | None) -> int:
    """Point the farm's cameras to where it listens now; returns how many there were."""
    changed: dict[str, Source] = {}
    for spec in await core.sources.load_sources():
        source = spec.source
        if source.protocol == "rtsp" and source.host == HOST and source.port == old.port:
            control = (onvif_port or 0) if source.control_port else 0
            changed[spec.id] = msgspec.structs.replace(source, port=port, control_port=control)
    cameras = [core.board.cameras[key] for key in changed]
    if cameras:
        await core.operations.cameras.register(SYSTEM, cameras, sources=changed)
    return len(cameras)


def _kinds(cameras: Sequence[Camera]) -> dict[str, SceneKind]:
    kinds = {camera.id: _kind(camera) for camera in cameras}
    # A camera at a bridge looks along it or down at the water; half of them do either.
    for place, camera in enumerate(camera for camera in cameras if camera.site_type == "bridge"):
        kinds[camera.id] = "river" if place % 2 == 0 else "bridge"
    return kinds


def _kind(camera: Camera) -> SceneKind:
    for word, kind in _BY_NAME:
        if word in camera.name and camera.site_type in ("residential", "village_road"):
            return kind
    if camera.site_type == "junction" and "省道" in camera.name and "县道" not in camera.name:
        return "highway"
    return scene_of(camera.site_type or "")


def _profile(chance: random.Random) -> ProfileName:
    return chance.choices([name for name, _ in _PROFILES], [weight for _, weight in _PROFILES])[0]


def _gb_choice(cameras: Sequence[Camera], kinds: Mapping[str, SceneKind]) -> set[str]:
    """Choose the cameras that come by GB/T 28181: those of other bureaus, the rarest kinds first."""
    count: dict[SceneKind, int] = defaultdict(int)
    for kind in kinds.values():
        count[kind] += 1
    able = [camera for camera in cameras if camera.network == "bureau" and camera.gb_id is not None]
    able.sort(
        key=lambda camera: (kinds[camera.id] in ("junction", "highway"), count[kinds[camera.id]], camera.id)
    )
    return {camera.id for camera in able[: max(_GB_FEWEST, round(len(cameras) * _GB_SHARE))]}


def _onvif_choice(cameras: Sequence[Camera], kinds: Mapping[str, SceneKind]) -> set[str]:
    """Choose the cameras that are pulled by RTSP and turned by ONVIF, spread over the kinds."""
    by_kind: dict[SceneKind, list[str]] = defaultdict(list)
    for camera in cameras:
        by_kind[kinds[camera.id]].append(camera.id)
    wanted = max(_ONVIF_FEWEST, round(len(cameras) * _ONVIF_SHARE))
    rows = [sorted(ids) for ids in by_kind.values()]
    mixed = [
        ids[place] for place in range(max(map(len, rows), default=0)) for ids in rows if place < len(ids)
    ]
    return set(mixed[:wanted])


def _devices(
    code: str, cameras: Sequence[Camera], kinds: Mapping[str, SceneKind]
) -> dict[str, tuple[str, str]]:
    """Return camera id → GB/T 28181 device and its name; each bureau has a device of its own."""
    found = {}
    for camera in cameras:
        kind = kinds[camera.id]
        number = 0 if kind in ("river", "bridge", "dam") else 1 if kind == "lookout" else 2
        found[camera.id] = (f"{code[:6]}00001180{number + 1:06d}", _GB_NAMES[number])
    return found


def _recorders(
    cameras: Sequence[Camera], paths: Mapping[str, str], devices: Mapping[str, tuple[str, str]]
) -> tuple[GbRecorder, ...]:
    channels: dict[str, list[GbChannel]] = defaultdict(list)
    for camera in cameras:
        if camera.id in devices and camera.gb_id is not None:
            channels[devices[camera.id][0]].append(
                GbChannel(
                    channel_id=camera.gb_id,
                    name=camera.name,
                    path=paths[camera.id],
                    lon=camera.lon,
                    lat=camera.lat,
                )
            )
    return tuple(
        GbRecorder(
            device_id=device_id,
            password=secrets.token_urlsafe(12),
            channels=tuple(found),
            transport="tcp" if place % 2 else "udp",
        )
        for place, (device_id, found) in enumerate(sorted(channels.items()))
    )


def _tours(groups: Mapping[str, str]) -> list[Tour]:
    names = [name for name in dict.fromkeys(GROUPS.values()) if name in groups.values()]
    return [
        Tour(id=f"t_demo{place:02d}", name=name, group=name, dwell_s=15.0, split=4)
        for place, name in enumerate(names, start=1)
    ]


def _layouts(cameras: Sequence[Camera], kinds: Mapping[str, SceneKind]) -> list[Layout]:
    """Return two walls with one camera of each kind as far as there is room."""
    first: dict[SceneKind, str] = {}
    for camera in cameras:
        first.setdefault(kinds[camera.id], camera.id)
    ids = list(first.values())

    def cells(count: int) -> tuple[str | None, ...]:
        return tuple((ids + [None] * count)[:count])

    return [
        Layout(id="l_demo01", name="值班四画面", split=4, cells=cells(4)),
        Layout(id="l_demo02", name="重点九画面", split=9, cells=cells(9)),
    ]
