"""A small app with the real checks, sessions and error forms around a few routes of its own."""

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated

import httpx2
from fastapi import APIRouter, Body, Depends, FastAPI, Request, WebSocket
from pydantic import BaseModel
from starlette.types import ASGIApp

from command.accounts.access import Principal
from command.accounts.assembly import AccountParts, assemble
from command.accounts.memory import MemoryAccounts
from command.accounts.users import NewUser
from command.api import admin, errors, ops, session
from command.api.ops import Figures
from command.api.security import SecurityMiddleware, public, require, session_of
from command.clock import ManualClock
from command.resources import config_dir
from command.setting_sections import SecuritySettings
from command.settings import Settings

BASE = "http://127.0.0.1:8000"
PASSWORD = "correct horse"
PEOPLE = {
    "operator": NewUser("operator", "接线员甲", "operator"),
    "dispatcher": NewUser("dispatcher", "调度员甲", "dispatcher"),
    "admin": NewUser("admin", "管理员", "admin"),
    "leader": NewUser("leader", "领导", "leader"),
    "worker": NewUser("worker", "网格员甲", "worker", responder_id="r-1"),
}


class Numbers(BaseModel):
    n: int


def own_routes() -> APIRouter:
    router = APIRouter()

    @router.get("/open", dependencies=[Depends(public)])
    async def open_to_all() -> dict[str, bool]:
        return {"ok": True}

    @router.get("/map")
    async def map_only(me: Annotated[Principal, Depends(require("view.map"))]) -> dict[str, str]:
        return {"user_id": me.user_id}

    @router.post("/numbers", dependencies=[Depends(public)])
    async def numbers(body: Numbers) -> dict[str, int]:
        return {"n": body.n}

    @router.post("/incidents/x/photos", dependencies=[Depends(public)])
    async def photo(request: Request) -> dict[str, int]:
        return {"size": len(await request.body())}

    @router.get("/items/{n}", dependencies=[Depends(public)])
    async def item(n: int) -> dict[str, int]:
        return {"n": n}

    @router.post("/fail", dependencies=[Depends(public)])
    async def fail(request: Request, kind: Annotated[str, Body(embed=True)]) -> None:
        raise request.app.state.failures[kind]

    @router.websocket("/socket", dependencies=[])
    async def socket(websocket: WebSocket) -> None:
        await websocket.accept()
        found = session_of(websocket)
        await websocket.send_json({"user": found.principal.username if found else None})
        await websocket.close()

    return router


@dataclass
class Service:
    """The app under test and what a test wants to reach inside it."""

    app: ASGIApp
    inner: FastAPI
    parts: AccountParts
    clock: ManualClock
    settings: Settings
    figures: Figures
    failures: dict[str, Exception] = field(default_factory=dict)

    def client(self, base: str = BASE, **more: object) -> httpx2.AsyncClient:
        transport = httpx2.ASGITransport(self.app, client=("10.0.0.1", 50000), **more)  # type: ignore[arg-type]
        return httpx2.AsyncClient(transport=transport, base_url=base)

    async def signed_in(self, username: str, base: str = BASE) -> httpx2.AsyncClient:
        async with self.client(base) as door:
            body = {"username": username, "password": PASSWORD}
            answer = await door.post("/api/v1/session", json=body)
            assert answer.status_code == 200, answer.text
        client = self.client(base)
        client.cookies.update(answer.cookies)
        return client


def build(tmp_path: Path, **security: object) -> Service:
    cheap = {"argon2_memory_kib": 8192, "argon2_time_cost": 1, **security}
    settings = Settings(data_dir=tmp_path, security=SecuritySettings(**cheap))  # type: ignore[arg-type]
    clock = ManualClock()
    parts = assemble(MemoryAccounts(), settings.security, clock, config_dir() / "roles.toml", "340604")
    district = SimpleNamespace(
        about=SimpleNamespace(name="烈山区", code="340604", prefix="LS"), bounds=(116.8, 33.7, 117.2, 34.0)
    )
    services = SimpleNamespace(
        settings=settings,
        clock=clock,
        district=district,
        board=SimpleNamespace(responders={"r-1": object()}),
        accounts=parts.accounts,
        sessions=parts.sessions,
        access=parts.access,
        audit=parts.audit,
        tokens=parts.tokens,
    )
    inner = FastAPI()
    inner.state.services = services
    inner.state.failures = {}
    inner.state.figures = figures = Figures()
    errors.install(inner)
    api = APIRouter(prefix="/api/v1")
    for router in (session.router, admin.router, own_routes()):
        api.include_router(router)
    inner.include_router(api)
    inner.include_router(ops.router)
    app = SecurityMiddleware(inner, settings, figures.observe)
    return Service(app, inner, parts, clock, settings, figures, inner.state.failures)
