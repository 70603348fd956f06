"""A centre put together over a real extract by the command line alone."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass, field
from pathlib import Path

import shapely

from tests.real.live import Cli, finish
from tests.real.overlay import Overlay
from tests.real.streets import Spot, Streets

PASSWORD = "a real district 1"
SETTINGS = """\
[district]
prefix = "RD"
[dispatch]
answer_s = 300
arrival_auto_s = 300
"""
"""Limits so wide that a slow machine changes nothing that the test looks at."""


@dataclass
class RealCentre:
    """What stands in the data folder, and what the test knows about it from elsewhere."""

    cli: Cli
    streets: Streets
    overlay: Overlay
    posts: dict[str, Spot]
    """Responder id → where they will wait."""
    said: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    fields: dict[Spot, dict[tuple[int, int, int], float]] = field(default_factory=dict)

    @property
    def names(self) -> dict[str, str]:
        return {key: f"队员{int(key[2:])}" for key in self.posts}


def new_centre(folder: Path, extract: Path, *, areas: str, posts: int) -> RealCentre:
    """Import roads and areas, then the people; `areas` is the file name the areas travel in."""
    config = folder / "centre.toml"
    config.write_text(SETTINGS, "utf-8")
    cli = Cli(folder / "data", config)
    with cli.start("import", "roads", str(extract)) as roads:
        streets = Streets(extract)
        overlay = Overlay(streets.bounds)
        said = {"roads": finish(roads)}
    said["areas"] = cli.run("import", "areas", str(overlay.write(folder / areas)))
    spots = streets.spots(20261122, posts)
    centre = RealCentre(cli, streets, overlay, {f"r_{n:05d}": s for n, s in enumerate(spots, 1)}, said)
    said["responders"] = cli.run("import", "responders", str(write_people(folder / "people.csv", centre)))
    return centre


def write_people(path: Path, centre: RealCentre) -> Path:
    """A roster as an office keeps it: Chinese headers, GB 18030; two more people who will not take part."""
    with path.open("w", encoding="gb18030", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["姓名", "岗位", "电话", "网格", "派出所", "profile"])
        for n, (key, spot) in enumerate(centre.posts.items(), 1):
            grid = centre.overlay.codes_at(spot.lon, spot.lat)[4]
            kind = "police" if n % 3 == 0 else "grid_worker"
            station = "中心派出所" if kind == "police" else ""
            rows.writerow([centre.names[key], kind, f"1380000{n:04d}", grid, station, "car"])
        rows.writerow(["休班的人", "police", "13900000001", "", "中心派出所", "car"])
        rows.writerow(["没有定位的人", "police", "13900000002", "", "中心派出所", "car"])
    return path


def scene_near(streets: Streets, post: Spot, others: list[Spot]) -> tuple[Spot, dict[str, float]]:
    """A spot one street away that the post's owner reaches clearly before everybody else.

    Returns:
        The spot, and the seconds from the post and from the fastest of the others.
    """
    for spot in streets.spots(77, 600, hub=post):
        metres = shapely.distance(shapely.Point(spot.lon, spot.lat), shapely.Point(post.lon, post.lat)) * 1e5
        if not 200 < metres < 700:
            continue
        travel = streets.seconds_to(spot)
        own = streets.seconds(travel, post)
        rival = min(s for s in (streets.seconds(travel, other) for other in others) if not math.isnan(s))
        if own < 90 and own + 10 < rival:
            return spot, {"own": own, "rival": rival}
    raise ValueError("no such spot near this post")


def add_user(cli: Cli, username: str, role: str, *more: str) -> None:
    """Add an account with the common password, read from stdin."""
    said = cli.run(
        "user",
        "add",
        username,
        "--role",
        role,
        "--name",
        username,
        "--password-stdin",
        *more,
        stdin=PASSWORD + "\n",
    )
    assert said == f"{username}: added\n"


def issue_token(cli: Cli, label: str, *more: str) -> str:
    """Issue a token and return its text."""
    said = cli.run("token", "issue", label, *more)
    return said.strip().partition(": ")[2]
