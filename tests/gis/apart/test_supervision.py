"""A process apart as the service sees it: heard all the time, ended in time, and named when it dies."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from gis.apart import supervision
from gis.apart.messages import Refused


async def test_progress_is_told_though_the_worker_is_silent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    times: list[float] = []
    monkeypatch.setattr(supervision, "TICK_S", 0.1)
    script = tmp_path / "silent.py"
    script.write_text("import time; time.sleep(30)", "utf-8")
    environment = supervision.bare_environment(tmp_path) | {"PYTHONPATH": str(tmp_path)}
    with pytest.raises(Refused) as caught:
        await supervision.supervise(
            "silent", tmp_path, environment, lambda _: times.append(time.monotonic()), "x", timeout_s=1.0
        )
    assert caught.value.code == "too_slow"
    assert len(times) >= 3


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("print('not json', flush=True)", "crashed"),
        ("raise MemoryError", "too_large"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGXCPU)", "too_slow"),
        ("import os; os.abort()", "crashed"),
        ("print('x' * 200_000, flush=True)", "crashed"),
    ],
)
async def test_a_worker_that_dies_is_an_error_with_a_name(tmp_path: Path, body: str, code: str) -> None:
    (tmp_path / "dying.py").write_text(body, "utf-8")
    environment = supervision.bare_environment(tmp_path) | {"PYTHONPATH": str(tmp_path)}
    with pytest.raises(Refused) as caught:
        await supervision.supervise("dying", tmp_path, environment, lambda _: None, "x")
    assert caught.value.code == code
