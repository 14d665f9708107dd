"""A claim checked by going through its inputs: what float64 leaves open in whole numbers, and alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol

from circ.compiler.audit.alone import Outcome, alone
from circ.compiler.audit.bound import Asked, asked, whole_domain
from circ.compiler.audit.evaluated import Evaluator
from circ.compiler.audit.plan import Plan
from circ.compiler.audit.record import Data, a_count, only
from circ.compiler.audit.rejected import NotKnown, require
from circ.compiler.audit.vectors import OPEN, R, V, Vectors
from circ.compiler.audit.whole_vectors import WholeVectors
from circ.compiler.obligation import Obligation
from circ.compiler.tensor import Weights

MOST_INPUTS = 1 << 27
"""Gone through."""

BITS = 96
"""After the point, for many inputs at once."""

TABLE = 1 << 12
"""Combinations of letters for which a node is computed once and for all."""

CELLS = 1 << 24
"""Values of nodes in one batch."""

LARGEST_BATCH = 1 << 13


class Judge(Protocol):
    """What can be told of many inputs at once."""

    def __call__(self, numbers: Sequence[int] | range) -> tuple[int, list[int]]:
        """How many of some inputs meet the conditions, and are right; and which are left open.

        Raises `Rejected` where one that meets them is wrong, `NotKnown` where nothing can be told.
        """
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Batches(Generic[R, V]):
    """Judges inputs in one arithmetic; the tables are made for the first that are asked about."""

    claim: Asked
    evaluator: Evaluator[R, V]

    def __call__(self, numbers: Sequence[int] | range) -> tuple[int, list[int]]:
        """As `Judge` says."""
        right, left = self.judged(numbers)
        return self.evaluator.math.length(right), left

    def judged(self, numbers: Sequence[int] | range) -> tuple[V, list[int]]:
        """The inputs that meet the conditions and are right, and those that are left open."""
        math, claim = self.evaluator.math, self.claim
        self.evaluator.prepare(claim.roots)
        if isinstance(numbers, range):
            asked = math.span(numbers.start, numbers.stop)
        else:
            asked = math.column(numbers)
        met = self.evaluator.truth(asked, len(numbers), claim.conditions)
        open_ones = math.listed(math.at(asked, math.places(met, OPEN)))
        inside = math.at(asked, math.places(met, 1))
        count = math.length(inside)
        if not count:
            return inside, open_ones
        goal = self.evaluator.truth(inside, count, [claim.goal])
        wrong = math.listed(math.at(inside, math.places(goal, 0)))
        require(not wrong, f"the goal does not hold {spelled(claim.plan, wrong[:1])}")
        open_ones += math.listed(math.at(inside, math.places(goal, OPEN)))
        return math.at(inside, math.places(goal, 1)), open_ones


def batches(
    claim: Asked, weights: Weights, math: Vectors[R, V], most: int = TABLE
) -> Batches[R, V]:
    """A claim about words, to be judged in some arithmetic."""
    plan = claim.plan
    codes = {node: math.span(0, plan.sizes[axis]) for node, axis in plan.leaves.items()}
    return Batches(claim, Evaluator(plan, math, weights, {}, codes, most))


def batch_size(plan: Plan) -> int:
    """How many inputs are read at once."""
    return max(min(CELLS // max(len(plan.nodes), 1), LARGEST_BATCH), 1 << 8)


def spelled(plan: Plan, numbers: Sequence[int]) -> str:
    """An input, by its codes."""
    (number,) = numbers or (0,)
    digits = [number // plan.step(axis) % size for axis, size in enumerate(plan.sizes)]
    return f"at {digits}"


# --- one after the other --------------------------------------------------------------------------


Fast = Callable[[Asked, Weights], Judge]
"""What judges many inputs fast."""


def checked_by_inputs(
    rest: Data, obligation: Obligation, weights: Weights, fast: Fast | None
) -> int:
    """How many inputs meet the conditions of a claim that holds for all of them; raises `Rejected`."""
    require(obligation.quantifier == "forall", "that something exists is shown by a witness")
    (words,) = only(rest, "words")
    found = gone_through(asked(obligation, weights), weights, fast)
    require(found > 0, "no input meets the conditions")
    require(found == a_count(words), "it counts other inputs than there are")
    return found


def gone_through(
    claim: Asked, weights: Weights, fast: Fast | None, tick: Callable[[], None] = lambda: None
) -> int:
    """How many inputs meet the conditions; raises `Rejected` unless each of them meets the goal.

    `tick` is called now and then.
    """
    count = whole_domain(claim)
    require(count <= MOST_INPUTS, "it has too many inputs to go through")
    slow = WholeVectors(BITS)
    judges: list[Judge] = [fast(claim, weights)] if fast else []
    judges.append(batches(claim, weights, slow, 0 if fast else TABLE))
    found = 0
    for numbers in parts(count, batch_size(claim.plan)):
        tick()
        left: Sequence[int] | range = numbers
        for judge in judges:
            right, left = told(judge, left)
            found += right
        found += sum(alone(claim, weights, number) is Outcome.RIGHT for number in left)
    return found


def told(judge: Judge, numbers: Sequence[int] | range) -> tuple[int, Sequence[int] | range]:
    """What a judge says of some inputs; all are left open where it says nothing."""
    if not numbers:
        return 0, numbers
    try:
        return judge(numbers)
    except NotKnown:
        return 0, numbers


def parts(count: int, size: int) -> Iterator[range]:
    """The numbers below `count`, in batches."""
    return (range(first, min(first + size, count)) for first in range(0, count, size))
