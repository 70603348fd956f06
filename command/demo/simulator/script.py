"""What the callers tell: templates and phrases from ``config/demo``, told at real scenes of the district."""

from __future__ import annotations

import csv
import json
import random
import tomllib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from command.demo.simulator.roads import LonLat, shifted
from command.demo.simulator.timing import draw

SIDES: Final = {"东": (1.0, 0.0), "西": (-1.0, 0.0), "南": (0.0, -1.0), "北": (0.0, 1.0)}
GRAVE: Final = frozenset({"I", "II"})
LEVEL_WEIGHT: Final = {"I": 1.0, "II": 1.0, "III": 0.75, "IV": 1.0, "none": 0.6}
"""Templates of a level are drawn by their own weight times this."""


class Template(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One thing that can happen; meanings stand in the file."""

    title: str
    category: str
    level: str
    sources: tuple[str, ...]
    at: tuple[str, ...]
    text: str
    weight: float = 1.0
    photo: str = "scene"


@dataclass(frozen=True, slots=True)
class Scene:
    """A place where things happen."""

    kind: str
    name: str
    place: LonLat
    address: str
    grid: str


@dataclass(frozen=True, slots=True)
class Told:
    """One report, ready to be sent."""

    title: str
    category: str
    level: str
    source: str
    place: LonLat
    address: str
    text: str
    photo: str
    contact: str | None
    grid: str = ""

    def body(self) -> dict[str, object]:
        """Return it as ``POST /incidents`` takes it."""
        return {
            "title": self.title,
            "category": self.category,
            "level": self.level,
            "source": self.source,
            "lon": round(self.place[0], 7),
            "lat": round(self.place[1], 7),
            "description": self.text,
            "address": self.address or None,
            "reporter_contact": self.contact,
        }


def load_templates(folder: Path) -> tuple[Template, ...]:
    """Read ``incidents.toml``.

    Raises:
        OSError: The file cannot be read.
        ValueError: A template lacks something or has something unknown.
    """
    with (folder / "incidents.toml").open("rb") as file:
        raw = tomllib.load(file)
    try:
        return tuple(msgspec.convert(raw["incident"], list[Template]))
    except msgspec.ValidationError as error:
        raise ValueError(f"{folder / 'incidents.toml'}: {error}") from None


class Phrases:
    """Sentences by occasion and kind.

    Args:
        sections: Occasion → kind → sentences; each occasion has the kind "any".
    """

    def __init__(self, sections: Mapping[str, Mapping[str, Sequence[str]]]) -> None:
        self._sections = sections

    @classmethod
    def load(cls, folder: Path) -> Phrases:
        """Read ``phrases.toml``."""
        with (folder / "phrases.toml").open("rb") as file:
            return cls(tomllib.load(file))

    def say(self, rng: random.Random, occasion: str, kind: str = "any", **facts: object) -> str:
        """Return a sentence with the facts filled in."""
        section = self._sections[occasion]
        return rng.choice(list(section.get(kind) or section["any"])).format(**facts)


def load_scenes(data: Path, homes: Sequence[LonLat]) -> list[Scene]:
    """Return the scenes of a demo district.

    Args:
        data: Its folder. ``source/district.json`` has them; else named places stand in.
        homes: Used where there is neither: something must be able to happen.
    """
    try:
        rows = json.loads((data / "source" / "district.json").read_text("utf-8")).get("scenes") or []
    except (OSError, ValueError):
        rows = []
    if not rows:
        rows = _places(data / "district" / "places.csv")
    scenes = [
        Scene(
            row["kind"],
            row["name"],
            (float(row["lon"]), float(row["lat"])),
            row.get("address") or "",
            row.get("grid") or "",
        )
        for row in rows
    ]
    return scenes or [Scene("community", "村口", home, "", "") for home in homes]


def _places(path: Path) -> list[dict[str, Any]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return [{**row, "kind": row.get("kind") or "community"} for row in csv.DictReader(file)]
    except OSError:
        return []


class Script:
    """Draws what happens next.

    Args:
        templates: What can happen.
        scenes: Where.
        phrases: For second callers.
        rng: Chance.
    """

    def __init__(
        self, templates: Sequence[Template], scenes: Sequence[Scene], phrases: Phrases, rng: random.Random
    ) -> None:
        self._templates = templates
        self._phrases = phrases
        self._rng = rng
        self._scenes: dict[str, list[Scene]] = defaultdict(list)
        for scene in scenes:
            self._scenes[scene.kind].append(scene)
        self._all = list(scenes)
        self._recent: list[str] = []

    def happen(
        self, levels: frozenset[str], aside_m: tuple[float, float], source: str | None = None
    ) -> Told | None:
        """Let something happen.

        Args:
            levels: Of one of these levels.
            aside_m: How far from the scene's point.
            source: Through this source; None lets the template choose.

        Returns:
            The report, or None where no template fits the district.
        """
        fitting = [
            template
            for template in self._templates
            if template.level in levels
            and template.title not in self._recent
            and (source is None or source in template.sources)
            and any(kind in self._scenes for kind in template.at)
        ]
        if not fitting:
            return None
        weights = [template.weight * LEVEL_WEIGHT[template.level] for template in fitting]
        template = self._rng.choices(fitting, weights)[0]
        self._recent = [*self._recent[-12:], template.title]
        scene = self._rng.choice([s for kind in template.at for s in self._scenes.get(kind, ())])
        side, (east, north) = self._rng.choice(list(SIDES.items()))
        away = draw(self._rng, aside_m)
        figures = {"m": self._rng.randrange(20, 95, 5), "few": self._rng.randint(2, 6)}
        address = scene.address if scene.name in scene.address else f"{scene.address}（{scene.name}）"
        return Told(
            title=template.title,
            category=template.category,
            level=template.level,
            source=source or self._rng.choice(template.sources),
            place=shifted(scene.place, east * away, north * away),
            address=address if scene.address else scene.name,
            text=template.text.format(place=scene.name, side=f"{side}侧", **figures),
            photo=template.photo,
            contact=self.contact(),
            grid=scene.grid,
        )

    def again(self, known: Mapping[str, Any], span_m: tuple[float, float]) -> Told:
        """Let a second caller tell of an incident that the board knows."""
        side, (east, north) = self._rng.choice(list(SIDES.items()))
        away = draw(self._rng, span_m)
        place = known.get("address") or known["title"]
        return Told(
            title=known["title"],
            category=known["category"],
            level="IV" if known["level"] in ("none", "IV") else "III",
            source=self._rng.choice(("hotline", "public_report")),
            place=shifted((known["lon"], known["lat"]), east * away, north * away),
            address=f"{known.get('address') or ''}{side}侧",
            text=self._phrases.say(self._rng, "again", place=place),
            photo="scene",
            contact=self.contact(),
        )

    def contact(self) -> str:
        """Return a caller's number from a range that is nobody's."""
        return f"138{self._rng.randint(0, 9999):04d}{self._rng.randint(0, 9999):04d}"
