"""Driving instructions in Chinese and English."""

from __future__ import annotations

_ZH_HEADINGS = ("北", "东北", "东", "东南", "南", "西南", "西", "西北")
_EN_HEADINGS = ("north", "northeast", "east", "southeast", "south", "southwest", "west", "northwest")
_ZH_NUMBERS = "一二三四五六七八九十"
_ZH_TURNS = {
    "straight": "直行",
    "slight_left": "稍向左转",
    "slight_right": "稍向右转",
    "left": "左转",
    "right": "右转",
    "sharp_left": "向左急转",
    "sharp_right": "向右急转",
    "uturn": "掉头",
}
_EN_TURNS = {
    "straight": "continue straight",
    "slight_left": "bear left",
    "slight_right": "bear right",
    "left": "turn left",
    "right": "turn right",
    "sharp_left": "turn sharp left",
    "sharp_right": "turn sharp right",
    "uturn": "make a U-turn",
}


def distance_text(metres: float, language: str) -> str:
    """A length as people say it: tens of metres below a kilometre, then tenths of a kilometre.

    >>> distance_text(183.0, "zh-CN"), distance_text(1234.0, "en"), distance_text(4.0, "zh-CN")
    ('180 米', '1.2 km', '10 米')
    """
    rounded = max(round(metres / 10.0) * 10, 10)
    if rounded < 1000:
        return f"{rounded} 米" if language == "zh-CN" else f"{rounded} m"
    return f"{metres / 1000.0:.1f} 公里" if language == "zh-CN" else f"{metres / 1000.0:.1f} km"


def ordinal(number: int, language: str) -> str:
    """A number as an order.

    >>> ordinal(2, "zh-CN"), ordinal(12, "zh-CN"), ordinal(2, "en"), ordinal(11, "en"), ordinal(23, "en")
    ('第二', '第12', '2nd', '11th', '23rd')
    """
    if language == "zh-CN":
        return f"第{_ZH_NUMBERS[number - 1] if number <= len(_ZH_NUMBERS) else number}"
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def step_text(
    maneuver: str, road: str, distance_m: float, heading_deg: float, language: str, exit_: int = 0
) -> str:
    """One instruction.

    Args:
        maneuver: As in `Step`.
        road: Road taken from here on, may be empty.
        distance_m: Driven before it.
        heading_deg: Direction afterwards.
        language: "zh-CN", or "en" for everything else.
        exit_: Exit of a roundabout, 0 where none is taken.

    >>> step_text("depart", "人民路", 0.0, 92.0, "zh-CN")
    '向东出发，沿人民路行驶'
    >>> step_text("roundabout", "人民路", 120.0, 0.0, "zh-CN", 2)
    '120 米后进入环岛，从第二出口驶出，进入人民路'
    >>> step_text("arrive", "", 340.0, 0.0, "en")
    'In 340 m, arrive at the destination'
    """
    octant = int((heading_deg + 22.5) % 360.0 // 45.0)
    far = distance_text(distance_m, language)
    if language == "zh-CN":
        return _zh(maneuver, road, f"{far}后", _ZH_HEADINGS[octant], exit_)
    return _en(maneuver, road, f"In {far}, ", _EN_HEADINGS[octant], exit_)


def _zh(maneuver: str, road: str, far: str, heading: str, exit_: int) -> str:
    onto = road or "无名道路"
    if maneuver == "depart":
        return f"向{heading}出发，沿{onto}行驶"
    if maneuver == "arrive":
        return f"{far}到达目的地"
    if maneuver == "ferry":
        return f"{far}上渡船" + (f"（{road}）" if road else "")
    if maneuver == "ashore":
        return f"{far}下渡船，沿{onto}行驶"
    if maneuver == "roundabout":
        return f"{far}进入环岛" + (f"，从{ordinal(exit_, 'zh-CN')}出口驶出，进入{onto}" if exit_ else "")
    if maneuver == "uturn":
        return f"{far}掉头" + (f"，沿{road}行驶" if road else "")
    return f"{far}{_ZH_TURNS[maneuver]}，进入{onto}"


def _en(maneuver: str, road: str, far: str, heading: str, exit_: int) -> str:
    onto = f" onto {road}" if road else ""
    if maneuver == "depart":
        return f"Head {heading}" + (f" on {road}" if road else "")
    if maneuver == "arrive":
        return f"{far}arrive at the destination"
    if maneuver == "ferry":
        return f"{far}take the ferry" + (f" {road}" if road else "")
    if maneuver == "ashore":
        return f"{far}leave the ferry{onto}"
    if maneuver == "roundabout":
        return f"{far}enter the roundabout" + (
            f" and take the {ordinal(exit_, 'en')} exit{onto}" if exit_ else ""
        )
    return f"{far}{_EN_TURNS[maneuver]}" + ((f" on {road}" if road else "") if maneuver == "uturn" else onto)
