"""Running the service: ``yiping serve`` and ``yiping demo``."""

import asyncio
import contextlib
import gc
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, TextIO

import typer
import uvicorn

from command import logs
from command.api.frames import UVICORN_OPTIONS
from command.cli.common import load, say
from command.demo import build as demo_build
from command.demo import farm as demo_farm
from command.server import create_app
from command.settings import Settings, load_settings

SEED = 20261122


def run(settings: Settings, ready: Callable[[str], None]) -> None:
    """Serve until a signal comes; ``ready`` is told the URL once requests are answered.

    Raises:
        OSError: The port is taken or may not be used.
    """
    listener = socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((settings.host, settings.port))
    listener.listen(2048)
    port = listener.getsockname()[1]
    app = create_app(settings)
    config = uvicorn.Config(
        app, log_config=None, access_log=False, timeout_graceful_shutdown=5, **UVICORN_OPTIONS
    )
    server = uvicorn.Server(config)

    async def serve() -> None:
        task = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started and not task.done():  # noqa: ASYNC110  uvicorn offers a flag, no event
            await asyncio.sleep(0.02)
        if server.started:
            # What the start made stays as long as the process. Left to the collector, each of its full passes would
            # walk all of it, and nobody is answered meanwhile: 180 ms, several times while a large district loads.
            gc.collect()
            gc.freeze()
            ready(f"http://{settings.host}:{port}")
        await task

    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(serve())


def serve(
    config: Annotated[Path | None, typer.Option(help="TOML file with the settings.")] = None,
    data: Annotated[Path | None, typer.Option(help="Data folder.")] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="TCP port; 0 picks a free one.")] = None,
) -> None:
    """Run the service."""
    settings = load(config, data, host=host, port=port)
    logs.configure(settings.log)
    run(settings, lambda url: say(f"一屏 已就绪：{url}"))


def demo(
    port: Annotated[int, typer.Option(help="TCP port; 0 picks a free one.")] = 8000,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    seed: Annotated[int, typer.Option(help="The same seed gives the same district.")] = SEED,
    district: Annotated[str, typer.Option(help="small, lieshan or wuding.")] = "small",
    data: Annotated[
        Path | None, typer.Option(help="Data folder; the same one continues the same district.")
    ] = None,
    simulator: Annotated[bool, typer.Option(help="Let people move and incidents happen.")] = True,
) -> None:
    """Run the whole product with a living demo district."""
    if district not in demo_build.PREFIX_OF:
        raise typer.BadParameter(f"{district!r} is not one of {', '.join(demo_build.PREFIX_OF)}")
    folder = data or Path(os.environ.get("YIPING_DATA", "demo-data")) / district
    settings = load_settings(None, data_dir=folder, host=host, port=port, demo=True)
    folder.mkdir(parents=True, exist_ok=True)
    journal = open_journal(folder)
    logs.configure(settings.log, journal)
    with contextlib.ExitStack() as stack:
        cameras = stack.enter_context(demo_farm.FarmProcess(journal))
        if demo_build.exists(folder):
            say(f"继续演示区县：{folder}")
        else:
            say(f"生成演示区县 {district}（种子 {seed}）…")
            demo_build.build(folder, settings, district, seed, lambda text: say(f"  {text}"))
        config = demo_farm.load(folder) or demo_build.add_cameras(folder, settings, seed)
        sip_port = demo_farm.free_port()
        settings = load_settings(
            None, data_dir=folder, host=host, port=port, demo=True, **demo_farm.settings_for(config, sip_port)
        )
        demo_farm.follow(folder, settings, config, cameras.begin(config, sip_port))

        def ready(url: str) -> None:
            shown = demo_build.announce(folder, url)
            _banner(shown)
            if simulator:
                stack.enter_context(_simulator(url, folder, journal))

        stack.enter_context(_errors_to(journal))
        run(settings, ready)


@contextlib.contextmanager
def _errors_to(journal: TextIO) -> Iterator[None]:
    """Let what the video processes say go to the journal: they write where this one does."""
    sys.stderr.flush()
    kept = os.dup(2)
    os.dup2(journal.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def open_journal(folder: Path) -> TextIO:
    """Open the demo's journal: the terminal belongs to the person, the log to the folder."""
    return (folder / "yiping.log").open("a", encoding="utf-8", buffering=1)


def _banner(shown: dict[str, object]) -> None:
    say("")
    say(f"一屏 已就绪：{shown['url']}")
    say("账号（密码都是 " + demo_build.PASSWORD + "）：")
    accounts = shown["accounts"]
    assert isinstance(accounts, list)
    for account in accounts:
        say(f"  {account['username']:<12} {account['role']}")
    say(f"大屏：{shown['kiosk_url']}")
    say(f"手机：{shown['url']}/field   （worker 或 police 登录）")
    say(
        f"视频：{shown['url']}/video   管理：{shown['url']}/admin   （admin 登录）   领导：{shown['url']}/lead"
    )
    say("Ctrl+C 结束")


@contextlib.contextmanager
def _simulator(url: str, folder: Path, journal: TextIO) -> Iterator[None]:
    command = [sys.executable, "-m", "command.demo.simulator", "--url", url, "--data", str(folder)]
    child = subprocess.Popen(command, stdout=journal, stderr=journal)
    try:
        yield
    finally:
        child.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(5)
        if child.poll() is None:
            child.kill()
