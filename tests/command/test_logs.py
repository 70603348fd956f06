import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from command.logs import REDACTED, configure, get_logger, redact, redact_text, request_id
from command.setting_sections import LogSettings

CANARY = "Canary9x7"


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    configure(LogSettings(level="debug"), stream)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()
    logging.getLogger("uvicorn.access").disabled = False
    logging.getLogger("uvicorn.access").propagate = True


def test_a_line_is_one_json_object_with_the_request_id(written: io.StringIO) -> None:
    token = request_id.set("req-1")
    try:
        get_logger("yiping.test").info("incident reported", incident_id="i-1", title="路口积水")
    finally:
        request_id.reset(token)
    line = json.loads(written.getvalue())
    assert line["event"] == "incident reported"
    assert line["request_id"] == "req-1"
    assert line["level"] == "info"
    assert line["at"].endswith("Z")
    assert "路口积水" in written.getvalue()


@pytest.mark.parametrize(
    "facts",
    [
        {"password": CANARY},
        {"new_password": CANARY},
        {"token": CANARY},
        {"device_token": CANARY},
        {"Authorization": f"Bearer {CANARY}"},
        {"cookie": f"yiping_session={CANARY}"},
        {"set-cookie": CANARY},
        {"contact": CANARY},
        {"reporter_contact": CANARY},
        {"camera_key": CANARY},
        {"headers": [(b"authorization", CANARY.encode()), (b"host", b"x")]},
        {"body": {"user": {"password": CANARY}}},
        {"items": [{"token": CANARY}]},
        {"url": f"rtsp://admin:{CANARY}@10.0.0.9:554/ch1"},
        {"url": f"http://10.0.0.9/x?user=a&password={CANARY}&n=1"},
        {"url": f"/tracker/osmand?id=1&token={CANARY}"},
        {"url": f"/wall?kiosk={CANARY}"},
        {"text": f"Authorization: Basic {CANARY}AAAA"},
        {"text": f"sent Bearer {CANARY}abc"},
        {"text": f"token yt_{CANARY}abcdef leaked"},
        {"text": f"{{'password': '{CANARY}'}}"},
        {"text": f'{{"secret":"{CANARY}"}}'},
        {"raw": f"password={CANARY}".encode()},
        {"hash": f"$argon2id$v=19$m=19456,t=2,p=1${CANARY}$x"},
    ],
)
def test_no_secret_gets_out(written: io.StringIO, facts: dict[str, object]) -> None:
    get_logger("yiping.test").warning("something", **facts)
    assert written.getvalue()
    assert CANARY not in written.getvalue()
    assert REDACTED in written.getvalue()


def test_a_traceback_is_redacted_too(written: io.StringIO) -> None:
    try:
        raise ValueError(f"cannot open rtsp://u:{CANARY}@h/1?password={CANARY}")
    except ValueError:
        get_logger("yiping.test").exception("camera failed")
    assert "Traceback" in written.getvalue()
    assert CANARY not in written.getvalue()


def test_libraries_go_the_same_way(written: io.StringIO) -> None:
    logging.getLogger("some.library").warning("login with password=%s failed", CANARY)
    line = json.loads(written.getvalue())
    assert line["logger"] == "some.library"
    assert CANARY not in written.getvalue()


def test_uvicorn_says_no_query_strings(written: io.StringIO) -> None:
    logging.getLogger("uvicorn.error").info('"WebSocket /api/v1/feed?ticket=%s" [accepted]', CANARY)
    logging.getLogger("uvicorn.access").info("GET /wall?kiosk=%s", CANARY)
    assert CANARY not in written.getvalue()
    assert "/api/v1/feed" in written.getvalue()
    assert "/wall" not in written.getvalue()


def test_phone_numbers_are_masked_but_ids_are_not() -> None:
    assert redact_text("来电 13812340472 反映") == "来电 138****0472 反映"
    assert redact_text("gb 34060400001310000472") == "gb 34060400001310000472"
    assert redact_text("seq 1795312062123") == "seq 1795312062123"


def test_what_is_harmless_stays() -> None:
    event = {"event": "x", "status": 200, "path": "/api/v1/incidents", "ok": True, "none": None, "f": 1.5}
    assert redact(None, "info", dict(event)) == event


def test_console_format(written: io.StringIO) -> None:
    stream = io.StringIO()
    configure(LogSettings(format="console", level="info"), stream)
    get_logger("yiping.test").debug("not shown")
    get_logger("yiping.test").info("shown", password=CANARY)
    assert "shown" in stream.getvalue()
    assert "not shown" not in stream.getvalue()
    assert CANARY not in stream.getvalue()
    assert written.getvalue() == ""


@given(st.text(alphabet=st.characters(codec="ascii", categories=["L", "N"]), min_size=8, max_size=40))
def test_a_password_in_a_query_never_survives(secret: str) -> None:
    assert redact_text(f"GET /x?a=1&password={secret}&b=2") == f"GET /x?a=1&password={REDACTED}&b=2"


def test_a_huge_value_is_cut() -> None:
    assert len(redact_text("a" * 1_000_000)) < 30_000
