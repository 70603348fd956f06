"""Questions of where to place more: quick at once, the best in the background, one for each account."""

from __future__ import annotations

import asyncio

import pytest

from command.errors import NotFound, Unavailable
from command.siting import AT_ONCE, Job, Question, Siting
from tests.command.api.test_access_matrix import inner
from tests.command.api.test_coverage import ask
from tests.command.api.test_incidents import error
from tests.fixtures import G8, GRIDS, Centre

KINDS = "grid_worker"


async def finished(centre: Centre, who: str, key: str) -> dict[str, object]:
    account = centre.core.parts.accounts.named(who)
    assert account is not None
    job = inner(centre.app).state.services.siting.job(account.id, key)
    if job.task is not None:
        await asyncio.wait([job.task], timeout=20)
    return await ask(centre, who, f"/coverage/siting/{key}")


async def test_the_best_replaces_the_quick_answer(centre: Centre) -> None:
    body = {"posts": 2, "minutes": 1, "kinds": KINDS}
    answer = await centre.post("leader", "/coverage/siting", body)
    assert answer.status_code == 201, answer.text
    quick = answer.json()
    live = await ask(centre, path="/coverage/one_more", minutes=1, limit=2, kinds=KINDS)
    assert quick["items"] == live["items"]
    assert quick["greedy_m"] == pytest.approx(sum(item["gain_m"] for item in live["items"]), abs=2)
    best = await finished(centre, "leader", quick["id"])
    assert (best["state"], best["proven"]) == ("done", True)
    assert best["gain_m"] >= best["greedy_m"]
    assert best["gap"] == pytest.approx(0, abs=1e-4)
    assert best["bound_m"] == pytest.approx(best["gain_m"], abs=1)
    error(await centre.get("supervisor", f"/coverage/siting/{quick['id']}"), 404, "not_found")


async def test_cameras_and_nothing_to_do(centre: Centre) -> None:
    answer = await centre.post("leader", "/coverage/siting", {"what": "camera", "posts": 1, "area": G8})
    best = await finished(centre, "leader", answer.json()["id"])
    (item,) = best["items"]  # type: ignore[misc]
    assert {grid["code"] for grid in item["grids"]} == {G8}
    assert best["range_m"] == 80
    nothing = await centre.post("leader", "/coverage/siting", {"minutes": 30, "kinds": "all"})
    assert (nothing.json()["state"], nothing.json()["items"], nothing.json()["gap"]) == ("done", [], 0.0)
    for body, field in (({"posts": 0}, "posts"), ({"what": "tower"}, "what"), ({"range_m": 1}, "range_m")):
        refused = error(await centre.post("leader", "/coverage/siting", body), 422, "malformed")
        assert field in refused["field"]


async def test_one_search_for_each_account_and_few_at_once(centre: Centre) -> None:
    services = inner(centre.app).state.services
    moment = await services.coverage.moment(frozenset({KINDS}))
    question = Question("responder", 2, 1, 80.0, frozenset(GRIDS))
    siting = Siting(centre.clock)
    first = await siting.start("a", moment, question)
    second = await siting.start("a", moment, question)
    assert (first.state, second.state) == ("cancelled", "running")
    jobs: list[Job] = [second, *[await siting.start(f"u{n}", moment, question) for n in range(AT_ONCE - 1)]]
    with pytest.raises(Unavailable):
        await siting.start("late", moment, question)
    with pytest.raises(NotFound):
        await siting.cancel("b", second.id)
    await siting.cancel("a", second.id)
    assert second.state == "cancelled"
    assert second.posts
    jobs.append(await siting.start("late", moment, question))
    await siting.close()
    assert all(job.state != "running" for job in jobs)
    assert all(job.task is None or job.task.done() for job in jobs)
