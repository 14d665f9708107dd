"""The SMT reading: what a circuit means, as a script of real arithmetic with Boolean structure.

A real entry is an affine term, a truth is a formula, and an index is one truth a member, exactly
one of which holds. The reading is exact: the script has a solution for every input, and each gives
the outputs the values that the circuit has for some choice function.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import chain, product
from math import prod
from typing import assert_never

from circ.compiler.builder import places
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
    TopK,
    Weight,
    Wire,
)
from circ.compiler.obligation import Bound, Reals, Words
from circ.compiler.readings.elementary import Undefined
from circ.compiler.readings.intervals import Reals as Enclosure
from circ.compiler.readings.intervals import along, rationals
from circ.compiler.readings.products import LARGEST, joined, planned
from circ.compiler.readings.smooth import smooth, softmax
from circ.compiler.rewrite import live
from circ.compiler.smt.encoding import (
    Choice,
    Codes,
    Encoding,
    Numbers,
    Truths,
    Unsupported,
    Value,
    codes,
    numbers,
    truths,
)
from circ.compiler.smt.formula import (
    FALSE,
    TRUE,
    ZERO,
    Affine,
    Formula,
    Sign,
    Truth,
    combined,
    conjunction,
    constant,
    difference,
    disjunction,
    negation,
)
from circ.compiler.smt.indices import Choices, code_of, kept, leader, letter, one_hot, same
from circ.compiler.smt.script import (
    Script,
    greatest,
    named,
    one_of,
    sign,
    times,
    truth_of,
)
from circ.compiler.tensor import Weights

Options = Sequence[tuple[Formula, int]]
"""Which entry of the operands, laid end to end, an entry is: exactly one of the truths holds."""

MOST_STEPS = 1_000_000
"""A circuit that takes more steps to encode is left to engines that compute in batches."""

EXACT = 64
"""Bits to which a function of constants is enclosed, to see whether its value is rational."""


@dataclass(slots=True)
class Encoder:
    """The values of the wires read so far."""

    circuit: Circuit
    weights: Weights
    binders: Mapping[str, Bound]
    script: Script = field(default_factory=Script)
    values: dict[Wire, Value] = field(default_factory=dict[Wire, Value])
    choices: Choices = field(default_factory=dict[tuple[int, tuple[Affine, ...]], Choice])

    def reals(self, wire: Wire) -> tuple[Affine, ...]:
        """The entries of a real wire."""
        return numbers(self.values[wire])

    def rows(self, wire: Wire) -> list[Sequence[Affine]]:
        """The entries of a real wire along its last axis."""
        return along(self.reals(wire), self.circuit.types[wire].shape)

    def flags(self, wire: Wire) -> tuple[Formula, ...]:
        """The entries of a Boolean wire."""
        return truths(self.values[wire])

    def flag_rows(self, wire: Wire) -> list[Sequence[Formula]]:
        """The entries of a Boolean wire along its last axis."""
        return along(self.flags(wire), self.circuit.types[wire].shape)


def idle() -> None:
    """Nothing to be done between two wires."""


def encode(
    circuit: Circuit,
    binders: Iterable[Bound],
    weights: Weights,
    outputs: Iterable[str],
    watch: Callable[[], None] = idle,
) -> Encoding:
    """The script of the outputs named, for inputs within their binders' values.

    `watch` is called before each wire is read; it may raise to stop. Raises `Unsupported` where an
    output needs a function that is not piecewise polynomial, or is too large to be written out.
    """
    wires = {name: circuit.outputs[name] for name in outputs}
    e = Encoder(circuit, weights, {bound.name: bound for bound in binders})
    needed = sorted(live(circuit, [*circuit.inputs.values(), *wires.values()]))
    if sum(steps(circuit, wire) for wire in needed) > MOST_STEPS:
        raise Unsupported("size", "the circuit is too large to be written out for an SMT solver")
    for wire in needed:
        watch()
        e.values[wire] = read(e, wire, circuit.ops[wire])
    return Encoding(
        tuple(e.script.commands),
        {name: e.values[wire] for name, wire in circuit.inputs.items()},
        {name: e.values[wire] for name, wire in wires.items()},
        tuple(e.choices.values()),
        {kind: (e.script.left[kind], met) for kind, met in e.script.met.items()},
        e.script.multiplied,
    )


def steps(circuit: Circuit, wire: Wire) -> int:
    """About how many terms are touched to read a wire."""
    types, entries = circuit.types, circuit.types[wire].entries
    match circuit.ops[wire]:
        case Contract(spec=spec, left=left):
            inputs, output = spec.split("->")
            sides = zip(inputs, types[left].shape, strict=False)
            return entries * prod(side for letter, side in sides if letter not in output)
        case Lookup(table=table):
            return entries * types[table].entries
        case Argmax(operand=x) | TopK(operand=x):
            return types[x].entries * types[x].shape[-1]
        case _:
            return entries


def read(e: Encoder, wire: Wire, op: Op) -> Value:
    """The value of an op's wire."""
    s, note = e.script, f"wire {wire}"
    match op:
        case Input():
            return free(e, op)
        case Const():
            return given(op)
        case Weight(key=key):
            return Numbers(tuple(constant(Fraction(x)) for x in e.weights[key].values))
        case Reindex(operands=wires, source=source):
            return picked(e, wires, [[(TRUE, k)] for k in source], note)
        case Sum(terms=terms):
            factors = [factor for factor, _ in terms]
            summands = zip(*(e.reals(term) for _, term in terms), strict=True)
            return Numbers(tuple(combined(zip(factors, row, strict=True)) for row in summands))
        case Contract():
            return contracted(e, op, note)
        case Relu(operand=x):
            return Numbers(tuple(greatest(s, "relu", [ZERO, v], note) for v in e.reals(x)))
        case Max(operand=x):
            return Numbers(tuple(greatest(s, "max", row, note) for row in e.rows(x)))
        case Smooth() | Softmax():
            return known_smooth(e, op)
        case Compare():
            return compared(e, op, note)
        case Not(operand=x):
            return Truths(tuple(map(negation, e.flags(x))))
        case All(operand=x):
            return Truths(tuple(named(s, conjunction(row), note) for row in e.flag_rows(x)))
        case Any(operand=x):
            return Truths(tuple(named(s, disjunction(row), note) for row in e.flag_rows(x)))
        case Select(condition=condition, then=then, otherwise=otherwise):
            (truth,) = e.flags(condition)
            size = e.circuit.types[then].entries
            options = [[(truth, k), (negation(truth), size + k)] for k in range(size)]
            return picked(e, [then, otherwise], options, note)
        case Lookup(table=table):
            return picked(e, [table], looked_up(e, op, note), note)
        case Argmax(operand=x):
            return Codes(tuple(leader(s, e.choices, tuple(row), note) for row in e.rows(x)))
        case TopK(count=count, operand=x):
            rows = (kept(s, e.choices, tuple(row), count, note) for row in e.rows(x))
            return Numbers(tuple(chain.from_iterable(rows)))
        case _:
            assert_never(op)


