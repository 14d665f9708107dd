"""The fingerprint reading: a circuit at a random point of four finite fields, to tell terms apart.

Each entry of a wire gets a residue for each of four primes. What is linear, and products, are done in
the fields, so that sums in any order have one fingerprint; every other op is a function drawn at random
of the fingerprints that it reads: of their sum, where the op is symmetric, and of the sequence, where
it is not. Equal entries that are told apart by nothing but commuting, associating and distributing have
equal fingerprints. Entries of equal fingerprints are equal functions of the letters, unless two random
draws from about 2^124 collide, or two numbers of the circuit differ by a multiple of all primes at once:
polynomials of high degree, which may, are refused. (Schwartz 1980, Fast probabilistic algorithms for verification of polynomial identities.)

Random here means a fixed function of the op's name: a verdict is the same in every run.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from fractions import Fraction
from functools import cache
from hashlib import blake2b
from math import prod
from typing import assert_never

import numpy as np
import numpy.typing as npt

from circ.compiler.infer import IllFormed
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
    operands,
)
from circ.compiler.readings.arrays import IntArray, moves, product, rearranged
from circ.compiler.rewrite import live
from circ.compiler.tensor import Tensor, Weights

PRIMES = (2147483579, 2147483123, 2147482763, 2147481563)
"""The largest primes p below 2^31 for which (p - 1) / 2 is prime too.

So 2^k is 1 modulo p only for multiples k of (p - 1) / 2, and powers of two, which floats are made of,
are told apart. Products of residues fit in 62 bits.
"""

HALF = 16
"""Bits of the lower half of a residue, for products that float64 does exactly."""

MOST = 1 << 20
"""Products that one entry of a `Contract` may add up: sums of 2^32 times as much stay below 2^53."""

HIGHEST = 1 << 16
"""Degree of a polynomial in what is drawn: far below the primes, since x^p is x in a field of p."""

EXPONENTS = range(-1200, 1200)
"""Of two, beyond those of any float64's last bit."""


class NotSigned(Exception):
    """A circuit without fingerprints, and why."""


Words64 = npt.NDArray[np.uint64]


def fingerprints(
    circuit: Circuit,
    weights: Weights,
    wanted: Sequence[Wire],
    word: Wire,
    labels: IntArray,
    alike: Collection[Wire] = (),
) -> dict[Wire, IntArray]:
    """The residues of each wire that those wanted depend on, [prime, …shape, batch].

    `labels`, [batch, position], name what is read at each position of the word: equal labels are the
    same unknown letter. The batch is 1 long where a wire does not depend on the word, nor do those that
    are said to be `alike` for all of the batch.
    """
    found = unknowns(circuit, alike)
    found[word] = letters(labels, circuit.types[word].shape)
    degrees = dict.fromkeys(found, 1)
    for wire in sorted(live(circuit, wanted)):
        if wire not in found:
            op = circuit.ops[wire]
            degrees[wire] = degree(op, degrees)
            if degrees[wire] > HIGHEST:
                raise NotSigned(f"a product of over {HIGHEST:,} factors has no fingerprint")
            found[wire] = signed(circuit, op, circuit.types[wire].shape, weights, found)
    return found


def degree(op: Op, found: Mapping[Wire, int]) -> int:
    """At most of what degree the entries of an op are, as polynomials in what is drawn; at least 1."""
    known = [found[wire] for wire in operands(op)]
    match op:
        case Contract():
            return sum(known)
        case Lookup():
            return known[0] + len(known)
        case Sum() | Reindex():
            return max(known, default=1)
        case Softmax():
            return 2
        case _:
            return 1


# --- residues ---------------------------------------------------------------------------------


def primes(like: IntArray) -> IntArray:
    """The primes along the first axis of residues."""
    return np.array(PRIMES, np.int64).reshape(-1, *(1,) * (like.ndim - 1))


def reduced(x: IntArray) -> IntArray:
    """Integers as residues."""
    return np.asarray(x % primes(x), np.int64)


def times(x: IntArray, y: IntArray) -> IntArray:
    """The product of residues, entry by entry."""
    return reduced(x * y)


def rational(value: Fraction | int) -> IntArray:
    """A number's residues, [prime]."""
    number = Fraction(value)
    try:
        return np.array(
            [number.numerator * pow(number.denominator, -1, p) % p for p in PRIMES], np.int64
        )
    except ValueError:
        raise NotSigned(f"the number {number} has no fingerprint") from None


