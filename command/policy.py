"""The centre's own rules, read from configuration: categories, levels, sources and time limits."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Literal, get_args

import msgspec

from command.clock import parse_rfc3339, rfc3339
from command.errors import Malformed

Level = Literal["I", "II", "III", "IV", "none"]
LEVELS: Final[tuple[Level, ...]] = get_args(Level)
URGENT: Final[frozenset[str]] = frozenset({"I", "II"})

DEFAULT: Final = "default"

Source = Literal[
    "console",
    "hotline",
    "grid_worker",
    "police",
    "department",
    "public_report",
    "leader",
    "patrol",
    "alarm",
    "home_alarm",
    "video",
    "api",
]
SOURCES: Final[tuple[Source, ...]] = get_args(Source)


class Stages(msgspec.Struct, frozen=True, kw_only=True):
    """The moment by which each stage is due, RFC 3339; None where the class has no such limit."""

    accept: str | None = None
    sign: str | None = None
    arrive: str | None = None
    handle: str | None = None


class LimitsS(msgspec.Struct, frozen=True, kw_only=True):
    """How long each stage may take, in seconds, counted from the report (sign and arrive: from dispatch)."""

    accept: int | None = None
    sign: int | None = None
    arrive: int | None = None
    handle: int | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """Categories and limits of one centre.

    Attributes:
        categories: Category id → its name for people, in the order of the menus.
        limits: Level → its limits.
        kinds: Category → the kinds of responder it asks for; ``default`` for the others and for bare places.
    """

    categories: Mapping[str, str]
    limits: Mapping[Level, LimitsS]
    kinds: Mapping[str, frozenset[str]]

    def kinds_for(self, category: str | None) -> frozenset[str]:
        """Return the kinds of responder to propose for a category, or for a bare place (None)."""
        return self.kinds.get(category or DEFAULT, self.kinds[DEFAULT])

    def check_category(self, category: str) -> str:
        """Return the category, or raise `Malformed` naming the choices."""
        if category not in self.categories:
            raise Malformed("category", f"{category!r} is not one of {', '.join(self.categories)}")
        return category

    def check_level(self, level: str) -> Level:
        """Return the level, or raise `Malformed` naming the choices."""
        for known in LEVELS:
            if level == known:
                return known
        raise Malformed("level", f"{level!r} is not one of {', '.join(LEVELS)}")

    def check_source(self, source: str) -> Source:
        """Return the source, or raise `Malformed` naming the choices."""
        for known in SOURCES:
            if source == known:
                return known
        raise Malformed("source", f"{source!r} is not one of {', '.join(SOURCES)}")

    def limits_for(self, level: Level) -> LimitsS:
        """Return the limits of a level."""
        return self.limits[level]


def due_at(start: datetime, limit_s: int | None) -> str | None:
    """Return the moment a stage is due, or None where there is no limit."""
    return None if limit_s is None else rfc3339(start + timedelta(seconds=limit_s))


def check_moment(text: str, name: str) -> str:
    """Return a moment that somebody wrote, in the wire's own form.

    Args:
        text: RFC 3339 with an offset or Z.
        name: The field it came in.

    Raises:
        Malformed: It is no such moment.
    """
    try:
        return rfc3339(parse_rfc3339(text))
    except (ValueError, OverflowError):
        raise Malformed(name, "an RFC 3339 time with offset or Z") from None


def load_policy(folder: Path) -> Policy:
    """Read ``categories.toml`` and ``time_limits.toml``.

    Raises:
        OSError: A file cannot be read.
        ValueError: A file lacks what it must have; the text names file and key.
    """
    with (folder / "categories.toml").open("rb") as file:
        stored = tomllib.load(file)
    categories = stored["categories"]
    kinds = {category: frozenset(names) for category, names in stored["kinds"].items()}
    if DEFAULT not in kinds or (unknown := sorted(set(kinds) - set(categories) - {DEFAULT})):
        raise ValueError(f"categories.toml: kinds needs {DEFAULT} and known categories, not {unknown}")
    with (folder / "time_limits.toml").open("rb") as file:
        raw = tomllib.load(file)["levels"]
    missing = [level for level in LEVELS if level not in raw]
    if missing:
        raise ValueError(f"time_limits.toml: no limits for level {', '.join(missing)}")
    limits: dict[Level, LimitsS] = {level: msgspec.convert(raw[level], LimitsS) for level in LEVELS}
    return Policy(categories=dict(categories), limits=limits, kinds=kinds)
