"""The separable reading: every real wire enclosed on sets of words by sums over their positions.

What reads one position is worked out for each letter by the float reading, once; what reads several
is enclosed on each batch of regions by forms (`forms.py`), one step a wire. A choice that reads several
positions, inside the network, is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import reduce
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
    TopK,
    Weight,
    Wire,
    operands,
)
from circ.compiler.positions import SEVERAL, places
from circ.compiler.readings import arrays, balls, quotients, relaxed
from circ.compiler.readings.balls import Ball
from circ.compiler.readings.contractions import contracted
from circ.compiler.readings.decisions import Discrete
from circ.compiler.readings.enclosed import Enclosed, NotEnclosed, Recipe, Single
from circ.compiler.readings.floats import Values, prepare, read
from circ.compiler.readings.forms import Form, Sets, interval, rearranged_forms, settled, weighted
from circ.compiler.readings.quotients import Ratio, Sums
from circ.compiler.readings.relaxed import Losses
from circ.compiler.readings.roundoff import DOUBLE
from circ.compiler.tensor import Weights

CHOICE = "a choice inside the network reads several positions"

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
    inner = sorted(edge)
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
        or isinstance(op, TopK)
        or circuit.types[wire].sort != Real()
    )
    if choice:
        raise NotEnclosed(CHOICE)


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
            return quotients.added(factors, parts, found.sets, lambda x: Sums(found.divided(x)))
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
            sides = found.form(then), found.form(otherwise)
            return Sums(selected(found.form(condition), sides, losses))
        case Input() | Const() | Weight() | Lookup() | Compare() | Not() | All() | Any():
            raise NotEnclosed(CHOICE)
        case Argmax() | TopK():
            raise NotEnclosed(CHOICE)
        case _:
            assert_never(op)


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


def selected(condition: Form, sides: tuple[Form, Form], losses: Losses) -> Form:
    """otherwise + condition·(then - otherwise), the condition being 1 or 0."""
    then, otherwise = sides
    gap = weighted([number(1), number(-1)], [then, otherwise], losses.sets)
    letters = "abcdefghij"[: len(gap.shape)]
    chosen = relaxed.multiplied(f",{letters}->{letters}", 1, condition, gap, losses)
    return weighted([number(1), number(1)], [otherwise, chosen], losses.sets)


def number(value: int) -> Ball:
    """A scalar factor."""
    return balls.constant([Fraction(value)], (), DOUBLE)
