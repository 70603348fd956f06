"""Nothing public goes undescribed: event types, entities, routes, commands, and the version."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import msgspec
import pytest
import typer.main
from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts

from command import __version__, events
from command.api.gateway import GATEWAY_PATH
from command.assignments import STEPS, Assignment
from command.cameras import FAULTS, Alarm, Camera, Layout, Status, Tour
from command.cli.main import app as cli
from command.closures import Closure
from command.incidents import LIFECYCLE, Attachment, Incident
from command.messages import Message, Receipt
from command.policy import Stages
from command.responders import KINDS, Responder
from command.server import create_app
from command.settings import Settings

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
ENTITIES = {
    "Incident": (Incident, Stages, Attachment),
    "Assignment": (Assignment,),
    "Responder": (Responder,),
    "Camera": (Camera,),
    "Message": (Message, Receipt),
    "Tour": (Tour,),
    "Layout": (Layout,),
    "Alarm": (Alarm,),
    "Closure": (Closure,),
}
"""Section of ``docs/events.md`` → what it must describe."""
RAW = {
    "POST /api/v1/positions",
    "GET /tracker/osmand",
    "POST /tracker/osmand",
    "POST /tracker/owntracks",
    f"WS {GATEWAY_PATH}",
    "GET /openapi.json",
}
"""Routes that no router knows: those in front of the framework, and the description itself."""


def text(name: str) -> str:
    return (DOCS / name).read_text("utf-8")


def section(document: str, title: str) -> str:
    """The part of a document under a third-level heading."""
    found = re.search(rf"^### {title}$(.*?)(?=^##|\Z)", document, re.MULTILINE | re.DOTALL)
    assert found, f"no section {title}"
    return found[1]


def named(document: str) -> set[str]:
    """What stands in code spans in the first column of tables."""
    rows = re.findall(r"^\| ([^|]*`[^|]*) \|", document, re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`([^`]+)`", row)}


def test_every_event_type_is_described_and_no_other() -> None:
    types = {name for name in named(text("events.md")) if re.fullmatch(r"[a-z]+\.[a-z_]+", name)}
    assert types - {"data.actor", "data.changes"} == set(events.EVENT_TYPES)


@pytest.mark.parametrize("title", ENTITIES)
def test_every_field_of_an_entity_is_described_and_no_other(title: str) -> None:
    fields = {field.encode_name for kind in ENTITIES[title] for field in msgspec.structs.fields(kind)}
    assert named(section(text("events.md"), title)) - {"due", "limits_s"} == fields - {"due", "limits_s"}


def test_states_and_kinds_stand_beside_their_fields() -> None:
    document = text("events.md")
    states = {target for move in LIFECYCLE.values() for target in (*move.sources, move.target) if target}
    assert states <= set(re.findall(r"[a-z]+", section(document, "Incident")))
    reached = {state for sources, target, _ in STEPS.values() for state in (*sources, target)}
    assert reached <= set(re.findall(r"[a-z_]+", section(document, "Assignment")))
    assert set(KINDS) <= set(re.findall(r"`([a-z_]+)`", section(document, "Responder")))
    assert {*FAULTS, *Status} <= set(re.findall(r"[a-z_]+", section(document, "Camera")))


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    """The web application inside its wrappers."""
    found: object = create_app(Settings(data_dir=tmp_path_factory.mktemp("docs")))
    core = []
    while not isinstance(found, FastAPI):
        found = found._app  # type: ignore[attr-defined]
        core.append(found)
    found.state.services.accounts.close()
    found.state.services.database.close()
    return found


def test_every_route_is_described_and_no_other(web: FastAPI) -> None:
    served = {
        f"{method.upper()} {path}" for path, methods in web.openapi()["paths"].items() for method in methods
    }
    # The pages and the figures leave themselves out of the description.
    included = [router for route in web.routes if (router := getattr(route, "original_router", None))]
    hidden = {
        f"{method} {route.path}"
        for router in included
        for route in router.routes
        if isinstance(route, APIRoute) and not route.include_in_schema
        for method in route.methods or ()
    }
    assert "GET /metrics" in hidden
    sockets = {
        f"WS {route.path}"
        for route in iter_route_contexts(web.routes)
        if not route.methods and route.path.startswith("/api/")
    }
    served |= hidden | sockets - {"WS /api/v1/feed"}  # it has a section of its own
    described = {name for name in named(text("api.md")) if re.match(r"(GET|POST|DELETE|PUT|WS) /", name)}
    assert described - {"GET /static/…"} == served | RAW
    assert "`WS /api/v1/feed`" in text("api.md")


def test_every_command_of_the_lifecycle_is_described() -> None:
    document = text("api.md")
    assert set(LIFECYCLE) - {"attach"} <= named(document)
    assert {"on_scene" if name == "time_out" else name for name in STEPS} <= named(document)


def test_every_command_line_word_is_in_the_operator_guide() -> None:
    guide = text("operator-guide.md")

    def words(command: object, prefix: str) -> set[str]:
        below = getattr(command, "commands", None)
        if not isinstance(below, dict):
            return {prefix}
        return set().union(*(words(sub, f"{prefix} {name}") for name, sub in below.items()))

    missing = {name for name in words(typer.main.get_command(cli), "yiping") if f"`{name}" not in guide}
    assert not missing


def test_the_changelog_tells_this_version() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    versions = re.findall(r"^## \[(\d+\.\d+\.\d+)\] - \d{4}-\d{2}-\d{2}$", changelog, re.MULTILINE)
    assert versions[0] == __version__


def test_every_dependency_has_its_reason() -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)
    required = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    names = {re.match(r"[\w.-]+", requirement)[0] for requirement in required}  # type: ignore[index]
    assert names <= named(text("adr/0009-dependencies.md"))


def test_decision_records_have_their_four_parts_and_a_number_each() -> None:
    records = sorted((DOCS / "adr").glob("*.md"))
    numbers = [path.name[:4] for path in records]
    assert len(numbers) == len(set(numbers))
    for path in records:
        lines = path.read_text("utf-8").splitlines()
        assert lines[0].startswith(f"# {path.name[:4]} "), path.name
        heads = [line[3:] for line in lines if line.startswith("## ")]
        assert [heads[0], heads[1], heads[-2], heads[-1]] == [
            "Context",
            "Decision",
            "Consequences",
            "Enforced by",
        ], path.name


def test_settings_that_the_documents_name_exist() -> None:
    known = named(text("settings.md"))
    sections = {name.partition(".")[0] for name in known if "." in name}
    for document in [*DOCS.rglob("*.md"), *ROOT.glob("*.md")]:
        for name in re.findall(r"`([a-z]+\.[a-z_]+)`", document.read_text("utf-8")):
            if name.partition(".")[0] in sections and not name.endswith((".js", ".py")):
                assert name in known, f"{document.name}: {name}"


def test_links_between_documents_lead_somewhere() -> None:
    documents = [*DOCS.rglob("*.md"), *ROOT.glob("*.md")]
    for document in documents:
        for link in re.findall(r"\]\(([^)#\s]+)[^)]*\)", document.read_text("utf-8")):
            if "://" not in link and not link.endswith(".png"):
                assert (document.parent / link).exists(), f"{document.name}: {link}"


def test_paths_that_the_documents_name_exist() -> None:
    folders = "tests|command|gis|streams|static|config|bench|docs"
    for document in [*DOCS.rglob("*.md"), *ROOT.glob("*.md")]:
        for path in re.findall(rf"`((?:{folders})/[^`*…\s]*)`", document.read_text("utf-8")):
            assert (ROOT / path.partition("::")[0]).exists(), f"{document.name}: {path}"
