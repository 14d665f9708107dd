"""The separable reading: every real wire enclosed on sets of words by sums over their positions.

What reads one position is worked out for each letter by the float reading, once; what reads several
is enclosed on each batch of regions by forms (`forms.py`), one step a wire. A choice that reads several
positions, inside the network, is refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import reduce
from math import inf
from typing import assert_never

import numpy as np

from circ.compiler.ir import (
    All,
    Any,
    Argmax,
    Circuit,
    Compare,
    Const,
    Contract,
    Index,
    Input,
    Lookup,
    Max,
    Not,
    Op,
    Real,
    Reindex,
    Relu,
    Select,
    Smooth,
    Softmax,
    Sum,
    Weight,
    Wire,
    operands,
)
from circ.compiler.positions import NOWHERE, SEVERAL, places
from circ.compiler.readings import arrays, balls, quotients, relaxed
from circ.compiler.readings.arrays import IntArray
from circ.compiler.readings.balls import Ball
from circ.compiler.readings.decisions import Discrete
from circ.compiler.readings.floats import Values, prepare, read, summands
from circ.compiler.readings.forms import (
    Edges,
    Form,
    Sets,
    constant,
    contracted_edges,
    contraction,
    flipped,
    interval,
    planted,
    rearranged_forms,
    settled,
    weighted,
)
from circ.compiler.readings.quotients import ABSENT, MIXED, Ratio, Sums
from circ.compiler.readings.relaxed import Losses
from circ.compiler.readings.roundoff import DOUBLE
from circ.compiler.rewrite import live
from circ.compiler.tensor import Weights


class NotEnclosed(Exception):
    """A wire has no separable form; the message says why."""


@dataclass(frozen=True, slots=True, eq=False)
class Single:
    """A wire whose entries read one position each: values by letter, and which position."""

    ball: Ball
    places: IntArray

    @property
    def known(self) -> bool:
        """Whether it is the same on all words."""
        return bool((self.places == NOWHERE).all()) and self.ball.mid.shape[-1] == 1


@dataclass(frozen=True, slots=True, eq=False)
class Recipe:
    """A circuit made ready: the wires that read one position, and those to be enclosed, in order."""

    circuit: Circuit
    singles: Mapping[Wire, Single]
    order: tuple[Wire, ...]
    wanted: tuple[Wire, ...]


@dataclass(slots=True)
class Enclosed:
    """The wires of some regions, as far as they are enclosed."""

    recipe: Recipe
    losses: Losses
    sums: dict[Wire, Sums] = field(default_factory=dict[Wire, Sums])
    below: dict[Wire, Form] = field(default_factory=dict[Wire, Form])

    @property
    def sets(self) -> Sets:
        """The regions."""
        return self.losses.sets

    def known(self, wire: Wire) -> Ball | None:
        """The value of a wire that is the same on all words."""
        single = self.recipe.singles.get(wire)
        return single.ball if single is not None and single.known else None

    def of(self, wire: Wire) -> Sums:
        """A wire enclosed."""
        if wire not in self.sums:
            single = self.recipe.singles[wire]
            if single.known:
                self.sums[wire] = Sums(constant(single.ball, self.sets))
            else:
                at = np.maximum(single.places, 0)
                self.sums[wire] = Sums(planted(single.ball, at, self.sets))
        return self.sums[wire]

    def form(self, wire: Wire) -> Form:
        """A wire as one form, every quotient divided out."""
        return self.divided(self.of(wire))

    def divided(self, x: Sums) -> Form:
        """The same of any sums."""
        return quotients.divided(x, self.below, self.losses)


# --- reading --------------------------------------------------------------------------------


def recipe(circuit: Circuit, weights: Weights, wanted: Sequence[Wire], word: Wire) -> Recipe:
    """How to enclose some real wires; raises `NotEnclosed` where a choice is in the way."""
    at = places(circuit, wanted, word)
    several = [wire for wire in sorted(at) if (at[wire] == SEVERAL).any()]
    wide = set(several)
    for wire in several:
        refuse(circuit, wire, wide)
    edge = {x for wire in several for x in operands(circuit.ops[wire]) if x not in wide}
    edge |= {wire for wire in wanted if wire not in wide}
    sort = circuit.types[word].sort
    assert isinstance(sort, Index)
    length = circuit.types[word].entries
    letters = np.tile(np.arange(sort.size), (length, 1)).reshape(*circuit.types[word].shape, -1)
    inner = sorted(edge & live(circuit, [*edge]))
    found = read(
        prepare(circuit, weights, inner, DOUBLE, [word]), Values({}, {word: Discrete(letters)})
    )
    singles = {wire: Single(ball_of(found, wire), at[wire]) for wire in inner}
    return Recipe(circuit, singles, tuple(several), tuple(wanted))


def ball_of(found: Values, wire: Wire) -> Ball:
    """The values of a wire; 1 and 0 for truths, and indices as numbers."""
    if wire in found.reals:
        return found.reals[wire]
    known = found.discrete[wire]
    if known.slack is not None and (known.slack == 0).any():
        raise NotEnclosed("a comparison that it rests on is too close to call")
    return balls.known(known.values.astype(np.float64), DOUBLE)


def refuse(circuit: Circuit, wire: Wire, wide: set[Wire]) -> None:
    """Raise `NotEnclosed` for what has no separable form."""
    op = circuit.ops[wire]
    choice = (
        (isinstance(op, Select) and op.condition in wide)
        or (isinstance(op, Lookup) and (op.table in wide or not wide.isdisjoint(op.indices)))
        or circuit.types[wire].sort != Real()
    )
    if choice:
        raise NotEnclosed("a choice inside the network reads several positions")


def enclose(plan: Recipe, sets: Sets) -> Enclosed:
    """The wires wanted, on each of these regions."""
    found = Enclosed(plan, Losses(sets))
    last = {x: wire for wire in plan.order for x in operands(plan.circuit.ops[wire])}
    with np.errstate(all="ignore"):
        for wire in plan.order:
            op = plan.circuit.ops[wire]
            found.sums[wire] = enclosure(wire, op, found)
            for x in operands(op):
                if last[x] == wire and x not in plan.wanted:
                    found.sums.pop(x, None)
    return found


# --- ops ------------------------------------------------------------------------------------


def enclosure(wire: Wire, op: Op, found: Enclosed) -> Sums:
    """What one op makes of its operands; it reads several positions."""
    types, losses = found.recipe.circuit.types, found.losses
    match op:
        case Reindex(operands=wires, source=source, shape=shape):
            plan = arrays.moves(source, [types[x].entries for x in wires], shape)
            return quotients.rearranged_sums(plan, [found.of(x) for x in wires], found.sets)
        case Sum(terms=terms):
            factors = [balls.constant([Fraction(c)], (), DOUBLE) for c, _ in terms]
            parts = [found.of(x) for _, x in terms]
            return quotients.added(
                factors, parts, found.sets, lambda x: Sums(found.divided(x))
            )
        case Contract():
            return contracted(op, found)
        case Relu(operand=x):
            return Sums(relaxed.relu(found.form(x), losses))
        case Max(operand=x):
            return Sums(largest(found.form(x), losses))
        case Smooth(function=function, operand=x):
            return Sums(relaxed.smooth(function, found.form(x), losses))
        case Softmax(operand=x):
            return softmax(wire, found.form(x), found)
        case Select(condition=condition, then=then, otherwise=otherwise):
            return Sums(selected(*(found.form(x) for x in (condition, then, otherwise)), losses))
        case Input() | Const() | Weight() | Lookup() | Compare() | Not() | All() | Any() | Argmax():
            raise NotEnclosed("a choice inside the network reads several positions")
        case _:
            assert_never(op)


def contracted(op: Contract, found: Enclosed) -> Sums:
    """`Contract`: of what is known with sums, part by part, or of two forms."""
    types = found.recipe.circuit.types
    terms = summands(op.spec, types[op.left].shape)
    for known, other, spec in (
        (op.left, op.right, op.spec),
        (op.right, op.left, flipped(op.spec)),
    ):
        weight = found.known(known)
        if weight is not None:
            return weighed(spec, terms, weight, found.of(other), found)
    left, right = found.of(op.left), found.of(op.right)
    if op.left == op.right and len(set(op.spec.split("->")[0].split(","))) == 1:
        x = found.divided(left)
        return Sums(relaxed.squared(op.spec, terms, x, found.losses))
    if left.over and not right.over:
        return multiplied(flipped(op.spec), terms, found.divided(right), left, found)
    return multiplied(op.spec, terms, found.divided(left), right, found)


def weighed(spec: str, terms: int, weight: Ball, x: Sums, found: Enclosed) -> Sums:
    """The product of what is the same on every word, on the left, with each part of sums."""
    x, times = apart(x, spec, found), contraction(spec, terms, found.sets)
    shape = weight.mid.shape[:-1]

    def ratio(part: Ratio) -> Ratio:
        top, row = times(weight, part.top), moved_rows(spec, shape, part)
        if part.hull is not None and (part.part < ABSENT).any():
            hull = contracted_edges(spec, terms, weight, part.hull)
        else:
            edges = weight.mid - balls.radius(weight), weight.mid + balls.radius(weight)
            hull = averaged(spec, edges, part)
        return Ratio(top, row, np.full_like(row, MIXED), hull, part.side)

    return quotients.mapped(x, lambda part: times(weight, part), ratio)


def multiplied(spec: str, terms: int, form: Form, x: Sums, found: Enclosed) -> Sums:
    """The product of a form, on the left, with each part of sums."""
    x = apart(x, spec, found)

    def times(part: Form) -> Form:
        return relaxed.multiplied(spec, terms, form, part, found.losses)

    def ratio(part: Ratio) -> Ratio:
        row = moved_rows(spec, form.shape, part)
        hull = averaged(spec, interval(form, found.sets), part)
        return Ratio(times(part.top), row, np.full_like(row, MIXED), hull, part.side)

    return quotients.mapped(x, times, ratio)


def averaged(spec: str, edges: Edges, ratio: Ratio) -> Edges | None:
    """Bounds on what a softmax reads of values with these bounds: an average, or part of one.

    The entries that are added up are different entries of the softmax, and zeros.
    """
    inputs, output = spec.split("->")
    values, shares = inputs.split(",")
    summed = [letter for letter in shares if letter not in output]
    if len(summed) != 1 or (ratio.part < ABSENT).any():
        return None
    parts = np.moveaxis(ratio.part, shares.index(summed[0]), -1)
    ordered = np.sort(parts, axis=-1)
    if ((ordered[..., 1:] == ordered[..., :-1]) & (ordered[..., 1:] != ABSENT)).any():
        return None
    letters = output + summed[0]
    present = arrays.placed((ratio.part != ABSENT)[..., None], shares, letters)
    low, high = (arrays.placed(edge, values, letters) for edge in edges)
    least, most = np.where(present, low, inf).min(-2), np.where(present, high, -inf).max(-2)
    sides = dict(zip(shares, ratio.part.shape, strict=True))
    whole = present.all() and sides[summed[0]] == ratio.side  # then the shares add up to 1
    return (least, most) if whole else (np.minimum(least, 0), np.maximum(most, 0))


def apart(x: Sums, spec: str, found: Enclosed) -> Sums:
    """Sums divided out where the contraction adds up entries over unlike denominators.

    They are the second operand.
    """
    inputs, output = spec.split("->")
    letters = inputs.split(",")[1]
    summed = tuple(axis for axis, letter in enumerate(letters) if letter not in output)
    alike = all(
        (largest_row(ratio, summed) <= least_row(ratio, summed)).all() for ratio in x.over.values()
    )
    return x if alike else Sums(found.divided(x))


MOST_ROWS = 1 << 40
"""More rows than a softmax has."""


def largest_row(ratio: Ratio, axes: tuple[int, ...]) -> IntArray:
    """The last denominator that entries along these axes are over; what is zero may be over any."""
    return np.asarray(np.where(ratio.part == ABSENT, 0, ratio.row).max(axes, initial=0))


def least_row(ratio: Ratio, axes: tuple[int, ...]) -> IntArray:
    """The first one."""
    rows = np.where(ratio.part == ABSENT, MOST_ROWS, ratio.row)
    return np.asarray(rows.min(axes, initial=MOST_ROWS))


def moved_rows(spec: str, left: Sequence[int], ratio: Ratio) -> IntArray:
    """Which denominator each entry of a contraction is over: that of the second operand's entries."""
    inputs, output = spec.split("->")
    first, letters = inputs.split(",")
    sides = dict(zip(first, left, strict=True)) | dict(zip(letters, ratio.row.shape, strict=True))
    summed = tuple(axis for axis, letter in enumerate(letters) if letter not in output)
    lone = largest_row(ratio, summed)
    rest = "".join(letter for letter in letters if letter in output)
    placed = arrays.placed(lone[..., None], rest, output)[..., 0]
    return np.broadcast_to(placed, tuple(sides[letter] for letter in output)).copy()


