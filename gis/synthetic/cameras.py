"""The cameras: junctions, bridges, schools, markets, village entrances, dams and lookouts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from gis.synthetic.areas import Division
from gis.synthetic.names import Names
from gis.synthetic.people import Homes
from gis.synthetic.places import Place
from gis.synthetic.plane import Floats
from gis.synthetic.spec import DistrictSpec


@dataclass(frozen=True, slots=True)
class Camera:
    """One camera; ``at`` in metres, angles in degrees clockwise from north."""

    name: str
    gb_id: str
    at: Floats
    network: str
    azimuth: int
    fov: int
    path: str
    site_type: str
    grid: int


_SITES: dict[str, tuple[str, str, int]] = {
    # place kind: (how the camera is called, network, field of view)
    "bridge": ("东端", "bureau", 60),
    "school": ("大门", "xueliang", 90),
    "kindergarten": ("门口", "xueliang", 90),
    "market": ("出入口", "social", 100),
    "hospital": ("急诊门前", "social", 90),
    "bus_station": ("出站口", "bureau", 100),
    "railway_station": ("站前", "bureau", 90),
    "police": ("院内", "bureau", 90),
    "government": ("门前", "bureau", 80),
    "village": ("村口", "xueliang", 75),
    "reservoir": ("大坝", "bureau", 70),
    "hill": ("瞭望塔", "bureau", 50),
    "river_bank": ("水尺", "bureau", 60),
    "park": ("入口", "social", 90),
    "workshop": ("车间外", "social", 80),
}
# Digits 9-10 (industry) and 14 (network) of a GB/T 28181 id; 11-13 say that it is a camera.
_GB_PARTS = {"xueliang": ("01", 5), "bureau": ("00", 0), "social": ("02", 6)}
_SPOTS = (
    "路段",
    "巷口",
    "小广场",
    "村道",
    "晒场",
    "桥头",
    "弯道",
    "活动室前",
    "公交站",
    "小区南门",
    "小区北门",
    "停车场",
)


def mount(
    spec: DistrictSpec,
    division: Division,
    places: list[Place],
    junctions: list[Place],
    homes: Homes,
    names: Names,
    rng: np.random.Generator,
) -> list[Camera]:
    """Place exactly ``spec.cameras`` cameras, the sites that matter first.

    Args:
        spec: The description.
        division: Its areas.
        places: Named places; those of a kind worth watching get a camera.
        junctions: Named junctions, the most important first.
        homes: Points on roads by grid, for what remains.
        names: Keeps camera names unique.
        rng: Source of chance.
    """
    tree = shapely.STRtree([g.shape for g in division.grids])
    chosen: list[tuple[str, Floats, str, int, str, float | None]] = []
    sites = [p for p in places if p.kind in _SITES and p.grid >= 0]
    order = [
        "bridge",
        "school",
        "market",
        "village",
        "hospital",
        "bus_station",
        "railway_station",
        "reservoir",
        "police",
    ]
    sites.sort(key=lambda p: (order.index(p.kind) if p.kind in order else 99, p.name))
    for place in sites[: max(1, int(spec.cameras * 0.55))]:
        mark, network, fov = _SITES[place.kind]
        chosen.append((place.name + mark, place.gate, network, fov, place.kind, None))
    room = max(0, int(spec.cameras * 0.72) - len(chosen))
    chosen += [
        (j.name, j.at, "bureau" if k % 3 == 0 else "xueliang", 65, "junction", j.heading)
        for k, j in enumerate(junctions[:room])
    ]
    grids = rng.permutation(len(division.grids)).tolist()
    k = 0
    while len(chosen) < spec.cameras:
        g = grids[k % len(grids)]
        k += 1
        # Towns see two cameras for every one in the countryside.
        if not division.grids[g].urban and k % 2 and k < 40 * len(grids):
            continue
        grid = division.grids[g]
        urban = division.grids[g].urban
        spot = (
            _SPOTS[int(rng.integers(0, 3))]
            if not urban and rng.random() < 0.3
            else _SPOTS[int(rng.integers(3, 7) if not urban else rng.choice([0, 1, 2, 8, 9, 10, 11]))]
        )
        network = "social" if spot in ("小区南门", "小区北门", "停车场") else "xueliang"
        at = homes.draw(g)
        if not grid.shape.contains(shapely.Point(at)):
            inside = shapely.shortest_line(grid.shape, shapely.Point(at)).coords[0]
            at = np.array(inside)
        chosen.append(
            (f"{grid.name}{spot}", at, network, 80, "residential" if urban else "village_road", None)
        )
    cameras = []
    for serial, (name, at, network, fov, site, heading) in enumerate(chosen[: spec.cameras], start=1):
        near = tree.query_nearest(shapely.Point(at))
        azimuth = int(heading if heading is not None else rng.integers(0, 360)) % 360
        industry, digit = _GB_PARTS[network]
        gb_id = f"{spec.code[:6]}00{industry}132{digit}{serial:06d}"
        cameras.append(
            Camera(
                names.unique(name), gb_id, at, network, azimuth, fov, f"/cam/{serial:05d}", site, int(near[0])
            )
        )
    return cameras
