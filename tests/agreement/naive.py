"""A second, slow reading of a circuit, entry by entry in Fractions, written apart from the first.

Smooth functions are computed by `decimal` to 120 digits, unless their value is plainly rational.
Ties go to the lowest indices unless a choice says otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal, localcontext
from fractions import Fraction
from itertools import combinations, product
from math import isqrt
from typing import assert_never

from circ.compiler.ir import (
    All,
    Any,
    Argmax,
    Circuit,
    Compare,
    Const,
    Contract,
    Input,
    Lookup,
    Max,
    Not,
    Op,
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
)
from circ.compiler.readings.choices import Choices
from circ.compiler.readings.reference import Value
from circ.compiler.tensor import Weights

Entries = list[Fraction]
"""Of any sort: a code and a truth are the Fractions they equal."""
Places = tuple[int, ...]
Choice = Callable[[tuple[Fraction, ...], list[Places]], Places]
"""Which places are taken, of the scores and all sets of places that might be."""


def lowest(_scores: tuple[Fraction, ...], options: list[Places]) -> Places:
    """The first ones."""
    return min(options)


def highest(_scores: tuple[Fraction, ...], options: list[Places]) -> Places:
    """The last ones."""
    return max(options)


def tops(scores: tuple[Fraction, ...], count: int) -> list[Places]:
    """All sets of so many places such that no score outside exceeds one inside."""
    wanted = sorted(scores, reverse=True)[:count]
    every = combinations(range(len(scores)), count)
    return [k for k in every if sorted((scores[i] for i in k), reverse=True) == wanted]


def known(value: Value) -> Entries:
    """The entries of a value of the exact reference, which must leave nothing open."""
    assert value.exact
    if isinstance(value, Choices):
        return [Fraction(x) for options in value.sets for x in options]
    assert all(low == high for low, high in value.box)
    return [low for low, _ in value.box]


def run(
    circuit: Circuit,
    point: Mapping[str, Sequence[Fraction | int]],
    weights: Weights,
    choice: Choice = lowest,
) -> dict[Wire, Entries]:
    """The entries of every wire, row-major."""
    found: dict[Wire, Entries] = {}
    for number, op in enumerate(circuit.ops):
        found[Wire(number)] = entries(circuit, op, found, point, weights, choice)
    return found


def places(shape: Shape) -> list[tuple[int, ...]]:
    """Every coordinate of a tensor, in order."""
    return list(product(*map(range, shape)))


def at(flat: Entries, shape: Shape, place: Sequence[int]) -> Fraction:
    """One entry of a tensor."""
    return flat[places(shape).index(tuple(place))]


def entries(
    circuit: Circuit,
    op: Op,
    found: Mapping[Wire, Entries],
    point: Mapping[str, Sequence[Fraction | int]],
    weights: Weights,
    choice: Choice,
) -> Entries:
    """The entries of one op's wire."""

    def lines(wire: Wire) -> list[tuple[Fraction, ...]]:
        shape = circuit.types[wire].shape
        return [
            tuple(at(found[wire], shape, (*place, k)) for k in range(shape[-1]))
            for place in places(shape[:-1])
        ]

    match op:
        case Input(name=name):
            return [Fraction(entry) for entry in point[name]]
        case Const(values=values):
            return [Fraction(entry) for entry in values]
        case Weight(key=key):
            return [Fraction(entry) for entry in weights[key].values]
        case Reindex(operands=wires, source=source):
            laid = [entry for wire in wires for entry in found[wire]]
            return [laid[k] for k in source]
        case Sum(terms=terms):
            size = len(found[terms[0][1]])
            return [
                sum((c * found[wire][k] for c, wire in terms), Fraction(0)) for k in range(size)
            ]
        case Contract():
            return einsum(circuit, op, found)
        case Relu(operand=x):
            return [max(Fraction(0), entry) for entry in found[x]]
        case Max(operand=x):
            return [max(line) for line in lines(x)]
        case Smooth(function=function, operand=x):
            return [SMOOTH[function](entry) for entry in found[x]]
        case Softmax(operand=x):
            return [share for line in lines(x) for share in softmax(line)]
        case Compare(op="<", left=a, right=b):
            return [Fraction(x < y) for x, y in zip(found[a], found[b], strict=True)]
        case Compare(op="<=", left=a, right=b):
            return [Fraction(x <= y) for x, y in zip(found[a], found[b], strict=True)]
        case Compare(left=a, right=b):
            return [Fraction(x == y) for x, y in zip(found[a], found[b], strict=True)]
        case Not(operand=x):
            return [1 - entry for entry in found[x]]
        case All(operand=x):
            return [Fraction(all(line)) for line in lines(x)]
        case Any(operand=x):
            return [Fraction(any(line)) for line in lines(x)]
        case Select(condition=condition, then=then, otherwise=otherwise):
            return found[then] if found[condition] == [1] else found[otherwise]
        case Lookup(table=table, indices=indices):
            shape = circuit.types[table].shape
            return [
                at(found[table], shape, (*(int(k) for k in codes), *place))
                for codes in zip(*(found[wire] for wire in indices), strict=True)
                for place in places(shape[len(indices) :])
            ]
        case Argmax(operand=x):
            return [Fraction(choice(line, tops(line, 1))[0]) for line in lines(x)]
        case TopK(count=count, operand=x):
            taken = [(line, choice(line, tops(line, count))) for line in lines(x)]
            return [Fraction(k in kept) for line, kept in taken for k in range(len(line))]
        case _:
            assert_never(op)


def einsum(circuit: Circuit, op: Contract, found: Mapping[Wire, Entries]) -> Entries:
    """The sum over every assignment of the letters."""
    (left, right), output = op.spec.split("->")[0].split(","), op.spec.split("->")[1]
    shapes = circuit.types[op.left].shape, circuit.types[op.right].shape
    sizes = dict(zip(left + right, shapes[0] + shapes[1], strict=True))
    sums = dict.fromkeys(places(tuple(sizes[c] for c in output)), Fraction(0))
    for values in places(tuple(sizes.values())):
        letter = dict(zip(sizes, values, strict=True))
        a = at(found[op.left], shapes[0], [letter[c] for c in left])
        b = at(found[op.right], shapes[1], [letter[c] for c in right])
        sums[tuple(letter[c] for c in output)] += a * b
    return list(sums.values())


# --- smooth functions -----------------------------------------------------------------------


CONTEXT = Context(prec=120, Emax=MAX_EMAX, Emin=MIN_EMIN)


def exponential(x: Fraction) -> Fraction:
    """e^x; 1 at 0."""
    with localcontext(CONTEXT):
        return Fraction((Decimal(x.numerator) / x.denominator).exp())


def root(x: Fraction) -> Fraction:
    """√x; exact where the numerator and the denominator are squares."""
    exact = Fraction(isqrt(x.numerator), isqrt(x.denominator))
    if exact * exact == x:
        return exact
    with localcontext(CONTEXT):
        return Fraction((Decimal(x.numerator) / x.denominator).sqrt())


def softmax(line: Sequence[Fraction]) -> Entries:
    """The shares of one row; equal scores share equally."""
    if len(set(line)) == 1:
        return [Fraction(1, len(line))] * len(line)
    powers = [exponential(x - max(line)) for x in line]
    return [power / sum(powers) for power in powers]


SMOOTH: dict[str, Callable[[Fraction], Fraction]] = {
    "exp": exponential,
    "sqrt": root,
    "recip": lambda x: 1 / x,
}