def softmax(wire: Wire, x: Form, found: Enclosed) -> Sums:
    """Exponentials over their sum, each row of scores shifted so that its largest is about 0."""
    sets, side = found.sets, x.shape[-1]
    _, high = interval(x, sets)
    top = high.max(-2, keepdims=True)
    shift = np.where(np.isfinite(top), top, 0.0)
    coef = x.coef.copy()
    coef[..., 0, :] -= shift
    rad = x.rad + DOUBLE.unit * 2 * (x.size + np.abs(shift))
    powers = relaxed.smooth("exp", settled(coef, rad, sets, 2), found.losses)
    rows = int(np.prod(x.shape[:-1], dtype=np.int64))
    flat = powers.coef.reshape(rows, side, *powers.coef.shape[-2:])
    low, high = interval(powers, sets)
    sums = [part.reshape(rows, side, -1) for part in (powers.rad, powers.size, low, high)]
    gamma = DOUBLE.gamma(side + 2)
    total = settled(flat.sum(1), sums[0].sum(1) + gamma * sums[1].sum(1), sets, side)
    edges = (np.maximum(sums[2], 0).sum(1) * (1 - gamma), sums[3].sum(1) * (1 + gamma))
    found.below[wire] = Form(total.coef, total.rad, total.size, edges)
    row = np.repeat(np.arange(rows), side).reshape(x.shape)
    parts = np.arange(rows * side).reshape(x.shape)
    nothing = np.zeros_like(powers.rad)
    return Sums(None, {wire: Ratio(powers, row, parts, (nothing, nothing + 1), side)})


