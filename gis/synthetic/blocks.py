"""Town blocks: the faces between streets, what stands on them, and how they group into grids."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import pairwise

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from gis.synthetic.plane import Floats, polygon_array
from gis.synthetic.settlements import Town

RANK = {"river": 8.0, "trunk": 3.2, "primary": 3.0, "secondary": 2.6, "tertiary": 1.9, "residential": 1.0}
"""How strongly a street separates two blocks when they are grouped; the river most."""


@dataclass(frozen=True, slots=True)
class Faces:
    """The faces of a town with who neighbours whom: ``borders[i]``: neighbour to (length, separation)."""

    shapes: list[shapely.Polygon]
    borders: list[dict[int, tuple[float, float]]]


def faces(
    outline: shapely.Polygon, streets: list[tuple[shapely.LineString, str]], river: shapely.LineString
) -> Faces:
    """Cut a town outline along its streets and the river's middle line.

    Args:
        outline: The town's outline in metres.
        streets: Noded street lines with their ``highway`` class.
        river: The middle line of the main river.
    """
    lines = [line for line, kind in streets if kind in RANK]
    rank = [RANK[kind] for _, kind in streets if kind in RANK]
    inner = [*lines, river]
    rank.append(RANK["river"])
    noded = shapely.union_all(
        [*shapely.intersection(np.array(inner), outline), outline.exterior], grid_size=0.25
    )
    shapes = [g for g in shapely.get_parts(shapely.polygonize([noded])).tolist() if g.area > 1]
    tree = shapely.STRtree(inner)
    sides: dict[tuple[float, ...], list[int]] = defaultdict(list)
    for index, shape in enumerate(shapes):
        for ring in (shape.exterior, *shape.interiors):
            c = np.array(ring.coords).tolist()
            for a, b in pairwise(c):
                sides[(*a, *b) if a < b else (*b, *a)].append(index)
    shared = [(key, pair) for key, pair in sides.items() if len(pair) == 2 and pair[0] != pair[1]]
    keys = np.array([key for key, _ in shared])
    nearest = tree.nearest(shapely.points((keys[:, :2] + keys[:, 2:]) / 2)) if len(keys) else []
    borders: list[dict[int, tuple[float, float]]] = [{} for _ in shapes]
    for (key, (i, j)), line in zip(shared, nearest, strict=True):
        length = float(np.hypot(key[2] - key[0], key[3] - key[1]))
        for a, b in ((i, j), (j, i)):
            old, sep = borders[a].get(b, (0.0, 0.0))
            borders[a][b] = (old + length, sep + length * rank[int(line)])
    borders = [{b: (length, sep / length) for b, (length, sep) in row.items()} for row in borders]
    return Faces(shapes, borders)


def group(
    found: Faces, members: list[int], count: int, rng: np.random.Generator, seeds: Floats | None = None
) -> list[list[int]]:
    """Split faces into ``count`` connected groups of similar size, preferably along the larger streets.

    Raises:
        ValueError: There are fewer faces than groups.
    """
    if len(members) < count:
        raise ValueError(f"{len(members)} blocks cannot make {count} areas")
    centre = {m: np.array(found.shapes[m].representative_point().coords[0]) for m in members}
    area = {m: found.shapes[m].area for m in members}
    points = np.array([centre[m] for m in members])
    weight = np.array([area[m] for m in members])
    if seeds is None:
        picks = [int(rng.choice(len(members), p=weight / weight.sum()))]
        far = np.hypot(*(points - points[picks[0]]).T)
        while len(picks) < count:
            pull = far**2 * weight**0.5
            pull[picks] = 0
            picks.append(int(np.argmax(pull * rng.uniform(0.7, 1, len(pull)))))
            far = np.minimum(far, np.hypot(*(points - points[picks[-1]]).T))
        hearts = [members[p] for p in picks]
    else:
        hearts = []
        for seed in seeds:
            order = np.argsort(np.hypot(*(points - seed).T))
            hearts.append(next(members[int(k)] for k in order if members[int(k)] not in hearts))
    allowed = set(members)
    size = np.full(count, weight.sum() / count)
    owner: dict[int, int] = {}
    for round_ in range(7):
        pace = np.clip((size / size.mean()) ** 0.5, 0.6, 1.7)
        owner = _grow(found, hearts, allowed, centre, pace)
        size = 0.5 * size + 0.5 * np.array(
            [sum(area[m] for m in owner if owner[m] == g) for g in range(count)]
        )
        if round_ < 4:
            for g in range(count):
                mine = [m for m in owner if owner[m] == g]
                mean = np.average([centre[m] for m in mine], axis=0, weights=[area[m] for m in mine])
                hearts[g] = min(mine, key=lambda m: float(np.hypot(*(centre[m] - mean))))
    result: list[list[int]] = [[] for _ in range(count)]
    for m in sorted(owner):
        result[owner[m]].append(m)
    stray = [m for m in members if m not in owner]
    for m in stray:
        best = min(range(count), key=lambda g: float(np.hypot(*(centre[m] - centre[hearts[g]]))))
        result[best].append(m)
    return result


def _grow(
    found: Faces, hearts: list[int], allowed: set[int], centre: dict[int, Floats], pace: Floats
) -> dict[int, int]:
    queue = [(0.0, heart, g) for g, heart in enumerate(hearts)]
    owner: dict[int, int] = {heart: g for g, heart in enumerate(hearts)}
    done: set[int] = set()
    best: dict[int, float] = {heart: 0.0 for heart in hearts}
    while queue:
        cost, face, g = heappop(queue)
        if face in done:
            continue
        done.add(face)
        owner[face] = g
        for other, (length, separation) in found.borders[face].items():
            if other not in allowed or other in done or length < 12:
                continue
            ahead = cost + float(np.hypot(*(centre[face] - centre[other]))) * separation * float(pace[g])
            if ahead < best.get(other, np.inf):
                best[other] = ahead
                heappush(queue, (ahead, other, g))
    return owner


@dataclass(frozen=True, slots=True)
class Site:
    """A block given over to one public use, such as a school."""

    kind: str
    shape: shapely.Polygon
    main: shapely.Polygon


def fill(
    found: Faces,
    town: Town,
    water: BaseGeometry,
    sites: list[str],
    rng: np.random.Generator,
    *,
    spacing: float,
) -> tuple[list[tuple[shapely.Polygon, str]], list[Site]]:
    """Put buildings on the blocks.

    Args:
        found: The town's faces.
        town: The town.
        water: Where nothing may stand.
        sites: Wanted public uses, one block each, the first nearest to the centre.
        rng: Source of chance.
        spacing: Stretches the gaps between buildings; larger means fewer.

    Returns:
        Footprints with their ``building`` value, and the public sites; footprints keep off streets and water.
    """
    rim = town.hull.exterior
    land = [s.buffer(-9.0, join_style="mitre").difference(water.buffer(14)) for s in found.shapes]
    blocks = [
        (k, max(shapely.get_parts(g).tolist(), key=lambda p: p.area))
        for k, g in enumerate(land)
        if g.area > 900
    ]
    by_distance = sorted(
        blocks,
        key=lambda b: float(np.hypot(b[1].centroid.x - town.centre[0], b[1].centroid.y - town.centre[1])),
    )
    usable = [b for b in by_distance if 6_000 < b[1].area < 60_000]
    taken: dict[int, str] = {}
    for order, kind in enumerate(sites):
        free = [k for k, _ in usable if k not in taken]
        if free:
            taken[free[min(len(free) - 1, int(order * 2.3 + rng.integers(0, 4)))]] = kind
    buildings: list[tuple[shapely.Polygon, str]] = []
    places = []
    for k, plot in blocks:
        box = shapely.minimum_rotated_rectangle(plot)
        c = np.array(box.exterior.coords)
        e, f = c[1] - c[0], c[2] - c[1]
        along = e if np.hypot(*e) > np.hypot(*f) else f
        angle = float(np.arctan2(along[1], along[0]))
        use = taken.get(k)
        edge = found.shapes[k].distance(rim) < 5
        near = (
            float(np.hypot(plot.centroid.x - town.centre[0], plot.centroid.y - town.centre[1]))
            / town.radius_m
        )
        if use is None:
            roll = rng.random()
            style = (
                "park"
                if roll < 0.04
                else "old"
                if roll < 0.5 - 0.38 * near
                else "shed"
                if roll > 0.93 and near > 0.5
                else "slab"
            )
            if edge and roll > 0.3:
                style = "sparse"
        else:
            style = use
        made = _rows(plot, angle, style, rng, spacing)
        buildings += made
        if use is not None and made:
            main = max((m for m, _ in made), key=lambda g: g.area)
            places.append(Site(use, plot, main))
        elif style == "park":
            places.append(Site("park", plot, plot))
    return buildings, places


# style: depth range, width range, gap across, gap along, share built, building value
_STYLES: dict[str, tuple[float, float, float, float, float, float, float, str]] = {
    "slab": (11, 13, 28, 52, 15, 9, 0.9, "apartments"),
    "old": (8, 12, 10, 19, 6, 5, 0.72, "house"),
    "sparse": (8, 12, 11, 22, 22, 20, 0.5, "house"),
    "shed": (22, 34, 45, 80, 14, 14, 0.85, "industrial"),
    "school": (13, 16, 45, 70, 26, 18, 0.75, "school"),
    "kindergarten": (13, 16, 25, 36, 22, 18, 0.6, "kindergarten"),
    "hospital": (16, 20, 45, 70, 18, 14, 0.8, "hospital"),
    "government": (16, 20, 50, 75, 24, 20, 0.7, "government"),
    "police": (13, 16, 28, 40, 22, 18, 0.6, "government"),
    "fire_station": (15, 18, 30, 42, 22, 18, 0.6, "fire_station"),
    "market": (28, 36, 55, 80, 12, 12, 0.95, "retail"),
    "bus_station": (22, 28, 50, 70, 30, 20, 0.6, "transportation"),
}


def _rows(
    plot: shapely.Polygon, angle: float, style: str, rng: np.random.Generator, spacing: float
) -> list[tuple[shapely.Polygon, str]]:
    if style == "park":
        return []
    d0, d1, w0, w1, across, beside, share, value = _STYLES[style]
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    local = (np.array(plot.exterior.coords)) @ turn
    (x0, y0), (x1, y1) = local.min(axis=0), local.max(axis=0)
    boxes = []
    depth = rng.uniform(d0, d1)
    pitch = (depth + across) * spacing
    rows = max(1, int((y1 - y0 + across) // pitch))
    slack = (y1 - y0 - rows * pitch + across * spacing) / 2
    for r in range(rows):
        y = y0 + slack + r * pitch
        x = x0 + rng.uniform(1, 8)
        while x < x1 - w0:
            wide = rng.uniform(w0, w1)
            if rng.random() < share:
                d = depth * rng.uniform(0.9, 1.1)
                boxes.append((x, y, x + wide, y + d))
            x += wide + beside * spacing * rng.uniform(0.8, 1.5)
    if not boxes:
        return []
    b = np.array(boxes)
    corners = np.stack([b[:, [0, 1]], b[:, [2, 1]], b[:, [2, 3]], b[:, [0, 3]]], axis=1) @ turn.T
    shapes = polygon_array(corners)
    shapely.prepare(plot)
    return [(s, value) for s in shapes[shapely.contains(plot, shapes)].tolist()]