def rationals(values: Sequence[Fraction | int], shape: Shape) -> IntArray:
    """The residues of known entries."""
    each = {value: rational(value) for value in set(values)}
    columns = np.array([each[value] for value in values], np.int64).reshape(-1, len(PRIMES))
    return columns.T.reshape(len(PRIMES), *shape, 1)


def stored(tensor: Tensor, shape: Shape) -> IntArray:
    """The residues of a checkpoint's tensor: of the rational that each float is."""
    mantissas, exponents = np.frexp(np.frombuffer(tensor.values))
    whole = np.ldexp(mantissas, 53).astype(np.int64)
    scale = powers_of_two()[:, exponents.astype(np.int64) - 53 - EXPONENTS.start]
    return times(reduced(np.stack([whole] * len(PRIMES))), scale).reshape(len(PRIMES), *shape, 1)


@cache
def powers_of_two() -> IntArray:
    """The residues of 2^k for each exponent, [prime, exponent]."""
    return np.array([[pow(2, k, p) for k in EXPONENTS] for p in PRIMES], np.int64)


def letters(labels: IntArray, shape: Shape) -> IntArray:
    """An unknown letter for each label."""
    known = np.stack([labels.T] * len(PRIMES)).reshape(len(PRIMES), *shape, labels.shape[0])
    return drawn("letter", known)


def unknowns(circuit: Circuit, wires: Collection[Wire]) -> dict[Wire, IntArray]:
    """An unknown value for each entry of some wires, no two of them the same."""
    found: dict[Wire, IntArray] = {}
    count = 0
    for wire in wires:
        known = circuit.types[wire]
        labels = np.arange(count, count + known.entries, dtype=np.int64)
        values = drawn("value", np.stack([labels] * len(PRIMES)))
        found[wire] = values.reshape(len(PRIMES), *known.shape, 1)
        count += known.entries
    return found


# --- functions drawn at random ------------------------------------------------------------------


def drawn(name: str, x: IntArray) -> IntArray:
    """A random function of fingerprints, entry by entry: all four residues go into each new one.

    Two states of 64 bits each have all of it, so that two fingerprints collide by chance in 2^128.
    """
    salts = np.frombuffer(blake2b(name.encode(), digest_size=32).digest(), "<u8")
    parts = x.astype(np.uint64)
    low, high = parts[0] | parts[1] << np.uint64(32), parts[2] | parts[3] << np.uint64(32)
    states = [
        scrambled(scrambled(low ^ first) + (high ^ second)) for first, second in salts.reshape(2, 2)
    ]
    halves = [part for z in states for part in (z & np.uint64((1 << 32) - 1), z >> np.uint64(32))]
    return reduced(np.stack(halves).astype(np.int64))


