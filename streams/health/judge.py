"""From measures to a verdict on one picture. Pure.

With a reference a picture is compared with what this camera usually shows; without one only what is wrong with any
camera counts: a picture that is black, one colour, noise, or as good as empty. A verdict on one picture changes
nothing yet: `streams.health.machine` waits for the next ones.

Each fault has a severity, scaled so that 1 is the limit for a camera nobody has complained about.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from streams.health.compare import Change, compare_edges, compare_texture
from streams.health.measures import Measures
from streams.health.messages import Fault, Light
from streams.health.references import MOST_TOLERANCE, Reference

_GREY_CHROMA: Final = 2.5
_NIGHT_MEAN: Final = 55.0
_DUSK_MEAN: Final = 82.0
_GLARE_SHARE: Final = 0.6
_STILL_MOST: Final = 4.0

_COVERED_SHARE: Final = 0.35
_COVERED_WHOLE: Final = 0.85
_COVERED_LEAST: Final = 0.25
_FLAT_WHOLE: Final = 0.86
_IN_PLACE: Final = 0.45
_KEPT_STRENGTH: Final = 0.7
_KEPT_MATCH: Final = 0.25
_BLURRED_RATIO: Final = 0.63
_SHARP_ENOUGH: Final = 0.45
_BLURRED_ALONE: Final = 0.5
_CAST_SHIFT: Final = 18.0
_MOVED_SHARE: Final = 0.025
_MOVED_GAIN: Final = 0.15
_MOVED_MATCH: Final = 0.3


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one picture alone says.

    Attributes:
        fault: The gravest one, or None.
        slow: It takes many pictures to be sure, and sooner ones would not help.
        teaches: Whether a reference may learn from the picture: it is healthy and not blinded by light.
        numbers: What the comparison gave, by name, beside `Measures.numbers`.
    """

    fault: Fault | None
    slow: bool
    teaches: bool
    numbers: dict[str, float]


def light_of(measures: Measures) -> Light:
    """Tell by which reference a picture is to be judged."""
    if measures.chroma < _GREY_CHROMA and measures.mean > 12.0:
        return "ir"
    if measures.mean < _NIGHT_MEAN:
        return "night"
    return "dusk" if measures.mean < _DUSK_MEAN else "day"


def judge(
    measures: Measures,
    reference: Reference | None,
    change: Change | None,
    tolerance: Mapping[Fault, float],
    *,
    movable: bool = False,
) -> Verdict:
    """Judge one picture.

    Args:
        measures: Its measures.
        reference: What the camera usually shows, or None.
        change: What has changed since the check before, or None if that was long ago.
        tolerance: How much further than usual this camera may go before a fault counts; 1 unless said.
        movable: It pans and tilts: what stands where in the picture says nothing.
    """
    numbers: dict[str, float] = {}
    glare = measures.bright_share > _GLARE_SHARE

    def counts(fault: Fault, severity: float) -> bool:
        allowed = tolerance.get(fault, 1.0)
        return allowed < MOST_TOLERANCE and severity > allowed

    candidates = [*_plain(measures)]
    if not glare:
        if reference is None or movable:
            candidates += _alone(measures)
        if reference is not None:
            candidates += _compared(measures, reference, numbers, movable=movable)
    fault = next((name for name, severity in candidates if counts(name, severity)), None)
    slow = False
    if change is not None:
        numbers["change_p99"], numbers["change_most"] = change.p99, change.most
        if fault is None and counts("frozen", 1.5 / max(change.p99, 0.1)):
            # Where even the clock stands, two checks are enough. Where only a clock runs, the sensor may be dead
            # behind a living encoder, or a hall empty: daylight tells, because it never stays the same for long.
            slow = change.most > _STILL_MOST
            if not slow or light_of(measures) == "day":
                fault = "frozen"
    return Verdict(fault, slow and fault == "frozen", fault is None and not glare, numbers)


def _plain(m: Measures) -> Iterator[tuple[Fault, float]]:
    """Faults that need no comparison, the gravest first."""
    if m.noise < 8.0:
        yield "black", min(22.0 / max(m.mean, 1.0), 12.0 / max(m.sigma, 1.0))
        yield "no_signal", max(2.5 / max(m.sigma, 0.5), _flat_screen(m))
    yield "noise", m.noise / 18.0


def _flat_screen(m: Measures) -> float:
    """One colour with some words on it; a sensor, even behind a hand, is noisier than that."""
    return m.peak_share / 0.9 if m.noise < 1.0 and m.flat_share > 0.8 else 0.0


def _alone(m: Measures) -> Iterator[tuple[Fault, float]]:
    if m.dark_share < 0.3:  # an empty place at night is flat too, but dark
        yield "covered", min(m.flat_share / _FLAT_WHOLE, 3.2 / max(m.entropy, 0.1))
    yield "blurred", _BLURRED_ALONE / max(m.acutance, 1e-3)
    yield "colour_cast", min(abs(complex(m.cast_a, m.cast_b)) / 28.0, m.cast_ratio / 4.0)


def _compared(
    m: Measures, reference: Reference, numbers: dict[str, float], *, movable: bool
) -> Iterator[tuple[Fault, float]]:
    cast = _cast_shift(m, reference)
    acutance = m.acutance / max(reference.acutance, 1e-3)
    numbers["cast_shift"], numbers["acutance_ratio"] = cast, acutance
    yield "noise", m.noise / max(9.0, 2.5 * reference.noise)
    if not movable:
        edges = reference.edge_map()
        texture = compare_texture(edges, m.edge_map)
        shift = compare_edges(edges, m.edge_map)
        numbers["lost_share"], numbers["kept_match"] = texture.lost_share, texture.kept_match
        numbers["kept_strength"] = texture.kept_strength
        numbers["edge_match"], numbers["edge_best"] = shift.match, shift.best
        numbers["shift_share"] = shift.share
        if texture.lost_share > _COVERED_WHOLE:
            yield "covered", texture.lost_share / _COVERED_SHARE
        if texture.lost_share > _COVERED_LEAST and m.flat_share > reference.flat_share + 0.1:
            yield "covered", m.flat_share / _FLAT_WHOLE
        if texture.kept_strength > _KEPT_STRENGTH and texture.kept_match > _KEPT_MATCH:
            yield "covered", texture.lost_share / _COVERED_SHARE
        elsewhere = _MOVED_MATCH / max(shift.match, 0.01)
        if acutance > _SHARP_ENOUGH:
            yield "moved", elsewhere
        yield "blurred", _BLURRED_RATIO / max(acutance, 1e-3)
        if shift.share > 0 and shift.best > shift.match + _MOVED_GAIN and shift.best > _IN_PLACE:
            yield "moved", shift.share / _MOVED_SHARE
        yield "moved", elsewhere
    yield "colour_cast", cast / _CAST_SHIFT


def _cast_shift(m: Measures, reference: Reference) -> float:
    """How far the colour lies from where haze or strong light would put it: paler or richer, but the same hue."""
    usual = complex(reference.cast_a, reference.cast_b)
    present = complex(m.cast_a, m.cast_b)
    along = (present * usual.conjugate()).real / max(abs(usual) ** 2, 1.0)
    return abs(present - usual * min(1.3, max(0.4, along)))
