"""Which circuits depend on the order of a word's letters, told from the circuit and its weights."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import combinations
from math import lcm
from pathlib import Path

import pytest

from circ.compiler.builder import (
    Builder,
    both,
    codes,
    combine,
    either,
    matmul,
    number,
    reals,
    stack,
    take,
    total,
    transpose,
    truth,
)
from circ.compiler.finding import Limits
from circ.compiler.ir import (
    Argmax,
    Compare,
    Index,
    Input,
    Lookup,
    Max,
    Relu,
    Select,
    Smooth,
    Softmax,
    Wire,
    WireType,
)
from circ.compiler.readings.fingerprints import PRIMES
from circ.compiler.verdict import Proved, Refuted
from circ.compiler.words.unordered import Fixed, unordered
from circ.runtime.prover import prove
from tests.unit.lowered import lowered

LENGTH, LETTERS = 5, 3
WAYS: tuple[Fixed, ...] = ((), (LENGTH - 1,), (0,))

Build = Callable[[Builder, Wire], Wire]
"""Something said of a word."""


def way(build: Build) -> Fixed | None:
    """The positions told apart, where the order of all other letters says nothing."""
    b = Builder()
    s = b.add(Input("s", WireType(Index(LETTERS), (LENGTH,))))
    root = build(b, s)
    return unordered(b.circuit({"root": root}), {}, s, [root], WAYS)


# --- what is said -------------------------------------------------------------------------------


def vectors(b: Builder, s: Wire) -> Wire:
    """A vector for each letter, [position, 2]."""
    table = reals(b, [Fraction(n, 8) for n in (3, -5, 7, 1, -2, 6)], (LETTERS, 2))
    return b.add(Lookup(table, (s,)))


def placed(b: Builder, s: Wire) -> Wire:
    """The same with a vector for each position added."""
    places = reals(b, [Fraction(n * n, 16) for n in range(2 * LENGTH)], (LENGTH, 2))
    return combine(b, (1, vectors(b, s)), (1, places))


def weighted(b: Builder, x: Wire, *weights: Fraction | int) -> Wire:
    """Vectors added up with these weights."""
    return matmul(b, reals(b, map(Fraction, weights), (LENGTH,)), x)


def mean(b: Builder, s: Wire) -> Wire:
    """The mean of the vectors."""
    return weighted(b, vectors(b, s), *[Fraction(1, LENGTH)] * LENGTH)


def behind(b: Builder, read: Wire) -> Wire:
    """A layer of ReLUs, and a comparison of what comes out."""
    inner = matmul(b, reals(b, map(Fraction, (1, -2, 3, 1, -1, 2)), (3, 2)), read)
    return b.add(Compare("<", number(b, 1), total(b, b.add(Relu(inner)))))


def totalled(embed: Build, *weights: Fraction | int) -> Build:
    """A truth about a sum of vectors with these weights."""
    return lambda b, s: behind(b, weighted(b, embed(b, s), *weights))


def beside(position: int) -> Build:
    """A truth about the mean beside the vector at a position."""
    return lambda b, s: behind(
        b, combine(b, (1, mean(b, s)), (1, take(b, vectors(b, s), [position])))
    )


def beside_both_ends(b: Builder, s: Wire) -> Wire:
    """Truths about the mean beside the first vector and beside the last."""
    return both(b, beside(0)(b, s), beside(LENGTH - 1)(b, s))


def attended(position: int, embed: Build) -> Build:
    """A truth about what attention from a position reads."""

    def build(b: Builder, s: Wire) -> Wire:
        x = embed(b, s)
        return behind(b, matmul(b, b.add(Softmax(matmul(b, x, take(b, x, [position])))), x))

    return build


def two_layers(b: Builder, s: Wire) -> Wire:
    """Each position attends to all, and the mean of that is taken."""
    x = vectors(b, s)
    scores = matmul(b, x, transpose(b, x, [1, 0]))
    return behind(b, weighted(b, matmul(b, b.add(Softmax(scores)), x), *[1] * LENGTH))


def only_earlier(b: Builder, s: Wire) -> Wire:
    """Each position reads the mean of those up to itself, and the largest of that is taken."""
    x = vectors(b, s)
    rows = [[Fraction(int(q <= p), p + 1) for q in range(LENGTH)] for p in range(LENGTH)]
    reads = matmul(b, reals(b, [v for row in rows for v in row], (LENGTH, LENGTH)), x)
    return behind(b, b.add(Max(transpose(b, reads, [1, 0]))))


def largest(b: Builder, s: Wire) -> Wire:
    """A truth about the largest entries."""
    return behind(b, b.add(Max(transpose(b, vectors(b, s), [1, 0]))))


def added_one_by_one(b: Builder, s: Wire) -> Wire:
    """A truth about a sum that goes from letter to letter."""
    x = vectors(b, s)
    found = take(b, x, [0])
    for position in range(1, LENGTH):
        found = combine(b, (1, found), (1, take(b, x, [position])))
    return behind(b, found)


def folded(b: Builder, s: Wire) -> Wire:
    """A state that goes from letter to letter: the last letter that is not 0."""
    table = codes(b, [0, 1, 2, 1, 1, 2, 2, 1, 2], LETTERS, (LETTERS, LETTERS))
    state = codes(b, [0], LETTERS, ())
    for position in range(LENGTH):
        state = b.add(Lookup(table, (state, take(b, s, [position]))))
    return b.add(Compare("==", state, codes(b, [1], LETTERS, ())))


def is_zero(b: Builder, s: Wire, position: int) -> Wire:
    """Whether letter 0 stands there."""
    return b.add(Compare("==", take(b, s, [position]), codes(b, [0], LETTERS, ())))


def few_zeros(b: Builder, s: Wire) -> Wire:
    """At most two letters are 0."""
    marks = [b.add(Select(is_zero(b, s, p), number(b, 1), number(b, 0))) for p in range(LENGTH)]
    return b.add(Compare("<=", combine(b, *((1, mark) for mark in marks)), number(b, 2)))


def somewhere(b: Builder, s: Wire) -> Wire:
    """Letter 0 stands somewhere, and not everywhere."""
    zeros = [is_zero(b, s, p) for p in range(LENGTH)]
    return b.add(
        Compare(
            "<",
            *(
                b.add(Select(x, number(b, 1), number(b, 0)))
                for x in (both(b, *zeros), either(b, *zeros))
            ),
        )
    )


def scores(b: Builder, s: Wire) -> Wire:
    """A number for each position."""
    return matmul(b, vectors(b, s), reals(b, map(Fraction, (1, 2)), (2,)))


def first_leads(b: Builder, s: Wire) -> Wire:
    """The first position has the largest score, as the unknown choice has it."""
    return b.add(Compare("==", b.add(Argmax(scores(b, s))), codes(b, [0], LENGTH, ())))


def read_at_largest(b: Builder, s: Wire) -> Wire:
    """What stands where the score is largest: of equal scores the unknown choice takes one."""
    return behind(b, b.add(Lookup(placed(b, s), (b.add(Argmax(scores(b, s))),))))


def in_a_ring(b: Builder, s: Wire) -> Wire:
    """Each vector times its neighbour's, the first being the last one's: a rotation changes nothing."""
    x = vectors(b, s)
    turned = stack(b, [take(b, x, [(p + 1) % LENGTH]) for p in range(LENGTH)])
    ring = total(b, matmul(b, transpose(b, x, [1, 0]), turned))
    return b.add(Compare("<", number(b, 0), total(b, ring)))


def outweighed(b: Builder, s: Wire) -> Wire:
    """The score in the middle is below the sum of the others."""
    x = scores(b, s)
    middle = take(b, x, [2])
    return b.add(Compare("<", middle, combine(b, (1, total(b, x)), (-1, middle))))


def zeros_to_the_end(b: Builder, s: Wire) -> Wire:
    """Of every two positions, if letter 0 stands at the first, it stands at the second."""
    zeros = [is_zero(b, s, p) for p in range(LENGTH)]
    pairs = combinations(zeros, 2)
    return both(b, *(b.add(Select(one, other, truth(b, True))) for one, other in pairs))


def undefined_somewhere(b: Builder, s: Wire) -> Wire:
    """Zero times 1/x of the first letter's number, beside the mean: undefined where that is zero."""
    numbers = reals(b, map(Fraction, (0, 1, 2)), (LETTERS,))
    inverse = b.add(Smooth("recip", b.add(Lookup(numbers, (take(b, s, [1]),)))))
    return b.add(Compare("<", combine(b, (0, inverse)), take(b, mean(b, s), [0])))


