"""Named roads of a drawn town: what one name is one road, and where its point lies."""

from __future__ import annotations

from pathlib import Path

import pytest

from gis.crs import distance_m
from gis.roads import PROFILES, RoadGraph
from gis.roads.named import named_roads


def town(tmp_path: Path, ways: list[tuple[str, list[tuple[float, float]], str]]) -> RoadGraph:
    """Ways as (name, points, highway)."""
    nodes, lines = [], []
    for number, (name, points, kind) in enumerate(ways, 1):
        refs = []
        for lon, lat in points:
            nodes.append(f'<node id="{len(nodes) + 1}" version="1" lon="{lon}" lat="{lat}"/>')
            refs.append(f'<nd ref="{len(nodes)}"/>')
        tags = f'<tag k="highway" v="{kind}"/><tag k="name" v="{name}"/>'
        lines.append(f'<way id="{number}" version="1">{"".join(refs)}{tags}</way>')
    path = tmp_path / "town.osm"
    path.write_text(f'<osm version="0.6">{"".join(nodes)}{"".join(lines)}</osm>', encoding="utf-8")
    return RoadGraph.from_pbf(path, PROFILES["car"])


@pytest.fixture
def graph(tmp_path: Path) -> RoadGraph:
    east = [(117.0 + 0.002 * n, 34.0) for n in range(21)]
    return town(
        tmp_path,
        [
            ("人民路", east[:11], "primary"),
            ("人民路", east[10:], "primary"),
            ("人民路", [(117.3, 34.0), (117.301, 34.0)], "residential"),
            ("", [(117.0, 34.01), (117.01, 34.01)], "residential"),
            ("和平路", [(117.0, 34.02), (117.0, 34.03), (117.0, 34.04)], "residential"),
        ],
    )


def test_stretches_of_a_name_are_one_road_and_far_ones_are_not(graph: RoadGraph) -> None:
    roads = named_roads([graph])
    assert [road.name for road in roads] == ["人民路", "人民路", "和平路"]
    long, short, _ = roads
    assert long.length_m == pytest.approx(float(distance_m(117.0, 34.0, 117.04, 34.0)), rel=1e-3)
    assert short.lon > 117.29


def test_the_point_lies_on_the_road(graph: RoadGraph) -> None:
    vertices = set(zip(graph.arrays.lon.tolist(), graph.arrays.lat.tolist(), strict=True))
    assert {(road.lon, road.lat) for road in named_roads([graph])} <= vertices


def test_a_name_is_taken_from_the_first_graph_that_has_it(graph: RoadGraph, tmp_path: Path) -> None:
    paths = town(
        tmp_path,
        [
            ("人民路", [(117.5, 34.0), (117.51, 34.0)], "residential"),
            ("后巷", [(117.5, 34.1), (117.51, 34.1)], "residential"),
        ],
    )
    roads = named_roads([graph, paths])
    assert [road.name for road in roads] == ["人民路", "人民路", "后巷", "和平路"]
    assert named_roads([]) == []


def test_roads_without_names(tmp_path: Path) -> None:
    assert named_roads([town(tmp_path, [("", [(117.0, 34.0), (117.01, 34.0)], "residential")])]) == []
