"""A claim checked by going through its inputs: what float64 leaves open in whole numbers, and alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Protocol

from circ.compiler.audit.alone import Outcome, alone
from circ.compiler.audit.bound import Asked, asked, whole_domain
from circ.compiler.audit.groups import grouped, letters_read
from circ.compiler.audit.judged import TABLE, Batches, Judge, JudgesWords, batch_size, parts
from circ.compiler.audit.record import Data, a_count, only
from circ.compiler.audit.rejected import NotKnown, require
from circ.compiler.audit.vectors import R, V, Vectors
from circ.compiler.audit.whole_vectors import COARSE, FINE, WholeVectors
from circ.compiler.obligation import Obligation
from circ.compiler.tensor import Weights

MOST_INPUTS = 1 << 27
"""Gone through; of one binder, where there are several."""

FEW = 1 << 16
"""Inputs of several binders that are gone through rather than sorted."""

Tick = Callable[[], None]


class Fast(Protocol):
    """The same in a faster arithmetic, which has room for so many numbers."""

    @property
    def room(self) -> int:
        """For how many."""
        ...

    def judge(self, claim: Asked, weights: Weights) -> Judge:
        """What judges many inputs."""
        ...

    def words(self, claim: Asked, weights: Weights) -> JudgesWords:
        """What judges many words."""
        ...

    def grouped(self, claim: Asked, weights: Weights, tick: Tick) -> int:
        """How many inputs of several binders meet the conditions; raises `Rejected`."""
        ...


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
    claim: Asked, weights: Weights, fast: Fast | None, tick: Tick = lambda: None
) -> int:
    """How many inputs meet the conditions; raises `Rejected` unless each of them meets the goal.

    `tick` is called now and then.
    """
    count = whole_domain(claim)
    if len(claim.binders) > 1 and count > FEW:
        return by_classes(claim, weights, fast, tick)
    require(count <= MOST_INPUTS, "it has too many inputs to go through")
    return one_by_one(claim, count, weights, fast, tick)


def one_by_one(claim: Asked, count: int, weights: Weights, fast: Fast | None, tick: Tick) -> int:
    """As `gone_through`, input by input."""
    judges: list[Judge] = [fast.judge(claim, weights)] if fast else []
    slow = WholeVectors(COARSE)
    judges.append(judge_of(claim, weights, slow, 0 if fast else TABLE))
    size = batch_size(claim.plan, fast.room if fast else slow.room)
    found = 0
    for numbers in parts(count, size):
        tick()
        left: Sequence[int] | range = numbers
        for judge in judges:
            right, left = told(judge, left)
            found += right
        for number in left:
            tick()
            found += alone(claim, weights, number) is Outcome.RIGHT
    return found


def judge_of(
    claim: Asked, weights: Weights, math: Vectors[R, V], most: int = TABLE
) -> Batches[R, V]:
    """A claim about words, to be judged in some arithmetic."""
    return Batches(claim, letters_read(claim.plan, weights, math, most))


def told(judge: Judge, numbers: Sequence[int] | range) -> tuple[int, Sequence[int] | range]:
    """What a judge says of some inputs; all are left open where it says nothing."""
    if not numbers:
        return 0, numbers
    try:
        return judge(numbers)
    except NotKnown:
        return 0, numbers


def by_classes(claim: Asked, weights: Weights, fast: Fast | None, tick: Tick) -> int:
    """As `gone_through`, by the classes of the words of each binder."""
    sides = [claim.plan.sizes[axes.start : axes.stop] for axes in claim.binders.values()]
    require(all(prod(some) <= MOST_INPUTS for some in sides), "it has too many words to go through")
    if fast:
        try:
            return fast.grouped(claim, weights, tick)
        except NotKnown:
            pass
    try:
        return grouped(claim, weights, WholeVectors(COARSE), tick)
    except NotKnown:
        return grouped(claim, weights, WholeVectors(FINE), tick)
