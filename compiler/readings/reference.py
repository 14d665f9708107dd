"""The exact reading: what a circuit means, in integers and rationals alone.

Every other reading is held to this one, and it decides whether a counterexample is one. Linear and
piecewise linear ops are exact; smooth functions are enclosed to any width asked for; what an
enclosure leaves open (a comparison, an index) is the set of its possible values. So on known inputs
the result holds every value that some choice function gives, and on boxes it is interval bound
propagation. On known inputs, what enclosures leave open is asked of closed forms (`decided.py`).
Standard library only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
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
    Shape,
    Smooth,
    Softmax,
    Sum,
    TopK,
    Weight,
    Wire,
    WireType,
    operands,
)
from circ.compiler.obligation import Bound, Words
from circ.compiler.obligation import Reals as Region
from circ.compiler.readings import choices as discrete
from circ.compiler.readings import intervals as real
from circ.compiler.readings.choices import EITHER, TRUE, Choices, Choose
from circ.compiler.readings.clock import look
from circ.compiler.readings.closed import Forms
from circ.compiler.readings.decided import decided
from circ.compiler.readings.elementary import Undefined
from circ.compiler.readings.intervals import Reals
from circ.compiler.readings.products import contracted, squared
from circ.compiler.readings.smooth import smooth, softmax
from circ.compiler.readings.tops import largest
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
    Raises `Undefined` where an operand may lie outside a smooth function's domain, and `TimeUp` where a
    moment was set that has passed.
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
    forms = Forms(circuit, found) if all(x.exact for x in inputs.values()) else None
    for wire in sorted(live(circuit, [circuit.outputs[name] for name in names])):
        if wire not in found:
            look()
            found[wire] = value(circuit.ops[wire], found, setting)
            if forms is not None:
                found[wire] = decided(forms, wire, found[wire], choose)
    return found


@dataclass(frozen=True, slots=True)
class Setting:
    """What ops without operands read, how wide smooth ones are, and how ties are broken."""

    inputs: Mapping[str, Value]
    weights: Weights
    bits: int = BITS
    choose: Choose | None = None


@dataclass(frozen=True, slots=True)
class Operands:
    """The values of the wires that an op reads, by kind."""

    found: Mapping[Wire, Value]

    def any(self, wire: Wire) -> Value:
        """A value of either kind."""
        return self.found[wire]

    def reals(self, wire: Wire) -> Reals:
        """A real tensor."""
        known = self.found[wire]
        assert isinstance(known, Reals)
        return known

    def choices(self, wire: Wire) -> Choices:
        """Truths or indices."""
        known = self.found[wire]
        assert isinstance(known, Choices)
        return known


def value(op: Op, found: Mapping[Wire, Value], setting: Setting) -> Value:
    """The wire of one op, given its operands."""
    at, bits = Operands(found), setting.bits
    match op:
        case Input(name=name, type=known):
            return fitting(op, setting.inputs[name], known)
        case Const(type=known, values=values):
            return exact_value(known, values)
        case Weight(key=key, shape=shape):
            tensor = setting.weights[key]
            return fitting(op, real.rationals(tensor.shape, tensor.values), WireType(Real(), shape))
        case Reindex(operands=wires, source=source, shape=shape):
            return rearranged([at.any(wire) for wire in wires], source, shape)
        case Sum():
            return real.combined([(c, at.reals(x)) for x, c in coefficients(op)], bits)
        case Contract(spec=spec, left=left, right=right):
            if left == right and named_alike(spec):
                return squared(spec, at.reals(left), bits)
            return contracted(spec, at.reals(left), at.reals(right), bits)
        case Relu(operand=x):
            return real.positive_part(at.reals(x))
        case Max(operand=x):
            return real.maximum(at.reals(x))
        case Smooth(function=function, operand=x):
            return smooth(function, at.reals(x), bits)
        case Softmax(operand=x):
            return softmax(at.reals(x), bits)
        case Compare():
            return compared(op, at.any(op.left), at.any(op.right))
        case Not(operand=x):
            return discrete.negated(at.choices(x))
        case All(operand=x):
            return discrete.conjunction(at.choices(x))
        case Any(operand=x):
            return discrete.disjunction(at.choices(x))
        case Select(condition=condition, then=then, otherwise=otherwise):
            return selected(at.choices(condition), at.any(then), at.any(otherwise))
        case Lookup(table=table, indices=indices):
            return looked_up(at.any(table), [at.choices(wire) for wire in indices])
        case Argmax(operand=x):
            return discrete.leaders(at.reals(x), setting.choose)
        case TopK(count=count, operand=x):
            return largest(at.reals(x), count, setting.choose)
        case _:
            assert_never(op)


def coefficients(op: Sum) -> list[tuple[Wire, Fraction]]:
    """Each wire of a sum once, with its coefficients added up: x - x is 0 over any box."""
    total: dict[Wire, Fraction] = {}
    for factor, wire in op.terms:
        total[wire] = total.get(wire, Fraction(0)) + factor
    return [*total.items()]


def named_alike(spec: str) -> bool:
    """Whether an einsum gives both operands the same letters, in the same order."""
    left, right = spec.split("->")[0].split(",")
    return left == right


# --- ops on values of either kind -----------------------------------------------------------


def split(values: Sequence[Value]) -> tuple[list[Reals], list[Choices]]:
    """The values of either kind; of one sort, so one list is empty."""
    reals = [known for known in values if isinstance(known, Reals)]
    return reals, [known for known in values if isinstance(known, Choices)]


def rearranged(values: Sequence[Value], source: Sequence[int], shape: Shape) -> Value:
    """`Reindex`."""
    reals, sets = split(values)
    if reals:
        return real.rearranged(reals, source, shape)
    return discrete.rearranged(sets, source, shape)


def selected(condition: Choices, then: Value, otherwise: Value) -> Value:
    """`Select`: the hull of both, where the condition is undecided."""
    (truth,) = condition.sets
    if len(truth) == 1:
        return then if truth == TRUE else otherwise
    reals, sets = split([then, otherwise])
    return real.hull(reals) if reals else discrete.merged(sets)


def compared(op: Compare, left: Value, right: Value) -> Choices:
    """`Compare`; a wire compared with itself is decided whatever it carries."""
    if op.left == op.right:
        return discrete.decided(left.shape, [op.op != "<"] * prod(left.shape))
    reals, sets = split([left, right])
    if sets:
        return discrete.coincide(*sets)
    return discrete.compared(*real.comparison(op.op, *reals), left.shape)


def looked_up(table: Value, indices: Sequence[Choices]) -> Value:
    """`Lookup`: the hull of all entries that undecided indices may name."""
    count = len(indices)
    width = prod(table.shape[count:])
    strides = [prod(table.shape[axis + 1 :]) for axis in range(count)]
    starts = [
        [sum(map(mul, place, strides)) for place in product(*entry)]
        for entry in zip(*(index.sets for index in indices), strict=True)
    ]
    shape = indices[0].shape + table.shape[count:]
    if isinstance(table, Reals):
        return real.picked(table, starts, width, shape)
    return discrete.picked(table, starts, width, shape)


# --- inputs and constants -------------------------------------------------------------------


def exact_value(known: WireType, entries: Iterable[Fraction | int]) -> Value:
    """Known entries of a type, in row-major order."""
    if known.sort == Real():
        return real.rationals(known.shape, entries)
    return discrete.decided(known.shape, map(whole, entries))


def whole(entry: Fraction | int) -> int:
    """A code or a truth."""
    if entry.denominator != 1:
        raise ValueError(f"{entry} is neither a code nor a truth")
    return entry.numerator


def at_point(circuit: Circuit, point: Mapping[str, Iterable[Fraction | int]]) -> dict[str, Value]:
    """One input: a Fraction, a code or a truth for each entry of each input named."""
    wires = circuit.inputs
    return {name: exact_value(circuit.types[wires[name]], point[name]) for name in point}


def over_box(binders: Iterable[Bound]) -> dict[str, Value]:
    """Every input within the binders' ranges: boxes, and all words."""
    return {bound.name: all_values(bound) for bound in binders}


