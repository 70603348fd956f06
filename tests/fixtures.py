"""A county of eight grids, made in code: its areas, beats, places, roads, people and accounts.

::

    lon 116.80   116.81   116.82   116.83   116.84
        +--------+--------+--------+--------+ 33.92      T1 340604001 三桥镇   columns 1 and 2
        | 002    | 002    | 002    | 002    |            T2 340604010 十里乡   column 3
        +--------+--------+--------+--------+ 33.91      T3 340604011 石台乡   column 4
        | 001    | 001    | 001    | 001    |            each column is one village of two grids
        +--------+--------+--------+--------+ 33.90

Codes that end in zero (340604010) stand beside ones that do not (340604011) on purpose.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import osmium
from osmium.osm.mutable import Node, Way
from shapely.geometry import shape

from command import importing
from command.accounts.tokens import TokenRequest
from command.accounts.users import NewUser
from command.cameras import Camera
from command.clock import ManualClock
from command.core import DISTRICT, Core, open_core
from command.district import AREAS, BEATS, PLACES, About, District, graph_file
from command.events import SYSTEM
from command.responders import Responder
from command.server import create_app
from command.setting_sections import SecuritySettings
from command.settings import Settings
from command.telemetry.state import Report, Verdict
from gis.area_files import write_areas
from gis.areas import Area
from gis.roads.graph import RoadGraph
from gis.roads.profiles import PROFILES

START = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
"""11:00 in the district."""
COUNTY = "340604"
WEST, SOUTH, CELL = 116.80, 33.90, 0.01
TOWNSHIPS = {"340604001": ("三桥镇", (0, 1)), "340604010": ("十里乡", (2,)), "340604011": ("石台乡", (3,))}
VILLAGES = {
    "340604001001": ("东河社区", 0),
    "340604001002": ("渡口村", 1),
    "340604010001": ("十里铺村", 2),
    "340604011001": ("石台村", 3),
}
GRIDS = {
    f"{village}00{row + 1}": (column, row) for village, (_, column) in VILLAGES.items() for row in (0, 1)
}
G1, G2, G3, G4, G5, G6, G7, G8 = GRIDS
PASSWORD = "eight-grids"
BASE = "http://127.0.0.1:8000"

Json = dict[str, Any]


def middle(grid: str) -> tuple[float, float]:
    """Return the middle of a grid, lon and lat."""
    column, row = GRIDS[grid]
    return round(WEST + CELL * (column + 0.5), 6), round(SOUTH + CELL * (row + 0.5), 6)


def _box(first: int, last: int, bottom: int = 0, top: int = 2) -> Json:
    west, east = WEST + CELL * first, WEST + CELL * last
    south, north = SOUTH + CELL * bottom, SOUTH + CELL * top
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [[[round(x, 6), round(y, 6)] for x, y in ring]]}


def _features(path: Path, rows: list[tuple[Json, Json]]) -> Path:
    features = [{"type": "Feature", "properties": fields, "geometry": shape} for fields, shape in rows]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    return path


def write_areas_file(path: Path) -> Path:
    """Write the division tree as GeoJSON."""
    rows: list[tuple[Json, Json]] = [
        ({"code": COUNTY, "name": "八格县", "tier": 1, "parent": None, "label": "县"}, _box(0, 4))
    ]
    for code, (name, columns) in TOWNSHIPS.items():
        fields = {"code": code, "name": name, "tier": 2, "parent": COUNTY, "label": "乡镇"}
        rows.append((fields, _box(min(columns), max(columns) + 1)))
    for code, (name, column) in VILLAGES.items():
        fields = {"code": code, "name": name, "tier": 3, "parent": code[:9], "label": "村社", "chief": "村长"}
        rows.append((fields, _box(column, column + 1)))
    for code, (column, row) in GRIDS.items():
        beat = "B-1" if column < 2 else "B-2"
        fields = {"code": code, "name": f"第{row + 1}网格", "tier": 4, "parent": code[:12], "label": "网格"}
        rows.append(({**fields, "beat": beat, "households": 300}, _box(column, column + 1, row, row + 1)))
    return _features(path, rows)


def write_beats_file(path: Path) -> Path:
    """Write the two police beats as GeoJSON."""
    west = {"code": "B-1", "name": "西警格", "station": "三桥派出所", "grids": "、".join([G1, G2, G3, G4])}
    east = {"code": "B-2", "name": "东警格", "station": "石台派出所", "grids": "、".join([G5, G6, G7, G8])}
    return _features(path, [(west, _box(0, 2)), (east, _box(2, 4))])


def write_places_file(path: Path) -> Path:
    """Write two named places as CSV."""
    text = (
        "name,kind,address,lon,lat\n三桥中学,学校,和平路1号,116.8050,33.9070\n县医院,医院,,116.8250,33.9130\n"
    )
    path.write_text(text, encoding="utf-8")
    return path


def write_roads_file(path: Path) -> Path:
    """Write a lattice of streets as OSM PBF: three from west to east, five from south to north."""
    path.unlink(missing_ok=True)
    columns, rows = 9, 5
    step = CELL / 2
    with osmium.SimpleWriter(str(path)) as writer:
        for row in range(rows):
            for column in range(columns):
                number = 1 + row * columns + column
                where = (WEST + step * column, SOUTH + step * row)
                writer.add_node(Node(id=number, version=1, location=where))
        number = 0
        for row in range(0, rows, 1):
            number += 1
            nodes = [1 + row * columns + column for column in range(columns)]
            tags = {
                "highway": "primary" if row == 2 else "residential",
                "name": f"{'和平路' if row == 2 else f'横{row}路'}",
            }
            writer.add_way(Way(id=number, version=1, nodes=nodes, tags=tags))
        for column in range(columns):
            number += 1
            nodes = [1 + row * columns + column for row in range(rows)]
            tags = {"highway": "residential", "name": f"纵{column}路"}
            writer.add_way(Way(id=number, version=1, nodes=nodes, tags=tags))
    return path


def build_district(folder: Path) -> Path:
    """Import the county into a district folder (without a basemap, which takes seconds)."""
    source = folder / "source"
    source.mkdir(parents=True)
    tree = json.loads(write_areas_file(source / "areas.geojson").read_text(encoding="utf-8"))["features"]
    write_areas(folder / AREAS, [Area(geometry=shape(one["geometry"]), **one["properties"]) for one in tree])
    write_beats_file(folder / BEATS)
    write_places_file(folder / PLACES)
    importing.set_about(folder, About("八格县", COUNTY, "QS"))
    roads = write_roads_file(source / "roads.osm.pbf")
    for name, profile in PROFILES.items():
        RoadGraph.from_pbf(roads, profile).save(folder / graph_file(name))
    return folder


PEOPLE = (
    Responder(
        id="w1",
        unit=1,
        name="周巧云",
        kind="grid_worker",
        grids=(G1,),
        area=G1[:12],
        phone="13900000001",
        profile="motorcycle",
        skills=("first_aid",),
        device_id="phone-1",
    ),
    Responder(
        id="w2",
        unit=2,
        name="林国栋",
        kind="grid_worker",
        grids=(G2,),
        area=G2[:12],
        phone="13900000002",
        profile="motorcycle",
        employment="part_time",
        device_id="phone-2",
    ),
    Responder(
        id="w3",
        unit=3,
        name="何春梅",
        kind="grid_worker",
        grids=(G5, G6),
        area=G5[:12],
        phone="13900000003",
        profile="motorcycle",
        device_id="phone-3",
    ),
    Responder(
        id="p1",
        unit=11,
        name="高建军",
        kind="police",
        beat="B-1",
        area="340604001",
        station="三桥派出所",
        phone="13900000011",
        device_id="phone-11",
    ),
    Responder(
        id="p2",
        unit=12,
        name="宋海",
        kind="police",
        beat="B-2",
        area="340604011",
        station="石台派出所",
        phone="13900000012",
        device_id="phone-12",
    ),
    Responder(
        id="e1",
        unit=21,
        name="抢修一队",
        kind="emergency_member",
        station="县住建局",
        area=COUNTY,
        skills=("pump",),
        phone="13900000021",
        device_id="phone-21",
    ),
)
ON_DUTY = ("w1", "w2", "w3", "p1", "p2", "e1")
CAMERAS = (
    Camera(
        id="c1",
        name="渡口街北",
        gb_id="34060400001320000001",
        lon=116.8151,
        lat=33.9052,
        grid=G3,
        azimuth=90,
        fov=60,
    ),
    Camera(id="c2", name="十里铺路口", lon=116.8250, lat=33.9050, grid=G5, network="bureau"),
    Camera(id="c3", name="石台广场", lon=116.8350, lat=33.9150, grid=G8, network="social"),
)
ACCOUNTS = (
    NewUser("operator", "接线席 冯晓雨", "operator"),
    NewUser("dispatcher", "调度席 沈知行", "dispatcher"),
    NewUser("dispatcher2", "调度席 罗启明", "dispatcher"),
    NewUser("supervisor", "值班长 方以宁", "supervisor"),
    NewUser("leader", "带班领导 程远山", "leader"),
    NewUser("dept", "住建局 值班", "dept", department="县住建局"),
    NewUser("police", "高建军", "police", responder_id="p1"),
    NewUser("police2", "宋海", "police", responder_id="p2"),
    NewUser("worker", "周巧云", "worker", responder_id="w1"),
    NewUser("worker2", "林国栋", "worker", responder_id="w2"),
    NewUser("worker3", "何春梅", "worker", responder_id="w3"),
    NewUser("admin", "系统管理员", "admin"),
    NewUser("town", "三桥镇 指挥室", "dispatcher", area="340604001"),
)
USER_OF = {"w1": "worker", "w2": "worker2", "w3": "worker3", "p1": "police", "p2": "police2"}
HOMES = {"w1": G1, "w2": G2, "w3": G5, "p1": G3, "p2": G7, "e1": G6}
"""Where each unit is seen at the start."""


def settings_for(data: Path, **more: Any) -> Settings:
    """Return settings with hashing as cheap as the bounds allow."""
    return Settings(
        data_dir=data, security=SecuritySettings(argon2_memory_kib=8192, argon2_time_cost=1), **more
    )


@dataclass(frozen=True)
class Keys:
    """Tokens of the prepared data folder."""

    integration: str
    kiosk: str
    device: str
    """Of w1's phone."""


