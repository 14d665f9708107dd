"""The exact reading of slopes: by how much an entry moves with the entries of tensors that it is affine in.

Every number is enclosed between two multiples of 2^-BITS, rounded outward. Standard library only.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from math import prod
from typing import assert_never

from circ.compiler.freeze import dependent
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
    taken_from,
)
from circ.compiler.readings.choices import Choices
from circ.compiler.readings.intervals import Reals
from circ.compiler.readings.reference import Value
from circ.compiler.rewrite import live

BITS = 256
ONE = 1 << BITS

Slope = tuple[int, int]
"""A number is between these two, over 2^BITS."""

Slopes = dict[int, Slope]
"""By the place of an entry in its tensor."""


class NotAffine(Exception):
    """An entry that is not affine in the tensors, or not known to be."""


@dataclass(frozen=True, slots=True)
class Affine:
    """An entry as `constant` plus the sum of `slopes` times the entries of tensors, by key; one left out has slope 0."""

    constant: Slope
    slopes: Mapping[str, Slopes]


def affine(
    circuit: Circuit, wire: Wire, entry: int, found: Mapping[Wire, Value], keys: Collection[str]
) -> Affine:
    """One entry of a wire as a function of the tensors named by `keys`.

    `found` encloses every wire that is read and that these tensors do not reach (`still`). Raises `NotAffine`.
    """
    wires = sorted(live(circuit, [wire]))
    moving = dependent(circuit, wires, keys)
    fixed = {at: known for at, known in found.items() if at not in moving}
    waiting: dict[Wire, Slopes] = {wire: {entry: (ONE, ONE)}}
    constant, slopes = (0, 0), dict[str, Slopes]()
    for at in reversed(wires):
        here, op = waiting.pop(at, None), circuit.ops[at]
        if here is None:
            continue
        if at not in moving:
            constant = plus(constant, weighed(here, fixed[at]))
        elif isinstance(op, Weight):
            add(slopes.setdefault(op.key, {}), here.items())
        else:
            for operand, moved in passed_on(circuit, at, here, fixed):
                add(waiting.setdefault(operand, {}), moved)
    return Affine(constant, slopes)


def still(circuit: Circuit, wire: Wire, keys: Collection[str]) -> list[Wire]:
    """The wires that `wire` depends on and these tensors do not reach."""
    wires = sorted(live(circuit, [wire]))
    moving = dependent(circuit, wires, keys)
    return [at for at in wires if at not in moving]


def weighed(slopes: Slopes, known: Value) -> Slope:
    """The sum of what slopes make of the entries of a wire that is enclosed."""
    assert isinstance(known, Reals)
    total = (0, 0)
    for k, slope in slopes.items():
        total = plus(total, over(slope, (known.lo[k], known.hi[k]), known.den))
    return total


def add(into: Slopes, moved: Iterable[tuple[int, Slope]]) -> None:
    """Slopes by way of several operands add up."""
    for place, slope in moved:
        into[place] = plus(into.get(place, (0, 0)), slope)


Moved = Iterator[tuple[int, Slope]]


def passed_on(
    circuit: Circuit, wire: Wire, here: Slopes, found: Mapping[Wire, Value]
) -> Iterator[tuple[Wire, Moved]]:
    """The slopes by the entries of each operand, from those by the entries of a wire; raises `NotAffine`."""
    op = circuit.ops[wire]
    match op:
        case Sum(terms=terms):
            for factor, x in terms:
                yield x, ((k, times(slope, between(factor))) for k, slope in here.items())
        case Reindex():
            for k, slope in here.items():
                x, place = taken_from(op, k, circuit.types)
                yield x, iter([(place, slope)])
        case Contract():
            yield from contracted(circuit, op, here, found)
        case Lookup(table=table, indices=indices):
            shape = circuit.types[table].shape
            yield table, looked_up(shape, [decided(found, x) for x in indices], here)
        case Select(condition=condition, then=then, otherwise=otherwise):
            (truth,) = decided(found, condition)
            yield then if truth else otherwise, iter(here.items())
        case (
            Relu() | Max() | Smooth() | Softmax() | Compare() | Not() | All() | Any() | Argmax()
            | TopK() | Input() | Const() | Weight()
        ):  # fmt: skip
            raise NotAffine
        case _:
            assert_never(op)


def contracted(
    circuit: Circuit, op: Contract, here: Slopes, found: Mapping[Wire, Value]
) -> Iterator[tuple[Wire, Moved]]:
    """Of a product with one side that moves; the other is enclosed."""
    sides, result = op.spec.split("->")
    left, right = sides.split(",")
    if op.left in found:
        yield op.right, factors(circuit, (right, op.right), (left, op.left), result, here, found)
    elif op.right in found:
        yield op.left, factors(circuit, (left, op.left), (right, op.right), result, here, found)
    else:
        raise NotAffine


def factors(
    circuit: Circuit,
    moving: tuple[str, Wire],
    fixed: tuple[str, Wire],
    result: str,
    here: Slopes,
    found: Mapping[Wire, Value],
) -> Moved:
    """For each entry of the moving side, what multiplies it in the entries of the product."""
    (letters, wire), (others, other) = moving, fixed
    shape, sides = circuit.types[wire].shape, circuit.types[other].shape
    size = dict(zip(letters + others, shape + sides, strict=True))
    known = found[other]
    assert isinstance(known, Reals)
    summed = [letter for letter in dict.fromkeys(letters + others) if letter not in result]
    for entry, slope in here.items():
        place = dict(zip(result, at(entry, tuple(size[x] for x in result)), strict=True))
        for picks in product(*(range(size[letter]) for letter in summed)):
            place.update(zip(summed, picks, strict=True))
            k = flat([place[x] for x in others], sides)
            value = known.lo[k], known.hi[k]
            if value != (0, 0):
                yield flat([place[x] for x in letters], shape), over(slope, value, known.den)


def looked_up(shape: Shape, indices: list[list[int]], here: Slopes) -> Moved:
    """Of a table at known places."""
    width = prod(shape[len(indices) :])
    for k, slope in here.items():
        entry, offset = divmod(k, width)
        yield (
            flat([index[entry] for index in indices], shape[: len(indices)]) * width + offset,
            slope,
        )


def decided(found: Mapping[Wire, Value], wire: Wire) -> list[int]:
    """Truths or indices that are known; raises `NotAffine` where one is not."""
    known = found.get(wire)
    if not isinstance(known, Choices) or not known.exact:
        raise NotAffine
    return [next(iter(options)) for options in known.sets]


# --- arithmetic -----------------------------------------------------------------------------


def between(value: Fraction) -> Slope:
    """A rational number, enclosed."""
    return (value.numerator << BITS) // value.denominator, -(
        (-value.numerator << BITS) // value.denominator
    )


def plus(one: Slope, other: Slope) -> Slope:
    """The sum of two enclosed numbers."""
    return one[0] + other[0], one[1] + other[1]


def times(one: Slope, other: Slope) -> Slope:
    """The product of two enclosed numbers."""
    return over(one, other, ONE)


def over(slope: Slope, value: Slope, below: int) -> Slope:
    """An enclosed number times one that is between two whole numbers over `below`."""
    products = [x * y for x in slope for y in value]
    return min(products) // below, -(-max(products) // below)


def flat(place: list[int], shape: Shape) -> int:
    """The number of an entry, row-major."""
    number = 0
    for index, side in zip(place, shape, strict=True):
        number = number * side + index
    return number


def at(number: int, shape: Shape) -> list[int]:
    """Where an entry is along each axis."""
    place: list[int] = []
    for side in reversed(shape):
        number, index = divmod(number, side)
        place.append(index)
    return place[::-1]