# --- inputs and constants -------------------------------------------------------------------


def free(e: Encoder, op: Input) -> Value:
    """An input's variables, within its binder's values."""
    shape = op.type.shape
    names = [
        f"{op.name}[{','.join(map(str, place))}]" for place in places([range(n) for n in shape])
    ]
    match e.binders[op.name].values:
        case Reals(box=box):
            pairs = zip(names, box, strict=True)
            return Numbers(tuple(coordinate(e.script, name, ends) for name, ends in pairs))
        case Words(members=members):
            return Codes(tuple(letter(e.script, name, members) for name in names))


def coordinate(s: Script, name: str, ends: tuple[Fraction, Fraction]) -> Affine:
    """A real variable between two numbers; no number at all is, where they are the wrong way."""
    low, high = ends
    x = s.real(name, (min(ends), max(ends)))
    s.hold(Sign("<=", difference(constant(low), x)), Sign("<=", difference(x, constant(high))))
    return constant(low) if low == high else x


def given(op: Const) -> Value:
    """A constant's entries."""
    match op.type.sort:
        case Real():
            return Numbers(tuple(map(constant, op.values)))
        case Bool():
            return Truths(tuple(Truth(bool(value)) for value in op.values))
        case Index(size=size):
            return Codes(tuple(one_hot(int(value), size) for value in op.values))


