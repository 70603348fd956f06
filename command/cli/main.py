"""Puts the commands together and turns failures into one line."""

import sys

import typer

from command.cli import serving
from command.errors import YipingError
from command.settings import SettingsProblem
from gis.errors import GisError

app = typer.Typer(
    name="yiping",
    help="一屏: the one screen of a command centre.",
    no_args_is_help=True,
    add_completion=False,
)
app.command()(serving.serve)
app.command()(serving.demo)


def main() -> None:
    """Run the command line."""
    try:
        app()
    except YipingError as error:
        _fail(error.detail)
    except (SettingsProblem, GisError, OSError, ValueError) as error:
        _fail(str(error))


def _fail(text: str) -> None:
    sys.stderr.write(f"yiping: {text}\n")
    sys.exit(1)
