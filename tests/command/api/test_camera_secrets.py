"""A canary for a password: nothing the service says, writes or keeps holds it, except sealed."""

from __future__ import annotations

import io
import json
import logging
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
import structlog

from command import logs
from command.events import SYSTEM
from command.setting_sections import LogSettings
from command.store import archive, schema
from command.store.secret_box import KEY_FILE
from tests.command.api.registry import PLACE, SOURCE, put, register
from tests.command.api.test_imports import apply, begin
from tests.command.workbook import workbook
from tests.fixtures import Centre

CANARY = "canary-5d1f-of-the-camera"
DEVICE = "34060400001110000001"


def holding(folder: Path, what: bytes) -> list[str]:
    """Return the files below a folder that hold these bytes."""
    return [
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and what in path.read_bytes()
    ]


def inside(path: Path, what: bytes) -> list[str]:
    """Return the files of an archive that hold these bytes."""
    with tarfile.open(path) as packed:
        entries = [(entry.name, packed.extractfile(entry)) for entry in packed if entry.isfile()]
        return [name for name, file in entries if file is not None and what in file.read()]


@pytest.fixture(params=["json", "console"])
def said(request: pytest.FixtureRequest) -> Iterator[io.StringIO]:
    """What is logged, down to the least."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    logs.configure(LogSettings(level="debug", format=request.param), stream)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()
    logging.getLogger("uvicorn.access").disabled = False
    logging.getLogger("uvicorn.access").propagate = True


async def test_a_password_is_nowhere(said: io.StringIO, registry: Centre, tmp_path: Path) -> None:
    source = {**SOURCE, "password": CANARY}
    texts: list[str] = []

    made = await register(registry, source=source)
    texts.append(json.dumps(made))
    path = f"/cameras/{made['id']}"
    answers = [
        await put(registry, "admin", path, {"source": source}, **{"idempotency-key": "k1"}),
        await put(registry, "admin", path, {"source": {**source, "path": "y"}}, **{"idempotency-key": "k1"}),
        await put(registry, "admin", path, {"source": {**source, "host": "8.8.8.8"}}),
        await put(registry, "admin", path, {"source": {**source, "password": CANARY * 9}}),
        await put(registry, "admin", path, {"source": {**source, "password": [CANARY]}}),
        await put(registry, "admin", path, {"source": {**source, "password": CANARY + "\n"}}),
        await put(registry, "admin", path, {"source": {**source, "secret": CANARY}}),
        await put(registry, "admin", path, {"source": {**source, "path": f"a?password={CANARY}"}}),
        await registry.post("admin", "/cameras", {"name": "x", **PLACE, "source": source, "lat": 91}),
        await registry.post("dispatcher", "/cameras", {"name": "x", **PLACE, "source": source}),
        await put(registry, "admin", f"/gb/devices/{DEVICE}", {"name": "x", "password": CANARY}),
        await registry.get("admin", f"{path}/source"),
        await registry.get("admin", path),
        await registry.get("dispatcher", "/cameras"),
        await registry.get("dispatcher", "/cameras/near", **PLACE),
        await registry.get("admin", "/gb/devices"),
        await registry.get("admin", "/audit"),
        await registry.get("dispatcher", "/search", q="新点位"),
    ]
    texts += [answer.text for answer in answers]
    async with registry.anonymous() as client:
        texts += [(await client.get(page)).text for page in ("/metrics", "/readyz", "/openapi.json")]
    core = registry.core
    specs = await core.sources.load_sources()
    assert {spec.source.password for spec in specs} == {CANARY}
    texts += [repr(value) for value in (specs, await core.sources.load_devices(), core.sources, core.board)]
    texts.append(repr(core.settings))
    texts += [msgspec.json.encode(event).decode() for event in core.log.after(0)]
    texts.append(core.board.dump().decode())
    receipts = core.database.read_now(lambda c: c.execute(sa.select(schema.commands)).all())
    assert receipts
    texts.append(repr(receipts))
    assert not [text[:200] for text in texts if CANARY in text]
    assert said.getvalue()
    assert CANARY not in said.getvalue()

    # On the disk: what is not sealed is found, so what is sealed is not.
    data = core.settings.data_dir
    assert holding(data, b"10.0.0.5")
    assert holding(data, CANARY.encode()) == []
    assert ((data / KEY_FILE).stat().st_mode & 0o777) == 0o600
    archive.backup(data, tmp_path / "b.tar.gz")
    assert inside(tmp_path / "b.tar.gz", b"10.0.0.5") == ["yiping.db"]
    assert inside(tmp_path / "b.tar.gz", CANARY.encode()) == []
    key = (data / KEY_FILE).read_bytes().strip()
    assert (
        inside(tmp_path / "b.tar.gz", key) == inside(tmp_path / "b.tar.gz", bytes.fromhex(key.decode())) == []
    )


@pytest.mark.parametrize("said", ["json"], indirect=True)
async def test_a_password_in_a_list_is_nowhere_from_its_arrival_to_its_undoing(
    said: io.StringIO, registry: Centre
) -> None:
    core, data = registry.core, registry.core.settings.data_dir
    made = await register(registry, gb_id=DEVICE, source={**SOURCE, "password": CANARY})
    book = workbook(
        [
            ("name", "gb_id", "lon", "lat", "host", "username", "password"),
            ("一", DEVICE, 116.825, 33.905, "10.0.0.8", "admin", CANARY),
            ("二", "", 116.826, 33.905, "8.8.8.8", "admin", CANARY),
            ("三", "", 116.827, 33.905, "10.0.0.8", "admin", CANARY + "\x07"),
        ]
    )
    # The first text beyond ASCII stands beside the password: samples of encodings show the one and not the other.
    addresses = ("rtsp", "10.0.0.9/x"), ("rtsp", "8.8.4.4/x"), ("rtsp", "[bad"), ("gopher", "10.0.0.9")
    lines = [f"四,116.828,33.905,{kind}://admin:{CANARY}@{rest}" for kind, rest in addresses]
    urls = "\n".join(["name,lon,lat,path", *lines])
    odd = f"name,lon,lat,protocol,password\n五,116.83,33.905,rtsp://admin:{CANARY}@10.0.0.9,{CANARY}\n"
    lists: list[tuple[bytes, dict[str, Any]]] = [
        (book, {}),
        (urls.encode("gb18030"), {}),
        (odd.encode(), {"mapping": {"password": ""}}),
        (odd.encode(), {"crs": None}),
        (f"\xd0\xcf\x11\xe0 {CANARY}".encode("latin-1"), {}),
    ]
    texts, applied = [], []
    for content, choices in lists:
        job = await begin(registry, "cameras", "list", content, **{"crs": "EPSG:4326", **choices})
        texts.append(json.dumps(job))
        for part in ("", "/issues", "/issues.csv", "/preview.geojson"):
            texts.append((await registry.get("admin", f"/imports/{job['id']}{part}")).text)
        assert holding(data, CANARY.encode()) == [], "not while it waits to be put in force either"
        if job["state"] == "ready":
            job = await apply(registry, job["id"])
            texts.append(json.dumps(job))
            assert holding(data, CANARY.encode()) == [], "nor beside what it replaced"
        if job["state"] == "applied":
            applied.append(job["id"])
    assert len(applied) == 2
    specs = {spec.id: spec.source for spec in await core.sources.load_sources()}
    assert {source.password for source in specs.values()} == {CANARY}
    assert {source.host for source in specs.values()} == {"10.0.0.8", "10.0.0.9"}
    for job_id in applied:
        await core.imports.undo(job_id, SYSTEM)
    specs = {spec.id: spec.source for spec in await core.sources.load_sources()}
    assert [(key, one.host, one.password) for key, one in specs.items()] == [(made["id"], "10.0.0.5", CANARY)]
    texts.append((await registry.get("admin", "/imports")).text)
    texts.append((await registry.get("admin", "/audit")).text)
    texts += [msgspec.json.encode(event).decode() for event in core.log.after(0)]
    assert not [text[:200] for text in texts if CANARY in text]
    assert CANARY not in said.getvalue()
    assert holding(data, CANARY.encode()) == []


async def test_a_backup_opened_elsewhere_says_which_passwords_are_missing(
    registry: Centre, tmp_path: Path
) -> None:
    from command.store.database import Database
    from command.store.secret_box import load_box
    from command.store.sources import Sources

    made = await register(registry, source={**SOURCE, "password": CANARY})
    data = registry.core.settings.data_dir
    archive.backup(data, tmp_path / "b.tar.gz")
    archive.restore(tmp_path / "b.tar.gz", tmp_path / "new")
    database = Database(tmp_path / "new" / "yiping.db")
    try:
        sources = Sources(database, load_box(None, tmp_path / "new"), registry.core.board)
        kept = await sources.kept(made["id"])
        assert kept is not None
        assert (kept.has_password, kept.readable) == (True, False)
        (tmp_path / "new" / KEY_FILE).write_bytes((data / KEY_FILE).read_bytes())
        sources = Sources(database, load_box(None, tmp_path / "new"), registry.core.board)
        assert [spec.source.password for spec in await sources.load_sources()] == [CANARY]
    finally:
        database.close()
