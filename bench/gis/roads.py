"""Everybody's travel time to one incident, closures, and a position report, on real and on large road networks.

Run with `python -m bench.gis.roads [extract.osm.pbf]`. Without a file it measures Liechtenstein, where its extract
lies beside the checkout, and a lattice of 90,000 crossings. Peers in the same run, where they are installed: OSRM's
table service over loopback at the same speeds, and pgRouting's many-to-one costs on the same roads without turn
costs, the way to the road left out. Ours takes coordinates and gives times: snapping, search and look-up. Ratios
compare the quickest runs of both.
"""

from __future__ import annotations

import gc
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import osmium
from numpy.typing import NDArray
from osmium.osm.mutable import Node, Way

from bench.gis import osrm, pgrouting
from bench.nearest import lattice_facts
from gis.nearest import NearestByRoad
from gis.roads import PROFILES, Blockage, RoadGraph
from gis.roads.closures import with_closures
from gis.roads.read import RoadFacts, read_roads

LIECHTENSTEIN = Path(__file__).parents[3] / "shared" / "data" / "osm" / "liechtenstein.osm.pbf"
SIDE = 300
RESPONDERS = 2_000
REPORTS = 2_000
CAR = PROFILES["car"]
CAR_WITHOUT_TURNS = replace(CAR, turns=None)

Floats = NDArray[np.float64]


def timed_ms(run: Callable[[], object], repeats: int) -> tuple[float, float]:
    """Median wall and processor milliseconds after a warm-up; the machine may have other work."""
    run()
    gc.collect()
    wall, processor = [], []
    for _ in range(repeats):
        started, began = time.perf_counter(), time.process_time()
        run()
        wall.append((time.perf_counter() - started) * 1000)
        processor.append((time.process_time() - began) * 1000)
    return statistics.median(wall), statistics.median(processor)


def best_ms(run: Callable[[], object], repeats: int) -> float:
    """The quickest of several runs: what either side takes when nobody else has the processor."""
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        run()
        times.append((time.perf_counter() - started) * 1000)
    return min(times)


def say(what: str, took: tuple[float, float], unit: str = "ms", note: str = "") -> None:
    """Print one line."""
    print(f"  {what:<46}{took[0]:10.1f} {unit} ({took[1]:8.1f} processor)   {note}", flush=True)


def write_lattice(path: Path, facts: RoadFacts) -> None:
    """The lattice as an extract, so that peers read the same roads."""
    place: dict[int, tuple[float, float]] = {}
    for way in facts.ways:
        place.update(zip(way.nodes, zip(way.lon, way.lat, strict=True), strict=True))
    with osmium.SimpleWriter(str(path)) as writer:
        for node, spot in sorted(place.items()):
            writer.add_node(Node(id=node + 1, version=1, location=spot))
        for way in facts.ways:
            tags = {
                "highway": way.road_class,
                "maxspeed": str(way.forward_kmh / (CAR.maxspeed_factor or 1.0)),
            }
            if not way.backward_kmh:
                tags["oneway"] = "yes"
            nodes = [node + 1 for node in way.nodes]
            writer.add_way(Way(id=way.id + 1, version=1, nodes=nodes, tags=tags))


