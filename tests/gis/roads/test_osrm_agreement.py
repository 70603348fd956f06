"""The same roads at the same speeds in a second routing engine: nearly all pairs must agree within 1 %.

OSRM reads the extract by itself but is told each way's speeds from our reading, so what is compared is the
graph, the turn restrictions, the snapping and the search.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

from gis.roads import PROFILES, RoadGraph
from gis.roads.read import read_roads

osrm = pytest.importorskip("osrm", reason="the OSRM oracle needs Python 3.12 or later")

DATA = Path(__file__).parents[3] / "../shared/data/osm"
PAIRS = 300

LUA = """
api_version = 4
local speeds = {%s}
local barriers = {%s}
function setup()
  return {
    properties = {
      weight_name = 'duration',
      max_speed_for_map_matching = 40,
      use_turn_restrictions = true,
      continue_straight_at_waypoint = false,
      u_turn_penalty = 0,
      left_hand_driving = false,
      traffic_light_penalty = 0,
    },
    restrictions = {'motorcar', 'motor_vehicle', 'vehicle'},
  }
end
function process_node(profile, node, result, relations)
  result.barrier = barriers[node:id()] == true
end
function process_way(profile, way, result, relations)
  local pair = speeds[way:id()]
  if not pair then return end
  if pair[1] > 0 then
    result.forward_mode = mode.driving
    result.forward_speed = pair[1]
  end
  if pair[2] > 0 then
    result.backward_mode = mode.driving
    result.backward_speed = pair[2]
  end
end
function process_turn(profile, turn)
  turn.duration = 0
  turn.weight = 0
end
return {setup = setup, process_way = process_way, process_node = process_node, process_turn = process_turn}
"""


def osrm_engine(folder: Path, extract: Path) -> object:
    """Let OSRM prepare the extract with our speeds, by the programs its wheel ships."""
    facts = read_roads(extract, PROFILES["car"])
    speeds = ",".join(f"[{w.id}]={{{w.forward_kmh!r},{w.backward_kmh!r}}}" for w in facts.ways)
    barriers = ",".join(f"[{node}]=true" for node in sorted(facts.barriers))
    (folder / "same.lua").write_text(LUA % (speeds, barriers), encoding="utf-8")
    copy = folder / extract.name
    copy.write_bytes(extract.read_bytes())
    base = folder / extract.name.replace(".osm.pbf", ".osrm")
    tools = Path(osrm.__file__).parent / "bin"
    subprocess.run([tools / "osrm-extract", "-p", folder / "same.lua", copy], check=True, capture_output=True)
    subprocess.run([tools / "osrm-contract", base], check=True, capture_output=True)
    return osrm.OSRM(str(base))


@pytest.mark.slow
@pytest.mark.parametrize("extract", ["liechtenstein", "monaco"])
def test_times_agree_within_one_percent(extract: str, tmp_path: Path) -> None:
    path = DATA / f"{extract}.osm.pbf"
    if not path.exists():
        pytest.skip("the real extracts are not beside this checkout")
    engine = osrm_engine(tmp_path, path)
    graph = RoadGraph.from_pbf(path)
    rng = np.random.default_rng(11)
    # Places on roads, so that neither engine's idea of the way to the road comes into it.
    edges = rng.choice(np.flatnonzero(graph.arrays.snappable), 2 * PAIRS)
    spots = [
        graph.lines[e].interpolate(f, normalized=True)
        for e, f in zip(edges, rng.random(2 * PAIRS), strict=True)
    ]
    lon, lat = graph.frame.to_lonlat([p.x for p in spots], [p.y for p in spots])

    ours, theirs = [], []
    for k in range(PAIRS):
        start, end = (float(lon[k]), float(lat[k])), (float(lon[PAIRS + k]), float(lat[PAIRS + k]))
        answer = engine.Route(osrm.RouteParameters(coordinates=[start, end]))  # type: ignore[attr-defined]
        ours.append(graph.field_to(*end).seconds_at(*start))
        theirs.append(float(answer["routes"][0]["duration"]))
    difference = np.abs(np.array(ours) / np.maximum(theirs, 1.0) - 1.0)
    # OSRM answers in tenths of a second, which is a percent of a ten-second trip.
    counted = np.array(theirs) > 20.0
    assert counted.sum() > 0.8 * PAIRS
    share = float((difference[counted] <= 0.01).mean())
    assert share >= 0.98, f"{share:.1%} of {counted.sum()} pairs within 1 %"
