"""The smallest change under linear constraints: the one door to the convex solvers, DAQP and HiGHS.

They are not trusted: what they return is rounded, written into the weights and proved.
"""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

import daqp  # type: ignore[import-untyped, import-not-found, unused-ignore]
import numpy as np
from numpy.typing import NDArray

from circ.compiler.patching import Norm

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

SOLVED = 1

FEASIBLE = 1e-8
"""By how much a solver may miss a constraint: clearly less than the least slack that an edit is searched with."""

CLEAR = 1e-9
"""By how much rows of length one must miss what is asked of them, at the least, to contradict each other."""


@dataclass(frozen=True, slots=True, eq=False)
class Least:
    """A solution, and the multiplier of each constraint, by which no smaller one is possible."""

    x: Floats
    multipliers: Floats


def least_change(rows: Floats, at_least: Floats, norm: Norm = "l2") -> Floats | None:
    """The x of least norm with `rows @ x >= at_least`; None when there is none, or none is found.

    rows: [constraints, unknowns], at_least: [constraints]. Of several that are equally small under l1 or linf, any.
    """
    found = least(rows, at_least, norm)
    return None if found is None else found.x


def least(
    rows: Floats, at_least: Floats, norm: Norm = "l2", near: Floats | None = None
) -> Least | None:
    """The same with multipliers. Rows are scaled to length one first.

    `near`: multipliers with which a problem with some of these rows was solved, from which l2 starts.
    """
    length = np.linalg.norm(rows, axis=1)
    if np.any((length == 0) & (at_least > 0)):
        return None  # nothing that may change moves it
    used = np.flatnonzero(length)
    scaled = np.ascontiguousarray(rows[used] / length[used, None])
    start = np.zeros(len(used)) if near is None else near[used] * length[used]
    found = solved(scaled, at_least[used] / length[used], norm, start)
    if found is None:
        return None
    multipliers = np.zeros(len(rows))
    multipliers[used] = np.maximum(found.multipliers, 0) / length[used]
    return Least(found.x, multipliers)


def contradiction(rows: Floats, at_least: Floats, seconds: float) -> Floats | None:
    """Multipliers with which `rows` add up to 0 and `at_least` to more, so that no x has `rows @ x >= at_least`; None where none
    are found in so many seconds.

    They are a corner of those for rows of length one: no row that has one can be left out (Gleeson and Ryan, ORSA J. Computing 2, 1990).
    """
    length = np.linalg.norm(rows, axis=1)
    length[length == 0] = 1.0
    scaled, low = rows / length[:, None], at_least / length
    if len(rows) < rows.shape[1]:
        scaled = np.asarray(
            np.linalg.qr(scaled.T, mode="r"), np.float64
        ).T  # coordinates in the span of the rows
    missing = np.hstack([scaled, np.ones((len(rows), 1))])
    cost = np.append(np.zeros(scaled.shape[1]), 1.0)
    found = linear_program(cost, missing, low, lowest=-np.inf, seconds=seconds)
    if found is None or found.x[-1] <= CLEAR:
        return None
    factors: Floats = np.where(found.multipliers > CLEAR, found.multipliers, 0.0) / length
    return factors


def solved(scaled: Floats, low: Floats, norm: Norm, near: Floats) -> Least | None:
    """The same for rows of length one, by the solver for the norm."""
    match norm:
        case "l2":
            return shortest(scaled, low, near)
        case "l1":
            return sparsest(scaled, low)
        case "linf":
            return flattest(scaled, low)
        case _:
            assert_never(norm)


def shortest(rows: Floats, low: Floats, near: Floats) -> Least | None:
    """Under l2: Goldfarb and Idnani's dual active-set method (Math. Programming 27, 1983) as DAQP has it.

    The least x is the combination of rows that the multipliers say, so that it is sought in coordinates of what these span.
    """
    if len(rows) < rows.shape[1]:
        triangle: Floats = np.asarray(np.linalg.qr(rows.T, mode="r"), np.float64)
        found = shortest(np.ascontiguousarray(triangle.T), low, near)
        return None if found is None else Least(rows.T @ found.multipliers, found.multipliers)
    unknowns = rows.shape[1]
    high = np.full(len(low), 1e30)
    sense = np.zeros(len(low), dtype=np.int32)
    given = np.eye(unknowns), np.zeros(unknowns), rows, high, low, sense
    for start in ({"dual_start": -near}, {}) if near.any() else ({},):
        x, _, flag, told = daqp.solve(*given, primal_tol=FEASIBLE, **start)
        if flag == SOLVED:
            return Least(np.asarray(x, dtype=np.float64), -np.asarray(told["lam"], np.float64))
    return None


def sparsest(rows: Floats, low: Floats) -> Least | None:
    """Under l1: x is the difference of two vectors without negative entries, whose sum is made small."""
    unknowns = rows.shape[1]
    cost = np.full(2 * unknowns, 1.0, dtype=np.float64)
    found = linear_program(cost, np.hstack([rows, -rows]), low, lowest=0.0)
    return (
        None if found is None else Least(found.x[:unknowns] - found.x[unknowns:], found.multipliers)
    )


def flattest(rows: Floats, low: Floats) -> Least | None:
    """Under linf: `-t <= x <= t` for the least t."""
    unknowns = rows.shape[1]
    one, eye = np.ones((unknowns, 1)), np.eye(unknowns)
    within = np.vstack([np.hstack([eye, one]), np.hstack([-eye, one])])
    wanted = np.hstack([rows, np.zeros((len(rows), 1))])
    cost = np.append(np.zeros(unknowns), 1.0)
    bounds = np.concatenate([low, np.zeros(2 * unknowns)])
    found = linear_program(cost, np.vstack([wanted, within]), bounds, lowest=-np.inf, inner=True)
    return None if found is None else Least(found.x[:unknowns], found.multipliers[: len(rows)])


def linear_program(
    cost: Floats,
    rows: Floats,
    low: Floats,
    lowest: float,
    *,
    inner: bool = False,
    seconds: float = np.inf,
) -> Least | None:
    """The x of least `cost @ x` with `rows @ x >= low` and entries of at least `lowest`, by HiGHS.

    At a corner, by the simplex method, or by the inner-point method, where so many bounds are met that corners take long.
    """
    import highspy  # type: ignore[import-untyped, import-not-found, unused-ignore]

    solver, inf = highspy.Highs(), highspy.kHighsInf
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("threads", 1)
    solver.setOptionValue("primal_feasibility_tolerance", FEASIBLE)
    solver.setOptionValue("time_limit", max(seconds, 0.0))
    if inner:
        solver.setOptionValue("solver", "ipm")
        solver.setOptionValue("run_crossover", "off")
    count = len(cost)
    least = np.full(count, lowest if np.isfinite(lowest) else -inf)
    solver.addVars(count, least, np.full(count, inf))
    solver.changeColsCost(count, np.arange(count, dtype=np.int32), cost)
    used = rows != 0
    starts = np.concatenate([[0], np.cumsum(used.sum(axis=1))[:-1]]).astype(np.int32)
    columns = np.nonzero(used)[1].astype(np.int32)
    bounds = np.clip(low, -inf, inf)
    solver.addRows(
        len(rows), bounds, np.full(len(rows), inf), len(columns), starts, columns, rows[used]
    )
    solver.run()
    if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return None
    found = solver.getSolution()
    x, duals = (np.array(part, dtype=np.float64) for part in (found.col_value, found.row_dual))
    return Least(x, duals)
