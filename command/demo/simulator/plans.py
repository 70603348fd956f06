"""What a unit will do with an assignment: drawn once from its id, and never otherwise."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Literal

from command.demo.simulator.rates import Workers as WorkerRates
from command.demo.simulator.timing import draw


@dataclass(frozen=True, slots=True)
class Plan:
    """What a unit will do with one assignment; seconds each from the step before."""

    deliver_s: float
    answer_s: float
    answer: Literal["sign", "decline", "silence"]
    depart_s: float
    leave_to_service: bool
    work_s: float
    photo: bool


def plan_of(assignment_id: str, seed: int, rates: WorkerRates) -> Plan:
    """Draw the plan of an assignment; the same id and seed give the same plan."""
    rng = random.Random(f"{seed}:{assignment_id}")
    mood = rng.random()
    answer: Literal["sign", "decline", "silence"] = "sign"
    if mood < rates.decline_share:
        answer = "decline"
    elif mood < rates.decline_share + rates.silent_share:
        answer = "silence"
    return Plan(
        deliver_s=draw(rng, rates.deliver_s),
        answer_s=draw(rng, rates.answer_s),
        answer=answer,
        depart_s=draw(rng, rates.depart_s),
        leave_to_service=rng.random() < rates.leave_to_service_share,
        work_s=draw(rng, rates.work_s),
        photo=rng.random() < rates.photo_share,
    )
