"""A claim about several words checked by classes of words: those of one binder that the others cannot tell.

Where binders meet, a word counts only through the values of some nodes, the *edge* of its binder. Words
with the same values there are one class, and every combination of classes is gone through.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Generic

from circ.compiler.audit.bound import Asked
from circ.compiler.audit.evaluated import Evaluator
from circ.compiler.audit.judged import TABLE, Batches, batch_size, parts
from circ.compiler.audit.plan import Denominator, Plan, Power, planned
from circ.compiler.audit.rejected import NotKnown, require, within
from circ.compiler.audit.vectors import OPEN, R, V, Vectors
from circ.compiler.audit.whole_vectors import FINE, WholeVectors
from circ.compiler.tensor import Weights

MOST_CLASSES = 1 << 20
"""Of the words of one binder."""

MOST_COMBINATIONS = 1 << 24
"""Of classes."""


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """A claim by binders: the conditions and the edge of each; what is left is about their classes."""

    claim: Asked
    own: Mapping[str, tuple[int, ...]]
    edges: Mapping[str, tuple[int, ...]]
    joint: tuple[int, ...]


def cut(claim: Asked) -> Cut:
    """Where the binders of a claim meet."""
    masks = {name: sum(1 << axis for axis in axes) for name, axes in claim.binders.items()}
    own = {
        name: tuple(n for n in claim.conditions if only_reads(claim.plan.masks[n], mask))
        for name, mask in masks.items()
    }
    taken = {n for nodes in own.values() for n in nodes}
    joint = tuple(n for n in claim.conditions if n not in taken)
    edges: dict[str, list[int]] = {name: [] for name in masks}
    seen, waiting = set[int](), [*joint, claim.goal]
    while waiting:
        node = waiting.pop()
        if node in seen:
            continue
        seen.add(node)
        readers = [name for name, mask in masks.items() if claim.plan.masks[node] & mask]
        # What is known up to a share of it is no number of its own.
        powers = isinstance(claim.plan.nodes[node], Power | Denominator)
        if len(readers) == 1 and not powers:
            edges[readers[0]].append(node)
        else:
            waiting.extend(claim.plan.reads[node])
    return Cut(claim, own, {name: tuple(sorted(found)) for name, found in edges.items()}, joint)


def only_reads(mask: int, some: int) -> bool:
    """Whether a node reads some axes, and all of them among these."""
    return mask != 0 and mask & ~some == 0


def plan_of(plan: Plan, axes: range) -> Plan:
    """A plan for the words of one binder."""
    leaves = {node: axis - axes.start for node, axis in plan.leaves.items() if axis in axes}
    return planned(plan.nodes, plan.real, leaves, plan.sizes[axes.start : axes.stop])


# --- the classes of one binder --------------------------------------------------------------------


@dataclass(slots=True, eq=False)
class Classes(Generic[R, V]):
    """Words of one binder by their values at its edge, and how many have each.

    `codes` has a row for each class, `columns` the numbers of the classes, some at a time.
    """

    plan: Plan
    own: tuple[int, ...]
    codes_at: tuple[int, ...]
    numbers_at: tuple[int, ...]
    ranks: dict[object, int] = field(default_factory=dict[object, int])
    counts: list[int] = field(default_factory=list[int])
    codes: list[tuple[int, ...]] = field(default_factory=list[tuple[int, ...]])
    columns: list[tuple[list[R], int]] = field(default_factory=list["tuple[list[R], int]"])

    def sort(self, evaluator: Evaluator[R, V], weights: Weights, numbers: range) -> None:
        """Put words in their classes; raises `NotKnown` for one whose values are open."""
        math = evaluator.math
        asked = math.span(numbers.start, numbers.stop)
        met = evaluator.truth(evaluator.letters(asked), len(numbers), self.own)
        left = math.listed(math.at(asked, math.places(met, OPEN)))
        inside = math.at(asked, math.places(met, 1))
        count = math.length(inside)
        if count:
            letters = evaluator.letters(inside)
            reals, codes = evaluator.values(letters, count, self.numbers_at, self.codes_at)
            rows = list(zip(*(math.listed(x) for x in codes), strict=True)) or [()] * count
            keys = list(zip(*(math.keys(x, count) for x in reals), strict=True)) or [()] * count
            words = math.listed(inside)
            fresh: list[int] = []
            for place, (row, key) in enumerate(zip(rows, keys, strict=True)):
                if OPEN in row:
                    left.append(words[place])
                elif self.counted(row, key):
                    fresh.append(place)
            at = math.column(fresh)
            self.columns.append(([math.take(x, at) for x in reals], len(fresh)))
        for number in left:
            self.looked_at(weights, number)

    def counted(self, row: tuple[int, ...], key: object) -> bool:
        """Count a word; whether it is the first of its class."""
        rank = self.ranks.setdefault((row, key), len(self.counts))
        if rank < len(self.counts):
            self.counts[rank] += 1
            return False
        require(len(self.counts) < MOST_CLASSES, "its words are of too many classes")
        self.counts.append(1)
        self.codes.append(row)
        return True

    def looked_at(self, weights: Weights, number: int) -> None:
        """Put one word in its class, in more bits; raises `NotKnown` where that is open."""
        within(not self.numbers_at, "the values of a word are too close to call")
        evaluator = letters_read(self.plan, weights, WholeVectors(FINE), 0)
        letters = evaluator.letters([number])
        (met,) = evaluator.truth(letters, 1, self.own)
        within(met != OPEN, "whether a word meets the conditions is too close to call")
        if met:
            _, codes = evaluator.values(letters, 1, (), self.codes_at)
            row = tuple(code for (code,) in codes)
            within(OPEN not in row, "what a word comes to hangs on a tie, or is too close to call")
            self.counted(row, ())


def letters_read(plan: Plan, weights: Weights, math: Vectors[R, V], most: int) -> Evaluator[R, V]:
    """A plan about words, to be read in some arithmetic."""
    codes = {node: math.span(0, plan.sizes[axis]) for node, axis in plan.leaves.items()}
    return Evaluator(plan, math, weights, {}, codes, most)


def classes_of(
    some: Cut, name: str, weights: Weights, math: Vectors[R, V], tick: Callable[[], None]
) -> Classes[R, V]:
    """The classes of the words of a binder; raises `NotKnown`."""
    plan = plan_of(some.claim.plan, some.claim.binders[name])
    edge = some.edges[name]
    found = Classes[R, V](
        plan,
        some.own[name],
        tuple(n for n in edge if not plan.real[n]),
        tuple(n for n in edge if plan.real[n]),
    )
    evaluator = letters_read(plan, weights, math, TABLE)
    evaluator.prepare((*found.own, *edge))
    for numbers in parts(plan.total, batch_size(plan, math.room)):
        tick()
        found.sort(evaluator, weights, numbers)
    return found


# --- their combinations ---------------------------------------------------------------------------


def grouped(claim: Asked, weights: Weights, math: Vectors[R, V], tick: Callable[[], None]) -> int:
    """How many combinations of words meet the conditions; raises `Rejected` unless all are right."""
    some = cut(claim)
    classes = {name: classes_of(some, name, weights, math, tick) for name in claim.binders}
    sizes = [len(one.counts) for one in classes.values()]
    if not all(sizes):
        return 0
    require(prod(sizes) <= MOST_COMBINATIONS, "its words are of too many classes")
    codes: dict[int, V] = {}
    numbers: dict[int, R] = {}
    leaves: dict[int, int] = {}
    for axis, one in enumerate(classes.values()):
        leaves |= dict.fromkeys((*one.codes_at, *one.numbers_at), axis)
        for k, node in enumerate(one.codes_at):
            codes[node] = math.column([row[k] for row in one.codes])
        for k, node in enumerate(one.numbers_at):
            numbers[node] = math.laid([(columns[k], count) for columns, count in one.columns])
    plan = planned(claim.plan.nodes, claim.plan.real, leaves, sizes)
    evaluator = Evaluator(plan, math, weights, numbers, codes, TABLE)
    judge = Batches(Asked(plan, some.joint, claim.goal, {}), evaluator)
    found = 0
    for batch in parts(plan.total, batch_size(plan, math.room)):
        tick()
        right, left = judge.judged(batch)
        if left:
            raise NotKnown("a combination of words is too close to call")
        found += stands_for(plan, [one.counts for one in classes.values()], math.listed(right))
    return found


def stands_for(plan: Plan, counts: Sequence[Sequence[int]], numbers: Sequence[int]) -> int:
    """How many combinations of words some combinations of classes have."""
    found = 0
    steps = [plan.step(axis) for axis in range(len(counts))]
    for number in numbers:
        ways = 1
        for some, step in zip(counts, steps, strict=True):
            ways *= some[number // step % len(some)]
        found += ways
    return found
