"""An OpenStreetMap PBF as plain road facts: ways with their nodes and speeds, barriers, turn restrictions.

Nothing here knows graphs; the facts of a file are read once and can be compared with another reader's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import osmium
import osmium.filter
import osmium.io
import osmium.osm

from gis.errors import BadFile
from gis.roads.framing import why_broken
from gis.roads.profiles import Profile, Tags, parse_duration_s

OSM_PBF: Final = "pbf"
OSM_XML: Final = "xml"


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
        boarding_s: Time to get onto it from land.
        roundabout: Whether it is part of one.
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
    boarding_s: float = 0.0
    roundabout: bool = False


@dataclass(frozen=True, slots=True)
class TurnRestriction:
    """What is forbidden, or alone allowed, when passing from one way to another at a node or over other ways.

    Attributes:
        from_way: OSM way id.
        via_node: OSM node id; of no meaning where there are `via_ways`.
        to_way: OSM way id.
        kind: "no_left_turn", "only_straight_on" and so on.
        via_ways: OSM way ids between the two, in the order they are travelled; empty at a node.
    """

    from_way: int
    via_node: int
    to_way: int
    kind: str
    via_ways: tuple[int, ...] = ()

    @property
    def only(self) -> bool:
        """Whether it names the one permitted turn instead of a forbidden one."""
        return self.kind.startswith("only_")


@dataclass(frozen=True, slots=True)
class NodeWait:
    """What passing a node costs.

    Attributes:
        seconds: Of everybody it concerns.
        direction: 1 those who travel the way in its drawing direction, -1 those against it, 0 all.
    """

    seconds: float
    direction: int = 0


@dataclass(frozen=True, slots=True)
class RoadFacts:
    """What one file says to one profile.

    Attributes:
        ways: In file order.
        barriers: Ids of nodes that cannot be passed.
        restrictions: Turn restrictions, in file order.
        skipped: Counts of what was left out, by reason, for the import report.
        waits: Nodes that cost time to pass, by id.
    """

    ways: list[RoadWay]
    barriers: frozenset[int]
    restrictions: list[TurnRestriction]
    skipped: Counter[str]
    waits: Mapping[int, NodeWait] = field(default_factory=dict)


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
    """Read what a profile can use from an OpenStreetMap file.

    Args:
        path: PBF (or OSM XML), known by its content, with nodes before ways, as all published extracts are.
        profile: Who travels.

    Raises:
        BadFile: The file cannot be read, is cut off, or is something else.
    """
    skipped: Counter[str] = Counter()
    source = osm_file(path)
    try:
        ways, barriers, waits = _ways_and_nodes(source, profile, skipped)
        restrictions = _restrictions(source, profile, skipped)
    except (RuntimeError, OSError) as error:
        raise BadFile(str(path), "file", f"is damaged or cut off: {error}") from error
    return RoadFacts(ways, frozenset(barriers), restrictions, skipped, waits)


def osm_file(path: Path | str) -> osmium.io.File:
    """An OpenStreetMap file for the reader, looked over for cuts; see `osm_format`. Raises BadFile."""
    kind = osm_format(path)
    if kind == OSM_PBF and (reason := why_broken(path)) is not None:
        raise BadFile(str(path), "file", f"is damaged or cut off: {reason}")
    return osmium.io.File(str(path), kind)


def osm_format(path: Path | str) -> str:
    """`OSM_PBF` or `OSM_XML`, told by the first bytes and never by the name.

    Raises:
        BadFile: It cannot be opened, is empty, or is neither.
    """
    try:
        with Path(path).open("rb") as file:
            start = file.read(512)
    except OSError as error:
        raise BadFile(str(path), "file", error.strerror or "cannot be opened") from error
    if not start:
        raise BadFile(str(path), "file", "is empty")
    if b"OSMHeader" in start[:32]:
        return OSM_PBF
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith(b"<"):
        if b"<osm" not in text:
            raise BadFile(
                str(path), "file", "is XML, but not of OpenStreetMap; an .osm.pbf extract is needed"
            )
        return OSM_XML
    raise BadFile(str(path), "file", "is no OpenStreetMap extract (.osm.pbf)")


def _ways_and_nodes(
    source: osmium.io.File, profile: Profile, skipped: Counter[str]
) -> tuple[list[RoadWay], set[int], dict[int, NodeWait]]:
    ways: list[RoadWay] = []
    barriers: set[int] = set()
    waits: dict[int, NodeWait] = {}
    reader = osmium.FileProcessor(source, osmium.osm.NODE | osmium.osm.WAY).with_locations()
    for entity in reader.with_filter(osmium.filter.KeyFilter("highway", "barrier", "route")):
        tags = dict(entity.tags)
        if isinstance(entity, osmium.osm.Node):
            if "barrier" in tags and not profile.may_pass(tags):
                barriers.add(entity.id)
            elif (seconds := profile.wait_s(tags)) > 0.0:
                waits[entity.id] = NodeWait(seconds, _facing(tags))
        elif isinstance(entity, osmium.osm.Way):
            speeds = profile.speeds_kmh(tags)
            if speeds is None or speeds == (0.0, 0.0):
                continue
            found = _way(entity, tags, speeds, profile)
            if found is None:
                skipped["way_without_locations"] += 1
            else:
                ways.append(found)
    return ways, barriers, waits


def _facing(tags: Tags) -> int:
    """Whose lights they are: of those who travel along the way (1), against it (-1), or of all (0)."""
    if tags.get("highway") != "traffic_signals":
        return 0
    facing = tags.get("traffic_signals:direction") or tags.get("direction")
    return {"forward": 1, "backward": -1}.get(facing or "", 0)


def _way(way: osmium.osm.Way, tags: Tags, speeds: tuple[float, float], profile: Profile) -> RoadWay | None:
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
        boarding_s=profile.ferry_boarding_s(tags) if is_ferry else 0.0,
        roundabout=tags.get("junction") in ("roundabout", "circular"),
    )


def _restrictions(source: osmium.io.File, profile: Profile, skipped: Counter[str]) -> list[TurnRestriction]:
    found: list[TurnRestriction] = []
    if not profile.restriction_modes:
        return found
    reader = osmium.FileProcessor(source, osmium.osm.RELATION)
    for relation in reader.with_filter(osmium.filter.TagFilter(("type", "restriction"))):
        assert isinstance(relation, osmium.osm.Relation)
        tags = dict(relation.tags)
        if any(key.startswith("restriction") and key.endswith(":conditional") for key in tags):
            skipped["conditional_restriction"] += 1
        kind = _kind(tags, profile)
        if kind is None:
            continue
        by_role: dict[str, list[tuple[str, int]]] = {"from": [], "via": [], "to": []}
        for member in relation.members:
            if member.role in by_role:
                by_role[member.role].append((member.type, member.ref))
        via = by_role["via"]
        kinds = [type_ for type_, _ in via]
        if kinds != ["n"] and (not via or kinds != ["w"] * len(via)):
            skipped["restriction_malformed"] += 1
            continue
        node, ways = (via[0][1], ()) if kinds == ["n"] else (0, tuple(ref for _, ref in via))
        found.extend(
            TurnRestriction(from_way, node, to_way, kind, ways)
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