async def populate(data: Path, district: District) -> Keys:
    """Fill a data folder: people on duty, cameras, accounts, tokens."""
    core = open_core(settings_for(data), ManualClock(START), district)
    await core.parts.accounts.load()
    desk = asyncio.create_task(core.desk.run())
    try:
        await core.operations.people.register(SYSTEM, PEOPLE)
        await core.operations.cameras.register(SYSTEM, CAMERAS)
        for key in ON_DUTY:
            await core.operations.people.shift(SYSTEM, key, on_duty=True)
        for account in ACCOUNTS:
            await core.parts.accounts.add(account, PASSWORD, "system", known_password=True)
        issue = core.parts.tokens.issue
        integration, _ = await issue(TokenRequest("integration", "网关"), "system")
        kiosk, _ = await issue(TokenRequest("kiosk", "大屏"), "system")
        device, _ = await issue(TokenRequest("device", "周巧云", "w1", "phone-1"), "system")
    finally:
        desk.cancel()
        await asyncio.gather(desk, return_exceptions=True)
        core.close()
    return Keys(integration, kiosk, device)


@dataclass
class Centre:
    """The whole service in this process, with hands on its clock, its units and its people."""

    core: Core
    app: Any
    clock: ManualClock
    keys: Keys
    data: Path
    _clients: dict[str, httpx2.AsyncClient] = field(default_factory=dict)

    def anonymous(self, **headers: str) -> httpx2.AsyncClient:
        """Return a client without a session."""
        transport = httpx2.ASGITransport(self.app, client=("10.0.0.1", 50_000))
        return httpx2.AsyncClient(transport=transport, base_url=BASE, headers=headers)

    async def as_(self, username: str) -> httpx2.AsyncClient:
        """Return a client that is signed in; the same one each time."""
        if username not in self._clients:
            client = self.anonymous()
            body = {"username": username, "password": PASSWORD}
            answer = await client.post("/api/v1/session", json=body)
            assert answer.status_code == 200, answer.text
            self._clients[username] = client
        return self._clients[username]

    async def get(self, username: str, path: str, **query: Any) -> httpx2.Response:
        """Ask for something under /api/v1."""
        return await (await self.as_(username)).get(f"/api/v1{path}", params=query)

    async def post(
        self, username: str, path: str, body: Mapping[str, Any] | None = None, **headers: str
    ) -> httpx2.Response:
        """Command something under /api/v1."""
        client = await self.as_(username)
        return await client.post(f"/api/v1{path}", json=dict(body or {}), headers=headers)

    async def report(self, username: str = "operator", grid: str = G1, **more: Any) -> Json:
        """Report an incident in the middle of a grid."""
        lon, lat = middle(grid)
        body = {"title": "道路塌陷", "category": "traffic", "level": "III", "source": "hotline"}
        answer = await self.post(username, "/incidents", {**body, "lon": lon, "lat": lat, **more})
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    async def dispatched(self, *responders: str, grid: str = G1, **more: Any) -> tuple[Json, list[str]]:
        """Report an incident and send these units; returns it and the assignments' ids."""
        incident = await self.report(grid=grid, **more)
        answer = await self.post(
            "dispatcher", f"/incidents/{incident['id']}/dispatch", {"responder_ids": list(responders)}
        )
        assert answer.status_code == 200, answer.text
        return dict(answer.json()), [row["assignment_id"] for row in answer.json()["assignments"]]

    async def step(self, responder: str, assignment: str, *steps: str) -> Json:
        """Let a unit say these steps, one after the other."""
        answer: Json = {}
        for step in steps:
            body = {"feedback": "已处置"} if step == "finish" else {}
            found = await self.post(USER_OF[responder], f"/assignments/{assignment}/{step}", body)
            assert found.status_code == 200, found.text
            answer = found.json()
        return answer

    def place(self, responder: str, lon: float, lat: float, *, age_s: float = 0.0, **more: float) -> None:
        """Let a unit be seen at a point."""
        now = self.clock.now().timestamp()
        unit = self.core.board.responders[responder].unit
        verdict = self.core.tracking.positions.report(unit, Report(lon, lat, now - age_s, **more), now)
        assert verdict == Verdict.ACCEPTED
        self.core.tracking.positions.settle()

    def place_all(self) -> None:
        """Let every unit be seen at home, one second after its shift began."""
        self.clock.advance(1)
        for responder, grid in HOMES.items():
            self.place(responder, *middle(grid))

    async def close(self) -> None:
        """Close the clients."""
        for client in self._clients.values():
            await client.aclose()