def measure(extract: Path, name: str, target_ms: float) -> None:
    """Print the figures of one network."""
    started = time.perf_counter()
    facts = read_roads(extract, CAR)
    graph = RoadGraph.from_facts(facts, CAR)
    took_s = time.perf_counter() - started
    print(
        f"{name}: {graph.junctions} junctions, {graph.edges} edges, {graph.length_km:.0f} km, "
        f"{graph.arrays.vertices} vertices with turn costs, made in {took_s:.1f} s; load {os.getloadavg()[0]:.1f}"
    )
    rng = np.random.default_rng(1)
    arrays = graph.arrays
    near_road = np.flatnonzero(np.repeat(arrays.snappable, np.diff(arrays.start)))
    middle = near_road[len(near_road) // 2]
    target = (float(arrays.lon[middle]), float(arrays.lat[middle]))
    at = rng.choice(near_road, RESPONDERS)
    lon = arrays.lon[at] + rng.normal(0, 1e-4, RESPONDERS)
    lat = arrays.lat[at] + rng.normal(0, 1e-4, RESPONDERS)

    nearest = NearestByRoad(graph)
    took = timed_ms(lambda: nearest.rank(*target, lon, lat), 15)
    say(f"{RESPONDERS} responders to one place", took, note=f"target {target_ms:.0f}")
    say("  the search alone", timed_ms(lambda: graph.field_to(*target), 15))
    approach = nearest.approach(*target)
    say("  as long as the incident is open", timed_ms(lambda: approach.rank(lon, lat), 15))
    plain = RoadGraph.from_facts(facts, CAR_WITHOUT_TURNS)
    say("  with turns that cost nothing", timed_ms(lambda: NearestByRoad(plain).rank(*target, lon, lat), 15))

    spots = list(zip(lon[:REPORTS].tolist(), lat[:REPORTS].tolist(), strict=True))
    wall, processor = timed_ms(lambda: [approach.seconds_at(x, y) for x, y in spots], 5)
    each = 1000.0 / len(spots)
    say("a position report to the new arrival time", (wall * each, processor * each), "us", "target 100")

    bit = 0.01
    drawn = [
        Blockage("line", (target, (target[0] + bit, target[1]))),
        Blockage("line", ((target[0] - bit, target[1] - bit), (target[0] - bit, target[1] + bit))),
        Blockage("polygon", (target, (target[0] + bit, target[1]), (target[0], target[1] - bit))),
    ]
    say("three closures drawn, in force", timed_ms(lambda: with_closures(graph, drawn), 9), note="target 50")
    closed = with_closures(graph, drawn)
    say("  the same responders then", timed_ms(lambda: NearestByRoad(closed).rank(*target, lon, lat), 9))

    quickest = best_ms(lambda: nearest.rank(*target, lon, lat), 40)
    print(f"  {'  the quickest of forty, for the comparisons':<46}{quickest:10.1f} ms", flush=True)
    beside_osrm(extract, name, quickest, list(zip(lon.tolist(), lat.tolist(), strict=True)), target)
    beside_pgrouting(plain, quickest, lon, lat, target)


def beside_osrm(
    extract: Path, name: str, own_ms: float, starts: list[tuple[float, float]], target: tuple[float, float]
) -> None:
    """Print what OSRM takes for the same."""
    tools = osrm.find_tools()
    if tools is None:
        print("  peer OSRM: left out, its programs are neither in OSRM_BIN, nor on the PATH, nor its package")
        return
    # Hierarchies take OSRM ten minutes and more on a uniform town of this size.
    contract = name != "lattice"
    try:
        with (
            tempfile.TemporaryDirectory(prefix="osrm-") as folder,
            osrm.serving(tools, extract, CAR, Path(folder), contract=contract) as engine,
        ):
            took = best_ms(lambda: engine.table(starts, target), 8)
    except (RuntimeError, OSError) as error:
        print(f"  peer OSRM: left out, {error}")
        return
    method = "hierarchies" if contract else "partitions"
    tell_peer(f"OSRM's table, {method}", took, own_ms, 3)


def beside_pgrouting(
    graph: RoadGraph, own_ms: float, lon: Floats, lat: Floats, target: tuple[float, float]
) -> None:
    """Print what pgRouting takes for the same, its vertices given."""
    programs, why = pgrouting.find_server()
    if programs is None:
        print(f"  peer pgRouting: left out, {why}")
        return
    arrays = graph.arrays
    tail = np.repeat(np.arange(arrays.vertices, dtype=np.int32), np.diff(arrays.out_start))
    snaps = graph.snap(lon, lat)
    heads = arrays.lane_head[2 * snaps.edge]
    heads = np.where(heads < arrays.vertices, heads, arrays.lane_head[2 * snaps.edge + 1])
    end = graph.snap_one(*target)
    assert end is not None
    final = int(min(arrays.lane_head[2 * end[0]], arrays.lane_head[2 * end[0] + 1]))
    try:
        with pgrouting.running(programs) as database:
            database.load(tail, arrays.out_head, arrays.out_s + arrays.lane_s[arrays.out_lane])
            took = database.many_to_one_ms(heads.tolist(), final)
            for _ in range(7 if took < 10_000 else 0):
                took = min(took, database.many_to_one_ms(heads.tolist(), final))
    except subprocess.TimeoutExpired as error:
        print(
            f"  peer pgRouting: stopped after {error.timeout:.0f} s, {error.timeout * 1000 / own_ms:.0f} x and more"
        )
        return
    except subprocess.CalledProcessError as error:
        print(f"  peer pgRouting: left out, {(error.stderr or str(error)).strip()[-300:]}")
        return
    tell_peer("pgRouting's many-to-one costs", took, own_ms, 10)


def tell_peer(what: str, took_ms: float, own_ms: float, target: int) -> None:
    """Print how many times as long another takes."""
    print(f"  {'peer: ' + what:<46}{took_ms:10.1f} ms{took_ms / own_ms:16.1f} x, target {target}", flush=True)


def main() -> None:
    """Measure the given extract, or Liechtenstein and the lattice."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the peers' servers are stopped too
    if len(sys.argv) > 1:
        measure(Path(sys.argv[1]), Path(sys.argv[1]).name, 60.0)
        return
    if LIECHTENSTEIN.exists():
        measure(LIECHTENSTEIN, "Liechtenstein", 30.0)
    else:
        print("Liechtenstein: left out, the extract is not beside the checkout")
    with tempfile.TemporaryDirectory(prefix="lattice-") as folder:
        extract = Path(folder) / "lattice.osm.pbf"
        write_lattice(extract, lattice_facts(SIDE))
        measure(extract, "lattice", 60.0)


if __name__ == "__main__":
    main()
