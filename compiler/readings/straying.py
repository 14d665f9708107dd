"""The straying reading: how far an execution is from the exact circuit, on a whole domain.

Real inputs range over a box, and the execution's inputs are numbers of its format within it; indices
range over all members. `straying` reads every wire once: enclosures of the exact values, bounds on
what rounding does to them (`strays.py`), and what truths and indices it may change (`options.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import assert_never

import numpy as np

from circ.compiler.ir import (
    All,
    Any,
    Argmax,
    Bool,
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
    Sort,
    Sum,
    TopK,
    Weight,
    Wire,
)
from circ.compiler.obligation import Bound, Box, Reals, Words
from circ.compiler.readings import arrays, extents, options, strayed, strays
from circ.compiler.readings.balls import FloatArray
from circ.compiler.readings.executions import Execution
from circ.compiler.readings.extents import Extent
from circ.compiler.readings.floats import needed, stored, summands
from circ.compiler.readings.options import Options
from circ.compiler.readings.strays import Stray
from circ.compiler.tensor import Weights

Narrower = Mapping[Wire, tuple[FloatArray, FloatArray]]
"""Bounds on the exact values of some wires, of their shapes, that are known from elsewhere."""


@dataclass(frozen=True, slots=True)
class Strayed:
    """What each wire carries: a `Stray` if its sort is `Real`, else `Options`."""

    reals: dict[Wire, Stray] = field(default_factory=dict[Wire, Stray])
    discrete: dict[Wire, Options] = field(default_factory=dict[Wire, Options])

    def most(self, wire: Wire) -> float:
        """How far the furthest entry strays: infinite where not bounded, or decided otherwise."""
        if wire in self.reals:
            return float(self.reals[wire].err.max(initial=0.0))
        return 0.0 if self.agrees(wire) else np.inf

    def agrees(self, wire: Wire) -> bool:
        """Whether a truth or an index is the same in every execution."""
        return bool(self.discrete[wire].agree.all())


def boxes(binders: Sequence[Bound]) -> dict[str, Box]:
    """The box of each real binder."""
    return {b.name: b.values.box for b in binders if isinstance(b.values, Reals)}


def straying(
    circuit: Circuit,
    weights: Weights,
    binders: Sequence[Bound],
    model: Execution,
    wanted: Sequence[Wire],
    narrower: Narrower | None = None,
) -> Strayed:
    """The wires that those wanted depend on, for all inputs in the binders' boxes."""
    ranges, found = boxes(binders), Strayed()
    with np.errstate(all="ignore"):
        for wire in needed(circuit, wanted, frozenset()):
            if circuit.types[wire].sort == Real():
                x = real(wire, circuit, weights, ranges, model, found)
                found.reals[wire] = within(x, (narrower or {}).get(wire))
            else:
                found.discrete[wire] = chosen(wire, circuit, found)
    return found


def within(x: Stray, known: tuple[FloatArray, FloatArray] | None) -> Stray:
    """The same, its exact values within bounds that are known."""
    if known is None:
        return x
    lo, hi = (side[..., None] for side in known)
    return replace(x, extent=extents.meet(x.extent, lo, hi))


# --- reals ----------------------------------------------------------------------------------


