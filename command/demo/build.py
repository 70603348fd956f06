"""Make a demo district: generate its files, import them as a real centre would, and give out accounts."""

import asyncio
import csv
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from command import camera_import, importing
from command.accounts.tokens import TokenRequest
from command.accounts.users import NewUser
from command.cameras import Camera
from command.core import DISTRICT, Core, open_core
from command.demo import cameras, farm, offices, past
from command.demo.simulator.rates import load_rates
from command.district import AREAS, BEATS, CHECKPOINTS, DEPARTMENTS, PLACES, RULES, About
from command.events import SYSTEM
from command.resources import config_dir
from command.responders import Responder
from command.settings import Settings
from gis.synthetic import DistrictFiles, generate, load_spec
from streams.synthetic.config import FarmConfig

Tell = Callable[[str], None]

PASSWORD: Final = "yiping-demo"
"""Known to everybody on purpose; the demo listens on the loopback address."""
DESKS: Final = (
    ("operator", "operator", "接线席 冯晓雨"),
    ("dispatcher", "dispatcher", "调度席 沈知行"),
    ("dispatcher2", "dispatcher", "调度席 罗启明"),
    ("supervisor", "supervisor", "值班长 方以宁"),
    ("leader", "leader", "带班领导 程远山"),
    ("admin", "admin", "系统管理员"),
)
ABOUT_FILE: Final = "demo.json"
SIMULATOR_FILE: Final = "simulator.json"
_HASHES_AT_ONCE: Final = 16
"""A city has more people than the service lets wait for a password at once."""
PREFIX_OF: Final = {"small": "CX", "lieshan": "LS", "wuding": "WD"}


@dataclass(frozen=True, slots=True)
class Demo:
    """What is written to ``demo.json``, without the address, which is known only when the service listens."""

    accounts: list[dict[str, str]]
    tracker: dict[str, str]
    kiosk_token: str


def exists(data: Path) -> bool:
    """Say whether a folder holds a finished demo district."""
    return (data / SIMULATOR_FILE).exists()


def build(data: Path, settings: Settings, district: str, seed: int, tell: Tell) -> None:
    """Make the district in an empty folder. A build that was interrupted is started over.

    Raises:
        FileNotFoundError: There is no such district.
        ValueError: The description of the district cannot be met.
    """
    if data.exists():
        for leftover in (farm.FARM_FILE, "yiping.db", "yiping.db-wal", "yiping.db-shm", DISTRICT, "source"):
            path = data / leftover
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
    data.mkdir(parents=True, exist_ok=True)
    spec = load_spec(config_dir() / "districts" / f"{district}.toml")
    files = generate(spec, seed, data / "source", progress=tell)
    tell("导入网格、警格、地点和道路")
    rules, departments = data / "source" / RULES, data / "source" / DEPARTMENTS
    offices.lay_out(files, rules, departments)
    folder = data / DISTRICT
    folder.mkdir(parents=True)
    for file, name in (
        (files.areas, AREAS),
        (files.beats, BEATS),
        (files.places, PLACES),
        (files.checkpoints, CHECKPOINTS),
        (rules, RULES),
        (departments, DEPARTMENTS),
    ):
        shutil.copyfile(file, folder / name)
    importing.lay_roads(folder, files.roads)
    importing.set_about(folder, About(spec.name, spec.code, PREFIX_OF.get(district, "YP")))
    tell("登记人员、摄像头和账号")
    core = open_core(settings)
    try:
        asyncio.run(_populate(core, files, data, seed))
        tell("推算此前的覆盖")
        rates = load_rates(config_dir() / "demo")
        homes = _homes(files.responders)
        asyncio.run(past.remember(core, rates.past, homes, rates.movement.stroll_m, seed))
    finally:
        core.close()


