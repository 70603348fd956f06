"""Incidents: their states, who may move them where, and the decisions that touch nothing but the incident.

`model` is the entity, `lifecycle` the table of its commands, `reporting` how it begins, `decisions` how it moves.
"""

from command.incidents.decisions import (
    decide_attach,
    decide_claim,
    decide_classify,
    decide_keep_clip,
    decide_move,
)
from command.incidents.lifecycle import LIFECYCLE, Move, check_move
from command.incidents.model import (
    OPEN,
    TERMINAL,
    Attachment,
    Attention,
    Incident,
    Place,
    State,
    changed,
    distance_m,
    incident_of,
)
from command.incidents.reporting import Report, decide_report, mask_contact, suspects_of

__all__ = [
    "LIFECYCLE",
    "OPEN",
    "TERMINAL",
    "Attachment",
    "Attention",
    "Incident",
    "Move",
    "Place",
    "Report",
    "State",
    "changed",
    "check_move",
    "decide_attach",
    "decide_claim",
    "decide_classify",
    "decide_keep_clip",
    "decide_move",
    "decide_report",
    "distance_m",
    "incident_of",
    "mask_contact",
    "suspects_of",
]
