"""Truths that are sure, or possible, in every execution: each comparison with the rounding to spare.

For a truth two others are built, over exact numbers: one that holds only where every execution finds
the truth, and one that holds wherever some execution may. For an index, a truth for each of its values:
whether some execution may find it. `straying` says how far what is compared strays, and which truths and
indices no execution changes: these stand for themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import product
from math import frexp, ldexp, prod

import numpy as np

from circ.compiler.builder import (
    Builder,
    axis_last,
    codes,
    combine,
    flat,
    reals,
    reindex,
    spread,
    stack,
)
from circ.compiler.ir import (
    All,
    Any,
    Argmax,
    Bool,
    Circuit,
    Compare,
    Const,
    Index,
    Lookup,
    Not,
    Real,
    Reindex,
    Select,
    Shape,
    Wire,
    WireType,
)
from circ.compiler.readings.balls import FloatArray
from circ.compiler.readings.straying import Strayed

MOST = 1 << 16
"""Entries of one truth that is built; beyond, what it stands for is taken to be open."""

DIGITS = 20
"""Binary digits that a bound is rounded up to, so that solvers read short numbers."""


@dataclass(frozen=True, slots=True)
class Sides:
    """A truth that implies one in every execution, and one that is implied by it in any."""

    sure: Wire
    maybe: Wire


@dataclass(slots=True)
class Strengthening:
    """Truths and indices of a circuit as every execution, or some, has them; `b` has the circuit."""

    b: Builder
    found: Strayed
    truths: dict[Wire, Sides] = field(default_factory=dict[Wire, Sides])
    indices: dict[Wire, Wire] = field(default_factory=dict[Wire, Wire])


def grown(circuit: Circuit, found: Strayed) -> Strengthening:
    """A circuit to which such truths can be added."""
    b = Builder(list(circuit.ops), list(circuit.types))
    b.known.update((op, Wire(i)) for i, op in enumerate(circuit.ops))
    return Strengthening(b, found)


def sides(s: Strengthening, wire: Wire) -> Sides:
    """The truth in every execution, and in some."""
    if wire not in s.truths:
        agreed = s.found.agrees(wire)
        s.truths[wire] = Sides(wire, wire) if agreed else sides_of(s, wire)
    return s.truths[wire]


def sides_of(s: Strengthening, wire: Wire) -> Sides:
    """The sides of a truth that rounding may change."""
    b = s.b
    match b.ops[wire]:
        case Compare() as op if b.types[op.left].sort == Real():
            return apart(s, op)
        case Compare() as op:
            return coinciding(s, op)
        case Not(operand=x):
            inner = sides(s, x)
            return Sides(b.add(Not(inner.maybe)), b.add(Not(inner.sure)))
        case All(operand=x):
            inner = sides(s, x)
            return Sides(b.add(All(inner.sure)), b.add(All(inner.maybe)))
        case Any(operand=x):
            inner = sides(s, x)
            return Sides(b.add(Any(inner.sure)), b.add(Any(inner.maybe)))
        case Reindex(operands=wires, source=source, shape=shape):
            parts = [sides(s, x) for x in wires]
            return Sides(
                reindex(b, [x.sure for x in parts], source, shape),
                reindex(b, [x.maybe for x in parts], source, shape),
            )
        case Select() as op:
            return selected(s, op)
        case Lookup() as op:
            return looked_up(s, op)
        case _:
            return open_sides(s, b.shape(wire))


def open_sides(s: Strengthening, shape: Shape) -> Sides:
    """Nothing is known of the execution."""
    return Sides(filled(s.b, False, shape), filled(s.b, True, shape))


def filled(b: Builder, value: bool, shape: Shape) -> Wire:
    """A constant truth of a shape."""
    return b.add(Const(WireType(Bool(), shape), (value,) * prod(shape)))


def both(b: Builder, *wires: Wire) -> Wire:
    """The entrywise conjunction."""
    return wires[0] if len(wires) == 1 else b.add(All(axis_last(b, stack(b, wires))))


def either(b: Builder, *wires: Wire) -> Wire:
    """The entrywise disjunction."""
    return wires[0] if len(wires) == 1 else b.add(Any(axis_last(b, stack(b, wires))))


# --- comparisons ----------------------------------------------------------------------------


def apart(s: Strengthening, op: Compare) -> Sides:
    """Sure where it holds with the errors of both sides to spare, possible with as much lent."""
    b, at = s.b, s.found.reals
    shape = b.shape(op.left)
    doubt = entries(at[op.left].err + at[op.right].err, shape)
    if all(x is None for x in doubt):
        return open_sides(s, shape)
    room = reals(b, [x or Fraction(0) for x in doubt], shape)
    finite = b.add(Const(WireType(Bool(), shape), tuple(x is not None for x in doubt)))
    nothing = b.add(Not(finite))
    left, right = op.left, op.right
    if op.op == "==":
        exact = b.add(Const(WireType(Bool(), shape), tuple(x == 0 for x in doubt)))
        below = b.add(Compare("<=", left, combine(b, (1, right), (1, room))))
        above = b.add(Compare("<=", right, combine(b, (1, left), (1, room))))
        return Sides(both(b, b.add(op), exact), either(b, both(b, below, above), nothing))
    sure = b.add(Compare(op.op, combine(b, (1, left), (1, room)), right))
    maybe = b.add(Compare(op.op, left, combine(b, (1, right), (1, room))))
    return Sides(both(b, sure, finite), either(b, maybe, nothing))


def entries(bounds: FloatArray, shape: Shape) -> list[Fraction | None]:
    """Bounds as rationals of few digits, rounded up; None where there is none."""
    wide = np.broadcast_to(bounds, (*shape, 1)).reshape(-1)
    return [short(float(x) * (1 + 2.0**-50)) if np.isfinite(x) else None for x in wide]


def short(bound: float) -> Fraction:
    """At least a bound, with few binary digits."""
    if bound == 0:
        return Fraction(0)
    fraction, exponent = frexp(bound)
    digits = int(ldexp(fraction, DIGITS)) + 1
    return Fraction(digits) * Fraction(2) ** (exponent - DIGITS)


def coinciding(s: Strengthening, op: Compare) -> Sides:
    """Equality of indices: possible where they share a value, sure where they share no other two."""
    b = s.b
    size = size_of(b, op.left)
    if prod(b.shape(op.left)) * size * size > MOST:
        return open_sides(s, b.shape(op.left))
    left, right = values(s, op.left), values(s, op.right)
    maybe = b.add(Any(both(b, left, right)))
    for mine, other, wire in ((left, right, op.right), (right, left, op.left)):
        if s.found.agrees(wire):
            elsewhere = both(b, mine, b.add(Not(other)))
            return Sides(b.add(Not(b.add(Any(elsewhere)))), maybe)
    alone = both(b, b.add(Not(others(b, left))), b.add(Not(others(b, right))))
    return Sides(b.add(Any(alone)), maybe)


def others(b: Builder, may: Wire) -> Wire:
    """For each value, whether some other one is possible."""
    *shape, size = b.shape(may)
    source = [
        flat((*place, other), (*shape, size))
        for place in product(*map(range, shape))
        for value in range(size)
        for other in range(size)
        if other != value
    ]
    return b.add(Any(reindex(b, [may], source, (*shape, size, size - 1))))


# --- indices --------------------------------------------------------------------------------


def size_of(b: Builder, wire: Wire) -> int:
    """How many values an index may have."""
    sort = b.types[wire].sort
    assert isinstance(sort, Index)
    return sort.size


def values(s: Strengthening, wire: Wire) -> Wire:
    """Along a new last axis, which values of an index some execution may find."""
    if wire not in s.indices:
        agreed = s.found.agrees(wire)
        s.indices[wire] = same_values(s.b, wire) if agreed else values_of(s, wire)
    return s.indices[wire]


def same_values(b: Builder, wire: Wire) -> Wire:
    """The one value that an index has."""
    size, shape = size_of(b, wire), b.shape(wire)
    table = tuple(i == j for i in range(size) for j in range(size))
    if len(table) <= MOST:
        return b.add(Lookup(b.add(Const(WireType(Bool(), (size, size)), table)), (wire,)))
    each = range(prod(shape) * size)
    mine = reindex(b, [wire], [k // size for k in each], (*shape, size))
    return b.add(Compare("==", mine, codes(b, [k % size for k in each], size, (*shape, size))))


def values_of(s: Strengthening, wire: Wire) -> Wire:
    """The possible values of an index that rounding may change."""
    b, size = s.b, size_of(s.b, wire)
    match b.ops[wire]:
        case Argmax(operand=x) if prod(b.shape(x)) * size <= MOST:
            return leaders(s, x)
        case Reindex(operands=wires, source=source, shape=shape):
            places = [k * size + value for k in source for value in range(size)]
            return reindex(b, [values(s, x) for x in wires], places, (*shape, size))
        case Select(condition=condition, then=then, otherwise=otherwise):
            where, arms = sides(s, condition), [values(s, then), values(s, otherwise)]
            return chosen(b, where, arms[0], arms[1])
        case Lookup() as op:
            return looked_up(s, op).maybe
        case _:
            return filled(b, True, (*b.shape(wire), size))


def leaders(s: Strengthening, scores: Wire) -> Wire:
    """Which entries may be largest in an execution: none stands above by more than both errors."""
    b = s.b
    *places, size = b.shape(scores)
    shape = (*places, size, size)
    here = [k * size + i for k in range(prod(places)) for i in range(size) for _ in range(size)]
    there = [k * size + j for k in range(prod(places)) for _ in range(size) for j in range(size)]
    err = np.broadcast_to(s.found.reals[scores].err, (*places, size, 1)).reshape(-1)
    doubt = np.where(np.array(here) == np.array(there), 0.0, err[here] + err[there])
    room = entries(doubt.reshape(*shape, 1), shape)
    own, rival = reindex(b, [scores], here, shape), reindex(b, [scores], there, shape)
    lent = reals(b, [x or Fraction(0) for x in room], shape)
    close = b.add(Compare("<=", rival, combine(b, (1, own), (1, lent))))
    loose = b.add(Const(WireType(Bool(), shape), tuple(x is None for x in room)))
    return b.add(All(either(b, close, loose) if None in room else close))


def chosen(b: Builder, where: Sides, then: Wire, otherwise: Wire) -> Wire:
    """What is possible of the branch that may be taken."""
    shape = b.shape(then)
    yes, no = spread(b, where.maybe, shape), spread(b, b.add(Not(where.sure)), shape)
    return either(b, both(b, yes, then), both(b, no, otherwise))


# --- selected and looked up -----------------------------------------------------------------


def selected(s: Strengthening, op: Select) -> Sides:
    """A truth that a truth selects."""
    b, where = s.b, sides(s, op.condition)
    then, otherwise = sides(s, op.then), sides(s, op.otherwise)
    shape = b.shape(op.then)
    never, always = b.add(Not(where.maybe)), where.sure
    sure = both(
        b,
        either(b, spread(b, never, shape), then.sure),
        either(b, spread(b, always, shape), otherwise.sure),
    )
    return Sides(sure, chosen(b, where, then.maybe, otherwise.maybe))


def looked_up(s: Strengthening, op: Lookup) -> Sides:
    """`Lookup` of a truth: what holds of every place that may be read, and of some.

    Of indices, `maybe` has their possible values along a new last axis, and `sure` says nothing.
    """
    b = s.b
    of_truths = b.types[op.table].sort == Bool()
    table = sides(s, op.table) if of_truths else Sides(values(s, op.table), values(s, op.table))
    where = [values(s, index) for index in op.indices]
    outer, counts = b.shape(op.indices[0]), [b.shape(x)[-1] for x in where]
    rest = b.shape(table.maybe)[len(counts) :]
    width = prod(counts)
    if prod(outer) * prod(rest) * width > MOST:
        return open_sides(s, (*outer, *rest))
    may = joint(b, where, outer, rest, counts)
    shape = (*outer, *rest, width)
    source = [
        k * prod(rest) + j
        for _ in range(prod(outer))
        for j in range(prod(rest))
        for k in range(width)
    ]
    sure, maybe = (reindex(b, [side], source, shape) for side in (table.sure, table.maybe))
    sure = b.add(All(either(b, b.add(Not(may)), sure)))
    return Sides(sure, b.add(Any(both(b, may, maybe))))


def joint(
    b: Builder, where: Sequence[Wire], outer: Shape, rest: Shape, counts: Sequence[int]
) -> Wire:
    """Which places of a table several indices may name together, for each entry of the result."""
    shape = (*outer, *rest, prod(counts))
    parts: list[Wire] = []
    for axis, wire in enumerate(where):
        step, count = prod(counts[axis + 1 :]), counts[axis]
        source = [
            place * count + k // step % count
            for place in range(prod(outer))
            for _ in range(prod(rest))
            for k in range(prod(counts))
        ]
        parts.append(reindex(b, [wire], source, shape))
    return both(b, *parts)
