"""What the commands share: finding the data, saying things, failing well."""

import os
import sys
from pathlib import Path

from command import logs
from command.settings import Settings, load_settings


def say(text: str) -> None:
    """Say something to the person at the terminal."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def load(config: Path | None, data: Path | None, **overrides: object) -> Settings:
    """Load the settings: ``--config`` or ``YIPING_CONFIG``, then what the command line says.

    Tools log warnings only; `serving` configures the log anew.

    Raises:
        SettingsProblem: They cannot be used; names file and key.
    """
    if config is None and os.environ.get("YIPING_CONFIG"):
        config = Path(os.environ["YIPING_CONFIG"])
    settings = load_settings(config, data_dir=data, **overrides)
    logs.configure(settings.log.model_copy(update={"level": "warning"}), sys.stderr)
    return settings
