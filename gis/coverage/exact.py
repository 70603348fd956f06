"""The best choice of places, by integer programming, in a process of its own.

`Choices.greedy` is quick and never far off; this says how far, and finds the best where there is time. The solver
holds the interpreter's lock for seconds, and can be stopped only by ending its process: hence the process.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import sys
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csc_array, csr_array, eye_array, hstack, vstack

from gis.coverage.siting import Choices
from gis.errors import ToolFailed

Floats = NDArray[np.float64]
GRACE_S: Final = 20.0
"""Longer than its limit the process is not waited for: the solver looks at the clock only now and then."""


@dataclass(frozen=True, slots=True)
class Solved:
    """The best choice that was found.

    Attributes:
        chosen: Numbers of the places, in no order that means anything.
        bound_m: No choice of as many places can bring more.
        proven: It is the best, not only the best so far.
    """

    chosen: tuple[int, ...]
    bound_m: float
    proven: bool


def grouped(choices: Choices) -> tuple[csr_array[Any, tuple[int, int]], Floats]:
    """Put pieces that the same places bring into one: (places, groups), and the metres of each group."""
    gains = choices.gains
    # Two sums of random numbers that differ for different sets, but for a chance of one in 10^30.
    rng = np.random.default_rng(20_261_122)
    marks = rng.integers(1, 2**63 - 1, (gains.shape[0], 2), dtype=np.int64)
    ones = csr_array((np.ones(len(gains.indices), np.int64), gains.indices, gains.indptr), shape=gains.shape)
    sums = np.ascontiguousarray(np.asarray(ones.T @ marks))  # adds up modulo 2^64
    _, first, group = np.unique(
        sums.view([("", sums.dtype)] * 2).ravel(), return_index=True, return_inverse=True
    )
    weight: Floats = np.bincount(group.ravel(), weights=choices.weight).astype(np.float64)
    columns = csc_array(gains)[:, first]
    reached = np.flatnonzero(np.diff(columns.indptr) > 0)
    return csr_array(columns[:, reached]), weight[reached]


def solve(cover: csr_array, weight: Floats, posts: int, time_limit_s: float) -> Solved:
    """Find the places that bring most together.

    Args:
        cover: (places, groups) 1 where a place brings a group.
        weight: (groups,) metres.
        posts: How many places.
        time_limit_s: After so long, the best so far.

    Raises:
        ToolFailed: Nothing was found in that time.
    """
    places, groups = cover.shape
    # x_j: the place is chosen; y_i ≤ Σ x_j of those that bring it: the group is brought.
    brings = hstack([-csr_array(cover.T), eye_array(groups)], format="csc")
    count = csr_array(np.concatenate([np.ones(places), np.zeros(groups)])[None, :])
    found = milp(
        np.concatenate([np.zeros(places), -weight]),
        integrality=np.concatenate([np.ones(places), np.zeros(groups)]),
        bounds=Bounds(0.0, 1.0),
        constraints=LinearConstraint(
            vstack([brings, count], format="csc"),
            -np.inf,
            np.concatenate([np.zeros(groups), [float(posts)]]),
        ),
        options={"time_limit": time_limit_s, "mip_rel_gap": 1e-6},
    )
    if found.x is None:
        raise ToolFailed("solver", found.message)
    chosen = np.flatnonzero(found.x[:places] > 0.5)
    bound: float | None = found.mip_dual_bound
    total = float(weight.sum())
    return Solved(
        tuple(chosen.tolist()),
        min(total, float(-bound)) if bound is not None and np.isfinite(bound) else total,
        found.status == 0,
    )


async def solve_apart(choices: Choices, posts: int, time_limit_s: float) -> Solved:
    """Do the same in a process, which is ended when this is cancelled.

    Raises:
        ToolFailed: Nothing was found in that time, or the process broke.
    """
    cover, weight = await asyncio.to_thread(grouped, choices)
    if not len(weight):
        return Solved((), 0.0, True)
    question = io.BytesIO()
    np.savez(
        question,
        indices=cover.indices,
        indptr=cover.indptr,
        shape=np.array(cover.shape),
        weight=weight,
        posts=posts,
        time_limit_s=time_limit_s,
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "gis.coverage.exact",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={
            "OPENBLAS_NUM_THREADS": "1",
            "PYTHONPATH": ":".join(filter(None, sys.path)),
            "LC_ALL": "C.UTF-8",
        },
    )
    try:
        async with asyncio.timeout(time_limit_s + GRACE_S):
            said, complaint = await process.communicate(question.getvalue())
    except TimeoutError as error:
        raise ToolFailed("solver", "took too long") from error
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if process.returncode != 0:
        lines = complaint.decode(errors="replace").strip().splitlines()
        raise ToolFailed("solver", lines[-1] if lines else "ended without a word")
    answer = json.loads(said)
    return Solved(tuple(answer["chosen"]), answer["bound_m"], answer["proven"])


def main() -> None:
    """Read a question from standard input and answer on standard output."""
    with np.load(io.BytesIO(sys.stdin.buffer.read()), allow_pickle=False) as asked:
        indices, indptr = asked["indices"], asked["indptr"]
        places, groups = asked["shape"].tolist()
        weight, posts, time_limit_s = asked["weight"], int(asked["posts"]), float(asked["time_limit_s"])
    cover = csr_array((np.ones(len(indices)), indices, indptr), shape=(places, groups))
    found = solve(cover, weight, posts, time_limit_s)
    answer = {"chosen": found.chosen, "bound_m": found.bound_m, "proven": found.proven}
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main()
