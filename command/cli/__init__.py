"""The command line: ``yiping …``. Every failure is one clear line on stderr and a non-zero exit."""

from command.cli.main import main

__all__ = ["main"]
