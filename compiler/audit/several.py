"""Proofs about several heads and the ReLUs behind them, part by part of the words.

A part is shown some clauses by weighted sums that are positive, once a line that is below stands in
place of what a head reads, and of each ReLU (`lines.py`). What bounds a ReLU's operand is shown in the
same way, and holds on all parts of the part.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from circ.compiler.audit.clauses import Clause
from circ.compiler.audit.lines import Bounds, Exact
from circ.compiler.audit.record import DEEPEST, Data, an_object, only
from circ.compiler.audit.region import Region
from circ.compiler.audit.rejected import require
from circ.compiler.audit.steps import Step, step_of

Leaf = Callable[[Data, Region, int], None]


class Holds(Protocol):
    """Whether a step holds, as far as can be told fast, given `bounds`, its own among them."""

    def __call__(self, step: Step, bounds: Bounds, region: Region) -> bool: ...


class Splits(Protocol):
    """Checks the parts, where a proof goes through rows or letters; whether it does."""

    def __call__(self, data: Data, region: Region, depth: int, leaf: Leaf) -> bool: ...


class ByClause(Protocol):
    """Checks that a clause holds on all words of a region in some other way."""

    def __call__(self, clause: Clause, data: Data, region: Region, depth: int) -> None: ...


@dataclass(frozen=True, slots=True, eq=False)
class Several:
    """Checks the proof for one row of a class."""

    exact: Exact
    holds: Holds | None
    splits: Splits
    by_clause: ByClause

    def check(self, data: Data, region: Region, depth: int) -> None:
        """Raise `Rejected` unless every clause is shown on every word of a region of one row."""
        require(len(region.rows) == 1, "lines are about one row")
        self.part(frozenset(range(len(self.exact.formula))), {}, data, region, depth)

    def part(
        self, left: frozenset[int], bounds: Bounds, data: Data, region: Region, depth: int
    ) -> None:
        """Check that the clauses that are left hold on a part of the words."""
        require(depth < DEEPEST, "a proof has splits too deep in splits")
        if self.splits(data, region, depth, partial(self.part, left, bounds)):
            return
        if "words" in data:
            for k in sorted(left):
                self.by_clause(self.exact.formula[k], data, region, depth + 1)
            return
        listed, shown, then = only(data, "bounds", "shown", "then")
        step = step_of(listed, shown, self.exact.formula, len(self.exact.heads))
        known = {**bounds, **step.bounds}
        if self.holds is None or not self.holds(step, known, region):
            self.exact.check(step, known, region)
        left -= {proof.clause for proof in step.shown}
        if then is None:
            require(not left, "a clause is not shown on some words")
        else:
            self.part(left, known, an_object(then), region, depth + 1)