async def _populate(core: Core, files: DistrictFiles, data: Path, seed: int) -> None:
    await core.parts.accounts.load()
    desk = asyncio.create_task(core.desk.run())
    try:
        people, faults = importing.read_responders(files.responders, core.district, (), ())
        found = camera_import.read_cameras(files.cameras.read_bytes(), core.district)
        if faults or found.faults:
            raise ValueError(f"the generated files have bad rows: {[*faults, *found.faults][:3]}")
        await core.operations.people.register(SYSTEM, people)
        paths = {camera_id: source.path for camera_id, source in found.sources.items()}
        await _equip(core, found.cameras, paths, data, seed)
        accounts = await _accounts(core, people)
        tokens = await core.parts.tokens.issue_many(
            [TokenRequest("device", p.name, p.id, _device(p)) for p in people], "system"
        )
        integration, _ = await core.parts.tokens.issue(TokenRequest("integration", "感知平台"), "system")
        kiosk, _ = await core.parts.tokens.issue(TokenRequest("kiosk", "大屏"), "system")
        homes = _homes(files.responders)
        rows = [
            {
                "responder_id": p.id,
                "unit": p.unit,
                "name": p.name,
                "kind": p.kind,
                "profile": p.profile,
                "username": accounts[p.id],
                "password": PASSWORD,
                "token": token,
                "device_id": _device(p),
                "home": homes.get(p.name),
                "grids": list(p.grids),
            }
            for p, (token, _) in zip(people, tokens, strict=True)
        ]
        desks = {
            "operator": {"username": "operator", "password": PASSWORD},
            "colleague": {"username": "dispatcher2", "password": PASSWORD},
            "supervisor": {"username": "supervisor", "password": PASSWORD},
        }
        shown = [
            {"username": u, "password": PASSWORD, "role": role} for u, role, _ in DESKS if u != "dispatcher2"
        ]
        shown += [{"username": u, "password": PASSWORD, "role": u} for u in ("dept", "police", "worker")]
        worker = next(row for row in rows if row["username"] == "worker")
        demo = {
            "accounts": shown,
            "tracker": {"device_id": worker["device_id"], "token": worker["token"]},
            "kiosk_token": kiosk,
        }
        write_private(data / ABOUT_FILE, demo)
        simulator = {"seed": seed, "responders": rows, "desks": desks, "integration_token": integration}
        write_private(data / SIMULATOR_FILE, simulator)
    finally:
        desk.cancel()
        await asyncio.gather(desk, return_exceptions=True)


def add_cameras(data: Path, settings: Settings, seed: int) -> FarmConfig:
    """Give a demo that was made before cameras had pictures what it lacks; returns what draws them."""
    core = open_core(settings)
    try:
        return asyncio.run(_add_cameras(core, data, seed))
    finally:
        core.close()


async def _add_cameras(core: Core, data: Path, seed: int) -> FarmConfig:
    desk = asyncio.create_task(core.desk.run())
    try:
        known = sorted(core.board.cameras.values(), key=lambda camera: camera.id)
        paths = {camera.id: f"cam/{number:05d}" for number, camera in enumerate(known, start=1)}
        return await _equip(core, known, paths, data, seed)
    finally:
        desk.cancel()
        await asyncio.gather(desk, return_exceptions=True)


async def _equip(core: Core, found: list[Camera], paths: dict[str, str], data: Path, seed: int) -> FarmConfig:
    made = cameras.plan(
        found,
        paths,
        seed=seed,
        code=core.district.about.code,
        zone=core.settings.district.timezone,
        port=farm.free_port(),
        onvif_port=farm.free_port(),
    )
    await cameras.equip(core, made)
    farm.save(data, made.farm)
    return made.farm


async def _accounts(core: Core, people: list[Responder]) -> dict[str, str]:
    """Give out accounts; returns the username of each responder."""
    add = core.parts.accounts.add
    for username, role, name in DESKS:
        await add(NewUser(username, name, role), PASSWORD, "system", known_password=True)
    bureau = f"{offices.county_word(core.district.about.name)}住建局"
    await add(
        NewUser("dept", f"{bureau} 值班", "dept", department=bureau),
        PASSWORD,
        "system",
        known_password=True,
    )
    names: dict[str, str] = {}
    for role, kind in (("police", "police"), ("worker", "grid_worker")):
        first = next((p for p in people if p.kind == kind and p.grids), None) or next(
            p for p in people if p.kind == kind
        )
        names[first.id] = role
    for person in people:
        names.setdefault(person.id, f"u{person.unit:05d}")

    gate = asyncio.Semaphore(_HASHES_AT_ONCE)

    async def one(person: Responder) -> None:
        role = "police" if person.kind == "police" else "worker"
        new = NewUser(names[person.id], person.name, role, responder_id=person.id)
        async with gate:
            await add(new, PASSWORD, "system", known_password=True)

    await asyncio.gather(*(one(person) for person in people))
    return names


def _device(person: Responder) -> str:
    return person.device_id or f"phone-{person.unit:05d}"


def _homes(path: Path) -> dict[str, list[float]]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {
        row["name"]: [float(row["home_lon"]), float(row["home_lat"])] for row in rows if row.get("home_lon")
    }


def write_private(path: Path, content: dict[str, Any]) -> None:
    """Write a file that only its owner may read: it holds tokens."""
    part = path.with_name(path.name + ".part")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(content, file, ensure_ascii=False, indent=1)
    os.replace(part, path)


def announce(data: Path, url: str) -> dict[str, Any]:
    """Write the address into ``demo.json`` and return what stands there for people."""
    stored: dict[str, Any] = json.loads((data / ABOUT_FILE).read_text("utf-8"))
    kiosk = stored.get("kiosk_token") or stored["kiosk_url"].split("kiosk=")[1]
    shown = {
        "url": url,
        "accounts": stored["accounts"],
        "tracker": stored["tracker"],
        "kiosk_url": f"{url}/wall?kiosk={kiosk}",
    }
    write_private(data / ABOUT_FILE, shown)
    return shown
