"""The exact reading of slopes: by how much an entry moves with the entries of tensors that it is affine in.

They go back from the entry to the tensors, exact as long as their denominators stay short, else enclosed and rounded
outward (`slopes.py`). Standard library only.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
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
from circ.compiler.readings.slopes import (
    Part,
    Row,
    Slope,
    handy,
    moved,
    multiplied,
    plus,
    spread,
    together,
    weighed,
)
from circ.compiler.rewrite import live


class NotAffine(Exception):
    """An entry that is not affine in the tensors, or not known to be."""


@dataclass(frozen=True, slots=True)
class Affine:
    """An entry as `constant` plus the sum of `slopes` times the entries of tensors, by key; one left out has slope 0."""

    constant: Slope
    slopes: Mapping[str, Row]


@dataclass(frozen=True, slots=True, eq=False)
class Way:
    """From a wire back to all that it depends on, operands first; `moving` are those that tensors reach."""

    circuit: Circuit
    wire: Wire
    wires: tuple[Wire, ...]
    moving: frozenset[Wire]

    @property
    def still(self) -> list[Wire]:
        """Those that no tensor reaches."""
        return [at for at in self.wires if at not in self.moving]


def way_back(circuit: Circuit, wire: Wire, keys: Collection[str]) -> Way:
    """The way from a wire to the tensors named by `keys`."""
    wires = sorted(live(circuit, [wire]))
    return Way(circuit, wire, tuple(wires), frozenset(dependent(circuit, wires, keys)))


def affine(way: Way, entry: int, found: Mapping[Wire, Value]) -> Affine:
    """One entry of the wire at the end of a way as a function of the tensors at its start.

    `found` encloses every wire that is read and that these do not reach (`Way.still`). Raises `NotAffine`.
    """
    circuit = way.circuit
    fixed = {at: known for at, known in found.items() if at not in way.moving}
    one = {entry: 1}
    waiting = {way.wire: Row(one, one, 1)}
    constant, slopes = (0, 0), dict[str, Row]()
    for at in reversed(way.wires):
        here, op = waiting.pop(at, None), circuit.ops[at]
        if here is None:
            continue
        if at not in way.moving:
            known = fixed[at]
            assert isinstance(known, Reals)
            constant = plus(constant, weighed(here, known))
        elif isinstance(op, Weight):
            slopes[op.key] = together(slopes[op.key], here) if op.key in slopes else here
        else:
            for operand, row in passed_on(circuit, at, handy(here), fixed):
                waiting[operand] = together(waiting[operand], row) if operand in waiting else row
    return Affine(constant, slopes)


def passed_on(
    circuit: Circuit, wire: Wire, here: Row, found: Mapping[Wire, Value]
) -> Iterator[tuple[Wire, Row]]:
    """The slopes by the entries of each operand, from those by the entries of a wire; raises `NotAffine`."""
    op = circuit.ops[wire]
    match op:
        case Sum(terms=terms):
            for factor, x in terms:
                yield x, multiplied(here, factor)
        case Reindex():
            places: dict[Wire, dict[int, int]] = {}
            for k in here.lo:
                x, place = taken_from(op, k, circuit.types)
                places.setdefault(x, {})[k] = place
            for x, each in places.items():
                yield x, moved(here, each)
        case Contract():
            yield contracted(circuit, op, here, found)
        case Lookup(table=table, indices=indices):
            known = [decided(found, x) for x in indices]
            yield table, moved(here, looked_up(circuit.types[table].shape, known, here))
        case Select(condition=condition, then=then, otherwise=otherwise):
            (truth,) = decided(found, condition)
            yield then if truth else otherwise, here
        case (
            Relu() | Max() | Smooth() | Softmax() | Compare() | Not() | All() | Any() | Argmax()
            | TopK() | Input() | Const() | Weight()
        ):  # fmt: skip
            raise NotAffine
        case _:
            assert_never(op)


def contracted(
    circuit: Circuit, op: Contract, here: Row, found: Mapping[Wire, Value]
) -> tuple[Wire, Row]:
    """Of a product with one side that moves; the other is enclosed."""
    sides, result = op.spec.split("->")
    left, right = sides.split(",")
    if op.left in found:
        return op.right, factors(circuit, (right, op.right), (left, op.left), result, here, found)
    if op.right in found:
        return op.left, factors(circuit, (left, op.left), (right, op.right), result, here, found)
    raise NotAffine


def factors(
    circuit: Circuit,
    moving: tuple[str, Wire],
    fixed: tuple[str, Wire],
    result: str,
    here: Row,
    found: Mapping[Wire, Value],
) -> Row:
    """For each entry of the moving side, what multiplies it in the entries of the product."""
    (letters, wire), (others, other) = moving, fixed
    shape, sides = circuit.types[wire].shape, circuit.types[other].shape
    size = dict(zip(letters + others, shape + sides, strict=True))
    known = found[other]
    assert isinstance(known, Reals)
    own, its = strides(letters, shape), strides(others, sides)
    inner = [letter for letter in size if letter not in result]
    steps = [*zip(offsets(inner, own, size), offsets(inner, its, size), strict=True)]
    read: dict[int, list[tuple[int, int]]] = {}
    parts: list[Part] = []
    for entry in here.lo:
        place = dict(zip(result, at(entry, tuple(size[x] for x in result)), strict=True))
        start, base = (sum(place[x] * of.get(x, 0) for x in result) for of in (own, its))
        if base not in read:
            places = ((step, base + k) for step, k in steps)
            read[base] = [(step, k) for step, k in places if known.lo[k] or known.hi[k]]
        parts.append(Part(entry, start, read[base]))
    return spread(here, known, parts)


def strides(letters: str, shape: Shape) -> dict[str, int]:
    """By how much a step along each axis moves the number of an entry."""
    found = dict.fromkeys(letters, 0)
    for k, letter in enumerate(letters):
        found[letter] += prod(shape[k + 1 :])
    return found


def offsets(letters: Sequence[str], of: Mapping[str, int], size: Mapping[str, int]) -> list[int]:
    """By how much each combination of places along these axes moves it, in order."""
    steps = ([k * of.get(letter, 0) for k in range(size[letter])] for letter in letters)
    return [sum(place) for place in product(*steps)]


def looked_up(shape: Shape, indices: list[list[int]], here: Row) -> dict[int, int]:
    """Where entries of a table stand that are read at known places."""
    width, axes = prod(shape[len(indices) :]), shape[: len(indices)]
    found: dict[int, int] = {}
    for k in here.lo:
        entry, offset = divmod(k, width)
        found[k] = flat([index[entry] for index in indices], axes) * width + offset
    return found


def decided(found: Mapping[Wire, Value], wire: Wire) -> list[int]:
    """Truths or indices that are known; raises `NotAffine` where one is not."""
    known = found.get(wire)
    if not isinstance(known, Choices) or not known.exact:
        raise NotAffine
    return [next(iter(options)) for options in known.sets]


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
