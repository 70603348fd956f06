"""Where the files that travel with the code are: beside the checkout, or inside the installed wheel."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def _find(name: str) -> Path:
    installed = _PACKAGE / "_data" / name
    if installed.is_dir():
        return installed
    checkout = _PACKAGE.parent / name
    if checkout.is_dir():
        return checkout
    raise FileNotFoundError(f"the folder {name!r} is neither in {installed.parent} nor in {checkout.parent}")


def static_dir() -> Path:
    """Return the folder of the browser side (``static/``).

    Raises:
        FileNotFoundError: The installation lacks it.
    """
    return _find("static")


def config_dir() -> Path:
    """Return the folder of the shipped configuration (roles, categories, time limits, districts).

    Raises:
        FileNotFoundError: The installation lacks it.
    """
    return _find("config")
