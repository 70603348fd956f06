"""What the commands share: finding the data, saying things, failing well."""

import os
import sys
from pathlib import Path

from command.settings import Settings, load_settings


def say(text: str) -> None:
    """Say something to the person at the terminal."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def load(config: Path | None, data: Path | None, **overrides: object) -> Settings:
    """Load the settings: ``--config`` or ``YIPING_CONFIG``, then what the command line says.

    Raises:
        SettingsProblem: They cannot be used; names file and key.
    """
    if config is None and os.environ.get("YIPING_CONFIG"):
        config = Path(os.environ["YIPING_CONFIG"])
    return load_settings(config, data_dir=data, **overrides)
