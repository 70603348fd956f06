"""Writes the settings down for people: the reference page and the commented file to start from.

``python -m command.setting_docs`` rewrites both in a checkout; a test fails when they are out of date.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, get_args

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from command.settings import ENV_PREFIX, Settings, iter_fields

_UNITS = (
    ("_hours", "h"), ("_days", "d"), ("_bytes", "bytes"), ("_kib", "KiB"), ("_mb", "MB"), ("_gb", "GB"),
    ("_kmh", "km/h"), ("_hz", "Hz"), ("_per_s", "1/s"), ("_s", "s"), ("_m", "m"),
)  # fmt: skip


def settings_page() -> str:
    """Return ``docs/settings.md``: every setting with variable, default, bounds, unit and meaning."""
    lines = [
        "# Settings",
        "",
        "Written by `python -m command.setting_docs`; do not edit by hand.",
        "",
        "Order, the later wins: the defaults, a TOML file (`yiping serve --config FILE`), the environment,",
        "the command line. An unknown key stops the start. Secrets come from the environment only.",
        "In the environment lists are JSON: `YIPING_CAMERAS__ALLOWED_NETWORKS='[\"10.1.0.0/16\"]'`.",
        "`YIPING_DATA` is the short name of `data_dir`.",
    ]
    section = None
    for name, info in iter_fields():
        head = name.rpartition(".")[0]
        if head != section:
            section = head
            lines += [
                "",
                f"## {head or 'top level'}",
                "",
                "| Setting | Default | Bounds | Unit | What it does |",
            ]
            lines.append("|---|---|---|---|---|")
        variable = f"{ENV_PREFIX}{name.replace('.', '__')}".upper()
        default = "–" if info.default is None else f"`{_toml(info.default)}`"
        lines.append(
            f"| `{name}`<br>`{variable}` | {default} | {_bounds(info)} | {_unit(name)} | {info.description} |"
        )
    return "\n".join(lines) + "\n"


def defaults_file() -> str:
    """Return ``config/defaults.toml``: every setting but the secrets, at its default."""
    lines = [
        "# Every setting at its default. Copy what you change into a file of your own and start the service",
        "# with yiping serve --config FILE. Written by python -m command.setting_docs; do not edit here.",
    ]
    section = ""
    for name, info in iter_fields():
        head, _, key = name.rpartition(".")
        if head == "secrets":
            continue
        if head != section:
            section = head
            lines += ["", f"[{head}]"]
        bounds, unit = _bounds(info), _unit(name)
        facts = ", ".join(part for part in (unit, bounds) if part != "–")
        lines.append(f"# {info.description}" + (f" ({facts})" if facts else ""))
        written = f"{key} = {_toml(info.default)}" if info.default is not None else f'# {key} = ""'
        lines.append(written)
    return "\n".join(lines) + "\n"


def _bounds(info: FieldInfo) -> str:
    parts = []
    for rule in info.metadata:
        for attribute, sign in (("ge", "≥ "), ("gt", "> "), ("le", "≤ "), ("lt", "< ")):
            value: Any = getattr(rule, attribute, None)
            if value is not None:
                parts.append(f"{sign}{value}")
    choices = re.findall(r"Literal\[([^\]]*)\]", str(info.annotation))
    if choices:
        parts.append(choices[0].replace("'", ""))
    return ", ".join(parts) or "–"


def _unit(name: str) -> str:
    return next((unit for ending, unit in _UNITS if name.endswith(ending)), "–")


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (tuple, list)):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    if isinstance(value, (int, float)):
        return repr(value)
    return json.dumps(str(value), ensure_ascii=False)


def secret_names() -> list[str]:
    """Return the dotted names of the settings that are secrets."""
    return [name for name, info in iter_fields(Settings) if SecretStr in get_args(info.annotation)]


def main() -> None:
    """Rewrite both files in the checkout this module stands in."""
    root = Path(__file__).resolve().parents[1]
    (root / "docs" / "settings.md").write_text(settings_page(), encoding="utf-8")
    (root / "config" / "defaults.toml").write_text(defaults_file(), encoding="utf-8")


if __name__ == "__main__":
    main()