def real(
    wire: Wire,
    circuit: Circuit,
    weights: Weights,
    ranges: Mapping[str, Box],
    model: Execution,
    found: Strayed,
) -> Stray:
    """A real wire, from those before it."""
    at, types = found.reals, circuit.types
    op = circuit.ops[wire]
    match op:
        case Input(name=name, type=known):
            lows, highs = zip(*ranges[name], strict=True) if ranges[name] else ((), ())
            return strays.given(extents.around(lows, highs, known.shape))
        case Const(type=known, values=values):
            return strays.constant([Fraction(v) for v in values], known.shape, model)
        case Weight(key=key, shape=shape):
            tensor = weights[key]
            return strays.stored(stored(tensor, shape), tensor.dtype, model)
        case Reindex(operands=wires, source=source, shape=shape):
            plan = arrays.moves(source, [types[x].entries for x in wires], shape)
            return strays.moved(plan, [at[x] for x in wires])
        case Sum(terms=terms):
            return strays.linear([c for c, _ in terms], [at[x] for _, x in terms], model)
        case Contract():
            return contract(op, circuit, model, found)
        case Relu(operand=x):
            return strays.positive_part(at[x])
        case Max(operand=x):
            return strays.maximum(at[x])
        case Smooth(function=function, operand=x):
            return strayed.smooth(function, at[x], model)
        case Softmax(operand=x):
            return strayed.softmax(at[x], model)
        case TopK(count=count, operand=x):
            return strays.kept(count, at[x])
        case Select(condition=condition, then=then, otherwise=otherwise):
            return options.selected(found.discrete[condition], at[then], at[otherwise])
        case Lookup(table=table, indices=indices):
            index = options.joined([found.discrete[i] for i in indices])
            return options.picked(at[table], index, len(indices))
        case Compare() | Not() | All() | Any() | Argmax():
            raise AssertionError("a truth or an index")
        case _:
            assert_never(op)


def contract(op: Contract, circuit: Circuit, model: Execution, found: Strayed) -> Stray:
    """`Contract`; a wire multiplied by itself entry by entry gives squares."""
    x, y = found.reals[op.left], found.reals[op.right]
    count = summands(op.spec, circuit.types[op.left].shape)
    product = arrays.product(op.spec)
    sides, output = op.spec.split("->")
    left, right = sides.split(",")
    if op.left == op.right and left == right:
        ones = np.ones_like(y.extent.lo)
        extent = extents.contraction(
            product, count, left != output, extents.squares(x.extent), Extent(ones, ones)
        )
    else:
        summed = bool((set(left) & set(right)) - set(output))
        extent = extents.contraction(product, count, summed, x.extent, y.extent)
    return strays.contracted(product, extent, x, y, count, model)


# --- truths and indices ---------------------------------------------------------------------


def chosen(wire: Wire, circuit: Circuit, found: Strayed) -> Options:
    """A wire of truths or indices, from those before it."""
    at, types = found.discrete, circuit.types
    op: Op = circuit.ops[wire]
    match op:
        case Input(type=known):
            return options.anything(known.shape, values_of(known.sort))
        case Const(type=known, values=values):
            return options.known([int(v) for v in values], known.shape, values_of(known.sort))
        case Reindex(operands=wires, source=source, shape=shape):
            plan = arrays.moves(source, [types[x].entries for x in wires], shape)
            return options.moved(plan, [at[x] for x in wires])
        case Compare(op=comparison, left=left, right=right):
            if left == right:
                same = [comparison != "<"] * types[wire].entries
                return options.known(same, types[wire].shape, 2)
            if types[left].sort == Real():
                return options.compared(comparison, found.reals[left], found.reals[right])
            return options.coincide(at[left], at[right])
        case Not(operand=x):
            return options.negated(at[x])
        case All(operand=x):
            return options.conjunction(at[x])
        case Any(operand=x):
            return options.disjunction(at[x])
        case Select(condition=condition, then=then, otherwise=otherwise):
            return options.selected_options(at[condition], at[then], at[otherwise])
        case Lookup(table=table, indices=indices):
            index = options.joined([at[i] for i in indices])
            return options.picked_options(at[table], index, len(indices))
        case Argmax(operand=x):
            return options.leader(found.reals[x])
        case Weight() | Sum() | Contract() | Relu() | Max() | Smooth() | Softmax() | TopK():
            raise AssertionError("a real number")
        case _:
            assert_never(op)


def values_of(sort: Sort) -> int:
    """How many values an entry may have."""
    match sort:
        case Index(size=size):
            return size
        case Bool():
            return 2
        case Real():
            raise AssertionError("a real number has no list of values")
        case _:
            assert_never(sort)


def words_alone(binders: Sequence[Bound]) -> bool:
    """Whether no input is a real number."""
    return all(isinstance(b.values, Words) for b in binders)
