"""Wishes in words: "X附近的摄像头", "hospitals near X", "三桥 摄像头"."""

import re
from dataclasses import dataclass
from typing import Final

from command.search.things import Type

_TYPE_WORDS: Final[dict[str, Type]] = {
    **dict.fromkeys(("摄像头", "摄像机", "监控", "探头", "camera", "cameras", "cctv", "sxt"), "camera"),
    **dict.fromkeys(("网格", "区域", "社区", "area", "areas", "grid", "grids", "wangge"), "area"),
    **dict.fromkeys(("警务区", "警格", "管区", "beat", "beats"), "beat"),
    **dict.fromkeys(("门牌", "门牌号", "地址", "address", "addresses"), "address"),
    **dict.fromkeys(("道路", "马路", "road", "roads", "street", "streets"), "road"),
    **dict.fromkeys(("地点", "场所", "place", "places"), "place"),
    **dict.fromkeys(("事件", "警情", "incident", "incidents"), "incident"),
}
_NEAR: Final = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"(?P<where>.*?)\s*(?:的)?\s*(?:附近|周边|周围|旁边|近旁)\s*(?:的)?\s*(?P<what>.*)",
        r"(?:靠近|临近|邻近)\s*(?P<where>.+?)(?:\s*的\s*(?P<what>.+))?",
        r"(?:(?P<what>.*?)\s+)?(?:near|around|close\s+to)(?:\s+(?P<where>.*))?",
    )
)


@dataclass(frozen=True, slots=True)
class Nearby:
    """Things about a place.

    Attributes:
        where: The place in words; empty: what is seen.
        type: Only things of this type, or None.
        name: Only things whose name fits, or None.
    """

    where: str
    type: Type | None
    name: str | None


def type_of(word: str) -> Type | None:
    """Return the type that a word stands for, or None.

    >>> type_of("摄像头"), type_of("Cameras"), type_of("人民路")
    ('camera', 'camera', None)
    """
    return _TYPE_WORDS.get(word.strip().lower())


def read_nearby(text: str) -> Nearby | None:
    """Read a wish for what is near something; None for anything else.

    >>> read_nearby("三桥中学附近的摄像头")
    Nearby(where='三桥中学', type='camera', name=None)
    >>> read_nearby("医院 near 人民路")
    Nearby(where='人民路', type=None, name='医院')
    >>> read_nearby("附近监控"), read_nearby("人民路")
    (Nearby(where='', type='camera', name=None), None)
    """
    for pattern in _NEAR:
        found = pattern.fullmatch(text.strip())
        if found is None:
            continue
        where, what = (found["where"] or "").strip(), (found["what"] or "").strip()
        if what.startswith("有") and what.endswith(("吗", "?", "？")):
            what = what[1:-1]
        kind = type_of(what)
        return Nearby(where, kind, None if kind is not None or not what else what)
    return None


def split_type(text: str) -> tuple[str, Type | None]:
    """Return the text without a word that names a type, and the type: "三桥 摄像头".

    >>> split_type("三桥 摄像头"), split_type("camera 三桥"), split_type("摄像头")
    (('三桥', 'camera'), ('三桥', 'camera'), ('摄像头', None))
    """
    words = text.split()
    if len(words) > 1:
        for at in (len(words) - 1, 0):
            kind = type_of(words[at])
            if kind is not None:
                return " ".join(words[:at] + words[at + 1 :]), kind
    return text, None
