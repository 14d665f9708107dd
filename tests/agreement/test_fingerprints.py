"""Fingerprints tell apart what differs on some word, and are computed without rounding."""

from __future__ import annotations

from array import array
from fractions import Fraction
from itertools import combinations, permutations, product
from math import isqrt

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from circ.compiler.ir import Circuit, Index, Input, Real, Wire
from circ.compiler.readings.arrays import IntArray
from circ.compiler.readings.balls import radius
from circ.compiler.readings.fingerprints import (
    PRIMES,
    contracted,
    fingerprints,
    rational,
    rationals,
    stored,
)
from circ.compiler.readings.floats import Values, prepare, read
from circ.compiler.readings.routing import slack_of
from circ.compiler.tensor import Tensor
from circ.compiler.words.unordered import unordered
from circ.runtime.engines.words import all_words
from tests.agreement.circuits import SMOOTH, Sample, circuits
from tests.agreement.claims import claim


def word_of(sample: Sample) -> Wire:
    """The word that a sample is about: it has one input, of two positions or three."""
    assume(len(sample.circuit.inputs) == 1)
    (word,) = sample.circuit.inputs.values()
    assume(sample.circuit.types[word].entries > 1)
    return word


def everywhere(sample: Sample, word: Wire) -> Values:
    """All wires of a sample on all words."""
    (bound,) = claim(sample.circuit).binders
    source = all_words(bound, 1 << 10)
    given = Values({}, {word: source.batch(0, source.count)["x0"]})
    return read(prepare(sample.circuit, sample.weights, wires_of(sample.circuit)), given)


def wires_of(circuit: Circuit) -> list[Wire]:
    """All wires but inputs."""
    return [Wire(i) for i, op in enumerate(circuit.ops) if not isinstance(op, Input)]


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_equal_fingerprints_are_equal_functions(data: st.DataObject) -> None:
    """On random circuits, entries of one sort with one fingerprint have one value on every word, as far
    as the float reading can tell: entries of different wires, too."""
    sample: Sample = data.draw(circuits(SMOOTH, inputs="words"))
    word = word_of(sample)
    wires, found = wires_of(sample.circuit), everywhere(sample, word)
    labels = np.arange(sample.circuit.types[word].entries)[None]
    signs = fingerprints(sample.circuit, sample.weights, wires, word, labels)
    groups: dict[tuple[object, ...], list[tuple[Wire, int]]] = {}
    for wire in wires:
        flat = signs[wire].reshape(len(PRIMES), -1)
        for place, sign in enumerate(flat.T.tolist()):
            kind = str(sample.circuit.types[wire].sort)
            groups.setdefault((kind, *sign), []).append((wire, place))
    for group in groups.values():
        for one, other in combinations(group[:6], 2):
            alike(sample.circuit, found, one, other)


def alike(circuit: Circuit, found: Values, one: tuple[Wire, int], other: tuple[Wire, int]) -> None:
    """Assert that two entries may be equal on every word."""
    if circuit.types[one[0]].sort == Real():
        balls = [(found.reals[wire], place) for wire, place in (one, other)]
        mids = [x.mid.reshape(-1, x.mid.shape[-1])[place] for x, place in balls]
        shapes = [np.broadcast_to(radius(x), x.mid.shape) for x, _ in balls]
        rads = [r.reshape(-1, r.shape[-1])[p] for r, (_, p) in zip(shapes, balls, strict=True)]
        assert (abs(mids[0] - mids[1]) <= rads[0] + rads[1]).all()
        return
    known = [(found.discrete[wire], place) for wire, place in (one, other)]
    values = [x.values.reshape(-1, x.values.shape[-1])[place] for x, place in known]
    slack = [slack_of(x).reshape(-1, x.values.shape[-1])[place] for x, place in known]
    assert ((values[0] == values[1]) | (slack[0] == 0) | (slack[1] == 0)).all()


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_unordered_circuits_are_the_same_on_every_arrangement(data: st.DataObject) -> None:
    """On random circuits that are found unordered, every permutation of the free positions leaves the
    goal as it is on every word."""
    sample: Sample = data.draw(circuits(SMOOTH, inputs="words"))
    word, goal = word_of(sample), sample.circuit.outputs["goal"]
    length = sample.circuit.types[word].entries
    fixed = unordered(sample.circuit, sample.weights, word, [goal], [(), (length - 1,), (0,)])
    if fixed is None:
        return
    found = everywhere(sample, word).discrete[goal]
    words = list(product(range(size_of_letters(sample, word)), repeat=length))
    truths = np.broadcast_to(found.values, len(words)).tolist()
    sure = (np.broadcast_to(slack_of(found), len(words)) > 0).tolist()
    known = dict(zip(words, zip(truths, sure, strict=True), strict=True))
    free = [position for position in range(length) if position not in fixed]
    for letters, order in product(words, permutations(free)):
        moved = list(letters)
        for position, source in zip(free, order, strict=True):
            moved[position] = letters[source]
        (value, clear), (other, also) = known[letters], known[tuple(moved)]
        assert value == other or not clear or not also


def size_of_letters(sample: Sample, word: Wire) -> int:
    """How many letters there are."""
    sort = sample.circuit.types[word].sort
    assert isinstance(sort, Index)
    return sort.size


# --- arithmetic ---------------------------------------------------------------------------------


def test_the_primes_are_safe() -> None:
    """Each is prime, and so is (p - 1) / 2; they differ and fit in 31 bits."""
    assert len({*PRIMES}) == 4
    for prime in PRIMES:
        assert prime < 1 << 31
        for number in (prime, (prime - 1) // 2):
            assert all(number % k for k in range(2, isqrt(number) + 1))


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=5))
def test_a_stored_float_is_the_rational_it_denotes(values: list[float]) -> None:
    """From a checkpoint or from the spec, zeros of either sign and the least floats too."""
    shape = (len(values),)
    known = stored(Tensor(shape, "F64", array("d", values)), shape)

    assert (known == rationals([Fraction(value) for value in values], shape)).all()


def test_a_rational_is_its_numerator_over_its_denominator() -> None:
    """1/10 times 10 is 1."""
    assert [
        r * 10 % p for r, p in zip(rational(Fraction(1, 10)).tolist(), PRIMES, strict=True)
    ] == [1] * 4


@given(st.integers(0, 1 << 30), st.integers(1, 40))
def test_products_are_exact(seed: int, count: int) -> None:
    """Sums of products of residues, as Python's integers have them, the largest residues too."""
    chance = np.random.default_rng(seed)
    tops = np.array(PRIMES).reshape(-1, 1, 1)
    left = tops - 1 - chance.integers(0, 1 << 31, (4, count, 1)) * chance.integers(0, 2) % tops
    right = tops - 1 - chance.integers(0, 3, (4, count, 3))
    found: IntArray = contracted("i,i->", left, right)

    for lane, prime in enumerate(PRIMES):
        for k in range(3):
            pairs = zip(left[lane, :, 0].tolist(), right[lane, :, k].tolist(), strict=True)
            assert found[lane, k] == sum(x * y for x, y in pairs) % prime