@asynccontextmanager
async def running(app: Any) -> AsyncIterator[None]:
    """Run an ASGI application's lifespan in a task of its own."""
    inbox: asyncio.Queue[Json] = asyncio.Queue()
    outbox: asyncio.Queue[Json] = asyncio.Queue()
    scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}
    task = asyncio.create_task(app(scope, inbox.get, outbox.put))
    await inbox.put({"type": "lifespan.startup"})
    started = await outbox.get()
    assert started["type"] == "lifespan.startup.complete", started
    try:
        yield
    finally:
        await inbox.put({"type": "lifespan.shutdown"})
        stopped = await outbox.get()
        await task
        assert stopped["type"] == "lifespan.shutdown.complete", stopped


@asynccontextmanager
async def open_centre(
    data: Path, keys: Keys, district: District, clock: ManualClock | None = None, **settings: Any
) -> AsyncIterator[Centre]:
    """Serve a prepared data folder in this process. Loading a district takes a second, so it is passed in."""
    clock = clock or ManualClock(START)
    core = open_core(settings_for(data, **settings), clock, district)
    app = create_app(core.settings, core=core)
    centre = Centre(core, app, clock, keys, data)
    async with running(app):
        centre.place_all()
        yield centre
        await centre.close()


def district_of(data: Path) -> Path:
    """Return the district folder of a data folder."""
    return data / DISTRICT


__all__ = ["Centre", "Keys", "build_district", "middle", "open_centre", "populate"]
