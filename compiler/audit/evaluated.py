"""The values of nodes on many inputs at once.

A node is computed once for each combination of the letters that it reads: for all of them, where these
are few (a *table*), and for those that occur among the inputs asked about otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import prod
from typing import Generic, assert_never

from circ.compiler.audit.entries import (
    Curve,
    Given,
    Join,
    Kept,
    Leader,
    Letter,
    Linear,
    Negation,
    Order,
    Pick,
    Products,
    Rectified,
    Share,
    Stored,
)
from circ.compiler.audit.plan import Denominator, Part, Plan, Power, Ratio
from circ.compiler.audit.rejected import NotKnown, require
from circ.compiler.audit.vectors import R, V, Vectors
from circ.compiler.tensor import Weights

LARGEST_KEY = 1 << 62
"""Combinations of letters that columns can number."""


@dataclass(slots=True, eq=False)
class Space(Generic[R, V]):
    """Some inputs, by the letters at axes that are read, and what is known of each: the values of nodes.

    `firsts` says where they stand among the inputs that are asked about, `ranks` which of them each
    of those is like; None where they are the same.
    """

    letters: Mapping[int, V]
    count: int
    firsts: V | None = None
    ranks: V | None = None
    reals: dict[int, R] = field(default_factory=dict[int, R])
    codes: dict[int, V] = field(default_factory=dict[int, V])
    ways: dict[int, V] = field(default_factory=dict[int, V])

    def forget(self, place: int) -> None:
        """Drop the value of a node."""
        self.reals.pop(place, None)
        self.codes.pop(place, None)


@dataclass(frozen=True, slots=True, eq=False)
class Evaluator(Generic[R, V]):
    """Reads inputs of a plan; masks of at most `most` combinations have tables.

    `numbers` and `codes` have a column along its axis for each entry of an input. `given` are nodes
    whose codes are known.
    """

    plan: Plan
    math: Vectors[R, V]
    weights: Weights
    numbers: Mapping[int, R]
    codes: Mapping[int, V]
    most: int
    given: Mapping[int, int] = field(default_factory=dict[int, int])
    tables: dict[int, Space[R, V]] = field(default_factory=dict[int, "Space[R, V]"])
    orders: dict[tuple[int, ...], list[int]] = field(
        default_factory=dict[tuple[int, ...], "list[int]"]
    )

    def prepare(self, roots: Sequence[int]) -> None:
        """Make the tables that some nodes rest on, unless they are there; raises `NotKnown`."""
        if self.tables or not self.most:
            return
        order = [n for n in self.plan.needed(roots) if self.tabled(self.plan.masks[n])]
        kept = {*roots, *(part for n in self.untabled(roots) for part in self.plan.reads[n])}
        for node in order:
            mask = self.plan.masks[node]
            if mask not in self.tables:
                self.tables[mask] = self.table(mask)
        try:
            Filling(self, self.tables, Space({}, 0)).fill(order, kept)
        except NotKnown:
            self.tables.clear()
            raise

    def untabled(self, roots: Sequence[int]) -> list[int]:
        """What some nodes are computed from that has no table, and these, in order."""
        key = tuple(roots)
        if key not in self.orders:
            needed = self.plan.needed(roots)
            self.orders[key] = [n for n in needed if not self.tabled(self.plan.masks[n])]
        return self.orders[key]

    def tabled(self, mask: int) -> bool:
        """Whether a mask has a table."""
        return prod(self.plan.sizes[axis] for axis in self.plan.axes(mask)) <= self.most

    def table(self, mask: int) -> Space[R, V]:
        """All combinations of the letters of a mask."""
        axes = self.plan.axes(mask)
        count = step = prod(self.plan.sizes[axis] for axis in axes)
        places = self.math.span(0, count)
        letters: dict[int, V] = {}
        for axis in axes:
            step //= self.plan.sizes[axis]
            letters[axis] = self.math.digit(places, step, self.plan.sizes[axis])
        return Space(letters, count)

    def keys(self, letters: Mapping[int, V], count: int, mask: int) -> V:
        """Where inputs stand in the table of a mask."""
        axes = self.plan.axes(mask)
        sizes = [self.plan.sizes[axis] for axis in axes]
        steps = [prod(sizes[k + 1 :]) for k in range(len(sizes))]
        return self.math.scaled([letters[axis] for axis in axes], steps, count)

    def letters(self, numbers: V) -> dict[int, V]:
        """The letters of inputs that are given by number."""
        plan = self.plan
        return {
            axis: self.math.digit(numbers, plan.step(axis), size)
            for axis, size in enumerate(plan.sizes)
        }

    def truth(self, letters: Mapping[int, V], count: int, roots: Sequence[int]) -> V:
        """Whether some nodes hold, all of them, on each of so many inputs; the tables are there."""
        filling, whole = self.filled(letters, count, roots)
        if not roots:
            return self.math.wide(self.math.code(1), count)
        found = [filling.code(root, whole) for root in roots]
        return self.math.wide(self.math.joined("all", found), count)

    def values(
        self, letters: Mapping[int, V], count: int, reals: Sequence[int], codes: Sequence[int]
    ) -> tuple[list[R], list[V]]:
        """The values of some nodes on each of so many inputs; the tables are there."""
        filling, whole = self.filled(letters, count, (*reals, *codes))
        found = [self.math.wide(filling.code(root, whole), count) for root in codes]
        return [filling.real(root, whole) for root in reals], found

    def filled(
        self, letters: Mapping[int, V], count: int, roots: Sequence[int]
    ) -> tuple[Filling[R, V], Space[R, V]]:
        """Some nodes computed on so many inputs."""
        whole = Space[R, V](letters, count)
        filling = Filling(self, dict(self.tables), whole)
        filling.fill(self.untabled(roots), {*roots})
        return filling, whole


@dataclass(slots=True, eq=False)
class Filling(Generic[R, V]):
    """Computes nodes in order, each in the space of what it reads, out of the inputs of `whole`."""

    reader: Evaluator[R, V]
    spaces: dict[int, Space[R, V]]
    whole: Space[R, V]

    def fill(self, order: Sequence[int], kept: set[int]) -> None:
        """Compute nodes, those before them known; what none of them reads again is dropped."""
        plan = self.reader.plan
        last = {part: node for node in order for part in plan.reads[node]}
        holding: dict[int, list[Space[R, V]]] = {}
        for node in order:
            space = self.home(plan.masks[node])
            parts = plan.reads[node]
            for part in parts:
                holding.setdefault(part, []).append(space)
            if plan.real[node]:
                space.reals[node] = self.real_value(node, space)
            else:
                space.codes[node] = self.code_value(node, space)
            for part in parts:
                if last.get(part) == node:
                    self.drop(part, holding.pop(part, []), part in kept)

    def drop(self, part: int, holding: Sequence[Space[R, V]], keep: bool) -> None:
        """Drop the copies of a value, and the value unless it is kept."""
        home = self.home(self.reader.plan.masks[part])
        for space in holding:
            if space is not home:
                space.forget(part)
        known = self.reader.tables.get(self.reader.plan.masks[part]) is home
        if not keep and (not known or self.spaces is self.reader.tables):
            home.forget(part)

    def home(self, mask: int) -> Space[R, V]:
        """The combinations of a mask that occur."""
        if mask not in self.spaces:
            self.spaces[mask] = self.occurring(mask)
        return self.spaces[mask]

    def occurring(self, mask: int) -> Space[R, V]:
        """One input for each combination among those asked about, where combinations have numbers."""
        math, whole, axes = self.reader.math, self.whole, self.reader.plan.axes(mask)
        sizes = self.reader.plan.sizes
        if len(axes) == len(sizes) or prod(sizes[axis] for axis in axes) > LARGEST_KEY:
            return whole
        firsts, ranks = math.distinct(self.reader.keys(whole.letters, whole.count, mask))
        count = math.length(firsts)
        if count == whole.count:
            return whole
        letters = {axis: math.at(whole.letters[axis], firsts) for axis in axes}
        return Space(letters, count, firsts, ranks)

    def way(self, space: Space[R, V], mask: int, home: Space[R, V]) -> V:
        """Where the inputs of a space stand in another, which is about fewer letters."""
        if mask not in space.ways:
            if self.reader.tables.get(mask) is home:
                space.ways[mask] = self.reader.keys(space.letters, space.count, mask)
            else:
                assert home.ranks is not None, "it is not all that is asked about"
                ranks = home.ranks
                space.ways[mask] = (
                    ranks if space.firsts is None else self.reader.math.at(ranks, space.firsts)
                )
        return space.ways[mask]

    # --- values ---------------------------------------------------------------------------------

    def real(self, part: int, space: Space[R, V]) -> R:
        """A number, for the inputs of a space."""
        if part not in space.reals:
            mask = self.reader.plan.masks[part]
            home = self.home(mask)
            found = home.reals[part]
            if not mask or home is space:
                return found
            space.reals[part] = self.reader.math.take(found, self.way(space, mask, home))
        return space.reals[part]

    def code(self, part: int, space: Space[R, V]) -> V:
        """A code, for the inputs of a space."""
        if part not in space.codes:
            mask = self.reader.plan.masks[part]
            home = self.home(mask)
            found = home.codes[part]
            if not mask or home is space:
                return found
            space.codes[part] = self.reader.math.spread(found, self.way(space, mask, home))
        return space.codes[part]

    def letter(self, node: int, space: Space[R, V]) -> V:
        """The letters at the axis of an entry of the input."""
        return space.letters[self.reader.plan.leaves[node]]

    def real_value(self, node: int, space: Space[R, V]) -> R:
        """A number computed."""
        math = self.reader.math
        if node in self.reader.numbers:
            return math.take(self.reader.numbers[node], self.letter(node, space))

        def real(part: int) -> R:
            return self.real(part, space)

        return number_of(
            self.reader.plan.nodes[node], math, self.reader.weights, real,
            lambda part: self.code(part, space),
        )  # fmt: skip

    def code_value(self, node: int, space: Space[R, V]) -> V:
        """A code computed."""
        math = self.reader.math
        if node in self.reader.given:
            return math.code(self.reader.given[node])
        if node in self.reader.codes:
            return math.spread(self.reader.codes[node], self.letter(node, space))
        return code_of(
            self.reader.plan, node, math, lambda part: self.real(part, space),
            lambda part: self.code(part, space),
        )  # fmt: skip


def number_of(
    node: Part,
    math: Vectors[R, V],
    weights: Weights,
    real: Callable[[int], R],
    code: Callable[[int], V],
) -> R:
    """What a number comes to."""
    match node:
        case Given(value=value):
            return math.number(Fraction(value))
        case Stored(key=key, place=place):
            return math.number(Fraction(weights[key].values[place]))
        case Linear(terms=terms):
            return math.combined([(c, real(part)) for c, part in terms])
        case Products(pairs=pairs):
            return math.dot([(real(x), real(y)) for x, y in pairs])
        case Join(name=name, parts=parts):
            require(name == "max", "a number is no largest")
            return math.largest([real(part) for part in parts])
        case Pick(indices=indices, sides=sides, parts=parts):
            chosen = math.place([code(index) for index in indices], sides)
            return math.picked(chosen, [real(part) for part in parts])
        case Rectified(part=part):
            return math.largest([real(part), math.number(Fraction(0))])
        case Curve(name=name, part=part):
            return math.curve(name, real(part))
        case Power(part=part):
            return math.power(real(part))
        case Denominator(row=row):
            return math.total([real(part) for part in row])
        case Ratio(part=part, whole=whole):
            return math.ratio(real(part), real(whole))
        case Letter() | Negation() | Order() | Share() | Leader() | Kept():
            raise AssertionError(f"not a number: {node}")
        case _:
            assert_never(node)


def code_of(
    plan: Plan,
    node: int,
    math: Vectors[R, V],
    real: Callable[[int], R],
    code: Callable[[int], V],
) -> V:
    """What an index or a truth comes to."""
    match plan.nodes[node]:
        case Given(value=value):
            return math.code(int(value))
        case Join(name=name, parts=parts):
            return math.joined(name, [code(part) for part in parts])
        case Negation(part=part):
            return math.negated(code(part))
        case Order(name=name, left=left, right=right):
            if not plan.real[left]:
                return math.ordered(name, code(left), code(right))
            if name == "==":
                return math.equal(real(left), real(right))
            return math.below(real(left), real(right), strict=name == "<")
        case Pick(indices=indices, sides=sides, parts=parts):
            place = math.place([code(index) for index in indices], sides)
            return math.chosen(place, [code(part) for part in parts])
        case Leader(row=row):
            return math.leader([real(part) for part in row])
        case _ as other:
            raise AssertionError(f"not a code: {other}")