def known_smooth(e: Encoder, op: Smooth | Softmax) -> Value:
    """A smooth function of constants whose value is rational; no other can be said."""
    terms = e.reals(op.operand)
    shape = e.circuit.types[op.operand].shape
    name = "softmax" if isinstance(op, Softmax) else op.function
    if not all(term.known for term in terms):
        raise Unsupported(name, "real arithmetic has no such function")
    value = smooth_value(op, rationals(shape, (term.constant for term in terms)), name)
    if not value.exact:
        raise Unsupported(name, "its value at a constant is not rational")
    return Numbers(tuple(constant(low) for low, _ in value.box))


def smooth_value(op: Smooth | Softmax, x: Enclosure, name: str) -> Enclosure:
    """An enclosure of the function, exact where its value is rational."""
    try:
        match op:
            case Smooth(function=function):
                return smooth(function, x, EXACT)
            case Softmax():
                return softmax(x, EXACT)
    except Undefined as error:
        raise Unsupported(name, error.reason) from error


# --- structure ------------------------------------------------------------------------------


def picked(e: Encoder, wires: Sequence[Wire], options: Iterable[Options], note: str) -> Value:
    """Entries of the operands, laid end to end, each by the truths that select it."""
    operands = [e.values[wire] for wire in wires]
    s = e.script
    match operands[0]:
        case Numbers():
            reals = [*chain(*map(numbers, operands))]
            return Numbers(tuple(one_of(s, [(g, reals[k]) for g, k in o], note) for o in options))
        case Truths():
            flags = [*chain(*map(truths, operands))]
            return Truths(tuple(truth_of(s, [(g, flags[k]) for g, k in o], note) for o in options))
        case Codes():
            hot = [*chain(*map(codes, operands))]
            return Codes(tuple(code_of(s, [(g, hot[k]) for g, k in o], note) for o in options))


def looked_up(e: Encoder, op: Lookup, note: str) -> Iterator[Options]:
    """For each entry of the result, the cells of the table that it may be."""
    shape = e.circuit.types[op.table].shape
    width = prod(shape[len(op.indices) :])
    for place in zip(*(codes(e.values[wire]) for wire in op.indices), strict=True):
        guards = (conjunction(cell) for cell in product(*place))
        open_cells = [(named(e.script, g, note), k) for k, g in enumerate(guards) if g != FALSE]
        for j in range(width):
            yield [(guard, k * width + j) for guard, k in open_cells]


def contracted(e: Encoder, op: Contract, note: str) -> Value:
    """The einsum of two real wires."""
    types, s = e.circuit.types, e.script
    plan = planned(op.spec, types[op.left].shape, types[op.right].shape)
    left, right = e.reals(op.left), e.reals(op.right)

    def dot(first: list[Affine], second: list[Affine]) -> Affine:
        pairs = zip(first, second, strict=True)
        return handy(combined(factored(s, a, b, note) for a, b in pairs))

    mine = [[left[k] for k in row] for row in plan.left]
    theirs = [[right[k] for k in row] for row in plan.right]
    return Numbers(tuple(joined(plan, mine, theirs, dot)))


def factored(s: Script, left: Affine, right: Affine, note: str) -> tuple[Fraction, Affine]:
    """left · right as a number times a term."""
    if left.known:
        return left.constant, right
    if right.known:
        return right.constant, left
    return Fraction(1), times(s, left, right, note)


def handy(term: Affine) -> Affine:
    """The term, if its constant is short enough to go on with."""
    if max(abs(term.constant.numerator), term.constant.denominator).bit_length() > LARGEST:
        raise Unsupported("product", f"a number has more than {LARGEST:,} bits")
    return term


def compared(e: Encoder, op: Compare, note: str) -> Value:
    """Entrywise comparison of reals, or equality of indices."""
    s = e.script
    match e.values[op.left], e.values[op.right]:
        case Codes(entries=left), Codes(entries=right):
            found = [*map(same, left, right)]
        case first, second:
            gaps = map(difference, numbers(first), numbers(second))
            found = [sign(s, op.op, gap) for gap in gaps]
    return Truths(tuple(named(s, formula, note) for formula in found))
