"""OSRM on an extract at our speeds, as a second opinion on times and as a peer to be measured against.

Its programs are taken from the folder that ``OSRM_BIN`` names, from the PATH, or from the `osrm-bindings` package
where that is installed; they need no Python of their own.
"""

from __future__ import annotations

import contextlib
import http.client
import importlib.util
import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from gis.roads import Profile
from gis.roads.read import RoadFacts, read_roads

PREPARE_LIMIT_S = 900.0
START_LIMIT_S = 60.0
MOST_PLACES = 5000

LUA = """
api_version = 4
local speeds = {%(speeds)s}
local barriers = {%(barriers)s}
function setup()
  return {
    properties = {
      weight_name = 'duration',
      max_speed_for_map_matching = 40,
      use_turn_restrictions = %(restrictions)s,
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


def find_tools() -> Path | None:
    """The folder of OSRM's programs, or None where there are none."""
    if os.environ.get("OSRM_BIN"):
        return Path(os.environ["OSRM_BIN"])
    if (found := shutil.which("osrm-extract")) is not None:
        return Path(found).parent
    spec = importlib.util.find_spec("osrm")
    if spec is not None and spec.origin is not None:
        beside = Path(spec.origin).with_name("bin")
        if (beside / "osrm-routed").is_file():
            return beside
    return None


def _profile(facts: RoadFacts, *, restrictions: bool) -> str:
    return LUA % {
        "speeds": ",".join(f"[{w.id}]={{{w.forward_kmh!r},{w.backward_kmh!r}}}" for w in facts.ways),
        "barriers": ",".join(f"[{node}]=true" for node in sorted(facts.barriers)),
        "restrictions": "true" if restrictions else "false",
    }


class Osrm:
    """A running server."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120.0)

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

    def _ask(self, path: str) -> bytes:
        self._connection.request("GET", path)
        answer = self._connection.getresponse()
        return answer.read()

    def route_s(self, start: tuple[float, float], end: tuple[float, float]) -> float:
        """Seconds between two places, nan where there is no way."""
        places = ";".join(f"{lon:.7f},{lat:.7f}" for lon, lat in (start, end))
        answer = json.loads(self._ask(f"/route/v1/driving/{places}?overview=false"))
        return float(answer["routes"][0]["duration"]) if answer["code"] == "Ok" else float("nan")

    def table(self, starts: Sequence[tuple[float, float]], end: tuple[float, float]) -> list[float | None]:
        """Seconds from many places to one, as its table service answers."""
        places = ";".join(f"{lon:.7f},{lat:.7f}" for lon, lat in (*starts, end))
        sources = ";".join(map(str, range(len(starts))))
        answer = json.loads(
            self._ask(f"/table/v1/driving/{places}?sources={sources}&destinations={len(starts)}")
        )
        return [row[0] for row in answer["durations"]]


@contextlib.contextmanager
def serving(
    tools: Path,
    extract: Path,
    profile: Profile,
    folder: Path,
    *,
    restrictions: bool = True,
    contract: bool = True,
) -> Iterator[Osrm]:
    """Prepare an extract at the profile's speeds and serve it for a while.

    Args:
        tools: As `find_tools` gives it.
        extract: `.osm.pbf` file.
        profile: Whose speeds and barriers count.
        folder: For what it writes.
        restrictions: Whether turn restrictions count.
        contract: By contraction hierarchies; else by partitions, which large uniform towns need.
    """
    facts = read_roads(extract, profile)
    lua = folder / "same.lua"
    lua.write_text(_profile(facts, restrictions=restrictions), "utf-8")
    copy = folder / "town.osm.pbf"
    shutil.copyfile(extract, copy)
    base = folder / "town.osrm"
    steps = [["osrm-extract", "-p", str(lua), str(copy)]]
    steps += (
        [["osrm-contract", str(base)]]
        if contract
        else [["osrm-partition", str(base)], ["osrm-customize", str(base)]]
    )
    for step in steps:
        done = subprocess.run(
            [tools / step[0], *step[1:]], capture_output=True, timeout=PREPARE_LIMIT_S, check=False
        )
        if done.returncode != 0:
            raise RuntimeError(f"{step[0]}: {(done.stderr + done.stdout).decode('utf-8', 'replace')[-500:]}")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [tools / "osrm-routed", "--algorithm", "ch" if contract else "mld", "--ip", "127.0.0.1"]
    command += ["--port", str(port), "--max-table-size", str(MOST_PLACES), str(base)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait(port, server)
        with contextlib.closing(Osrm(port)) as engine:
            yield engine
    finally:
        server.kill()
        server.wait()


def _wait(port: int, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + START_LIMIT_S
    while time.monotonic() < until and server.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1.0):
            return
        time.sleep(0.05)
    raise RuntimeError("osrm-routed did not start")
