import inspect

import pytest
from structlog.testing import capture_logs

from command import errors
from command.api.errors import STATUS, status_of
from gis import errors as gis_errors
from tests.command.api.small_app import Service

CASES: list[tuple[Exception, int, str, dict[str, object]]] = [
    (errors.Unauthenticated(), 401, "unauthenticated", {}),
    (errors.Forbidden(), 403, "forbidden", {}),
    (errors.NotFound("incident", "i-1"), 404, "not_found", {}),
    (errors.Conflict("no"), 409, "conflict", {}),
    (
        errors.IllegalTransition("incident", "i-1", "closed", "accept"),
        409,
        "illegal_transition",
        {"state": "closed", "command": "accept"},
    ),
    (errors.StaleVersion(3, 5), 409, "stale_version", {"version": 5}),
    (
        errors.AlreadyAssigned({"assignment_id": "a-1", "by_name": "李"}),
        409,
        "already_assigned",
        {"winner": {"assignment_id": "a-1", "by_name": "李"}},
    ),
    (errors.IdempotencyReuse(), 409, "idempotency_reuse", {}),
    (errors.TooLarge(10), 413, "too_large", {"limit_bytes": 10}),
    (errors.Malformed("lon", "Not a number."), 422, "malformed", {"field": "lon"}),
    (errors.TooManyRequests(1.5), 429, "too_many_requests", {"retry_after_s": 1.5}),
    (errors.Unavailable(), 503, "unavailable", {}),
    (errors.StorageFull(), 507, "storage_full", {}),
    (gis_errors.UnknownArea("340604"), 404, "not_found", {}),
    (gis_errors.BadFile("/srv/secret/a.shp", "row 3", "no geometry"), 422, "bad_file", {}),
    (gis_errors.CrsMismatch("no CRS"), 422, "crs_mismatch", {}),
    (gis_errors.ToolFailed("tippecanoe", "/srv/secret"), 503, "tool_failed", {}),
]


@pytest.mark.parametrize(("error", "status", "code", "extras"), CASES, ids=lambda v: type(v).__name__)
async def test_every_failure_takes_the_one_form(
    service: Service, error: Exception, status: int, code: str, extras: dict[str, object]
) -> None:
    service.failures["x"] = error
    async with service.client() as client:
        answer = await client.post("/api/v1/fail", json={"kind": "x"}, headers={"x-request-id": "req-7"})
    assert answer.status_code == status
    body = answer.json()
    assert body.pop("error") == code
    assert body.pop("request_id") == "req-7" == answer.headers["x-request-id"]
    detail = body.pop("detail")
    assert detail
    assert "/srv/secret" not in detail
    assert body == extras
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"


def test_every_error_is_in_the_table() -> None:
    for module in (errors, gis_errors):
        for _, kind in inspect.getmembers(module, inspect.isclass):
            if issubclass(kind, Exception):
                assert any(parent in STATUS for parent in kind.__mro__), kind
    assert status_of(RuntimeError()) == 500


async def test_waiting_is_told_in_the_header_too(service: Service) -> None:
    service.failures |= {"wait": errors.TooManyRequests(1.2), "down": errors.Unavailable()}
    async with service.client() as client:
        answer = await client.post("/api/v1/fail", json={"kind": "wait"})
        assert answer.headers["retry-after"] == "2"
        answer = await client.post("/api/v1/fail", json={"kind": "down"})
        assert int(answer.headers["retry-after"]) >= 1


@pytest.mark.parametrize(
    ("method", "path", "sent", "status", "code", "field"),
    [
        ("POST", "/api/v1/numbers", {"json": {"n": "x"}}, 422, "malformed", "n"),
        ("POST", "/api/v1/numbers", {"json": {}}, 422, "malformed", "n"),
        ("POST", "/api/v1/numbers", {"json": [1]}, 422, "malformed", ""),
        (
            "POST",
            "/api/v1/numbers",
            {"content": b"{", "headers": {"content-type": "application/json"}},
            422,
            "malformed",
            "",
        ),
        ("GET", "/api/v1/items/abc", {}, 422, "malformed", "n"),
        ("GET", "/api/v1/nothing", {}, 404, "not_found", None),
        ("GET", "/api/v1/numbers", {}, 405, "method_not_allowed", None),
    ],
)
async def test_what_the_framework_refuses_looks_the_same(
    service: Service,
    method: str,
    path: str,
    sent: dict[str, object],
    status: int,
    code: str,
    field: str | None,
) -> None:
    async with service.client() as client:
        answer = await client.request(method, path, **sent)  # type: ignore[arg-type]
    body = answer.json()
    assert (answer.status_code, body["error"], body.get("field")) == (status, code, field)
    assert set(body) == {"error", "detail", "request_id"} | ({"field"} if field is not None else set())


async def test_a_refused_password_is_not_sent_back(service: Service) -> None:
    async with service.client() as client:
        answer = await client.post("/api/v1/session", json={"username": 7, "password": "my secret"})
    assert answer.status_code == 422
    assert "my secret" not in answer.text


async def test_an_unexpected_error_says_nothing_and_is_logged_once(service: Service) -> None:
    service.failures["bug"] = RuntimeError("canary: internal detail")
    with capture_logs() as lines:
        async with service.client() as client:
            answer = await client.post("/api/v1/fail", json={"kind": "bug"})
    assert answer.status_code == 500
    assert answer.json()["error"] == "internal"
    assert "canary" not in answer.text
    assert answer.headers["content-security-policy"]
    assert answer.json()["request_id"] == answer.headers["x-request-id"]
    [line] = [line for line in lines if line["log_level"] == "error"]
    assert line["exc_info"] is service.failures["bug"]


async def test_the_callers_fault_is_info_and_ours_is_error(service: Service) -> None:
    service.failures |= {"theirs": errors.NotFound("incident", "x"), "ours": errors.StorageFull()}
    async with service.client() as client:
        with capture_logs() as theirs:
            await client.post("/api/v1/fail", json={"kind": "theirs"})
        with capture_logs() as ours:
            await client.post("/api/v1/fail", json={"kind": "ours"})
    assert {line["log_level"] for line in theirs} == {"info"}
    assert [line["log_level"] for line in ours] == ["error", "info"]
