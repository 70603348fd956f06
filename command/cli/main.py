"""Puts the commands together and turns failures into one line."""

import sqlite3
import sys

import typer

from command.cli import accounts, bringing, config, data, serving, taking
from command.errors import YipingError
from command.settings import SettingsProblem
from gis.errors import GisError

app = typer.Typer(
    name="yiping",
    help="一屏: the one screen of a command centre.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(serving.serve)
app.command()(serving.demo)
app.command("import")(bringing.import_)
app.command("export")(taking.export)
app.command()(data.migrate)
app.command()(data.backup)
app.command()(data.restore)
app.command()(data.doctor)
app.command()(config.bench)
app.add_typer(accounts.user, name="user")
app.add_typer(accounts.token, name="token")
app.add_typer(accounts.audit, name="audit")
app.add_typer(config.config, name="config")


def main() -> None:
    """Run the command line."""
    try:
        app()
    except YipingError as error:
        _fail(error.detail)
    except (SettingsProblem, GisError, OSError, ValueError, sqlite3.Error) as error:
        _fail(str(error))


def _fail(text: str) -> None:
    sys.stderr.write(f"yiping: {text}\n")
    sys.exit(1)
