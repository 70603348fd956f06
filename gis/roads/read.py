"""An OpenStreetMap PBF as plain road facts: ways with their nodes and speeds, barriers, turn restrictions.

Nothing here knows graphs; the facts of a file are read once and can be compared with another reader's.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import osmium
import osmium.filter
import osmium.osm

from gis.errors import BadFile
from gis.roads.profiles import Profile, Tags, parse_duration_s


@dataclass(frozen=True, slots=True)
class RoadWay:
    """One way that the profile may use.

    Attributes:
        id: OSM way id.
        nodes: OSM node ids in drawing order, at least two.
        lon: Degrees of those nodes.
        lat: Degrees of those nodes.
        forward_kmh: Speed along the drawing direction; 0 forbidden.
        backward_kmh: Speed against it; 0 forbidden.
        duration_s: Time over the whole way where the map states it (ferries), else None.
        name: Chinese name first, empty without one.
        road_class: `highway` value, or "ferry".
    """

    id: int
    nodes: tuple[int, ...]
    lon: tuple[float, ...]
    lat: tuple[float, ...]
    forward_kmh: float
    backward_kmh: float
    duration_s: float | None
    name: str
    road_class: str


@dataclass(frozen=True, slots=True)
class TurnRestriction:
    """What is forbidden, or alone allowed, when passing from one way to another at a node."""

    from_way: int
    via_node: int
    to_way: int
    kind: str

    @property
    def only(self) -> bool:
        """Whether it names the one permitted turn instead of a forbidden one."""
        return self.kind.startswith("only_")


@dataclass(frozen=True, slots=True)
class RoadFacts:
    """What one file says to one profile.

    Attributes:
        ways: In file order.
        barriers: Ids of nodes that cannot be passed.
        restrictions: Turn restrictions at a node, in file order.
        skipped: Counts of what was left out, by reason, for the import report.
    """

    ways: list[RoadWay]
    barriers: frozenset[int]
    restrictions: list[TurnRestriction]
    skipped: Counter[str]


def chinese_name(tags: Tags) -> str:
    """Simplified Chinese name, else Chinese, else the local one, else the road number, else empty.

    >>> chinese_name({"name": "Main Street", "name:zh": "主街"})
    '主街'
    """
    for key in ("name:zh-Hans", "name:zh", "name", "ref"):
        if tags.get(key):
            return tags[key]
    return ""


def read_roads(path: Path | str, profile: Profile) -> RoadFacts:
    """Read what a profile can use from a PBF file.

    Args:
        path: An `.osm.pbf` (or `.osm`) file with nodes before ways, as all published extracts are.
        profile: Who travels.

    Raises:
        BadFile: The file cannot be read.
    """
    skipped: Counter[str] = Counter()
    try:
        ways, barriers = _ways_and_barriers(str(path), profile, skipped)
        restrictions = _restrictions(str(path), profile, skipped)
    except (RuntimeError, OSError) as error:
        raise BadFile(str(path), "file", str(error)) from error
    return RoadFacts(ways, frozenset(barriers), restrictions, skipped)


def _ways_and_barriers(path: str, profile: Profile, skipped: Counter[str]) -> tuple[list[RoadWay], set[int]]:
    ways: list[RoadWay] = []
    barriers: set[int] = set()
    reader = osmium.FileProcessor(path, osmium.osm.NODE | osmium.osm.WAY).with_locations()
    for entity in reader.with_filter(osmium.filter.KeyFilter("highway", "barrier", "route")):
        tags = dict(entity.tags)
        if isinstance(entity, osmium.osm.Node):
            if "barrier" in tags and not profile.may_pass(tags):
                barriers.add(entity.id)
        elif isinstance(entity, osmium.osm.Way):
            speeds = profile.speeds_kmh(tags)
            if speeds is None or speeds == (0.0, 0.0):
                continue
            found = _way(entity, tags, speeds)
            if found is None:
                skipped["way_without_locations"] += 1
            else:
                ways.append(found)
    return ways, barriers


def _way(way: osmium.osm.Way, tags: Tags, speeds: tuple[float, float]) -> RoadWay | None:
    ids: list[int] = []
    lon: list[float] = []
    lat: list[float] = []
    for node in way.nodes:
        # A clipped extract names nodes that it does not hold, and editors leave a node twice in a row.
        if not node.location.valid() or (ids and ids[-1] == node.ref):
            continue
        ids.append(node.ref)
        lon.append(node.lon)
        lat.append(node.lat)
    if len(ids) < 2:
        return None
    is_ferry = tags.get("route") == "ferry"
    return RoadWay(
        id=way.id,
        nodes=tuple(ids),
        lon=tuple(lon),
        lat=tuple(lat),
        forward_kmh=speeds[0],
        backward_kmh=speeds[1],
        duration_s=parse_duration_s(tags.get("duration")) if is_ferry else None,
        name=chinese_name(tags),
        road_class="ferry" if is_ferry else tags["highway"],
    )


def _restrictions(path: str, profile: Profile, skipped: Counter[str]) -> list[TurnRestriction]:
    found: list[TurnRestriction] = []
    if not profile.restriction_modes:
        return found
    reader = osmium.FileProcessor(path, osmium.osm.RELATION)
    for relation in reader.with_filter(osmium.filter.TagFilter(("type", "restriction"))):
        assert isinstance(relation, osmium.osm.Relation)
        tags = dict(relation.tags)
        kind = _kind(tags, profile)
        if kind is None:
            if any(key.startswith("restriction") and key.endswith(":conditional") for key in tags):
                skipped["conditional_restriction"] += 1
            continue
        by_role: dict[str, list[tuple[str, int]]] = {"from": [], "via": [], "to": []}
        for member in relation.members:
            if member.role in by_role:
                by_role[member.role].append((member.type, member.ref))
        if [type_ for type_, _ in by_role["via"]] != ["n"]:
            skipped["restriction_via_way"] += 1
            continue
        found.extend(
            TurnRestriction(from_way, by_role["via"][0][1], to_way, kind)
            for from_type, from_way in by_role["from"]
            for to_type, to_way in by_role["to"]
            if from_type == to_type == "w"
        )
    return found


def _kind(tags: Tags, profile: Profile) -> str | None:
    """The restriction that binds the profile, or None."""
    if set(tags.get("except", "").replace(" ", "").split(";")) & set(profile.restriction_modes):
        return None
    for mode in profile.restriction_modes:
        if f"restriction:{mode}" in tags:
            kind = tags[f"restriction:{mode}"]
            break
    else:
        kind = tags.get("restriction", "")
    return kind if kind.startswith(("no_", "only_")) else None