def scrambled(z: Words64) -> Words64:
    """The finalizer of SplitMix64 (Steele, Lea and Flood 2014), on 64 bits that wrap around."""
    z = (z ^ z >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ z >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
    return np.asarray(z ^ z >> np.uint64(31), np.uint64)


def of_all(name: str, x: IntArray) -> IntArray:
    """A random function of the entries along the last axis, in whatever order they stand."""
    return drawn(name, total(drawn(f"each of {name}", x)))


def in_order(name: str, x: IntArray) -> IntArray:
    """A random function of the sequence of the entries along the last axis, and of its length."""
    length, factors = x.shape[-2], in_places(f"place in {name}", x)
    return drawn(f"{name} of {length}", total(times(drawn(f"each of {name}", x), factors)))


def in_places(name: str, x: IntArray) -> IntArray:
    """A random number for each place along the last axis, the same for all rows."""
    length = x.shape[-2]
    count = np.arange(length, dtype=np.int64)
    found = drawn(name, np.stack([count] * len(PRIMES)))
    return found.reshape(len(PRIMES), *(1,) * (x.ndim - 3), length, 1)


def entries_of(name: str, x: IntArray) -> IntArray:
    """For each place along the last axis a random function of the sequence of the entries there."""
    places = in_order(name, x)[..., None, :] + in_places(f"place of {name}", x)
    return drawn(f"entry of {name}", reduced(places))


def total(x: IntArray) -> IntArray:
    """The sum along the last axis."""
    return reduced(x.sum(-2))


# --- ops --------------------------------------------------------------------------------------


def signed(
    circuit: Circuit, op: Op, shape: Shape, weights: Weights, found: Mapping[Wire, IntArray]
) -> IntArray:
    """The fingerprints of one op, from those of its operands."""
    match op:
        case Input(name=name):
            raise IllFormed(f"the input {name} is not given")
        case Const(values=values):
            return rationals(values, shape)
        case Weight(key=key):
            return stored(weights[key], shape)
        case Reindex(operands=wires, source=source):
            plan = moves(source, [circuit.types[x].entries for x in wires], shape)
            return lanes(lambda *parts: rearranged(plan, parts), *(found[x] for x in wires))
        case Sum(terms=terms):
            return combined([(rational(c), found[x]) for c, x in terms])
        case Contract(spec=spec, left=left, right=right):
            return contracted(spec, found[left], found[right])
        case Relu(operand=x):
            return drawn("relu", found[x])
        case Smooth(function=function, operand=x):
            return drawn(function, found[x])
        case Softmax(operand=x):
            parts = drawn("exp", found[x])
            return times(parts, drawn("total", total(parts))[..., None, :])
        case Compare(op=how, left=left, right=right):
            return drawn(how, reduced(found[right] - found[left]))
        case Not(operand=x):
            return drawn("not", found[x])
        case Max(operand=x):
            return of_all("max", found[x])
        case All(operand=x):
            return of_all("all", found[x])
        case Any(operand=x):
            return of_all("any", found[x])
        case Argmax(operand=x):
            return in_order("argmax", found[x])
        case TopK(count=count, operand=x):
            return entries_of(f"the {count} largest", found[x])
        case Select(condition=condition, then=then, otherwise=otherwise):
            return selected(found[condition], found[then], found[otherwise])
        case Lookup(table=table, indices=indices):
            return looked_up(found[table], [found[x] for x in indices])
        case _:
            assert_never(op)


def lanes(function: Callable[..., IntArray], *operands: IntArray) -> IntArray:
    """A function of arrays, for each prime."""
    return np.stack([function(*parts) for parts in zip(*operands, strict=True)])


def combined(terms: Sequence[tuple[IntArray, IntArray]]) -> IntArray:
    """A linear combination of operands of one shape."""
    found = np.zeros((len(PRIMES),) + (1,) * (terms[0][1].ndim - 1), np.int64)
    for factor, x in terms:
        found = reduced(found + times(factor.reshape(-1, *(1,) * (x.ndim - 1)), x))
    return found


def contracted(spec: str, left: IntArray, right: IntArray) -> IntArray:
    """An Einstein sum of residues: of their halves, in float64, where every sum is exact."""
    inputs, output = spec.split("->")
    first, second = inputs.split(",")
    sides = zip(first, left.shape[1:-1], strict=True)
    count = prod(n for c, n in sides if c in second and c not in output)
    if count > MOST:
        raise NotSigned(f"a sum of {count:,} products has no fingerprint")
    multiply = product(spec)

    def exactly(x: IntArray, y: IntArray) -> IntArray:
        return multiply(x.astype(np.float64), y.astype(np.float64)).astype(np.int64)

    (high, low), (above, below) = (divmod(x, 1 << HALF) for x in (left, right))
    found = reduced(lanes(exactly, high, above))
    found = reduced((found << HALF) + lanes(exactly, high, below) + lanes(exactly, low, above))
    return reduced((found << HALF) + lanes(exactly, low, below))


def selected(condition: IntArray, then: IntArray, otherwise: IntArray) -> IntArray:
    """A random function of the scalar condition and both sides, entry by entry."""
    spread = condition.reshape(condition.shape[0], *(1,) * (then.ndim - 2), condition.shape[-1])
    sides = np.broadcast_arrays(spread, then, otherwise)
    return in_order("select", np.stack(sides, axis=-2))


def looked_up(table: IntArray, indices: Sequence[IntArray]) -> IntArray:
    """Σ_k [i == k] · table[k]: each entry of the table times whether the indices name it."""
    sides, shape = table.shape[1 : 1 + len(indices)], indices[0].shape[1:-1]
    chosen = np.ones((1,) * (len(shape) + 3), np.int64)
    for index, side in zip(indices, sides, strict=True):
        numbers = np.arange(side, dtype=np.int64)[:, None]
        each = drawn("==", reduced(numbers - index[..., None, :]))
        pairs = times(each[..., None, :, :], chosen[..., None, :])
        chosen = pairs.reshape(*pairs.shape[:-3], -1, pairs.shape[-1])
    rest = table.shape[1 + len(indices) : -1]
    rows = table.reshape(len(PRIMES), prod(sides), prod(rest), table.shape[-1])
    one = chosen.reshape(len(PRIMES), prod(shape), prod(sides), chosen.shape[-1])
    found = contracted("br,rc->bc", one, rows)
    return found.reshape(len(PRIMES), *shape, *rest, found.shape[-1])
