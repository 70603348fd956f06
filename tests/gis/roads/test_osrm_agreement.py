"""The same roads at the same speeds in a second routing engine: nearly all pairs must agree within 1 %.

OSRM reads the extract by itself but is told each way's speeds from our reading, so what is compared is the
graph, the turn restrictions, the snapping and the search. Its programs are looked for as
`bench.gis.osrm` says; without them the agreement is left to `test_independent_search`.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bench.gis.osrm import find_tools, serving
from gis.roads import PROFILES, RoadGraph

DATA = Path(__file__).parents[3] / "../shared/data/osm"
PAIRS = 200
TOOLS = find_tools()
PLAIN = replace(PROFILES["car"], turns=None, signals_s=0.0, barrier_s={}, boarding_s=0.0)


@pytest.mark.slow
@pytest.mark.skipif(TOOLS is None, reason="no OSRM here: neither OSRM_BIN, nor on the PATH, nor its package")
@pytest.mark.parametrize("kind", ["restrictions", "free"])
@pytest.mark.parametrize("extract", ["liechtenstein", "monaco", "andorra"])
def test_times_agree_within_one_percent(extract: str, kind: str, tmp_path: Path) -> None:
    path = DATA / f"{extract}.osm.pbf"
    if not path.exists():
        pytest.skip("the real extracts are not beside this checkout")
    assert TOOLS is not None
    restrictions = kind == "restrictions"
    profile = PLAIN if restrictions else replace(PLAIN, restriction_modes=())
    graph = RoadGraph.from_pbf(path, profile)
    rng = np.random.default_rng(11)
    # Places on roads, so that neither engine's idea of the way to the road comes into it.
    edges = rng.choice(np.flatnonzero(graph.arrays.snappable), 2 * PAIRS)
    spots = [
        graph.lines[e].interpolate(f, normalized=True)
        for e, f in zip(edges, rng.random(2 * PAIRS), strict=True)
    ]
    lon, lat = graph.frame.to_lonlat([p.x for p in spots], [p.y for p in spots])

    ours, theirs = [], []
    with serving(TOOLS, path, profile, tmp_path, restrictions=restrictions) as engine:
        for k in range(PAIRS):
            start, end = (float(lon[k]), float(lat[k])), (float(lon[PAIRS + k]), float(lat[PAIRS + k]))
            ours.append(graph.field_to(*end).seconds_at(*start))
            theirs.append(engine.route_s(start, end))
    difference = np.abs(np.array(ours) / np.maximum(theirs, 1.0) - 1.0)
    # OSRM answers in tenths of a second, which is a percent of a ten-second trip.
    counted = np.array(theirs) > 20.0
    assert counted.sum() > 0.8 * PAIRS
    share = float((difference[counted] <= 0.01).mean())
    assert share >= 0.98, f"{share:.1%} of {counted.sum()} pairs within 1 %"
