"""The exact reading: what a circuit means, in integers and rationals alone.

Every other reading is held to this one, and it decides whether a counterexample is one. Linear and
piecewise linear ops are exact; smooth functions are enclosed to any width asked for; what an
enclosure leaves open (a comparison, an index) is the set of its possible values. So on known inputs
the result holds every value that some choice function gives, and on boxes it is interval bound
propagation. Standard library only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from math import prod
from operator import mul
from typing import assert_never

from circ.compiler.infer import IllFormed
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
    Sum,
    Weight,
    Wire,
    WireType,
    operands,
)
from circ.compiler.obligation import Bound, Box, Words
from circ.compiler.obligation import Reals as Region
from circ.compiler.readings import choices as discrete
from circ.compiler.readings import intervals as real
from circ.compiler.readings.choices import FALSE, TRUE, Choices, Choose
from circ.compiler.readings.elementary import Undefined
from circ.compiler.readings.intervals import Reals, Scores
from circ.compiler.readings.products import contracted, squared
from circ.compiler.readings.smooth import smooth, softmax
from circ.compiler.rewrite import live
from circ.compiler.tensor import Weights

Value = Reals | Choices

BITS = 128
"""Smooth functions are enclosed to within about 2^-BITS, unless a caller asks otherwise."""


# --- the reading ----------------------------------------------------------------------------


def enclose(
    circuit: Circuit,
    inputs: Mapping[str, Value],
    weights: Weights,
    bits: int = BITS,
    choose: Choose | None = None,
    outputs: Iterable[str] | None = None,
    known: Mapping[Wire, Value] | None = None,
) -> dict[str, Value]:
    """An enclosure of each output named, by default of all; other wires are not evaluated.

    `inputs` holds what is read of the circuit's inputs, as `at_point` or `over_box` makes it.
    `choose` breaks ties of known scores (`every_choice` goes through all the ways).
    `known` gives wires that need no evaluation, as `constants` finds them.
    Raises `Undefined` where an operand may lie outside a smooth function's domain.
    """
    names = list(circuit.outputs if outputs is None else outputs)
    found = intervals(circuit, inputs, weights, bits, choose, names, known)
    return {name: found[circuit.outputs[name]] for name in names}


def intervals(
    circuit: Circuit,
    inputs: Mapping[str, Value],
    weights: Weights,
    bits: int = BITS,
    choose: Choose | None = None,
    outputs: Iterable[str] | None = None,
    known: Mapping[Wire, Value] | None = None,
) -> dict[Wire, Value]:
    """An enclosure of every wire that the outputs depend on; as `enclose` otherwise."""
    names = circuit.outputs if outputs is None else outputs
    setting = Setting(inputs, weights, bits, choose)
    found = dict(known or {})
    for wire in sorted(live(circuit, [circuit.outputs[name] for name in names])):
        if wire not in found:
            found[wire] = value(circuit.ops[wire], found, setting)
    return found


@dataclass(frozen=True, slots=True)
class Setting:
    """What ops without operands read, how wide smooth ones are, and how ties are broken."""

    inputs: Mapping[str, Value]
    weights: Weights
    bits: int = BITS
    choose: Choose | None = None


def value(op: Op, found: Mapping[Wire, Value], setting: Setting) -> Value:
    """The wire of one op, given its operands."""
    bits = setting.bits

    def reals(wire: Wire) -> Reals:
        known = found[wire]
        assert isinstance(known, Reals)
        return known

    def choices(wire: Wire) -> Choices:
        known = found[wire]
        assert isinstance(known, Choices)
        return known

    match op:
        case Input(name=name, type=known):
            return fitting(op, setting.inputs[name], known)
        case Const(type=known, values=values):
            return exact_value(known, values)
        case Weight(key=key, shape=shape):
            tensor = setting.weights[key]
            return fitting(op, real.rationals(tensor.shape, tensor.values), WireType(Real(), shape))
        case Reindex(operands=wires, source=source, shape=shape):
            return rearranged([found[wire] for wire in wires], source, shape)
        case Sum(terms=terms):
            total: dict[Wire, Fraction] = {}
            for factor, wire in terms:
                total[wire] = total.get(wire, Fraction(0)) + factor
            return real.combined([(c, reals(wire)) for wire, c in total.items()], bits)
        case Contract(spec=spec, left=left, right=right):
            first, second = spec.split("->")[0].split(",")
            if left == right and first == second:
                return squared(spec, reals(left), bits)
            return contracted(spec, reals(left), reals(right), bits)
        case Relu(operand=x):
            return real.positive_part(reals(x))
        case Max(operand=x):
            return real.maximum(reals(x))
        case Smooth(function=function, operand=x):
            return smooth(function, reals(x), bits)
        case Softmax(operand=x):
            return softmax(reals(x), bits)
        case Compare():
            return compared(op, found[op.left], found[op.right])
        case Not(operand=x):
            return discrete.negated(choices(x))
        case All(operand=x):
            return discrete.conjunction(choices(x))
        case Any(operand=x):
            return discrete.disjunction(choices(x))
        case Select(condition=condition, then=then, otherwise=otherwise):
            (truth,) = choices(condition).sets
            if truth == TRUE:
                return found[then]
            return found[otherwise] if truth == FALSE else hull(found[then], found[otherwise])
        case Lookup(table=table, indices=indices):
            return looked_up(found[table], [choices(wire) for wire in indices])
        case Argmax(operand=x):
            return discrete.leaders(reals(x), setting.choose)
        case _:
            assert_never(op)


# --- ops on values of either kind -----------------------------------------------------------


def both_real(left: Value, right: Value) -> tuple[Reals, Reals] | tuple[Choices, Choices]:
    """Two values of one type."""
    if isinstance(left, Reals):
        assert isinstance(right, Reals)
        return left, right
    assert isinstance(right, Choices)
    return left, right