@pytest.mark.parametrize(
    ("build", "fixed"),
    [
        (totalled(vectors, *[Fraction(1, LENGTH)] * LENGTH), ()),
        (totalled(placed, *[1] * LENGTH), ()),
        (beside(LENGTH - 1), (LENGTH - 1,)),
        (beside(0), (0,)),
        (attended(LENGTH - 1, vectors), (LENGTH - 1,)),
        (attended(0, vectors), (0,)),
        (two_layers, ()),
        (largest, ()),
        (added_one_by_one, ()),
        (few_zeros, ()),
        (somewhere, ()),
    ],
)
def test_what_sees_counts_alone_is_recognised(build: Build, fixed: Fixed) -> None:
    """Mean and softmax attention, sums, maxima and counts, one position told apart where that is read
    beside them. A vector for each position, in a mean, adds the same to every word."""
    assert way(build) == fixed


@pytest.mark.parametrize(
    "build",
    [
        attended(LENGTH - 1, placed),
        totalled(vectors, 1, 1, 2, 2, 2),
        totalled(vectors, 1, 1, 1, 2, 1),
        beside_both_ends,
        beside(2),
        only_earlier,
        folded,
        first_leads,
        read_at_largest,
        in_a_ring,
        outweighed,
        zeros_to_the_end,
        undefined_somewhere,
    ],
)
def test_what_sees_the_order_is_not(build: Build) -> None:
    """Positions in scores, two weights or one that differ, two positions or a middle one read, masks,
    folds, a leading position, neighbours, a score against the others, a choice between letters, an inverse that may not exist."""
    assert way(build) is None