def largest(x: Form, losses: Losses) -> Form:
    """The largest entry along the last axis: max(a, b) = b + max(0, a - b), one by one."""
    side, shape = x.shape[-1], x.shape[:-1]
    entries = np.arange(int(np.prod(x.shape, dtype=np.int64))).reshape(-1, side)

    def column(k: int) -> Form:
        plan = arrays.moves(entries[:, k].tolist(), [entries.size], shape)
        return rearranged_forms(plan, [x])

    def larger(a: Form, b: Form) -> Form:
        gap = weighted([number(1), number(-1)], [a, b], losses.sets)
        return weighted([number(1), number(1)], [b, relaxed.relu(gap, losses)], losses.sets)

    return reduce(larger, map(column, range(side)))


def selected(condition: Form, then: Form, otherwise: Form, losses: Losses) -> Form:
    """otherwise + condition·(then - otherwise), the condition being 1 or 0."""
    gap = weighted([number(1), number(-1)], [then, otherwise], losses.sets)
    letters = "abcdefghij"[: len(gap.shape)]
    chosen = relaxed.multiplied(f",{letters}->{letters}", 1, condition, gap, losses)
    return weighted([number(1), number(1)], [otherwise, chosen], losses.sets)


def number(value: int) -> Ball:
    """A scalar factor."""
    return balls.constant([Fraction(value)], (), DOUBLE)