def all_values(bound: Bound) -> Value:
    """Every value of a binder."""
    match bound.values:
        case Words(members=members):
            options = frozenset(range(len(members)))
            return Choices(bound.type.shape, (options,) * bound.type.entries)
        case Region(box=box):
            return real.within(bound.type.shape, box)


def fitting(op: Op, known: Value, wanted: WireType) -> Value:
    """`known`, if it is of that type; else the caller mixed things up."""
    match known, wanted.sort:
        case Reals(), Real():
            entries, fits = len(known.lo), True
        case Choices(sets=sets), Index(size=size):
            members = frozenset(range(size))
            entries, fits = len(sets), all(entry <= members for entry in sets)
        case Choices(sets=sets), Bool():
            entries, fits = len(sets), all(entry <= EITHER for entry in sets)
        case _:
            entries, fits = 0, False
    if not fits or entries != wanted.entries or known.shape != wanted.shape:
        raise IllFormed(f"not a value of {wanted}: {op}")
    return known


def constants(circuit: Circuit, weights: Weights, bits: int = BITS) -> dict[Wire, Value]:
    """The live wires that read no input, weights among them: the same at every point.

    Undecided choices are left out, and so is what is undefined, so that a later reading says so.
    """
    setting, found = Setting({}, weights, bits), dict[Wire, Value]()
    for wire in sorted(live(circuit, circuit.outputs.values())):
        op = circuit.ops[wire]
        if isinstance(op, Input) or any(operand not in found for operand in operands(op)):
            continue
        look()
        with suppress(Undefined):
            known = value(op, found, setting)
            open_choice = isinstance(known, Choices) or isinstance(op, TopK)
            if known.exact or not open_choice:
                found[wire] = known
    return found
