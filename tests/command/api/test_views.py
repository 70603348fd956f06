"""What each connection to the feed may see: the access rules in the feed's own terms."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from starlette.websockets import WebSocket

from command.api.feed import Viewer
from command.api.views import viewer_of
from command.feed import TOPICS
from tests.command.api.test_access_matrix import inner
from tests.fixtures import G1, G8, Centre


async def viewer(centre: Centre, username: str) -> Viewer:
    """Return the viewer of a handshake with this user's session."""
    client = await centre.as_(username)
    cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    found = viewer_of(websocket(centre, cookie))
    assert found is not None
    return found


def websocket(centre: Centre, cookie: str) -> WebSocket:
    scope: dict[str, Any] = {
        "type": "websocket",
        "path": "/api/v1/feed",
        "headers": [(b"host", b"127.0.0.1:8000"), (b"cookie", cookie.encode())],
        "app": inner(centre.app),
    }

    async def nothing(*_: Any) -> Any:
        raise AssertionError("who somebody is stands in the handshake alone")

    return WebSocket(scope, nothing, nothing)


async def test_without_a_session_there_is_no_view(centre: Centre) -> None:
    assert viewer_of(websocket(centre, "")) is None
    assert viewer_of(websocket(centre, "yiping_session=nonsense")) is None


async def test_topics_are_those_asked_for_and_allowed(centre: Centre) -> None:
    field = {"incidents", "responders", "messages", "telemetry"}
    for username, topics in (
        ("dispatcher", set(TOPICS)),
        ("operator", set(TOPICS) - {"telemetry"}),
        ("worker", field),
        ("police", {*field, "cameras"}),
        ("admin", set()),
    ):
        view = (await viewer(centre, username)).view(TOPICS)
        assert set(view.topics) == topics, username
    few = (await viewer(centre, "dispatcher")).view(frozenset({"incidents"}))
    assert set(few.topics) == {"incidents"}


async def test_entities_are_those_that_the_requests_show(centre: Centre) -> None:
    near, _ = await centre.dispatched("w1", grid=G1)
    far = await centre.report(grid=G8)
    board = centre.core.board
    for username, sees in (
        ("dispatcher", {near["id"], far["id"]}),
        ("town", {near["id"]}),
        ("worker", {near["id"]}),
        ("worker3", set()),
        ("police2", {far["id"]}),
    ):
        view = (await viewer(centre, username)).view(TOPICS)
        rows = board.wire()["incidents"]
        found = {key for key, entity in rows.items() if view.sees("incidents", key, entity)}
        assert found == sees, username
        listed = (await centre.get(username, "/incidents")).json()["items"]
        assert {row["id"] for row in listed} == sees


async def test_nothing_is_asked_about_those_who_see_everything(centre: Centre) -> None:
    whole = (await viewer(centre, "supervisor")).view(TOPICS)
    assert (whole.unrestricted, whole.share) == (True, "all")
    for username in ("town", "worker", "dept"):
        part = (await viewer(centre, username)).view(TOPICS)
        assert (part.unrestricted, part.share) == (False, None), username


@pytest.mark.parametrize(
    ("username", "units"), [("dispatcher", None), ("worker", {1}), ("town", {1, 2, 11}), ("dept", {21})]
)
async def test_positions_are_those_of_units_one_may_follow(
    centre: Centre, username: str, units: set[int] | None
) -> None:
    found = await viewer(centre, username)
    if units is None:
        assert found.units is None
        return
    assert found.units is not None
    everybody = np.array([1, 2, 3, 11, 12, 21, 99], np.uint32)
    assert set(everybody[found.units(everybody)].tolist()) == units
    # Whoever goes off duty is followed no longer.
    assert (await centre.post("dispatcher", "/responders/w1/shift", {"on_duty": False})).status_code == 200
    assert set(everybody[found.units(everybody)].tolist()) == units - {1}
