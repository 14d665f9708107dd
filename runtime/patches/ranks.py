"""Edits whose change of a matrix is of a rank at most: one factor is fixed, and the other solved for.

The changes of a rank are no convex set, so that nothing is said of how small one could be. The factor that is fixed first has the
leading singular vectors of the change of any rank; then the two take turns, as long as the change gets smaller.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from circ.compiler.patching import PatchPlan
from circ.compiler.rounding import FORMATS
from circ.compiler.tensor import Tensor
from circ.runtime.convex import Floats
from circ.runtime.patches import edits
from circ.runtime.patches.edited import as_array
from circ.runtime.patches.edits import Begun, Blocked, Late, Solution
from circ.runtime.patches.instances import Instances
from circ.runtime.patches.unknowns import Factor, Side, Unknowns

TURNS = 10
SMALLER = 1e-4
"""A turn that makes the change smaller by less of it is the last."""

DRAWS = 4
"""How many factors are drawn by chance where the leading ones leave no change."""


@dataclass(frozen=True, slots=True)
class RankOf:
    """Of the change of a matrix that may have a rank: its singular value of that number, and the next one."""

    tensor: str
    rank: int
    last: float
    next: float


Ranks = Mapping[str, int]
"""By tensor, the rank that its change may have."""


def solve(
    unknowns: Unknowns,
    ranks: Ranks,
    groups: Sequence[Instances],
    deadline: float,
    begun: Begun | None = None,
) -> Solution:
    """As `edits.solve`, where the change of some matrices has a rank at most; None where no such change was found."""
    free = edits.solve(unknowns, groups, deadline, begun)
    if not ranks or not isinstance(free, np.ndarray):
        return free
    for factors in starts(unknowns, ranks, free):
        found = in_turns(unknowns, ranks, factors, groups, deadline)
        if found is not None:
            return found
    return None


def in_turns(
    unknowns: Unknowns,
    ranks: Ranks,
    factors: Mapping[str, Factor],
    groups: Sequence[Instances],
    deadline: float,
) -> Floats | Late | None:
    """A change with these factors at first, made smaller turn by turn; None where they leave none."""
    best: Floats | None = None
    for _ in range(TURNS):
        held = replace(unknowns, factors=factors)
        found = edits.reached(held, groups, deadline)
        if isinstance(found, Blocked):
            return best
        if found is None or isinstance(found, Late):
            return found if best is None else best
        change = whole(unknowns, held, found)
        gained = best is None or np.linalg.norm(change) < np.linalg.norm(best) * (1 - SMALLER)
        best = change if gained else best
        if not gained:
            break
        turned: Side = "right" if next(iter(factors.values())).side == "left" else "left"
        factors = leading(unknowns, ranks, change, turned)
    return best


def starts(unknowns: Unknowns, ranks: Ranks, change: Floats) -> Iterator[Mapping[str, Factor]]:
    """Factors to begin with: the leading ones of a change on either side, and some by chance."""
    sides: tuple[Side, Side] = ("left", "right")
    for side in sides:
        yield leading(unknowns, ranks, change, side)
    rng = np.random.default_rng(0)
    for _ in range(DRAWS):
        yield leading(unknowns, ranks, rng.normal(size=unknowns.size), "left")


def whole(unknowns: Unknowns, held: Unknowns, found: Floats) -> Floats:
    """A change by way of factors, as one of entries."""
    tensors = held.at(found)
    return np.concatenate(
        [
            (tensors[key] - start).reshape(-1)[unknowns.free[key]]
            for key, start in unknowns.start.items()
        ]
    )


def leading(unknowns: Unknowns, ranks: Ranks, change: Floats, side: Side) -> dict[str, Factor]:
    """The leading singular vectors, on one side, of the change of each matrix that has a rank."""
    found: dict[str, Factor] = {}
    for key, rank in ranks.items():
        matrix = change[unknowns.places[key]].reshape(unknowns.start[key].shape)
        left, _, right = np.linalg.svd(matrix, full_matrices=False)
        vectors = left[:, :rank] if side == "left" else right[:rank].T
        found[key] = Factor(side, np.ascontiguousarray(vectors))
    return found


def ranks_asked(plan: PatchPlan) -> dict[str, int]:
    """The ranks that a patch asks for."""
    return {edit.key: edit.rank for edit in plan.edits if edit.rank is not None}


def of_rank(before: Tensor, after: Tensor, rank: int) -> bool:
    """Whether the change of a matrix is of a rank at most, but for what rounding its entries to their dtype may add.

    No singular value moves by more than the length of what is added (Weyl, Math. Annalen 71, 1912).
    """
    first, then = as_array(before), as_array(after)
    values = np.linalg.svd(then - first, compute_uv=False)
    form = FORMATS[after.dtype]
    added = np.abs(then) * 2.0**-form.precision + 2.0 ** (form.lowest - form.precision)
    room = 2 * float(np.linalg.norm(added)) + 1e-9 * float(values.max(initial=0.0))
    return len(values) <= rank or bool(values[rank] <= room)


def ranks_of(ranks: Ranks, changes: Mapping[str, Floats]) -> tuple[RankOf, ...]:
    """How near to its rank each change is, by float arithmetic: it was rounded to the dtype of the file."""
    found: list[RankOf] = []
    for key, rank in ranks.items():
        values = [*np.linalg.svd(changes[key], compute_uv=False).tolist(), 0.0]
        tensor = key.partition("/")[2]
        found.append(RankOf(tensor, rank, float(values[rank - 1]), float(values[rank])))
    return tuple(found)
