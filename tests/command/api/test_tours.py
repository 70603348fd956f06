from __future__ import annotations

from typing import Any

from tests.command.api.registry import delete, put
from tests.command.api.test_incidents import error
from tests.fixtures import Centre

TOUR = {"name": "环城", "camera_ids": ["c1", "c2"], "dwell_s": 20, "split": 4, "from": "20:00", "to": "06:00"}
LAYOUT = {"name": "门口", "split": 4, "cells": ["c1", None, "c2", None]}


async def tours(centre: Centre, username: str) -> dict[str, list[str]]:
    answer = await centre.get(username, "/tours")
    assert answer.status_code == 200, answer.text
    return {row["id"]: row["camera_ids"] for row in answer.json()["items"]}


async def cells(centre: Centre, username: str) -> dict[str, list[Any]]:
    return {row["id"]: row["cells"] for row in (await centre.get(username, "/layouts")).json()["items"]}


async def test_desks_keep_tours_and_everybody_sees_their_own_part(centre: Centre) -> None:
    for username in ("operator", "dispatcher", "supervisor", "leader"):
        answer = await put(centre, username, f"/tours/of-{username}", TOUR)
        assert answer.status_code == 200, answer.text
        assert (answer.json()["from"], answer.json()["version"]) == ("20:00", 1)
    for username in ("dept", "police", "worker", "admin"):
        error(await put(centre, username, "/tours/t", TOUR), 403, "forbidden")
        error(await delete(centre, username, "/tours/of-leader"), 403, "forbidden")
    await put(centre, "leader", "/tours/elsewhere", {**TOUR, "camera_ids": ["c3"]})
    await put(centre, "leader", "/tours/empty", {**TOUR, "camera_ids": []})
    assert (await tours(centre, "leader"))["elsewhere"] == ["c3"]
    town = await tours(centre, "town")
    assert town["of-leader"] == ["c1"]
    assert set(town) == {"of-operator", "of-dispatcher", "of-supervisor", "of-leader", "empty"}
    assert (await tours(centre, "dept"))["of-leader"] == ["c2"]


async def test_nobody_loses_what_they_do_not_see(centre: Centre) -> None:
    await put(centre, "leader", "/tours/t", TOUR)
    await put(centre, "leader", "/layouts/l", LAYOUT)
    own = {**TOUR, "camera_ids": ["c1"]}
    error(await put(centre, "town", "/tours/t", own), 403, "forbidden")
    error(await delete(centre, "town", "/tours/t"), 403, "forbidden")
    error(await put(centre, "town", "/layouts/l", {**LAYOUT, "cells": [None] * 4}), 403, "forbidden")
    error(await delete(centre, "town", "/layouts/l"), 403, "forbidden")
    told = error(
        await put(centre, "town", "/tours/mine", {**own, "camera_ids": ["c1", "c2"]}), 422, "malformed"
    )
    assert told["field"] == "camera_ids"
    absent = error(
        await put(centre, "leader", "/tours/mine", {**own, "camera_ids": ["c9"]}), 422, "malformed"
    )
    assert absent["detail"].replace("c9", "c2") == told["detail"], "unseen and absent are told the same"
    assert (await put(centre, "town", "/tours/mine", own)).status_code == 200
    assert (await delete(centre, "town", "/tours/mine")).status_code == 200
    await put(centre, "leader", "/tours/elsewhere", {**TOUR, "camera_ids": ["c3"]})
    error(await delete(centre, "town", "/tours/elsewhere"), 404, "not_found")


async def test_versions_and_words_are_checked(centre: Centre) -> None:
    await put(centre, "leader", "/tours/t", TOUR)
    changed = await put(centre, "dispatcher", "/tours/t", {**TOUR, "split": 9, "expected_version": 1})
    assert (changed.json()["split"], changed.json()["version"]) == (9, 2)
    stale = await put(centre, "dispatcher", "/tours/t", {**TOUR, "expected_version": 1})
    assert error(stale, 409, "stale_version")["version"] == 2
    for change, field in (
        ({"split": 5}, "split"),
        ({"dwell_s": 1}, "dwell_s"),
        ({"from": "25:00"}, "from"),
        ({"to": None}, "to"),
        ({"name": "a\x1bb"}, "name"),
        ({"owner": "me"}, "owner"),
    ):
        assert (
            error(await put(centre, "leader", "/tours/t", {**TOUR, **change}), 422, "malformed")["field"]
            == field
        )
    error(await put(centre, "leader", "/tours/a b", TOUR), 422, "malformed")
    error(await delete(centre, "leader", "/tours/none"), 404, "not_found")


async def test_layouts(centre: Centre) -> None:
    kept = await put(centre, "operator", "/layouts/l", LAYOUT)
    assert (kept.status_code, kept.json()["version"]) == (200, 1)
    assert (await cells(centre, "leader")) == {"l": ["c1", None, "c2", None]}
    assert (await cells(centre, "town")) == {"l": ["c1", None, None, None]}
    assert (await cells(centre, "dept")) == {"l": [None, None, "c2", None]}
    await put(centre, "leader", "/layouts/elsewhere", {**LAYOUT, "split": 1, "cells": ["c3"]})
    assert set(await cells(centre, "town")) == {"l"}
    told = error(await put(centre, "leader", "/layouts/l", {**LAYOUT, "cells": ["c1"]}), 422, "malformed")
    assert told["field"] == "cells"
    error(await put(centre, "worker", "/layouts/l", LAYOUT), 403, "forbidden")
    assert (await delete(centre, "operator", "/layouts/l")).json()["id"] == "l"
    error(await delete(centre, "operator", "/layouts/l"), 404, "not_found")