PADDED = """
enum L = { a, b, c, d }
domain D = { s: L[24] |
  count { x in s | x == b } == 1 and count { x in s | x == a } == 0 and count { x in s | x == d } == 0
}
circuit p(x: L) -> fin[2] = argmax([ [-1.0, 1.0, -3.0, 2.0][x], [-2.0, 2.0, -2.0, 1.0][x] ])
circuit q(x: L) -> fin[3] = argmax([ [-1.0, 1.0, -3.0, 2.0][x], [-2.0, 2.0, -2.0, 1.0][x], 0 ])
circuit f(s: L[24]) -> real = [0,1][p(s[0])] + sum([ [0,1,0][q(x)] for x in s[1:] ])
claim one: forall s in D: f(s) <= 1
"""

POWER = """
enum L = { u, v }
domain D = { s: L[24] | count { x in s | x == v } == 1 }
circuit x(c: L) -> real = [1, 0.5][c]
circuit power(y: real) -> real = fold a = 1 over b in BITS: a * a * (b * (y - 1) + 1)
circuit f(s: L[24]) -> real = power(x(s[0])) + sum([ x(c) for c in s[1:] ])
claim high: forall s in D: f(s) >= 23.25
"""


def test_a_row_is_not_a_longer_one_that_ends_in_zero(tmp_path: Path) -> None:
    """An argmax over two scores is another function than one over these and zero."""
    program = lowered(PADDED, tmp_path)
    assert isinstance(prove(program.claim("one"), {}), Refuted)


def test_a_power_is_not_its_base(tmp_path: Path) -> None:
    """x^p is x in a field of p, so products of very many factors have no fingerprint."""
    bits = f"{1 + lcm(*(p - 1 for p in PRIMES)):b}"
    text = POWER.replace("BITS", f"[{', '.join(bits)}]")
    program = lowered(text, tmp_path)
    assert not isinstance(prove(program.claim("high"), {}, Limits(timeout=5)), Proved)
