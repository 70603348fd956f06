"""The kinds of drawn places, and which of them suits a site of a camera registry."""

from typing import Final, Literal, get_args

SceneKind = Literal[
    "junction", "street", "school", "market", "car_park", "square", "village",
    "river", "bridge", "lookout", "dam", "highway", "mine",
]  # fmt: skip
KINDS: Final[tuple[SceneKind, ...]] = get_args(SceneKind)
# Site types of a camera registry, where they are not called like the scene.
_SITES: Final[dict[str, SceneKind]] = {
    "kindergarten": "school",
    "hospital": "car_park",
    "bus_station": "car_park",
    "railway_station": "car_park",
    "police": "car_park",
    "government": "square",
    "reservoir": "dam",
    "hill": "lookout",
    "river_bank": "river",
    "park": "square",
    "workshop": "mine",
    "residential": "street",
    "village_road": "village",
}


def scene_of(site: str) -> SceneKind:
    """Return the kind of scene that suits a site type; an unknown one is a street."""
    for kind in KINDS:
        if site == kind:
            return kind
    return _SITES.get(site, "street")
