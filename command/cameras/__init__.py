"""Cameras: what stands where and looks which way, tours and layouts of them, and what their devices alarm about.

`model` is the entity, `decisions` how it changes, `view` what it looks at, `tours` and `alarms` have their own,
`sources` is where the media comes from: kept apart from all of it. The pictures themselves live in `streams`.
"""

from command.cameras.alarms import Alarm, Seen, decide_accept, decide_dismiss, decide_raise
from command.cameras.decisions import (
    decide_edit,
    decide_false_alarm,
    decide_health,
    decide_register,
    decide_remove,
    decide_switch,
)
from command.cameras.model import (
    FAULTS,
    NETWORKS,
    WATCHABLE,
    Camera,
    Fault,
    Network,
    Status,
    camera_of,
    checked_text,
)
from command.cameras.tours import (
    SPLITS,
    Layout,
    Split,
    Tour,
    decide_remove_layout,
    decide_remove_tour,
    decide_save_layout,
    decide_save_tour,
)
from command.cameras.view import bearing_deg, looks_at

__all__ = [
    "FAULTS",
    "NETWORKS",
    "SPLITS",
    "WATCHABLE",
    "Alarm",
    "Camera",
    "Fault",
    "Layout",
    "Network",
    "Seen",
    "Split",
    "Status",
    "Tour",
    "bearing_deg",
    "camera_of",
    "checked_text",
    "decide_accept",
    "decide_dismiss",
    "decide_edit",
    "decide_false_alarm",
    "decide_health",
    "decide_raise",
    "decide_register",
    "decide_remove",
    "decide_remove_layout",
    "decide_remove_tour",
    "decide_save_layout",
    "decide_save_tour",
    "decide_switch",
    "looks_at",
]
