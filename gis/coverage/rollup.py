"""Figures of grids carried up to villages, townships and the county."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from gis.areas import AreaIndex
from gis.coverage.reach import Times

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Figures:
    """What is covered of one area. Shares are 0 to 1, None where there is nothing to be covered.

    Attributes:
        code: Of the area.
        grids: Its grids.
        staffed: Grids with a worker of their own.
        on_duty: Grids whose worker is on duty now.
        road_m: Length of its road in metres; square metres of ground in a district without roads.
        reach: Seconds → share of the road within that time.
        reached: Seconds → grids with at least half of their road within that time; one without road is not
            among them.
        measured: Grids with road.
        unreached: Share of the road that nobody reaches within the horizon.
        median_s: Whole seconds in which half of the road is reached, None where it never is.
        p90_s: The same for nine tenths.
        area_m2: Of its grids.
        seen: Share of that area seen by a working camera.
        watched: Grids of which some camera sees some part.
        built: Grids in which buildings stand in the way; in the others `seen` is theoretical.
    """

    code: str
    grids: int
    staffed: int
    on_duty: int
    road_m: float
    reach: dict[int, float | None]
    reached: dict[int, int]
    measured: int
    unreached: float | None
    median_s: float | None
    p90_s: float | None
    area_m2: float
    seen: float | None
    watched: int
    built: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class GridFacts:
    """What is known of each grid, in the order of the areas' `grids`.

    Attributes:
        times: Travel times of n grids.
        staffed: (n,) whether it has a worker of its own.
        on_duty: (n,) whether that worker is on duty.
        area_m2: (n,) its area.
        seen_m2: (n,) what cameras see of it.
        cameras: (n,) how many cameras see some of it.
        built: (n,) whether footprints of buildings are known there; None: nowhere.
    """

    times: Times
    staffed: NDArray[np.bool_]
    on_duty: NDArray[np.bool_]
    area_m2: Floats
    seen_m2: Floats
    cameras: NDArray[np.int64]
    built: NDArray[np.bool_] | None = None


class Rollup:
    """Which grids every area consists of; made once for a division.

    Args:
        areas: The division.

    Attributes:
        codes: All areas, those above first, then by code.
    """

    def __init__(self, areas: AreaIndex) -> None:
        self._areas = areas
        self.codes = tuple(area.code for area in sorted(areas.areas, key=lambda a: (a.tier, a.code)))

    @cached_property
    def members(self) -> dict[str, NDArray[np.intp]]:
        """Indices of the grids in each area, ascending; a grid contains itself."""
        found: dict[str, list[int]] = {code: [] for code in self.codes}
        for number, grid in enumerate(self._areas.grids):
            for code in (grid.code, *(above.code for above in self._areas.ancestors(grid.code))):
                found[code].append(number)
        return {code: np.array(numbers, dtype=np.intp) for code, numbers in found.items()}

    def figures(
        self, facts: GridFacts, seconds: tuple[int, ...], codes: tuple[str, ...] | None = None
    ) -> list[Figures]:
        """Sum the facts of grids up.

        Args:
            facts: Of all grids.
            seconds: The times for which shares are wanted.
            codes: Which areas; None for all.

        Returns:
            One entry for each code, in order.

        Raises:
            KeyError: A code is not that of an area.
        """
        wanted = self.codes if codes is None else codes
        members = [self.members[code] for code in wanted]
        if not wanted:
            return []
        times = facts.times.merged(members)
        shares = {s: times.share(s) for s in seconds}
        with np.errstate(invalid="ignore"):
            half = {s: facts.times.share(s) >= 0.5 for s in seconds}
        median_s, p90_s, total = times.quantile(0.5), times.quantile(0.9), times.total
        measured = facts.times.total > 0
        out = []
        for n, (code, chosen) in enumerate(zip(wanted, members, strict=True)):
            area_m2 = float(facts.area_m2[chosen].sum())
            out.append(
                Figures(
                    code=code,
                    grids=len(chosen),
                    staffed=int(facts.staffed[chosen].sum()),
                    on_duty=int(facts.on_duty[chosen].sum()),
                    road_m=float(total[n]),
                    reach={s: _known(share[n]) for s, share in shares.items()},
                    reached={s: int(enough[chosen].sum()) for s, enough in half.items()},
                    measured=int(measured[chosen].sum()),
                    unreached=float(times.metres[n, -1] / total[n]) if total[n] > 0 else None,
                    median_s=_known(median_s[n]),
                    p90_s=_known(p90_s[n]),
                    area_m2=area_m2,
                    seen=float(facts.seen_m2[chosen].sum() / area_m2) if area_m2 > 0 else None,
                    watched=int((facts.cameras[chosen] > 0).sum()),
                    built=0 if facts.built is None else int(facts.built[chosen].sum()),
                )
            )
        return out


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
