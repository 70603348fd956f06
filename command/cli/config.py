"""``yiping config check`` and ``yiping bench``."""

import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from command.accounts.access import granted_to_nobody, load_roles
from command.cli.common import load, say
from command.policy import load_policy
from command.resources import config_dir

config = typer.Typer(help="The settings.", no_args_is_help=True)


@config.command("check")
def check(
    path: Annotated[Path | None, typer.Option("--config", help="TOML file with the settings.")] = None,
    data: Annotated[Path | None, typer.Option(help="Data folder.")] = None,
) -> None:
    """Read the settings as the service would, and say what is wrong or what holds."""
    settings = load(path, data)
    folder = settings.config_folder or config_dir()
    policy = load_policy(folder)
    roles = load_roles(folder / "roles.toml")
    say(f"settings: ok ({settings.host}:{settings.port}, data in {settings.data_dir})")
    say(f"policy: {len(policy.categories)} categories, limits for {', '.join(policy.limits)}")
    say(f"roles: {', '.join(roles)}")
    if missing := granted_to_nobody(roles):
        say(f"  given to nobody in {folder / 'roles.toml'}: {', '.join(missing)}")


@config.callback()
def _config() -> None:
    """Keep ``check`` a subcommand."""


def bench(
    name: Annotated[str, typer.Argument(help="Which one; without a name the list is shown.")] = "",
) -> None:
    """Run a benchmark from a checkout of the project."""
    folder = Path(__file__).resolve().parents[2] / "bench"
    known = sorted(path.stem for path in folder.glob("*.py") if not path.stem.startswith("_"))
    if not known:
        raise FileNotFoundError("the benchmarks are in the project's checkout, not in the installed package")
    if name not in known:
        raise typer.BadParameter(f"choose one of {', '.join(known)}")
    raise typer.Exit(subprocess.call([sys.executable, "-m", f"bench.{name}"], cwd=folder.parent))
