"""How lively the district is: the rates of ``config/demo/simulator.toml``, typed and checked."""

from __future__ import annotations

import tomllib
from pathlib import Path

import msgspec

Span = tuple[float, float]
"""Least and most of something drawn evenly."""


class _Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class Shifts(_Section, frozen=True):
    """Coming and going."""

    on_duty_share: float
    always: tuple[str, ...]
    change_every_s: Span
    remaining_s: Span
    at_once: int


class Movement(_Section, frozen=True):
    """How people move and what their receivers say."""

    report_every_s: Span
    pause_s: Span
    rest_s: Span
    rest_share: float
    stroll_m: Span
    trip_limit_s: float
    pace: Span
    noise_m: Span
    accuracy_m: Span
    battery: Span
    battery_per_hour: Span
    dead_spots_per_hour: float
    dead_spot_s: Span
    kept_fix_every_s: float


class Trackers(_Section, frozen=True):
    """Which protocols are spoken, and over how many connections."""

    osmand: float
    traccar: float
    owntracks: float
    connections: int
    queue: int
    gateway_every_s: float


class Callers(_Section, frozen=True):
    """How incidents come in."""

    starters: int
    first_after_s: float
    starter_every_s: float
    starters_under_way: int
    every_s: Span
    few_open: int
    max_open: int
    hard_max_open: int
    duplicate_share: float
    duplicate_age_s: float
    duplicate_m: Span
    grave_every_s: float
    aside_m: Span
    people: int
    photo_px: int
    rated_share: float
    rated_after_s: Span


class Colleague(_Section, frozen=True):
    """The second dispatcher."""

    ordinary_after_s: Span
    grave_after_s: Span
    read_s: Span
    decide_s: Span
    check_after_s: Span
    abandoned_after_s: float
    message_share: float
    note_share: float
    retry_s: float
    look_every_s: float
    kinds: dict[str, tuple[str, ...]]


class Workers(_Section, frozen=True):
    """The units in the field."""

    deliver_s: Span
    answer_s: Span
    decline_share: float
    silent_share: float
    depart_s: Span
    arrive_m: float
    leave_to_service_share: float
    leave_to_service_s: float
    work_s: Span
    photo_share: float
    message_delivered_s: Span
    message_read_s: Span
    reply_share: float
    reply_s: Span
    look_every_s: float
    human_grace_s: float


class Network(_Section, frozen=True):
    """How patient the program is with the service."""

    at_once: int
    attempts: int
    first_pause_s: float
    longest_pause_s: float
    timeout_s: float


class Past(_Section, frozen=True):
    """What was before the demo began."""

    hours: int
    shifts: tuple[tuple[int, float], ...]
    absent_share: float
    silent_share: float
    camera_outage_share: float
    camera_outage_hours: Span


class Rates(_Section, frozen=True):
    """All of them; meanings and units stand in the file."""

    shifts: Shifts
    movement: Movement
    trackers: Trackers
    callers: Callers
    colleague: Colleague
    workers: Workers
    network: Network
    past: Past


def load_rates(folder: Path) -> Rates:
    """Read ``simulator.toml``.

    Args:
        folder: ``config/demo``.

    Raises:
        OSError: The file cannot be read.
        ValueError: A rate is missing, unknown or no number; the text names it.
    """
    with (folder / "simulator.toml").open("rb") as file:
        raw = tomllib.load(file)
    try:
        return msgspec.convert(raw, Rates)
    except msgspec.ValidationError as error:
        raise ValueError(f"{folder / 'simulator.toml'}: {error}") from None
